/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The recorder over real files that somebody exchanges, restores, or writes to: rows go on, none
 * twice, none lost without being counted.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "clock.h"
#include "db.h"
#include "ledger.h"
#include "ledger_sink.h"
#include "scratch.h"
#include "tap.h"

#define GENERATION "00112233445566778899aabbccddeeff"

static char path[4200], other[4200];
static struct ledger_limits limits;
static int never;		/* the program's end: never readable */

static void tap_is_int(int64_t got, int64_t wanted, const char *name)
{
	if (!tap_ok(got == wanted, "%s", name))
		tap_note("got %lld, wanted %lld", (long long)got, (long long)wanted);
}

static int64_t number_of(const char *file, const char *sql)
{
	sqlite3 *db;
	int64_t n = -1;
	int rc = ledger_open_read(file, &db);

	if (rc)
		return rc;
	if (db_number(db, sql, &n))
		n = -1;
	db_close(db);
	return n;
}

static int64_t rows(const char *file, const char *where)
{
	char sql[256];

	snprintf(sql, sizeof(sql), "SELECT count(*) FROM connection WHERE %s", where);
	return number_of(file, sql);
}

/* Waits until the ledger says so, for ten seconds at most. */
static bool comes(const char *sql, int64_t wanted)
{
	int64_t got = -1;

	for (int i = 0; i < 1000; i++) {
		got = number_of(path, sql);
		if (got == wanted)
			return true;
		usleep(10000);
	}
	tap_note("%s: %lld", sql, (long long)got);
	return false;
}

static void made_row(struct connection *c, uint64_t id, int port)
{
	connection_init(c);
	c->id = id;
	c->time_us = 1000000 * (int64_t)id;
	c->protocol = IPPROTO_TCP;
	c->dst.port = port;
	address_parse("192.0.2.1", &c->dst.addr);
	c->process.pid = 77;
	c->process.comm = text_of("somebody");
	c->text[CONNECTION_NODE] = text_of("elsewhere");
}

static void put(struct ledger_sink *r, enum change_kind kind, uint64_t id, int port, uint64_t seq)
{
	struct ledger_change change;

	ledger_change_init(&change, kind, id);
	made_row(&change.connection, id, port);
	if (!ledger_sink_put(r, seq, &change))
		tap_ok(false, "row %llu has room", (unsigned long long)id);
}

/* A ledger of that many rows, with ids from 1 on, all to port 7. */
static void make_ledger(const char *file, int count)
{
	struct ledger_writer *w;

	db_remove(file);
	if (ledger_writer_open(file, &w) || ledger_writer_begin(w)) {
		tap_ok(false, "a ledger can be made");
		exit(1);
	}
	for (int i = 1; i <= count; i++) {
		struct ledger_change change;

		ledger_change_init(&change, CHANGE_ADD, (uint64_t)i);
		made_row(&change.connection, (uint64_t)i, 7);
		ledger_apply(w, &change);
	}
	ledger_writer_set_position(w, GENERATION, 5);
	ledger_writer_commit(w);
	ledger_writer_close(w);
}

static struct ledger_sink *start(void)
{
	struct ledger_sink *r;
	int rc = ledger_sink_start(path, &limits, "here", 1 << 20, never, &r);

	if (rc) {
		tap_ok(false, "the recorder starts: %d", rc);
		exit(1);
	}
	return r;
}

static void sql(const char *file, const char *text)
{
	sqlite3 *db;
	char *why = NULL;

	sqlite3_open(file, &db);
	sqlite3_busy_timeout(db, 5000);
	if (sqlite3_exec(db, text, NULL, NULL, &why))
		tap_ok(false, "%s: %s", text, why);
	sqlite3_free(why);
	sqlite3_close(db);
}

static bool is_whole(const char *file)
{
	return number_of(file, "SELECT count(*) FROM pragma_integrity_check"
			       " WHERE integrity_check = 'ok'") == 1;
}

/* The log of the ledger that was there; held open, so that no other file gets its inode. */
static int put_in_place(void)
{
	char name[sizeof(path) + 8];
	int log;

	snprintf(name, sizeof(name), "%s-wal", path);
	log = open(name, O_RDONLY | O_CLOEXEC);
	rename(other, path);
	return log;
}

