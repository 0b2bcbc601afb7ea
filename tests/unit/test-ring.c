/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ring against a simple queue, and between two threads. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "clock.h"
#include "ring.h"
#include "scratch.h"
#include "tap.h"

#define RING_BYTES 8192

static void test_simple(void)
{
	struct ring *r = ring_new(1);
	size_t len = 0;
	char *a, *b;
	int fits = 0;

	tap_ok(r && ring_empty(r) && !ring_take(r, NULL), "a new ring is empty");
	a = ring_reserve(r, 5);
	tap_ok(a && (uintptr_t)a % sizeof(void *) == 0, "room is aligned for a pointer");
	memcpy(a, "hello", 5);
	tap_ok(ring_empty(r) && !ring_take(r, NULL), "nothing is seen before it is published");
	ring_publish(r);
	tap_ok(!ring_empty(r), "then it is there");
	b = ring_take(r, &len);
	tap_ok(b && len == 5 && !memcmp(b, "hello", 5), "and is taken as it was made");
	tap_ok(!ring_take(r, NULL) && !ring_empty(r), "taken once, and in the ring until released");
	ring_rewind(r);
	tap_ok(ring_take(r, NULL) == b, "after a rewind it comes again, in its place");
	ring_release(r);
	tap_ok(ring_empty(r), "released, it is gone");
	ring_rewind(r);
	tap_ok(!ring_take(r, NULL), "and does not come again");
	tap_ok(!ring_reserve(r, RING_BYTES) && !ring_reserve(r, SIZE_MAX),
	       "what can never fit is refused");
	a = ring_reserve(r, 0);
	ring_publish(r);
	tap_ok(a && ring_take(r, &len) && len == 0, "a record of nothing is one");
	ring_release(r);
	while ((a = ring_reserve(r, 1000)) != NULL) {
		memset(a, fits++, 1000);
		ring_publish(r);
	}
	tap_ok(fits == 8, "8192 bytes hold eight records of 1000");
	ring_take(r, NULL);
	tap_ok(!ring_reserve(r, 1000), "what is taken still takes its room");
	ring_release(r);
	tap_ok(ring_reserve(r, 1000) != NULL, "what is released gives it back");
	ring_free(r);
	ring_free(NULL);
}

/* The model: numbers and lengths in an array; `released` <= `taken` <= `made`. */
#define MODEL 200000

static void fill(unsigned char *p, size_t len, uint32_t number)
{
	for (size_t i = 0; i < len; i++)
		p[i] = (unsigned char)(number * 31 + i);
}

static bool is_filled(const unsigned char *p, size_t len, uint32_t number)
{
	for (size_t i = 0; i < len; i++)
		if (p[i] != (unsigned char)(number * 31 + i))
			return false;
	return true;
}

static void test_model(size_t bytes)
{
	static uint32_t lengths[MODEL];
	struct ring *r = ring_new(bytes);
	uint32_t made = 0, taken = 0, released = 0, refused = 0;
	size_t held = 0, len;
	bool good = true;

	while (good && made < MODEL) {
		unsigned char *p;

		switch (scratch_random() % 8) {
		case 0:
			ring_release(r);
			while (released < taken)
				held -= lengths[released++];
			break;
		case 1:
			if (scratch_random() % 8)
				break;
			ring_rewind(r);
			taken = released;
			break;
		case 2:
		case 3:
		case 4:
			p = ring_take(r, &len);
			good = taken == made ? !p : p && len == lengths[taken] &&
						    is_filled(p, len, taken);
			taken += p != NULL;
			break;
		default:
			lengths[made] =
				(uint32_t)(scratch_random() % (scratch_random() % 16 ? 200 : 2000));
			p = ring_reserve(r, lengths[made]);
			if (!p) {
				refused++;
				/* No more than two records of the largest size can be lost to a
				 * wrap, and a header to each record. */
				good = held + (made - released) * 24 + lengths[made] + 2 * 2024 >
				       bytes;
				break;
			}
			fill(p, lengths[made], made);
			/* Now and then a record is begun and not published. */
			if (scratch_random() % 16 == 0)
				break;
			ring_publish(r);
			held += lengths[made++];
		}
		good = good && ring_empty(r) == (released == made);
	}
	if (!tap_ok(good && refused, "%zu bytes: %d records as a simple queue has them", bytes,
		    MODEL))
		tap_note("made %u, taken %u, released %u, refused %u", made, taken, released,
			 refused);
	ring_free(r);
}

struct shared {
	struct ring *ring;
	uint32_t wrong, seen;
	uint32_t total;
	atomic_bool done;
};

static void *consume(void *arg)
{
	struct shared *s = arg;
	unsigned int seed = 1;
	uint32_t kept = 0;

	for (;;) {
		bool done = atomic_load(&s->done);
		uint32_t number, at = kept;
		unsigned char *p;
		size_t len;

		while ((p = ring_take(s->ring, &len)) != NULL) {
			memcpy(&number, p, sizeof(number));
			s->wrong += number != at || !is_filled(p + 4, len - 4, number);
			at++;
		}
		/* One of eight batches fails and comes again. */
		seed = seed * 1103515245 + 12345;
		if (seed >> 16 & 7) {
			ring_release(s->ring);
			kept = at;
		} else {
			ring_rewind(s->ring);
		}
		if (done && ring_empty(s->ring))
			break;
		if (kept == at && !done)
			ring_wait(s->ring, 1000);
	}
	s->seen = kept;
	return NULL;
}

