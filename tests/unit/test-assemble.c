/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lines to events: each event comes out exactly once or is in exactly one counter, whatever the
 * order of its records, what is missing, and what is open beside it.
 *
 *   test-assemble [SEED]
 */
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "assemble.h"
#include "counters.h"
#include "tap.h"

#define SLOTS 128	/* events that may be open */
#define MS 1000000LL	/* in ns */
#define TIMEOUT_MS 2000

/* An event that came out. */
struct delivery {
	struct stamp stamp;
	char node[32];
	struct syscall_class class;
	char *lines, *title;	/* owned; title "" where there is none */
	size_t len;
};

static struct delivery got[8192];
static int got_count;
static struct counters counters;

static char *copy_of(const char *data, size_t len)
{
	char *copy = malloc(len + 1);

	if (len)
		memcpy(copy, data, len);
	copy[len] = '\0';
	return copy;
}

static void collect(const struct assembled *a, void *arg)
{
	struct delivery *d = &got[got_count++];

	if (arg != &counters || got_count == sizeof(got) / sizeof(got[0]))
		abort();
	d->stamp = a->stamp;
	snprintf(d->node, sizeof(d->node), "%.*s", (int)a->stamp.node.len,
		 a->stamp.node.data ? a->stamp.node.data : "");
	d->class = a->class;
	d->lines = copy_of(a->lines, a->len);
	d->len = a->len;
	d->title = copy_of(a->proctitle.data, a->proctitle.len);
}

static void forget(void)
{
	while (got_count) {
		got_count--;
		free(got[got_count].lines);
		free(got[got_count].title);
	}
	memset(&counters, 0, sizeof(counters));
}

static struct assembler *fresh(void)
{
	struct assembler *a;

	forget();
	a = assembler_new(&counters, collect, &counters);
	if (!a)
		abort();
	return a;
}

/* A line at a time in ms, from memory that is gone afterwards: nothing may point into it. */
static void feed_at(struct assembler *a, int64_t ms, const char *line)
{
	struct stamp s;
	size_t len = strlen(line);
	char *copy = copy_of(line, len);

	if (!stamp_parse(copy, len, &s))
		abort();
	assembler_line(a, &s, copy, len, ms * MS);
	memset(copy, '#', len);
	free(copy);
}

static void feed(struct assembler *a, const char *line)
{
	feed_at(a, 0, line);
}

#define STAMP "msg=audit(1700000000.123:1): "
#define CONNECT "type=SYSCALL " STAMP "arch=c000003e syscall=42 success=yes exit=0 a0=3 a1=7f a2=10"
#define SOCKET "type=SYSCALL " STAMP "arch=c000003e syscall=41 success=yes exit=3 a0=2 a1=1 a2=0"
#define OPEN "type=SYSCALL " STAMP "arch=c000003e syscall=257 success=yes exit=3 a0=2 a1=1 a2=0"
#define CONNECT32 "type=SYSCALL " STAMP "arch=40000003 syscall=102 success=yes exit=0 a0=3 a1=ff"
#define SENDTO "type=SYSCALL " STAMP "arch=c000003e syscall=44 success=yes exit=4 a0=3 a1=7f a2=4"
#define ACCEPT "type=SYSCALL " STAMP "arch=c000003e syscall=43 success=yes exit=4 a0=3 a1=7f a2=7f"
#define CALL "type=SOCKETCALL " STAMP "nargs=3 a0=3 a1=ff a2=10"
#define ADDRESS "type=SOCKADDR " STAMP "saddr=02000050C0000201"
#define TITLE "type=PROCTITLE " STAMP "proctitle=\"curl\""
#define END "type=EOE " STAMP

static int64_t count(enum plugin_counter which)
{
	return count_get(&counters, which);
}

