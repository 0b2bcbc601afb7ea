/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The heads of packets: whole, with options and extension headers, cut off anywhere, and random. */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "packet.h"
#include "tap.h"

#define V4(hl, proto, frag_hi, frag_lo) \
	0x40 | (hl), 0, 0, 60, 0, 1, (frag_hi), (frag_lo), 64, (proto), 0, 0, \
	10, 0, 0, 1, 10, 0, 0, 2
#define V6(next) \
	0x60, 0, 0, 0, 0, 40, (next), 64, \
	0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, \
	0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2
#define PORTS 0x12, 0x34, 0, 80
#define TCP PORTS, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, 0x02, 0, 0, 0, 0, 0, 0

static const struct row {
	const char *what;
	uint8_t data[128];
	size_t len;
	int rc, protocol, sport, dport;
	bool fragment;
} rows[] = {
#define ROW(what, rc, protocol, sport, dport, fragment, ...) \
	{ what, { __VA_ARGS__ }, sizeof((uint8_t[]){ __VA_ARGS__ }), rc, protocol, sport, dport, \
	  fragment }
	ROW("TCP over IPv4", 0, 6, 0x1234, 80, false, V4(5, 6, 0x40, 0), TCP),
	ROW("with options", 0, 6, 0x1234, 80, false, V4(7, 6, 0x40, 0), 1, 1, 1, 1, 1, 1, 1, 0,
	    TCP),
	ROW("UDP", 0, 17, 0x1234, 80, false, V4(5, 17, 0, 0), PORTS, 0, 8, 0, 0),
	ROW("UDP-Lite", 0, 136, 0x1234, 80, false, V4(5, 136, 0, 0), PORTS, 0, 8, 0, 0),
	ROW("SCTP", 0, 132, 0x1234, 80, false, V4(5, 132, 0, 0), PORTS, 0, 0, 0, 0, 0, 0, 0, 0),
	ROW("ICMP", 0, 1, -1, -1, false, V4(5, 1, 0, 0), 8, 0, 0, 0),
	ROW("the first fragment", 0, 17, 0x1234, 80, false, V4(5, 17, 0x20, 0), PORTS, 0, 8, 0, 0),
	ROW("a later fragment", 0, 17, -1, -1, true, V4(5, 17, 0x20, 9), PORTS, 0, 8, 0, 0),
	ROW("cut off behind the ports", 0, 17, 0x1234, 80, false, V4(5, 17, 0, 0), PORTS),
	ROW("DCCP", 0, 33, 0x1234, 80, false, V4(5, 33, 0, 0), PORTS, 0, 0, 0, 0),
	ROW("ICMP of one byte", 0, 1, -1, -1, false, V4(5, 1, 0, 0), 8),
	ROW("ICMP of none", -ENODATA, 1, -1, -1, false, V4(5, 1, 0, 0)),
	ROW("cut off within the ports", -ENODATA, 6, -1, -1, false, V4(5, 6, 0, 0), 0x12, 0x34, 0),
	ROW("cut off within the options", -ENODATA, 6, -1, -1, false, V4(15, 6, 0, 0), 1, 1, 1),
	ROW("a header shorter than a header", -EINVAL, -1, -1, -1, false, V4(4, 6, 0, 0), TCP),
	ROW("of another version", -EINVAL, -1, -1, -1, false, 0x50, 0, 0, 0),
	ROW("nothing", -EINVAL, -1, -1, -1, false, 0),
	ROW("TCP over IPv6", 0, 6, 0x1234, 80, false, V6(6), TCP),
	ROW("behind hop-by-hop and destination options", 0, 17, 0x1234, 80, false, V6(0),
	    60, 0, 0, 0, 0, 0, 0, 0, 17, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, PORTS, 0, 8,
	    0, 0),
	ROW("ESP hides what it is", 0, 50, -1, -1, false, V4(5, 50, 0, 0), PORTS, PORTS),
	ROW("IP in IP", 0, 4, -1, -1, false, V4(5, 4, 0, 0), V4(5, 6, 0, 0), TCP),
	ROW("IPv6 in IPv6", 0, 41, -1, -1, false, V6(41), V6(6), TCP),
	ROW("AH over IPv4", 0, 6, 0x1234, 80, false, V4(5, 51, 0, 0),
	    6, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, TCP),
	ROW("AH over IPv4, cut off", -ENODATA, 51, -1, -1, false, V4(5, 51, 0, 0),
	    6, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, TCP),
	ROW("an option that is too long", -EINVAL, 6, -1, -1, false, V4(6, 6, 0x40, 0),
	    7, 5, 0, 0, TCP),
	ROW("an option without a length", -EINVAL, 6, -1, -1, false, V4(6, 6, 0x40, 0),
	    1, 1, 1, 7, TCP),
	ROW("a first fragment that ends before the transport", -ENODATA, 60, -1, -1, false, V6(44),
	    60, 0, 0, 1, 0, 0, 0, 7),
	ROW("behind routing and AH", 0, 6, 0x1234, 80, false, V6(43),
	    51, 0, 0, 0, 0, 0, 0, 0, 6, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, TCP),
	ROW("behind mobility, HIP and SHIM6", 0, 17, 0x1234, 80, false, V6(135),
	    139, 0, 0, 0, 0, 0, 0, 0, 140, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	    17, 0, 0, 0, 0, 0, 0, 0, PORTS, 0, 8, 0, 0),
	ROW("the first fragment of IPv6", 0, 17, 0x1234, 80, false, V6(44),
	    17, 0, 0, 1, 0, 0, 0, 7, PORTS, 0, 8, 0, 0),
	ROW("a later fragment of IPv6", 0, 17, -1, -1, true, V6(44), 17, 0, 0, 8, 0, 0, 0, 7,
	    PORTS),
	ROW("no next header", 0, 59, -1, -1, false, V6(59), 1, 2, 3, 4),
	ROW("ICMPv6", 0, 58, -1, -1, false, V6(58), 128, 0, 0, 0),
	ROW("an extension header cut off", -ENODATA, 0, -1, -1, false, V6(0), 6, 4, 0, 0),
#undef ROW
};

