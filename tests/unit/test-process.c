/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A process as plain data, and its way into both databases: each field comes to the column of its
 * name. */
#include <stdlib.h>

#include <sqlite3.h>

#include "cache.h"
#include "ledger.h"
#include "ledger_schema.h"
#include "process.h"
#include "scratch.h"
#include "tap.h"

static const char *const names[] = {
#define NAME(field, ...) #field,
	PROCESS_EACH_NUMBER(NAME) PROCESS_EACH_TEXT(NAME, NAME)
};
static const char *const cache_columns[] = {
#define COLUMN(field, column) column,
	PROCESS_EACH_NUMBER(COLUMN) PROCESS_EACH_TEXT(NAME, NAME)
};
/* NULL: the ledger has none of it. */
static const char *const ledger_columns_of[] = {
#define NONE(field) NULL,
	PROCESS_EACH_NUMBER(NAME) PROCESS_EACH_TEXT(NAME, NONE)
};
#define FIELDS (PROCESS_NUMBERS + PROCESS_TEXTS)
_Static_assert(sizeof(names) / sizeof(names[0]) == FIELDS, "each field is counted once");

/* Numbers 1000, 1001, ...; each text its own name. */
static void fill(struct process *p)
{
	process_init(p);
	for (int i = 0; i < PROCESS_NUMBERS; i++)
		p->number[i] = 1000 + i;
	for (int i = 0; i < PROCESS_TEXTS; i++)
		p->text[i] = text_of(names[PROCESS_NUMBERS + i]);
}

/* The program alone, with all that is known of its file. */
static void test_take_exe(void)
{
	struct process all, p, wanted;
	bool same = true;

	fill(&all);
	process_init(&p);
	process_init(&wanted);
	wanted.exe = all.exe;
	wanted.replaced = all.replaced;
	wanted.exe_seen = all.exe_seen;
	wanted.exe_dev = all.exe_dev;
	wanted.exe_inode = all.exe_inode;
	wanted.exe_ctime = all.exe_ctime;
	process_take_exe(&p, &all);
	for (int i = 0; i < PROCESS_NUMBERS; i++)
		same = same && p.number[i] == wanted.number[i];
	for (int i = 0; i < PROCESS_TEXTS; i++)
		same = same && text_equal(p.text[i], wanted.text[i]);
	tap_ok(same, "a program is taken with its file, and nothing else");
}

static void test_plain(void)
{
	struct process p;
	bool unknown = true;

	memset(&p, 0x55, sizeof(p));
	process_init(&p);
	for (int i = 0; i < PROCESS_NUMBERS; i++)
		unknown = unknown && p.number[i] == -1;
	for (int i = 0; i < PROCESS_TEXTS; i++)
		unknown = unknown && !p.text[i].data && !p.text[i].len;
	tap_ok(unknown, "of a new process nothing is known");
	fill(&p);
	tap_ok(p.pid == 1000 && p.number[1] == p.ppid &&
		       p.exe_ctime == 1000 + PROCESS_NUMBERS - 1 &&
		       text_equal(p.comm, text_of("comm")) && text_equal(p.exe, text_of("exe")) &&
		       text_equal(p.cgroup, text_of("cgroup")),
	       "a field by its name is that by its number");
	process_init(&p);
	tap_ok(process_socket_user(&p) == -1, "whose sockets it opens is not known");
	p.uid = 5;
	tap_ok(process_socket_user(&p) == 5, "it is the user's");
	p.fsuid = 0;
	tap_ok(process_socket_user(&p) == 0, "or by fsuid another one's, root's too");
}

/* The one value that the query gives is this number, or this text, or null. */
static bool has(sqlite3 *db, const char *sql, const char *wanted)
{
	sqlite3_stmt *s = NULL;
	const char *found = NULL;
	bool good;

	good = !sqlite3_prepare_v2(db, sql, -1, &s, NULL) && sqlite3_step(s) == SQLITE_ROW;
	if (good)
		found = (const char *)sqlite3_column_text(s, 0);
	good = good && !found == !wanted && (!found || !strcmp(found, wanted));
	if (!good)
		tap_note("%s: '%s' instead of '%s'", sql, found ? found : "(null)",
			 wanted ? wanted : "(null)");
	sqlite3_finalize(s);
	return good;
}

static const char *value_of(int field, bool known)
{
	static char number[24];

	snprintf(number, sizeof(number), "%d", 1000 + field);
	return !known ? NULL : field < PROCESS_NUMBERS ? number : names[field];
}

static void test_cache(void)
{
	const char *path = scratch_path("process.cache");
	struct cache_writer *w;
	struct event e;
	sqlite3 *db;
	char sql[128];
	bool good = true;

	if (!tap_ok(!cache_writer_open(path, &w) && !cache_writer_begin(w), "a cache"))
		exit(1);
	event_init(&e);
	e.kind = EVENT_CONNECT;
	fill(&e.process);
	good = !cache_writer_add(w, &e);
	process_init(&e.process);
	good = good && !cache_writer_add(w, &e) && !cache_writer_commit(w);
	tap_ok(good, "takes a process, and one of which nothing is known");
	cache_writer_close(w);
	if (sqlite3_open(path, &db))
		exit(1);
	for (int i = 0; i < FIELDS; i++) {
		snprintf(sql, sizeof(sql), "SELECT %s FROM event WHERE seq = 1", cache_columns[i]);
		good = has(db, sql, value_of(i, true)) && good;
		snprintf(sql, sizeof(sql), "SELECT %s FROM event WHERE seq = 2", cache_columns[i]);
		good = has(db, sql, value_of(i, false)) && good;
	}
	tap_ok(good, "each of its fields is in the column of its name");
	sqlite3_close(db);
}

static void test_ledger(void)
{
	const char *path = scratch_path("process.ledger");
	struct ledger_writer *w;
	struct connection c;
	sqlite3 *db;
	char sql[128];
	bool good = true;

	if (!tap_ok(!ledger_writer_open(path, &w) && !ledger_writer_begin(w), "a ledger"))
		exit(1);
	connection_init(&c);
	c.id = 1;
	fill(&c.process);
	good = !ledger_apply(w, &(struct ledger_change){ .kind = CHANGE_ADD, .connection = c });
	c.id = 2;
	process_init(&c.process);
	c.process.pid = 1000;
	good = good &&
	       !ledger_apply(w, &(struct ledger_change){.kind = CHANGE_ADD, .connection = c}) &&
	       !ledger_writer_commit(w);
	tap_ok(good, "takes a process, and one of which its number alone is known");
	ledger_writer_close(w);
	if (sqlite3_open(path, &db))
		exit(1);
	for (int i = 0; i < FIELDS; i++) {
		const char *name = ledger_columns_of[i];

		if (!name)
			continue;
		for (int row = 1; row <= 2; row++) {
			snprintf(sql, sizeof(sql), i < PROCESS_NUMBERS ?
				 "SELECT %s FROM process WHERE id = %d" :
				 "SELECT (SELECT text FROM text WHERE id = %s) FROM process"
				 " WHERE id = %d", name, row);
			good = has(db, sql, value_of(i, row == 1 || i == 0)) && good;
		}
	}
	tap_ok(good, "each of its fields is in the column of its name");
	tap_ok(has(db, "SELECT group_concat(id) FROM process", "1,2"), "they are two processes");
	sqlite3_close(db);
}

int main(void)
{
	scratch_make();
	test_plain();
	test_take_exe();
	test_cache();
	test_ledger();
	return tap_done();
}
