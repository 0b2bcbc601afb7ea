/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A thread that commits what another one hands it. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "clock.h"
#include "committer.h"
#include "db.h"
#include "failures.h"
#include "log.h"
#include "ring.h"

#define BATCH_ITEMS 4096
/* A commit costs as much as some twenty rows, so gather for a moment when rows come fast. */
#define GATHER_FROM_ITEMS 16
#define GATHER_MS 2
#define TICK_MS 1000
#define DIRTY_MS 50		/* without an item, dirty counters wait this long */
#define RETRY_MS 5
#define COMPLAIN_NS 60000000000LL
/* How long a producer of PATIENCE_NONE waits for a store that makes progress. */
#define PATIENCE_NS 100000000LL

struct committer {
	const struct committer_ops *ops;
	void *store;
	struct ring *ring;
	pthread_t thread;
	_Atomic int64_t stop_by_ns;	/* 0: run */
	atomic_bool reopen;
	atomic_bool stalled;		/* the last try failed, or takes too long */
	bool opened, opened_once;
	int interrupt;			/* readable: the program shall end */
	int error;			/* of the last try; 0: it went well */
	int64_t complained_ns, ticked_ns;
};

static void complain(struct committer *c, int error)
{
	int64_t now = clock_mono_ns();

	if (c->error == error && now - c->complained_ns < COMPLAIN_NS)
		return;
	c->complained_ns = now;
	log_warn("cannot write the %s '%s': %s; what comes waits in memory", c->ops->what,
		 c->ops->path(c->store), db_strerror(error));
}

/* What was put in the place of a database that was open before is no slip in the configuration,
 * which names that place. */
static bool is_useless(const struct committer *c, int rc)
{
	FAILS(STORE_FOREIGN);
	return rc == -EUCLEAN || (c->opened_once && (rc == -EMEDIUMTYPE || rc == -EPROTO));
}

static int open_store(struct committer *c)
{
	int rc = c->ops->open(c->store);

	if (is_useless(c, rc)) {
		FAILS(STORE_DAMAGED);
		log_warn("%s '%s' is %s: set aside, a new one is begun", c->ops->what,
			 c->ops->path(c->store), db_strerror(rc));
		c->ops->set_aside(c->store);
		rc = c->ops->open(c->store);
	}
	c->opened = !rc;
	c->opened_once |= c->opened;
	return rc;
}

static void close_store(struct committer *c)
{
	c->ops->close(c->store);
	c->opened = false;
}

/* Writing to a removed file does not fail, and yet what is written is lost. */
static void leave_file(struct committer *c)
{
	FAILS(STORE_MOVED);
	log_warn("%s '%s' was removed or replaced: begun again", c->ops->what,
		 c->ops->path(c->store));
	close_store(c);
}

/* Writes what is in the ring in one transaction.  *items: how many. */
static int write_batch(struct committer *c, int64_t *items)
{
	const void *item;
	int rc = c->ops->begin(c->store);

	*items = 0;
	while (!rc && *items < BATCH_ITEMS && (item = ring_take(c->ring, NULL)) != NULL) {
		rc = c->ops->add(c->store, item);
		if (!rc)
			++*items;
	}
	if (!rc)
		rc = c->ops->finish(c->store, *items, *items < BATCH_ITEMS);
	if (rc) {
		c->ops->rollback(c->store);
		ring_rewind(c->ring);
		return rc;
	}
	ring_release(c->ring);
	return 0;
}

/* After a failure: repairs what can be repaired, or waits a moment. */
static void recover(struct committer *c, int error)
{
	if (c->opened && error == -ESTALE) {
		leave_file(c);
		return;
	}
	atomic_store(&c->stalled, true);
	complain(c, error);
	c->error = error;
	FAILS(STORE_ERROR);
	if (c->opened && error == -EUCLEAN) {
		close_store(c);
		c->ops->set_aside(c->store);
		return;
	}
	if (c->opened && error == -ENOSPC && c->ops->make_room) {
		if (!c->ops->make_room(c->store))
			return;
		/* Only the store knows whether the file is still open, so close and open it. */
		close_store(c);
	}
	/* Who has no way to make room waits. */
	FAILS(LEDGER_DISK_FULL);
	if (c->opened && error != -EBUSY && error != -ENOSPC)
		close_store(c);
	poll(NULL, 0, RETRY_MS);
}

/* Does what is due now.  Returns the number of items that it committed, or -errno. */
static int64_t step(struct committer *c, bool stopping)
{
	int64_t items = 0, now = clock_mono_ns();
	int rc = 0;
	bool tick = stopping || now - c->ticked_ns >= TICK_MS * 1000000LL;

	if (atomic_exchange(&c->reopen, false) && c->opened)
		close_store(c);
	if (c->opened && tick && c->ops->moved && c->ops->moved(c->store))
		leave_file(c);
	if (!c->opened)
		rc = open_store(c);
	if (!rc && tick) {
		c->ticked_ns = now;
		rc = c->ops->idle(c->store);
	}
	if (!rc && (!ring_empty(c->ring) || c->ops->dirty(c->store)))
		rc = write_batch(c, &items);
	return rc ? rc : items;
}