/* Until it is gone whoever opens the new one gets the former one's log with it. */
static void wait_for_log(int log)
{
	struct stat st;

	for (int i = 0; i < 1000 && !fstat(log, &st) && st.st_nlink; i++)
		usleep(10000);
	close(log);
}

/* Another ledger comes into its place; its log stays where it was, as after a plain mv. */
static void test_exchanged(void)
{
	struct ledger_sink *r;
	int log;

	make_ledger(path, 3);
	make_ledger(other, 1000);
	r = start();
	ledger_sink_follow(r, GENERATION, 5);
	put(r, CHANGE_ADD, 4, 8, 6);
	put(r, CHANGE_ADD, 5, 8, 7);
	tap_ok(comes("SELECT count(*) FROM connection WHERE dport = 8", 2), "rows are written");
	log = put_in_place();
	/* Numbers that the other ledger has, and words about rows that it has not. */
	put(r, CHANGE_PROVE, 4, 8, LEDGER_SINK_KEEP);
	put(r, CHANGE_CONFIRM, 5, 8, 8);
	for (uint64_t id = 6; id < 206; id++)
		put(r, CHANGE_ADD, id, 9, id + 3);
	wait_for_log(log);
	tap_ok(comes("SELECT count(*) FROM connection WHERE dport = 9", 200),
	       "another ledger in its place: rows go on");
	tap_is_int(rows(path, "dport = 7"), 1000, "and its own stay");
	tap_is_int(rows(path, "dport = 7 AND evidence <> 0"), 0, "untouched by words about others");
	tap_is_int(rows(path, "dport = 8"), 1, "a record whose row is elsewhere opens one");
	tap_is_int(rows(path, "dport = 9 AND id <= 1000"), 0, "new numbers are behind its own");
	tap_is_int(number_of(path, "SELECT seq FROM position"), 208, "the position is the cache's");
	tap_ok(is_whole(path), "the log of the former one was not read into it");
	put(r, CHANGE_AGAIN, 205, 9, 209);
	tap_ok(comes("SELECT sum(count) FROM connection WHERE dport = 9", 201),
	       "and a later word finds its row");
	tap_is_int(ledger_sink_stop(r, 5000), 0, "the recorder ends well");
	db_remove(path);
}

/* Restored in place: the same file, with the backup's rows. */
static void test_restored(void)
{
	struct ledger_sink *r;
	sqlite3 *from, *to;
	sqlite3_backup *backup;

	make_ledger(path, 3);
	make_ledger(other, 500);
	r = start();
	ledger_sink_follow(r, GENERATION, 5);
	put(r, CHANGE_ADD, 4, 8, 6);
	comes("SELECT count(*) FROM connection WHERE dport = 8", 1);
	sqlite3_open(other, &from);
	sqlite3_open(path, &to);
	sqlite3_busy_timeout(to, 5000);
	backup = sqlite3_backup_init(to, "main", from, "main");
	tap_is_int(sqlite3_backup_step(backup, -1), SQLITE_DONE, "a backup is restored in place");
	sqlite3_backup_finish(backup);
	sqlite3_close(from);
	sqlite3_close(to);
	for (uint64_t id = 5; id < 105; id++)
		put(r, CHANGE_ADD, id, 9, id + 2);
	tap_ok(comes("SELECT count(*) FROM connection WHERE dport = 9", 100), "rows go on");
	tap_is_int(rows(path, "dport = 7"), 500, "and the backup's stay");
	tap_is_int(rows(path, "dport = 9 AND id <= 500"), 0, "new numbers are behind them");
	tap_is_int(ledger_sink_stop(r, 5000), 0, "the recorder ends well");
	db_remove(path);
	db_remove(other);
}

