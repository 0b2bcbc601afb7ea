/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lists of addresses: every mistake at its place, and the same answers as networks give that are
 * asked one by one, however many they are. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "address_list.h"
#include "clock.h"
#include "complaints.h"
#include "network.h"
#include "scratch.h"
#include "tap.h"

static struct address_list *list_of(const char *text, size_t len, int *rc)
{
	struct diags d = complaints_begin();
	struct address_list *l;

	*rc = address_list_parse("l", text, len, &d, &l);
	complaints_end(&d, "l");
	return l;
}

static struct address address_of(const char *text)
{
	struct address a = { .family = 0 };

	if (address_parse(text, &a))
		abort();
	address_unmap(&a);
	return a;
}

static const struct {
	const char *list, *address;
	bool is;
} asked[] = {
	{ "", "192.0.2.1", false },
	{ "192.0.2.1", "192.0.2.1", true },
	{ "192.0.2.1", "192.0.2.0", false },
	{ "192.0.2.1", "192.0.2.2", false },
	{ "192.0.2.7/24", "192.0.2.0", true },
	{ "192.0.2.0/24", "192.0.2.255", true },
	{ "192.0.2.0/24", "192.0.3.0", false },
	{ "192.0.2.0/25", "192.0.2.128", false },
	{ "0.0.0.0/0", "255.255.255.255", true },
	{ "0.0.0.0/0", "::1", false },
	{ "::/0", "192.0.2.1", false },
	{ "::/0", "2001:db8::1", true },
	{ "2001:db8::/33", "2001:db8:7fff:ffff::", true },
	{ "2001:db8::/33", "2001:db8:8000::", false },
	{ "::ffff:192.0.2.0/120", "192.0.2.9", true },
	{ "\t 192.0.2.1 \r\n# x\n\n192.0.2.3# y", "192.0.2.3", true },
	{ "10.0.0.9\n10.0.0.0/8\n10.0.0.1", "10.200.0.0", true },
	{ "10.0.0.255\n10.0.1.0", "10.0.1.1", false },
	{ "192.0.2.9\n192.0.2.1", "192.0.2.1", true },
	{ "192.0.2.1\n192.0.2.0/31\n192.0.2.0/28\n192.0.2.0", "192.0.2.15", true },
	{ "2001:db8::9\n2001:db8::1", "2001:db8::1", true },
	{ "2001:db8::/127\n2001:db8::/124\n2001:db8::", "2001:db8::f", true },
};

static void test_asked(void)
{
	for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
		struct address a = address_of(asked[i].address);
		struct address_list *l;
		int rc;

		l = list_of(asked[i].list, strlen(asked[i].list), &rc);
		tap_ok(!rc && address_list_contains(l, &a) == asked[i].is, "%zu: %s %s", i + 1,
		       asked[i].address, asked[i].is ? "is in it" : "is not");
		address_list_free(l);
	}
}

#define TEXT_OF(literal) literal, sizeof(literal) - 1

static const struct {
	const char *text;
	size_t len;
	const char *where;
} bad[] = {
	{ TEXT_OF("10.0.0.1\nexample.org\n"), "2:1:'example.org' is neither" },
	{ TEXT_OF(" 10.0.0.0/33"), "1:2:'10.0.0.0/33' is neither" },
	{ TEXT_OF("10.0.0.1 10.0.0.2"), "1:10:nothing but a comment" },
	{ TEXT_OF("10.0.0.1,10.0.0.2"), "1:1:is neither" },
	{ TEXT_OF("127.0.0.1 localhost"), "1:11:one address or network a line" },
	{ TEXT_OF("x\n\ny"), "1:1:'x'\n3:1:'y'" },
	{ TEXT_OF("\033[2J"), "1:1:'?[2J'" },
	{ TEXT_OF("10.0.0.1\0"), "1:1:'10.0.0.1?' is neither" },
	{ TEXT_OF("/8"), "1:1:'/8'" },
	{ TEXT_OF("111111111111111111111111111111111111111111111111111111111111111111111111111111"),
	  "1:1:'1111111111111111111111111111111111111111111111111111111" },
};

static void test_bad(void)
{
	static char many[400];
	struct address_list *l;
	int rc;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		l = list_of(bad[i].text, bad[i].len, &rc);
		if (!tap_ok(rc == -EINVAL && !l && complaints_are(bad[i].where), "mistake %zu",
			    i + 1))
			tap_note("%d: %s", rc, complaints);
	}
	for (size_t i = 59; i < 62; i++) {
		char shown[80] = "";

		memset(many, 'x', i);
		list_of(many, i, &rc);
		memset(shown, 'x', i < 60 ? i : 60);
		strcat(shown, i > 60 ? "...'" : "'");
		tap_ok(rc == -EINVAL && strstr(complaints, shown), "%zu letters are shown", i);
	}
	for (size_t i = 0; i < sizeof(many); i += 2)
		memcpy(many + i, "x\n", 2);
	l = list_of(many, sizeof(many), &rc);
	tap_ok(rc == -EINVAL && !l && strstr(complaints, "\n101:1: the rest was not read") &&
	       !strstr(complaints, "\n102:"), "no more than a hundred are told");
}

