/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_LEDGER_TRIM_H
#define SOCKLEDGER_LEDGER_TRIM_H

#include <stdbool.h>
#include <stdint.h>

#include "ledger.h"
#include "text.h"

struct sqlite3;
struct ledger_count;

/*
 * Takes from the ledger what is beyond its limits, in steps within the transactions of who writes
 * it: the oldest connections first, and processes with their last connection.
 *
 * A text is named from many places, and no index tells whether it still is.  So after an eighth of
 * the rows a sweep goes through processes and connections, marks what they name, and then removes
 * the texts that have no mark.  Meanwhile ledger_trim_uses() marks what is named anew.
 */
struct ledger_trim;

/* Told of each row that goes. */
struct ledger_forgetting {
	void (*text)(void *arg, int64_t id, struct text t);
	void (*process)(void *arg, int64_t id);
};

int ledger_trim_new(struct sqlite3 *db, struct ledger_count *count,
		    const struct ledger_forgetting *forgetting, void *arg, struct ledger_trim **t);
void ledger_trim_free(struct ledger_trim *t);

int ledger_trim_step(struct ledger_trim *t, const struct ledger_limits *limits, int64_t now_us,
		     int most, int64_t *removed);
bool ledger_trim_goes_on(const struct ledger_trim *t);
/* A connection was added. */
void ledger_trim_added(struct ledger_trim *t);
/* A row that is being written names this text. */
void ledger_trim_uses(struct ledger_trim *t, int64_t text);
/* What was done since the last commit is kept, or undone. */
void ledger_trim_committed(struct ledger_trim *t);
void ledger_trim_rollback(struct ledger_trim *t);

#endif
