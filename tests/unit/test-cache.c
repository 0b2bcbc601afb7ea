/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The cache: what is written is read, order and bounds, damage, locks. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stddef.h>
#include <sys/socket.h>

#include <sqlite3.h>

#include "cache.h"
#include "db.h"
#include "scratch.h"
#include "sql.h"
#include "tap.h"

/* Every plain number of an event, for comparing. */
static const size_t numbers[] = {
#define OF_PROCESS(field, column) offsetof(struct event, process.field),
	PROCESS_EACH_NUMBER(OF_PROCESS)
#undef OF_PROCESS
	offsetof(struct event, fd),	 offsetof(struct event, family),
	offsetof(struct event, type),	 offsetof(struct event, protocol),
	offsetof(struct event, port),	 offsetof(struct event, exit),
	offsetof(struct event, inode),	 offsetof(struct event, arrival_us),
	offsetof(struct event, time_us), offsetof(struct event, listener),
	offsetof(struct event, listener_inode),
};

/* And every text: those of the process, and the node behind them. */
#define TEXTS (PROCESS_TEXTS + 1)

static struct text *text(const struct event *e, int i)
{
	return (struct text *)(i < PROCESS_TEXTS ? &e->process.text[i] : &e->node);
}

#define NUMBERS (sizeof(numbers) / sizeof(numbers[0]))

static int64_t *number(const struct event *e, size_t i)
{
	return (int64_t *)((char *)e + numbers[i]);
}

static const char *difference(const struct event *a, const struct event *b)
{
	static char what[64];

	if (a->seq != b->seq)
		return "seq";
	if (a->serial != b->serial)
		return "serial";
	if (a->kind != b->kind)
		return "kind";
	if (!address_equal(&a->addr, &b->addr))
		return "addr";
	for (size_t i = 0; i < NUMBERS; i++) {
		if (*number(a, i) == *number(b, i))
			continue;
		snprintf(what, sizeof(what), "number %zu", i);
		return what;
	}
	for (int i = 0; i < TEXTS; i++) {
		if (text_equal(*text(a, i), *text(b, i)))
			continue;
		snprintf(what, sizeof(what), "text %d", i);
		return what;
	}
	return NULL;
}

struct rows {
	struct event *wanted;
	size_t count, seen;
	const char *wrong;
	uint64_t last_seq;
};

static int compare(const struct event *e, void *arg)
{
	struct rows *r = arg;

	if (r->wanted && !r->wrong)
		r->wrong = r->seen < r->count ? difference(e, &r->wanted[r->seen]) : "too many";
	r->seen++;
	r->last_seq = e->seq;
	return 0;
}

static int stop_at_three(const struct event *e, void *arg)
{
	(void)arg;
	return e->seq == 3 ? -ECANCELED : 0;
}

#define MADE 300
static char bytes[MADE][TEXTS][200];

/* Anything an event can hold: each number unknown at times, each text none, empty, or any bytes. */
static void make_up(struct event *e, size_t n)
{
	event_init(e);
	e->seq = n + 1;
	e->serial = (uint32_t)scratch_random();
	e->kind = (enum event_kind)(1 + scratch_random() % (EVENT_KINDS - 1));
	for (size_t i = 0; i < NUMBERS; i++)
		*number(e, i) = scratch_random() % 4 == 0 ? -1 :
				scratch_random() % 2 ? (int64_t)scratch_random() :
						       (int64_t)(scratch_random() % 1000);
	/* What is no time, or no start of a process, does not come back. */
	e->time_us = (int64_t)(scratch_random() % 253402300799999999ULL);
	e->arrival_us = (int64_t)(scratch_random() % 253402300799999999ULL);
	e->process.start_ticks = e->process.start_ticks < 0 ?
					 -1 : e->process.start_ticks % 253402300799LL;
	if (scratch_random() % 4) {
		e->addr.family = scratch_random() % 2 ? AF_INET : AF_INET6;
		for (int i = 0; i < (e->addr.family == AF_INET ? 4 : 16); i++)
			e->addr.bytes[i] = (uint8_t)scratch_random();
	}
	for (int i = 0; i < TEXTS; i++) {
		size_t len = scratch_random() % sizeof(bytes[n][i]);

		for (size_t k = 0; k < len; k++)
			bytes[n][i][k] = (char)scratch_random();
		*text(e, i) = scratch_random() % 3 == 0 ? TEXT_NONE :
			     scratch_random() % 8 == 0 ? (struct text){ "", 0 } :
							 (struct text){ bytes[n][i], len };
	}
}

