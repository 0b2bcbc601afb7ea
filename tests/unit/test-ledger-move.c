/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A ledger of each older version: nothing of it changes for a reader while its rows are moved, and
 * counts agree with the rows at every step. */
#include <errno.h>
#include <netinet/in.h>

#include <sqlite3.h>

#include "db.h"
#include "ledger.h"
#include "ledger_move.h"
#include "ledger_schema.h"
#include "old-ledger.h"
#include "scratch.h"
#include "sql.h"
#include "tap.h"

#define ROWS 3000
#define FIRST_VERSION 1
#define LAST_VERSION 5		/* behind it the rows are in the new table */
#define HALFWAY_VERSION 6	/* or in both, where not all had been moved, up to: */
#define HALFWAY_LAST 7

static const char *path;

static void is(const char *sql, const char *wanted, const char *name, unsigned int version)
{
	const char *got = ledger_text(path, sql);

	if (!tap_ok(!strcmp(got, wanted), "version %u: %s", version, name))
		tap_note("got %s, wanted %s", got, wanted);
}

/* Rows of two hours, twenty processes and ten destinations. */
static void make_old(unsigned int version)
{
	sqlite3 *db = old_ledger(path, version);
	char sql[128];
	int rc;

	snprintf(sql, sizeof(sql), "CREATE TEMP TABLE n AS WITH RECURSIVE n(i) AS (SELECT 1 UNION"
		 " ALL SELECT i + 1 FROM n WHERE i < %d) SELECT i FROM n", ROWS);
	rc = db ? sqlite3_exec(db, sql, NULL, NULL, NULL) : SQLITE_ERROR;
	if (!rc)
		rc = sqlite3_exec(db,
			"INSERT INTO text SELECT i, '192.0.2.' || i FROM n WHERE i <= 10;"
			"INSERT INTO text SELECT 10 + i, '/bin/' || i FROM n WHERE i <= 5;"
			"INSERT INTO process (id, pid, exe, uid) SELECT i, 100 + i, 11 + i % 5,"
			" i % 3 FROM n WHERE i <= 20;"
			"INSERT INTO connection (id, time, direction, proto, dst, dport, process,"
			" evidence, certainty, verdict) SELECT i, 7200000000 + i * 1000000, 1, 6,"
			" 1 + i % 10, 80 + i % 2, nullif(1 + i % 21, 21), 1 + i % 7, 1 + i % 3,"
			" 1 + i % 4 FROM n", NULL, NULL, NULL);
	if (rc)
		tap_ok(false, "a ledger of version %u: %s", version, sqlite3_errmsg(db));
	sqlite3_close(db);
}

/* Counts beside the rows, by hour and so on, of both tables. */
static const char counts_differ[] =
	"SELECT count(*) FROM (SELECT " LEDGER_TALLY_KEY ", count(*) AS n FROM connection_all c"
	" LEFT JOIN process p ON p.id = c.process GROUP BY 1, 2, 3, 4, 5, 6, 7 EXCEPT"
	" SELECT hour, exe, uid, dst, dport, verdict, certainty, sum(count) FROM tally_all"
	" GROUP BY 1, 2, 3, 4, 5, 6, 7)";
static const char totals_differ[] =
	"SELECT count(*) FROM (SELECT direction, verdict, certainty, evidence, count(*) FROM"
	" connection_all GROUP BY 1, 2, 3, 4 EXCEPT SELECT direction, verdict, certainty, evidence,"
	" sum(count) FROM total_all GROUP BY 1, 2, 3, 4)";
/* All that a reader sees, but for the row that the test amends and the one that it adds. */
static const char all[] =
	"SELECT count(*) || ' ' || sum(c.id * (c.time % 1000003 + c.dst * 7 + c.dport +"
	" ifnull(c.process, 5) * 11 + c.evidence + c.certainty * 3 + c.verdict * 13 +"
	" ifnull(c.exe, 1) * 17)) FROM connection_all c WHERE c.id <> 77 AND c.id <= 3000";

static void amend(struct ledger_writer *w, uint64_t id)
{
	struct ledger_change change;

	ledger_change_init(&change, CHANGE_PROVE, id);
	change.connection.evidence = EVIDENCE_TRACE_CALL;
	change.connection.certainty = CERTAINTY_CERTAIN;
	tap_ok(ledger_apply(w, &change) == 0, "an old row is amended");
}

static void add(struct ledger_writer *w)
{
	struct ledger_change change;

	ledger_change_init(&change, CHANGE_ADD, ledger_writer_next_id(w));
	change.connection.time_us = 99999000000LL;
	change.connection.certainty = CERTAINTY_INFERRED;
	tap_ok(change.connection.id > ROWS, "a new row is numbered behind the old ones");
	tap_ok(ledger_apply(w, &change) == 0, "and added");
}