/* These counters, and no other. */
static bool counted(int64_t events, int64_t syscalls, int64_t orphans, int64_t incomplete,
		    int64_t bad, int64_t records)
{
	if (count(COUNT_EVENTS) == events && count(COUNT_SKIPPED_SYSCALL) == syscalls &&
	    count(COUNT_ORPHAN) == orphans && count(COUNT_INCOMPLETE) == incomplete &&
	    count(COUNT_BAD_EVENT) == bad && count(COUNT_SKIPPED_RECORD) == records &&
	    events == got_count + syscalls + orphans + incomplete + bad)
		return true;
	tap_note("delivered %d of %" PRId64 " events; foreign %" PRId64 " orphan %" PRId64
		 " incomplete %" PRId64 " bad %" PRId64 " records %" PRId64, got_count,
		 count(COUNT_EVENTS), count(COUNT_SKIPPED_SYSCALL), count(COUNT_ORPHAN),
		 count(COUNT_INCOMPLETE), count(COUNT_BAD_EVENT), count(COUNT_SKIPPED_RECORD));
	return false;
}

static bool delivered(int index, enum event_kind kind, const char *lines, const char *title)
{
	const struct delivery *d = &got[index];

	if (index < got_count && d->class.kind == kind && !strcmp(d->lines, lines) &&
	    d->len == strlen(lines) && !strcmp(d->title, title))
		return true;
	if (index < got_count)
		tap_note("kind %d, title '%s', lines:\n%s", d->class.kind, d->title, d->lines);
	return false;
}

static void test_plain(void)
{
	struct assembler *a = fresh();

	feed(a, CONNECT);
	feed(a, ADDRESS);
	tap_ok(got_count == 0, "nothing before the end");
	feed(a, TITLE);
	tap_ok(got_count == 1, "with its last record, whatever follows");
	feed(a, END);
	tap_ok(delivered(0, EVENT_CONNECT, CONNECT "\n" ADDRESS "\n", "\"curl\"") &&
	       got[0].stamp.serial == 1 && got[0].stamp.time_us == 1700000000123000 &&
	       !got[0].stamp.node.data && !got[0].class.socketcall && counted(1, 0, 0, 0, 0, 0),
	       "connect");
	assembler_free(a);

	a = fresh();
	feed(a, SOCKET);
	feed(a, TITLE);
	feed(a, END);
	tap_ok(delivered(0, EVENT_SOCKET, SOCKET "\n", "\"curl\"") && counted(1, 0, 0, 0, 0, 0),
	       "socket needs no address");
	assembler_free(a);

	a = fresh();
	feed(a, CONNECT32);
	feed(a, CALL);
	feed(a, ADDRESS);
	feed(a, TITLE);
	feed(a, END);
	tap_ok(delivered(0, EVENT_CONNECT, CONNECT32 "\n" CALL "\n" ADDRESS "\n", "\"curl\"") &&
	       got[0].class.socketcall && counted(1, 0, 0, 0, 0, 0), "32-bit connect");
	assembler_free(a);

	a = fresh();
	feed(a, CONNECT);
	feed(a, "type=AVC " STAMP "cwd=\"/\"");
	feed(a, ADDRESS);
	feed(a, "type=PATH " STAMP "item=0 name=\"/x\"");
	feed(a, "type=UNKNOWN[1999] " STAMP "x=y");
	feed(a, TITLE);
	feed(a, "type=USER_LOGIN msg=audit(1700000000.123:2): x=y");
	tap_ok(delivered(0, EVENT_CONNECT, CONNECT "\n" ADDRESS "\n", "\"curl\"") &&
	       counted(1, 0, 0, 0, 0, 4), "records of other types are counted and left out");
	assembler_free(a);

#define DIRECTORY "type=CWD " STAMP "cwd=\"/\""
	a = fresh();
	feed(a, DIRECTORY);
	feed(a, CONNECT);
	feed(a, DIRECTORY "cwd=(cwd=\"");
	feed(a, DIRECTORY " (cwd=\"/b\"");
	feed(a, ADDRESS);
	feed(a, TITLE);
	feed(a, DIRECTORY);
	tap_ok(delivered(0, EVENT_CONNECT, CONNECT "\n" DIRECTORY "cwd=(cwd=\"\n" ADDRESS "\n",
			 "\"curl\"") &&
	       counted(1, 0, 0, 0, 0, 3), "CWD goes along if it has one, and opens no event");
	assembler_free(a);
}