/* Rows that others wrote, and rows that are refused. */
static void test_refused(void)
{
	struct ledger_sink *r;

	make_ledger(path, 3);
	r = start();
	sql(path, "INSERT INTO connection (id, time, direction, evidence, certainty, verdict)"
		  " VALUES (4, 1, 1, 0, 1, 1)");
	put(r, CHANGE_ADD, 4, 9, LEDGER_SINK_KEEP);
	put(r, CHANGE_ADD, 5, 9, LEDGER_SINK_KEEP);
	tap_ok(comes("SELECT count(*) FROM connection WHERE dport = 9", 2),
	       "a number that somebody took: the row has another");
	sql(path, "CREATE TRIGGER no BEFORE INSERT ON connection WHEN new.dport = 10 BEGIN"
		  " SELECT raise(ABORT, 'no'); END");
	for (uint64_t id = 6; id < 26; id++)
		put(r, CHANGE_ADD, id, id % 2 ? 10 : 11, LEDGER_SINK_KEEP);
	tap_ok(comes("SELECT count(*) FROM connection WHERE dport = 11", 10),
	       "rows that are not taken hold no other up");
	tap_is_int(number_of(path, "SELECT value FROM counter WHERE name = 'lost_refused'"), 10,
		   "and are counted");
	/* The record of a row whose neighbour was refused finds it. */
	put(r, CHANGE_CONFIRM, 24, 11, LEDGER_SINK_KEEP);
	put(r, CHANGE_ADD, 26, 12, LEDGER_SINK_KEEP);
	comes("SELECT count(*) FROM connection WHERE dport = 12", 1);
	tap_is_int(rows(path, "dport = 11"), 10, "a row that was there keeps its number");
	for (uint64_t id = 27; id < 127; id++)
		put(r, CHANGE_ADD, id, 10, LEDGER_SINK_KEEP);
	/* Fewer than 16 may have been left out, and counted in the former one, before it was seen
	 * to take none: those of a commit of their own. */
	tap_ok(comes("SELECT count(*) > 84 FROM connection WHERE dport = 10", 1),
	       "a ledger that takes none is set aside");
	tap_is_int(number_of(path, "SELECT value FROM counter WHERE name = 'lost_refused'"), 0,
		   "and the new one takes all");
	tap_is_int(ledger_sink_stop(r, 5000), 0, "the recorder ends well");
}

/* What comes into its place is no ledger, or one of a newer version. */
static void test_foreign(void)
{
	struct ledger_sink *r;
	int log;

	make_ledger(path, 3);
	r = start();
	/* What it finds when it begins is left alone. */
	put(r, CHANGE_ADD, 4, 19, LEDGER_SINK_KEEP);
	comes("SELECT count(*) FROM connection WHERE dport = 19", 1);
	for (int what = 0; what < 4; what++) {
		char wanted[128];

		db_remove(other);
		if (what == 0)
			sql(other, "CREATE TABLE event (seq INTEGER)");
		if (what == 1)
			make_ledger(other, 2);
		if (what == 1)
			sql(other, "PRAGMA user_version = 999");
		if (what == 2) {
			FILE *f = fopen(other, "w");

			for (int i = 0; i < 9999; i++)
				fputs("this is no database\n", f);
			fclose(f);
		}
		if (what == 3) {
			make_ledger(other, 2);
			sql(other, "DROP VIEW connections; DROP TABLE process");
		}
		log = put_in_place();
		put(r, CHANGE_ADD, (uint64_t)what + 5, 20 + what, LEDGER_SINK_KEEP);
		wait_for_log(log);
		snprintf(wanted, sizeof(wanted),
			 "SELECT count(*) FROM connection WHERE dport = %d", 20 + what);
		tap_ok(comes(wanted, 1), "%s in its place: set aside, and rows go on",
		       what == 0 ? "a foreign database" :
		       what == 1 ? "a newer ledger" :
		       what == 2 ? "a file of text" : "half a ledger");
	}
	tap_is_int(ledger_sink_stop(r, 5000), 0, "the recorder ends well");
	db_remove(path);
}

static atomic_bool done;

static void *exchange(void *arg)
{
	int *count = arg;
	char kept[4300];

	while (!atomic_load(&done)) {
		snprintf(kept, sizeof(kept), "%s.%d", other, *count);
		make_ledger(other, 100 * (1 + *count % 3));
		link(path, kept);
		rename(other, path);
		++*count;
		usleep(30000);
	}
	return NULL;
}

