/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The configuration: defaults, a good file, and that every mistake is told with its place. */
#include <errno.h>

#include "clock.h"
#include "complaints.h"
#include "config.h"
#include "scratch.h"
#include "tap.h"

/* Copies that can be made; -1: any number. */
static int copies = -1;

/* libc's, for config.c as well. */
char *strdup(const char *text)
{
	char *copy = copies ? malloc(strlen(text) + 1) : NULL;

	copies -= copies > 0;
	return copy ? strcpy(copy, text) : NULL;
}

static const char *write_file(const char *text, size_t len)
{
	const char *path = scratch_path("c.conf");
	FILE *f = fopen(path, "we");

	fwrite(text, 1, len, f);
	fclose(f);
	return path;
}

/* Loads a file of these bytes; `complaints` has the complaints, without the path. */
static int load_into(struct config *c, const char *text, size_t len, unsigned int *count)
{
	const char *path = write_file(text, len);
	struct diags d = complaints_begin();
	int rc = config_load(c, path, &d);

	*count = complaints_end(&d, path);
	return rc;
}

static int load(struct config *c, const char *text, size_t len, unsigned int *count)
{
	if (config_init(c))
		exit(1);
	return load_into(c, text, len, count);
}

static void is_preset(const struct config *c, const char *when)
{
	char host[256] = "";

	gethostname(host, sizeof(host) - 1);
	tap_ok(!strcmp(c->cache, RUNSTATEDIR "/sockledger/cache.db") &&
	       !strcmp(c->ledger, LOCALSTATEDIR "/lib/sockledger/ledger.db") &&
	       !strcmp(c->audit_key, "sockledger") && !strcmp(c->node, host) &&
	       c->cache_rows == 500000 && c->cache_age_us == 86400 * TIME_US_PER_S &&
	       c->cache_bytes == 128 << 20 && c->ledger_rows == 0 && c->ledger_age_us == 0 &&
	       c->ledger_bytes == 8LL << 30 && c->buffer_bytes == 6 << 20, "all defaults %s", when);
}

static void test_queues(void)
{
	long processors = sysconf(_SC_NPROCESSORS_CONF);
	const struct {
		const char *text;
		int64_t first, last;	/* last -2: refused */
	} table[] = {
		{ "queue = off", -1, -1 },	  { "queue = 0", 0, 0 },
		{ "queue = 65535", 65535, 65535 }, { "queue = 7:9", 7, 9 },
		{ "queue = 0:63", 0, 63 },	  { "queue = auto", 0,
						    (processors > 64 ? 64 : processors) - 1 },
		{ "queue = 0:64", 0, -2 },	  { "queue = 9:7", 0, -2 },
		{ "queue = 65536", 0, -2 },	  { "queue = auto:3", 0, -2 },
		{ "queue = -1", 0, -2 },	  { "queue = 1:", 0, -2 },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct config c;
		unsigned int count;
		int rc = load(&c, table[i].text, strlen(table[i].text), &count);

		if (table[i].last == -2)
			tap_ok(rc && count == 1 && strstr(complaints, "must be off, auto, "),
			       "%s: refused", table[i].text);
		else
			tap_ok(!rc && c.queue == table[i].first &&
			       c.queue_last == table[i].last, "%s", table[i].text);
		config_release(&c);
	}
}

static void test_each_datagram(void)
{
	static const char *const words[] = {
		[EACH_AUTO] = "auto", [EACH_NO] = "no", [EACH_YES] = "yes", [3] = "often",
	};

	for (int i = 0; i <= 3; i++) {
		struct config c;
		unsigned int count;
		char text[64];
		int rc;

		snprintf(text, sizeof(text), "each_datagram = %s", words[i]);
		rc = load(&c, text, strlen(text), &count);
		if (i == 3)
			tap_ok(rc && strstr(complaints, "must be yes, no or auto"),
			       "%s: refused", text);
		else
			tap_ok(!rc && c.each_datagram == i, "%s", text);
		config_release(&c);
	}
}

