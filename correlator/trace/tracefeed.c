/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's tracepoints, by libtracefs and libtraceevent.
 *
 *   per_cpu/cpuN/trace_pipe_raw --tracebuf_take()--> page --kbuffer--> record
 *        --traceformats_decode()--> struct trace_event
 *        --sorted by time over all processors--> each()
 *
 * The instance has our pid in its name, so an instance whose process is gone was left by a kill.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <kbuffer.h>
#include <tracefs.h>

#include "clock.h"
#include "failures.h"
#include "tracebuf.h"
#include "tracefeed.h"
#include "traceformat.h"
#include "traceprobe.h"

#define NAME "sockledger."
#define BATCH 1024
#define NAMES_CHARS (64 * TRACEFORMAT_NAME_CHARS)	/* of a batch, together */
/*
 * One pass reads at most so many pages of a processor.  A processor that writes faster is not read
 * to its end: the newest events may be missing then, which counts as lost events.
 */
#define PAGES_MAX 256

struct tracefeed {
	const struct traceprobe *probe;		/* NULL: the tracepoints are enough */
	struct tracefs_instance *instance;
	struct traceformats *formats;
	struct kbuffer *kbuf;
	bool big_endian;
	struct tracebuf **buf;		/* one for each processor */
	int bufs;
	int64_t overruns, events;
	struct trace_event batch[BATCH];
	int count;
	char names[NAMES_CHARS];
	size_t named;			/* how much of names is used */
	char page[TRACEBUF_BYTES_MAX];
};

/* Removes the instances of processes that are gone. */
static void remove_stale(void)
{
	char *dir = tracefs_get_tracing_file("instances");
	DIR *all = dir ? opendir(dir) : NULL;
	struct dirent *entry;

	tracefs_put_tracing_file(dir);
	while (all && (entry = readdir(all)) != NULL) {
		long pid;

		if (strncmp(entry->d_name, NAME, sizeof(NAME) - 1))
			continue;
		pid = strtol(entry->d_name + sizeof(NAME) - 1, NULL, 10);
		if (pid <= 0 || !kill((pid_t)pid, 0) || errno != ESRCH)
			continue;
		/* In tracefs rmdir() removes the whole instance. */
		unlinkat(dirfd(all), entry->d_name, AT_REMOVEDIR);
	}
	if (all)
		closedir(all);
}

static int write_file(struct tracefeed *t, const char *name, const char *text)
{
	return tracefs_instance_file_write(t->instance, name, text) < 0 ? -errno : 0;
}

static int switch_on(const struct tracepoint *p, void *arg)
{
	struct tracefeed *t = arg;

	if (p->filter &&
	    tracefs_event_file_write(t->instance, p->system, p->name, "filter", p->filter) < 0)
		return -errno;
	return tracefs_event_file_write(t->instance, p->system, p->name, "enable", "1") < 0 ?
		-errno : 0;
}

static int set_up(struct tracefeed *t, int64_t buffer_bytes)
{
	char size[32];
	int rc;

	snprintf(size, sizeof(size), "%lld", (long long)(buffer_bytes / 1024));
	rc = write_file(t, "buffer_size_kb", size);
	if (!rc)
		rc = write_file(t, "trace_clock", "mono");
	return rc ? rc : traceformats_each(t->formats, switch_on, t);
}

static int open_bufs(struct tracefeed *t)
{
	long cpus = sysconf(_SC_NPROCESSORS_CONF);

	t->buf = calloc((size_t)cpus, sizeof(struct tracebuf *));
	if (!t->buf)
		return -ENOMEM;
	/* An absent processor has no buffer. */
	for (int n = 0; n < cpus; n++)
		if (!tracebuf_open(t->instance, n, true, &t->buf[t->bufs]))
			t->bufs++;
	return t->bufs ? 0 : -ENOENT;
}

static int open_formats(const char *tracing, const struct traceprobe *probe,
			struct tracefeed **out)
{
	union { uint16_t word; uint8_t bytes[2]; } endian = { .word = 1 };
	struct tracefeed *t = calloc(1, sizeof(*t));
	int rc;

	*out = NULL;
	if (!t)
		return -ENOMEM;
	t->probe = probe;
	rc = traceformats_read(tracing, probe != NULL, &t->formats);
	t->big_endian = !endian.bytes[0];
	t->kbuf = kbuffer_alloc(sizeof(long) == 8 ? KBUFFER_LSIZE_8 : KBUFFER_LSIZE_4,
				t->big_endian ? KBUFFER_ENDIAN_BIG : KBUFFER_ENDIAN_LITTLE);
	if (!rc && !t->kbuf)
		rc = -ENOMEM;
	if (rc)
		tracefeed_close(t);
	else
		*out = t;
	return rc;
}

