/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_CACHE_H
#define SOCKLEDGER_CACHE_H

#include <stdbool.h>
#include <stdint.h>

#include "event.h"

/*
 * The cache: audit events in the order of their arrival, bounded by rows, bytes and age.  One
 * process writes it (the plugin), others follow it.  seq grows by one a row and never comes again
 * in one database; `generation` (on disk: epoch) names the database, for a reader that remembers
 * its place.
 *
 * Errors are those of db.h.
 */
struct cache_writer;

int cache_writer_open(const char *path, struct cache_writer **w);
void cache_writer_close(struct cache_writer *w);
/* The name of this database: borrowed.  Another file of that name is a copy of it. */
const char *cache_writer_generation(const struct cache_writer *w);
/* True where another file, or none, has its name by now. */
bool cache_writer_moved(const struct cache_writer *w);

/* Nothing is seen by others, or kept, before the commit.  After any error: rollback. */
int cache_writer_begin(struct cache_writer *w);
int cache_writer_add(struct cache_writer *w, const struct event *e);
int cache_writer_commit(struct cache_writer *w);
void cache_writer_rollback(struct cache_writer *w);

/* Within a transaction: removes what is beyond max_rows or arrived before oldest_us, at most `most`
 * rows a call (no long pauses); the newest row always stays.  Beyond the bound go, where one user
 * has more than half, the oldest of that user's, and else the oldest of all.  *removed: how many.
 * cache_writer_trim_bytes(): likewise, until what is left takes no more than max_bytes. */
int cache_writer_trim(struct cache_writer *w, int64_t max_rows, int64_t oldest_us, int64_t most,
		      int64_t *removed);
int cache_writer_trim_bytes(struct cache_writer *w, int64_t max_bytes, int64_t most,
			    int64_t *removed);

/* Outside a transaction: gives a piece of the file back where most of it has become free. */
int cache_writer_shrink(struct cache_writer *w);

/* Outside a transaction, on a full disk: the log's file is used again from its start, so that a
 * small transaction needs no new room. */
int cache_writer_reuse_log(struct cache_writer *w);

/* For as long as it is open: a log that takes a quarter of a MiB beside the rows, not four. */
int cache_writer_small_log(struct cache_writer *w);

/* How many rows there are. */
int64_t cache_writer_rows(const struct cache_writer *w);

/* Within a transaction: a named number beside the events (counters of the plugin). */
int cache_writer_set(struct cache_writer *w, const char *name, int64_t value);
/* *value: 0 where it was never set. */
int cache_writer_get(struct cache_writer *w, const char *name, int64_t *value);

struct cache_reader;

int cache_reader_open(const char *path, struct cache_reader **r);
void cache_reader_close(struct cache_reader *r);

/* The name of this database; borrowed. */
const char *cache_reader_generation(const struct cache_reader *r);
/* seq of the oldest and the newest row; both 0 where there is none. */
int cache_reader_bounds(struct cache_reader *r, uint64_t *first, uint64_t *last);

/*
 * The rows behind `after`, in order: each goes to each(), whose event and texts are good for the
 * call.  At most limit.  A negative return of each() ends the walk and comes back.  Otherwise the
 * number of rows, or an error.
 */
int cache_reader_walk(struct cache_reader *r, uint64_t after, int limit,
		      int (*each)(const struct event *e, void *arg), void *arg);

/* The plugin's named numbers. */
int cache_reader_counters(struct cache_reader *r,
			  void (*each)(const char *name, int64_t value, void *arg), void *arg);

/* The path of the file that is modified whenever a row is committed (inotify's IN_MODIFY): the
 * write-ahead log.  -ENAMETOOLONG where it does not fit. */
int cache_signal_path(const char *cache_path, char *buf, size_t size);

#endif