static void test_good(void)
{
	static const char text[] = "# a comment\n"
				   "\n"
				   "   \t\n"
				   "cache = /x/cache.db\n"
				   "\tledger=/x/y z/ledger.db  \n"
				   "audit_key\t=\tmine\n"
				   "  # another\n"
				   "node = host.example.org\n"
				   "cache_rows = 1000\n"
				   "cache_bytes = 2M\n"
				   "cache_age = 90m\n"
				   "ledger_rows = 5000\n"
				   "ledger_bytes = none\n"
				   "ledger_age = 30d\n"
				   "buffer = 512k\r\n"
				   "# no line break behind the last";
	struct config c;
	unsigned int count;
	int rc = load(&c, text, sizeof(text) - 1, &count);

	tap_ok(rc == 0 && count == 0, "a good file is read");
	if (rc)
		tap_note("%s", complaints);
	tap_ok(!strcmp(c.cache, "/x/cache.db") && !strcmp(c.ledger, "/x/y z/ledger.db") &&
	       !strcmp(c.audit_key, "mine") && !strcmp(c.node, "host.example.org") &&
	       c.cache_rows == 1000 && c.cache_age_us == 5400 * TIME_US_PER_S &&
	       c.ledger_rows == 5000 && c.ledger_bytes == 0 &&
	       c.ledger_age_us == 30 * 86400 * TIME_US_PER_S && c.cache_bytes == 2 << 20 &&
	       c.buffer_bytes == 512 * 1024, "every key has its value");
	config_release(&c);
	tap_ok(!c.cache && !c.ledger && !c.audit_key && !c.node, "released is empty");

	rc = load(&c, "", 0, &count);
	tap_ok(rc == 0 && count == 0, "an empty file is a good one");
	is_preset(&c, "from an empty file");
	config_release(&c);
	rc = load(&c, "buffer = 1G\ncache_rows = 100000000\ncache_age = 366d\n", 51, &count);
	tap_ok(rc == 0 && c.buffer_bytes == 1LL << 30 && c.cache_rows == 100000000,
	       "the largest values are allowed");
	config_release(&c);
	/* Written on another system: blank lines end in CR as the others do. */
	rc = load(&c, "# x\r\n\r\nbuffer = 2M\r\n", 20, &count);
	tap_ok(rc == 0 && count == 0 && c.buffer_bytes == 2 << 20,
	       "lines may end in CR LF, blank ones too");
	if (rc)
		tap_note("%s", complaints);
	config_release(&c);
}

#define FILE_OF(s) s, sizeof(s) - 1

static const struct {
	const char *text;
	size_t len;
	const char *where;	/* a line and column, and a word of the message, for each mistake */
} bad[] = {
	{ FILE_OF("cach = /x\n"), "1:1:unknown key 'cach'" },
	{ FILE_OF("\n\n  colour = red\n"), "3:3:unknown key 'colour'" },
	{ FILE_OF("Cache = /x\n"), "1:1:unknown key 'Cache'" },
	{ FILE_OF("cache /x\n"), "1:7:'=' was expected" },
	{ FILE_OF("cache\n"), "1:6:'=' was expected" },
	{ FILE_OF("cache-age = 1d\n"), "1:6:'=' was expected" },
	{ FILE_OF("= /x\n"), "1:1:a key was expected" },
	{ FILE_OF("  [section]\n"), "1:3:a key was expected" },
	{ FILE_OF("cache =\n"), "1:8:has no value" },
	{ FILE_OF("cache =   \n"), "1:11:has no value" },
	{ FILE_OF("cache = x\n"), "1:9:absolute path" },
	{ FILE_OF("ledger =    ./x\n"), "1:13:absolute path" },
	{ FILE_OF("cache = /x\ncache = /y\n"), "2:1:already set in line 1" },
	{ FILE_OF("cache_rows = many\n"), "1:14:must be a number" },
	{ FILE_OF("cache_bytes = none\n"), "1:15:must be a number" },
	{ FILE_OF("ledger_bytes = 1M\n"), "1:16:out of range" },
	{ FILE_OF("ledger_age = 1m\n"), "1:14:out of range" },
	{ FILE_OF("cache_rows = 5k\n"), "1:14:must be a number" },
	{ FILE_OF("cache_rows = -5\n"), "1:14:must be a number" },
	{ FILE_OF("cache_rows = 5 000\n"), "1:14:must be a number" },
	{ FILE_OF("cache_rows = 99999999999999999999\n"), "1:14:must be a number" },
	{ FILE_OF("cache_rows = 999\n"), "1:14:out of range" },
	{ FILE_OF("cache_rows = 100000001\n"), "1:14:out of range" },
	{ FILE_OF("cache_age = 1\n"), "1:13:units" },
	{ FILE_OF("cache_age = 1w\n"), "1:13:units" },
	{ FILE_OF("cache_age = 59s\n"), "1:13:out of range" },
	{ FILE_OF("cache_age = 367d\n"), "1:13:out of range" },
	{ FILE_OF("buffer = 6T\n"), "1:10:k, M or G" },
	{ FILE_OF("buffer = 6MB\n"), "1:10:k, M or G" },
	{ FILE_OF("buffer = 1k\n"), "1:10:out of range" },
	{ FILE_OF("buffer = 2G\n"), "1:10:out of range" },
	{ FILE_OF("buffer = 9999999999G\n"), "1:10:k, M or G" },
	/* No bits, one, two apart, three, one over the edge, no hexadecimal number. */
	{ FILE_OF("mark = 0x0\n"), "1:8:two neighbouring bits" },
	{ FILE_OF("mark = 0x1\n"), "1:8:two neighbouring bits" },
	{ FILE_OF("mark = 0x5\n"), "1:8:two neighbouring bits" },
	{ FILE_OF("mark = 0x7\n"), "1:8:two neighbouring bits" },
	{ FILE_OF("mark = 0x80000000\n"), "1:8:two neighbouring bits" },
	{ FILE_OF("mark = 0x180000000\n"), "1:8:two neighbouring bits" },
	{ FILE_OF("mark = -1\n"), "1:8:two neighbouring bits" },
	{ FILE_OF("mark = 3\n"), "1:8:two neighbouring bits" },
	{ FILE_OF("cache = /x\033[31m\n"), "1:11:control byte 0x1b" },
	{ FILE_OF("cache = /x\x7f\n"), "1:11:control byte 0x7f" },
	{ FILE_OF("ca\rche = /x\n"), "1:3:control byte 0x0d" },
	{ FILE_OF("cache = /x\0y\n"), "1:11:control byte 0x00" },
	{ FILE_OF("\0cache = x\n"), "1:1:control byte 0x00" },
	{ FILE_OF("a = 1\ncache = x\ncache_age = 2\nledger\ncache_age = 1d\nbuffer = 1k\n"),
	  "1:1:unknown key\n2:9:absolute path\n3:13:units\n4:7:'=' was expected\n"
	  "5:1:already set in line 3\n6:10:out of range" },
};