static void test_covers(void)
{
	static const struct { const char *outer, *inner; bool is; } table[] = {
		{ "", "", true }, { "10.0.0.0/8", "", true }, { "", "10.0.0.0/8", false },
		{ "10.0.0.0/8", "10.1.0.0/16\n10.2.3.4", true },
		{ "10.0.0.0/9\n10.128.0.0/9", "10.0.0.0/8", true },
		{ "10.0.0.0/9\n10.128.0.0/10", "10.0.0.0/8", false },
		{ "0.0.0.0/0", "::1", false }, { "::/1\n8000::/1", "::/0", true },
		{ "10.0.0.0/8", "9.255.255.255", false },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		int rc;
		struct address_list *outer = list_of(table[i].outer, strlen(table[i].outer), &rc);
		struct address_list *inner = list_of(table[i].inner, strlen(table[i].inner), &rc);

		tap_ok(address_list_covers(outer, inner) == table[i].is, "covers %zu", i + 1);
		address_list_free(outer);
		address_list_free(inner);
	}
}

#define NETWORKS 300
#define QUESTIONS 3000

/* Random networks of few bits, so that they lie in one another, beside and over one another. */
static void random_network(struct network *n)
{
	bool four = scratch_random() % 2;
	int width = four ? 32 : 128;

	memset(n, 0, sizeof(*n));
	n->addr.family = four ? AF_INET : AF_INET6;
	n->bits = width - (int)(scratch_random() % 9);
	n->addr.bytes[width / 8 - 2] = (unsigned char)scratch_random();
	n->addr.bytes[width / 8 - 1] = (unsigned char)scratch_random();
}

static void test_against_model(void)
{
	static char text[NETWORKS * (ADDRESS_TEXT_MAX + 8)];
	static struct network model[NETWORKS];
	char buf[ADDRESS_TEXT_MAX];
	int wrong = 0, in = 0, rc;
	struct address_list *l;
	size_t len = 0;

	for (int i = 0; i < NETWORKS; i++) {
		random_network(&model[i]);
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s/%d\n",
					address_format(&model[i].addr, buf), model[i].bits);
	}
	l = list_of(text, len, &rc);
	if (!tap_ok(l && address_list_count(l) == NETWORKS, "random networks"))
		return;
	for (int i = 0; i < QUESTIONS; i++) {
		struct network q;
		bool is = false;

		random_network(&q);
		for (int n = 0; n < NETWORKS; n++)
			is |= network_contains(&model[n], &q.addr);
		wrong += address_list_contains(l, &q.addr) != is;
		in += is;
	}
	tap_ok(!wrong && in > 100 && in < QUESTIONS - 100,
	       "are asked like networks one by one (%d of %d are in)", in, QUESTIONS);
	address_list_free(l);
}

/* How long it takes is told, not tested. */
static void test_many(void)
{
	enum { MANY = 100000, ASKED = 200000 };
	char *text = malloc((size_t)MANY * 20);
	int64_t begin_ns, read_ns, in = 0;
	struct address_list *l;
	size_t len = 0;
	int rc;

	for (int i = 0; i < MANY; i++)
		len += (size_t)sprintf(text + len, "%d.%d.%d.0/24\n", 1 + i * 7 % 100,
				       i / 256 % 256, i % 256);
	begin_ns = clock_mono_ns();
	l = list_of(text, len, &rc);
	read_ns = clock_mono_ns() - begin_ns;
	begin_ns = clock_mono_ns();
	for (uint32_t i = 0; i < ASKED; i++) {
		uint32_t n = i * 2654435761U;
		struct address a = { AF_INET, { n >> 24, n >> 16 & 255, n >> 8 & 255, n & 255 } };

		in += address_list_contains(l, &a);
	}
	tap_ok(l && address_list_count(l) == MANY && in > 0 && in < ASKED, "a hundred thousand");
	tap_note("measured: read in %lld us, asked in %lld ns each", (long long)read_ns / 1000,
		 (long long)(clock_mono_ns() - begin_ns) / ASKED);
	address_list_free(l);
	free(text);
}

int main(int argc, char **argv)
{
	scratch_seed(argc, argv);
	test_asked();
	test_bad();
	test_covers();
	test_against_model();
	test_many();
	return tap_done();
}