/* Nothing is read beyond the end: each prefix in memory of exactly its length (for the
 * sanitizers). */
static bool prefixes(const struct row *r)
{
	for (size_t len = 0; len <= r->len; len++) {
		uint8_t *piece = malloc(len + !len);
		struct packet p;
		int rc;

		memcpy(piece, r->data, len);
		rc = packet_parse(piece, len, &p);
		free(piece);
		if (rc && rc != -ENODATA && rc != -EINVAL)
			return false;
	}
	return true;
}

static bool random_packets(unsigned int seed, int count)
{
	srandom(seed);
	for (int i = 0; i < count; i++) {
		const struct row *r = &rows[(size_t)random() % (sizeof(rows) / sizeof(rows[0]))];
		size_t len = (size_t)random() % (r->len + 1);
		uint8_t *data = malloc(len + !len);
		struct packet p;
		int rc;

		memcpy(data, r->data, len);
		for (int k = (int)(random() % 4); len && k > 0; k--)
			data[(size_t)random() % len] = (uint8_t)random();
		rc = packet_parse(data, len, &p);
		free(data);
		if (p.unreadable != (rc || p.fragment) || (rc && p.dst.port >= 0))
			return false;
		if (p.src.port > 65535 || p.dst.port > 65535 || p.src.port < -1 || p.dst.port < -1)
			return false;
	}
	return true;
}

#define A6(last) 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, (last)