static void test_fields(void)
{
	static struct event made[MADE];
	const char *path = scratch_path("fields.db");
	struct cache_writer *w;
	struct cache_reader *r;
	struct rows rows = { .wanted = made, .count = MADE };
	uint64_t first, last;
	char signal[64];
	int rc;

	rc = cache_writer_open(path, &w);
	if (!tap_ok(rc == 0, "a cache is made"))
		exit(1);
	tap_ok(cache_reader_open(path, &r) == 0, "and read at once");
	tap_ok(cache_reader_bounds(r, &first, &last) == 0 && first == 0 && last == 0,
	       "it is empty");
	tap_ok(strlen(cache_reader_generation(r)) == 32, "it has a name of its own");
	cache_writer_begin(w);
	for (size_t i = 0; i < MADE; i++) {
		make_up(&made[i], i);
		rc = rc ? rc : cache_writer_add(w, &made[i]);
	}
	tap_ok(rc == 0, "%d events are added", MADE);
	tap_ok(cache_reader_walk(r, 0, MADE, compare, &rows) == 0,
	       "nothing is seen before the commit");
	tap_ok(cache_writer_commit(w) == 0, "the commit");
	rc = cache_reader_walk(r, 0, 2 * MADE, compare, &rows);
	if (!tap_ok(rc == MADE && rows.seen == MADE && !rows.wrong,
		    "every field of every row comes back, with any byte"))
		tap_note("%d rows, first difference: %s", rc, rows.wrong ? rows.wrong : "none");
	tap_ok(cache_reader_bounds(r, &first, &last) == 0 && first == 1 && last == MADE,
	       "the bounds");
	rows = (struct rows){ .wanted = made + 100, .count = 50 };
	tap_ok(cache_reader_walk(r, 100, 50, compare, &rows) == 50 && !rows.wrong,
	       "a walk begins behind a row and keeps to its limit");
	tap_ok(cache_reader_walk(r, 0, 10, stop_at_three, NULL) == -ECANCELED,
	       "a walk ends where it is told to");
	tap_ok(cache_reader_walk(r, MADE, 10, compare, &rows) == 0, "behind the last row is none");
	cache_reader_close(r);
	cache_writer_close(w);
	tap_ok(cache_signal_path("/a", signal, sizeof(signal)) == 0 && !strcmp(signal, "/a-wal") &&
	       cache_signal_path("/a", signal, 6) == -ENAMETOOLONG, "the file to be watched");
}

static int put(struct cache_writer *w, int64_t arrival_us)
{
	struct event e;

	event_init(&e);
	e.kind = EVENT_SOCKET;
	e.arrival_us = arrival_us;
	return cache_writer_add(w, &e);
}

static void put_all(struct cache_writer *w, int64_t from_us, int count)
{
	cache_writer_begin(w);
	for (int i = 0; i < count; i++)
		put(w, from_us + i);
	cache_writer_commit(w);
}

static int64_t trim(struct cache_writer *w, int64_t rows, int64_t oldest_us, int64_t most)
{
	int64_t removed = -1;

	if (cache_writer_begin(w) || cache_writer_trim(w, rows, oldest_us, most, &removed) ||
	    cache_writer_commit(w))
		return -1;
	return removed;
}

static bool bounds_are(const char *path, uint64_t first, uint64_t last)
{
	struct cache_reader *r;
	uint64_t a = 99, b = 99;

	if (cache_reader_open(path, &r))
		return false;
	cache_reader_bounds(r, &a, &b);
	cache_reader_close(r);
	if (a != first || b != last)
		tap_note("rows %llu to %llu", (unsigned long long)a, (unsigned long long)b);
	return a == first && b == last;
}

