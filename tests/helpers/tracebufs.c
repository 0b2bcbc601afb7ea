/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A processor's trace buffer, mapped and read, with numbered markers: each one that is not reported
 * as lost comes once, in order, with the time when it was written.  As root.
 */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <kbuffer.h>
#include <tracefs.h>

#include "clock.h"
#include "tap.h"
#include "tracebuf.h"

#define BUFFER_KB "16"
/* A marker's fields before its text: type, flags, preemption and pid, and where it was written. */
#define MARKER_HEAD (sizeof(uint64_t) + sizeof(long))
#define MARKER_BYTES_MAX 1500

static struct tracefs_instance *instance;
static struct kbuffer *kbuf;
static int marker;

/* What has come out of a buffer. */
struct seen {
	long count, last;	/* the number of the last marker */
	bool ordered;		/* each the one behind the last, but where some were lost */
	bool dated;		/* not before the last */
	uint64_t last_ns;
	int lost;
	bool gaps;		/* some may be missing untold */
};

static int write_marker(long number, size_t bytes)
{
	char text[MARKER_BYTES_MAX + 1];

	memset(text, '.', sizeof(text));
	text[snprintf(text, sizeof(text), "%ld ", number)] = '.';
	return write(marker, text, bytes < 16 ? 16 : bytes) < 0;
}

static void on_marker(struct seen *s, const char *data, int size, uint64_t ns, bool after_loss)
{
	long number = size > (int)MARKER_HEAD ? strtol(data + MARKER_HEAD, NULL, 10) : -1;

	s->ordered &= after_loss || s->gaps ? number > s->last : number == s->last + 1;
	s->dated &= ns >= s->last_ns;
	s->last = number;
	s->last_ns = ns;
	s->count++;
}

static bool take(struct tracebuf *b, struct seen *s)
{
	static char page[TRACEBUF_BYTES_MAX] __attribute__((aligned(8)));
	unsigned long long ns;
	bool lost;

	if (!tracebuf_take(b, page))
		return false;
	kbuffer_load_subbuffer(kbuf, page);
	lost = kbuffer_missed_events(kbuf) != 0;
	s->lost += lost;
	for (void *data = kbuffer_read_event(kbuf, &ns); data; data =
	     kbuffer_next_event(kbuf, &ns)) {
		on_marker(s, data, kbuffer_event_size(kbuf), ns, lost);
		lost = false;
	}
	tracebuf_taken(b, kbuffer_timestamp(kbuf));
	return true;
}

static void take_all(struct tracebuf *b, struct seen *s)
{
	while (take(b, s))
		;
}

static void empty(void)
{
	int fd = tracefs_instance_file_open(instance, "trace", O_WRONLY | O_TRUNC);

	if (fd >= 0)
		close(fd);
}

static struct tracebuf *open_buffer(bool may_map, const char *how)
{
	struct tracebuf *b;

	empty();
	if (tracebuf_open(instance, 0, may_map, &b)) {
		tap_ok(false, "%s: cannot be opened", how);
		return NULL;
	}
	if (may_map && !tracebuf_is_mapped(b))
		tap_note("this kernel maps no trace buffers: they are read here as well");
	return b;
}

static void test_each(struct tracebuf *b, const char *how)
{
	struct seen s = { .ordered = true, .dated = true };
	bool each = true, at_once = true;
	int64_t from_ns;
	int waiting = 0;

	for (long n = 1; n <= 5000; n++) {
		from_ns = clock_mono_ns();
		write_marker(n, (size_t)random() % MARKER_BYTES_MAX);
		/* Never more at once than there is room for. */
		if (random() % 3 && ++waiting < 6)
			continue;
		waiting = 0;
		take_all(b, &s);
		each &= s.last == n;
		at_once &= (int64_t)s.last_ns >= from_ns && (int64_t)s.last_ns <= clock_mono_ns();
	}
	take_all(b, &s);
	tap_ok(each && s.count == 5000 && s.ordered &&
	       !s.lost, "%s: every marker comes, as soon as it is written", how);
	tap_ok(s.dated && at_once, "%s: with the time when it was written", how);
	take_all(b, &s);
	tap_ok(s.count == 5000, "%s: and none comes twice", how);
}

