/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_COUNTS_H
#define SOCKLEDGER_COUNTS_H

#include <stdbool.h>
#include <stdint.h>

#include "query.h"

/*
 * Who had the most connections: from the ledger's counts by hour (its table `tally`), so that the
 * time it takes goes with the hours and not with the connections.
 */
enum count_by { COUNT_PROGRAM, COUNT_USER, COUNT_DST, COUNT_DPORT, COUNT_VERDICT, COUNT_CERTAINTY,
		COUNT_BYS };

struct counts {
	enum count_by by[COUNT_BYS];
	int count;			/* how many of them */
	int64_t since_us, until_us;	/* the whole hours that these are in */
	int verdict, certainty;		/* enums of connection.h; 0: any */
	bool denied;			/* only what was dropped or rejected */
	int64_t limit;
};

/* "program", or several with commas between, at most `most`.  false where it is none. */
bool counts_parse_by(struct counts *c, const char *text, int most);
const char *count_by_name(enum count_by by);

/* A row for each group, the largest first: a cell for each `by`, and how many.  As query_run(). */
int64_t counts_run(const struct counts *c, struct query_db *db, query_row_fn *row, void *arg);

#endif
