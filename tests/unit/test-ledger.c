/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ledger: its view as others rely on it, what is stored once, transactions. */
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <sqlite3.h>

#include "db.h"
#include "ledger.h"
#include "ledger_schema.h"
#include "scratch.h"
#include "sql.h"
#include "tap.h"

/* DESIGN section 7: keys of the JSON and columns of the view, in this order. */
static const char *const columns[] = {
	"time", "direction", "proto", "src", "sport", "dst", "dport", "pid", "start_time", "comm",
	"exe", "cmdline", "cwd", "ppid", "parent_exe", "uid", "user", "auid", "login_user",
	"session", "netns", "container", "unit", "node", "evidence", "certainty", "reason",
	"verdict", "rule", "latency_us", "amended", "packets", "bytes", "end_time",
	"exe_seen", "exe_dev", "exe_inode", "exe_ctime", "dst_name", "dst_name_by", "dst_names",
	"audit_id",
};

#define COLUMNS ((int)(sizeof(columns) / sizeof(columns[0])))

static void is(const char *path, const char *sql, const char *wanted, const char *name)
{
	const char *got = ledger_text(path, sql);

	if (!tap_ok(!strcmp(got, wanted), "%s", name))
		tap_note("got: %s, wanted: %s, by: %s", got, wanted, sql);
}

static struct ledger_writer *open_writer(const char *path)
{
	struct ledger_writer *w;
	int rc = ledger_writer_open(path, &w);

	if (!rc)
		return w;
	tap_ok(false, "the ledger is opened: %d", rc);
	exit(1);
}

static int apply(struct ledger_writer *w, enum change_kind kind, const struct connection *c)
{
	struct ledger_change change = { .kind = kind, .connection = *c };

	return ledger_apply(w, &change);
}

static int apply_record(struct ledger_writer *w, const struct connection *c, bool amended,
			bool described)
{
	struct ledger_change change = {
		.kind = CHANGE_CONFIRM, .amended = amended, .described = described,
		.connection = *c,
	};

	return ledger_apply(w, &change);
}

static int apply_result(struct ledger_writer *w, uint64_t id, int64_t result)
{
	struct ledger_change change;

	ledger_change_init(&change, CHANGE_AGAIN, id);
	change.connection.result = result;
	return ledger_apply(w, &change);
}

static int apply_protocol(struct ledger_writer *w, uint64_t id, int protocol)
{
	struct ledger_change change;

	ledger_change_init(&change, CHANGE_PROTOCOL, id);
	change.connection.protocol = protocol;
	return ledger_apply(w, &change);
}

static void add(struct ledger_writer *w, const struct connection *c)
{
	int rc = apply(w, CHANGE_ADD, c);

	if (rc)
		tap_ok(false, "row %llu is added: %d", (unsigned long long)c->id, rc);
}

static void full(struct connection *c)
{
	static const char *const texts[CONNECTION_TEXTS] = {
		[CONNECTION_NODE] = "a node", [CONNECTION_PARENT_EXE] = "/a/parent",
		[CONNECTION_CONTAINER] = "a container", [CONNECTION_UNIT] = "a.unit",
		[CONNECTION_REASON] = "a reason", [CONNECTION_RULE] = "a rule",
		[CONNECTION_DST_NAME] = "a.name",
	};

	connection_init(c);
	c->id = 1;
	c->time_us = 1772368496789012LL;
	c->direction = DIRECTION_IN;
	c->protocol = IPPROTO_TCP;
	address_parse("192.0.2.1", &c->src.addr);
	c->src.port = 40000;
	address_parse("2001:db8::2", &c->dst.addr);
	c->dst.port = 443;
	c->process.pid = 4711;
	c->process.start_ticks = 99;
	c->start_us = 1772368400000001LL;
	c->process.ppid = 1;
	c->process.uid = 1000;
	c->process.gid = 1001;
	c->process.euid = 1002;
	c->process.fsuid = 1003;
	c->process.auid = 1004;
	c->process.session = 5;
	c->process.netns = 4026531840;
	c->process.exe_seen = EXE_HERE;
	c->process.exe_dev = 2049;
	c->process.exe_inode = 4712;
	c->process.exe_ctime = 1772368000000000001LL;
	c->evidence = EVIDENCE_AUDIT | EVIDENCE_FD | EVIDENCE_BIND;
	c->certainty = CERTAINTY_CERTAIN;
	c->verdict = VERDICT_REJECT;
	c->latency_us = 123;
	c->audit_us = 1772368496004000LL;
	c->audit_serial = 4294967295U;
	c->dst_name_by = NAME_BY_USER;
	c->dst_names = 2;
	c->process.comm = text_of("a comm");
	c->process.exe = text_of("/an/exe");
	c->process.cmdline = text_of("a command line");
	c->process.cwd = text_of("/a/cwd");
	c->process.label = text_of("a label");
	c->process.user = text_of("a user");
	c->process.login_user = text_of("a login");
	for (int i = 0; i < CONNECTION_TEXTS; i++)
		c->text[i] = text_of(texts[i]);
}