static void test_lost(struct tracebuf *b, const char *how)
{
	struct seen s = { .ordered = true, .dated = true };

	for (long n = 1; n <= 1000; n++)
		write_marker(n, 200);
	take_all(b, &s);
	tap_ok(s.lost == 1 && s.count < 1000 && s.last == 1000 && s.ordered && s.dated,
	       "%s: of a buffer that was full the newest come, and it is told that others are lost",
	       how);
	for (long n = 1001; n <= 1010; n++)
		write_marker(n, 200);
	take_all(b, &s);
	tap_ok(s.lost == 1 && s.last == 1010 && s.ordered, "%s: and then no more are", how);
}

static void test_emptied(struct tracebuf *b, const char *how)
{
	struct seen s = { .ordered = true, .dated = true };
	bool whole = true;

	for (int i = 0; i < 50; i++) {
		s.last = 0;
		for (long n = 1; n <= 1 + i % 5; n++)
			write_marker(n, 40);
		take_all(b, &s);
		whole &= s.last == 1 + i % 5 && s.ordered;
		empty();
	}
	tap_ok(whole, "%s: what is written after it was emptied comes", how);
}

struct writing {
	atomic_bool ending;
	atomic_long written;
};

static void *write_on(void *arg)
{
	struct writing *w = arg;
	cpu_set_t first;
	long n = 0;

	CPU_ZERO(&first);
	CPU_SET(0, &first);
	sched_setaffinity(0, sizeof(first), &first);
	while (!atomic_load(&w->ending)) {
		/* Never more at once than there is room for. */
		for (int i = (int)(random() % 6); i >= 0; i--)
			write_marker(++n, (size_t)random() % 300);
		atomic_store(&w->written, n);
		if (random() % 4)
			usleep((useconds_t)(random() % 200));
	}
	return NULL;
}

/*
 * Another processor writes meanwhile: everything written before the read must be there, except for
 * the gap that tracebuf.h describes.
 */
static void test_beside(struct tracebuf *b, const char *how)
{
	struct writing w = { false };
	struct seen s = { .ordered = true, .dated = true, .gaps = !tracebuf_is_mapped(b) };
	int64_t until_ns = clock_mono_ns() + 1000000000;
	bool there = true;
	cpu_set_t others;
	pthread_t thread;

	CPU_ZERO(&others);
	for (int cpu = 1; cpu < CPU_SETSIZE; cpu++)
		CPU_SET(cpu, &others);
	sched_setaffinity(0, sizeof(others), &others);
	if (pthread_create(&thread, NULL, write_on, &w))
		return;
	while (clock_mono_ns() < until_ns) {
		long written = atomic_load(&w.written);

		take_all(b, &s);
		there &= s.gaps || s.last >= written;
	}
	atomic_store(&w.ending, true);
	pthread_join(thread, NULL);
	take_all(b, &s);
	tap_ok(there && s.ordered && s.dated && s.count > 100 &&
	       s.last == atomic_load(&w.written) && (s.lost || s.gaps || s.count == s.last),
	       "%s: while another processor writes, what was written before comes", how);
	tap_note("%s: %ld of %ld markers, told to be lost %d times", how, s.count, s.last, s.lost);
}

static void test_all(bool may_map, const char *how)
{
	static void (*const tests[])(struct tracebuf *b, const char *how) = {
		test_each, test_lost, test_emptied, test_beside,
	};
	cpu_set_t first;

	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		struct tracebuf *b = open_buffer(may_map, how);

		CPU_ZERO(&first);
		CPU_SET(0, &first);
		sched_setaffinity(0, sizeof(first), &first);
		if (b)
			tests[i](b, how);
		tracebuf_close(b);
	}
}

int main(void)
{
	union { uint16_t word; uint8_t bytes[2]; } endian = { .word = 1 };
	char name[64];

	snprintf(name, sizeof(name), "sockledger-test.%d", (int)getpid());
	instance = tracefs_instance_create(name);
	kbuf = kbuffer_alloc(sizeof(long) == 8 ? KBUFFER_LSIZE_8 : KBUFFER_LSIZE_4,
			     endian.bytes[0] ? KBUFFER_ENDIAN_LITTLE : KBUFFER_ENDIAN_BIG);
	if (!instance || !kbuf || tracefs_instance_file_write(instance, "buffer_size_kb",
							      BUFFER_KB) < 0 ||
	    tracefs_instance_file_write(instance, "trace_clock", "mono") < 0) {
		puts("1..0 # SKIP no trace here");
		return 0;
	}
	marker = tracefs_instance_file_open(instance, "trace_marker", O_WRONLY);
	srandom(5);
	test_all(true, "mapped");
	test_all(false, "read");
	close(marker);
	tracefs_instance_destroy(instance);
	tracefs_instance_free(instance);
	kbuffer_free(kbuf);
	return tap_done();
}
