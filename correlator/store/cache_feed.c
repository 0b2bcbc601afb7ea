/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The cache's rows, read by a thread of its own.
 *
 *   cache --cache_tail_poll()--> on_*() --ring--> cache_feed_take() --> ops
 *           (this thread)                      (the main thread)
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "clock.h"
#include "cache_tail.h"
#include "event.h"
#include "cache_feed.h"
#include "ring.h"
#include "wake.h"

#define RING_BYTES ((size_t)512 * 1024)
/* An event with the longest possible texts; the plugin cuts the fields of a record far below
 * that. */
#define ITEM_BYTES_MAX ((size_t)64 * 1024)
#define LAST_FOLLOW_NS 5000000000LL
#define GATHER_MS 2

enum item_kind { ITEM_BEGIN, ITEM_EVENT, ITEM_REPLAY, ITEM_FOLLOWED, ITEM_MISSED, ITEM_END };

struct item {
	enum item_kind kind;
	int rc;
	uint64_t seq;
	int64_t rows;
	char generation[40];
	struct event event;	/* last: its texts lie behind it */
};

struct cache_feed {
	const struct cache_feed_ops *ops;
	void *arg;
	struct cache_tail *tail;
	struct ring *ring;
	pthread_t thread;
	int finish;			/* an eventfd, readable from cache_feed_finish() on */
	_Atomic int64_t give_up_ns;	/* 0: run */
	int wake;			/* an eventfd: a packet waits for a row */
	atomic_bool urgent;
	atomic_bool written;
	bool once, ended;
	int rc;
};

/* Waits for room in the ring.  NULL: the time to end came first. */
static struct item *reserve(struct cache_feed *r, enum item_kind kind, size_t extra)
{
	struct item *item;

	while (!(item = ring_reserve(r->ring, sizeof(*item) + extra))) {
		int64_t give_up = atomic_load(&r->give_up_ns);

		if (give_up && clock_mono_ns() > give_up && kind != ITEM_END)
			return NULL;
		ring_notify_waiter(r->ring);
		poll(NULL, 0, 1);
	}
	item->kind = kind;
	return item;
}

static void on_event(void *arg, const struct event *e, bool replay)
{
	struct cache_feed *r = arg;
	size_t size = event_pack_size(e);
	struct item *item;

	if (size > ITEM_BYTES_MAX)
		return;		/* the plugin writes no such row; another program must have */
	item = reserve(r, replay ? ITEM_REPLAY : ITEM_EVENT, size - sizeof(*e));
	if (!item)
		return;
	event_pack(e, &item->event);
	/* Waking the main thread for each row costs more than what it then does with the row. */
	if (atomic_load_explicit(&r->urgent, memory_order_relaxed))
		ring_publish(r->ring);
	else
		ring_publish_batched(r->ring);
}

static int64_t on_position(void *arg, const char *generation)
{
	struct cache_feed *r = arg;
	int64_t seq = r->ops->position(r->arg, generation);
	struct item *item = seq < 0 ? NULL : reserve(r, ITEM_BEGIN, 0);

	if (item) {
		item->seq = (uint64_t)seq;
		snprintf(item->generation, sizeof(item->generation), "%s", generation);
		ring_publish(r->ring);
	}
	return seq;
}

static void on_followed(void *arg, uint64_t seq)
{
	struct cache_feed *r = arg;
	struct item *item = reserve(r, ITEM_FOLLOWED, 0);

	if (!item)
		return;
	item->seq = seq;
	ring_publish(r->ring);
}

static void on_missed(void *arg, int64_t rows)
{
	struct cache_feed *r = arg;
	struct item *item = reserve(r, ITEM_MISSED, 0);

	if (!item)
		return;
	item->rows = rows;
	ring_publish(r->ring);
}

static void on_written(void *arg, bool written)
{
	struct cache_feed *r = arg;

	atomic_store(&r->written, written);
}

static const struct cache_tail_ops cache_tail_ops = {
	.position = on_position, .event = on_event, .followed = on_followed, .missed = on_missed,
	.written = on_written,
};

/* Waits a moment, so that rows come together, unless a packet waits for one. */
static void gather(struct cache_feed *r)
{
	struct pollfd fds[] = {
		{ .fd = r->finish, .events = POLLIN }, { .fd = r->wake, .events = POLLIN },
	};

	if (!atomic_load(&r->urgent))
		poll(fds, 2, GATHER_MS);
	if (fds[1].revents)
		wake_hear(r->wake);
}