static void test_missing(void)
{
	struct assembler *a = fresh();

	feed(a, CONNECT);
	feed(a, ADDRESS);
	feed(a, END);
	tap_ok(delivered(0, EVENT_CONNECT, CONNECT "\n" ADDRESS "\n", "") &&
	       counted(1, 0, 0, 0, 0, 0), "without PROCTITLE the end is EOE");
	assembler_free(a);

	a = fresh();
	feed(a, CONNECT);
	feed(a, TITLE);
	tap_ok(got_count == 0 && counted(0, 0, 0, 0, 0, 0), "PROCTITLE does not end what lacks");
	feed(a, END);
	tap_ok(counted(1, 0, 0, 1, 0, 0), "connect without SOCKADDR is incomplete");
	assembler_free(a);

	a = fresh();
	feed(a, CONNECT32);
	feed(a, ADDRESS);
	feed(a, TITLE);
	feed(a, END);
	tap_ok(counted(1, 0, 0, 1, 0, 0), "32-bit connect without SOCKETCALL is incomplete");
	assembler_free(a);

	a = fresh();
	feed(a, ADDRESS);
	feed(a, TITLE);
	feed(a, END);
	tap_ok(counted(1, 0, 1, 0, 0, 0), "records without their SYSCALL are an orphan");
	feed(a, END);
	tap_ok(counted(1, 0, 1, 0, 0, 0), "an EOE alone is nothing");
	assembler_free(a);
}

static void test_optional(void)
{
	static const struct {
		const char *call, *lines, *whole;
		enum event_kind kind;
	} of[] = {
		{ SENDTO, SENDTO "\n", SENDTO "\n" ADDRESS "\n", EVENT_SEND },
		{ ACCEPT, ACCEPT "\n", ACCEPT "\n" ADDRESS "\n", EVENT_ACCEPT },
	};
	struct assembler *a;

	for (size_t i = 0; i < sizeof(of) / sizeof(of[0]); i++) {
		a = fresh();
		feed(a, of[i].call);
		feed(a, ADDRESS);
		feed(a, TITLE);
		tap_ok(delivered(0, of[i].kind, of[i].whole, "\"curl\"") &&
		       counted(1, 0, 0, 0, 0, 0), "%s: whole with its title",
		       event_kind_name(of[i].kind));
		assembler_free(a);

		a = fresh();
		feed(a, of[i].call);
		feed(a, TITLE);
		tap_ok(got_count == 0, "%s: without an address it waits",
		       event_kind_name(of[i].kind));
		feed(a, END);
		tap_ok(delivered(0, of[i].kind, of[i].lines, "\"curl\"") &&
		       counted(1, 0, 0, 0, 0, 0), "%s: and then is no loss",
		       event_kind_name(of[i].kind));
		assembler_free(a);
	}
}

static void test_foreign(void)
{
	static const char *const lines[] = {
		OPEN,
		"type=SYSCALL " STAMP "arch=40000003 syscall=102 success=yes exit=0 a0=9 a1=ff",
		"type=SYSCALL " STAMP,
		"type=SYSCALL " STAMP "syscall=42 arch=c000003e a0=1",
		"type=SYSCALL " STAMP "arch=c000003e syscall=42",
		"type=SYSCALL " STAMP "arch=c000003e syscall=42 a0=",
		"type=SYSCALL " STAMP "arch=c000003e syscall=-42 a0=1",
		"type=SYSCALL " STAMP "arch=c000003e syscall=4294967338 a0=1",
		"type=SYSCALL " STAMP "arch=1c000003e syscall=42 a0=1",
		"type=SYSCALL " STAMP "arch=zz syscall=42 a0=1",
		"type=SYSCALL " STAMP "arch=c000003e syscall=42 a0=11111111111111111",
	};
	bool good = true;
	struct assembler *a;

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		a = fresh();
		feed(a, lines[i]);
		feed(a, ADDRESS);
		feed(a, TITLE);
		feed(a, END);
		if (!counted(1, 1, 0, 0, 0, 0)) {
			tap_note("%s", lines[i]);
			good = false;
		}
		assembler_free(a);
	}
	tap_ok(good, "other calls, and what is no call, are swallowed with all their records");
	a = fresh();
	feed(a, "type=SYSCALL " STAMP "arch=c00000ff syscall=42 a0=1");
	feed(a, ADDRESS);
	feed(a, TITLE);
	feed(a, END);
	tap_ok(got_count == 1 && count(COUNT_SKIPPED_SYSCALL) == 0 &&
	       count(COUNT_INCOMPLETE) == 0,
	       "of an architecture that nobody knows it is handed over");
	assembler_free(a);
}

