/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The questions of the commands go by indexes: how many steps SQLite makes for an answer does not
 * grow with the ledger.  Each is asked of a ledger whose rows are mostly of one place and one
 * program, for those, for a place of which a few old rows are, and for one of which there is none.
 */
#include <netinet/in.h>

#include "db.h"
#include "find.h"
#include "ledger.h"
#include "ledger_schema.h"
#include "query.h"
#include "scratch.h"
#include "tap.h"

#define ROWS 60000
/* Going through all rows, with ten steps for each, takes 600000.  Of two conditions it is found out
 * first which has fewer rows; for one on processes alone some of the newest rows are looked at. */
enum { ONE = 20000, PAIR = 130000, PROCESS = 100000 };
/* Of a row in a count by program; with all texts joined there would be 130. */
enum { COUNTED = 60 };

static const char *path;

/* Row id: each tenth is of the busy place, those around 1000 of the one that was busy once, and a
 * few of the rare one; all others of a crowd. */
static void add(struct ledger_writer *w, uint64_t id)
{
	struct ledger_change change;
	struct connection *c = &change.connection;
	char dst[32], exe[32];
	unsigned int kind = id % 10 == 0 ? 1 : id > 500 && id < 3000 ? 2 : id % 20001 == 1 ? 3 : 9;

	snprintf(dst, sizeof(dst), kind == 9 ? "198.51.100.%u" : "192.0.2.%u",
		 kind == 9 ? (unsigned int)(id * 7 % 250) : kind);
	snprintf(exe, sizeof(exe), "/bin/%s%u", kind == 9 ? "crowd-" : "p",
		 kind == 9 ? (unsigned int)(id % 40) : kind);
	ledger_change_init(&change, CHANGE_ADD, id);
	c->time_us = (int64_t)id * 1000000;
	c->direction = DIRECTION_OUT;
	c->protocol = IPPROTO_TCP;
	address_parse("203.0.113.1", &c->src.addr);
	c->src.port = 32768 + (int32_t)(id % 28000);
	address_parse(dst, &c->dst.addr);
	c->dst.port = id % 3 ? 443 : 80;
	c->process.pid = 100 + (int64_t)kind * 10000 + (int64_t)(id % (kind == 9 ? 20000 : 500));
	c->process.start_ticks = c->process.pid;
	c->process.uid = kind;
	c->process.exe = text_of(exe);
	c->process.comm = text_of(exe + 5);
	c->certainty = id % 10007 ? CERTAINTY_CERTAIN : CERTAINTY_UNKNOWN;
	c->verdict = id % 10009 ? VERDICT_ACCEPT : VERDICT_DROP;
	if (ledger_apply(w, &change))
		tap_ok(false, "row %llu is added", (unsigned long long)id);
}

/* All that a row can have, each as another word. */
static void add_full(struct ledger_writer *w)
{
	struct ledger_change change;
	struct connection *c = &change.connection;
	struct process *p = &c->process;
	static char words[CONNECTION_TEXTS][8];

	ledger_change_init(&change, CHANGE_ADD, ROWS + 1);
	c->time_us = 500000;	/* not the newest */
	c->direction = DIRECTION_OUT;
	c->verdict = VERDICT_ACCEPT;
	c->certainty = CERTAINTY_CERTAIN;
	p->pid = p->start_ticks = 99;
	p->exe = text_of("exe");
	p->comm = text_of("comm");
	p->cmdline = text_of("cmdline");
	p->cwd = text_of("cwd");
	p->user = text_of("user");
	p->login_user = text_of("login_user");
	for (int i = 0; i < CONNECTION_TEXTS; i++) {
		snprintf(words[i], sizeof(words[i]), "text %d", i);
		c->text[i] = text_of(words[i]);
	}
	c->dst_name_by = NAME_BY_USER;
	c->dst_names = 3;
	if (ledger_apply(w, &change))
		tap_ok(false, "a full row is added");
}

static void make_ledger(void)
{
	struct ledger_writer *w;

	if (ledger_writer_open(path, &w) || ledger_writer_begin(w))
		exit(1);
	for (uint64_t id = 1; id <= ROWS; id++)
		add(w, id);
	add_full(w);
	if (ledger_writer_commit(w))
		exit(1);
	ledger_writer_close(w);
}

static int64_t last_time;
static bool in_order;

static int on_row(const struct cell *cells, int columns, void *arg)
{
	(void)arg;
	in_order = in_order && cells[columns - 2].integer >= last_time;
	last_time = cells[columns - 2].integer;
	return 0;
}

