/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ledger's limits: what goes, what stays, and that nothing is left that names what went. */
#include <netinet/in.h>

#include <sqlite3.h>

#include "db.h"
#include "ledger.h"
#include "scratch.h"
#include "sql.h"
#include "tap.h"

#define SECOND 1000000LL
#define MOST_ROWS 10000

static const char *path;
static struct ledger_writer *w;
static uint64_t id;

static void is(const char *sql, int64_t wanted, const char *name)
{
	int64_t got = ledger_number(path, sql);

	if (!tap_ok(got == wanted, "%s", name))
		tap_note("got %lld, wanted %lld", (long long)got, (long long)wanted);
}

/* A connection of process pid, each of whose texts no other process has. */
static void add(int64_t pid, int64_t time_us)
{
	struct ledger_change change;
	struct connection *c = &change.connection;
	static char texts[PROCESS_TEXTS + CONNECTION_TEXTS][300];

	ledger_change_init(&change, CHANGE_ADD, ++id);
	c->time_us = time_us;
	c->protocol = IPPROTO_TCP;
	c->dst.port = 80;
	address_parse("192.0.2.1", &c->dst.addr);
	address_parse("192.0.2.2", &c->src.addr);
	c->process.pid = pid;
	c->process.start_ticks = pid;
	for (int i = 0; i < PROCESS_TEXTS + CONNECTION_TEXTS; i++) {
		struct text *t = i < PROCESS_TEXTS ? &c->process.text[i] :
				 &c->text[i - PROCESS_TEXTS];

		snprintf(texts[i], sizeof(texts[i]), "text %d of %lld %0200d", i, (long long)pid,
			 i);
		*t = text_of(texts[i]);
	}
	if (ledger_apply(w, &change))
		tap_ok(false, "row %llu is added", (unsigned long long)id);
}

/* Adds so many rows of as many processes, a second apart. */
static void add_all(int64_t first, int count)
{
	ledger_writer_begin(w);
	for (int i = 0; i < count; i++)
		add(first + i, (first + i) * SECOND);
	ledger_writer_commit(w);
}

/* Steps until nothing is left to do; how many connections went. */
static int64_t trim_all(struct ledger_limits limits, int64_t now_us, int most)
{
	int64_t removed, all = 0;
	int steps = 0;

	do {
		if (ledger_writer_begin(w) ||
		    ledger_writer_trim(w, &limits, now_us, most, &removed) ||
		    ledger_writer_commit(w))
			return -1;
		all += removed;
		if (removed > most)
			return -2;
	} while (ledger_writer_trims(w) && ++steps < 10000);
	return steps < 10000 ? all : -3;
}

/* Everything that is named is there, and little is there that is not named. */
static void is_tidy(const char *when)
{
	static const char all[] =
		"SELECT count(*) FROM (SELECT DISTINCT src FROM connection UNION SELECT dst FROM"
		" connection UNION SELECT node FROM connection UNION SELECT reason FROM connection"
		" UNION SELECT rule FROM connection UNION SELECT candidates FROM connection UNION"
		" SELECT comm FROM process UNION SELECT exe FROM process UNION SELECT cmdline FROM"
		" process UNION SELECT cwd FROM process UNION SELECT label FROM process UNION"
		" SELECT user FROM process UNION SELECT login_user FROM process UNION SELECT"
		" parent_exe FROM process UNION SELECT ancestors FROM process UNION SELECT"
		" container FROM process UNION SELECT unit FROM process UNION SELECT name FROM"
		" dst_name)";

	/* A sweep comes after 1024 rows, which left 16 texts each. */
	if (!tap_ok(ledger_number(path, "SELECT count(*) FROM text") -
		    ledger_number(path, all) <= 16 * 1100,
		    "%s: texts that nobody names went", when))
		tap_note("%lld named, %lld there", (long long)ledger_number(path, all),
			 (long long)ledger_number(path, "SELECT count(*) FROM text"));
	is("SELECT count(*) FROM process WHERE id NOT IN (SELECT process FROM connection)", 0,
	   "every process as well");
	is("SELECT count(*) - (SELECT count FROM amount) FROM process", 0,
	   "and is counted no more");
	is("SELECT count(*) FROM connection WHERE process NOT IN (SELECT id FROM process)", 0,
	   "no connection has lost its process");
	is("SELECT count(*) FROM connections WHERE exe IS NULL OR src IS NULL OR rule IS NULL"
	   " OR parent_exe IS NULL", 0, "nor its texts");
}

