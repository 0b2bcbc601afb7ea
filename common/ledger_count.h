/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_LEDGER_COUNT_H
#define SOCKLEDGER_LEDGER_COUNT_H

#include <stdbool.h>
#include <stdint.h>

struct sqlite3;

/*
 * The ledger's counts, in the transactions of who writes its rows: `tally` by hour, program, user,
 * destination, port, verdict and certainty; `total` of all time; `amount` of processes.
 * What changes is gathered, and written before the commit, because rows of one transaction often
 * count for the same.
 */
struct ledger_count;

/* What a row counts for.  exe, dst: ids of texts; 0: none.  uid, dport: -1: none. */
struct ledger_counted {
	int64_t hour, exe, uid, dst, dport, verdict, certainty;	/* the key of tally */
	int64_t direction, evidence;
};

int ledger_count_new(struct sqlite3 *db, struct ledger_count **c);
void ledger_count_free(struct ledger_count *c);

/* So many rows more, or fewer. */
int ledger_count_add(struct ledger_count *c, const struct ledger_counted *row, int64_t rows);
/* So many rows of `process` more, or fewer. */
void ledger_count_processes(struct ledger_count *c, int64_t rows);
/* What row id counts for; *found: there is such a row. */
int ledger_count_find(struct ledger_count *c, int64_t id, struct ledger_counted *row, bool *found);
/* It counted for `was` and counts for `is`. */
int ledger_count_amend(struct ledger_count *c, const struct ledger_counted *was,
		       const struct ledger_counted *is);

/* Writes what was gathered: before the commit. */
int ledger_count_flush(struct ledger_count *c);
void ledger_count_rollback(struct ledger_count *c);

#endif
