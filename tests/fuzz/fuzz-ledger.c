/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A ledger, or a cache, in which bytes or values are others than ours: every command that reads
 * ends with rows or with an error, and never with a crash or in a loop.
 *
 * Input: first which command, then what is changed, of the ledger or of the cache: bytes of the
 * file, or values, one a line (table, column, how, and the rest of the line).
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

#include "cache.h"
#include "db.h"
#include "fuzz.h"
#include "ledger.h"
#include "rows.h"

/* The command line as a function. */
int sockledger_main(int argc, char **argv);
#define main sockledger_main
#include "../../cli/main.c"
#undef main

#define ROWS 12
#define FILE_MAX ((size_t)1024 * 1024)
#define TABLES_MAX 24
#define LONGEST_S 60		/* on a busy host, under a sanitizer */
#define EACH_BYTE 4		/* of the input: where, in three, and what it is then */

struct database {
	char path[128];
	unsigned char whole[FILE_MAX];
	size_t size;
	char tables[TABLES_MAX][64];
	int table_count;
};

static struct database ledger, cache;
static char dir[64], policy[128], page[128];
static int nowhere;

static void remove_files(void)
{
	DIR *d = opendir(dir);
	struct dirent *e;

	while (d && (e = readdir(d)))
		if (e->d_name[0] != '.')
			unlinkat(dirfd(d), e->d_name, 0);
	if (d)
		closedir(d);
	rmdir(dir);
}

static void add_row(struct ledger_writer *w, int i)
{
	static const char *const exe[] = { "/usr/bin/curl", "/usr/sbin/sshd", NULL };
	struct ledger_change change;
	struct connection *c = &change.connection;

	ledger_change_init(&change, CHANGE_ADD, (uint64_t)i + 1);
	c->time_us = (1700000000 + i * 600LL) * TIME_US_PER_S;
	c->direction = i % 4 ? DIRECTION_OUT : DIRECTION_IN;
	c->protocol = i % 3 ? IPPROTO_TCP : IPPROTO_UDP;
	c->dst = (struct endpoint){ { .family = i % 5 ? AF_INET : AF_INET6 }, 443 };
	c->dst.addr.bytes[0] = i % 5 ? 192 : 0x20;
	c->dst.addr.bytes[3] = (uint8_t)(i % 3);
	c->src = c->dst;
	c->src.port = i % 2 ? 40000 + i : -1;
	c->verdict = i % 2 ? VERDICT_ACCEPT : i % 3 ? VERDICT_DROP : VERDICT_OBSERVED;
	c->certainty = i % 3 ? CERTAINTY_CERTAIN : CERTAINTY_INFERRED;
	c->evidence = EVIDENCE_AUDIT | EVIDENCE_FD;
	c->audit_us = c->time_us;
	c->audit_serial = 100 + (uint32_t)i;
	c->process.pid = 1000 + i / 2;
	c->process.uid = c->process.auid = i % 2;
	c->process.exe = text_of(exe[i % 3]);
	c->process.comm = text_of("curl");
	c->process.cmdline = text_of("curl http://x");
	c->text[CONNECTION_UNIT] = text_of("some.service");
	c->text[CONNECTION_NODE] = text_of("host");
	c->text[CONNECTION_RULE] = text_of("default");
	FUZZ_CHECK(!ledger_apply(w, &change));
}

static void make_ledger(void)
{
	struct ledger_writer *w;

	FUZZ_CHECK(!ledger_writer_open(ledger.path, &w));
	FUZZ_CHECK(!ledger_writer_begin(w));
	for (int i = 0; i < ROWS; i++)
		add_row(w, i);
	FUZZ_CHECK(!ledger_writer_commit(w));
	ledger_writer_close(w);
}

static void make_cache(void)
{
	struct cache_writer *w;
	struct event e;

	FUZZ_CHECK(!cache_writer_open(cache.path, &w));
	FUZZ_CHECK(!cache_writer_begin(w));
	for (int i = 0; i < ROWS; i++) {
		event_init(&e);
		e.kind = i % 2 ? EVENT_SOCKET : EVENT_CONNECT;
		e.serial = 100 + (uint32_t)i;
		e.time_us = e.arrival_us = (1700000000 + i) * TIME_US_PER_S;
		e.process.pid = 1000 + i;
		e.process.exe = text_of("/usr/bin/curl");
		e.addr.family = AF_INET;
		FUZZ_CHECK(!cache_writer_add(w, &e));
	}
	FUZZ_CHECK(!cache_writer_set(w, "events", ROWS));
	FUZZ_CHECK(!cache_writer_commit(w));
	cache_writer_close(w);
}

static sqlite3 *open_quick(const struct database *d)
{
	sqlite3 *db;

	FUZZ_CHECK(!sqlite3_open(d->path, &db));
	sqlite3_exec(db, "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA"
		     " writable_schema = ON", NULL, NULL, NULL);
	return db;
}

