/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Both databases while SQLite lacks memory, from each of its allocations on, or for that one alone:
 * nobody crashes, no database is taken for a damaged one, what was committed is there, and what is
 * read is right or not read at all.
 */
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <sqlite3.h>

#include "cache.h"
#include "db.h"
#include "ledger.h"
#include "scratch.h"
#include "tap.h"

#define ROWS 5

/* The allocation that fails, counted from 1, and how many there were. */
static int fails_at, allocations;
static bool fails_on;		/* and all behind it */
static bool armed;
static sqlite3_mem_methods usual;

static void fail_at(int n, bool on)
{
	fails_at = n;
	fails_on = on;
	allocations = 0;
	armed = true;
}

static void fail_no_more(void)
{
	armed = false;
}

static bool fails(void)
{
	if (!armed)
		return false;
	allocations++;
	return fails_on ? allocations >= fails_at : allocations == fails_at;
}

static void *allocate(int size)
{
	return fails() ? NULL : usual.xMalloc(size);
}

static void *reallocate(void *old, int size)
{
	return fails() ? NULL : usual.xRealloc(old, size);
}

static void wrap_memory(void)
{
	sqlite3_mem_methods mine;

	if (sqlite3_config(SQLITE_CONFIG_GETMALLOC, &usual))
		abort();
	mine = usual;
	mine.xMalloc = allocate;
	mine.xRealloc = reallocate;
	if (sqlite3_config(SQLITE_CONFIG_MALLOC, &mine))
		abort();
}

/* What the last transaction set a counter to, and how often another value was read. */
static int64_t counter;
static int misread;

static int write_ledger(const char *path, uint64_t first)
{
	struct ledger_change change;
	struct ledger_writer *w;
	int64_t removed, value;
	int rc = ledger_writer_open(path, &w);

	if (rc)
		return rc;
	rc = ledger_writer_counter(w, "rows", &value);
	misread += !rc && value != counter;
	if (!rc)
		rc = ledger_writer_begin(w);
	for (uint64_t i = 0; !rc && i < ROWS; i++) {
		ledger_change_init(&change, CHANGE_ADD, first + i);
		change.connection.process.pid = (int64_t)(first + i);
		change.connection.process.exe = text_of("/usr/bin/program");
		address_parse("192.0.2.7", &change.connection.dst.addr);
		rc = ledger_apply(w, &change);
	}
	if (!rc)
		rc = ledger_writer_trim(w, &(struct ledger_limits){ .rows = 1000000 }, 0, 256,
					&removed);
	if (!rc)
		rc = ledger_writer_set_counter(w, "rows", (int64_t)first);
	if (!rc)
		rc = ledger_writer_commit(w);
	if (rc)
		ledger_writer_rollback(w);
	else
		counter = (int64_t)first;
	ledger_writer_close(w);
	return rc;
}

static void make_event(struct event *e, uint64_t i)
{
	static char argument[3000];

	memset(argument, 'x', sizeof(argument));
	event_init(e);
	e->kind = EVENT_CONNECT;
	e->arrival_us = e->time_us = (int64_t)i;
	address_parse("192.0.2.7", &e->addr);
	e->process.exe = text_of("/usr/bin/program");
	/* More than a page, so that it does not lie in one piece. */
	e->process.cmdline = (struct text){ argument, sizeof(argument) };
	e->process.cwd = e->process.cgroup = e->process.cmdline;
}

static int write_cache(const char *path, uint64_t first)
{
	struct cache_writer *w;
	struct event e;
	int64_t removed, value;
	int rc = cache_writer_open(path, &w);

	if (rc)
		return rc;
	rc = cache_writer_get(w, "rows", &value);
	misread += !rc && value != counter;
	if (!rc)
		rc = cache_writer_begin(w);
	for (uint64_t i = 0; !rc && i < ROWS; i++) {
		make_event(&e, first + i);
		rc = cache_writer_add(w, &e);
	}
	if (!rc)
		rc = cache_writer_trim(w, 1000000, 0, 256, &removed);
	if (!rc)
		rc = cache_writer_set(w, "rows", (int64_t)first);
	if (!rc)
		rc = cache_writer_commit(w);
	if (rc)
		cache_writer_rollback(w);
	else
		counter = (int64_t)first;
	cache_writer_close(w);
	return rc;
}