static const char *const pieces[] = { CONNECT, ADDRESS, TITLE, END };
enum { P_SYSCALL, P_ADDRESS, P_TITLE, P_END, PIECES };

/* EOE says that nothing more comes: what it divides is incomplete, and never comes out. */
static bool permutation(const int order[PIECES])
{
	int at[PIECES], first, last;
	struct assembler *a = fresh();
	bool divided, titled, good;

	for (int i = 0; i < PIECES; i++)
		at[order[i]] = i;
	for (int i = 0; i < PIECES; i++)
		feed(a, pieces[order[i]]);
	assembler_flush(a);
	first = at[P_SYSCALL] < at[P_ADDRESS] ? P_SYSCALL : P_ADDRESS;
	last = P_SYSCALL + P_ADDRESS - first;
	divided = at[P_END] > at[first] && at[P_END] < at[last];
	/* The title has to be on the same side of EOE. */
	titled = (at[P_TITLE] < at[P_END]) == (at[last] < at[P_END]);
	good = got_count == !divided &&
	       count(COUNT_EVENTS) == got_count + count(COUNT_INCOMPLETE) + count(COUNT_ORPHAN);
	if (!divided) {
		char lines[512];

		snprintf(lines, sizeof(lines), "%s\n%s\n", pieces[first], pieces[last]);
		good = good && delivered(0, EVENT_CONNECT, lines, titled ? "\"curl\"" : "");
	}
	if (!good)
		tap_note("order %d %d %d %d: %d came out", order[0], order[1], order[2], order[3],
			 got_count);
	assembler_free(a);
	return good;
}

static void test_permutations(void)
{
	int tried = 0;
	bool good = true;

	for (int n = 0; n < 256; n++) {
		int order[PIECES] = { n & 3, n >> 2 & 3, n >> 4 & 3, n >> 6 };
		unsigned int seen = 0;

		for (int i = 0; i < PIECES; i++)
			seen |= 1u << order[i];
		if (seen != 15)
			continue;
		tried++;
		good = permutation(order) && good;
	}
	tap_ok(good && tried == 24, "all orders of the records: once, unless divided by the EOE");
}

static void line_of(char *buf, size_t size, const char *node, int64_t ms, uint32_t serial,
		    const char *type, const char *body)
{
	snprintf(buf, size, "%s%s%stype=%s msg=audit(%" PRId64 ".%03d:%" PRIu32 "): %s",
		 node ? "node=" : "", node ? node : "", node ? " " : "", type, ms / 1000,
		 (int)(ms % 1000), serial, body);
}

static void feed_of(struct assembler *a, int64_t now_ms, const char *node, int64_t ms,
		    uint32_t serial, const char *type, const char *body)
{
	char line[1024];

	line_of(line, sizeof(line), node, ms, serial, type, body);
	feed_at(a, now_ms, line);
}

#define T0 1700000000000LL
static const char connect_body[] = "arch=c000003e syscall=42 success=yes exit=0 a0=3 a1=7f a2=10";
static const char address_body[] = "saddr=02000050C0000201";