/* What `full` looks like in the view; amended, packets, bytes and end_time nobody writes yet. */
static const char *const full_row[] = {
	"2026-03-01T12:34:56.789012Z",
	"in",
	"tcp",
	"192.0.2.1",
	"40000",
	"2001:db8::2",
	"443",
	"4711",
	"2026-03-01T12:33:20.000001Z",
	"a comm",
	"/an/exe",
	"a command line",
	"/a/cwd",
	"1",
	"/a/parent",
	"1000",
	"a user",
	"1004",
	"a login",
	"5",
	"4026531840",
	"a container",
	"a.unit",
	"a node",
	"audit,fd,bind",
	"certain",
	"a reason",
	"reject",
	"a rule",
	"123",
	"0",
	NULL,
	NULL,
	NULL,
	"here",
	"2049",
	"4712",
	"1772368000000000001",
	"a.name",
	"user",
	"2",
	"1772368496.004:4294967295",
};

/* And one of which nothing is known. */
static const char *const empty_row[] = {
	"1970-01-01T00:00:00.000000Z", "out", NULL, NULL, NULL, NULL, NULL, NULL, NULL,
	NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
	NULL, NULL, NULL, "unknown", NULL, "observed", NULL, NULL, "0", NULL, NULL, NULL,
	NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
};

static void row_is(sqlite3_stmt *s, const char *const *wanted, const char *name)
{
	for (int i = 0; i < COLUMNS; i++) {
		const char *got = (const char *)sqlite3_column_text(s, i);

		if (!tap_ok(got && wanted[i] ? !strcmp(got, wanted[i]) : !got && !wanted[i],
			    "column %s %s", columns[i], name))
			tap_note("got %s", got ? got : "NULL");
	}
}

static void test_view(void)
{
	const char *path = scratch_path("view.db");
	struct ledger_writer *w = open_writer(path);
	struct connection c, none;
	sqlite3 *db;
	sqlite3_stmt *s;
	bool same = true;

	full(&c);
	connection_init(&none);
	none.id = 2;
	ledger_writer_begin(w);
	add(w, &c);
	add(w, &none);
	tap_ok(ledger_writer_commit(w) == 0, "two rows are written");
	ledger_writer_close(w);

	ledger_open_read(path, &db);
	tap_ok(sqlite3_prepare_v2(db, "SELECT * FROM connections ORDER BY time DESC", -1, &s,
				  NULL) == 0,
	       "the view is there");
	tap_ok(sqlite3_column_count(s) == COLUMNS && ledger_column_count == COLUMNS, "%d columns",
	       COLUMNS);
	for (int i = 0; i < COLUMNS && i < sqlite3_column_count(s); i++)
		same = same && !strcmp(sqlite3_column_name(s, i), columns[i]) &&
		       !strcmp(ledger_columns[i], columns[i]);
	tap_ok(same, "with the names and in the order that others rely on");
	sqlite3_step(s);
	row_is(s, full_row, "of a row of which all is known");
	tap_ok(sqlite3_column_type(s, 4) == SQLITE_INTEGER &&
		       sqlite3_column_type(s, 7) == SQLITE_INTEGER &&
		       sqlite3_column_type(s, 15) == SQLITE_INTEGER &&
		       sqlite3_column_type(s, 29) == SQLITE_INTEGER,
	       "numbers are numbers");
	sqlite3_step(s);
	row_is(s, empty_row, "of one of which nothing is");
	sqlite3_finalize(s);
	db_close(db);
	is(path,
	   "SELECT gid || ' ' || euid || ' ' || fsuid || ' ' || (SELECT text FROM text t WHERE"
	   " t.id = label) FROM process",
	   "1001 1002 1003 a label", "what the view leaves out is kept");
}