/* Bounded by bytes: small old rows go for large new ones, and what is left fits. */
static void test_bytes(void)
{
	enum { LIMIT = 2 << 20 };
	const char *path = scratch_path("bytes.db");
	struct cache_writer *w;
	int64_t removed = -1, all = 0, used = 0;
	static char large[16000];
	struct event e;
	sqlite3 *db;

	memset(large, 'x', sizeof(large));
	cache_writer_open(path, &w);
	put_all(w, 1000, 3000);
	cache_writer_begin(w);
	tap_ok(!cache_writer_trim_bytes(w, LIMIT, 4096, &removed) && removed == 0,
	       "what is below the bound in bytes stays");
	cache_writer_commit(w);
	event_init(&e);
	e.kind = EVENT_CONNECT;
	e.process.cmdline = (struct text){ large, sizeof(large) };
	for (int i = 0; i < 10; i++) {
		cache_writer_begin(w);
		for (int k = 0; k < 100; k++)
			cache_writer_add(w, &e);
		cache_writer_trim_bytes(w, LIMIT, 4096, &removed);
		cache_writer_commit(w);
		all += removed;
	}
	sqlite3_open(path, &db);
	db_number(db, "SELECT ((SELECT page_count FROM pragma_page_count) - (SELECT freelist_count"
		      " FROM pragma_freelist_count)) * (SELECT page_size FROM pragma_page_size)",
		  &used);
	sqlite3_close(db);
	if (!tap_ok(used <= LIMIT && used > LIMIT / 2, "what is beyond it goes, and no more"))
		tap_note("%lld bytes are used", (long long)used);
	tap_ok(all == 4000 - cache_writer_rows(w) && cache_writer_rows(w) > 50,
	       "each row that went is counted");
	cache_writer_begin(w);
	tap_ok(!cache_writer_trim_bytes(w, 1, 7, &removed) && removed == 7,
	       "no more at once than is said");
	cache_writer_rollback(w);
	cache_writer_close(w);
}

/* More than one search for a user's rows goes through, and no more than are wanted. */
static void test_bytes_most(void)
{
	struct cache_writer *w;
	int64_t removed = -1;
	struct event e;

	event_init(&e);
	e.kind = EVENT_CONNECT;
	e.process.uid = 1000;
	cache_writer_open(scratch_path("bytes-most.db"), &w);
	cache_writer_begin(w);
	for (int i = 0; i < 6000; i++)
		cache_writer_add(w, &e);
	cache_writer_commit(w);
	cache_writer_begin(w);
	if (!tap_ok(!cache_writer_trim_bytes(w, 1, 3000, &removed) && removed == 3000 &&
		    cache_writer_rows(w) == 3000, "as many as are said, in two steps"))
		tap_note("%lld went", (long long)removed);
	cache_writer_commit(w);
	cache_writer_close(w);
}

/* A row that cannot be removed ends it with an error: nobody tries again and again. */
static void test_stuck(void)
{
	const char *path = scratch_path("stuck.db");
	int64_t removed = 0;
	struct cache_writer *w;

	cache_writer_open(path, &w);
	put_all(w, 1000, 100);
	cache_writer_close(w);
	sql_raw(path, "CREATE TRIGGER stays BEFORE DELETE ON event BEGIN"
		  " SELECT RAISE(ABORT, 'it stays'); END");
	tap_ok(!cache_writer_open(path, &w) && !cache_writer_begin(w), "a cache whose rows stay");
	alarm(60);
	tap_ok(cache_writer_trim_bytes(w, 1, 50, &removed) < 0 && !removed,
	       "is told when it is to be trimmed");
	alarm(0);
	cache_writer_rollback(w);
	cache_writer_close(w);
}

