/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_QUERY_H
#define SOCKLEDGER_QUERY_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "output.h"

/*
 * Reading the ledger: the only part of the CLI that knows SQLite.  Beside SQLite's own functions
 * queries have in_net(address, 'ADDR/BITS'), and us('TIME') and hour('TIME') for comparisons with a
 * time.
 */
struct query_db;

/* Opens the ledger; tells on stderr what is wrong and gives NULL back where it cannot be read. */
struct query_db *query_open(const char *ledger_path);
/* Likewise, with 0 or an error of db.h; query_complain() tells what is wrong. */
int query_try(const char *ledger_path, struct query_db **db);
void query_complain(const char *ledger_path, int rc);
void query_close(struct query_db *db);

/* SQL being put together: text and the values of its ?. */
struct sql {
	char *text;
	size_t len, size;
	struct cell values[64];
	int count;
	bool failed;		/* memory is short, or too many values */
};

void sql_release(struct sql *s);
void sql_add(struct sql *s, const char *text);
/* Text with one ?, and its value; a text's bytes stay borrowed. */
void sql_add_text(struct sql *s, const char *text, const char *value);
void sql_add_number(struct sql *s, const char *text, int64_t value);

/* A row: cells are good for the call.  A return other than 0 ends the query. */
typedef int query_row_fn(const struct cell *cells, int columns, void *arg);

/* Runs the query.  The number of rows, or -1: what is wrong was told on stderr. */
int64_t query_run(struct query_db *db, const struct sql *s, query_row_fn *row, void *arg);

/*
 * From here on a query whose conditions have QUERY_PROGRESS tells a terminal's stderr how far it
 * is, by the times of the rows `c` that it goes through.
 */
void query_show_progress(struct query_db *db, int64_t since_us, int64_t until_us);
#define QUERY_PROGRESS " AND progress(c.time)"

/* Rows of an older version's ledger are still being moved: 1 or 0; -1: told on stderr. */
int query_is_moving(struct query_db *db);

/* How many steps SQLite's machine made for all that query_run() ran: some ten for a row that is
 * looked at, whatever the host's speed. */
int64_t query_steps(const struct query_db *db);

/*
 * Runs every statement of a person's SQL, and writes what comes in `format`.  The number of rows;
 * -1 where the SQL is at fault, -2 where the data is; told on stderr.
 */
int64_t query_script(struct query_db *db, const char *text, enum format format,
		     const struct style *style, FILE *out);

/* The newest connection's id; 0 where there is none. */
int64_t query_last_id(struct query_db *db);
/* The newest connection's time, in microseconds; 0 where there is none. */
int64_t query_last_time(struct query_db *db);
/* Changes whenever another program committed. */
int64_t query_version(struct query_db *db);

#endif
