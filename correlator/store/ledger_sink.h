/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_LEDGER_SINK_H
#define SOCKLEDGER_LEDGER_SINK_H

#include <stdbool.h>
#include <stdint.h>

struct ledger_change;

/*
 * Writes the ledger in a thread of its own.  Rows stay in order, and each transaction has both rows
 * and how far the cache has been followed by them.
 */
struct ledger_sink;

struct ledger_limits;

/* interrupt: a descriptor that is readable when the program shall end.  0, or an errno of db.h, and
 * then nothing was started. */
int ledger_sink_start(const char *ledger, const struct ledger_limits *limits, const char *node,
		      int64_t buffer_bytes, int interrupt, struct ledger_sink **r);

/* The first id that no row ever had. */
uint64_t ledger_sink_next_id(const struct ledger_sink *r);

/* How far the ledger says that the cache `generation` has been followed, or -errno where it cannot
 * be read now.  For any thread. */
int64_t ledger_sink_position_of(const struct ledger_sink *r, const char *generation);

/* Positions that follow are of the cache `generation`, which has been followed up to seq. */
void ledger_sink_follow(struct ledger_sink *r, const char *generation, uint64_t seq);

/* True if the next row would not wait for room. */
bool ledger_sink_has_room(struct ledger_sink *r);

/*
 * Queues a change.  seq: the position that it brings the ledger to; with CHANGE_NONE it moves the
 * position alone.  It waits for room, while the cache holds what comes; once the program
 * shall end and there is no room, nothing more is taken, and the next run goes on from the position
 * that was kept.  LEDGER_SINK_KEEP: a packet's change moves no position and never waits; false
 * where there is no room, which is counted.
 */
#define LEDGER_SINK_KEEP UINT64_MAX
bool ledger_sink_put(struct ledger_sink *r, uint64_t seq, const struct ledger_change *change);

/*
 * A counter of the caller's, number `which` below LEDGER_SINK_COUNTERS: its value in this run,
 * which is kept beside the rows, behind what earlier runs counted.  name stays borrowed.
 */
#define LEDGER_SINK_COUNTERS 80
void ledger_sink_count(struct ledger_sink *r, unsigned int which, const char *name, int64_t value);
/* The same, but no count: of this run's value and those of earlier runs the largest is kept. */
void ledger_sink_largest(struct ledger_sink *r, unsigned int which, const char *name,
			 int64_t value);

/* That many rows had left the cache before they could be followed. */
void ledger_sink_missed(struct ledger_sink *r, int64_t rows);

/* Commits what is left and ends.  0, or the error that kept rows from being written. */
int ledger_sink_stop(struct ledger_sink *r, int timeout_ms);

#endif
