/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A ledger of each version that is damaged in one of many ways: to open it, to write and to read
 * it ends with an error that says so, or all its rows are there; never with less that passes for
 * whole.  And none of that crashes, whatever byte is another.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <sqlite3.h>

#include "db.h"
#include "ledger.h"
#include "ledger_schema.h"
#include "old-ledger.h"
#include "scratch.h"
#include "tap.h"

#define ROWS 400
#define RANDOM_DAMAGES 5

static const char *path, *whole;	/* the ledger, and what it is before a damage */
static unsigned int version;

/* An undamaged one, for make(). */
static bool make_whole(void)
{
	sqlite3 *db;
	char sql[512];
	int rc;

	db_remove(whole);
	db = old_ledger(whole, version);
	if (!db)
		return false;
	snprintf(sql, sizeof(sql), "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
		 " WHERE i < %d) INSERT INTO text SELECT i, 'text ' || i FROM n;"
		 "INSERT INTO process (id, pid, exe, uid) SELECT id, 100 + id, id, id %% 3"
		 " FROM text; INSERT INTO connection (id, time, direction, proto, dst, dport,"
		 " process, evidence, certainty, verdict) SELECT id, 7200000000 + id, 1, 6, id, 80,"
		 " id, 1, 2, 1 FROM text;", ROWS);
	rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
	if (!rc && version > 5)
		rc = sqlite3_exec(db, LEDGER_TALLY("connection"), NULL, NULL, NULL);
	if (rc)
		tap_note("%s", sqlite3_errmsg(db));
	sqlite3_close(db);
	return !rc;
}

static bool make(void)
{
	char buf[65536];
	FILE *in = fopen(whole, "re"), *out;
	size_t n;
	bool good;

	db_remove(path);
	out = fopen(path, "we");
	while (in && out && (n = fread(buf, 1, sizeof(buf), in)) > 0)
		fwrite(buf, 1, n, out);
	good = in && out && !ferror(in) && !ferror(out);
	if (in)
		fclose(in);
	return out && !fclose(out) && good;
}

/* Of the file as it lies there; -1: it has no such thing. */
static int64_t number(const char *sql)
{
	sqlite3_stmt *s = NULL;
	sqlite3 *db = NULL;
	int64_t n = -1;

	if (!sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL) &&
	    !sqlite3_prepare_v2(db, sql, -1, &s, NULL) && sqlite3_step(s) == SQLITE_ROW)
		n = sqlite3_column_int64(s, 0);
	sqlite3_finalize(s);
	sqlite3_close(db);
	return n;
}

static void change(const char *sql)
{
	sqlite3 *db = NULL;

	if (!sqlite3_open(path, &db) &&
	    (sqlite3_exec(db, "PRAGMA synchronous = OFF", NULL, NULL, NULL) ||
	     sqlite3_exec(db, sql, NULL, NULL, NULL)))
		tap_ok(false, "version %u: %s: %s", version, sql, sqlite3_errmsg(db));
	sqlite3_close(db);
}

static void overwrite(int64_t at, const void *bytes, size_t len)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || pwrite(fd, bytes, len, at) != (ssize_t)len)
		tap_ok(false, "bytes are put into the file");
	if (fd >= 0)
		close(fd);
}

static void cut(void)
{
	struct stat st;

	if (stat(path, &st) || truncate(path, st.st_size / 2))
		tap_ok(false, "the file is cut");
}

static void no_text(void)
{
	change("DROP TABLE text");
}

static void no_process(void)
{
	change("DROP TABLE process");
}

static void no_connection(void)
{
	change("DROP TABLE connection");
}

static void former_version(void)
{
	char sql[64];

	snprintf(sql, sizeof(sql), "PRAGMA user_version = %u", version - 1);
	change(sql);
}

static void negative_version(void)
{
	change("PRAGMA user_version = -7");
}

static void head(void)
{
	overwrite(0, "SQLite form", 11);
	overwrite(11, "at 9", 4);
}

static void schema(void)
{
	static const char bytes[64] = { 5, 5, 5, 5, 5, 5, 5, 5 };

	overwrite(100, bytes, sizeof(bytes));
}

