/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Networks: notation, and which addresses are in them; against a comparison bit by bit. */
#include <sys/socket.h>

#include "network.h"
#include "scratch.h"
#include "tap.h"

static void test_parse(void)
{
	static const struct {
		const char *text;
		int bits;	/* -1: refused */
	} table[] = {
		{ "192.0.2.0/24", 24 }, { "192.0.2.1", 32 }, { "0.0.0.0/0", 0 },
		{ "192.0.2.1/32", 32 }, { "2001:db8::/32", 32 }, { "::/0", 0 }, { "::1", 128 },
		{ "::1/128", 128 },
		/* IPv4, as a socket of IPv6 has it; a shorter prefix has others in it as well. */
		{ "::ffff:192.0.2.0/120", 24 }, { "::ffff:192.0.2.1", 32 },
		{ "::ffff:0.0.0.0/96", 0 }, { "::ffff:0.0.0.0/95", 95 },
		{ "192.0.2.0/33", -1 }, { "::/129", -1 }, { "192.0.2.0/", -1 }, { "/24", -1 },
		{ "192.0.2.0/-1", -1 }, { "192.0.2.0/24x", -1 }, { "192.0.2.0/ 24", -1 },
		{ "192.0.2.0/24/8", -1 }, { "192.0.2/24", -1 }, { "", -1 }, { "/", -1 },
		{ "192.0.2.0/255.255.255.0", -1 }, { "192.0.2.0/99999999999", -1 },
		{ "11111111111111111111111111111111111111111111111111/8", -1 },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct network n;
		int rc = network_parse(table[i].text, &n);

		tap_ok(rc ? table[i].bits < 0 : n.bits == table[i].bits, "network '%s' %s",
		       table[i].text, table[i].bits < 0 ? "is none" : "is read");
	}
}

static void test_contains(void)
{
	static const struct {
		const char *network, *address;
		bool inside;
	} table[] = {
		{ "192.0.2.0/24", "192.0.2.0", true },
		{ "192.0.2.0/24", "192.0.2.255", true },
		{ "192.0.2.0/24", "192.0.3.0", false },
		{ "192.0.2.77/24", "192.0.2.1", true },
		{ "192.0.2.128/25", "192.0.2.127", false },
		{ "192.0.2.128/25", "192.0.2.128", true },
		{ "0.0.0.0/0", "255.255.255.255", true },
		{ "0.0.0.0/0", "::1", false },
		{ "::/0", "2001:db8::1", true },
		{ "::/0", "192.0.2.1", false },
		{ "2001:db8::/33", "2001:db8:7fff::", true },
		{ "2001:db8::/33", "2001:db8:8000::", false },
		{ "::1", "::1", true },
		{ "::1", "::2", false },
		{ "::ffff:192.0.2.0/120", "192.0.2.77", true },
		{ "::ffff:192.0.2.0/120", "192.0.3.0", false },
		{ "::ffff:0.0.0.0/96", "203.0.113.9", true },
		{ "::ffff:0.0.0.0/96", "::1", false },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct network n;
		struct address a;

		network_parse(table[i].network, &n);
		address_parse(table[i].address, &a);
		tap_ok(network_contains(&n, &a) == table[i].inside, "%s is %sin %s",
		       table[i].address, table[i].inside ? "" : "not ", table[i].network);
	}
}

static bool bit(const struct address *a, int i)
{
	return a->bytes[i / 8] >> (7 - i % 8) & 1;
}

static void test_model(void)
{
	for (int i = 0; i < 100000; i++) {
		bool v6 = i % 2, inside = true;
		int max = v6 ? 128 : 32;
		struct network n = { .addr.family = v6 ? AF_INET6 : AF_INET };
		struct address a;

		n.bits = (int)(scratch_random() % (unsigned int)(max + 1));
		for (int k = 0; k < max / 8; k++)
			n.addr.bytes[k] = (uint8_t)scratch_random();
		a = n.addr;
		/* One flipped bit, most often near the edge. */
		if (i % 3) {
			int at = (int)(scratch_random() % 3) + n.bits - 1;

			if (at >= 0 && at < max)
				a.bytes[at / 8] ^= (uint8_t)(0x80 >> at % 8);
		}
		for (int k = 0; k < n.bits; k++)
			inside = inside && bit(&a, k) == bit(&n.addr, k);
		if (network_contains(&n, &a) == inside)
			continue;
		tap_ok(false, "100000 networks agree with a comparison bit by bit");
		tap_note("round %d, %d bits", i, n.bits);
		return;
	}
	tap_ok(true, "100000 networks agree with a comparison bit by bit");
}

int main(int argc, char **argv)
{
	scratch_seed(argc, argv);
	test_parse();
	test_contains();
	test_model();
	return tap_done();
}
