/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_LEDGER_H
#define SOCKLEDGER_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

#include "ledger_change.h"

struct sqlite3;

/*
 * The ledger: one row per connection, with processes and texts stored once.  One process writes
 * it (sockledgerd's recorder); anybody reads it, best through the view `connections`.  It also
 * keeps how far the cache has been followed, in the same transactions as the rows, so that after
 * any end no row comes twice and none is left out.
 *
 * Errors are those of db.h.
 */
struct ledger_writer;

int ledger_writer_open(const char *path, struct ledger_writer **w);
void ledger_writer_close(struct ledger_writer *w);
/* For as long as it is open: room for its pages as a program has that soon ends, not a daemon. */
int ledger_writer_take_room(struct ledger_writer *w);
/* True where another file, or none, has its name by now. */
bool ledger_writer_moved(const struct ledger_writer *w);

int ledger_writer_begin(struct ledger_writer *w);
/* Writes one change. */
int ledger_apply(struct ledger_writer *w, const struct ledger_change *change);
/* Finds the row that this audit record made, or that has been confirmed by it; *id is 0 where there
 * is none. */
int ledger_writer_find_record(struct ledger_writer *w, struct text node, int64_t time_us,
			      uint32_t serial, uint64_t *id);
/* The cache `generation` has been followed up to seq. */
int ledger_writer_set_position(struct ledger_writer *w, const char *generation, uint64_t seq);
int ledger_writer_set_counter(struct ledger_writer *w, const char *name, int64_t value);
int ledger_writer_commit(struct ledger_writer *w);
void ledger_writer_rollback(struct ledger_writer *w);

/* How much a ledger keeps; 0: as much as comes. */
struct ledger_limits {
	int64_t rows, bytes, age_us;
};

/*
 * Within a transaction, a step of what the limits demand: the oldest connections go, at most
 * `most` of them, with processes and texts that no row names any more.  *removed: how many
 * connections went.
 */
int ledger_writer_trim(struct ledger_writer *w, const struct ledger_limits *limits, int64_t now_us,
		       int most, int64_t *removed);
/* How many rows of an older version are still to be moved, which each trim does first; at most. */
int64_t ledger_writer_to_move(struct ledger_writer *w);
/* There is more to be done, as far as the last step knew. */
bool ledger_writer_trims(const struct ledger_writer *w);
/* Outside a transaction: gives a piece of the file back where most of it has become free. */
int ledger_writer_shrink(struct ledger_writer *w);

/* The first id that was never given. */
uint64_t ledger_writer_next_id(const struct ledger_writer *w);
/* The highest id that is in the file now, whoever wrote it; 0: there is no row. */
int ledger_writer_last_id(struct ledger_writer *w, int64_t *id);
/* Ids stay below this, far from where numbers end. */
#define LEDGER_ID_MAX (1LL << 62)
/* 0 where this cache was never followed. */
uint64_t ledger_writer_position(struct ledger_writer *w, const char *generation);
/* *value: 0 where it was never set. */
int ledger_writer_counter(struct ledger_writer *w, const char *name, int64_t *value);

/*
 * Rows from since_us on of which one half is missing: a packet's whose record has not come, or a
 * record's without a packet, oldest first.  What of c is known: id, time, direction, protocol, both
 * ends, pid, uid, evidence, certainty, verdict.  has_packet: which half is there.
 */
int ledger_halves(const char *path, int64_t since_us,
		  void (*each)(const struct connection *c, bool has_packet, void *arg), void *arg);

/* Opens a ledger for queries. */
int ledger_open_read(const char *path, struct sqlite3 **db);

#endif