static void page_of(const char *table)
{
	static const char bytes[256];
	char sql[128];
	int64_t page;

	snprintf(sql, sizeof(sql), "SELECT rootpage FROM sqlite_schema WHERE name = '%s'", table);
	page = number(sql);
	if (page > 0)
		overwrite((page - 1) * number("PRAGMA page_size"), bytes, sizeof(bytes));
}

static void page_of_connection(void)
{
	page_of("connection");
}

static void page_of_text(void)
{
	page_of("text");
}

static void any_byte(void)
{
	struct stat st;
	unsigned char byte = (unsigned char)scratch_random();

	if (!stat(path, &st))
		overwrite((int64_t)(scratch_random() % (uint64_t)st.st_size), &byte, 1);
}

static bool is_told(int rc)
{
	return rc == -EUCLEAN || rc == -EMEDIUMTYPE || rc == -EPROTO || rc == -EIO;
}

/* Writes as a recorder does: a row, and a step of what is to be moved. */
static int write_to(struct ledger_writer *w)
{
	struct ledger_limits limits = { .rows = 100000 };
	struct ledger_change add;
	int64_t removed;
	int rc = ledger_writer_begin(w);

	ledger_change_init(&add, CHANGE_ADD, ledger_writer_next_id(w));
	add.connection.time_us = 8200000000LL;
	add.connection.certainty = CERTAINTY_INFERRED;
	if (!rc)
		rc = ledger_apply(w, &add);
	for (int i = 0; !rc && i < 3; i++)
		rc = ledger_writer_trim(w, &limits, 0, ROWS, &removed);
	if (!rc)
		return ledger_writer_commit(w);
	ledger_writer_rollback(w);
	return rc;
}

/* 0: it can be written; else what is told. */
static int use(void)
{
	struct ledger_writer *w;
	int rc = ledger_writer_open(path, &w);

	if (rc)
		return rc;
	rc = write_to(w);
	ledger_writer_close(w);
	return rc;
}

/* What a reader finds: rows of the view with their texts; -1: it is told that it is damaged. */
static int64_t read_all(void)
{
	int64_t rows = -1;
	char why[256];
	sqlite3 *db;

	if (ledger_open_read(path, &db))
		return -1;
	if (db_number(db, "SELECT count(dst) FROM connections", &rows))
		rows = -1;
	if (db_whole(db, why, sizeof(why)))
		rows = -1;
	db_close(db);
	return rows;
}

/* told: the writer has to be. */
static void try(const char *name, void (*damage)(void), bool told)
{
	int64_t before, after;
	int rc;

	if (!make())
		return;
	damage();
	before = number("PRAGMA user_version");
	rc = use();
	after = number("PRAGMA user_version");
	if (rc) {
		tap_ok(is_told(rc) && (before == after || after == (int64_t)ledger_schema.version),
		       "version %u, %s: %s", version, name, db_strerror(rc));
		return;
	}
	before = read_all();
	tap_ok(!told && (before == ROWS || before == -1), "version %u, %s: %s", version, name,
	       before == ROWS ? "all rows are there" : "who looks at all of it is told");
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*damage)(void);
		bool told;
	} damages[] = {
		{ "cut in half", cut }, { "no texts", no_text, true },
		{ "no processes", no_process, true }, { "no connections", no_connection, true },
		{ "it says the version before", former_version },
		{ "it says a version below 0", negative_version, true },
		{ "another head", head, true }, { "another schema", schema, true },
		{ "zeros in the rows", page_of_connection }, { "zeros in the texts", page_of_text },
	};
	bool undamaged = true;

	scratch_seed(argc, argv);
	scratch_make();
	path = scratch_path("ledger.db");
	whole = scratch_path("whole.db");
	for (version = 1; version <= ledger_schema.version; version++) {
		undamaged = undamaged && make_whole() && make() && !use() && read_all() == ROWS;
		for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++)
			try(damages[i].name, damages[i].damage, damages[i].told);
		/* What was put into a number nobody can tell. */
		for (int i = 0; i < RANDOM_DAMAGES && make(); i++) {
			any_byte();
			undamaged = undamaged && use() <= 0 && read_all() <= ROWS + 1;
		}
	}
	tap_ok(undamaged, "each version without a damage is brought to this one, and none with"
	       " another byte does harm");
	return tap_done();
}