static void test_words(void)
{
	static const char *const protocols[] = { "1 icmp",	"6 tcp",     "17 udp",
						 "33 dccp",	"58 icmpv6", "132 sctp",
						 "136 udplite", "262 mptcp", "255 255" };
	const char *path = scratch_path("words.db");
	struct ledger_writer *w = open_writer(path);
	struct connection c;
	char sql[128];

	ledger_writer_begin(w);
	for (size_t i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++) {
		connection_init(&c);
		c.id = i + 1;
		c.protocol = atoi(protocols[i]);
		c.direction = (enum direction)(1 + i % 3);
		c.certainty = (enum certainty)(1 + i % 3);
		c.verdict = (enum verdict)(1 + i % 4);
		c.evidence = (unsigned int)i % 8;
		c.time_us = (int64_t)i;
		add(w, &c);
	}
	ledger_writer_commit(w);
	ledger_writer_close(w);
	for (size_t i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++) {
		snprintf(sql, sizeof(sql),
			 "SELECT proto FROM connections ORDER BY time LIMIT 1 OFFSET %zu", i);
		is(path, sql, strchr(protocols[i], ' ') + 1, protocols[i]);
	}
	is(path, "SELECT group_concat(direction || certainty || verdict, ' ') FROM (SELECT * FROM"
		 " connections ORDER BY time LIMIT 4)",
	   "outunknownobserved ininferredaccept forwardcertaindrop outunknownreject",
	   "directions, certainties and verdicts in words");
	is(path, "SELECT group_concat(ifnull(evidence, '-'), ' ') FROM (SELECT * FROM connections"
		 " ORDER BY time LIMIT 8)",
	   "- audit fd audit,fd bind audit,bind fd,bind audit,fd,bind", "evidence as a list");
}

static void test_bytes(void)
{
	static char big[100000];
	const char *path = scratch_path("bytes.db");
	struct ledger_writer *w = open_writer(path);
	struct connection c;
	sqlite3 *db;
	sqlite3_stmt *s;
	static const struct text texts[] = {
		{ "a\0b", 3 }, { "a", 1 },	 { "a\0", 2 },	     { "\xff\xfe\xed\xa0\x80", 5 },
		{ "", 0 },     { "\033[2J", 4 }, { "' OR 1 --", 9 }, { big, sizeof(big) },
		{ big, 120 },  { big, 121 },
	};
	size_t count = sizeof(texts) / sizeof(texts[0]);
	bool good = true;

	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = (char)(i * 7);
	ledger_writer_begin(w);
	for (size_t i = 0; i < 2 * count; i++) {
		connection_init(&c);
		c.id = i + 1;
		c.time_us = (int64_t)i;
		c.process.pid = (int64_t)i;
		c.process.comm = c.text[CONNECTION_REASON] = texts[i % count];
		add(w, &c);
	}
	ledger_writer_commit(w);
	ledger_writer_close(w);
	ledger_open_read(path, &db);
	db_prepare(db, "SELECT comm, reason FROM connections ORDER BY time", &s);
	for (size_t i = 0; i < 2 * count; i++)
		good = good && sqlite3_step(s) == SQLITE_ROW &&
		       text_equal(db_column_text(s, 0), texts[i % count]) &&
		       text_equal(db_column_text(s, 1), texts[i % count]);
	sqlite3_finalize(s);
	db_close(db);
	tap_ok(good, "texts come back as they were, with any byte and of any length");
	is(path, "SELECT count(*) FROM text", "10", "and stand there once");
}

