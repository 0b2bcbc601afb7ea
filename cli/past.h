/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_PAST_H
#define SOCKLEDGER_PAST_H

#include "connection.h"
#include "query.h"

/* The recorded past, as the connections that a policy is asked about. */

struct past_filter {
	int64_t since_us, until_us;	/* the second one is not of it */
	const char *unit, *user;	/* NULL: any; unit: a pattern of GLOB */
};

/* All of it. */
void past_filter_init(struct past_filter *f);

#define CERTAINTIES 4		/* numbers of enum certainty */

/* A number that a ledger of ours has nowhere stands for what is not known. */
struct past_row {
	struct connection c;	/* its texts are good for the call; verdict and rule as recorded */
	unsigned int gaps;	/* enum policy_gap: what the ledger does not know of it */
	bool had_packet;	/* the queue saw its first packet */
	int64_t connections, first_us, last_us;	/* where rows are put together */
};

typedef int past_row_fn(const struct past_row *row, void *arg);

/*
 * Each row, by time.  A return other than 0 ends it.  The number of rows, or -1: what is wrong was
 * told on stderr.
 */
int64_t past_each(struct query_db *db, const struct past_filter *f, past_row_fn *row, void *arg);

/* Rows that differ in nothing but time, process and the client's port are one: which has none. */
int64_t past_each_kind(struct query_db *db, const struct past_filter *f, past_row_fn *row,
		       void *arg);

#endif