/* One user's flood takes that user's rows away. */
static void test_flood(void)
{
	enum { LIMIT = 1 << 20 };
	const char *path = scratch_path("flood.db");
	int64_t removed, all = 0, quiet = -1;
	struct cache_writer *w;
	static char large[1000];
	struct event e;
	sqlite3 *db;

	memset(large, 'x', sizeof(large));
	event_init(&e);
	e.kind = EVENT_CONNECT;
	cache_writer_open(path, &w);
	for (int i = 0; i < 50; i++) {
		cache_writer_begin(w);
		for (int k = 0; k < 200; k++) {
			bool other = k % 100 == 7;

			e.process.uid = other ? 500 + k : 1000;
			e.process.cmdline = other ? text_of("quiet") :
					    (struct text){ large, sizeof(large) };
			cache_writer_add(w, &e);
		}
		cache_writer_trim_bytes(w, LIMIT, 4096, &removed);
		cache_writer_commit(w);
		all += removed;
	}
	sqlite3_open(path, &db);
	db_number(db, "SELECT count(*) FROM event WHERE uid <> 1000", &quiet);
	sqlite3_close(db);
	if (!tap_ok(quiet == 100, "a flood leaves the rows of others"))
		tap_note("%lld are left", (long long)quiet);
	tap_ok(all == 10000 - cache_writer_rows(w) && all > 8000, "each that went is counted");
	cache_writer_close(w);
	cache_writer_open(path, &w);
	tap_ok(cache_writer_rows(w) == 10000 - all, "also after it was opened again");
	while (trim(w, 20, 0, 100000) > 0)
		;
	tap_ok(cache_writer_rows(w) >= 1 && cache_writer_rows(w) <= 20,
	       "by rows it is trimmed as ever");
	cache_writer_close(w);
}

/* The search for the rows of a flood goes on where it ended: else who has thousands of older ones
 * would lose one for each of the flood's. */
static void test_behind(void)
{
	const char *path = scratch_path("behind.db");
	int64_t before = 0, quiet = 0;
	struct cache_writer *w;
	static char large[1000];
	struct event e;
	sqlite3 *db;

	memset(large, 'x', sizeof(large));
	event_init(&e);
	e.kind = EVENT_CONNECT;
	cache_writer_open(path, &w);
	cache_writer_begin(w);
	for (int i = 0; i < 10500; i++) {
		bool flood = i >= 4500;

		e.process.uid = flood ? 1000 : 500;
		e.process.cmdline = flood ? (struct text){ large, sizeof(large) } :
				    text_of("quiet");
		cache_writer_add(w, &e);
	}
	cache_writer_commit(w);
	sqlite3_open(path, &db);
	db_number(db, "SELECT count(*) FROM event WHERE uid = 500", &before);
	for (int i = 0; i < 20; i++)
		trim(w, cache_writer_rows(w) - 1, 0, 1);
	db_number(db, "SELECT count(*) FROM event WHERE uid = 500", &quiet);
	sqlite3_close(db);
	tap_ok(cache_writer_rows(w) == 10480 && before == 4500 && quiet >= before - 3,
	       "also where many of theirs are older: %lld of 20", (long long)(before - quiet));
	cache_writer_close(w);
}

/* By rows and by age together, where one user has all. */
static void test_most(void)
{
	struct cache_writer *w;
	int64_t removed;
	struct event e;

	event_init(&e);
	e.kind = EVENT_CONNECT;
	e.process.uid = 1000;
	cache_writer_open(scratch_path("most.db"), &w);
	cache_writer_begin(w);
	for (int i = 0; i < 100; i++)
		cache_writer_add(w, &e);
	cache_writer_commit(w);
	removed = trim(w, 90, INT64_MAX, 15);
	tap_ok(removed >= 10 && removed <= 15 && cache_writer_rows(w) == 100 - removed,
	       "no more at once than is said, for whatever reason: %lld", (long long)removed);
	cache_writer_close(w);
}