void cache_feed_set_urgent(struct cache_feed *r, bool urgent)
{
	if (atomic_exchange(&r->urgent, urgent) != urgent && urgent)
		wake_tell(r->wake);
}

static void *cache_feed_main(void *arg)
{
	struct cache_feed *r = arg;
	struct pollfd fds[] = {
		{ .fd = cache_tail_fd(r->tail), .events = POLLIN },
		{ .fd = r->finish, .events = POLLIN },
	};
	struct item *item;
	int more;

	do {
		more = cache_tail_poll(r->tail);
		ring_notify_waiter(r->ring);
		if (r->once && more <= 0)
			break;
		if (more > 0)
			continue;
		poll(fds, 2, cache_tail_timeout_ms(r->tail));
		gather(r);
	} while (!atomic_load(&r->give_up_ns));
	/* Read what was committed before the end, if that does not take too long. */
	while (!r->once && (more = cache_tail_poll(r->tail)) > 0 &&
	       clock_mono_ns() < atomic_load(&r->give_up_ns))
		;
	item = reserve(r, ITEM_END, 0);
	item->rc = r->once ? more : 0;
	ring_publish(r->ring);
	return NULL;
}

struct cache_feed *cache_feed_start(const char *cache_path, bool once,
				    const struct cache_feed_ops *ops, void *arg)
{
	struct cache_feed *r = calloc(1, sizeof(*r));
	int rc = ENOMEM;

	if (!r)
		return NULL;
	r->ops = ops;
	r->arg = arg;
	r->once = once;
	r->finish = wake_open();
	r->wake = wake_open();
	r->ring = ring_new(RING_BYTES);
	r->tail = cache_tail_new(cache_path, &cache_tail_ops, r);
	if (r->finish >= 0 && r->wake >= 0 && r->ring && r->tail)
		rc = pthread_create(&r->thread, NULL, cache_feed_main, r);
	if (!rc)
		return r;
	ring_free(r->ring);
	cache_tail_free(r->tail);
	if (r->finish >= 0)
		close(r->finish);
	if (r->wake >= 0)
		close(r->wake);
	free(r);
	errno = rc;
	return NULL;
}

static void end_by(struct cache_feed *r, int64_t give_up_ns)
{
	atomic_store(&r->give_up_ns, give_up_ns);
	wake_tell(r->finish);
}

void cache_feed_finish(struct cache_feed *r)
{
	end_by(r, clock_mono_ns() + LAST_FOLLOW_NS);
}

void cache_feed_free(struct cache_feed *r)
{
	if (!r)
		return;
	/* Without cache_feed_finish() before, the remaining rows are not wanted. */
	end_by(r, 1);
	while (!r->ended) {
		ring_wait(r->ring, 10);
		for (struct item *item; (item = ring_take(r->ring, NULL)) != NULL;)
			r->ended |= item->kind == ITEM_END;
		ring_release(r->ring);
	}
	pthread_join(r->thread, NULL);
	ring_free(r->ring);
	cache_tail_free(r->tail);
	close(r->finish);
	close(r->wake);
	free(r);
}

static void show_item(struct cache_feed *r, const struct item *item)
{
	switch (item->kind) {
	case ITEM_BEGIN:
		r->ops->begin(r->arg, item->generation, item->seq);
		break;
	case ITEM_EVENT:
	case ITEM_REPLAY:
		r->ops->event(r->arg, &item->event, item->kind == ITEM_REPLAY);
		break;
	case ITEM_FOLLOWED:
		r->ops->followed(r->arg, item->seq);
		break;
	case ITEM_MISSED:
		r->ops->missed(r->arg, item->rows);
		break;
	case ITEM_END:
		r->ended = true;
		r->rc = item->rc;
		break;
	}
}

int cache_feed_take(struct cache_feed *r, int most)
{
	const struct item *item;
	int count = 0;

	while (count < most && (item = ring_take(r->ring, NULL)) != NULL) {
		show_item(r, item);
		count++;
	}
	ring_release(r->ring);
	return count;
}

const atomic_bool *cache_feed_written(const struct cache_feed *r)
{
	return &r->written;
}

bool cache_feed_ended(const struct cache_feed *r, int *rc)
{
	*rc = r->rc;
	return r->ended;
}

int cache_feed_fd(const struct cache_feed *r)
{
	return ring_fd(r->ring);
}

bool cache_feed_prepare_wait(struct cache_feed *r)
{
	return ring_prepare_wait(r->ring);
}

void cache_feed_finish_wait(struct cache_feed *r, bool readable)
{
	ring_finish_wait(r->ring, readable);
}
