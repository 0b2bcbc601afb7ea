/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of addresses: whose look-up gives a connection its name, and what gives none. */
#include <netinet/in.h>

#include "dns.h"
#include "names.h"
#include "scratch.h"
#include "slots.h"
#include "tap.h"

#define S 1000000000LL
#define ADDRESS "198.51.100.7"

static struct names *names;
static struct endpoint local, server, other_server;
static struct connection found;

static struct address address(const char *text)
{
	struct address a = { 0 };

	address_parse(text, &a);
	return a;
}

static struct dns_message message(uint16_t id, const char *name, const char *at, uint32_t ttl)
{
	struct dns_message m = { .id = id, .type = 1, .answer = at != NULL };

	snprintf(m.name, sizeof(m.name), "%s", name);
	if (at) {
		m.found[0] = (struct dns_address){ address(at), ttl };
		m.count = 1;
	}
	return m;
}

static struct connection process(uint64_t row, int64_t pid, int64_t start, int64_t uid)
{
	struct connection c;

	connection_init(&c);
	c.id = row;
	c.protocol = IPPROTO_UDP;
	c.dst.port = 53;
	c.process.pid = pid;
	c.process.start_ticks = start;
	c.process.uid = uid;
	c.certainty = CERTAINTY_CERTAIN;
	return c;
}

static void row(uint64_t id, int64_t pid, int64_t start, int64_t uid, enum certainty certainty)
{
	struct connection c = process(id, pid, start, uid);

	c.certainty = certainty;
	names_row(names, &c, uid);
}

static void ask(uint64_t asker, int64_t uid, uint16_t id, const char *name, int64_t now_ns)
{
	struct dns_message q = message(id, name, NULL, 0);

	names_question(names, &local, &server, &(struct name_asker){ asker, uid }, &q, now_ns);
}

static bool told(uint16_t id, const char *name, const char *at, uint32_t ttl, int64_t now_ns)
{
	struct dns_message a = message(id, name, at, ttl);

	return names_answer(names, &local, &server, &a, now_ns);
}

/* Steps from one entry of a chain to the next: this one goes in place of slots_next(). */
static int steps;
uint32_t __real_slots_next(const struct slots *s, uint32_t n);
uint32_t __wrap_slots_next(const struct slots *s, uint32_t n);

uint32_t __wrap_slots_next(const struct slots *s, uint32_t n)
{
	steps++;
	return __real_slots_next(s, n);
}

static bool look_up(uint64_t asker, int64_t uid, const char *name, const char *at, int64_t now_ns)
{
	static uint16_t id;

	ask(asker, uid, ++id, name, now_ns);
	return told(id, name, at, 60, now_ns);
}

/* The name that a connection of that process has, and by whom. */
static bool is(const char *to, int64_t pid, int64_t start, int64_t uid, int64_t now_ns,
	       const char *name, enum name_by by, int count)
{
	struct text t;

	found = process(9, pid, start, uid);
	found.dst.addr = address(to);
	names_find(names, &found, uid, now_ns);
	t = found.text[CONNECTION_DST_NAME];
	return text_equal(t, name ? text_of(name) : TEXT_NONE) && found.dst_name_by == by &&
	       found.dst_names == count;
}

static void begin(void)
{
	names_free(names);
	names = names_new(scratch_random());
	local.addr = address("192.0.2.1");
	local.port = 40000;
	server.addr = address("192.0.2.53");
	other_server.addr = address("192.0.2.54");
	server.port = other_server.port = 53;
}

static void test_whose(void)
{
	begin();
	row(1, 100, 5000, 1000, CERTAINTY_CERTAIN);
	tap_ok(look_up(1, 1000, "example.org", ADDRESS, 0), "an answer to a question is taken");
	tap_ok(is(ADDRESS, 100, 5000, 1000, S, "example.org", NAME_BY_PROCESS, 1),
	       "the process that asked");
	tap_ok(is(ADDRESS, 100, 5001, 1000, S, "example.org", NAME_BY_USER, 1),
	       "another process of that number: the user");
	tap_ok(is(ADDRESS, 100, -1, 1000, S, "example.org", NAME_BY_USER, 1),
	       "a number alone is no process");
	tap_ok(is(ADDRESS, 200, 6000, 1001, S, "example.org", NAME_BY_HOST, 1),
	       "another user: the host");
	tap_ok(is(ADDRESS, -1, -1, -1, S, "example.org", NAME_BY_HOST, 1),
	       "nobody known: the host");
	tap_ok(is("198.51.100.8", 100, 5000, 1000, S, NULL, NAME_BY_NOBODY, 0),
	       "an address that nobody was told has no name");
}

