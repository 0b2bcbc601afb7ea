/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's tracepoints, by libtracefs and libtraceevent.
 *
 *   per_cpu/cpuN/trace_pipe_raw --tracefs_cpu_read()--> page --kbuffer--> record
 *        --decode(), by the offsets that the events' format files tell--> struct trace_event
 *        --sorted by time over all processors--> each()
 *
 * The instance has our pid in its name: one whose process is gone was left behind by a kill.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event-parse.h>
#include <kbuffer.h>
#include <tracefs.h>

#include "clock.h"
#include "tracebuf.h"
#include "tracefeed.h"
#include "traceprobe.h"

#define NAME "sockledger."
#define BATCH 1024
#define NAME_CHARS 256
#define NAMES_CHARS (64 * NAME_CHARS)	/* of a batch, together */
#define FORMAT_BYTES 16384
/* TRACE_FLAG_HARDIRQ, _SOFTIRQ and _NMI of linux/trace_events.h. */
#define INTERRUPT_FLAGS (0x08 | 0x10 | 0x40)
/* One pass reads no more than this of a processor.  Who writes faster than we read is not read to his end:
 * then what has just happened may be missing, as if it were lost. */
#define PAGES_MAX 256

enum field { F_PROTOCOL, F_SRC, F_DST, F_SRC6, F_DST6, F_SPORT, F_DPORT, F_SOCKET, F_OLD, F_NEW,
	     F_FAMILY, F_RESULT, F_CHILD, F_CLONE, F_NAME, F_SRC6_REST, F_DST6_REST, FIELDS };

/* Tracepoints that name who connects, or, where a kernel lacks one of them, the probe of our own. */
enum when { ALWAYS, IF_THERE, TRACED, PROBED };

/* What is wanted of each tracepoint: names of fields; NULL: it has no such. */
static const struct point {
	const char *system, *name, *filter;
	enum trace_kind kind;
	enum when when;
	int family;		/* of its addresses; 0: a field says */
	const char *field[FIELDS];
} points[] = {
	{ "fib", "fib_table_lookup", "iif==1 && sport!=0 && (proto==6 || proto==17 || proto==136)",
	  TRACE_LOOKUP, TRACED, AF_INET,
	  { [F_PROTOCOL] = "proto", [F_SRC] = "src", [F_DST] = "dst", [F_SPORT] = "sport",
	    [F_DPORT] = "dport" } },
	{ "fib6", "fib6_table_lookup", "iif==1 && sport!=0 && (proto==6 || proto==17 || proto==136)",
	  TRACE_LOOKUP, TRACED, AF_INET6,
	  { [F_PROTOCOL] = "proto", [F_SRC] = "src", [F_DST] = "dst", [F_SPORT] = "sport",
	    [F_DPORT] = "dport" } },
	{ "sock", "inet_sock_set_state", "newstate==2 || (oldstate==2 && newstate==7)",
	  TRACE_STATE, TRACED, 0,
	  { [F_PROTOCOL] = "protocol", [F_SRC] = "saddr", [F_DST] = "daddr", [F_SRC6] = "saddr_v6",
	    [F_DST6] = "daddr_v6", [F_SPORT] = "sport", [F_DPORT] = "dport",
	    [F_SOCKET] = "skaddr", [F_OLD] = "oldstate", [F_NEW] = "newstate",
	    [F_FAMILY] = "family" } },
	{ TRACEPROBE_SYSTEM, TRACEPROBE_NAME, NULL, TRACE_STATE, PROBED, 0,
	  { [F_SRC] = "saddr", [F_DST] = "daddr", [F_SRC6] = "saddr6", [F_SRC6_REST] = "saddr6b",
	    [F_DST6] = "daddr6", [F_DST6_REST] = "daddr6b", [F_SPORT] = "sport",
	    [F_DPORT] = "dport", [F_FAMILY] = "family" } },
	/* Since Linux 6.3.  UDP's, and those over rtnetlink, which may ask for a route. */
	{ "sock", "sock_send_length",
	  "(protocol==17 && (family==2 || family==10)) || (family==16 && protocol==0)",
	  TRACE_SEND, IF_THERE, 0,
	  { [F_PROTOCOL] = "protocol", [F_FAMILY] = "family", [F_RESULT] = "ret" } },
	{ "task", "task_newtask", NULL, TRACE_TASK, ALWAYS, 0,
	  { [F_CHILD] = "pid", [F_CLONE] = "clone_flags" } },
	/* Since Linux 6.10. */
	{ "sched", "sched_prepare_exec", NULL, TRACE_EXECS, IF_THERE, 0, { NULL } },
	{ "sched", "sched_process_exec", NULL, TRACE_EXEC, ALWAYS, 0, { [F_NAME] = "filename" } },
};

