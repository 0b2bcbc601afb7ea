/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_SQL_H
#define SOCKLEDGER_SQL_H

/* What a database says, by SQL; and a ledger that is written. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <sqlite3.h>

#include "db.h"
#include "ledger.h"
#include "tap.h"

/* SQL on a file by SQLite's own means. */
__attribute__((unused))
static int sql_raw(const char *path, const char *sql)
{
	sqlite3 *db;
	int rc = sqlite3_open(path, &db);

	if (!rc)
		rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
	sqlite3_close(db);
	return rc;
}

/* One number; -2: it cannot be read, -3: there is none. */
__attribute__((unused))
static int64_t ledger_number(const char *path, const char *sql)
{
	sqlite3 *db;
	int64_t n = -1;

	if (ledger_open_read(path, &db))
		return -2;
	if (db_number(db, sql, &n))
		n = -3;
	db_close(db);
	return n;
}

/* One value as text, "NULL" for that, "no row", or an error's text.  Good until the next call. */
__attribute__((unused))
static const char *ledger_text(const char *path, const char *sql)
{
	static char answer[4096];
	sqlite3_stmt *s = NULL;
	sqlite3 *db;
	int rc = ledger_open_read(path, &db);

	snprintf(answer, sizeof(answer), "error %d", rc);
	if (rc)
		return answer;
	if (sqlite3_prepare_v2(db, sql, -1, &s, NULL))
		snprintf(answer, sizeof(answer), "%s", sqlite3_errmsg(db));
	else if (sqlite3_step(s) != SQLITE_ROW)
		snprintf(answer, sizeof(answer), "no row");
	else
		snprintf(answer, sizeof(answer), "%s", sqlite3_column_type(s, 0) == SQLITE_NULL ?
			 "NULL" : (const char *)sqlite3_column_text(s, 0));
	sqlite3_finalize(s);
	db_close(db);
	return answer;
}

/* A ledger in a transaction; its end. */
__attribute__((unused))
static struct ledger_writer *ledger_begin(const char *path)
{
	struct ledger_writer *w;

	if (ledger_writer_open(path, &w) || ledger_writer_begin(w))
		exit(1);
	return w;
}

__attribute__((unused))
static void ledger_end(struct ledger_writer *w)
{
	tap_ok(ledger_writer_commit(w) == 0, "committed");
	ledger_writer_close(w);
}

#endif
