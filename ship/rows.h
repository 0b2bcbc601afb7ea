/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_ROWS_H
#define SOCKLEDGER_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "position.h"

/*
 * A ledger's rows as JSON lines, in the order in which a collector gets them: those that were
 * amended behind its position, then new ones.  Each has the columns of the view `connections`, and
 * rows_more[] behind them.  `ledger`, `id` and `us` tell a row from all others, and of the same row
 * the one with the highest `version` is the newest.
 */
struct rows;

extern const char *const rows_more[];
extern const int rows_more_count;

/* node: for rows that have none.  0, or an error of db.h; -EAGAIN where rows of an older version
 * are still being moved. */
int rows_open(const char *ledger, const char *node, struct rows **r);
void rows_close(struct rows *r);

/* What there is: the last row's number, the last change's; how many rows went because of limits. */
struct rows_ends {
	int64_t ledger, id, change, trimmed;
};

int rows_look(struct rows *r, struct rows_ends *ends);

/*
 * Brings a position to what this ledger is: at the beginning where it is another one, or where it
 * has gone back.
 */
enum rows_met { ROWS_FIRST, ROWS_SAME, ROWS_OTHER, ROWS_BACK };
int rows_meet(struct rows *r, const struct rows_ends *ends, struct position *p,
	      enum rows_met *met);

/* What is sent at once. */
struct batch {
	char *text;
	size_t len, size;
	int rows;
	struct position next;	/* where the collector is when it has them */
	bool more;		/* there are others behind them */
};

/* Rows behind p, new ones up to the number `until`: at most so many, and one more than fit into so
 * many bytes. */
int rows_read(struct rows *r, const struct position *p, int64_t until, int most, size_t bytes,
	      struct batch *b);
void batch_release(struct batch *b);

#endif