static void test_same_serial(void)
{
	static const struct {
		const char *node;
		int64_t ms;
		uint32_t serial;
	} of[] = {
		{ NULL, T0, 7 }, { "a", T0, 7 }, { "b", T0, 7 }, { NULL, T0 + 1, 7 },
		{ NULL, T0 + 1000, 7 }, { NULL, T0, 8 }, { "a", T0, 8 },
	};
	const int n = sizeof(of) / sizeof(of[0]);
	struct assembler *a = fresh();
	bool good;

	for (int i = 0; i < n; i++)
		feed_of(a, 0, of[i].node, of[i].ms, of[i].serial, "SYSCALL", connect_body);
	for (int i = n; i-- > 0;)
		feed_of(a, 0, of[i].node, of[i].ms, of[i].serial, "SOCKADDR", address_body);
	for (int i = 0; i < n; i++)
		feed_of(a, 0, of[i].node, of[i].ms, of[i].serial, "EOE", "");
	good = got_count == n && counted(n, 0, 0, 0, 0, 0);
	for (int i = 0; good && i < n; i++) {
		char lines[512];

		line_of(lines, 256, of[i].node, of[i].ms, of[i].serial, "SYSCALL", connect_body);
		strcat(lines, "\n");
		line_of(lines + strlen(lines), 256, of[i].node, of[i].ms, of[i].serial, "SOCKADDR",
			address_body);
		strcat(lines, "\n");
		good = !strcmp(got[i].lines, lines) &&
		       !strcmp(got[i].node, of[i].node ? of[i].node : "");
	}
	tap_ok(good, "the same serial at another time or of another node is another event");
	assembler_free(a);
}

/* More open events than slots: the oldest is finished as it stands. */
static void test_slots(void)
{
	struct assembler *a = fresh();
	bool good = true;

	for (uint32_t i = 0; i < SLOTS; i++) {
		feed_of(a, 0, NULL, T0, i, "SYSCALL", connect_body);
		if (i % 2)
			feed_of(a, 0, NULL, T0, i, "SOCKADDR", address_body);
	}
	tap_ok(counted(0, 0, 0, 0, 0, 0), "%d events may be open", SLOTS);
	for (uint32_t i = SLOTS; i < SLOTS + 10; i++)
		feed_of(a, 0, NULL, T0, i, "SYSCALL", connect_body);
	for (int i = 0; i < got_count; i++)
		good = good && got[i].stamp.serial == (uint32_t)(2 * i + 1);
	tap_ok(good && got_count == 5 && counted(10, 0, 0, 5, 0, 0),
	       "for each one more the oldest is finished as it stands");
	assembler_flush(a);
	tap_ok(got_count == SLOTS / 2 && counted(SLOTS + 10, 0, 0, SLOTS / 2 + 10, 0, 0),
	       "and the rest by the flush");
	assembler_flush(a);
	tap_ok(counted(SLOTS + 10, 0, 0, SLOTS / 2 + 10, 0, 0), "once");
	assembler_free(a);
}

static void test_age(void)
{
	struct assembler *a = fresh();
	int wait;

	tap_ok(assembler_age(a, 0) == -1, "nothing is open: nothing is due");
	feed_of(a, 1000, NULL, T0, 1, "SYSCALL", connect_body);
	feed_of(a, 1500, NULL, T0, 2, "SYSCALL", connect_body);
	feed_of(a, 1500, NULL, T0, 2, "SOCKADDR", address_body);
	wait = assembler_age(a, 1600 * MS);
	tap_ok(wait >= 1400 && wait <= 1401, "the first is due in 1.4 s");
	feed_of(a, 1700, NULL, T0, 1, "PROCTITLE", "proctitle=\"x\"");
	wait = assembler_age(a, 1700 * MS);
	tap_ok(wait >= 1800 && wait <= 1801, "each record begins the wait anew");
	wait = assembler_age(a, (1500 + TIMEOUT_MS) * MS - 1);
	tap_ok(got_count == 0 && counted(0, 0, 0, 0, 0, 0) && wait == 1,
	       "nothing before two seconds");
	wait = assembler_age(a, (1500 + TIMEOUT_MS) * MS);
	tap_ok(got_count == 1 && got[0].stamp.serial == 2 && counted(1, 0, 0, 0, 0, 0) &&
	       wait >= 200 && wait <= 201, "then what is good enough comes out");
	wait = assembler_age(a, (1700 + TIMEOUT_MS) * MS);
	tap_ok(got_count == 1 && wait == -1 && counted(2, 0, 0, 1, 0, 0),
	       "and what is not is incomplete");
	feed_of(a, 5000, NULL, T0, 2, "PROCTITLE", "proctitle=\"x\"");
	assembler_age(a, 9000 * MS);
	tap_ok(got_count == 1 && counted(3, 0, 1, 1, 0, 0), "a record after that is an orphan");
	assembler_free(a);
}