static void row_of(struct ledger_writer *w, uint64_t id, int64_t pid, int64_t start,
		   const char *comm, int64_t time_us)
{
	struct connection c;

	connection_init(&c);
	c.id = id;
	c.process.pid = pid;
	c.process.start_ticks = start;
	c.time_us = time_us;
	c.process.comm = text_of(comm);
	c.process.exe = text_of("/bin/x");
	add(w, &c);
}

static void test_processes(void)
{
	const char *path = scratch_path("processes.db");
	struct ledger_writer *w = open_writer(path);
	static const int64_t s = 1000000;

	ledger_writer_begin(w);
	row_of(w, 1, 5, 100, "x", 0);
	row_of(w, 2, 5, 100, "x", 3600 * s);
	row_of(w, 3, 5, 101, "x", 3601 * s);
	row_of(w, 4, 5, 101, "x", 3602 * s);
	/* In the same place of any table of pids that is a power of two. */
	row_of(w, 5, 5 + 65536, 100, "x", 3603 * s);
	row_of(w, 6, 5, 101, "x", 3604 * s);
	ledger_writer_commit(w);
	ledger_writer_close(w);
	is(path,
	   "SELECT group_concat(process, ' ') FROM (SELECT process FROM connection ORDER BY id)",
	   "1 1 2 2 3 2", "a process stands there once; the same pid started anew is another");
	w = open_writer(path);
	ledger_writer_begin(w);
	row_of(w, 7, 5, 101, "x", 3605 * s);
	row_of(w, 8, 5, 102, "x", 3605 * s);
	ledger_writer_commit(w);
	ledger_writer_close(w);
	is(path,
	   "SELECT group_concat(process, ' ') FROM (SELECT process FROM connection WHERE id > 6"
	   " ORDER BY id)",
	   "2 4", "also after reopening");
	is(path, "SELECT count(*) FROM text", "2", "texts stand there once");

	/* No start time: the process had exited when it was looked for. */
	path = scratch_path("gone.db");
	w = open_writer(path);
	ledger_writer_begin(w);
	row_of(w, 1, 5, -1, "x", 0);
	row_of(w, 2, 5, -1, "x", s);
	row_of(w, 3, 5, -1, "x", 3600 * s);
	row_of(w, 4, 5, -1, "y", 3600 * s);
	/* The first ones of all. */
	row_of(w, 5, 2, 0, "x", 0);
	row_of(w, 6, 2, 0, "x", 3600 * s);
	ledger_writer_commit(w);
	ledger_writer_close(w);
	is(path,
	   "SELECT group_concat(process, ' ') FROM (SELECT process FROM connection ORDER BY id)",
	   "1 1 2 3 4 4", "without a start, a pid is the same process only for a while");

	/* Threads of one process have names of their own, and take turns. */
	path = scratch_path("threads.db");
	w = open_writer(path);
	ledger_writer_begin(w);
	for (unsigned int i = 0; i < 100; i++)
		row_of(w, i + 1, 5, 100, i % 2 ? "worker" : "main", i);
	ledger_writer_commit(w);
	ledger_writer_close(w);
	is(path, "SELECT count(*) <= 2 FROM process", "1",
	   "threads that take turns do not make a process a row each time");
	if (atoi(ledger_text(path, "SELECT count(*) FROM process")) > 2)
		tap_note("%s rows for one process",
			 ledger_text(path, "SELECT count(*) FROM process"));
}

static int64_t counter_of(struct ledger_writer *w, const char *name)
{
	int64_t value;

	return ledger_writer_counter(w, name, &value) ? -1 : value;
}

