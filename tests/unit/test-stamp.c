/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The head of an audit line: what is one, every way not to be one, and which lines are of one
 * event. */
#include <stdlib.h>

#include "stamp.h"
#include "tap.h"

/* Exactly as many bytes as the line has, so that valgrind and ASan see a step behind them. */
static char *exact_copy(const char *line, size_t len)
{
	char *copy = malloc(len ? len : 1);

	memcpy(copy, line, len);
	return copy;
}

static const struct {
	const char *line;
	const char *node, *type;	/* node NULL: none */
	int64_t time_us;
	uint32_t serial;
	const char *body;
} good[] = {
	{ "type=SYSCALL msg=audit(1700000000.123:456): arch=c000003e", NULL, "SYSCALL",
	  1700000000123000, 456, "arch=c000003e" },
	{ "node=web1 type=EOE msg=audit(1700000000.000:4294967295): ", "web1", "EOE",
	  1700000000000000, 4294967295, "" },
	{ "type=EOE msg=audit(1700000000.999:0):", NULL, "EOE", 1700000000999000, 0, "" },
	{ "type=UNKNOWN[1420] msg=audit(1700000000.001:7): x", NULL, "UNKNOWN[1420]",
	  1700000000001000, 7, "x" },
	{ "node=a.b.example type=PROCTITLE msg=audit(1700000000.999:1): proctitle=\"a\"",
	  "a.b.example", "PROCTITLE", 1700000000999000, 1, "proctitle=\"a\"" },
	{ "type=A msg=audit(253402300799.999:1):  two blanks", NULL, "A", 253402300799999000, 1,
	  " two blanks" },
	{ "type=A msg=audit(1700000000.123:1):no blank", NULL, "A", 1700000000123000, 1,
	  "no blank" },
	{ "node=\xc3\xa4 type=A msg=audit(1700000000.123:1): x", "\xc3\xa4", "A",
	  1700000000123000, 1, "x" },
};

static const char *const bad[] = {
	"",
	"type=A msg=audit(0.000:12345): x",
	"type=A msg=audit(1.0:1): x",
	"type=A msg=audit(0000000000000000001.000:1): x",
	"node=a\x1f type=A msg=audit(1700000000.123:1): x",
	"\n",
	" ",
	"type",
	"type=",
	"type=SYSCALL",
	"type= msg=audit(1700000000.123:456): x",
	"Type=SYSCALL msg=audit(1700000000.123:456): x",
	" type=SYSCALL msg=audit(1700000000.123:456): x",
	"type=SYSCALL  msg=audit(1700000000.123:456): x",
	"type=SYSCALL\tmsg=audit(1700000000.123:456): x",
	"type=SYSCALL msg=audit",
	"type=SYSCALL msg=audit(",
	"type=SYSCALL msg=audit()",
	"type=SYSCALL msg=audit(1700000000",
	"type=SYSCALL msg=audit(1700000000.",
	"type=SYSCALL msg=audit(1700000000.123",
	"type=SYSCALL msg=audit(1700000000.123:",
	"type=SYSCALL msg=audit(1700000000.123:456",
	"type=SYSCALL msg=audit(1700000000.123:456)",
	"type=SYSCALL msg=audit(1700000000.123:456) x",
	"type=SYSCALL msg=audit(.123:456): x",
	"type=SYSCALL msg=audit(1700000000:456): x",
	"type=SYSCALL msg=audit(1700000000.:456): x",
	"type=SYSCALL msg=audit(1700000000.123:): x",
	"type=SYSCALL msg=audit(1700000000.1000:456): x",
	"type=SYSCALL msg=audit(-1700000000.123:456): x",
	"type=SYSCALL msg=audit(+1700000000.123:456): x",
	"type=SYSCALL msg=audit(1700000000.-12:456): x",
	"type=SYSCALL msg=audit(1700000000.123:-4): x",
	"type=SYSCALL msg=audit( 1700000000.123:456): x",
	"type=SYSCALL msg=audit(1700000000.123: 456): x",
	"type=SYSCALL msg=audit(1700000000.123:456 ): x",
	"type=SYSCALL msg=audit(0x65000000.123:456): x",
	"type=SYSCALL msg=audit(1700000000.123:4294967296): x",
	"type=SYSCALL msg=audit(1700000000.123:18446744073709551617): x",
	"type=SYSCALL msg=audit(253402300800.123:456): x",
	"type=SYSCALL msg=audit(18446744073709551617.123:456): x",
	"type=SYSCALL msg=audit(1700000000,123:456): x",
	"type=SYSCALL msg=audit(1700000000.123:4,6): x",
	"type=SYSCALL msg='audit(1700000000.123:456): x",
	"msg=audit(1700000000.123:456): x",
	"node=",
	"node=web1",
	"node=web1 ",
	"node= type=SYSCALL msg=audit(1700000000.123:456): x",
	"node=web1 msg=audit(1700000000.123:456): x",
	"node=web1  type=SYSCALL msg=audit(1700000000.123:456): x",
	"node=a node=b type=SYSCALL msg=audit(1700000000.123:456): x",
};