#define POINTS (sizeof(points) / sizeof(points[0]))
#define CLONE_THREAD_FLAG 0x00010000

struct place {
	int offset, size;	/* size 0: there is none */
};

/* One tracepoint as this kernel has it. */
struct format {
	int id;
	struct place flags, pid, field[FIELDS];
};

struct tracefeed {
	const struct traceprobe *probe;		/* NULL: the tracepoints do */
	struct tracefs_instance *instance;
	struct format format[POINTS];
	struct kbuffer *kbuf;
	bool big_endian;
	bool only_four;			/* of the probe: what it says of IPv6 was not tried */
	struct tracebuf **buf;		/* of the processors */
	int bufs;
	int64_t overruns, events;
	struct trace_event batch[BATCH];
	int count;
	char names[NAMES_CHARS];
	size_t named;			/* of names, used */
	char page[TRACEBUF_BYTES_MAX];
};

/* Those of processes that are gone. */
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
		/* rmdir() of an instance removes what it stands for. */
		unlinkat(dirfd(all), entry->d_name, AT_REMOVEDIR);
	}
	if (all)
		closedir(all);
}

static struct place place_of(const struct tep_format_field *f)
{
	return f ? (struct place){ f->offset, f->size } : (struct place){ 0, 0 };
}

/* What the format file says of its fields: libtraceevent's, of a handle that the caller frees. */
static struct tep_event *parse_format(struct tep_handle *tep, const char *tracing,
				      const struct point *p)
{
	char path[PATH_MAX], text[FORMAT_BYTES];
	ssize_t n, len = 0;
	int fd;

	snprintf(path, sizeof(path), "%s/events/%s/%s/format", tracing, p->system, p->name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	while ((n = read(fd, text + len, sizeof(text) - (size_t)len)) > 0)
		len += n;
	close(fd);
	if (n < 0 || len == sizeof(text) ||
	    tep_parse_event(tep, text, (unsigned long)len, p->system) != TEP_ERRNO__SUCCESS)
		return NULL;
	return tep_find_event_by_name(tep, p->system, p->name);
}

/* An address of the probe's, which reads no more than half of one at once. */
static bool join_halves(struct format *f, enum field first, enum field rest)
{
	if (f->field[first].offset + f->field[first].size != f->field[rest].offset)
		return false;
	f->field[first].size += f->field[rest].size;
	return true;
}

static int read_format(struct tep_handle *tep, const char *tracing, const struct point *p,
		       struct format *f)
{
	struct tep_event *e = parse_format(tep, tracing, p);

	if (!e)
		return p->when == IF_THERE ? 0 : -ENOENT;
	f->id = e->id;
	f->flags = place_of(tep_find_common_field(e, "common_flags"));
	f->pid = place_of(tep_find_common_field(e, "common_pid"));
	for (int n = 0; n < FIELDS; n++) {
		if (!p->field[n])
			continue;
		f->field[n] = place_of(tep_find_field(e, p->field[n]));
		if (!f->field[n].size)
			return -ENOENT;
	}
	if (p->when == PROBED && (!join_halves(f, F_SRC6, F_SRC6_REST) ||
				  !join_halves(f, F_DST6, F_DST6_REST)))
		return -ENOENT;
	return f->flags.size && f->pid.size ? 0 : -ENOENT;
}

/* Not by tracefs_local_events_system(), which reads and sorts all symbols of the kernel as well. */
static int read_formats(struct tracefeed *t, const char *tracing)
{
	struct tep_handle *tep = tep_alloc();
	int rc = tep ? 0 : -ENOMEM;

	for (size_t i = 0; !rc && i < POINTS; i++) {
		t->format[i].id = -1;
		if (points[i].when != (t->probe ? TRACED : PROBED))
			rc = read_format(tep, tracing, &points[i], &t->format[i]);
	}
	tep_free(tep);
	return rc;
}

static int write_file(struct tracefeed *t, const char *name, const char *text)
{
	return tracefs_instance_file_write(t->instance, name, text) < 0 ? -errno : 0;
}

static int set_up(struct tracefeed *t, int64_t buffer_bytes)
{
	char size[32];
	int rc;

	snprintf(size, sizeof(size), "%lld", (long long)(buffer_bytes / 1024));
	rc = write_file(t, "buffer_size_kb", size);
	if (!rc)
		rc = write_file(t, "trace_clock", "mono");
	for (size_t i = 0; !rc && i < POINTS; i++) {
		if (t->format[i].id < 0)
			continue;
		if (points[i].filter && tracefs_event_file_write(t->instance, points[i].system,
								 points[i].name, "filter",
								 points[i].filter) < 0)
			rc = -errno;
		if (!rc && tracefs_event_file_write(t->instance, points[i].system, points[i].name,
						    "enable", "1") < 0)
			rc = -errno;
	}
	return rc;
}

static int open_bufs(struct tracefeed *t)
{
	long cpus = sysconf(_SC_NPROCESSORS_CONF);

	t->buf = calloc((size_t)cpus, sizeof(struct tracebuf *));
	if (!t->buf)
		return -ENOMEM;
	/* A processor that is not there has no buffer. */
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
	rc = read_formats(t, tracing);
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
	/* A buffer that is mapped keeps its size. */
	if (!rc)
		rc = set_up(t, buffer_bytes);
	if (!rc)
		rc = open_bufs(t);
	return rc;
}

/* What a trial connection looks like in the trace. */
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

/* The probe says of connections of our own what they are; of a family that cannot connect here it
 * cannot be told, and is not believed. */
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
			t->only_four = true;
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
	if (rc == -ENOENT)
		return tracefeed_open_probe(buffer_bytes, &traceprobe_connect, true, out);
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
	for (size_t i = 0; i < POINTS; i++)
		if (points[i].kind == TRACE_EXECS)
			return t->format[i].id >= 0;
	return false;
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
	if (t->instance) {
		tracefs_instance_file_write(t->instance, "events/enable", "0");
		tracefs_instance_destroy(t->instance);
		tracefs_instance_free(t->instance);
	}
	if (t->probe)
		traceprobe_remove(t->probe, tracefs_tracing_dir());
	free(t);
}