static void test_rollback(void)
{
	const char *path = scratch_path("rollback.db");
	struct ledger_writer *w = open_writer(path);
	struct connection c;

	ledger_writer_begin(w);
	row_of(w, 1, 5, 100, "kept", 1);
	ledger_writer_set_position(w, "e", 10);
	ledger_writer_set_counter(w, "rows", 1);
	ledger_writer_commit(w);

	ledger_writer_begin(w);
	full(&c);
	c.id = 2;
	add(w, &c);
	row_of(w, 3, 6, 7, "gone", 2);
	apply_result(w, 1, -5);
	ledger_writer_set_position(w, "e", 20);
	ledger_writer_set_counter(w, "rows", 3);
	ledger_writer_rollback(w);
	is(path, "SELECT count(*) FROM connections", "1", "what is rolled back is not there");
	tap_ok(ledger_writer_position(w, "e") == 10 && counter_of(w, "rows") == 1,
	       "neither position nor counter");

	/* Other texts and processes take the ids that were given within it: nothing may point
	 * there. */
	ledger_writer_begin(w);
	row_of(w, 2, 8, 9, "other", 3);
	full(&c);
	c.id = 3;
	add(w, &c);
	row_of(w, 4, 6, 7, "gone", 4);
	row_of(w, 5, 5, 100, "kept", 5);
	ledger_writer_set_position(w, "e", 20);
	tap_ok(ledger_writer_commit(w) == 0, "the same rows are written again");
	is(path, "SELECT group_concat(pid || ' ' || comm || ' ' || exe, ', ') FROM connections",
	   "5 kept /bin/x, 8 other /bin/x, 4711 a comm /an/exe, 6 gone /bin/x, 5 kept /bin/x",
	   "and each has its own process and texts");
	is(path, "SELECT src || ' ' || dst || ' ' || rule FROM connections WHERE pid = 4711",
	   "192.0.2.1 2001:db8::2 a rule", "and its addresses");
	is(path, "SELECT count(*) || ' ' || count(DISTINCT text) FROM text", ledger_text(path,
	   "SELECT count(*) || ' ' || count(*) FROM text"), "no text twice");
	is(path, "SELECT count(*) FROM process", "4", "no process twice");
	tap_ok(apply(w, CHANGE_ADD, &c) == -EEXIST, "an id is given once");
	ledger_writer_close(w);
}

/* The same, where all texts are old ones: the number of a process alone is void. */
static void test_rollback_process(void)
{
	const char *path = scratch_path("rollback2.db");
	struct ledger_writer *w = open_writer(path);

	ledger_writer_begin(w);
	row_of(w, 1, 5, 100, "x", 1);
	ledger_writer_commit(w);
	ledger_writer_begin(w);
	row_of(w, 2, 6, 7, "x", 2);
	ledger_writer_rollback(w);
	ledger_writer_begin(w);
	row_of(w, 2, 8, 9, "x", 3);
	row_of(w, 3, 6, 7, "x", 4);
	ledger_writer_commit(w);
	ledger_writer_close(w);
	is(path, "SELECT group_concat(pid, ' ') FROM connections", "5 8 6",
	   "a process that was rolled back is stored anew");
}

/* Thousands of short texts, many the beginning of another: each row has its own. */
static void test_many_texts(void)
{
	static char texts[20000][16];
	const char *path = scratch_path("many.db");
	struct ledger_writer *w = open_writer(path);
	sqlite3 *db;
	sqlite3_stmt *s;
	int wrong = 0;

	ledger_writer_begin(w);
	for (unsigned int i = 0; i < 20000; i++) {
		size_t len = scratch_random() % 15;

		for (size_t k = 0; k < len; k++)
			texts[i][k] = scratch_random() % 2 ? 'a' : 'b';
		row_of(w, i + 1, (int64_t)(scratch_random() % 5000), 1, texts[i], 0);
	}
	ledger_writer_commit(w);
	ledger_writer_close(w);
	ledger_open_read(path, &db);
	db_prepare(db, "SELECT t.text FROM connection c JOIN process p ON p.id = c.process"
		       " JOIN text t ON t.id = p.comm ORDER BY c.id", &s);
	for (unsigned int i = 0; i < 20000; i++)
		wrong += sqlite3_step(s) != SQLITE_ROW ||
			 !text_equal(db_column_text(s, 0), text_of(texts[i]));
	sqlite3_finalize(s);
	db_close(db);
	if (!tap_ok(!wrong, "each of 20000 rows has its own of thousands of texts"))
		tap_note("%d have not", wrong);
	is(path, "SELECT count(*) - count(DISTINCT text) FROM text", "0",
	   "and none stands there twice");
}