static void test_flush(void)
{
	struct assembler *a = fresh();

	feed_of(a, 0, NULL, T0, 1, "SYSCALL", connect_body);
	feed_of(a, 0, NULL, T0, 1, "SOCKADDR", address_body);
	feed_of(a, 0, NULL, T0, 2, "SYSCALL", connect_body);
	feed_of(a, 0, NULL, T0, 3, "SOCKADDR", address_body);
	feed_of(a, 0, NULL, T0, 4, "SYSCALL", "arch=c000003e syscall=0 a0=0");
	assembler_flush(a);
	tap_ok(got_count == 1 && got[0].stamp.serial == 1 && counted(4, 1, 1, 1, 0, 0),
	       "at the end of the input all is accounted for");
	assembler_free(a);
}

static void test_size(void)
{
	size_t most = 40 * 1024;
	struct assembler *a = fresh();
	char *line = malloc(16 * 1024);
	int i;

	strcpy(line, ADDRESS);
	memset(line + strlen(ADDRESS), 'F', 16 * 1024 - strlen(ADDRESS));
	line[9000] = '\0';
	feed(a, CONNECT);
	for (i = 0; i < 4; i++)
		feed(a, line);
	feed(a, END);
	tap_ok(got_count == 1 && got[0].len == strlen(CONNECT) + 1 + 4 * 9001UL &&
	       counted(1, 0, 0, 0, 0, 0), "an event of four records of the longest kind");
	forget();
	feed(a, CONNECT);
	for (size_t len = 0; len <= most; len += 9001)
		feed(a, line);
	feed(a, TITLE);
	feed(a, END);
	tap_ok(got_count == 0 && counted(1, 0, 0, 0, 1, 0), "one that has no end is a bad event");
	forget();
	feed(a, CONNECT);
	feed(a, ADDRESS);
	feed(a, TITLE);
	tap_ok(delivered(0, EVENT_CONNECT, CONNECT "\n" ADDRESS "\n", "\"curl\""),
	       "and the next one in its place is good");
	free(line);
	assembler_free(a);
}

static void title(const char *record, const char *want, const char *name)
{
	struct assembler *a = fresh();

	feed(a, SOCKET);
	feed(a, record);
	if (!tap_ok(got_count == 1 && !strcmp(got[0].title, want), "title: %s", name))
		tap_note("got '%s'", got_count ? got[0].title : "nothing");
	assembler_free(a);
}

static void test_titles(void)
{
	char line[512] = "type=PROCTITLE " STAMP "proctitle=", hex[300];

	title("type=PROCTITLE " STAMP "proctitle=6375726C002D76", "6375726C002D76", "in hex");
	title("type=PROCTITLE " STAMP "proctitle=(null)", "(null)", "(null)");
	title("type=PROCTITLE " STAMP "proctitle=\"a b=c\"\x1d" "ARCH=x86_64", "\"a b=c\"",
	      "of an enriched record");
	title("type=PROCTITLE " STAMP "proctitle=", "", "empty");
	title("type=PROCTITLE " STAMP, "", "missing");
	title("type=PROCTITLE " STAMP "title=\"x\"", "", "under another name");
	memset(hex, 'A', sizeof(hex));
	hex[256] = '\0';
	strcat(line, hex);
	title(line, hex, "the longest that the kernel writes");
	hex[256] = 'A';
	hex[265] = '\0';
	strcpy(line + strlen("type=PROCTITLE " STAMP "proctitle="), hex);
	title(line, "", "longer than any");
}

/*
 * Random: many events at a time, records missing, in wrong order, interleaved, time going on,
 * more open events than slots; against a model that knows each event's kind from its making.
 */
enum part { SYS = 1, ADDR = 2, ARGS = 4, PROC = 8, EOE = 16, OTHER = 32 };
enum shape { CONNECT_64, SOCKET_64, CONNECT_32, SEND_64, SEND_32, ACCEPT_64, FOREIGN, SHAPES };