static void test_limits(void)
{
	add_all(1, 5000);
	tap_ok(trim_all((struct ledger_limits){ 0, 0, 0 }, 9999 * SECOND, 100) == 0,
	       "without limits all stays");
	tap_ok(trim_all((struct ledger_limits){ .rows = 4000 }, 9999 * SECOND, 100) == 1000,
	       "by rows, the excess goes, in steps");
	is("SELECT min(pid) FROM process", 1001, "the oldest");
	tap_ok(trim_all((struct ledger_limits){ .age_us = 7999 * SECOND }, 9999 * SECOND, 100) ==
	       999, "by age, what is older");
	is("SELECT min(time) FROM connection", 2000 * SECOND, "and not what is as old");
	is_tidy("after a sweep");
	tap_ok(trim_all((struct ledger_limits){ .rows = 4000 }, 9999 * SECOND, 100) == 0,
	       "and not again");
}

/* A text and a process that went come back: by numbers that are there. */
static void test_again(void)
{
	int64_t removed;

	add_all(1500, 1);
	is("SELECT count(*) FROM connections WHERE exe LIKE 'text % of 1500 %'", 1,
	   "a process that went comes back with its texts");
	/* While a sweep goes on, in the state where the texts it looks for are marked. */
	for (int steps = 0; steps < 6; steps++) {
		struct ledger_limits limits = { .rows = 1000 };

		ledger_writer_begin(w);
		ledger_writer_trim(w, &limits, 0, 1200, &removed);
		add(2000 + steps, (20000 + steps) * SECOND);
		ledger_writer_commit(w);
	}
	trim_all((struct ledger_limits){ .rows = 1000 }, 0, 1200);
	is_tidy("texts that were named anew during a sweep");
	is("SELECT count(*) FROM connection", 1000, "as many rows as are allowed");
}

static void test_bytes(void)
{
	static const char used[] = "SELECT ((SELECT page_count FROM pragma_page_count) - (SELECT"
				   " freelist_count FROM pragma_freelist_count)) * 8192";
	int64_t before, size;

	add_all(30000, 4000);
	before = ledger_number(path, used);
	tap_ok(trim_all((struct ledger_limits){ .bytes = before / 2 }, 0, 300) > 0,
	       "by bytes, rows go");
	size = ledger_number(path, used);
	if (!tap_ok(size <= before / 2, "until it is small enough"))
		tap_note("%lld of %lld", (long long)size, (long long)before);
	tap_ok(ledger_number(path, "SELECT count(*) FROM connection") > 800, "and no further");
	is_tidy("by bytes");
	for (int i = 0; i < 100; i++)
		ledger_writer_shrink(w);
	tap_ok(!ledger_writer_begin(w) && !ledger_writer_commit(w), "it can be written on");
}

/* Of processes that lose connections in one step those go that have no other. */
static void test_processes(void)
{
	static const int64_t pids[] = { 1, 1, 2, 3, 2, 4, 4, 5, 1 };
	int count = sizeof(pids) / sizeof(pids[0]);

	ledger_writer_begin(w);
	for (int i = 0; i < count; i++)
		add(90000 + pids[i], (90000 + i) * SECOND);
	ledger_writer_commit(w);
	trim_all((struct ledger_limits){ .rows = count }, 0, MOST_ROWS);
	is("SELECT count(*) FROM process WHERE pid > 90000", 5, "some processes");
	tap_ok(trim_all((struct ledger_limits){ .rows = 1 }, 0, MOST_ROWS) == count - 1,
	       "one of them keeps a connection");
	is("SELECT sum(pid) FROM process", 90001, "that one alone is left");
}

/* What is undone has not happened. */
static void test_rollback(void)
{
	int64_t rows = ledger_number(path, "SELECT count(*) FROM connection"), removed;
	struct ledger_limits limits = { .rows = rows - 500 };

	ledger_writer_begin(w);
	ledger_writer_trim(w, &limits, 0, 1000, &removed);
	tap_ok(removed == 500, "a step");
	ledger_writer_rollback(w);
	is("SELECT count(*) FROM connection", rows, "undone");
	tap_ok(trim_all(limits, 0, 1000) == 500, "and done again");
	is_tidy("in the end");
}

int main(void)
{
	scratch_make();
	path = scratch_path("ledger.db");
	if (ledger_writer_open(path, &w))
		return 1;
	test_limits();
	test_again();
	test_bytes();
	test_rollback();
	test_processes();
	ledger_writer_close(w);
	is("SELECT count(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'", 1,
	   "the file is whole");
	return tap_done();
}