static void test_position(void)
{
	const char *path = scratch_path("position.db");
	struct ledger_writer *w = open_writer(path);

	tap_ok(ledger_writer_next_id(w) == 1 && ledger_writer_position(w, "a") == 0 &&
	       counter_of(w, "x") == 0, "a new ledger begins with 1 and knows no cache");
	ledger_writer_begin(w);
	row_of(w, 41, 1, 1, "x", 0);
	ledger_writer_set_position(w, "a", 7);
	ledger_writer_set_counter(w, "x", 3);
	/* Ended in the middle: nothing of it is kept. */
	ledger_writer_close(w);
	w = open_writer(path);
	tap_ok(ledger_writer_next_id(w) == 1 && ledger_writer_position(w, "a") == 0,
	       "an end without a commit keeps neither rows nor position");
	ledger_writer_begin(w);
	row_of(w, 41, 1, 1, "x", 0);
	ledger_writer_set_position(w, "a", 7);
	ledger_writer_set_position(w, "b", 9);
	ledger_writer_set_position(w, "a", 8);
	ledger_writer_set_counter(w, "x", 3);
	ledger_writer_commit(w);
	tap_ok(ledger_writer_next_id(w) == 42, "the next id is behind the largest");
	ledger_writer_close(w);
	w = open_writer(path);
	tap_ok(ledger_writer_next_id(w) == 42 && ledger_writer_position(w, "a") == 8 &&
	       ledger_writer_position(w, "b") == 9 && ledger_writer_position(w, "c") == 0 &&
	       counter_of(w, "x") == 3, "all of it is there after reopening");
	ledger_writer_close(w);
}

static void test_again(void)
{
	const char *path = scratch_path("again.db");
	struct ledger_writer *w = open_writer(path);

	ledger_writer_begin(w);
	row_of(w, 1, 1, 1, "x", 0);
	row_of(w, 2, 1, 1, "x", 0);
	apply_result(w, 1, -111);
	apply_result(w, 1, 0);
	apply_protocol(w, 2, IPPROTO_UDP);
	tap_ok(apply_result(w, 99, 0) == 0, "a row that is not there any more is no error");
	ledger_writer_commit(w);
	ledger_writer_close(w);
	is(path, "SELECT count || ' ' || result FROM connection WHERE id = 1", "3 0",
	   "a connection that goes on is counted on its row");
	is(path, "SELECT count || ' ' || proto FROM connection WHERE id = 2", "1 17",
	   "a protocol may come late");
}

