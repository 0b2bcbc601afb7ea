/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages of the name service: honest ones, and those that mean harm.
 *
 *   test-dns DIRECTORY	writes them there, as a corpus for tests/fuzz
 */
#include <errno.h>
#include <stdio.h>

#include "dns-wire.h"
#include "dns.h"
#include "tap.h"

static const char *corpus;
static struct dns_message m;

static int parse(const struct wire *w)
{
	static int number;
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/message-%02d", corpus ? corpus : "", ++number);
	f = corpus ? fopen(path, "w") : NULL;
	if (f && (fwrite(w->data, 1, w->len, f) != w->len || fclose(f)))
		tap_ok(false, "the corpus can be written");
	return dns_parse(w->data, w->len, &m);
}

/* All bytes: they are looked for by all of them. */
static bool has(int at, const char *address, uint32_t ttl)
{
	struct address a;

	return at < m.count && !address_parse(address, &a) &&
	       address_equal(&a, &m.found[at].addr) && m.found[at].ttl_s == ttl &&
	       !memcmp(a.bytes, m.found[at].addr.bytes, sizeof(a.bytes));
}

static void test_honest(void)
{
	struct wire w;

	wire_begin(&w, 4711, WIRE_QUESTION, 0);
	wire_ask(&w, "wWw.ExamPle.org", WIRE_A);
	tap_ok(!parse(&w) && !m.answer && m.id == 4711 && m.type == WIRE_A && m.count == 0 &&
	       !strcmp(m.name, "www.example.org"), "a question, in lower case");

	wire_begin(&w, 4711, WIRE_ANSWER, 2);
	wire_ask(&w, "www.example.org", WIRE_A);
	wire_number(&w, WIRE_SAME, 2);
	wire_address(&w, 0, "192.0.2.1");
	wire_number(&w, WIRE_SAME, 2);
	wire_address(&w, 300, "192.0.2.2");
	tap_ok(!parse(&w) && m.answer && m.count == 2 && has(0, "192.0.2.1", 0) &&
	       has(1, "192.0.2.2", 300), "an answer with two addresses");

	wire_begin(&w, 1, WIRE_ANSWER, 1);
	wire_ask(&w, "six.example.org", WIRE_AAAA);
	wire_name(&w, "SIX.example.ORG");
	wire_address(&w, 0x80000001, "2001:db8::7");
	tap_ok(!parse(&w) && m.count == 1 && has(0, "2001:db8::7", 0),
	       "IPv6, in another case, with a time that means nothing");

	wire_begin(&w, 1, WIRE_ANSWER, 1);
	wire_ask(&w, "six.example.org", WIRE_AAAA);
	wire_number(&w, WIRE_SAME, 2);
	wire_address(&w, 9, "::ffff:192.0.2.3");
	tap_ok(!parse(&w) && has(0, "192.0.2.3", 9), "IPv4 in IPv6 is IPv4");
}

static void test_aliases(void)
{
	struct wire w;

	wire_begin(&w, 1, WIRE_ANSWER, 3);
	wire_ask(&w, "www.example.org", WIRE_A);
	wire_name(&w, "edge.example.net");
	wire_address(&w, 20, "192.0.2.9");
	wire_name(&w, "cdn.example.com");
	wire_alias(&w, "edge.example.net");
	wire_name(&w, "www.example.org");
	wire_alias(&w, "CDN.example.com");
	tap_ok(!parse(&w) && m.count == 1 && has(0, "192.0.2.9", 20) &&
	       !strcmp(m.name, "www.example.org"),
	       "aliases in any order: the name is the question's");

	wire_begin(&w, 1, WIRE_ANSWER, 3);
	wire_ask(&w, "a.example", WIRE_A);
	wire_name(&w, "a.example");
	wire_alias(&w, "b.example");
	wire_name(&w, "b.example");
	wire_alias(&w, "a.example");
	wire_name(&w, "b.example");
	wire_address(&w, 20, "192.0.2.9");
	tap_ok(!parse(&w) && m.count == 1, "a ring of aliases has an end");

	wire_begin(&w, 1, WIRE_ANSWER, 40);
	wire_ask(&w, "n0.example", WIRE_A);
	for (int i = 0; i < 39; i++) {
		char name[32];

		snprintf(name, sizeof(name), "n%d.example", i);
		wire_name(&w, name);
		snprintf(name, sizeof(name), "n%d.example", i + 1);
		wire_alias(&w, name);
	}
	wire_name(&w, "n39.example");
	wire_address(&w, 20, "192.0.2.9");
	tap_ok(!parse(&w) && m.count == 0, "more aliases than are followed: no address");

	wire_begin(&w, 1, WIRE_ANSWER, 1);
	wire_ask(&w, "a.example", WIRE_A);
	wire_name(&w, "bank.example");
	wire_address(&w, 20, "192.0.2.9");
	tap_ok(!parse(&w) && m.count == 0, "the address of another name is not taken");
}