static void test_trim(void)
{
	const char *path = scratch_path("trim.db");
	struct cache_writer *w;
	struct cache_reader *r;
	char generation[40];
	int64_t removed;

	cache_writer_open(path, &w);
	tap_ok(trim(w, 10, INT64_MAX, 10) == 0, "an empty cache has nothing to trim");
	put_all(w, 1000, 20);
	tap_ok(trim(w, 20, 0, 100) == 0 && bounds_are(path, 1, 20), "as many rows as allowed stay");
	tap_ok(trim(w, 15, 0, 100) == 5 && bounds_are(path, 6, 20), "by rows, the oldest go");
	tap_ok(trim(w, 5, 0, 3) == 3 && bounds_are(path, 9, 20), "no more at once than is said");
	tap_ok(trim(w, 100, 1010, 100) == 2 && bounds_are(path, 11, 20), "by age");
	tap_ok(trim(w, 100, 1010, 100) == 0, "and not again");
	tap_ok(trim(w, 100, INT64_MAX, 100) == 9 && bounds_are(path, 20, 20),
	       "the newest row stays, "
	       "however old");
	cache_reader_open(path, &r);
	strcpy(generation, cache_reader_generation(r));
	cache_reader_close(r);
	cache_writer_close(w);
	cache_writer_open(path, &w);
	put_all(w, 2000, 1);
	tap_ok(bounds_are(path, 20, 21), "after trimming all and reopening seq goes on");
	cache_reader_open(path, &r);
	tap_ok(!strcmp(generation, cache_reader_generation(r)), "and it is the same database");
	cache_reader_close(r);
	put_all(w, 2001, 1);

	/* What was rolled back has not happened: neither rows nor a trim. */
	cache_writer_begin(w);
	put(w, 3000);
	put(w, 3001);
	cache_writer_rollback(w);
	tap_ok(bounds_are(path, 20, 22), "what is rolled back is not there");
	put_all(w, 3000, 8);
	tap_ok(bounds_are(path, 20, 30), "and what follows has no gap");
	cache_writer_begin(w);
	cache_writer_trim(w, 5, 0, 100, &removed);
	cache_writer_rollback(w);
	tap_ok(removed == 6 && bounds_are(path, 20, 30),
	       "a trim that is rolled back removes nothing");
	removed = trim(w, 5, 0, 100);
	if (!tap_ok(removed == 6 && bounds_are(path, 26, 30), "and is done again"))
		tap_note("removed %lld", (long long)removed);
	tap_ok(cache_writer_shrink(w) == 0, "a small file is not made smaller");
	cache_writer_close(w);
}

/* Nothing asks for this, but the header promises it: seq would begin anew. */
static int64_t bytes_of(const char *path)
{
	FILE *f = fopen(path, "re");
	int64_t n;

	if (!f)
		return -1;
	fseek(f, 0, SEEK_END);
	n = ftell(f);
	fclose(f);
	return n;
}

/* How many there are; the log, which stands in memory where the cache does. */
static void test_rows_and_log(void)
{
	const char *path = scratch_path("rows");
	char log[PATH_MAX], away[PATH_MAX];
	struct cache_writer *w;
	int64_t before;

	snprintf(log, sizeof(log), "%s-wal", path);
	snprintf(away, sizeof(away), "%s.away", path);
	cache_writer_open(path, &w);
	tap_ok(cache_writer_rows(w) == 0, "an empty cache has no rows");
	put_all(w, 1000, 20);
	tap_ok(cache_writer_rows(w) == 20, "20 rows");
	trim(w, 5, 0, 100);
	tap_ok(cache_writer_rows(w) == 5, "5 that are left of them");
	cache_writer_close(w);
	cache_writer_open(path, &w);
	tap_ok(cache_writer_rows(w) == 5, "also after reopening");
	tap_ok(!cache_writer_moved(w), "it is in its place");
	put_all(w, 2000, 100);
	before = bytes_of(log);
	tap_ok(cache_writer_reuse_log(w) == 0, "its log begins anew");
	put_all(w, 3000, 10);
	tap_ok(before > 0 && bytes_of(log) == before, "in the room that it has");
	tap_ok(cache_writer_small_log(w) == 0, "or a smaller one");
	for (int i = 0; i < 40; i++)
		put_all(w, 4000, 100);
	tap_ok(bytes_of(log) > 0 && bytes_of(log) < 1024 * 1024, "than a megabyte");
	if (rename(path, away))
		abort();
	tap_ok(cache_writer_moved(w), "it has been moved");
	cache_writer_close(w);
}

static void test_trim_all(void)
{
	const char *path = scratch_path("none.db");
	struct cache_writer *w;

	cache_writer_open(path, &w);
	put_all(w, 1, 5);
	trim(w, 0, 0, 100);
	tap_ok(bounds_are(path, 5, 5), "the newest row stays, however few are allowed");
	cache_writer_close(w);
	cache_writer_open(path, &w);
	put_all(w, 2, 1);
	cache_writer_close(w);
	tap_ok(bounds_are(path, 5, 6), "and its seq does not come again");
}

