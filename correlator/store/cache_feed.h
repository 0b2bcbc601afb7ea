/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_CACHE_FEED_H
#define SOCKLEDGER_CACHE_FEED_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct event;

/*
 * The cache's rows, read by a thread of its own (cache_tail.h), because SQLite may wait for a lock
 * or a page, and the main thread must not.  The rows come in order, through a ring of a fixed
 * size.  When it is full the thread waits, and the cache keeps the rest.
 */
struct cache_feed;

struct cache_feed_ops {
	/* Called in that thread: how far this database has been followed already, or -errno. */
	int64_t (*position)(void *arg, const char *generation);
	/* Called by cache_feed_take().  begin: what comes now is of this database, from behind seq
	 * on; the others as cache_tail_ops has them. */
	void (*begin)(void *arg, const char *generation, uint64_t seq);
	void (*event)(void *arg, const struct event *e, bool replay);
	void (*followed)(void *arg, uint64_t seq);
	void (*missed)(void *arg, int64_t rows);
};

/* once: the thread ends when everything that is there has been read.  NULL with errno set. */
struct cache_feed *cache_feed_start(const char *cache_path, bool once,
				    const struct cache_feed_ops *ops, void *arg);
/* Whether a packet waits for a row.  While none does, the rows of some milliseconds come
 * together. */
void cache_feed_set_urgent(struct cache_feed *r, bool urgent);
/* Lets the thread read the rest, for some seconds at most, and end: see cache_feed_ended(). */
void cache_feed_finish(struct cache_feed *r);
void cache_feed_free(struct cache_feed *r);

/* Shows up to `most` items.  Returns how many. */
int cache_feed_take(struct cache_feed *r, int most);
/* Whether somebody writes the cache: of a second ago at most.  Good until cache_feed_free(). */
const atomic_bool *cache_feed_written(const struct cache_feed *r);
/* True after the last item has been taken.  *rc: why the cache could not be read, or 0. */
bool cache_feed_ended(const struct cache_feed *r, int *rc);

/* To wait for rows and for other things, as ring_fd(), ring_prepare_wait() and
 * ring_finish_wait(). */
int cache_feed_fd(const struct cache_feed *r);
bool cache_feed_prepare_wait(struct cache_feed *r);
void cache_feed_finish_wait(struct cache_feed *r, bool readable);

#endif
