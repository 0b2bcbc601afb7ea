/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the ledger says of programs, and one of a version that did not know their files. */
#include <stdlib.h>

#include <sqlite3.h>

#include "connection.h"
#include "db.h"
#include "ledger.h"
#include "old-ledger.h"
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

/* What has come of programs that an older version wrote, and of one that is written now. */
static void migrates(unsigned int version, const char *rows, const char *wanted)
{
	const char *path = scratch_path("old.db");
	struct ledger_writer *w;
	sqlite3 *db;

	db_remove(path);
	db = old_ledger(path, version);
	tap_ok(db && !sqlite3_exec(db, rows, NULL, NULL, NULL), "a ledger of version %u", version);
	sqlite3_close(db);
	w = open_writer(path);
	add(w, ledger_writer_next_id(w), EXE_HERE);
	finish(w);
	is(path, "SELECT group_concat(shown) FROM (SELECT exe || ' ' || exe_seen AS shown"
	   " FROM timeline ORDER BY id)", wanted);
}

static void test_migration(void)
{
	static const char text[] = "INSERT INTO text VALUES (1, '/an/exe'), (2, '/a/parent');";
	static const char connections[] =
		"INSERT INTO connection (id, time, direction, process, evidence, certainty,"
		" verdict) SELECT id, id, 1, id, 1, 3, 1 FROM process;";
	char sql[512];

	snprintf(sql, sizeof(sql), "%sINSERT INTO process (id, pid, exe) VALUES (1, 4711, 1);%s",
		 text, connections);
	migrates(4, sql, "/an/exe told,/an/exe here");
	snprintf(sql, sizeof(sql), "%sINSERT INTO process (id, pid, exe, exe_seen) VALUES"
		 " (1, 4711, 1, NULL), (2, 4711, 1, 1), (3, 4711, 1, 3), (4, 4711, 1, 4),"
		 " (5, 4711, 2, 5);%s", text, connections);
	migrates(5, sql, "/an/exe told,/an/exe here,/an/exe (other file) other,"
		 "/an/exe (other file) other,/a/parent unreadable,/an/exe here");
}

int main(void)
{
	scratch_make();
	test_programs();
	test_migration();
	return tap_done();
}
