/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_LEDGER_INTERN_H
#define SOCKLEDGER_LEDGER_INTERN_H

#include <stdbool.h>
#include <stdint.h>

#include "ledger.h"
#include "text.h"

struct sqlite3;
struct ledger_count;
struct ledger_trim;

/*
 * Texts and processes by their ids in the ledger, where each stands once: added where the ledger
 * does not have it.  Two memories, of the last texts and of the last processes written, keep the
 * look-ups away from the disk.
 */
struct ledger_intern;

/* 0 or a negative errno, as all that follow. */
int ledger_intern_new(struct sqlite3 *db, struct ledger_count *count, struct ledger_intern **in);
void ledger_intern_free(struct ledger_intern *in);
/* Who is told which texts are named: before the first of them. */
void ledger_intern_tell(struct ledger_intern *in, struct ledger_trim *trim);

/* *id: -1 for no text, and for an address without a family. */
int ledger_intern_text(struct ledger_intern *in, struct text t, int64_t *id);
int ledger_intern_address(struct ledger_intern *in, const struct address *a, int64_t *id);
/* The connection's process, and the text of its program; -1 where it has none. */
int ledger_intern_process(struct ledger_intern *in, const struct connection *c, int64_t *id,
			  int64_t *exe);
/*
 * The memory of processes goes on from the row's own, as if it were written now: so what follows is
 * written in the same way, whether the rows before it came just now or long ago.  *found: there is
 * such a row; then *protocol is what it has, -1 for none.
 */
int ledger_intern_resume(struct ledger_intern *in, const struct connection *c, bool *found,
			 int64_t *protocol);

/* Ids that were given since the last commit are void. */
void ledger_intern_rollback(struct ledger_intern *in);

/* What the database no longer has must leave the two memories; arg: the ledger_intern. */
extern const struct ledger_forgetting ledger_intern_forgetting;

#endif