static void test_threads(size_t bytes, uint32_t total)
{
	struct shared s = { .ring = ring_new(bytes), .total = total };
	pthread_t thread;

	pthread_create(&thread, NULL, consume, &s);
	for (uint32_t i = 0; i < total; i++) {
		size_t len = 4 + scratch_random() % 300;
		unsigned char *p;

		while (!(p = ring_reserve(s.ring, len)))
			sched_yield();
		memcpy(p, &i, sizeof(i));
		fill(p + 4, len - 4, i);
		ring_publish(s.ring);
	}
	atomic_store(&s.done, true);
	ring_notify(s.ring);
	pthread_join(thread, NULL);
	if (!tap_ok(s.seen == total && !s.wrong,
		    "%zu bytes: %u records reach another thread in order", bytes, total))
		tap_note("seen %u, wrong %u", s.seen, s.wrong);
	ring_free(s.ring);
}

static void *publish_soon(void *arg)
{
	struct ring *r = arg;
	char path[64], stat[256];
	FILE *f;

	/* Until the main thread sleeps. */
	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", getpid());
	do {
		usleep(1000);
		f = fopen(path, "r");
		if (!f || !fgets(stat, sizeof(stat), f))
			abort();
		fclose(f);
	} while (!strstr(stat, ") S "));
	ring_reserve(r, 1);
	ring_publish(r);
	return NULL;
}

static void test_wait(void)
{
	struct ring *r = ring_new(RING_BYTES);
	int64_t began = clock_mono_ns(), took;
	pthread_t thread;

	ring_wait(r, 30);
	took = clock_mono_ns() - began;
	tap_ok(took >= 29000000 && took < 2000000000,
	       "an empty ring is waited for as long as is said");
	pthread_create(&thread, NULL, publish_soon, r);
	ring_wait(r, 20000);
	took = clock_mono_ns() - began;
	tap_ok(took < 10000000000 && ring_take(r, NULL), "a record ends the wait");
	pthread_join(thread, NULL);
	ring_release(r);
	ring_notify(r);
	began = clock_mono_ns();
	ring_wait(r, 20000);
	tap_ok(clock_mono_ns() - began < 10000000000, "a wake from before the wait is not lost");
	began = clock_mono_ns();
	ring_wait(r, 30);
	tap_ok(clock_mono_ns() - began >= 29000000, "and ends one wait alone");
	ring_free(r);
}

static bool is_readable(const struct ring *r)
{
	struct pollfd fd = { .fd = ring_fd(r), .events = POLLIN };

	return poll(&fd, 1, 0) == 1;
}

static void test_batched(void)
{
	struct ring *r = ring_new(RING_BYTES);
	bool waits = ring_prepare_wait(r);

	ring_reserve(r, 1);
	ring_publish_batched(r);
	tap_ok(waits && !is_readable(r) && ring_take(r, NULL),
	       "a record that is published quietly is there, and wakes no consumer");
	ring_finish_wait(r, false);
	ring_notify_waiter(r);
	tap_ok(!is_readable(r), "nor is a consumer nudged that is awake");
	waits = ring_prepare_wait(r);
	ring_reserve(r, 1);
	ring_publish_batched(r);
	ring_notify_waiter(r);
	tap_ok(waits && is_readable(r), "a nudge wakes a consumer that sleeps");
	ring_finish_wait(r, true);
	tap_ok(ring_take(r, NULL) && !is_readable(r), "once");
	ring_free(r);
}

#define PAGE 4096

static int resident(char *base, int pages)
{
	unsigned char there[256];
	int count = 0;

	if (pages > 256 || mincore(base, (size_t)pages * PAGE, there))
		abort();
	for (int i = 0; i < pages; i++)
		count += there[i] & 1;
	return count;
}

/* What was busy once does not stay large; a larger ring has some pages ready. */
static void test_memory(int pages)
{
	struct ring *r = ring_new((size_t)pages * PAGE);
	char *first = ring_reserve(r, 1000), *base = first - (uintptr_t)first % PAGE;
	int most = 0, fewest = pages, last;

	memset(first, 1, 1000);
	ring_publish(r);
	ring_take(r, NULL);
	ring_release(r);
	if (pages >= 64 && !madvise(base, PAGE, 23 /* MADV_POPULATE_WRITE */))
		tap_ok(resident(base, pages) >= 16 && resident(base, pages) < 20,
		       "the next pages are there before the producer comes to them");
	for (int i = 0; i < 2000; i++) {
		memset(ring_reserve(r, 1000), 1, 1000);
		ring_publish(r);
		ring_take(r, NULL);
		ring_release(r);
		last = resident(base, pages);
		most = last > most ? last : most;
		if (most == pages && last < fewest)
			fewest = last;
	}
	if (!tap_ok(most == pages && fewest <= (pages < 64 ? 2 : 20),
		    "after 1 MiB the %d pages of an empty ring are given back", pages))
		tap_note("at most %d, then at least %d", most, fewest);
	ring_free(r);
}

static void test_errors(void)
{
	struct rlimit limit, none;

	errno = 0;
	/* valgrind has no more memory to give than an address has bits, and says it otherwise. */
	if (!getenv("UNDER_VALGRIND"))
		tap_ok(!ring_new((size_t)1 << 60) && errno == ENOMEM, "no memory: why");
	getrlimit(RLIMIT_NOFILE, &limit);
	none = limit;
	none.rlim_cur = 0;
	setrlimit(RLIMIT_NOFILE, &none);
	errno = 0;
	tap_ok(!ring_new(RING_BYTES) && errno == EMFILE, "no descriptor: why");
	setrlimit(RLIMIT_NOFILE, &limit);
}

int main(int argc, char **argv)
{
	scratch_seed(argc, argv);
	test_simple();
	test_model(8192);
	test_model(300000);
	test_threads(8192, 100000);
	test_threads(256 * 1024, 300000);
	test_wait();
	test_batched();
	test_errors();
	test_memory(16);
	test_memory(128);
	return tap_done();
}