static void test_good(void)
{
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		size_t len = strlen(good[i].line);
		char *line = exact_copy(good[i].line, len);
		struct stamp s;
		bool is = stamp_parse(line, len, &s);

		if (!tap_ok(is && text_equal(s.node, text_of(good[i].node)) &&
			    text_equal(s.type, text_of(good[i].type)) &&
			    s.time_us == good[i].time_us && s.serial == good[i].serial &&
			    s.body <= len && len - s.body == strlen(good[i].body) &&
			    !memcmp(line + s.body, good[i].body, len - s.body),
			    "good line %zu", i))
			tap_note("%s", good[i].line);
		free(line);
	}
}

static void test_bad(void)
{
	int taken = 0;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		size_t len = strlen(bad[i]);
		char *line = exact_copy(bad[i], len);
		struct stamp s;

		if (stamp_parse(line, len, &s)) {
			tap_note("taken: %s", bad[i]);
			taken++;
		}
		free(line);
	}
	tap_ok(!taken, "%zu lines that are no records", sizeof(bad) / sizeof(bad[0]));
}

/* A line may be cut anywhere: it is a record from the colon behind its stamp on, not before. */
static void test_cut(void)
{
	static const char line[] = "node=web1 type=SYSCALL msg=audit(1700000000.123:456): arch=1";
	size_t whole = (size_t)(strstr(line, "):") - line) + 2;
	bool good_cuts = true;

	for (size_t len = 0; len < sizeof(line); len++) {
		char *copy = exact_copy(line, len);
		struct stamp s;

		if (stamp_parse(copy, len, &s) != (len >= whole)) {
			tap_note("cut at %zu", len);
			good_cuts = false;
		}
		free(copy);
	}
	tap_ok(good_cuts, "cut at every place");
}

/* A host's name has at most 255 bytes; libauparse looks no further than 340 for the stamp. */
static void test_long_node(void)
{
	static const char rest[] = " type=SOCKETCALL msg=audit(253402300799.999:4294967295): ";
	bool taken[2];

	for (size_t i = 0; i < 2; i++) {
		char line[512] = "node=";
		struct stamp s;

		memset(line + 5, 'n', 255 + i);
		strcpy(line + 5 + 255 + i, rest);
		taken[i] = stamp_parse(line, strlen(line), &s);
	}
	tap_ok(taken[0] && !taken[1], "a node of 255 bytes is one, of 256 is none");
}

static bool same(const char *a, const char *b)
{
	struct stamp x, y;

	if (!stamp_parse(a, strlen(a), &x) || !stamp_parse(b, strlen(b), &y)) {
		tap_note("no record: %s", a);
		return false;
	}
	return stamp_same_event(&x, &y) && stamp_same_event(&y, &x);
}

static void test_same(void)
{
	static const char one[] = "type=SYSCALL msg=audit(1700000000.123:456): x";
	static const char of_node[] = "node=a type=SYSCALL msg=audit(1700000000.123:456): x";

	tap_ok(same(one, "type=EOE msg=audit(1700000000.123:456):"), "another record of one event");
	tap_ok(!same(one, "type=SYSCALL msg=audit(1700000000.123:457): x"), "another serial");
	tap_ok(!same(one, "type=SYSCALL msg=audit(1700000000.124:456): x"), "another millisecond");
	tap_ok(!same(one, "type=SYSCALL msg=audit(1700000001.123:456): x"), "another second");
	tap_ok(!same(one, of_node), "a node and none");
	tap_ok(same(of_node, "node=a type=EOE msg=audit(1700000000.123:456): x"), "the same node");
	tap_ok(!same(of_node, "node=b type=SYSCALL msg=audit(1700000000.123:456): x") &&
	       !same(of_node, "node=aa type=SYSCALL msg=audit(1700000000.123:456): x"),
	       "another node");
}

int main(void)
{
	test_good();
	test_bad();
	test_cut();
	test_long_node();
	test_same();
	return tap_done();
}
