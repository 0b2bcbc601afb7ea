/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_LEDGER_SINK_H
#define SOCKLEDGER_LEDGER_SINK_H

#include <stdbool.h>
#include <stdint.h>

#include "connection.h"

/*
 * Writes the ledger in a thread of its own.  Rows stay in order, and each transaction has both rows
 * and how far the cache has been followed by them.
 */
struct ledger_sink;

/* interrupt: a descriptor that is readable when the program shall end.  0, or an errno of db.h, and
 * then nothing was started. */
int ledger_sink_start(const char *ledger, const char *node, int64_t buffer_bytes, int interrupt,
		   struct ledger_sink **r);

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
 * Each takes the position (cache seq) that it brings the ledger to.  They wait for room, while the
 * cache holds what comes.  Once the program shall end and there is no room, nothing more is taken:
 * the next run goes on from the position that was kept.
 */
void ledger_sink_add(struct ledger_sink *r, uint64_t seq, const struct connection *c);
void ledger_sink_again(struct ledger_sink *r, uint64_t seq, uint64_t id, int64_t result);
void ledger_sink_set_protocol(struct ledger_sink *r, uint64_t seq, uint64_t id, int protocol);
/* See ledger_writer_confirm(). */
void ledger_sink_confirm(struct ledger_sink *r, uint64_t seq, const struct connection *c,
			 bool amended, bool described);
void ledger_sink_position(struct ledger_sink *r, uint64_t seq);
/*
 * What comes from packets (ledger_writer_decide(), ledger_writer_prove()): such items have no
 * position of their own, and never wait.  False where there is no room, which is counted.
 */
bool ledger_sink_add_packet(struct ledger_sink *r, const struct connection *c);
bool ledger_sink_decide(struct ledger_sink *r, const struct connection *c);
bool ledger_sink_prove(struct ledger_sink *r, uint64_t id, unsigned int evidence,
		       enum certainty certainty);

/*
 * A counter of the caller's, number `which` below LEDGER_SINK_COUNTERS: its value in this run,
 * which is kept beside the rows, behind what earlier runs counted.  name stays borrowed.
 */
#define LEDGER_SINK_COUNTERS 48
void ledger_sink_count(struct ledger_sink *r, unsigned int which, const char *name, int64_t value);

/* That many rows had left the cache before they could be followed. */
void ledger_sink_missed(struct ledger_sink *r, int64_t rows);

/* Commits what is left and ends.  0, or the error that kept rows from being written. */
int ledger_sink_stop(struct ledger_sink *r, int timeout_ms);

#endif
