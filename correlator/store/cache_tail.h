/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_CACHE_TAIL_H
#define SOCKLEDGER_CACHE_TAIL_H

#include <stdbool.h>
#include <stdint.h>

struct event;

/*
 * Follows the cache: shows new rows as the plugin commits them.  It goes on when the plugin
 * restarts, and when the file is set aside and another one takes its place.
 */
struct cache_tail;

struct cache_tail_ops {
	/* Another database than before is open: how far has it been followed already?  -errno
	 * where that is not known now; then cache_tail asks again a moment later. */
	int64_t (*position)(void *arg, const char *generation);
	/* A row.  replay: an earlier run followed it; it is shown again to fill the tables. */
	void (*event)(void *arg, const struct event *e, bool replay);
	/* Everything up to seq has been shown. */
	void (*followed)(void *arg, uint64_t seq);
	/* That many rows had left the cache before they could be shown. */
	void (*missed)(void *arg, int64_t rows);
	/* Whether somebody writes the cache; told with rows, and once a second or so without.  May
	 * be NULL. */
	void (*written)(void *arg, bool written);
};

/* The cache need not be there yet.  ops and arg stay borrowed.  NULL with errno set. */
struct cache_tail *cache_tail_new(const char *cache_path, const struct cache_tail_ops *ops,
				  void *arg);
void cache_tail_free(struct cache_tail *f);

/* Readable when there may be something new. */
int cache_tail_fd(const struct cache_tail *f);
/* Call cache_tail_poll() after so many milliseconds, even if nothing was readable. */
int cache_tail_timeout_ms(const struct cache_tail *f);

/* Shows new rows, a limited number a call.  1: more are waiting; 0: that was all; -errno where the
 * cache could not be read. */
int cache_tail_poll(struct cache_tail *f);

#endif
