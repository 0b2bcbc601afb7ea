/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_LOSS_H
#define SOCKLEDGER_LOSS_H

#include <stdbool.h>
#include <stdint.h>

/* A counter that says that something was lost, and what. */
struct loss {
	const char *name;
	const char *words;
};

/* Of the plugin, in the cache; of sockledgerd, in the ledger.  The last one's name is NULL. */
#define CACHE_LOSSES  8
#define LEDGER_LOSSES 8
extern const struct loss cache_losses[CACHE_LOSSES + 1];
extern const struct loss ledger_losses[LEDGER_LOSSES + 1];

/* What the journal was told of one: a line when it begins, one when it has ended. */
struct loss_log {
	int64_t seen;	 /* so many, at the last look */
	int64_t before;	 /* so many, when it began */
	int64_t last_ns; /* when the last one was noticed */
	bool lasts;
};

/* count: of all so far, in this life of the program.  Two lines a minute at most. */
void loss_note(struct loss_log *l, const struct loss *what, int64_t count, int64_t now_ns);

#endif
