/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Moves the rows of an older ledger. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <sqlite3.h>

#include "db.h"
#include "ledger_move.h"
#include "ledger_schema.h"

#define THESE "WHERE c.id BETWEEN ?1 AND ?2"

enum { COPY, TALLY, TOTAL, REMOVE, STATEMENTS };

struct ledger_move {
	sqlite3 *db;
	bool goes_on;
	sqlite3_stmt *from, *stmt[STATEMENTS];
};

static int prepare(struct ledger_move *m)
{
	static const char *const sql[STATEMENTS] = {
		[TALLY] = LEDGER_TALLY_IF("connection_old", THESE),
		[TOTAL] = LEDGER_TOTAL_IF("connection_old", THESE),
		[REMOVE] = "DELETE FROM connection_old WHERE id BETWEEN ?1 AND ?2",
	};
	char copy[1024];
	int rc = 0;

	snprintf(copy, sizeof(copy), "INSERT INTO connection SELECT %s FROM connection_old o"
		 " WHERE o.id BETWEEN ?1 AND ?2", ledger_old_columns);
	for (int i = 0; !rc && i < STATEMENTS; i++)
		rc = db_prepare(m->db, i == COPY ? copy : sql[i], &m->stmt[i]);
	if (!rc)
		rc = db_prepare(m->db, "SELECT min(id), max(id) FROM (SELECT id FROM connection_old"
				" ORDER BY id DESC LIMIT ?)", &m->from);
	return rc;
}

static int look(struct ledger_move *m)
{
	int64_t there = 0;
	int rc = db_number(m->db, LEDGER_IS_MOVING, &there);

	/* Where that cannot be read it is as it was: rows that are left must not be forgotten. */
	if (!rc)
		m->goes_on = there;
	return rc;
}

static void forget(struct ledger_move *m)
{
	for (int i = 0; i < STATEMENTS; i++) {
		sqlite3_finalize(m->stmt[i]);
		m->stmt[i] = NULL;
	}
	sqlite3_finalize(m->from);
	m->from = NULL;
}

/* Nothing is left of the older table. */
static int finish(struct ledger_move *m)
{
	bool alone = sqlite3_get_autocommit(m->db);
	int rc = alone ? db_exec(m->db, "BEGIN IMMEDIATE") : 0;

	if (rc)
		return rc;
	forget(m);
	rc = db_exec(m->db, ledger_views_moved);
	if (!rc)
		rc = db_exec(m->db, "DROP TABLE connection_old");
	if (alone)
		rc = db_exec(m->db, rc ? "ROLLBACK" : "COMMIT") ? -EIO : rc;
	m->goes_on = rc != 0;
	return rc;
}

int ledger_move_new(sqlite3 *db, struct ledger_move **out)
{
	struct ledger_move *m = calloc(1, sizeof(*m));
	int64_t rows = 0;
	int rc;

	if (!m)
		return -ENOMEM;
	*out = m;
	m->db = db;
	rc = look(m);
	if (!rc && m->goes_on)
		rc = db_number(db, "SELECT EXISTS (SELECT 1 FROM connection_old)", &rows);
	return rc || !m->goes_on ? rc : rows ? prepare(m) : finish(m);
}

/* The statements go with the database's others. */
void ledger_move_free(struct ledger_move *m)
{
	free(m);
}

static int move(struct ledger_move *m, int64_t first, int64_t last)
{
	int rc = 0;

	for (int i = 0; !rc && i < STATEMENTS; i++) {
		sqlite3_bind_int64(m->stmt[i], 1, first);
		sqlite3_bind_int64(m->stmt[i], 2, last);
		rc = sqlite3_step(m->stmt[i]);
		sqlite3_reset(m->stmt[i]);
		rc = db_errno(rc);
	}
	return rc;
}

int ledger_move_step(struct ledger_move *m, int most)
{
	int64_t first, last;
	bool more;
	int rc;

	if (!m->goes_on)
		return 0;
	if (!m->from && (rc = prepare(m)) != 0)
		return rc;
	sqlite3_bind_int(m->from, 1, most);
	rc = db_errno(sqlite3_step(m->from));
	more = !rc && sqlite3_column_type(m->from, 0) != SQLITE_NULL;
	first = sqlite3_column_int64(m->from, 0);
	last = sqlite3_column_int64(m->from, 1);
	sqlite3_reset(m->from);
	if (rc)
		return rc;
	return more ? move(m, first, last) : finish(m);
}

int ledger_move_row(struct ledger_move *m, int64_t id)
{
	int rc;

	if (!m->goes_on)
		return 0;
	if (!m->from && (rc = prepare(m)) != 0)
		return rc;
	return move(m, id, id);
}

bool ledger_move_goes_on(const struct ledger_move *m)
{
	return m->goes_on;
}

int ledger_move_rollback(struct ledger_move *m)
{
	return look(m);
}