/* An unsigned number of the kernel's own byte order; 0 where it lies outside the record. */
static uint64_t number(const uint8_t *data, int size, struct place p)
{
	uint8_t one;
	uint16_t two;
	uint32_t four;
	uint64_t eight;

	if (p.offset < 0 || p.size <= 0 || p.offset + p.size > size)
		return 0;
	switch (p.size) {
	case 1:
		memcpy(&one, data + p.offset, 1);
		return one;
	case 2:
		memcpy(&two, data + p.offset, 2);
		return two;
	case 4:
		memcpy(&four, data + p.offset, 4);
		return four;
	case 8:
		memcpy(&eight, data + p.offset, 8);
		return eight;
	default:
		return 0;
	}
}

static void address(struct endpoint *e, const uint8_t *data, int size, int family, struct place p)
{
	size_t len = family == AF_INET ? 4 : 16;

	memset(&e->addr, 0, sizeof(e->addr));
	if ((size_t)p.size != len || p.offset + p.size > size)
		return;
	e->addr.family = (uint8_t)family;
	memcpy(e->addr.bytes, data + p.offset, len);
	address_unmap(&e->addr);
}

/* A string that lies elsewhere in the record: offset and length in one word (__data_loc). */
static const char *add_name(struct tracefeed *t, const uint8_t *data, int size, struct place p)
{
	uint64_t loc = number(data, size, p);
	size_t at = loc & 0xffff, len = loc >> 16;
	char *to = t->names + t->named;

	/* One that is too long is none: a part of a path would be another program's. */
	if (at + len > (size_t)size || len > NAME_CHARS || !len)
		return "";
	memcpy(to, data + at, len);
	to[len - 1] = '\0';
	t->named += len;
	return to;
}

/* The probe stands where a socket goes from TCP_CLOSE to TCP_SYN_SENT.  No interrupt connects; that it
 * comes by a breakpoint makes it look like one (irqentry_nmi_enter()). */
static bool complete_probe(const struct tracefeed *t, struct trace_event *e)
{
	if (e->family != AF_INET && (e->family != AF_INET6 || t->only_four))
		return false;
	e->interrupt = false;
	e->protocol = IPPROTO_TCP;
	e->old_state = TCP_CLOSE;
	e->new_state = TCP_SYN_SENT;
	e->dst.port = ntohs((uint16_t)e->dst.port);
	return true;
}