static void remember(struct database *d)
{
	sqlite3 *db = open_quick(d);
	sqlite3_stmt *s;
	FILE *in;

	snprintf(d->tables[d->table_count++], sizeof(d->tables[0]), "sqlite_schema");
	FUZZ_CHECK(!sqlite3_prepare_v2(db, "SELECT name FROM sqlite_schema WHERE type = 'table'"
				       " ORDER BY name", -1, &s, NULL));
	while (sqlite3_step(s) == SQLITE_ROW && d->table_count < TABLES_MAX)
		snprintf(d->tables[d->table_count++], sizeof(d->tables[0]), "%s",
			 (const char *)sqlite3_column_text(s, 0));
	sqlite3_finalize(s);
	sqlite3_close(db);
	in = fopen(d->path, "re");
	FUZZ_CHECK(in);
	d->size = fread(d->whole, 1, sizeof(d->whole), in);
	FUZZ_CHECK(d->size && d->size < sizeof(d->whole));
	fclose(in);
}

static void begin(void)
{
	const char *at = getenv("TMPDIR");
	FILE *out;

	snprintf(dir, sizeof(dir), "%.40s/fuzz-ledger.XXXXXX", at ? at : "/tmp");
	FUZZ_CHECK(mkdtemp(dir));
	atexit(remove_files);
	snprintf(ledger.path, sizeof(ledger.path), "%s/ledger.db", dir);
	snprintf(cache.path, sizeof(cache.path), "%s/cache.db", dir);
	snprintf(policy, sizeof(policy), "%s/policy", dir);
	snprintf(page, sizeof(page), "%s/page", dir);
	out = fopen(policy, "we");
	FUZZ_CHECK(out);
	fputs("allow exe /usr/bin/curl\ndeny dst 192.0.0.0/8\ndefault allow\n", out);
	fclose(out);
	nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);
	FUZZ_CHECK(nowhere >= 0);
	make_ledger();
	make_cache();
	remember(&ledger);
	remember(&cache);
}

/* A file as it was, but for these bytes; without what SQLite has beside it. */
static void write_file(struct database *d, const uint8_t *data, size_t size)
{
	unsigned char *bytes = malloc(d->size);
	FILE *out;

	FUZZ_CHECK(bytes);
	memcpy(bytes, d->whole, d->size);
	for (; size >= EACH_BYTE; data += EACH_BYTE, size -= EACH_BYTE)
		bytes[((size_t)data[0] << 16 | (size_t)data[1] << 8 | data[2]) % d->size] = data[3];
	db_remove(d->path);
	out = fopen(d->path, "we");
	FUZZ_CHECK(out && fwrite(bytes, 1, d->size, out) == d->size && !fclose(out));
	free(bytes);
}

/* The column's name, by its number; the caller frees it. */
static char *column_name(sqlite3 *db, const char *table, unsigned int n)
{
	char *sql = sqlite3_mprintf("SELECT name FROM pragma_table_info(%Q)", table), *name = NULL;
	sqlite3_stmt *s;
	unsigned int count = 0;

	FUZZ_CHECK(sql);
	if (!sqlite3_prepare_v2(db, sql, -1, &s, NULL)) {
		while (sqlite3_step(s) == SQLITE_ROW)
			count++;
		sqlite3_reset(s);
		for (unsigned int i = 0; count && i <= n % count; i++)
			sqlite3_step(s);
		if (count)
			name = sqlite3_mprintf("%s", sqlite3_column_text(s, 0));
		sqlite3_finalize(s);
	}
	sqlite3_free(sql);
	return name;
}

/* Of a third of the rows, or of all. */
static void change_value(const struct database *d, sqlite3 *db, const uint8_t *line, size_t len)
{
	const char *table = d->tables[line[0] % d->table_count];
	char *column = column_name(db, table, line[1]), *sql;
	int how = line[2] % 8, bytes = (int)(len - 3);
	sqlite3_int64 number = 0;
	sqlite3_stmt *s;

	if (!column)
		return;
	sql = sqlite3_mprintf("UPDATE OR IGNORE \"%w\" SET \"%w\" = ?1%s", table, column,
			      how < 4 ? " WHERE rowid % 3 = 1" : "");
	FUZZ_CHECK(sql);
	memcpy(&number, line + 3, bytes < 8 ? (size_t)bytes : 8);
	if (!sqlite3_prepare_v2(db, sql, -1, &s, NULL)) {
		if (how % 4 == 0)
			sqlite3_bind_int64(s, 1, number);
		else if (how % 4 == 1)
			sqlite3_bind_text(s, 1, (const char *)line + 3, bytes, SQLITE_STATIC);
		else if (how % 4 == 2)
			sqlite3_bind_blob(s, 1, line + 3, bytes, SQLITE_STATIC);
		sqlite3_step(s);
		sqlite3_finalize(s);
	}
	sqlite3_free(sql);
	sqlite3_free(column);
}

static void change_values(struct database *d, const uint8_t *data, size_t size)
{
	sqlite3 *db;

	write_file(d, NULL, 0);
	db = open_quick(d);
	while (size) {
		const uint8_t *end = memchr(data, '\n', size);
		size_t len = end ? (size_t)(end - data) : size;

		if (len > 2)
			change_value(d, db, data, len);
		len += end != NULL;
		data += len;
		size -= len;
	}
	sqlite3_close(db);
}