/* Source routes: where they end.  NULL: that cannot be told. */
static const struct route {
	const char *what, *end;
	uint8_t data[160];
} routes[] = {
	{ "loose, two places ahead", "10.0.0.8", { V4(8, 17, 0, 0), 131, 11, 4, 10, 0, 0, 7, 10, 0,
	  0, 8, 0, PORTS } },
	{ "strict, behind another option", "10.0.0.7", { V4(8, 17, 0, 0), 148, 4, 0, 0, 137, 7, 4,
	  10, 0, 0, 7, 0, PORTS } },
	{ "loose, at its end", "10.0.0.2", { V4(7, 17, 0, 0), 131, 7, 8, 10, 0, 0, 7, 0, PORTS } },
	{ "behind the end of options", "10.0.0.2", { V4(7, 17, 0, 0), 0, 131, 7, 4, 10, 0, 0, 7,
	  PORTS } },
	{ "a route of half an address", NULL, { V4(7, 17, 0, 0), 131, 8, 4, 10, 0, 0, 7, 10,
	  PORTS } },
	{ "a route before its start", NULL, { V4(7, 17, 0, 0), 131, 7, 3, 10, 0, 0, 7, 0,
	  PORTS } },
	{ "a route without a pointer", NULL, { V4(6, 17, 0, 0), 1, 1, 131, 2, PORTS } },
	{ "type 0", "2001:db8::8", { V6(43), 17, 4, 0, 1, 0, 0, 0, 0, A6(7), A6(8), PORTS } },
	{ "type 0, at its end", "fe80::2", { V6(43), 17, 4, 0, 0, 0, 0, 0, 0, A6(7), A6(8),
	  PORTS } },
	{ "type 2", "2001:db8::7", { V6(43), 17, 2, 2, 1, 0, 0, 0, 0, A6(7), PORTS } },
	{ "type 3", "fe80::9", { V6(43), 17, 1, 3, 1, 0xff, 0x60, 0, 0, 5, 9, 0, 0, 0, 0, 0,
	  0, PORTS } },
	{ "type 4, behind options", "2001:db8::7", { V6(60), 43, 0, 1, 4, 0, 0, 0, 0, 17, 4, 4, 1,
	  1, 0, 0, 0, A6(7), A6(8), PORTS } },
	{ "type 4, at its end", "fe80::2", { V6(43), 17, 4, 4, 0, 1, 0, 0, 0, A6(7), A6(8),
	  PORTS } },
	{ "two, the first at its end", "2001:db8::8", { V6(43), 43, 2, 4, 0, 0, 0, 0, 0, A6(7),
	  17, 2, 4, 1, 0, 0, 0, 0, A6(8), PORTS } },
	{ "without a place", NULL, { V6(43), 17, 0, 4, 1, 0, 0, 0, 0, PORTS } },
	{ "type 3 without room", NULL, { V6(43), 17, 0, 3, 1, 0, 0, 0, 0, PORTS } },
	{ "of an unknown type", NULL, { V6(43), 17, 2, 9, 1, 0, 0, 0, 0, A6(7), PORTS } },
};

static void test_routes(void)
{
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		const struct route *r = &routes[i];
		struct address end;
		struct packet p;
		int rc = packet_parse(r->data, sizeof(r->data), &p);

		if (!r->end) {
			tap_ok(rc == -EINVAL && p.unreadable && p.dst.port == -1, "route: %s",
			       r->what);
			continue;
		}
		address_parse(r->end, &end);
		tap_ok(!rc && !p.unreadable && p.dst.port == 80 &&
		       address_equal(&p.dst.addr, &end), "route: %s", r->what);
	}
}

/* The longest routing header that a process can set: cut off anywhere, it hides all or nothing. */
static void test_longest(void)
{
	static uint8_t data[40 + 2048 + 8] = { V6(43), 17, 255, 4, 1 };
	struct packet p;
	int wrong = 0;

	memcpy(data + 48, (const uint8_t[]){ A6(7) }, 16);
	memcpy(data + 2088, (const uint8_t[]){ PORTS }, 4);
	tap_ok(!packet_parse(data, sizeof(data), &p) && p.dst.port == 80 && !p.unreadable,
	       "behind the longest header");
	for (size_t len = 0; len < 2092; len++)
		wrong += packet_parse(data, len, &p) != -ENODATA || !p.unreadable ||
			 p.dst.port != -1;
	tap_ok(!wrong, "which is unreadable where it is cut off");
}

