/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_COMMITTER_H
#define SOCKLEDGER_COMMITTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A thread that commits what another one hands it: the part of a program that may wait for a
 * disk, a lock or syslog, so that the other part never has to.
 *
 *   ring --take--> begin, add ..., finish --ok--> release (the items are kept)
 *                      |
 *                      +--error--> rollback, rewind (the items stay in the ring), and
 *                                  locked      wait a moment, again
 *                                  disk full   the store makes room, or wait, again
 *                                  damaged     the store sets the file aside, a new one, again
 *
 * While this goes on the ring fills; when it is full the producer is told so.  A commit takes
 * whatever has come in meanwhile: one item when idle, up to a batch under load.
 */

/* The store behind it: these run on the committer's thread, and return 0 or an errno of db.h. */
struct committer_ops {
	const char *what;		/* "cache": for messages */
	/* How long to gather after a commit before the next one; 0: only when much has come. */
	int gather_ms;
	int (*open)(void *store);
	void (*close)(void *store);
	int (*begin)(void *store);
	int (*add)(void *store, const void *item);
	/* Commits.  items: how many were added; drained: nothing that was there at begin is
	 * left. */
	int (*finish)(void *store, int64_t items, bool drained);
	void (*rollback)(void *store);
	/* The disk is full.  0 where the store could make room. */
	int (*make_room)(void *store);
	/* The file is damaged and closed: take it out of the way. */
	void (*set_aside)(void *store);
	/* About once a second and before the end; outside a transaction. */
	int (*idle)(void *store);
	/* True where finish() would write something although there are no items. */
	bool (*dirty)(void *store);
	/* True where another file, or none, has the store's name by now. */
	bool (*moved)(void *store);
	const char *(*path)(void *store);
};

struct committer;

/* How long the producer waits for room. */
enum committer_patience {
	PATIENCE_NONE,		/* 100 ms, and not at all once the store failed */
	PATIENCE_PROGRESS,	/* for as long as the store does not fail */
	PATIENCE_ENDLESS,	/* until there is room, or the program is told to end */
};

/* Starts the thread, which opens the store (a failure is tried again for as long as it takes).  ops
 * and store stay borrowed.  interrupt: a descriptor that is readable when the program shall end.
 * NULL with errno set. */
struct committer *committer_start(const struct committer_ops *ops, void *store,
				  size_t buffer_bytes, int interrupt);

/* Producer: room for an item of len bytes, to be filled and given to committer_publish(); NULL
 * where there is none within the producer's patience, or ever: an item of half the buffer. */
void *committer_reserve(struct committer *c, size_t len, enum committer_patience patience);
void committer_publish(struct committer *c);
/* Producer: true where there is room for an item of len bytes now. */
bool committer_has_room(struct committer *c, size_t len);

/* Wakes the thread, because something may have become dirty. */
void committer_kick(struct committer *c);
/* Closes and opens the store with the next turn. */
void committer_reopen(struct committer *c);
/* True where nothing waits to be committed. */
bool committer_idle(const struct committer *c);

/* Commits what is left, trying for at most timeout_ms, and ends.  *lost: items that were left
 * over.  0, or the error of the last try. */
int committer_stop(struct committer *c, int timeout_ms, int64_t *lost);

#endif