/* What comes to a packet's row later: its record, the end of its call, its verdict. */
static void test_later(void)
{
	const char *path = scratch_path("later.db");
	struct ledger_writer *w = open_writer(path);
	struct connection c;

	ledger_writer_begin(w);
	for (uint64_t id = 1; id <= 6; id++) {
		connection_init(&c);
		c.id = id;
		c.process.pid = 50;
		c.process.comm = text_of("seen");
		c.text[CONNECTION_REASON] = text_of("nobody knows");
		c.evidence = EVIDENCE_INODE | (id == 6 ? 0 : EVIDENCE_TRACE) |
			     (id <= 2 ? EVIDENCE_TRACE_CALL : 0);
		c.certainty = CERTAINTY_INFERRED;
		add(w, &c);
	}
	connection_init(&c);
	c.process.pid = 51;
	c.process.comm = text_of("told");
	c.certainty = CERTAINTY_CERTAIN;
	c.audit_us = 1772368496004000LL;
	c.audit_serial = 77;
	c.result = -115;
	c.id = 1;
	c.evidence = EVIDENCE_AUDIT | EVIDENCE_TRACE | EVIDENCE_TRACE_CALL;
	tap_ok(apply_record(w, &c, false, false) == 0, "a record comes to its row");
	c.id = 2;
	c.evidence = EVIDENCE_AUDIT;
	apply_record(w, &c, true, false);
	c.id = 3;
	apply_record(w, &c, true, true);
	apply_record(w, &c, false, true);
	c.id = 5;
	c.evidence = EVIDENCE_TRACE_CALL;
	c.certainty = CERTAINTY_CERTAIN;
	apply(w, CHANGE_PROVE, &c);
	ledger_writer_commit(w);
	is(path,
	   "SELECT evidence || ' ' || certainty || ' ' || amended || ' ' || result || ' ' ||"
	   " audit_serial || ' ' || audit_time || ' ' || (reason IS NULL) FROM connection WHERE id "
	   "= 1",
	   "97 3 0 -115 77 1772368496004000 1",
	   "which takes its evidence");
	is(path, "SELECT evidence FROM connection WHERE id = 2", "1",
	   "that of the other process, where it is amended");
	is(path,
	   "SELECT group_concat(t.text, ' ') FROM connection c JOIN process p ON p.id = c.process"
	   " JOIN text t ON t.id = p.comm WHERE c.id <= 3",
	   "told told seen", "and its process, unless what was seen is known to be better");
	is(path, "SELECT group_concat(amended, ' ') FROM connection", "0 1 1 0 0 0",
	   "who was amended once stays that");
	is(path,
	   "SELECT group_concat(evidence || ' ' || certainty, ', ') FROM connection WHERE id >= 4",
	   "40 2, 104 3, 8 2", "a later word is beside the earlier ones");
	ledger_writer_begin(w);
	full(&c);
	c.id = 4;
	c.evidence = EVIDENCE_FD;
	c.direction = DIRECTION_FORWARD;
	tap_ok(apply(w, CHANGE_DECIDE, &c) == 0, "a verdict comes to its record's row");
	ledger_writer_commit(w);
	ledger_writer_begin(w);
	c.id = 4711;
	c.verdict = VERDICT_DROP;
	apply_record(w, &c, false, true);
	ledger_writer_commit(w);
	is(path, "SELECT verdict || ' ' || audit_serial || ' ' || count FROM connection"
		 " WHERE id = 4711", "3 4294967295 1", "a record whose row is missing opens it");
	ledger_writer_close(w);
	is(path,
	   "SELECT proto || ' ' || src || ' ' || sport || ' ' || certainty || ' ' || verdict ||"
	   " ' ' || rule || ' ' || latency_us || ' ' || comm || ' ' || evidence || ' ' || direction"
	   " FROM connections WHERE verdict = 'reject'",
	   "tcp 192.0.2.1 40000 certain reject a rule 123 seen fd,inode,trace forward",
	   "with what the packet shows, and beside the evidence that was there");
	is(path, "SELECT count(*) FROM connection WHERE verdict = 1", "5", "and to no other");
}

static struct half_row {
	struct connection c;
	bool has_packet;
} half_rows[4];
static int half_count;

static void take_half(const struct connection *c, bool has_packet, void *arg)
{
	(void)arg;
	if (half_count < 4)
		half_rows[half_count] = (struct half_row){ *c, has_packet };
	half_count++;
}