/* The least and the most of each number, and what is beyond them. */
static void test_edges(void)
{
	static const struct { const char *key, *less, *least, *most, *more; } keys[] = {
		{ "cache_rows", "999", "1000", "100000000", "100000001" },
		{ "cache_bytes", "1048575", "1M", "1024G", "1099511627777" },
		{ "cache_age", "59999999us", "60s", "366d", "31622400000001us" },
		{ "ledger_rows", "999", "1000", "1099511627776", "1099511627777" },
		{ "ledger_bytes", "16777215", "16M", "16384G", "17592186044417" },
		{ "ledger_age", "3599s", "1h", "36500d", "36501d" },
		{ "buffer", "262143", "256k", "1G", "1073741825" },
		{ "queue_max", "0", "1", "1000000", "1000001" },
		{ "park", "-1us", "0s", "1s", "1000001us" },
		{ "late_verdict", "-1us", "0s", "60s", "60000001us" },
		{ "names_group", "-1", "0", "65535", "65536" },
		{ "priority_boost", "-1", "0", "20", "21" },
		{ "trace_buffer", "4095", "4k", "1G", "1073741825" },
	};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		const char *const values[] = { keys[i].less, keys[i].least, keys[i].most,
					       keys[i].more };

		for (int k = 0; k < 4; k++) {
			bool good = k == 1 || k == 2;
			unsigned int count;
			struct config c;
			char text[64];
			size_t len = (size_t)snprintf(text, sizeof(text), "%s = %s\n", keys[i].key,
						      values[k]);

			tap_ok(!load(&c, text, len, &count) == good, "%s = %s is %s range",
			       keys[i].key, values[k], good ? "in" : "out of");
			config_release(&c);
		}
	}
}

static void test_marks(void)
{
	static const struct { const char *text; int64_t mark; } good[] = {
		{ "mark = 0x3\n", 0x3 }, { "mark = 0x6\n", 0x6 },
		{ "mark = 0xC0000000\n", 0xc0000000 },
	};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct config c;
		unsigned int count;
		int rc = load(&c, good[i].text, strlen(good[i].text), &count);

		tap_ok(!rc && c.mark == good[i].mark, "a mark: %.*s", (int)strlen(good[i].text) - 1,
		       good[i].text);
		config_release(&c);
	}
}