static void test_shared(void)
{
	begin();
	row(1, 100, 5000, 1000, CERTAINTY_CERTAIN);
	row(2, 200, 6000, 1000, CERTAINTY_CERTAIN);
	row(3, 300, 7000, 1001, CERTAINTY_CERTAIN);
	look_up(1, 1000, "one.example", ADDRESS, 0);
	look_up(2, 1000, "two.example", ADDRESS, S);
	look_up(3, 1001, "three.example", ADDRESS, 2 * S);
	look_up(3, 1001, "one.example", ADDRESS, 3 * S);
	tap_ok(is(ADDRESS, 100, 5000, 1000, 4 * S, "one.example", NAME_BY_PROCESS, 3),
	       "its own look-up goes before newer ones of others; each name counts once");
	tap_ok(is(ADDRESS, 101, 5000, 1000, 4 * S, "two.example", NAME_BY_USER, 3),
	       "then the user's newest");
	tap_ok(is(ADDRESS, 400, 5000, 7, 4 * S, "one.example", NAME_BY_HOST, 3), "then the newest");
	look_up(1, 1000, "four.example", ADDRESS, 5 * S);
	tap_ok(is(ADDRESS, 100, 5000, 1000, 6 * S, "four.example", NAME_BY_PROCESS, 4),
	       "of its own the newest");
}

static void test_refused(void)
{
	struct dns_message a = message(7, "bank.example", ADDRESS, 60);
	struct endpoint elsewhere;

	begin();
	row(1, 100, 5000, 1000, CERTAINTY_CERTAIN);
	tap_ok(!told(7, "bank.example", ADDRESS, 60, 0), "an answer that nobody asked for");
	ask(1, 1000, 7, "bank.example", 0);
	tap_ok(!told(8, "bank.example", ADDRESS, 60, 0), "... with another number");
	tap_ok(!told(7, "bonk.example", ADDRESS, 60, 0), "... to another name");
	tap_ok(!names_answer(names, &local, &other_server, &a, 0), "... from another server");
	elsewhere = local;
	elsewhere.port++;
	tap_ok(!names_answer(names, &elsewhere, &server, &a, 0), "... to another port");
	a.type = 28;
	tap_ok(!names_answer(names, &local, &server, &a, 0), "... of another type");
	a.type = 1;
	a.answer = false;
	tap_ok(!names_answer(names, &local, &server, &a, 0), "a question is no answer");
	tap_ok(is(ADDRESS, 100, 5000, 1000, 0, NULL, NAME_BY_NOBODY, 0),
	       "and none of them names anything");
	tap_ok(told(7, "bank.example", ADDRESS, 60, S) &&
	       !told(7, "bank.example", "198.51.100.66", 60, S) &&
	       is("198.51.100.66", 100, 5000, 1000, S, NULL, NAME_BY_NOBODY, 0),
	       "a second answer to one question is refused");
	ask(1, 1000, 9, "bank.example", 0);
	tap_ok(!told(9, "bank.example", "198.51.100.66", 60, 11 * S), "an answer that is too late");
}

/* A later word about the row of the question is one about whose look-up it was. */
static void test_later_words(void)
{
	begin();
	row(1, 100, 5000, 1000, CERTAINTY_INFERRED);
	look_up(1, 1000, "example.org", ADDRESS, 0);
	tap_ok(is(ADDRESS, 100, 5000, 1000, S, "example.org", NAME_BY_USER, 1),
	       "who is only inferred to have asked gives no more than its user");
	names_proven(names, 1, CERTAINTY_CERTAIN);
	tap_ok(is(ADDRESS, 100, 5000, 1000, S, "example.org", NAME_BY_PROCESS, 1),
	       "proven later: the process");
	row(1, 200, 6000, 1000, CERTAINTY_CERTAIN);
	tap_ok(is(ADDRESS, 200, 6000, 1000, S, "example.org", NAME_BY_PROCESS, 1) &&
	       is(ADDRESS, 100, 5000, 1000, S, "example.org", NAME_BY_USER, 1),
	       "amended: it is the other process's");
	names_proven(names, 77, CERTAINTY_CERTAIN);
	ask(0, 1000, 3, "rowless.example", S);
	told(3, "rowless.example", ADDRESS, 60, S);
	tap_ok(is(ADDRESS, -1, -1, 1000, 2 * S, "rowless.example", NAME_BY_USER, 2),
	       "a question without a row is its user's, and of no process");
}

static void test_time(void)
{
	begin();
	row(1, 100, 5000, 1000, CERTAINTY_CERTAIN);
	ask(1, 1000, 1, "short.example", 0);
	told(1, "short.example", ADDRESS, 0, 0);
	tap_ok(is(ADDRESS, 100, 5000, 1000, NAMES_SHORTEST_NS, "short.example", NAME_BY_PROCESS,
		  1) && is(ADDRESS, 100, 5000, 1000, NAMES_SHORTEST_NS + 1, NULL,
			   NAME_BY_NOBODY, 0), "no time at all is an hour");
	ask(1, 1000, 2, "long.example", 0);
	told(2, "long.example", ADDRESS, INT32_MAX, 0);
	tap_ok(is(ADDRESS, 100, 5000, 1000, NAMES_LONGEST_NS, "long.example", NAME_BY_PROCESS, 1) &&
	       is(ADDRESS, 100, 5000, 1000, NAMES_LONGEST_NS + 1, NULL, NAME_BY_NOBODY, 0),
	       "sixty years are a day");
	look_up(1, 1000, "long.example", ADDRESS, NAMES_LONGEST_NS);
	tap_ok(is(ADDRESS, 100, 5000, 1000, NAMES_LONGEST_NS + S, "long.example", NAME_BY_PROCESS,
		  1), "looked up again it goes on");
}