/* Asks for the newest 20, and compares their number, and the newest one's, with what is there. */
static void ask(struct find *f, int64_t wanted, int64_t newest, int64_t most, const char *name)
{
	struct query_db *db = query_open(path);
	int64_t rows, steps;

	if (!db)
		exit(1);
	last_time = 0;
	in_order = true;
	rows = find_newest(f, db, 20, on_row, NULL);
	steps = query_steps(db);
	if (!tap_ok(rows == wanted && in_order && last_time == newest * 1000000, "%s", name))
		tap_note("%lld rows, wanted %lld, the newest %lld, wanted %lld", (long long)rows,
			 (long long)wanted, (long long)last_time / 1000000, (long long)newest);
	if (!tap_ok(steps < most, "%s: in few steps", name))
		tap_note("%lld steps", (long long)steps);
	query_close(db);
	find_release(f);
}

static const struct {
	const char *whom;
	int number;
	int64_t rows, newest;
} places[] = {
	{ "busy", 1, 20, 60000 }, { "busy once", 2, 20, 2999 }, { "rare", 3, 3, 40003 },
	{ "never", 4, 0, 0 },
};

static void test_place(int i)
{
	char value[32], exe[32], name[64];
	struct find f = { .count = 0 };

	snprintf(value, sizeof(value), "192.0.2.%d", places[i].number);
	snprintf(name, sizeof(name), "a destination: %s", places[i].whom);
	find_add(&f, FIND_INDEX, "c.dst = (SELECT id FROM text WHERE text = ?%d)",
		 find_text(&f, value));
	ask(&f, places[i].rows, places[i].newest, ONE, name);

	f = (struct find){ .count = 0 };
	snprintf(exe, sizeof(exe), "/bin/p%d", places[i].number);
	snprintf(name, sizeof(name), "a program: %s", places[i].whom);
	find_exe(&f, "t.text = ?%d", find_text(&f, exe));
	ask(&f, places[i].rows, places[i].newest, ONE, name);

	f = (struct find){ .count = 0 };
	snprintf(name, sizeof(name), "programs by a pattern: %s", places[i].whom);
	snprintf(exe, sizeof(exe), "*p%d", places[i].number);
	find_exe(&f, "t.text GLOB ?%d", find_text(&f, exe));
	find_exe(&f, "t.text GLOB ?%d", find_text(&f, "/*"));
	ask(&f, places[i].rows, places[i].newest, ONE, name);

	f = (struct find){ .count = 0 };
	snprintf(name, sizeof(name), "a process's name: %s", places[i].whom);
	find_add(&f, FIND_PROCESS, "tcomm.text = ?%d", find_text(&f, exe + 1));
	ask(&f, places[i].rows, places[i].newest, PROCESS, name);

	/* The other condition is on the busy place, or program. */
	f = (struct find){ .count = 0 };
	snprintf(name, sizeof(name), "a program at the busy place: %s", places[i].whom);
	find_add(&f, FIND_INDEX, "c.dst = (SELECT id FROM text WHERE text = ?%d)",
		 find_text(&f, "192.0.2.1"));
	find_exe(&f, "t.text GLOB ?%d", find_text(&f, exe));
	ask(&f, i ? 0 : 20, i ? 0 : 60000, PAIR, name);

	f = (struct find){ .count = 0 };
	snprintf(name, sizeof(name), "the busy program at a place: %s", places[i].whom);
	find_exe(&f, "t.text = ?%d", find_text(&f, "/bin/p1"));
	find_add(&f, FIND_INDEX, "c.dst = (SELECT id FROM text WHERE text = ?%d)",
		 find_text(&f, value));
	ask(&f, i ? 0 : 20, i ? 0 : 60000, PAIR, name);
}

static void test_words(void)
{
	struct find f = { .certainty = 1 };

	find_add(&f, FIND_NONE, "c.certainty = 1");
	ask(&f, 5, 50035, ONE, "a certainty that is rare");
	f = (struct find){ .verdict = 3 };
	find_add(&f, FIND_NONE, "c.verdict = 3");
	ask(&f, 5, 50045, ONE, "a verdict that is rare");
	f = (struct find){ .verdict = 4 };
	find_add(&f, FIND_NONE, "c.verdict = 4");
	ask(&f, 0, 0, ONE, "a verdict that never was");
	f = (struct find){ .direction = 2 };
	find_add(&f, FIND_NONE, "c.direction = 2");
	ask(&f, 0, 0, ONE, "a direction that never was");
	f = (struct find){ .count = 0 };
	ask(&f, 20, 60000, ONE, "no condition");
	f = (struct find){ .count = 0 };
	find_add(&f, FIND_NONE, "c.time BETWEEN 30000000000 AND 30000500000");
	ask(&f, 1, 30000, ONE, "a time");
	f = (struct find){ .count = 0 };
	find_add(&f, FIND_INDEX, "c.process IN (SELECT id FROM process WHERE pid = 30102)");
	ask(&f, 1, 20002, ONE, "a pid that is rare");
}

