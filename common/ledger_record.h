/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_LEDGER_RECORD_H
#define SOCKLEDGER_LEDGER_RECORD_H

#include <stdint.h>

#include "text.h"

struct connection;
struct sqlite3;

/*
 * Finds the row of an audit record.  Records come in about the order of time, hundreds with the
 * same stamp: so what the ledger has of some stamps is kept, and no index of serials is needed.
 */
struct ledger_records;

/* db stays borrowed.  0, or an errno of db.h. */
int ledger_records_new(struct sqlite3 *db, struct ledger_records **r);
void ledger_records_free(struct ledger_records *r);

/* *id: 0 where there is no such row. */
int ledger_records_find(struct ledger_records *r, struct text node, int64_t time_us,
			uint32_t serial, uint64_t *id);
/* A row was added. */
void ledger_records_added(struct ledger_records *r, const struct connection *c);
/* Rows that were added since the last commit are gone. */
void ledger_records_rollback(struct ledger_records *r);

#endif