static void test_addresses(void)
{
	static const char *const none[] = { "127.0.0.1", "127.8.9.1", "::1", "0.0.0.0", "::",
					    "224.0.0.251", "255.255.255.255", "ff02::fb" };
	bool good = true;

	begin();
	row(1, 100, 5000, 1000, CERTAINTY_CERTAIN);
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		look_up(1, 1000, "localhost", none[i], 0);
		good &= is(none[i], 100, 5000, 1000, S, NULL, NAME_BY_NOBODY, 0);
	}
	tap_ok(good, "loopback, no address and groups have no name");
	look_up(1, 1000, "six.example", "2001:db8::1", 0);
	tap_ok(is("2001:db8::1", 100, 5000, 1000, S, "six.example", NAME_BY_PROCESS, 1), "IPv6");
}

static void test_floods(void)
{
	char text[64];
	bool kept = true;

	begin();
	row(1, 100, 5000, 1000, CERTAINTY_CERTAIN);
	row(2, 200, 6000, 1001, CERTAINTY_CERTAIN);
	look_up(1, 1000, "mine.example", ADDRESS, 0);
	for (int i = 0; i < 1000; i++) {
		snprintf(text, sizeof(text), "n%d.example", i);
		look_up(2, 1001, text, ADDRESS, S + i);
	}
	tap_ok(is(ADDRESS, 100, 5000, 1000, 2 * S, "mine.example", NAME_BY_PROCESS,
		  1 + NAMES_AT_MOST) && names_evicted(names) == 0,
	       "names without end for one address cost their user's alone");
	for (int i = 0; i < 20000; i++) {
		snprintf(text, sizeof(text), "10.%d.%d.%d", i >> 16, i >> 8 & 255, i & 255);
		look_up(2, 1001, "flood.example", text, 2 * S);
		ask(2, 1001, (uint16_t)i, "never.example", 2 * S);
		row(10 + (uint64_t)i, 300, i, 1001, CERTAINTY_CERTAIN);
	}
	kept = is(ADDRESS, 100, 5000, 1000, 3 * S, "mine.example", NAME_BY_PROCESS, 1);
	tap_ok(kept && names_evicted(names) > 10000,
	       "so do addresses, questions and rows without end");
	tap_ok(look_up(1, 1000, "late.example", "198.51.100.9", 3 * S) &&
	       is("198.51.100.9", 100, 5000, 1000, 3 * S, "late.example", NAME_BY_PROCESS, 1),
	       "and who else asks still has its row");
}

/* Whoever has numbers of its own for its namespaces is still one user. */
static void test_subordinates(void)
{
	char text[64];

	begin();
	row(1, 100, 5000, 1000, CERTAINTY_CERTAIN);
	look_up(1, 1000, "mine.example", ADDRESS, 0);
	for (int i = 0; i < 1000; i++) {
		snprintf(text, sizeof(text), "n%d.example", i);
		look_up(0, 100000 + i, text, ADDRESS, S + i);
	}
	tap_ok(is(ADDRESS, 100, 5000, 1000, 2 * S, "mine.example", NAME_BY_PROCESS,
		  1 + NAMES_AT_MOST), "as many users as one person likes are one for an address");
}

/* One number and one socket for all of them: each is found without the others. */
static void test_steps(void)
{
	char text[64];

	begin();
	steps = 0;
	for (int i = 0; i < 4000; i++) {
		snprintf(text, sizeof(text), "n%d.example", i);
		ask(0, 1001, 7, text, S);
	}
	tap_ok(steps < 4 * 4000, "many names with one number are no long chain");
	tap_ok(told(7, "n3999.example", ADDRESS, 60, S) &&
	       !told(7, "n1.example", ADDRESS, 60, S), "and the newest of them wait");
}

static void test_words(void)
{
	tap_ok(!strcmp(name_by_name(NAME_BY_PROCESS), "process") &&
	       !strcmp(name_by_name(NAME_BY_USER), "user") &&
	       !strcmp(name_by_name(NAME_BY_HOST), "host") && !name_by_name(NAME_BY_NOBODY),
	       "whose look-up it was, in words");
}

int main(int argc, char **argv)
{
	scratch_seed(argc, argv);
	test_words();
	test_whose();
	test_shared();
	test_refused();
	test_later_words();
	test_time();
	test_addresses();
	test_floods();
	test_subordinates();
	test_steps();
	names_free(names);
	return tap_done();
}