/* Neither rows nor kicks cut this short; only the end would want that, and it waits this long at
 * most. */
static void gather(const struct committer *c, int64_t items)
{
	if (c->ops->gather_ms)
		poll(NULL, 0, c->ops->gather_ms);
	else if (items >= GATHER_FROM_ITEMS)
		poll(NULL, 0, GATHER_MS);
}

static void *committer_main(void *arg)
{
	struct committer *c = arg;

	for (;;) {
		int64_t stop = atomic_load(&c->stop_by_ns), items = step(c, stop != 0);

		if (items < 0) {
			recover(c, (int)items);
			if (stop && clock_mono_ns() > stop)
				break;
			continue;
		}
		if (c->error)
			log_info("%s '%s' can be written again", c->ops->what,
				 c->ops->path(c->store));
		c->error = 0;
		atomic_store(&c->stalled, false);
		if (!stop && items > 0 && items < BATCH_ITEMS)
			gather(c, items);
		if (!ring_empty(c->ring))
			continue;
		if (stop && (!c->ops->dirty(c->store) || clock_mono_ns() > stop))
			break;
		if (stop)
			continue;
		ring_wait(c->ring, TICK_MS);
		/* A kick without a row is not urgent, so wait for rows that may follow. */
		if (ring_empty(c->ring) && !atomic_load(&c->stop_by_ns))
			ring_wait(c->ring, DIRTY_MS);
	}
	if (c->opened)
		close_store(c);
	return NULL;
}

struct committer *committer_start(const struct committer_ops *ops, void *store,
				  size_t buffer_bytes, int interrupt)
{
	struct committer *c = calloc(1, sizeof(*c));
	int rc;

	if (!c)
		return NULL;
	c->ops = ops;
	c->store = store;
	c->interrupt = interrupt;
	c->ring = ring_new(buffer_bytes);
	if (!c->ring) {
		rc = ENOMEM;
		goto fail;
	}
	rc = pthread_create(&c->thread, NULL, committer_main, c);
	if (!rc)
		return c;
fail:
	ring_free(c->ring);
	free(c);
	errno = rc;
	return NULL;
}

/* Waits a millisecond; true if the program shall end. */
static bool pause_producer(const struct committer *c)
{
	struct pollfd fd = { .fd = c->interrupt, .events = POLLIN };

	return poll(&fd, 1, 1) > 0;
}

void *committer_reserve(struct committer *c, size_t len, enum committer_patience patience)
{
	int64_t give_up = 0;
	void *room;

	if (!ring_fits(c->ring, len))
		return NULL;
	while (!(room = ring_reserve(c->ring, len))) {
		int64_t now = clock_mono_ns();

		if (!give_up)
			give_up = now + PATIENCE_NS;
		if (patience != PATIENCE_ENDLESS && atomic_load(&c->stalled))
			return NULL;
		if (patience == PATIENCE_NONE && now > give_up) {
			FAILS(CACHE_RING_FULL);
			atomic_store(&c->stalled, true);
			return NULL;
		}
		FAILS(RING_FULL);
		if (pause_producer(c) && now > give_up)
			return NULL;
	}
	return room;
}

void committer_publish(struct committer *c)
{
	ring_publish(c->ring);
}

bool committer_has_room(struct committer *c, size_t len)
{
	/* A record that is reserved and never published leaves no trace. */
	return ring_reserve(c->ring, len) != NULL;
}

void committer_kick(struct committer *c)
{
	ring_notify(c->ring);
}

void committer_reopen(struct committer *c)
{
	atomic_store(&c->reopen, true);
	ring_notify(c->ring);
}

bool committer_idle(const struct committer *c)
{
	return ring_empty(c->ring);
}

int committer_stop(struct committer *c, int timeout_ms, int64_t *lost)
{
	int rc;

	atomic_store(&c->stop_by_ns, clock_mono_ns() + timeout_ms * 1000000LL);
	ring_notify(c->ring);
	pthread_join(c->thread, NULL);
	*lost = 0;
	while (ring_take(c->ring, NULL))
		++*lost;
	FAILS(LAST_COMMIT);
	rc = *lost ? c->error : 0;
	if (*lost)
		log_error("%lld items could not be written to the %s '%s' and are lost: %s",
			  (long long)*lost, c->ops->what, c->ops->path(c->store), db_strerror(rc));
	ring_free(c->ring);
	free(c);
	return rc;
}