/* n extension headers of 8 bytes in front of UDP. */
static int behind_extensions(int n, struct packet *p)
{
	uint8_t data[40 + 8 * 40 + 8] = { V6(0) };

	data[6] = n ? IPPROTO_DSTOPTS : IPPROTO_UDP;
	for (int i = 0; i < n; i++)
		data[40 + 8 * i] = i < n - 1 ? IPPROTO_DSTOPTS : IPPROTO_UDP;
	memcpy(data + 40 + 8 * n, (const uint8_t[]){ PORTS }, 4);
	return packet_parse(data, (size_t)(40 + 8 * n + 8), p);
}

static void test_extensions(void)
{
	struct packet p;

	tap_ok(!behind_extensions(0, &p) && !behind_extensions(16, &p) && p.dst.port == 80,
	       "behind 16 extension headers");
	tap_ok(behind_extensions(17, &p) == -EINVAL && p.dst.port == -1, "but not behind 17");
}

static void test_flags(void)
{
	static uint8_t tcp[] = {V4(5, 6, 0, 0), TCP};
	static const uint8_t icmp[] = {V4(5, 1, 0, 0), 8, 0, 0, 0};
	struct packet p;

	packet_parse(tcp, sizeof(tcp), &p);
	tap_ok(p.tcp_flags == 2 && !p.icmp_type, "TCP's flags");
	tap_ok(p.echo_id >= 0, "and where a SYN's connection begins");
	tap_ok(!packet_parse(tcp, 20 + 14, &p) && p.tcp_flags == 2, "where they are the last byte");
	tcp[20 + 13] = 0x12;
	tap_ok(!packet_parse(tcp, sizeof(tcp), &p) && p.echo_id == -1,
	       "no connection begins with an answer");
	tcp[20 + 13] = 2;
	tap_ok(!packet_parse(tcp, 20 + 13, &p) && !p.tcp_flags, "and none where they are cut off");
	packet_parse(icmp, sizeof(icmp), &p);
	tap_ok(p.icmp_type == 8 && !p.tcp_flags, "ICMP's type");
}

/* A SYN with these options, and as many bytes of data. */
static bool is_fast_open(const uint8_t *options, size_t len, size_t data)
{
	uint8_t tcp[20 + 60 + 8] = { V4(5, 6, 0, 0), TCP };
	struct packet p;

	tcp[20 + 12] = (uint8_t)((20 + len) / 4 << 4);
	memcpy(tcp + 40, options, len);
	return !packet_parse(tcp, 40 + len + data, &p) && p.fast_open;
}

static void test_fast_open(void)
{
	static const uint8_t usual[] = { 2, 4, 5, 180, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 1, 3,
					 3, 7 };
	static const uint8_t asks[] = { 2, 4, 5, 180, 1, 1, 34, 2 };
	static const uint8_t cookie[] = { 34, 10, 1, 2, 3, 4, 5, 6, 7, 8, 1, 1 };
	static const uint8_t experiment[] = { 254, 4, 0xf9, 0x89 };
	static const uint8_t other[] = { 254, 4, 0xf9, 0x88 };
	static const uint8_t ended[] = { 1, 0, 34, 2 };
	static const uint8_t bad[][4] = { { 1, 1, 1, 2 }, { 2, 0, 1, 1 }, { 2, 1, 1, 1 },
					  { 1, 2, 4, 1 }, { 1, 1, 254, 3 } };
	uint8_t head[40] = { V4(5, 6, 0, 0), TCP };
	struct packet p;
	bool unsure = true;

	tap_ok(!is_fast_open(usual, 0, 0) && !is_fast_open(usual, sizeof(usual), 0),
	       "a usual SYN is one of connect()");
	tap_ok(is_fast_open(asks, sizeof(asks), 0) && is_fast_open(cookie, sizeof(cookie), 0) &&
	       is_fast_open(experiment, 4, 0) && !is_fast_open(other, 4, 0),
	       "one that asks for Fast Open may be of a send, by either number");
	tap_ok(is_fast_open(usual, sizeof(usual), 1), "so may one with data");
	tap_ok(!is_fast_open(ended, 4, 0), "options end where they say");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		unsure = unsure && is_fast_open(bad[i], 4, 0);
	for (size_t len = 24 + 10; len < 40; len++)
		unsure = unsure && !packet_parse(head, len, &p) && p.fast_open;
	head[20 + 12] = 0x40;
	unsure = unsure && !packet_parse(head, 40, &p) && p.fast_open;
	tap_ok(unsure, "so may one whose options make no sense, or are cut off");
	head[20 + 13] = 0x12;
	tap_ok(!packet_parse(head, 40, &p) && !p.fast_open, "an answer is none");
}