static void test_bad(void)
{
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct config c;
		unsigned int count;
		int rc = load(&c, bad[i].text, bad[i].len, &count);

		if (!tap_ok(rc == -EINVAL && count && complaints_are(bad[i].where),
			    "mistake %zu: %.*s", i + 1, (int)strcspn(bad[i].where, "\n"),
			    bad[i].where))
			tap_note("returned %d: %s", rc, complaints);
		config_release(&c);
	}
}

static void test_rest(void)
{
	static char text[16384];
	struct diags d = { .out = NULL };
	struct config c;
	unsigned int count;
	int rc;

	rc = load(&c, FILE_OF("cache = /good\nnode = x\nbuffer = 1M\nx = 1\n"), &count);
	tap_ok(rc == -EINVAL, "one mistake spoils the file");
	is_preset(&c, "after a mistake");
	config_release(&c);

	/* A line that is too long is one mistake, and the next line is the next. */
	memset(text, 'x', 9000);
	strcpy(text + 9000, "\ncache = y\n");
	memcpy(text, "cache = /", 9);
	rc = load(&c, text, strlen(text), &count);
	if (!tap_ok(rc == -EINVAL && count == 2 && strstr(complaints, "1:4096:") &&
		    strstr(complaints, "2:9:"), "a line that is too long"))
		tap_note("%u: %s", count, complaints);
	config_release(&c);
	memset(text, 'k', 140);
	memcpy(text, "audit_key = ", 12);
	strcpy(text + 12 + 128, "\n");
	rc = load(&c, text, strlen(text), &count);
	tap_ok(rc == 0, "a key of 128 characters");
	config_release(&c);
	strcpy(text + 12 + 128, "k\n");
	text[12 + 128] = 'k';
	rc = load(&c, text, strlen(text), &count);
	tap_ok(rc == -EINVAL && !strncmp(complaints, "1:13:", 5) && strstr(complaints, "too long"),
	       "but not of 129");
	config_release(&c);

	config_init(&c);
	rc = config_load(&c, scratch_path("absent"), &d);
	tap_ok(rc == -ENOENT && d.count == 1, "a file that was named must be there");
	is_preset(&c, "where it is not");
	rc = config_load(&c, scratch_dir, &d);
	tap_ok(rc < 0 && d.count == 2, "a directory is no configuration");
	config_release(&c);
	config_init(&c);
	d.count = 0;
	tap_ok(access(config_default_path(), F_OK) == 0 ||
	       (config_load(&c, NULL, &d) == 0 && d.count == 0), "the default file may be absent");
	config_release(&c);
}

static void test_keys(void)
{
	static const struct {
		const char *ours, *key;
		bool taken;
	} table[] = {
		{ "a", "a", true }, { "a", "b", false }, { "a", "ab", false }, { "ab", "a", false },
		{ "a,b", "a", true }, { "a,b", "b", true }, { "a,b", "c", false },
		{ "a,b", "a,b", false }, { "a,,b", "", false }, { "a,b,c", "c", true },
		{ AUDIT_KEY_ANY, "c", true },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		tap_ok(config_takes_key(table[i].ours, table[i].key, strlen(table[i].key)) ==
		       table[i].taken, "audit_key = %s: '%s' is%s taken", table[i].ours,
		       table[i].key, table[i].taken ? "" : " not");
	tap_ok(config_own_key("a") == 1 && config_own_key("ab,c") == 2, "its own is the first");
}

static void test_no_memory(void)
{
	struct config c;
	unsigned int count;
	int n = 0, rc;

	do {
		copies = n++;
		rc = config_init(&c);
	} while (rc == -ENOMEM);
	copies = -1;
	/* Two databases, a key, a node's name, and "none" for a policy. */
	tap_ok(rc == 0 && n == 6, "where memory is short that is told");
	is_preset(&c, "once there is some");
	copies = 0;
	tap_ok(load_into(&c, "node = x\n", 9, &count) == -ENOMEM &&
	       complaints_are("1:8: 'node' does not fit into memory"), "so is a file's");
	copies = -1;
	config_release(&c);
}

int main(void)
{
	struct config c;

	scratch_make();
	config_init(&c);
	is_preset(&c, "without a file");
	config_release(&c);
	test_each_datagram();
	test_good();
	test_queues();
	test_edges();
	test_marks();
	test_bad();
	test_rest();
	test_keys();
	test_no_memory();
	return tap_done();
}