void tracefeed_prepare(void)
{
	tracefs_tracing_dir();
}

int tracefeed_open_formats(const char *tracing, struct tracefeed **out)
{
	return open_formats(tracing, NULL, out);
}

static int start(struct tracefeed *t, int64_t buffer_bytes)
{
	char name[64];
	int rc = 0;

	snprintf(name, sizeof(name), NAME "%d", (int)getpid());
	errno = 0;
	t->instance = tracefs_instance_create(name);
	if (!t->instance)
		rc = errno ? -errno : -EACCES;
	/* The size of a mapped buffer cannot change. */
	if (!rc)
		rc = set_up(t, buffer_bytes);
	if (!rc)
		rc = open_bufs(t);
	return rc;
}

/* A trial connection's event in the trace. */
struct trial {
	struct endpoint src, dst;
	bool seen;
};

static void on_trial(const struct trace_event *e, void *arg)
{
	struct trial *trial = arg;

	trial->seen |= e->kind == TRACE_STATE && e->tid == gettid() &&
		       e->src.port == trial->src.port && e->dst.port == trial->dst.port &&
		       address_equal(&e->src.addr, &trial->src.addr) &&
		       address_equal(&e->dst.addr, &trial->dst.addr);
}

/*
 * Tries the probe with connections of our own.  A family that cannot connect here cannot be tried,
 * so the probe is not believed for it.
 */
static int try_probe(struct tracefeed *t)
{
	static const int families[] = { AF_INET, AF_INET6 };
	struct trial trial = { .seen = false };

	for (int i = 0; i < 2; i++) {
		trial.seen = false;
		if (!traceprobe_trial(families[i], &trial.src, &trial.dst)) {
			tracefeed_drain(t, on_trial, &trial);
			if (!trial.seen)
				return -EPROTO;
		} else if (i == 0) {
			return -EPROTO;
		} else {
			traceformats_only_four(t->formats);
		}
	}
	return 0;
}

int tracefeed_open_probe(int64_t buffer_bytes, const struct traceprobe *probe, bool trial,
			 struct tracefeed **out)
{
	const char *tracing = tracefs_tracing_dir();
	struct tracefeed *t;
	int rc = tracing ? traceprobe_add(probe, tracing) : -ENOENT;

	*out = NULL;
	if (rc)
		return rc;
	rc = open_formats(tracing, probe, &t);
	if (rc)
		return rc;
	rc = start(t, buffer_bytes);
	if (!rc && trial)
		rc = try_probe(t);
	if (rc)
		tracefeed_close(t);
	else
		*out = t;
	return rc;
}

int tracefeed_open(int64_t buffer_bytes, struct tracefeed **out)
{
	const char *tracing = tracefs_tracing_dir();
	struct tracefeed *t;
	int rc;

	*out = NULL;
	if (!tracing)
		return -ENOENT;
	remove_stale();
	rc = open_formats(tracing, NULL, &t);
	if (rc == -ENOENT) {
		FAILS(NO_TRACEPOINTS);
		return tracefeed_open_probe(buffer_bytes, &traceprobe_connect, true, out);
	}
	if (!rc) {
		rc = start(t, buffer_bytes);
		if (rc)
			tracefeed_close(t);
		else
			*out = t;
	}
	return rc;
}

bool tracefeed_sees_exec(const struct tracefeed *t)
{
	return traceformats_have(t->formats, TRACE_EXEC_BEGIN);
}

bool tracefeed_is_probe(const struct tracefeed *t)
{
	return t->probe != NULL;
}

void tracefeed_close(struct tracefeed *t)
{
	if (!t)
		return;
	for (int i = 0; i < t->bufs; i++)
		tracebuf_close(t->buf[i]);
	free(t->buf);
	if (t->kbuf)
		kbuffer_free(t->kbuf);
	traceformats_free(t->formats);
	if (t->instance) {
		tracefs_instance_file_write(t->instance, "events/enable", "0");
		tracefs_instance_destroy(t->instance);
		tracefs_instance_free(t->instance);
	}
	if (t->probe)
		traceprobe_remove(t->probe, tracefs_tracing_dir());
	free(t);
}

static int by_time(const void *a, const void *b)
{
	const struct trace_event *x = a, *y = b;

	if (x->time_ns != y->time_ns)
		return x->time_ns < y->time_ns ? -1 : 1;
	return (x->order > y->order) - (x->order < y->order);
}

static void show_sorted(struct tracefeed *t, void (*each)(const struct trace_event *e, void *arg),
			void *arg)
{
	bool sorted = true;

	for (int i = 1; sorted && i < t->count; i++)
		sorted = t->batch[i - 1].time_ns <= t->batch[i].time_ns;
	if (!sorted)
		qsort(t->batch, (size_t)t->count, sizeof(t->batch[0]), by_time);
	for (int i = 0; i < t->count; i++)
		each(&t->batch[i], arg);
	t->count = 0;
	t->named = 0;
}

