/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the ledger says of programs, and one of a version that did not know their files. */
#include <stdlib.h>

#include <sqlite3.h>

#include "connection.h"
#include "db.h"
#include "ledger.h"
#include "scratch.h"
#include "tap.h"

static void is(const char *path, const char *sql, const char *wanted)
{
	const unsigned char *got = NULL;
	sqlite3_stmt *s = NULL;
	sqlite3 *db;

	if (ledger_open_read(path, &db))
		abort();
	if (!db_prepare(db, sql, &s) && sqlite3_step(s) == SQLITE_ROW)
		got = sqlite3_column_text(s, 0);
	if (!tap_ok(got && !strcmp((const char *)got, wanted), "%s", wanted))
		tap_note("got: %s", got ? (const char *)got : "nothing");
	sqlite3_finalize(s);
	db_close(db);
}

static struct ledger_writer *open_writer(const char *path)
{
	struct ledger_writer *w;

	if (ledger_writer_open(path, &w) || ledger_writer_begin(w))
		abort();
	return w;
}

static void add(struct ledger_writer *w, uint64_t id, int64_t seen)
{
	struct ledger_change change;

	ledger_change_init(&change, CHANGE_ADD, id);
	change.connection.process.pid = 4711;
	change.connection.process.exe = text_of("/an/exe");
	change.connection.process.exe_seen = seen;
	change.connection.text[CONNECTION_PARENT_EXE] = text_of("/a/parent");
	change.connection.parent_seen = seen;
	if (ledger_apply(w, &change))
		abort();
}

static void finish(struct ledger_writer *w)
{
	if (ledger_writer_commit(w))
		abort();
	ledger_writer_close(w);
}

/* What is shown of a program whose file was seen so. */
static void test_programs(void)
{
	static const struct {
		int64_t seen;
		const char *row;
	} programs[] = {
		{ EXE_TOLD, "/an/exe told" }, { EXE_HERE, "/an/exe here" },
		{ EXE_REPLACED, "/an/exe replaced" }, { EXE_OTHER, "/an/exe (other file) other" },
		{ EXE_USERS, "/an/exe (other file) other" },
		{ EXE_UNREADABLE, "/an/exe unreadable" },
	};
	const char *path = scratch_path("programs.db");
	struct ledger_writer *w = open_writer(path);

	for (int i = 0; i < 6; i++)
		add(w, (uint64_t)i + 1, programs[i].seen);
	finish(w);
	for (int i = 0; i < 6; i++) {
		char sql[128];

		snprintf(sql, sizeof(sql), "SELECT exe || ' ' || exe_seen FROM connections"
			 " LIMIT 1 OFFSET %d", i);
		is(path, sql, programs[i].row);
	}
	is(path, "SELECT group_concat(DISTINCT parent_exe) FROM connections",
	   "/a/parent,/a/parent (other file)");
}

static void test_migration(void)
{
	const char *path = scratch_path("old.db");
	struct ledger_writer *w = open_writer(path);
	sqlite3 *db;

	add(w, 1, EXE_HERE);
	finish(w);
	sqlite3_open(path, &db);
	tap_ok(!sqlite3_exec(db, "DROP VIEW connections;"
			     "ALTER TABLE process DROP COLUMN exe_seen;"
			     "ALTER TABLE process DROP COLUMN exe_dev;"
			     "ALTER TABLE process DROP COLUMN exe_inode;"
			     "ALTER TABLE process DROP COLUMN exe_ctime;"
			     "CREATE VIEW connections AS SELECT 1;"
			     "PRAGMA user_version = 4", NULL, NULL, NULL), "an older ledger");
	sqlite3_close(db);
	w = open_writer(path);
	add(w, 2, EXE_HERE);
	finish(w);
	is(path, "SELECT group_concat(exe || ' ' || exe_seen) FROM connections",
	   "/an/exe told,/an/exe here");
}

int main(void)
{
	scratch_make();
	test_programs();
	test_migration();
	return tap_done();
}