static void step(struct ledger_writer *w, int64_t rows, int64_t *removed)
{
	struct ledger_limits limits = { .rows = rows };

	ledger_writer_begin(w);
	if (ledger_writer_trim(w, &limits, 0, 350, removed) || ledger_writer_commit(w))
		tap_ok(false, "a step");
}

static void test_version(unsigned int version)
{
	struct ledger_writer *w;
	char before[256];
	int64_t removed;
	int steps = 0;

	path = scratch_path("old.db");
	db_remove(path);
	make_old(version);
	if (!tap_ok(ledger_writer_open(path, &w) == 0, "version %u is opened", version))
		return;
	snprintf(before, sizeof(before), "%s", ledger_text(path, all));
	tap_ok(!strncmp(before, "2999 ", 5), "all its rows are there: %s", before);
	is("SELECT count(*) > 2900 FROM connection_old", "1", "nearly none has been moved at once",
	   version);
	is(counts_differ, "0", "they are counted", version);
	removed = 7;
	step(w, 10, &removed);
	tap_ok(removed == 0, "a step on the way removes none");
	is(all, before, "the same rows are there after a step", version);
	is("SELECT count(*) FROM connection_old", "2299", "which moved some", version);
	ledger_writer_begin(w);
	amend(w, 77);
	add(w);
	ledger_writer_rollback(w);
	is(all, before, "what is undone has not happened", version);
	ledger_writer_begin(w);
	amend(w, 77);
	add(w);
	ledger_writer_commit(w);
	is("SELECT certainty || ' ' || (SELECT count(*) FROM connection_old WHERE id = 77) FROM"
	   " connection WHERE id = 77", "3 0", "an old row that was amended has been moved",
	   version);
	is(totals_differ, "0", "totals agree on the way", version);
	tap_ok(ledger_writer_to_move(w) == 2299, "it is told how many are left");
	/* Another sockledgerd goes on. */
	ledger_writer_close(w);
	if (!tap_ok(ledger_writer_open(path, &w) == 0, "opened again"))
		return;
	tap_ok(ledger_writer_trims(w), "it knows that there is more to do");
	for (; ledger_writer_trims(w) && steps < 20; steps++) {
		step(w, 0, &removed);
		if (steps == 1)
			is(counts_differ, "0", "counts agree on the way", version);
	}
	tap_ok(steps >= 4 && steps < 20, "it comes to an end");
	tap_ok(ledger_writer_to_move(w) == 0, "none is left");
	is(all, before, "all rows have been moved as they were", version);
	is("SELECT count(*) FROM sqlite_schema WHERE name LIKE '%_old'", "0",
	   "the old table has gone", version);
	is(counts_differ, "0", "counts agree", version);
	is(totals_differ, "0", "totals as well", version);
	is("SELECT sum(count) FROM total", "3001", "of all rows", version);
	is("SELECT count FROM amount", "20", "and processes", version);
	is("SELECT count(*) || ' ' || count(exe) FROM connections", "3001 2858",
	   "the view has all of them", version);
	is("SELECT group_concat(id || ':' || changed) || ' ' || (SELECT last FROM change) FROM"
	   " connection WHERE changed IS NOT NULL", "77:1 1", "one of them was amended", version);
	step(w, 3000, &removed);
	tap_ok(removed == 1, "from then on rows go because of limits");
	is("PRAGMA integrity_check", "ok", "the file is whole", version);
	ledger_writer_close(w);
}

/* As such a version left it: rows up to this one in the older table, the others in its own. */
static void make_halfway(unsigned int version, int old)
{
	sqlite3 *db = old_ledger(path, version);
	char sql[1024];
	int rc = SQLITE_ERROR;

	snprintf(sql, sizeof(sql), "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
		 " WHERE i < %d) INSERT INTO connection (id, time, direction, evidence, certainty,"
		 " verdict) SELECT i, 7200000000 + i * 1000000, 1, 1 + i %% 7, 1 + i %% 3,"
		 " 1 + i %% 4 FROM n;"
		 "INSERT INTO connection_old SELECT id, time, direction, proto, src, sport, dst,"
		 " dport, process, node, evidence, certainty, reason, verdict, rule, latency,"
		 " amended, packets, bytes, end, audit_time, audit_serial, result, count,"
		 " candidates FROM connection WHERE id <= %d;"
		 "DELETE FROM connection WHERE id <= %d;", ROWS, old, old);
	if (db)
		rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
	if (!rc)
		rc = sqlite3_exec(db, LEDGER_TALLY("connection"), NULL, NULL, NULL);
	/* The version itself dropped the older table with its last row. */
	if (!rc && !old)
		rc = sqlite3_exec(db, ledger_views_moved, NULL, NULL, NULL);
	if (!rc && !old)
		rc = sqlite3_exec(db, "DROP TABLE connection_old", NULL, NULL, NULL);
	if (rc)
		tap_ok(false, "a ledger halfway: %s", sqlite3_errmsg(db));
	sqlite3_close(db);
}