static const char *const part_type[] = {
	[SYS] = "SYSCALL", [ADDR] = "SOCKADDR", [ARGS] = "SOCKETCALL", [PROC] = "PROCTITLE",
	[EOE] = "EOE", [OTHER] = "PATH",
};
static const char *const shape_body[SHAPES] = {
	[CONNECT_64] = "arch=c000003e syscall=42 success=yes exit=0 a0=3 a1=7ffd a2=10",
	[SOCKET_64] = "arch=c000003e syscall=41 success=yes exit=3 a0=2 a1=1 a2=0",
	[CONNECT_32] = "arch=40000003 syscall=102 success=yes exit=0 a0=3 a1=ff a2=0",
	[SEND_64] = "arch=c000003e syscall=307 success=yes exit=1 a0=3 a1=7ffd a2=1",
	[SEND_32] = "arch=40000003 syscall=102 success=yes exit=4 a0=b a1=ff a2=0",
	[ACCEPT_64] = "arch=c000003e syscall=288 success=yes exit=4 a0=3 a1=7ffd a2=7ffe",
	[FOREIGN] = "arch=c000003e syscall=257 success=yes exit=0 a0=1 a1=1 a2=1",
};
/* What it waits for; and what it may come without all the same. */
static const unsigned int shape_needs[SHAPES] = {
	[CONNECT_64] = SYS | ADDR, [SOCKET_64] = SYS, [CONNECT_32] = SYS | ADDR | ARGS,
	[SEND_64] = SYS | ADDR, [SEND_32] = SYS | ADDR | ARGS, [ACCEPT_64] = SYS | ADDR,
	[FOREIGN] = SYS,
};
static const unsigned int shape_optional[SHAPES] = {
	[SEND_64] = ADDR, [SEND_32] = ADDR, [ACCEPT_64] = ADDR,
};

struct made {
	const char *node;
	int64_t ms;
	uint32_t serial;
	enum shape shape;
	enum part parts[8];
	int count, next;
};

struct model_event {
	const struct made *of;
	unsigned int have;
	int64_t touched_ms;
	char lines[1024];
	bool titled;
};

static struct {
	struct model_event open[SLOTS];
	int used;
	struct model_event out[4096];
	int delivered;
	int64_t events, syscalls, orphans, incomplete, records;
} model;

static void model_finish(int at)
{
	struct model_event *e = &model.open[at];
	bool knows = e->have & SYS;

	model.events++;
	if (!knows)
		model.orphans++;
	else if (e->of->shape == FOREIGN)
		model.syscalls++;
	else if (shape_needs[e->of->shape] & ~shape_optional[e->of->shape] & ~e->have)
		model.incomplete++;
	else
		model.out[model.delivered++] = *e;
	model.used--;
	memmove(e, e + 1, (size_t)(model.used - at) * sizeof(*e));
}

static void model_line(const struct made *m, enum part part, int64_t now_ms, const char *line)
{
	struct model_event *e;
	int at = 0;

	if (part == OTHER) {
		model.records++;
		return;
	}
	while (at < model.used && model.open[at].of != m)
		at++;
	if (at == model.used) {
		if (part == EOE)
			return;
		if (model.used == SLOTS)
			model_finish(0);
		at = model.used++;
		model.open[at] = (struct model_event){ .of = m };
	}
	e = &model.open[at];
	e->touched_ms = now_ms;
	e->have |= part;
	if (part == PROC)
		e->titled = true;
	else if (part != EOE && !(m->shape == FOREIGN && (e->have & SYS)))
		strcat(strcat(e->lines, line), "\n");
	if (part == EOE ||
	    ((e->have & PROC) && (e->have & SYS) && !(shape_needs[m->shape] & ~e->have)))
		model_finish(at);
}

static void model_age(int64_t now_ms)
{
	for (int i = model.used; i-- > 0;)
		if (now_ms - model.open[i].touched_ms >= TIMEOUT_MS)
			model_finish(i);
}

static unsigned int below(unsigned int n)
{
	return (unsigned int)random() % n;
}