/* Each as a shell would begin it, without the ledger. */
static const char *const lines[][8] = {
	{ "log" },
	{ "log", "--format", "json" },
	{ "log", "--format", "csv", "--since", "2023-11-14" },
	{ "log", "--exe", "curl", "--limit", "3" },
	{ "log", "--dst", "192.0.0.0/16", "--dport", "443" },
	{ "log", "--certainty", "certain", "--user", "0" },
	{ "who", "tcp", "*:*", "192.0.0.1:443" },
	{ "who", "--format", "json", "tcp", "*:40001", "192.0.0.1:443" },
	{ "show", "2" },
	{ "show", "--format", "json", "5" },
	{ "top", "--since", "2023-11-14", "--by", "program,user,dst" },
	{ "first", "--since", "2023-11-14" },
	{ "deps", "--since", "2023-11-14" },
	{ "report", "--since", "2023-11-14", "--html", page },
	{ "export", "--format", "jsonl" },
	{ "export", "--format", "ecs" },
	{ "export", "--format", "ocsf" },
	{ "stats" },
	{ "metrics" },
	{ "policy", "suggest" },
	{ "policy", "replay", policy },
	{ "policy", "stats", policy },
	{ "sql", "SELECT * FROM connections" },
	{ "sql", "SELECT * FROM timeline WHERE us >= us('2023-11-14')" },
	{ "sql", "SELECT exe, sum(count) FROM hours GROUP BY exe" },
	{ "doctor", "ledger-whole" },
};
#define LINES (sizeof(lines) / sizeof(lines[0]))

/* Whether a statement is wrong, or the schema that it is asked of, `sql` cannot tell. */
static bool may_end_with(int status, const char *command)
{
	return status == CLI_FOUND || status == CLI_NOTHING || status == CLI_UNREADABLE ||
	       (status == CLI_USAGE && !strcmp(command, "sql"));
}

/* What it says is for nobody. */
static void run(const char *const *line)
{
	char *argv[16] = { (char *)(uintptr_t)"sockledger", (char *)(uintptr_t)"--ledger",
			   ledger.path };
	int out = dup(STDOUT_FILENO), err = dup(STDERR_FILENO), argc = 3, status;

	for (; *line; line++)
		argv[argc++] = (char *)(uintptr_t)*line;
	fflush(stdout);
	FUZZ_CHECK(out >= 0 && err >= 0 && dup2(nowhere, STDOUT_FILENO) >= 0 &&
		   dup2(nowhere, STDERR_FILENO) >= 0);
	optind = 0;
	status = sockledger_main(argc, argv);
	fflush(stdout);
	dup2(out, STDOUT_FILENO);
	dup2(err, STDERR_FILENO);
	close(out);
	close(err);
	if (!may_end_with(status, argv[3]))
		fprintf(stderr, "%s %s: %d\n", argv[3], argc > 4 ? argv[4] : "", status);
	FUZZ_CHECK(may_end_with(status, argv[3]));
}

/* What would be sent to a collector. */
static void ship(void)
{
	struct position p = { .ledger = 0 };
	struct batch b = { .text = NULL };
	struct rows_ends ends;
	enum rows_met met;
	struct rows *r = NULL;

	if (!rows_open(ledger.path, "host", &r) && !rows_look(r, &ends) &&
	    !rows_meet(r, &ends, &p, &met) &&
	    !rows_read(r, &p, ends.id, 100, FILE_MAX, &b))
		FUZZ_CHECK(b.rows <= 100);
	batch_release(&b);
	rows_close(r);
}

static int check_event(const struct event *e, void *arg)
{
	unsigned int *sum = arg;

	for (int i = 0; i < PROCESS_TEXTS; i++)
		for (size_t k = 0; k < e->process.text[i].len; k++)
			*sum += (unsigned char)e->process.text[i].data[k];
	FUZZ_CHECK(e->addr.family == 0 || e->addr.family == AF_INET || e->addr.family == AF_INET6);
	return 0;
}

static void on_counter(const char *name, int64_t value, void *arg)
{
	unsigned int *sum = arg;

	*sum += (unsigned int)strlen(name) + (unsigned int)value;
}

static void read_cache(void)
{
	struct cache_reader *r;
	uint64_t first, last;
	unsigned int sum = 0;

	if (cache_reader_open(cache.path, &r))
		return;
	FUZZ_CHECK(cache_reader_generation(r));
	cache_reader_bounds(r, &first, &last);
	FUZZ_CHECK(cache_reader_walk(r, 0, 100, check_event, &sum) <= 100);
	cache_reader_counters(r, on_counter, &sum);
	cache_reader_close(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned int which, how;
	struct database *d;

	if (!nowhere)
		begin();
	if (size < 2)
		return 0;
	which = data[0] % (LINES + 1);
	how = data[1];
	d = how & 2 ? &cache : &ledger;
	alarm(LONGEST_S);
	if (how & 1)
		change_values(d, data + 2, size - 2);
	else
		write_file(d, data + 2, size - 2);
	if (d == &cache)
		read_cache();
	else if (which == LINES)
		ship();
	else
		run(lines[which]);
	alarm(0);
	return 0;
}