static void test_halfway(unsigned int version, int old)
{
	struct ledger_writer *w;
	char before[256];
	int64_t removed;
	int steps = 0;

	path = scratch_path("old.db");
	db_remove(path);
	make_halfway(version, old);
	if (!tap_ok(ledger_writer_open(path, &w) == 0, "version %u with %d rows to move",
		    version, old))
		return;
	tap_ok(ledger_writer_to_move(w) == old, "it is told how many");
	snprintf(before, sizeof(before), "%s", ledger_text(path,
		 "SELECT count(*) || ' ' || sum(id * (time % 1000003 + evidence + certainty * 3 +"
		 " verdict * 13)) FROM connection_all"));
	tap_ok(!strncmp(before, "3000 ", 5), "all its rows are there: %s", before);
	ledger_writer_begin(w);
	amend(w, 77);
	ledger_writer_commit(w);
	for (; ledger_writer_trims(w) && steps < 20; steps++)
		step(w, 0, &removed);
	is("SELECT count(*) || ' ' || count(changed) || ' ' || max(certainty + 10 * (id = 77)) FROM"
	   " connection_all", "3000 1 13", "all are there behind it, one amended", version);
	is("SELECT count(*) FROM sqlite_schema WHERE name LIKE '%_old'", "0",
	   "the old table has gone", version);
	is(counts_differ, "0", "counts agree", version);
	is(totals_differ, "0", "totals as well", version);
	is("SELECT ledger > 0 FROM change", "1", "the ledger has a number of its own", version);
	ledger_writer_close(w);
}

static int interrupt_once(void *arg)
{
	bool *interrupts = arg;
	bool now = *interrupts;

	*interrupts = false;
	return now;
}

/* Where it cannot be read which rows are left, those are not taken for none. */
static void test_unread(void)
{
	struct ledger_writer *w;
	struct ledger_move *m;
	bool interrupts = true;
	sqlite3_stmt *left;
	sqlite3 *db;

	path = scratch_path("unread.db");
	make_old(LAST_VERSION);
	if (ledger_writer_open(path, &w))
		return;
	ledger_writer_close(w);
	if (sqlite3_open(path, &db) || ledger_move_new(db, &m))
		return;
	sqlite3_progress_handler(db, 1, interrupt_once, &interrupts);
	tap_ok(ledger_move_step(m, 100) < 0 && !interrupts, "a step that cannot read");
	is("SELECT count(*) > 2900 FROM connection_old", "1", "takes nothing away", LAST_VERSION);
	tap_ok(ledger_move_step(m, 100) == 0, "and the next one goes on");
	ledger_move_free(m);
	/* Its statements go with the database's others. */
	while ((left = sqlite3_next_stmt(db, NULL)))
		sqlite3_finalize(left);
	db_close(db);
}

/* The last step of a move, while another one writes. */
static void test_busy(void)
{
	sqlite3 *db, *other;
	struct ledger_writer *w;
	struct ledger_move *m;

	path = scratch_path("busy.db");
	make_old(LAST_VERSION);
	if (ledger_writer_open(path, &w))
		return;
	ledger_writer_close(w);
	if (sqlite3_open(path, &db) || sqlite3_open(path, &other))
		return;
	sqlite3_exec(other, "DELETE FROM connection_old; BEGIN IMMEDIATE", NULL, NULL, NULL);
	tap_ok(ledger_move_new(db, &m) == -EBUSY, "that it cannot be finished yet is told");
	ledger_move_free(m);
	sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL);
	sqlite3_close(other);
	tap_ok(ledger_move_new(db, &m) == 0, "and then it is finished");
	is("SELECT count(*) FROM sqlite_schema WHERE name = 'connection_old'", "0",
	   "and the old table gone", LAST_VERSION);
	ledger_move_free(m);
	db_close(db);
}

int main(void)
{
	scratch_make();
	test_unread();
	test_busy();
	for (unsigned int version = FIRST_VERSION; version <= LAST_VERSION; version++)
		test_version(version);
	for (unsigned int version = HALFWAY_VERSION; version <= HALFWAY_LAST; version++) {
		test_halfway(version, 1200);
		test_halfway(version, 0);
	}
	return tap_done();
}