static void test_refused(void)
{
	static const uint16_t flags[] = { 0x8183, 0x8380, 0xa180 };
	struct wire w;
	bool none = true;

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		wire_begin(&w, 1, flags[i], 1);
		wire_ask(&w, "a.example", WIRE_A);
		wire_number(&w, WIRE_SAME, 2);
		wire_address(&w, 20, "192.0.2.9");
		parse(&w);
		none &= m.count == 0;
	}
	tap_ok(none, "no such name, a message that was cut, another kind of message: no address");

	wire_begin(&w, 1, WIRE_ANSWER, 1);
	wire_ask(&w, "a.example", WIRE_A);
	w.data[w.len - 1] = 3;
	tap_ok(parse(&w) == -EBADMSG, "a question of another class");
	wire_begin(&w, 1, WIRE_ANSWER, 0);
	w.data[5] = 2;
	wire_ask(&w, "a.example", WIRE_A);
	wire_ask(&w, "b.example", WIRE_A);
	tap_ok(parse(&w) == -EBADMSG, "two questions");
	tap_ok(dns_parse(w.data, 0, &m) == -EBADMSG && m.count == 0, "nothing at all");
}

static void test_pointers(void)
{
	struct wire w;

	wire_begin(&w, 1, WIRE_ANSWER, 0);
	wire_number(&w, WIRE_SAME, 2);
	wire_number(&w, WIRE_A << 16 | 1, 4);
	tap_ok(parse(&w) == -EBADMSG, "a name that points to itself");
	wire_begin(&w, 1, WIRE_ANSWER, 0);
	wire_number(&w, 0xc00e, 2);
	wire_number(&w, 0xc00c, 2);
	wire_number(&w, WIRE_A << 16 | 1, 4);
	tap_ok(parse(&w) == -EBADMSG, "a ring of two pointers");
	wire_begin(&w, 1, WIRE_ANSWER, 0);
	wire_number(&w, 0xffff, 2);
	wire_number(&w, WIRE_A << 16 | 1, 4);
	tap_ok(parse(&w) == -EBADMSG, "a pointer behind the end");
	wire_begin(&w, 1, WIRE_ANSWER, 60000);
	wire_ask(&w, "a.example", WIRE_A);
	tap_ok(parse(&w) == -EBADMSG, "a count beyond what is there");
	wire_begin(&w, 1, WIRE_ANSWER, 1);
	wire_ask(&w, "a.example", WIRE_A);
	wire_number(&w, WIRE_SAME, 2);
	wire_address(&w, 20, "192.0.2.9");
	w.len -= 2;
	tap_ok(parse(&w) == -EBADMSG, "an address that is cut off");
}

static void test_names(void)
{
	struct wire w;
	char label[64];

	wire_begin(&w, 1, WIRE_QUESTION, 0);
	wire_label(&w, "a\x1b[31m\n.b\0\"\xff", 12);
	wire_name(&w, "example");
	wire_number(&w, WIRE_A << 16 | 1, 4);
	tap_ok(!parse(&w) && !strcmp(m.name, "a\\027[31m\\010\\.b\\000\\\"\\255.example"),
	       "control bytes, and a dot within a label, are escaped");
	tap_note("%s", m.name);

	memset(label, 'x', sizeof(label));
	wire_begin(&w, 1, WIRE_QUESTION, 0);
	for (int i = 0; i < 3; i++)
		wire_label(&w, label, 63);
	wire_label(&w, label, 61);
	wire_number(&w, 0, 1);
	wire_number(&w, WIRE_A << 16 | 1, 4);
	tap_ok(!parse(&w) && strlen(m.name) == 253, "a name of 255 bytes, which is the longest");

	wire_begin(&w, 1, WIRE_QUESTION, 0);
	for (int i = 0; i < 4; i++)
		wire_label(&w, label, 63);
	wire_number(&w, 0, 1);
	wire_number(&w, WIRE_A << 16 | 1, 4);
	tap_ok(parse(&w) == -EBADMSG, "a longer one is none");

	memset(label, 1, sizeof(label));
	wire_begin(&w, 1, WIRE_QUESTION, 0);
	for (int i = 0; i < 3; i++)
		wire_label(&w, label, 63);
	wire_number(&w, 0, 1);
	wire_number(&w, WIRE_A << 16 | 1, 4);
	tap_ok(parse(&w) == -ENAMETOOLONG, "one that is too long only as text is told apart");

	wire_begin(&w, 1, WIRE_QUESTION, 0);
	wire_number(&w, 0, 1);
	wire_number(&w, WIRE_A << 16 | 1, 4);
	tap_ok(!parse(&w) && !strcmp(m.name, "."), "the root has a name");
}

static void test_many(void)
{
	struct wire w;

	wire_begin(&w, 1, WIRE_ANSWER, 200);
	wire_ask(&w, "a.example", WIRE_A);
	for (int i = 0; i < 200; i++) {
		wire_number(&w, WIRE_SAME, 2);
		wire_address(&w, 20, "192.0.2.9");
	}
	tap_ok(!parse(&w) && m.count == DNS_ADDRESSES_MAX, "more addresses than are kept");
}

int main(int argc, char **argv)
{
	corpus = argc > 1 ? argv[1] : NULL;
	test_honest();
	test_aliases();
	test_refused();
	test_pointers();
	test_names();
	test_many();
	return tap_done();
}