/* Each row is in one of the ledgers that were there, also while they come and go. */
static void test_busy(void)
{
	enum { ROWS = 20000 };
	/* Under valgrind fewer take as long. */
	int count = getenv("UNDER_VALGRIND") ? ROWS / 5 : ROWS;
	static bool seen[ROWS + 1];
	int exchanged = 0, missing = 0, twice = 0;
	struct ledger_sink *r;
	pthread_t thread;

	make_ledger(path, 0);
	r = start();
	pthread_create(&thread, NULL, exchange, &exchanged);
	for (int i = 1; i <= count; i++) {
		struct ledger_change change;

		ledger_change_init(&change, CHANGE_ADD, (uint64_t)i);
		made_row(&change.connection, (uint64_t)i, 9);
		change.connection.result = i;
		ledger_sink_put(r, 0, &change);
		if (i % 20 == 0)
			usleep(1000);
	}
	atomic_store(&done, true);
	pthread_join(thread, NULL);
	tap_is_int(ledger_sink_stop(r, 10000), 0, "exchanged again and again: it ends well");
	for (int n = -1; n < exchanged; n++) {
		char file[4300];
		sqlite3_stmt *stmt;
		sqlite3 *db;

		snprintf(file, sizeof(file), n < 0 ? "%s" : "%s.%d", n < 0 ? path : other, n);
		if (ledger_open_read(file, &db))
			continue;
		if (!db_prepare(db, "SELECT result, count(*) FROM connection WHERE dport = 9"
				    " GROUP BY result", &stmt))
			while (sqlite3_step(stmt) == SQLITE_ROW) {
				seen[sqlite3_column_int(stmt, 0) % (ROWS + 1)] = true;
				twice += sqlite3_column_int(stmt, 1) != 1;
			}
		sqlite3_finalize(stmt);
		db_close(db);
	}
	for (int i = 1; i <= count; i++)
		missing += !seen[i];
	tap_note("%d ledgers came and went", exchanged);
	tap_is_int(twice, 0, "no row is twice in one of them");
	tap_is_int(missing, 0, "and each is in one");
}

/* Rows that found no room while the ledger could not be written count in the one that comes. */
static void test_dropped(void)
{
	struct ledger_change change;
	struct ledger_sink *r;
	int64_t dropped = 0;
	sqlite3 *locker;
	int log;

	make_ledger(path, 3);
	make_ledger(other, 10);
	r = start();
	sqlite3_open(path, &locker);
	sqlite3_busy_timeout(locker, 5000);
	sqlite3_exec(locker, "BEGIN IMMEDIATE", NULL, NULL, NULL);
	for (uint64_t id = 4; id < 20000 && dropped < 100; id++) {
		ledger_change_init(&change, CHANGE_ADD, id);
		made_row(&change.connection, id, 9);
		dropped += !ledger_sink_put(r, LEDGER_SINK_KEEP, &change);
	}
	tap_is_int(dropped, 100, "a ledger that is locked: at some time there is no room");
	log = put_in_place();
	sqlite3_exec(locker, "ROLLBACK", NULL, NULL, NULL);
	sqlite3_close(locker);
	wait_for_log(log);
	tap_ok(comes("SELECT value FROM counter WHERE name = 'lost_buffer'", 100),
	       "the ledger that comes into its place counts what was dropped");
	tap_is_int(ledger_sink_stop(r, 5000), 0, "the recorder ends well");
	db_remove(path);
}

/* What a process made as long as it liked is cut, and says so; its program's path is whole. */
static void test_long(void)
{
	static char large[4000];
	struct ledger_change change;
	struct ledger_sink *r;

	memset(large, 'x', sizeof(large));
	make_ledger(path, 0);
	r = start();
	ledger_change_init(&change, CHANGE_ADD, 1);
	made_row(&change.connection, 1, 9);
	change.connection.process.cmdline = (struct text){ large, sizeof(large) };
	change.connection.process.cwd = change.connection.process.cmdline;
	change.connection.process.exe = change.connection.process.cmdline;
	change.connection.text[CONNECTION_CANDIDATES] = change.connection.process.cmdline;
	ledger_sink_put(r, LEDGER_SINK_KEEP, &change);
	tap_is_int(ledger_sink_stop(r, 5000), 0, "long texts: the recorder ends well");
	tap_is_int(number_of(path, "SELECT count(*) FROM text WHERE length(text) = 1022 AND"
				   " text = substr(text, 1, 1021) || '…'"), 1,
		   "they are cut with a mark");
	tap_is_int(number_of(path, "SELECT length(exe) FROM connections"), 4000,
		   "but the program's path is whole");
	db_remove(path);
}

int main(void)
{
	scratch_make();
	snprintf(path, sizeof(path), "%s", scratch_path("ledger.db"));
	snprintf(other, sizeof(other), "%s", scratch_path("other.db"));
	never = eventfd(0, EFD_CLOEXEC);
	test_exchanged();
	test_restored();
	test_refused();
	test_dropped();
	test_long();
	test_foreign();
	test_busy();
	return tap_done();
}
