/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_RECORDS_H
#define SOCKLEDGER_RECORDS_H

#include <stdbool.h>
#include <stdint.h>

#include "event.h"

/*
 * The cache's rows, read by a thread of its own (follow.h): SQLite may wait for a lock or a page, and
 * who answers packets must not.  They come over in order, through memory of a fixed size; where that
 * is full the thread waits, and the cache keeps the rest.
 */
struct records;

struct records_ops {
	/* From the thread: how far the database of this name has been followed, or an errno. */
	int64_t (*position)(void *arg, const char *epoch);
	/* From records_take(): what follow.h calls begin, event, position and missed. */
	void (*begin)(void *arg, const char *epoch, uint64_t seq);
	void (*event)(void *arg, const struct event *e, bool replay);
	void (*followed)(void *arg, uint64_t seq);
	void (*missed)(void *arg, int64_t rows);
};

/* once: the thread ends when everything that is there has been read.  NULL with errno set. */
struct records *records_start(const char *cache_path, bool once, const struct records_ops *ops,
			      void *arg);
/* Whether somebody waits for rows: where nobody does, some milliseconds' rows come together. */
void records_hurry(struct records *r, bool hurry);
/* The thread reads what is there, for some seconds at most, and ends: see records_ended(). */
void records_finish(struct records *r);
void records_free(struct records *r);

/* Shows at most this many; how many there were. */
int records_take(struct records *r, int most);
/* True when the last one has been taken; *rc: an error that kept the cache from being read. */
bool records_ended(const struct records *r, int *rc);

/* To wait for rows among other things, as ring_fd(), ring_doze() and ring_rouse(). */
int records_fd(const struct records *r);
bool records_doze(struct records *r);
void records_rouse(struct records *r, bool readable);

#endif
