/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of destinations in the ledger: with the row that they belong to, whatever it becomes, and
 * in a ledger of any older version. */
#include <netinet/in.h>

#include <sqlite3.h>

#include "db.h"
#include "ledger.h"
#include "ledger_schema.h"
#include "old-ledger.h"
#include "scratch.h"
#include "sql.h"
#include "tap.h"

static const char *path;
static struct ledger_writer *w;

static void is(const char *sql, const char *wanted, const char *what)
{
	const char *got = ledger_text(path, sql);

	if (!tap_ok(!strcmp(got, wanted), "%s", what))
		tap_note("got %s, wanted %s", got, wanted);
}

static void change(enum change_kind kind, uint64_t id, bool amended, const char *name,
		   enum name_by by)
{
	struct ledger_change c;

	ledger_change_init(&c, kind, id);
	c.amended = amended;
	c.connection.process.pid = 100;
	c.connection.dst_name_by = by;
	c.connection.dst_names = 3;
	c.connection.text[CONNECTION_DST_NAME] = text_of(name);
	ledger_writer_begin(w);
	if (ledger_apply(w, &c) || ledger_writer_commit(w))
		tap_ok(false, "a change of row %llu", (unsigned long long)id);
}

#define NAME(id)                                                                               \
	"SELECT ifnull(dst_name || ' ' || dst_name_by || ' ' || dst_names, 'none')"            \
	" FROM timeline WHERE id = " #id

static void test_changes(void)
{
	path = scratch_path("names.db");
	if (!tap_ok(!ledger_writer_open(path, &w), "a new ledger"))
		return;
	change(CHANGE_ADD, 1, false, "one.example", NAME_BY_PROCESS);
	is(NAME(1), "one.example process 3", "a row with a name");
	change(CHANGE_ADD, 2, false, NULL, NAME_BY_NOBODY);
	is(NAME(2), "none", "a row without");
	change(CHANGE_DECIDE, 2, false, "two.example", NAME_BY_HOST);
	is(NAME(2), "two.example host 3", "which gets one with its packet");
	change(CHANGE_CONFIRM, 1, false, NULL, NAME_BY_NOBODY);
	is(NAME(1), "one.example process 3", "the record of the same process leaves it");
	change(CHANGE_PROVE, 1, false, NULL, NAME_BY_NOBODY);
	is(NAME(1), "one.example process 3", "so does a proof");
	change(CHANGE_CONFIRM, 1, true, "one.example", NAME_BY_USER);
	is(NAME(1), "one.example user 3", "another process's row has another's look-up");
	change(CHANGE_CONFIRM, 2, true, NULL, NAME_BY_NOBODY);
	is(NAME(2), "none", "or none at all");
	is("SELECT count(*) FROM dst_name", "1", "of which nothing is left");
	ledger_writer_close(w);
}

static void test_trim(void)
{
	const struct ledger_limits limits = { .rows = 1 };
	int64_t removed;

	path = scratch_path("trimmed.db");
	if (ledger_writer_open(path, &w))
		return;
	change(CHANGE_ADD, 1, false, "one.example", NAME_BY_PROCESS);
	change(CHANGE_ADD, 2, false, "two.example", NAME_BY_PROCESS);
	ledger_writer_begin(w);
	tap_ok(!ledger_writer_trim(w, &limits, 0, 10, &removed) && removed == 1 &&
	       !ledger_writer_commit(w), "a row goes");
	is("SELECT group_concat(connection) FROM dst_name", "2", "and with it whose name it was");
	ledger_writer_close(w);
}

static void test_version(unsigned int version)
{
	sqlite3 *db;
	int rc;

	path = scratch_path("old.db");
	db_remove(path);
	db = old_ledger(path, version);
	rc = sqlite3_exec(db, "INSERT INTO connection (id, time, direction, evidence, certainty,"
			      " verdict) VALUES (1, 1000000, 1, 0, 1, 1)", NULL, NULL, NULL);
	sqlite3_close(db);
	if (!tap_ok(!rc && !ledger_writer_open(path, &w), "version %u is opened", version))
		return;
	is(NAME(1), "none", "its rows have no names");
	change(CHANGE_ADD, ledger_writer_next_id(w), false, "new.example", NAME_BY_PROCESS);
	is(NAME(2), "new.example process 3", "new ones have");
	is("SELECT group_concat(ifnull(dst_name, '-')) FROM connections", "-,new.example",
	   "in the other view as well");
	is("PRAGMA integrity_check", "ok", "the file is whole");
	ledger_writer_close(w);
}

int main(void)
{
	scratch_make();
	test_changes();
	test_trim();
	for (unsigned int version = 1; version < ledger_schema.version; version++)
		test_version(version);
	return tap_done();
}