static int on_plan(const struct cell *cells, int columns, void *arg)
{
	char line[200];

	snprintf(line, sizeof(line), "%.*s", (int)cells[columns - 1].text.len,
		 cells[columns - 1].text.data);
	if (!strncmp(line, "SCAN connection", 15) || !strncmp(line, "SCAN c", 6) ||
	    !strncmp(line, "SCAN t", 6))
		*(bool *)arg = true;
	return 0;
}

/* No step of the plan goes through all connections. */
static bool scans(const char *sql)
{
	char explain[4096];
	struct query_db *db = query_open(path);
	struct sql s = { .failed = false };
	bool found = false;

	snprintf(explain, sizeof(explain), "EXPLAIN QUERY PLAN %s", sql);
	sql_add(&s, explain);
	if (!db || query_run(db, &s, on_plan, &found) <= 0)
		exit(1);
	sql_release(&s);
	query_close(db);
	return found;
}

static void test_plans(void)
{
	tap_ok(scans("SELECT count(*) FROM connections WHERE time > '2026'"),
	       "a plan that goes through all connections is known");
	tap_ok(!scans(ledger_halves_sql), "what sockledgerd asks when it starts does not");
	tap_ok(!scans("SELECT exe, count(*) FROM timeline WHERE us >= 5 AND us < 7 GROUP BY exe"),
	       "a range of the time in the view `timeline`");
	tap_ok(!scans("SELECT time FROM timeline WHERE dst = '192.0.2.1' ORDER BY us DESC LIMIT 9"),
	       "an address in it");
	tap_ok(!scans("SELECT exe, sum(count) FROM hours WHERE hour_number >= 5 GROUP BY exe"),
	       "a range of hours");
}

static int take_number(const struct cell *cells, int columns, void *arg)
{
	(void)columns;
	*(int64_t *)arg = cells[0].integer;
	return 0;
}

/* What the query counts, and in how many steps. */
static int64_t count(const char *sql, int64_t *steps)
{
	struct query_db *db = query_open(path);
	struct sql s = { .failed = false };
	int64_t n = -1;

	sql_add(&s, sql);
	if (!db || query_run(db, &s, take_number, &n) < 0)
		exit(1);
	*steps = query_steps(db);
	sql_release(&s);
	query_close(db);
	return n;
}

/* The view's columns are the readers', and a sum asks for no others than it names. */
static void test_views(void)
{
	static const char view[] = "SELECT * FROM connections";
	char readers[8000], sql[9000];
	int64_t n, steps;

	snprintf(readers, sizeof(readers), "%s%s", ledger_select_columns, ledger_select_from);
	for (int turn = 0; turn < 2; turn++) {
		snprintf(sql, sizeof(sql), "SELECT count(*) FROM (%s EXCEPT %s)",
			 turn ? view : readers, turn ? readers : view);
		n = count(sql, &steps);
		tap_ok(n == 0, "the view `connections` has what commands read: %d", turn + 1);
	}
	n = count("SELECT count(*) FROM timeline WHERE us = 500000 AND comm = 'comm' AND"
		  " cmdline = 'cmdline' AND cwd = 'cwd' AND user = 'user' AND"
		  " login_user = 'login_user' AND dst_name = 'text 8' AND rule = 'text 6'", &steps);
	tap_ok(n == 1, "each text in its own column");
	n = count("SELECT sum(n) FROM (SELECT exe, count(*) AS n FROM timeline GROUP BY exe)",
		  &steps);
	if (!tap_ok(n == ROWS + 1 && steps < COUNTED * ROWS, "a count by program: few steps a row"))
		tap_note("%lld rows, %lld steps", (long long)n, (long long)steps);
}

int main(void)
{
	scratch_make();
	path = scratch_path("ledger.db");
	make_ledger();
	for (int i = 0; i < (int)(sizeof(places) / sizeof(places[0])); i++)
		test_place(i);
	test_words();
	test_plans();
	test_views();
	return tap_done();
}