static void take_record(struct tracefeed *t, const void *record, int size, int64_t time_ns)
{
	struct trace_event *e = &t->batch[t->count];

	if (!traceformats_decode(t->formats, record, size, e, t->names + t->named))
		return;
	e->time_ns = time_ns;
	e->order = t->count++;
	if (e->name)
		t->named += strlen(e->name) + 1;
	t->events++;
}

static uint32_t word_at(const uint8_t *at)
{
	uint32_t word;

	memcpy(&word, at, sizeof(word));
	return word;
}

/*
 * The bytes that an event of a page takes, of at most `left`; 0: it does not fit.  An event begins
 * with a word of type and time.  Type 0 has its length, itself included, in the next word; padding
 * its length without itself; a time another word; for all other types the type is the length in
 * words (linux/ring_buffer.h).
 */
static size_t event_bytes(const struct tracefeed *t, const uint8_t *at, size_t left)
{
	uint32_t head, type;
	size_t size = 2 * sizeof(head);

	if (left < sizeof(head))
		return 0;
	head = word_at(at);
	type = t->big_endian ? head >> 27 : head & 31;
	if (type && type < KBUFFER_TYPE_PADDING)
		size = (1 + (size_t)type) * sizeof(head);
	else if (left < size || (!type && word_at(at + sizeof(head)) < sizeof(head)))
		return 0;
	else if (type == KBUFFER_TYPE_PADDING)
		size = sizeof(head) + (size_t)word_at(at + sizeof(head));
	else if (!type)
		size = sizeof(head) + (((size_t)word_at(at + sizeof(head)) + 3) & ~(size_t)3);
	return size <= left ? size : 0;
}

/*
 * kbuffer believes every length, so a malformed page would lead it out of the page, or round and
 * round in it.
 */
static bool is_whole(const struct tracefeed *t, const uint8_t *page, size_t len)
{
	size_t head = sizeof(uint64_t) + sizeof(long), size;
	unsigned long commit;

	if (len < head)
		return false;
	memcpy(&commit, page + sizeof(uint64_t), sizeof(commit));
	size = commit & TRACEBUF_COMMIT;
	if (size > len - head)
		return false;
	/* The number of lost events is stored after the last event. */
	if ((commit & TRACEBUF_LOST_STORED) && len - head - size < sizeof(long))
		return false;
	for (size_t at = 0, bytes; at < size; at += bytes) {
		bytes = event_bytes(t, page + head + at, size - at);
		if (!bytes)
			return false;
	}
	return true;
}

bool tracefeed_page(struct tracefeed *t, void *page, size_t len,
		    void (*each)(const struct trace_event *e, void *arg), void *arg)
{
	unsigned long long time_ns;
	void *data;

	if (!is_whole(t, page, len) || kbuffer_load_subbuffer(t->kbuf, page)) {
		t->overruns++;		/* its events count as lost */
		return false;
	}
	if (kbuffer_missed_events(t->kbuf))
		t->overruns++;
	for (data = kbuffer_read_event(t->kbuf, &time_ns); data;
	     data = kbuffer_next_event(t->kbuf, &time_ns)) {
		if (t->count == BATCH || t->named + TRACEFORMAT_NAME_CHARS > NAMES_CHARS)
			show_sorted(t, each, arg);
		take_record(t, data, kbuffer_event_size(t->kbuf), (int64_t)time_ns);
	}
	return true;
}

/* Takes one page of a processor, or a part of it; false where there is nothing to take. */
static bool take_page(struct tracefeed *t, struct tracebuf *b,
		      void (*each)(const struct trace_event *e, void *arg), void *arg)
{
	size_t len = tracebuf_take(b, t->page);

	if (!len)
		return false;
	if (tracefeed_page(t, t->page, len, each, arg))
		tracebuf_taken(b, kbuffer_timestamp(t->kbuf));
	else
		tracebuf_taken(b, (uint64_t)clock_mono_ns());
	return true;
}

void tracefeed_drain(struct tracefeed *t, void (*each)(const struct trace_event *e, void *arg),
		   void *arg)
{
	for (int i = 0; i < t->bufs; i++) {
		int pages = 0;

		while (pages < PAGES_MAX && take_page(t, t->buf[i], each, arg))
			pages++;
		t->overruns += pages == PAGES_MAX;
	}
	show_sorted(t, each, arg);
}

int64_t tracefeed_overruns(const struct tracefeed *t)
{
	return t->overruns;
}

int64_t tracefeed_events(const struct tracefeed *t)
{
	return t->events;
}
