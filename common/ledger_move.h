/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_LEDGER_MOVE_H
#define SOCKLEDGER_LEDGER_MOVE_H

#include <stdbool.h>
#include <stdint.h>

struct sqlite3;

/*
 * A ledger that was made before version 6 has its rows in the table `connection_old`.  Who writes
 * it moves them to `connection`, in small steps within its own transactions, the newest first.
 * Until then readers have both (LEDGER_ALL), a row that is amended is moved before, and no row goes
 * because of the ledger's limits.
 */
struct ledger_move;

int ledger_move_new(struct sqlite3 *db, struct ledger_move **m);
void ledger_move_free(struct ledger_move *m);

/* Moves `most` rows. */
int ledger_move_step(struct ledger_move *m, int most);
/* Moves row id, if it has to be. */
int ledger_move_row(struct ledger_move *m, int64_t id);
/* There are rows left. */
bool ledger_move_goes_on(const struct ledger_move *m);
/* What was done since the last commit is undone. */
int ledger_move_rollback(struct ledger_move *m);

#endif