static void test_hash(void)
{
	struct endpoint a = { .port = 1 }, b = { .port = 2 }, c;
	uint64_t h;

	address_parse("10.0.0.1", &a.addr);
	address_parse("10.0.0.2", &b.addr);
	h = packet_hash_tuple(6, &a, &b);
	tap_ok(packet_hash_tuple(6, &a, &b) == h && packet_hash_tuple(17, &a, &b) != h &&
	       packet_hash_tuple(6, &b, &a) != h, "a tuple's hash is of its protocol and its ends");
	c = a;
	c.port = 3;
	tap_ok(packet_hash_tuple(6, &c, &b) != h && packet_hash_tuple(6, &a, &c) != h,
	       "of their ports");
	c = b;
	c.port = 3;
	tap_ok(packet_hash_tuple(6, &a, &c) != h, "both");
	c = a;
	c.addr.bytes[3] = 9;
	tap_ok(packet_hash_tuple(6, &c, &b) != h, "of the source's address");
	c = b;
	c.addr.bytes[3] = 9;
	tap_ok(packet_hash_tuple(6, &a, &c) != h, "and the destination's");
}

/* What a datagram carries, where all of it is there. */
static void test_payload(void)
{
	uint8_t data[] = { V4(5, 17, 0, 0), PORTS, 0, 11, 0, 0, 'a', 'b', 'c', 'd' };
	struct packet p;

	tap_ok(!packet_parse(data, sizeof(data), &p) && p.payload == data + 28 &&
	       p.payload_len == 3, "what a datagram carries, by its own length");
	tap_ok(!packet_parse(data, sizeof(data) - 2, &p) && !p.payload, "not where it is cut off");
	data[25] = 7;
	tap_ok(!packet_parse(data, sizeof(data), &p) && !p.payload, "nor shorter than its head");
	data[25] = 11;
	data[9] = 6;
	tap_ok(!packet_parse(data, sizeof(data), &p) && !p.payload, "nor of another protocol");
}

int main(int argc, char **argv)
{
	unsigned int seed = argc > 1 ? (unsigned int)atoi(argv[1]) : 20261121;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *r = &rows[i];
		struct packet p;
		int rc = packet_parse(r->data, r->len, &p);

		if (!tap_ok(rc == r->rc && p.protocol == r->protocol && p.src.port == r->sport &&
			    p.dst.port == r->dport && p.fragment == r->fragment &&
			    p.unreadable == (rc || r->fragment), "%s", r->what))
			tap_note("rc %d protocol %d ports %d %d", rc, p.protocol, p.src.port,
				 p.dst.port);
		tap_ok(prefixes(r), "%s: cut off anywhere", r->what);
	}
	test_routes();
	test_longest();
	test_extensions();
	test_flags();
	test_fast_open();
	test_hash();
	test_payload();
	tap_note("seed %u", seed);
	tap_ok(random_packets(seed, 1000000), "a million changed packets");
	return tap_done();
}