/* A large file that has become empty gives its room back in pieces, and stays whole. */
static void test_shrink(void)
{
	const char *path = scratch_path("shrink.db");
	static char big[4000];
	struct cache_writer *w;
	struct event e;
	sqlite3 *db;
	sqlite3_stmt *s;
	int64_t pages = 0;
	bool good = true;

	memset(big, 'x', sizeof(big));
	event_init(&e);
	e.kind = EVENT_CONNECT;
	e.process.cmdline = (struct text){ big, sizeof(big) };
	cache_writer_open(path, &w);
	cache_writer_begin(w);
	for (int i = 0; i < 6000; i++)
		cache_writer_add(w, &e);
	cache_writer_commit(w);
	trim(w, 1, 0, 10000);
	for (int i = 0; i < 20; i++)
		good = good && cache_writer_shrink(w) == 0;
	cache_writer_close(w);
	sqlite3_open(path, &db);
	sqlite3_prepare_v2(db, "SELECT page_count FROM pragma_page_count", -1, &s, NULL);
	if (sqlite3_step(s) == SQLITE_ROW)
		pages = sqlite3_column_int64(s, 0);
	sqlite3_finalize(s);
	sqlite3_close(db);
	if (!tap_ok(good && pages > 0 && pages < 1100, "an emptied file gives its room back"))
		tap_note("%lld pages are left", (long long)pages);
	tap_ok(bounds_are(path, 6000, 6000), "its last row is still there");
}

struct counted {
	char text[256];
};

static void on_counter(const char *name, int64_t value, void *arg)
{
	struct counted *c = arg;

	sprintf(c->text + strlen(c->text), "%s=%lld ", name, (long long)value);
}

static void test_counters(void)
{
	const char *path = scratch_path("counters.db");
	struct counted counted = { "" };
	int64_t a = -1, b = -1;
	struct cache_writer *w;
	struct cache_reader *r;

	cache_writer_open(path, &w);
	tap_ok(!cache_writer_get(w, "a", &a) && a == 0, "a counter that was never set is 0");
	cache_writer_begin(w);
	cache_writer_set(w, "b", INT64_MAX);
	cache_writer_set(w, "a", 1);
	cache_writer_set(w, "a", -2);
	cache_writer_commit(w);
	cache_writer_begin(w);
	cache_writer_set(w, "a", 5);
	cache_writer_rollback(w);
	cache_writer_close(w);
	cache_writer_open(path, &w);
	tap_ok(!cache_writer_get(w, "a", &a) && a == -2 && !cache_writer_get(w, "b", &b) &&
	       b == INT64_MAX,
	       "counters are kept, the last value of each");
	cache_reader_open(path, &r);
	tap_ok(cache_reader_counters(r, on_counter, &counted) == 0 &&
	       !strcmp(counted.text, "a=-2 b=9223372036854775807 "), "a reader sees them by name");
	cache_reader_close(r);
	cache_writer_close(w);
	sql_raw(path, "DROP TABLE counter");
	cache_reader_open(path, &r);
	tap_ok(cache_reader_counters(r, on_counter, &counted) < 0, "that there are none is told");
	cache_reader_close(r);
}

