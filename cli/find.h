/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_FIND_H
#define SOCKLEDGER_FIND_H

#include <stdbool.h>
#include <stdint.h>

#include "query.h"

/*
 * Connections that fit conditions, the newest N of them or all, without going through a large
 * ledger.  Of the conditions that an index serves the one with the fewest rows drives the query;
 * where it has none, rows are looked at from the newest back.
 *
 * A condition is SQL on `c` (connection), `p` (process) and the texts of ledger_select_from.
 */
enum find_index {
	FIND_NONE,		/* no index serves it */
	FIND_INDEX,		/* the condition begins with the column of an index */
	FIND_PROCESS,		/* it is about `p` and its texts alone */
};

#define FIND_CONDITIONS 24
#define FIND_PROGRAMS 32	/* more are not looked for one by one */

struct find {
	struct sql values;	/* its text is not used */
	struct { char *sql; enum find_index index; } condition[FIND_CONDITIONS];
	int count;
	int direction, certainty, verdict;	/* 0: any */
	char *exe;		/* a condition on `t.text`, the program's path; NULL: any */
	bool failed;
};

void find_release(struct find *f);

/* The number of a value, for a condition's ?; a text's bytes stay borrowed. */
int find_text(struct find *f, const char *value);
void find_add(struct find *f, enum find_index index, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Once: which programs; the condition is on `t.text`. */
void find_exe(struct find *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/*
 * The newest `limit` ones (-1: all), oldest first: the columns of the view `connections`, behind
 * them the call's result, the row's time and id.  The number of rows, or -1: what is wrong was told
 * on stderr.
 */
int64_t find_newest(struct find *f, struct query_db *db, int64_t limit, query_row_fn *row,
		    void *arg);
/* Those with an id behind this one, in the order of ids. */
int64_t find_behind(struct find *f, struct query_db *db, int64_t id, query_row_fn *row, void *arg);

/* Of such a row, the column of that name in the view. */
const struct cell *find_cell(const struct cell *cells, const char *column);

#endif
