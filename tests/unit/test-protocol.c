/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of protocols: names and numbers both ways, what each is like, sockets, the view's
 * SQL. */
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "protocol.h"
#include "tap.h"

static void test_names(void)
{
	static const struct {
		const char *text;
		int number;		/* -1: refused */
	} table[] = {
		{ "tcp", 6 }, { "TCP", 6 }, { "udp", 17 }, { "icmp", 1 }, { "icmpv6", 58 },
		{ "udplite", 136 }, { "sctp", 132 }, { "dccp", 33 }, { "mptcp", 262 },
		{ "0", 0 }, { "6", 6 }, { "255", 255 }, { "262", 262 },
		{ "263", -1 }, { "", -1 }, { "-1", -1 }, { " 6", -1 }, { "6 ", -1 },
		{ "tcp6", -1 }, { "99999999999999999999", -1 }, { "0x6", -1 },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		int number = -1, rc = protocol_parse(table[i].text, &number);

		tap_ok(rc ? table[i].number == -1 : number == table[i].number, "protocol '%s' %s",
		       table[i].text, table[i].number < 0 ? "is none" : "is read");
	}
	for (int n = 0; n < 300; n++) {
		const char *name = protocol_name(n);
		int back = -1;

		if (name && (protocol_parse(name, &back) || back != n))
			tap_ok(false, "the name of %d is %d's", n, back);
	}
	tap_ok(!protocol_name(-1) && !protocol_name(200), "a number without a name has none");
	tap_ok(protocol_default(SOCK_STREAM) == 6 && protocol_default(SOCK_DGRAM) == 17 &&
	       protocol_default(SOCK_RAW) == -1 && protocol_default(0) == -1,
	       "what socket(family, type, 0) opens");
}

static void test_traits(void)
{
	static const struct {
		int number;
		bool ports, type, datagrams;
	} table[] = {
		{ 6, true, false, false }, { 17, true, false, true }, { 136, true, false, true },
		{ 132, true, false, false }, { 33, true, false, false },
		{ 1, false, true, false }, { 58, false, true, false },
		/* What goes over the wire is TCP. */
		{ 262, false, false, false },
		{ 47, false, false, false }, { -1, false, false, false },
		{ 0, false, false, false },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		tap_ok(protocol_is(table[i].number, PROTOCOL_PORTS) == table[i].ports &&
		       protocol_is(table[i].number, PROTOCOL_TYPE) == table[i].type &&
		       protocol_is(table[i].number, PROTOCOL_DATAGRAMS) == table[i].datagrams,
		       "what protocol %d is like", table[i].number);
}

static void test_sockets(void)
{
	tap_ok(protocol_of_socket("TCP") == 6 && protocol_of_socket("TCPv6") == 6 &&
	       protocol_of_socket("UDP-Lite") == 136 && protocol_of_socket("UDPLITEv6") == 136 &&
	       protocol_of_socket("PING") == 1 && protocol_of_socket("PINGv6") == 58 &&
	       protocol_of_socket("MPTCPv6") == 262 && protocol_of_socket("SCTP") == 132,
	       "sockets by sockfs's names");
	tap_ok(protocol_of_socket("UNIX") == -1 && protocol_of_socket("") == -1 &&
	       protocol_of_socket("tcp") == -1, "a socket of no protocol here");
}

/* Ledgers have this text as a view: another one would be another version of the ledger. */
static void test_sql(void)
{
	tap_ok(!strcmp(PROTOCOL_SQL("c.proto"),
		       "CASE c.proto WHEN 6 THEN 'tcp' WHEN 17 THEN 'udp' WHEN 1 THEN 'icmp'"
		       " WHEN 58 THEN 'icmpv6' WHEN 136 THEN 'udplite' WHEN 132 THEN 'sctp'"
		       " WHEN 33 THEN 'dccp' WHEN 262 THEN 'mptcp'"
		       " ELSE CAST(c.proto AS TEXT) END"),
	       "the view's SQL");
}

int main(void)
{
	test_names();
	test_traits();
	test_sockets();
	test_sql();
	return tap_done();
}