static void test_errors(void)
{
	const char *path = scratch_path("errors.db");
	struct cache_writer *w = NULL, *second = NULL;
	struct cache_reader *r = NULL;
	struct rows rows = { .wanted = NULL };
	char junk[8192];
	sqlite3 *db;
	int fd;

	tap_ok(cache_reader_open(path, &r) == -ENOENT, "no file: -ENOENT");
	cache_writer_open(path, &w);
	put_all(w, 1, 500);
	tap_ok(cache_writer_open(path, &second) == -EBUSY, "a second writer: -EBUSY");
	sqlite3_open(path, &db);
	sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
	tap_ok(cache_writer_begin(w) == -EBUSY, "locked by another: -EBUSY");
	cache_writer_rollback(w);
	tap_ok(cache_reader_open(path, &r) == 0 &&
		       cache_reader_walk(r, 0, 1000, compare, &rows) == 500,
	       "reading goes on meanwhile");
	cache_reader_close(r);
	sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
	sqlite3_close(db);
	tap_ok(cache_writer_begin(w) == 0 && put(w, 7) == 0 && cache_writer_commit(w) == 0,
	       "and so does writing when the lock is gone");
	cache_writer_close(w);

	sql_raw(path, "PRAGMA user_version = 1000");
	tap_ok(cache_writer_open(path, &w) == -EPROTO && cache_reader_open(path, &r) == -EPROTO,
	       "a newer version: -EPROTO");
	sql_raw(path, "PRAGMA user_version = 4; PRAGMA application_id = 7");
	tap_ok(cache_writer_open(path, &w) == -EMEDIUMTYPE &&
	       cache_reader_open(path, &r) == -EMEDIUMTYPE,
	       "another application's: -EMEDIUMTYPE");
	sql_raw(path, "PRAGMA application_id = 0x736c6361");
	tap_ok(cache_writer_open(path, &w) == 0, "and ours again");
	cache_writer_close(w);
	sql_raw(path, "ALTER TABLE event DROP COLUMN listener; PRAGMA user_version = 1;"
		  "ALTER TABLE event DROP COLUMN replaced;"
		  "ALTER TABLE event DROP COLUMN listener_inode;"
		  "ALTER TABLE event DROP COLUMN exe_seen; ALTER TABLE event DROP COLUMN exe_dev;"
		  "ALTER TABLE event DROP COLUMN exe_inode;"
		  "ALTER TABLE event DROP COLUMN exe_ctime");
	tap_ok(cache_writer_open(path, &w) == 0 && cache_writer_begin(w) == 0 && put(w, 8) == 0 &&
	       cache_writer_commit(w) == 0, "one of the first version is brought up to date");
	cache_writer_close(w);
	sql_raw(path, "ALTER TABLE event RENAME COLUMN cwd TO dir");
	tap_ok(cache_writer_open(path, &w) == -EUCLEAN && cache_reader_open(path, &r) == -EUCLEAN,
	       "a column that is missing: -EUCLEAN");
	sql_raw(path, "ALTER TABLE event RENAME COLUMN dir TO cwd");
	cache_writer_open(path, &w);
	tap_ok(cache_reader_open(path, &r) == 0, "a reader has it open");
	memset(junk, 0x5a, sizeof(junk));
	cache_reader_close(r);
	cache_writer_close(w);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	for (int page = 1; page < 12; page++)
		if (pwrite(fd, junk, sizeof(junk), page * 8192L) < 0)
			exit(1);
	close(fd);
	{
		int rc = cache_writer_open(path, &w), read_rc = cache_reader_open(path, &r);

		if (!rc) {
			rc = cache_writer_begin(w);
			rc = rc ? rc : put(w, 9);
			cache_writer_rollback(w);
			cache_writer_close(w);
		}
		tap_ok(rc == -EUCLEAN, "pages of junk: -EUCLEAN for a writer");
		if (!read_rc) {
			read_rc = cache_reader_walk(r, 0, 1000, compare, &rows);
			cache_reader_close(r);
		}
		tap_ok(read_rc == -EUCLEAN, "and for a reader");
	}
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (pwrite(fd, junk, 100, 0) < 0)
		exit(1);
	close(fd);
	tap_ok(cache_writer_open(path, &w) == -EUCLEAN && cache_reader_open(path, &r) == -EUCLEAN,
	       "a head of junk: -EUCLEAN");
}

/* Rows that another hand put in, of types that ours never are: read without harm. */
static void test_hostile(void)
{
	const char *path = scratch_path("hostile.db");
	struct cache_writer *w;
	struct cache_reader *r;
	struct rows rows = { .wanted = NULL };

	cache_writer_open(path, &w);
	cache_writer_close(w);
	sql_raw(path, "INSERT INTO event (seq, arrival, time, serial, kind, pid, addr, port, comm, "
		  "exe) VALUES"
		  " (5, 'x', x'00', 1e300, x'ff', 'pid', 'not an address', 1 << 40, x'00ff', 3.5),"
		  " (6, 0, 0, 0, 'accept', -7, x'', '', '', NULL)");
	cache_reader_open(path, &r);
	tap_ok(cache_reader_walk(r, 0, 10, compare, &rows) == 2 && rows.last_seq == 6,
	       "rows of wrong types do no harm");
	cache_reader_close(r);
}

int main(int argc, char **argv)
{
	scratch_seed(argc, argv);
	scratch_make();
	test_fields();
	test_most();
	test_trim();
	test_bytes();
	test_bytes_most();
	test_stuck();
	test_flood();
	test_behind();
	test_rows_and_log();
	test_trim_all();
	test_shrink();
	test_counters();
	test_errors();
	test_hostile();
	return tap_done();
}
