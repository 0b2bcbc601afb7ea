/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_COMMITTER_H
#define SOCKLEDGER_COMMITTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A thread that commits what another one hands it.  It may wait for a disk, a lock or syslog, so
 * that the other thread never has to.
 *
 *   ring --take--> begin, add ..., finish --ok--> release (the items are kept)
 *                      |
 *                      +--error--> rollback, rewind (the items stay in the ring), and
 *                                  replaced    the file that has the name by now, again
 *                                  locked      wait a moment, again
 *                                  disk full   the store makes room, or wait, again
 *                                  damaged     the store sets the file aside, a new one, again
 *
 * Meanwhile the ring fills; when it is full, committer_reserve() tells the producer.  A commit
 * takes all that has come: one item when idle, up to a batch under load.
 */

/* The store behind it: these run on the committer's thread, and return 0 or an errno of db.h. */
struct committer_ops {
	const char *what;		/* "cache": for messages */
	/* How long to gather items before the next commit; 0: only when many have come. */
	int gather_ms;
	int (*open)(void *store);
	void (*close)(void *store);
	int (*begin)(void *store);
	int (*add)(void *store, const void *item);
	/* Commits.  items: how many were added; drained: nothing that was in the ring is left.
	 * -ESTALE, also of begin(): the name belongs to another file by now. */
	int (*finish)(void *store, int64_t items, bool drained);
	void (*rollback)(void *store);
	/* The disk is full.  0 where the store could make room. */
	int (*make_room)(void *store);
	/* The file is of no use, and closed: rename it, so that open() makes a new one. */
	void (*set_aside)(void *store);
	/* About once a second and before the end; outside a transaction. */
	int (*idle)(void *store);
	/* True if finish() would write something without any items. */
	bool (*dirty)(void *store);
	/* True if the store's name belongs to another file by now, or to none. */
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

/* Starts the thread, which opens the store, and tries again for as long as that fails.  ops and
 * store stay borrowed.  interrupt: a descriptor that is readable when the program shall end. NULL
 * with errno set. */
struct committer *committer_start(const struct committer_ops *ops, void *store,
				  size_t buffer_bytes, int interrupt);

/* Producer: room for an item of len bytes; fill it, then call committer_publish().  NULL where
 * no room comes within the producer's patience, or where the item needs half of the buffer or
 * more. */
void *committer_reserve(struct committer *c, size_t len, enum committer_patience patience);
void committer_publish(struct committer *c);
/* Producer: true where there is room for an item of len bytes now. */
bool committer_has_room(struct committer *c, size_t len);

/* Wakes the thread, because something may have become dirty. */
void committer_kick(struct committer *c);
/* Has the thread close the store and open it again. */
void committer_reopen(struct committer *c);
/* True where nothing waits to be committed. */
bool committer_idle(const struct committer *c);

/* Commits what is left, tries for at most timeout_ms, and ends.  *lost: how many items could not be
 * committed.  0, or the error of the last try. */
int committer_stop(struct committer *c, int timeout_ms, int64_t *lost);

#endif
