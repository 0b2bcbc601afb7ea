/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Addresses and ports: what is read, what is refused, what is written. */
#include <arpa/inet.h>
#include <sys/socket.h>

#include "scratch.h"
#include "tap.h"
#include "tuple.h"

static void test_address(void)
{
	static const struct {
		const char *text;
		const char *written;	/* NULL: is none */
	} table[] = {
		{ "0.0.0.0", "0.0.0.0" },
		{ "255.255.255.255", "255.255.255.255" },
		{ "192.0.2.9", "192.0.2.9" },
		{ "10.100.99.1", "10.100.99.1" },
		{ "::", "::" },
		{ "::1", "::1" },
		{ "2001:DB8:0:0:0:0:0:1", "2001:db8::1" },
		{ "2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1" },
		{ "::ffff:192.0.2.1", "::ffff:192.0.2.1" },
		{ "::ffff:c000:201", "::ffff:192.0.2.1" },
		{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
		  "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
		{ "", NULL }, { "1.2.3", NULL }, { "1.2.3.4.5", NULL }, { "256.1.1.1", NULL },
		{ " 1.2.3.4", NULL }, { "1.2.3.4 ", NULL }, { "01.2.3.4", NULL }, { ":::", NULL },
		{ "fe80::1%lo", NULL }, { "[::1]", NULL }, { "localhost", NULL },
		{ "1:2:3:4:5:6:7:8:9", NULL }, { "0x7f.1", NULL },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct address a;
		char buf[ADDRESS_TEXT_MAX] = "?";
		int rc = address_parse(table[i].text, &a);

		if (!table[i].written) {
			tap_ok(rc < 0, "'%s' is no address", table[i].text);
			continue;
		}
		if (!tap_ok(!rc && !strcmp(address_format(&a, buf), table[i].written),
			    "address '%s' is '%s'", table[i].text, table[i].written))
			tap_note("returned %d, %s", rc, buf);
	}
}

static void test_equal(void)
{
	struct address a, b, none = { 0 };
	char buf[ADDRESS_TEXT_MAX] = "x";

	tap_ok(!strcmp(address_format(&none, buf), ""), "no address is no text");
	address_parse("192.0.2.1", &a);
	address_parse("192.0.2.1", &b);
	memset(b.bytes + 4, 0x55, 12);
	tap_ok(address_equal(&a, &b), "IPv4: only four bytes count");
	address_parse("192.0.2.2", &b);
	tap_ok(!address_equal(&a, &b), "another address is another");
	address_parse("::ffff:192.0.2.1", &b);
	tap_ok(!address_equal(&a, &b), "another family is another address");
	address_unmap(&b);
	tap_ok(address_equal(&a, &b) && b.family == AF_INET, "a mapped address is made IPv4");
	tap_ok(!memcmp(a.bytes, b.bytes, sizeof(a.bytes)), "and nothing of it stays behind");
	address_unmap(&b);
	tap_ok(address_equal(&a, &b), "and stays so");
	address_parse("::fffe:192.0.2.1", &a);
	b = a;
	address_unmap(&b);
	tap_ok(address_equal(&a, &b), "one that only looks like it stays IPv6");
	address_parse("2001:db8::ffff:c000:201", &a);
	b = a;
	address_unmap(&b);
	tap_ok(address_equal(&a, &b), "as does one with a prefix");
}

static void test_any(void)
{
	static const char *const any[] = { "0.0.0.0", "::" };
	static const char *const some[] = { "0.0.0.1", "1.0.0.0", "::1", "100::" };
	struct address a = { .bytes = { 1 } };

	tap_ok(address_is_any(&a), "no address is any");
	for (int i = 0; i < 2; i++)
		tap_ok(!address_parse(any[i], &a) && address_is_any(&a), "%s is any", any[i]);
	for (int i = 0; i < 4; i++)
		tap_ok(!address_parse(some[i], &a) && !address_is_any(&a), "%s is not", some[i]);
}

static void test_same_endpoint(void)
{
	struct endpoint a, b;

	endpoint_parse("192.0.2.1:80", &a);
	endpoint_parse("192.0.2.1:80", &b);
	tap_ok(endpoint_equal(&a, &b), "the same address and port are the same endpoint");
	b.port = 81;
	tap_ok(!endpoint_equal(&a, &b), "with another port they are not");
	endpoint_parse("192.0.2.2:80", &b);
	tap_ok(!endpoint_equal(&a, &b), "nor with another address");
}

static void test_endpoint(void)
{
	static const struct {
		const char *text;
		const char *addr;	/* NULL: refused; "": none */
		int32_t port;
	} table[] = {
		{ "192.0.2.1:80", "192.0.2.1", 80 },
		{ "192.0.2.1:0", "192.0.2.1", 0 },
		{ "192.0.2.1:65535", "192.0.2.1", 65535 },
		{ "192.0.2.1:*", "192.0.2.1", -1 },
		{ "192.0.2.1:", "192.0.2.1", -1 },
		{ "192.0.2.1", "192.0.2.1", -1 },
		{ "[2001:db8::1]:443", "2001:db8::1", 443 },
		{ "[2001:db8::1]:*", "2001:db8::1", -1 },
		{ "[2001:db8::1]", "2001:db8::1", -1 },
		{ "2001:db8::1", "2001:db8::1", -1 },
		{ "::1", "::1", -1 },
		{ "*:53", "", 53 },
		{ "*:*", "", -1 },
		{ "*", "", -1 },
		{ "", NULL, 0 }, { ":80", NULL, 0 }, { "192.0.2.1:65536", NULL, 0 },
		{ "192.0.2.1:-1", NULL, 0 }, { "192.0.2.1:http", NULL, 0 },
		{ "192.0.2.1:8 ", NULL, 0 }, { "192.0.2.1:000080", NULL, 0 },
		{ "[2001:db8::1:443", NULL, 0 }, { "[2001:db8::1]443", NULL, 0 },
		{ "[2001:db8::1]:443x", NULL, 0 }, { "[]:1", NULL, 0 }, { "[", NULL, 0 },
		{ "example.org:80", NULL, 0 },
		{ "1111111111111111111111111111111111111111111111111111:80", NULL, 0 },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct endpoint e;
		char buf[ADDRESS_TEXT_MAX] = "?";
		int rc = endpoint_parse(table[i].text, &e);

		if (!table[i].addr)
			tap_ok(rc < 0, "'%s' is no endpoint", table[i].text);
		else if (!tap_ok(!rc && e.port == table[i].port &&
				 !strcmp(address_format(&e.addr, buf), table[i].addr),
				 "endpoint '%s' is read", table[i].text))
			tap_note("returned %d, '%s' %d", rc, buf, e.port);
	}
}

/* Our own writing of IPv4 against the C library's. */
static void test_round(void)
{
	for (int i = 0; i < 100000; i++) {
		struct address a = { .family = i % 2 ? AF_INET : AF_INET6 }, b;
		char ours[ADDRESS_TEXT_MAX], theirs[ADDRESS_TEXT_MAX];

		for (int k = 0; k < (i % 2 ? 4 : 16); k++)
			a.bytes[k] = scratch_random() % 3 ? (uint8_t)scratch_random() : 0;
		inet_ntop(a.family, a.bytes, theirs, sizeof(theirs));
		if (!strcmp(address_format(&a, ours), theirs) && !address_parse(ours, &b) &&
		    address_equal(&a, &b))
			continue;
		tap_ok(false, "100000 addresses are written and read back");
		tap_note("'%s', not '%s'", ours, theirs);
		return;
	}
	tap_ok(true, "100000 addresses are written and read back");
}

int main(int argc, char **argv)
{
	scratch_seed(argc, argv);
	test_address();
	test_equal();
	test_any();
	test_same_endpoint();
	test_endpoint();
	test_round();
	return tap_done();
}
