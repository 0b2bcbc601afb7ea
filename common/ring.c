/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A bounded queue of variable-sized records between two threads.
 *
 *   release        take          head            (offsets that only grow; modulo size: place)
 *      |--- taken ---|--- published ---|--- free ... up to release + size
 *
 *   I1  release <= take <= head <= release + size.
 *   I2  head is written by the producer alone, take and release by the consumer alone.
 *   I3  A record does not wrap: one that would is preceded by a filler up to the end.
 *   I4  When all is released the producer may give the pages back to the kernel, because they
 *       hold nothing and only the producer writes to them.  So a program that was busy once does
 *       not stay large.
 *   I5  The consumer lets the kernel prepare the next few pages before the producer reaches them,
 *       so that the producer does not wait for that.  These pages are not given back.
 */
#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ring.h"
#include "wake.h"

struct header {
	uint32_t size;		/* of header and record, multiple of ALIGN */
	uint32_t len;		/* of the record; FILLER: none, go on behind it */
};

#ifndef MADV_POPULATE_WRITE	/* Linux 5.14 */
#define MADV_POPULATE_WRITE 23
#endif
#define ALIGN 8u
#define FILLER UINT32_MAX
#define PAGE 4096u
/* I4: give back after this many bytes have passed through. */
#define GIVE_BACK_BYTES ((uint64_t)1024 * 1024)
/* I5: this far ahead; a ring of less than four times that is left alone. */
#define AHEAD_BYTES ((size_t)64 * 1024)

struct ring {
	char *base;
	size_t size;
	int event;		/* the consumer sleeps on this */
	uint64_t reserved;	/* producer: where the record being made begins */
	uint64_t reserved_end;
	uint64_t given_back;	/* producer: the head when pages were given back */
	uint64_t take;		/* consumer */
	uint64_t prepared;	/* consumer: pages are prepared up to here */
	_Atomic uint64_t head;
	_Atomic uint64_t release;
	atomic_bool sleeping;
};

struct ring *ring_new(size_t bytes)
{
	struct ring *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->size = (bytes + PAGE - 1) / PAGE * PAGE;
	if (r->size < (size_t)2 * PAGE)
		r->size = (size_t)2 * PAGE;
	r->base = mmap(NULL, r->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	r->event = wake_open();
	if (r->base == MAP_FAILED || r->event < 0) {
		int error = errno;

		if (r->base == MAP_FAILED)
			r->base = NULL;
		ring_free(r);
		errno = error;
		return NULL;
	}
	return r;
}

void ring_free(struct ring *r)
{
	if (!r)
		return;
	if (r->base)
		munmap(r->base, r->size);
	if (r->event >= 0)
		close(r->event);
	free(r);
}

static struct header *at(const struct ring *r, uint64_t offset)
{
	return (struct header *)(r->base + offset % r->size);
}

bool ring_fits(const struct ring *r, size_t len)
{
	/* Half of the ring: behind a filler (I3) a larger record might never find a place. */
	return len <= r->size / 2 - sizeof(struct header) - ALIGN;
}

/* madvise() for the pages from one offset to another, which is at most once around. */
static void advise(const struct ring *r, uint64_t from, uint64_t to, int advice)
{
	from = from / PAGE * PAGE;
	while (from < to) {
		size_t place = from % r->size, len = (size_t)((to - from + PAGE - 1) / PAGE * PAGE);

		if (len > r->size - place)
			len = r->size - place;
		/* On a kernel without this advice the pages come one by one as the producer
		 * writes. */
		madvise(r->base + place, len, advice);
		from += len;
	}
}

static void give_back(struct ring *r, uint64_t head)
{
	uint64_t ahead = r->size < 4 * AHEAD_BYTES ? 0 : AHEAD_BYTES;

	/* Leave out the page that the producer writes to. */
	if (ahead)
		advise(r, head + ahead + PAGE, head + r->size - PAGE, MADV_DONTNEED);
	else
		madvise(r->base, r->size, MADV_DONTNEED);
	r->given_back = head;
}

static void prepare(struct ring *r, uint64_t head)
{
	if (r->size < 4 * AHEAD_BYTES || head + AHEAD_BYTES / 2 <= r->prepared)
		return;
	advise(r, r->prepared > head ? r->prepared : head, head + AHEAD_BYTES, MADV_POPULATE_WRITE);
	r->prepared = head + AHEAD_BYTES;
}

void *ring_reserve(struct ring *r, size_t len)
{
	uint64_t head = atomic_load_explicit(&r->head, memory_order_relaxed);
	uint64_t release = atomic_load_explicit(&r->release, memory_order_acquire);
	size_t need, tail = r->size - head % r->size;
	bool skip;

	if (!ring_fits(r, len))
		return NULL;
	if (release == head && head - r->given_back > GIVE_BACK_BYTES)
		give_back(r, head);
	need = (sizeof(struct header) + len + ALIGN - 1) / ALIGN * ALIGN;
	skip = need > tail;
	if (head + (skip ? tail : 0) + need > release + r->size)
		return NULL;
	if (skip) {
		*at(r, head) = (struct header){ .size = (uint32_t)tail, .len = FILLER };
		head += tail;
	}
	*at(r, head) = (struct header){ .size = (uint32_t)need, .len = (uint32_t)len };
	r->reserved = head;
	r->reserved_end = head + need;
	return at(r, head) + 1;
}

void ring_notify(struct ring *r)
{
	wake_tell(r->event);
}

void ring_publish_batched(struct ring *r)
{
	atomic_store(&r->head, r->reserved_end);
}

void ring_notify_waiter(struct ring *r)
{
	/* Sequentially consistent on both sides: either we see the flag, or it sees the head. */
	if (atomic_load(&r->sleeping))
		ring_notify(r);
}

void ring_publish(struct ring *r)
{
	ring_publish_batched(r);
	ring_notify_waiter(r);
}

void *ring_take(struct ring *r, size_t *len)
{
	uint64_t head = atomic_load_explicit(&r->head, memory_order_acquire);

	while (r->take != head) {
		struct header *h = at(r, r->take);

		r->take += h->size;
		if (h->len == FILLER)
			continue;
		if (len)
			*len = h->len;
		return h + 1;
	}
	return NULL;
}

void ring_release(struct ring *r)
{
	atomic_store_explicit(&r->release, r->take, memory_order_release);
	prepare(r, atomic_load_explicit(&r->head, memory_order_relaxed));
}

void ring_rewind(struct ring *r)
{
	r->take = atomic_load_explicit(&r->release, memory_order_relaxed);
}

bool ring_empty(const struct ring *r)
{
	return atomic_load(&r->head) == atomic_load(&r->release);
}

int ring_fd(const struct ring *r)
{
	return r->event;
}

bool ring_prepare_wait(struct ring *r)
{
	atomic_store(&r->sleeping, true);
	return atomic_load(&r->head) == r->take;
}

void ring_finish_wait(struct ring *r, bool readable)
{
	atomic_store(&r->sleeping, false);
	if (readable)
		wake_hear(r->event);
}

void ring_wait(struct ring *r, int timeout_ms)
{
	struct pollfd fd = { .fd = r->event, .events = POLLIN };

	if (ring_prepare_wait(r))
		poll(&fd, 1, timeout_ms);
	ring_finish_wait(r, true);
}