struct shown {
	int rows, wrong;
};

static int show(const struct event *e, void *arg)
{
	struct shown *s = arg;
	struct event wanted;

	make_event(&wanted, 0);
	s->rows++;
	s->wrong += e->kind != EVENT_CONNECT || memcmp(&e->addr, &wanted.addr, sizeof(e->addr)) ||
		    !text_equal(e->process.exe, wanted.process.exe) ||
		    !text_equal(e->process.cmdline, wanted.process.cmdline) ||
		    !text_equal(e->process.cgroup, wanted.process.cgroup);
	return 0;
}

static int64_t number(const char *path, const char *sql)
{
	int64_t n = -1;
	sqlite3 *db;

	if (!sqlite3_open(path, &db))
		db_number(db, sql, &n);
	sqlite3_close(db);
	return n;
}

/* The next one; not each, because an opening takes thousands. */
static int next(int n)
{
	return n + 1 + n / 40;
}

/* Writes ROWS rows at a time, with ever later allocations failing, until none does. */
static void test_writer(const char *what, const char *path, const char *table, bool on,
			int (*write_rows)(const char *path, uint64_t first))
{
	int64_t rows = 0, now;
	int tries = 0, refused = 0, odd = 0, lost = 0, rc;
	char sql[64];

	snprintf(sql, sizeof(sql), "SELECT count(*) FROM %s", table);
	counter = misread = 0;
	if (write_rows(path, 1))
		abort();
	rows = number(path, sql);
	fail_at(0, on);
	fail_no_more();
	for (int n = 1; allocations >= fails_at; n = next(n)) {
		fail_at(n, on);
		rc = write_rows(path, (uint64_t)rows + 1);
		fail_no_more();
		tries++;
		refused += rc == -ENOMEM;
		odd += rc && rc != -ENOMEM;
		now = number(path, sql);
		lost += now != rows + (rc ? 0 : ROWS);
		rows = now;
	}
	tap_note("%s%s: %d tries, %d refused", what, on ? ", for long" : "", tries, refused);
	tap_ok(refused > 20 && !odd, "%s: without memory it says so, and nothing else", what);
	tap_ok(!lost, "%s: what was committed is there, and nothing else", what);
	tap_ok(!misread, "%s: its counter is what it was, or is not read", what);
	tap_ok(!number(path, "SELECT count(*) FROM pragma_integrity_check"
			     " WHERE integrity_check <> 'ok'"), "%s: it is whole", what);
	tap_ok(!write_rows(path, (uint64_t)rows + 1), "%s: and is written again", what);
}

static void test_reader(const char *path, bool on)
{
	int tries = 0, refused = 0, few = 0, odd = 0, all = (int)number(path,
		"SELECT count(*) FROM event");
	struct shown s = { .rows = 0 };

	fail_at(0, on);
	fail_no_more();
	for (int n = 1; allocations >= fails_at; n += 1 + n / 100) {
		struct cache_reader *r;
		int rc;

		fail_at(n, on);
		s.rows = 0;
		rc = cache_reader_open(path, &r);
		if (!rc) {
			rc = cache_reader_walk(r, 0, all, show, &s);
			cache_reader_close(r);
		}
		fail_no_more();
		tries++;
		refused += rc == -ENOMEM;
		odd += rc < 0 && rc != -ENOMEM;
		few += rc >= 0 && s.rows != all;
	}
	tap_note("reader: %d tries, %d refused", tries, refused);
	tap_ok(refused > 10 && !odd, "a reader without memory says so, and nothing else");
	tap_ok(!few && !s.wrong, "and shows each row as it is, or not at all");
}

int main(void)
{
	const char *path;

	scratch_make();
	wrap_memory();
	test_writer("ledger", scratch_path("ledger.db"), "connection", false, write_ledger);
	test_writer("ledger", scratch_path("ledger-long.db"), "connection", true, write_ledger);
	test_writer("cache", scratch_path("cache-long.db"), "event", true, write_cache);
	path = scratch_path("cache.db");
	test_writer("cache", path, "event", false, write_cache);
	test_reader(path, false);
	test_reader(path, true);
	return tap_done();
}