/* What a daemon that begins anew reads: rows that have a packet or a record, and not both. */
static void test_halves(void)
{
	const char *path = scratch_path("halves.db");
	struct ledger_writer *w = open_writer(path);
	const struct connection *c = &half_rows[1].c;
	struct connection row;
	int rc;

	ledger_writer_begin(w);
	for (uint64_t id = 1; id <= 4; id++) {
		full(&row);
		row.id = id;
		row.time_us = 1000 + (int64_t)id;
		if (id == 2 || id == 3)
			row.latency_us = -1;
		if (id == 4)
			row.audit_us = -1;
		if (id == 3)
			row.process.fsuid = -1;
		add(w, &row);
	}
	ledger_writer_commit(w);
	rc = ledger_halves(path, 1000, take_half, NULL);
	tap_ok(!rc && half_count == 3 && half_rows[0].c.id == 2 && half_rows[1].c.id == 3 &&
	       half_rows[2].c.id == 4, "rows of which one half is there");
	tap_ok(!half_rows[0].has_packet && !half_rows[1].has_packet && half_rows[2].has_packet,
	       "and which half that is");
	full(&row);
	tap_ok(c->time_us == 1003 && c->direction == row.direction && c->protocol == row.protocol &&
	       address_equal(&c->src.addr, &row.src.addr) && c->src.port == row.src.port &&
	       address_equal(&c->dst.addr, &row.dst.addr) && c->dst.port == row.dst.port,
	       "with time and tuple");
	tap_ok(c->process.pid == row.process.pid && c->evidence == row.evidence &&
		       c->certainty == row.certainty && c->verdict == row.verdict &&
		       c->process.uid == row.process.uid &&
		       half_rows[0].c.process.uid == row.process.fsuid,
	       "process, user, and what was known");
	half_count = 0;
	ledger_halves(path, 1003, take_half, NULL);
	tap_ok(half_count == 2 && half_rows[0].c.id == 3, "none from before");
	ledger_writer_close(w);
	tap_ok(ledger_halves(scratch_path("no.db"), 0, take_half, NULL) == -ENOENT,
	       "no ledger: why");
}

static void test_errors(void)
{
	const char *path = scratch_path("errors.db");
	struct ledger_writer *w = open_writer(path), *second;
	sqlite3 *db;

	tap_ok(ledger_writer_open(path, &second) == -EBUSY, "a second writer: -EBUSY");
	sqlite3_open(path, &db);
	sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
	tap_ok(ledger_writer_begin(w) == -EBUSY, "locked by another: -EBUSY");
	sqlite3_exec(db, "ROLLBACK; PRAGMA user_version = 999", NULL, NULL, NULL);
	ledger_writer_close(w);
	tap_ok(ledger_writer_open(path, &second) == -EPROTO, "a newer version: -EPROTO");
	sqlite3_exec(db, "PRAGMA user_version = 1; PRAGMA application_id = 0x736c6361", NULL, NULL,
		     NULL);
	sqlite3_close(db);
	tap_ok(ledger_writer_open(path, &second) == -EMEDIUMTYPE,
	       "a cache is no ledger: -EMEDIUMTYPE");
	tap_ok(ledger_open_read(path, &db) == -EMEDIUMTYPE, "nor for a reader");
}

/* What cannot be read or written is told, and is not taken for zero or for done. */
static void test_gone(void)
{
	const char *path = scratch_path("gone-tables.db");
	struct ledger_writer *w = open_writer(path);
	struct connection c;
	int64_t value;

	full(&c);
	sql_raw(path, "ALTER TABLE counter RENAME TO gone_counter");
	for (int i = 0; i < 2; i++)
		tap_ok(ledger_writer_counter(w, "rows", &value) < 0,
		       "a counter that cannot be read, %s", i ? "or asked for" : "of late");
	sql_raw(path, "ALTER TABLE text RENAME TO gone_text");
	ledger_writer_begin(w);
	tap_ok(apply(w, CHANGE_ADD, &c) < 0, "a row whose texts cannot be written");
	ledger_writer_rollback(w);
	ledger_writer_close(w);
	is(path, "SELECT count(*) FROM connection", "0", "is not there");
}

/* Where descriptor 0 was closed its number is the lock's. */
static void test_lowest_descriptor(void)
{
	struct ledger_writer *w = NULL;
	int kept = dup(0);

	close(0);
	tap_ok(ledger_writer_open(scratch_path("lowest.db"), &w) == 0,
	       "a lock may have any descriptor");
	if (w)
		ledger_writer_close(w);
	if (kept >= 0) {
		dup2(kept, 0);
		close(kept);
	}
}

int main(int argc, char **argv)
{
	scratch_seed(argc, argv);
	scratch_make();
	test_view();
	test_words();
	test_bytes();
	test_processes();
	test_rollback();
	test_rollback_process();
	test_many_texts();
	test_position();
	test_again();
	test_later();
	test_halves();
	test_errors();
	test_gone();
	test_lowest_descriptor();
	return tap_done();
}