/* Two events for each serial, a millisecond or more apart. */
static void make_event(struct made *m, unsigned int number)
{
	static const char *const nodes[] = { NULL, NULL, "a", "b.example" };
	static const enum part order[] = { SYS, ARGS, OTHER, ADDR, PROC, EOE };

	m->node = nodes[below(4)];
	m->ms = T0 + 2 * below(3) + number % 2;
	m->serial = number / 2;
	m->shape = (enum shape)below(SHAPES);
	m->count = m->next = 0;
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		if (below(12))
			m->parts[m->count++] = order[i];
	if (!below(8))
		for (int i = m->count; i-- > 1;) {
			int with = (int)below((unsigned int)i + 1);
			enum part t = m->parts[i];

			m->parts[i] = m->parts[with];
			m->parts[with] = t;
		}
}

static void next_line(struct assembler *a, struct made *m, int64_t now_ms)
{
	enum part part = m->parts[m->next++];
	char body[64], line[256];

	snprintf(body, sizeof(body), "saddr=0200%04X7F000001", m->serial & 0xffff);
	line_of(line, sizeof(line), m->node, m->ms, m->serial, part_type[part],
		part == SYS ? shape_body[m->shape] : part == PROC ? "proctitle=\"t\"" :
		part == EOE ? "" : body);
	feed_at(a, now_ms, line);
	model_line(m, part, now_ms, line);
}

static bool same_deliveries(void)
{
	static const enum event_kind kinds[SHAPES] = { EVENT_CONNECT, EVENT_SOCKET, EVENT_CONNECT,
						       EVENT_SEND, EVENT_SEND, EVENT_ACCEPT,
						       EVENT_NONE };

	for (int i = 0; i < model.delivered && i < got_count; i++) {
		const struct model_event *e = &model.out[i];
		const struct delivery *d = &got[i];

		if (d->stamp.serial == e->of->serial && !strcmp(d->lines, e->lines) &&
		    !strcmp(d->title, e->titled ? "\"t\"" : "") &&
		    !strcmp(d->node, e->of->node ? e->of->node : "") &&
		    d->class.kind == kinds[e->of->shape] &&
		    d->class.socketcall == (e->of->shape == CONNECT_32 || e->of->shape == SEND_32))
			continue;
		tap_note("delivery %d: serial %" PRIu32 ", the model has %" PRIu32, i,
			 d->stamp.serial, e->of->serial);
		return false;
	}
	return got_count == model.delivered;
}

static void test_random(unsigned int seed, unsigned int beside)
{
	enum { EVENTS = 4000 };
	struct made *made = calloc(EVENTS, sizeof(*made)), *active[256];
	struct assembler *a = fresh();
	unsigned int used = 0, begun = 0;
	int64_t now_ms = 0;

	srandom(seed);
	memset(&model, 0, sizeof(model));
	while (begun < EVENTS || used) {
		unsigned int pick;

		while (used < beside && begun < EVENTS) {
			make_event(&made[begun], begun);
			active[used++] = &made[begun++];
		}
		pick = below(used);
		if (active[pick]->next == active[pick]->count) {
			active[pick] = active[--used];
			continue;
		}
		next_line(a, active[pick], now_ms);
		if (below(50) == 0) {
			now_ms += below(300);
			assembler_age(a, now_ms * MS);
			model_age(now_ms);
		}
	}
	assembler_flush(a);
	while (model.used)
		model_finish(0);
	tap_ok(same_deliveries() && model.delivered > EVENTS / 4 &&
	       counted(model.events, model.syscalls, model.orphans, model.incomplete, 0,
		       model.records), "random, %u at a time, seed %u: %d events", beside, seed,
	       model.delivered);
	assembler_free(a);
	free(made);
}

int main(int argc, char **argv)
{
	unsigned int seed = argc > 1 ? (unsigned int)strtoul(argv[1], NULL, 0) :
				       (unsigned int)time(NULL);

	test_plain();
	test_missing();
	test_optional();
	test_foreign();
	test_permutations();
	test_same_serial();
	test_slots();
	test_age();
	test_flush();
	test_size();
	test_titles();
	test_random(seed, 1);
	test_random(seed, 30);
	test_random(seed, 200);
	forget();
	return tap_done();
}
