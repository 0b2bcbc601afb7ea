/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ledger for those who read it. */
#include <string.h>

#include <sqlite3.h>

#include "db.h"
#include "ledger.h"
#include "ledger_schema.h"

int ledger_open_read(const char *path, sqlite3 **db)
{
	return db_open_read(path, &ledger_schema, db);
}

/* By the index of times: in the order of ids SQLite would rather go through all rows. */
const char ledger_halves_sql[] =
	"SELECT c.id, c.time, c.direction, c.proto, s.text, c.sport, d.text, c.dport,"
	" p.pid, ifnull(p.fsuid, p.uid), c.evidence, c.certainty, c.verdict,"
	" c.latency IS NOT NULL"
	" FROM " LEDGER_ALL " c LEFT JOIN process p ON p.id = c.process"
	" LEFT JOIN text s ON s.id = c.src LEFT JOIN text d ON d.id = c.dst"
	" WHERE c.time >= ? AND (c.latency IS NULL) <> (c.audit_time IS NULL)"
	" ORDER BY +c.id";

static void get_endpoint(sqlite3_stmt *stmt, int column, struct endpoint *e)
{
	struct text t = db_column_text(stmt, column);

	if (t.data && address_parse(t.data, &e->addr))
		memset(&e->addr, 0, sizeof(e->addr));
	e->port = (int32_t)db_column_known(stmt, column + 1);
}

int ledger_halves(const char *path, int64_t since_us,
		  void (*each)(const struct connection *c, bool has_packet, void *arg), void *arg)
{
	sqlite3_stmt *stmt;
	sqlite3 *db;
	int rc = ledger_open_read(path, &db);

	if (rc)
		return rc;
	rc = db_prepare(db, ledger_halves_sql, &stmt);
	if (!rc)
		sqlite3_bind_int64(stmt, 1, since_us);
	while (!rc && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		struct connection c;

		connection_init(&c);
		c.id = (uint64_t)sqlite3_column_int64(stmt, 0);
		c.time_us = sqlite3_column_int64(stmt, 1);
		c.direction = (enum direction)sqlite3_column_int(stmt, 2);
		c.protocol = (int)db_column_known(stmt, 3);
		get_endpoint(stmt, 4, &c.src);
		get_endpoint(stmt, 6, &c.dst);
		c.process.pid = db_column_known(stmt, 8);
		c.process.uid = db_column_known(stmt, 9);
		c.evidence = (unsigned int)sqlite3_column_int(stmt, 10);
		c.certainty = (enum certainty)sqlite3_column_int(stmt, 11);
		c.verdict = (enum verdict)sqlite3_column_int(stmt, 12);
		each(&c, sqlite3_column_int(stmt, 13), arg);
		rc = 0;
	}
	if (rc > 0)
		rc = db_errno(rc);
	sqlite3_finalize(stmt);
	db_close(db);
	return rc;
}