static void decode(struct tracefeed *t, size_t point, const uint8_t *data, int size, int64_t time_ns)
{
	const struct format *f = &t->format[point];
	const struct point *p = &points[point];
	struct trace_event *e = &t->batch[t->count];
	int family = p->family;

	*e = (struct trace_event){
		.kind = p->kind, .time_ns = time_ns, .order = t->count,
		.tid = (int32_t)number(data, size, f->pid),
		.interrupt = number(data, size, f->flags) & INTERRUPT_FLAGS,
		.other = (int32_t)number(data, size, f->field[F_CHILD]),
		.thread = number(data, size, f->field[F_CLONE]) & CLONE_THREAD_FLAG,
		.protocol = (int)number(data, size, f->field[F_PROTOCOL]),
		.src.port = (int32_t)number(data, size, f->field[F_SPORT]),
		.dst.port = (int32_t)number(data, size, f->field[F_DPORT]),
		.socket = number(data, size, f->field[F_SOCKET]),
		.old_state = (int)number(data, size, f->field[F_OLD]),
		.new_state = (int)number(data, size, f->field[F_NEW]),
		.family = (int)number(data, size, f->field[F_FAMILY]),
		.result = (int32_t)number(data, size, f->field[F_RESULT]),
	};
	if (p->kind == TRACE_EXEC)
		e->name = add_name(t, data, size, f->field[F_NAME]);
	if (p->kind == TRACE_STATE)
		family = e->family;
	if (p->kind == TRACE_LOOKUP || p->kind == TRACE_STATE) {
		bool six = p->kind == TRACE_STATE && family == AF_INET6;

		address(&e->src, data, size, family, f->field[six ? F_SRC6 : F_SRC]);
		address(&e->dst, data, size, family, f->field[six ? F_DST6 : F_DST]);
	}
	if (p->when == PROBED && !complete_probe(t, e))
		return;
	t->count++;
	t->events++;
}

static int by_time(const void *a, const void *b)
{
	const struct trace_event *x = a, *y = b;

	if (x->time_ns != y->time_ns)
		return x->time_ns < y->time_ns ? -1 : 1;
	return (x->order > y->order) - (x->order < y->order);
}

static void show(struct tracefeed *t, void (*each)(const struct trace_event *e, void *arg), void *arg)
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

static void take_record(struct tracefeed *t, const uint8_t *data, int size, int64_t time_ns)
{
	uint16_t id;

	if (size < (int)sizeof(id))
		return;
	memcpy(&id, data, sizeof(id));	/* common_type, the first of every record */
	for (size_t i = 0; i < POINTS; i++) {
		if (t->format[i].id != id)
			continue;
		decode(t, i, data, size, time_ns);
		return;
	}
}

static uint32_t word_at(const uint8_t *at)
{
	uint32_t word;

	memcpy(&word, at, sizeof(word));
	return word;
}

/*
 * What an event of a page takes, of at most `left` bytes; 0: it does not fit.  Its head is a word of
 * type and time; type 0 has its length, itself included, in the next word, padding its own without,
 * a time another word; all else is the length in words (linux/ring_buffer.h).
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
 * kbuffer believes every length.  A page that is not whole in itself would lead it out of the page,
 * or round and round in it.
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
	/* How many are missing stands behind the last event. */
	if ((commit & TRACEBUF_LOST_STORED) && len - head - size < sizeof(long))
		return false;
	for (size_t at = 0, bytes; at < size; at += bytes) {
		bytes = event_bytes(t, page + head + at, size - at);
		if (!bytes)
			return false;
	}
	return true;
}

void tracefeed_page(struct tracefeed *t, void *page, size_t len,
		    void (*each)(const struct trace_event *e, void *arg), void *arg)
{
	unsigned long long time_ns;
	void *data;

	if (!is_whole(t, page, len) || kbuffer_load_subbuffer(t->kbuf, page)) {
		t->overruns++;		/* what it had is lost */
		return;
	}
	if (kbuffer_missed_events(t->kbuf))
		t->overruns++;
	for (data = kbuffer_read_event(t->kbuf, &time_ns); data;
	     data = kbuffer_next_event(t->kbuf, &time_ns)) {
		if (t->count == BATCH || t->named + NAME_CHARS > NAMES_CHARS)
			show(t, each, arg);
		take_record(t, data, kbuffer_event_size(t->kbuf), (int64_t)time_ns);
	}
}

/* What there is of one processor, a page or a part of it; false where there is nothing. */
static bool take(struct tracefeed *t, struct tracebuf *b,
		 void (*each)(const struct trace_event *e, void *arg), void *arg)
{
	size_t len = tracebuf_take(b, t->page);

	if (!len)
		return false;
	tracefeed_page(t, t->page, len, each, arg);
	tracebuf_taken(b, kbuffer_timestamp(t->kbuf));
	return true;
}

void tracefeed_drain(struct tracefeed *t, void (*each)(const struct trace_event *e, void *arg),
		   void *arg)
{
	for (int i = 0; i < t->bufs; i++) {
		int pages = 0;

		while (pages < PAGES_MAX && take(t, t->buf[i], each, arg))
			pages++;
		t->overruns += pages == PAGES_MAX;
	}
	show(t, each, arg);
}

int64_t tracefeed_overruns(const struct tracefeed *t)
{
	return t->overruns;
}

int64_t tracefeed_events(const struct tracefeed *t)
{
	return t->events;
}
