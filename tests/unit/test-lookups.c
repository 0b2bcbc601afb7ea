/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The threads that looked a packet's tuple up: the sequences of events that the kernel was seen to
 * make, and what other processes may put between.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "connection.h"
#include "lookups.h"
#include "tap.h"
#include "trace.h"
#include "tuple.h"

#define MS 1000000LL

static struct lookups *l;
static int64_t now;
static struct lookup_owner who[LOOKUP_OWNERS_MAX];
static bool more;

static struct endpoint to(const char *text)
{
	struct endpoint e;

	if (endpoint_parse(text, &e))
		abort();
	return e;
}

static void event(enum trace_kind kind, int32_t tid, int protocol, const char *src, const char *dst,
		  uint64_t socket, int from, int state)
{
	lookups_event(l, &(struct trace_event){
		.kind = kind, .time_ns = ++now, .tid = tid, .protocol = protocol, .src = to(src),
		.dst = to(dst), .socket = socket, .old_state = from, .new_state = state });
}

static void lookup(int32_t tid, int protocol, const char *src, const char *dst)
{
	event(TRACE_LOOKUP, tid, protocol, src, dst, 0, 0, 0);
}

static void syn_sent(int32_t tid, const char *src, const char *dst, uint64_t socket)
{
	event(TRACE_STATE, tid, IPPROTO_TCP, src, dst, socket, TCP_CLOSE, TCP_SYN_SENT);
}

static void closed(int32_t tid, const char *src, const char *dst, uint64_t socket)
{
	event(TRACE_STATE, tid, IPPROTO_TCP, src, dst, socket, TCP_SYN_SENT, TCP_CLOSE);
}

static int packet_by(uint32_t link, int protocol, const char *src, const char *dst)
{
	struct connection c;

	connection_init(&c);
	c.protocol = protocol;
	c.src = to(src);
	c.dst = to(dst);
	return lookups_take(l, &c, link, now, who, &more);
}

static int packet(int protocol, const char *src, const char *dst)
{
	return packet_by(0, protocol, src, dst);
}

static void test_tcp(void)
{
	syn_sent(10, "127.0.0.1:0", "127.0.0.1:80", 1);
	lookup(10, IPPROTO_TCP, "127.0.0.1:4000", "127.0.0.1:80");
	tap_ok(packet(IPPROTO_TCP, "127.0.0.1:4001", "127.0.0.1:80") == 0,
	       "no thread for another port");
	tap_ok(packet(IPPROTO_TCP, "127.0.0.2:4000", "127.0.0.1:80") == 0, "nor another address");
	tap_ok(packet(IPPROTO_UDP, "127.0.0.1:4000", "127.0.0.1:80") == 0, "nor another protocol");
	tap_ok(packet(IPPROTO_TCP, "127.0.0.1:4000", "127.0.0.1:80") == 1 && who[0].tid == 10 &&
		       who[0].call,
	       "TCP: the thread that changed the state and looked the port up");
	tap_ok(packet(IPPROTO_TCP, "127.0.0.1:4000", "127.0.0.1:80") == 0, "once");

	lookup(10, IPPROTO_TCP, "127.0.0.1:5000", "127.0.0.1:80");
	syn_sent(10, "127.0.0.1:5000", "127.0.0.1:80", 2);
	tap_ok(packet(IPPROTO_TCP, "127.0.0.1:5000", "127.0.0.1:80") == 1 && who[0].call,
	       "TCP from a bound port: the other way round");

	lookup(66, IPPROTO_TCP, "127.0.0.1:4002", "127.0.0.1:80");
	syn_sent(10, "127.0.0.1:0", "127.0.0.1:80", 3);
	lookup(10, IPPROTO_TCP, "127.0.0.1:4002", "127.0.0.1:80");
	lookup(66, IPPROTO_TCP, "127.0.0.1:4002", "127.0.0.1:80");
	tap_ok(packet(IPPROTO_TCP, "127.0.0.1:4002", "127.0.0.1:80") == 1 && who[0].tid == 10,
	       "a thread that only asks for the route does not connect");

	lookup(66, IPPROTO_TCP, "127.0.0.1:4003", "127.0.0.1:80");
	tap_ok(packet(IPPROTO_TCP, "127.0.0.1:4003", "127.0.0.1:80") == 1 && !who[0].call,
	       "alone it is named, without the call");

	/* A connection of its own, and then a route request for another's port. */
	syn_sent(66, "127.0.0.1:0", "127.0.0.1:80", 4);
	lookup(66, IPPROTO_TCP, "127.0.0.1:4100", "127.0.0.1:80");
	lookup(66, IPPROTO_TCP, "127.0.0.1:4004", "127.0.0.1:80");
	tap_ok(packet(IPPROTO_TCP, "127.0.0.1:4004", "127.0.0.1:80") == 1 && !who[0].call,
	       "one change of state is good for one lookup");
	/* A connect() that finds no free port. */
	syn_sent(66, "127.0.0.1:0", "127.0.0.1:80", 5);
	closed(66, "127.0.0.1:0", "127.0.0.1:80", 5);
	lookup(66, IPPROTO_TCP, "127.0.0.1:4005", "127.0.0.1:80");
	tap_ok(packet(IPPROTO_TCP, "127.0.0.1:4005", "127.0.0.1:80") == 1 && !who[0].call,
	       "and for none, where the socket was closed again");
	syn_sent(66, "127.0.0.1:0", "127.0.0.1:81", 6);
	lookup(66, IPPROTO_TCP, "127.0.0.1:4006", "127.0.0.1:80");
	tap_ok(packet(IPPROTO_TCP, "127.0.0.1:4006", "127.0.0.1:80") == 1 && !who[0].call,
	       "nor to another destination");
}

static void lookup_by(uint32_t link, int32_t tid, const char *src, const char *dst)
{
	lookups_event(l, &(struct trace_event){
		.kind = TRACE_LOOKUP, .time_ns = ++now, .tid = tid, .protocol = IPPROTO_UDP,
		.src = to(src), .dst = to(dst), .link = link });
}

static void test_links(void)
{
	const char *src = "[fe80::2]:6100", *dst = "[fe80::1]:53";

	lookup_by(1, 10, src, dst);
	lookup_by(2, 11, src, dst);
	tap_ok(packet_by(2, IPPROTO_UDP, src, dst) == 1 && who[0].tid == 11,
	       "of two links the packet's");
	tap_ok(packet_by(2, IPPROTO_UDP, src, dst) == 0, "the other one's is not this one's");
	tap_ok(packet_by(1, IPPROTO_UDP, src, dst) == 1 && who[0].tid == 10,
	       "but its own packet's");
	lookup_by(1, 10, src, dst);
	lookup_by(2, 10, src, dst);
	tap_ok(packet_by(1, IPPROTO_UDP, src, dst) == 1 &&
	       packet_by(2, IPPROTO_UDP, src, dst) == 1,
	       "one thread's calls for two links are two");
	lookup_by(0, 12, src, dst);
	tap_ok(packet_by(2, IPPROTO_UDP, src, dst) == 1 && who[0].tid == 12,
	       "a lookup for any link is every packet's");
	lookup_by(2, 13, src, dst);
	tap_ok(packet(IPPROTO_UDP, src, dst) == 1 && who[0].tid == 13,
	       "where the link tells nothing it is not asked for");
}

static void test_udp(void)
{
	lookup(10, IPPROTO_UDP, "0.0.0.0:6000", "127.0.0.1:53");
	tap_ok(packet(IPPROTO_UDP, "127.0.0.1:6000", "127.0.0.1:53") == 1 && who[0].tid == 10 &&
		       !who[0].call, "UDP: the source address comes later");
	lookup(10, IPPROTO_UDP, "0.0.0.0:6001", "127.0.0.1:53");
	lookup(10, IPPROTO_UDP, "127.0.0.1:6001", "127.0.0.1:53");
	lookup(66, IPPROTO_UDP, "127.0.0.1:6001", "127.0.0.1:53");
	tap_ok(packet(IPPROTO_UDP, "127.0.0.1:6001", "127.0.0.1:53") == 2,
	       "two threads that looked the same tuple up are two");
	tap_ok(packet(IPPROTO_UDP, "127.0.0.1:6001", "127.0.0.1:53") == 1 && who[0].tid == 66 &&
	       packet(IPPROTO_UDP, "127.0.0.1:6001", "127.0.0.1:53") == 0,
	       "the packet is the first one's, the next packet the other's; one call is one");
	lookup(10, IPPROTO_UDP, "[::]:6002", "[::1]:53");
	tap_ok(packet(IPPROTO_UDP, "[::1]:6002", "[::1]:53") == 1, "over IPv6");
	lookup(10, IPPROTO_UDP, "0.0.0.0:6003", "127.0.0.1:53");
	now += 70000 * MS;
	tap_ok(packet(IPPROTO_UDP, "127.0.0.1:6003", "127.0.0.1:53") == 0, "not an old one");
	for (int32_t i = 100; i < 100 + LOOKUP_OWNERS_MAX + 3; i++)
		lookup(i, IPPROTO_UDP, "0.0.0.0:6004", "127.0.0.1:53");
	tap_ok(packet(IPPROTO_UDP, "127.0.0.1:6004", "127.0.0.1:53") == LOOKUP_OWNERS_MAX && more,
	       "no more than fit, and that there were more");
	tap_ok(who[0].tid == 100 && who[LOOKUP_OWNERS_MAX - 1].tid == 100 + LOOKUP_OWNERS_MAX + 2,
	       "neither the oldest, which comes first, nor the newest is pushed out");
}

/* Threads that ask for another's route so often that its own lookup is lost among theirs. */
static void test_floods(void)
{
	lookup(10, IPPROTO_UDP, "127.0.0.1:9000", "127.0.0.1:53");
	lookup(66, IPPROTO_UDP, "127.0.0.1:9000", "127.0.0.1:53");
	tap_ok(packet(IPPROTO_UDP, "127.0.0.1:9000", "127.0.0.1:53") == 2 && !more,
	       "all there are are shown");
	lookup(10, IPPROTO_UDP, "127.0.0.1:9001", "127.0.0.1:53");
	for (int i = 0; i < 400; i++)
		lookup(66, IPPROTO_UDP, i & 1 ? "127.0.0.1:9001" : "127.0.0.1:9011",
		       "127.0.0.1:53");
	tap_ok(packet(IPPROTO_UDP, "127.0.0.1:9001", "127.0.0.1:53") == 1 && more,
	       "a flood by one thread does not make it the only one");
	lookup(10, IPPROTO_UDP, "127.0.0.1:9002", "127.0.0.1:53");
	for (int i = 0; i < 9000; i++)
		lookup(66, IPPROTO_UDP, i & 1 ? "127.0.0.1:9003" : "127.0.0.1:9013",
		       "127.0.0.1:53");
	lookup(66, IPPROTO_UDP, "127.0.0.1:9002", "127.0.0.1:53");
	tap_ok(packet(IPPROTO_UDP, "127.0.0.1:9002", "127.0.0.1:53") == 1 && more,
	       "nor where it drove the other's out of the ring");
	now += 3000 * MS;
	lookup(66, IPPROTO_UDP, "127.0.0.1:9002", "127.0.0.1:53");
	tap_ok(packet(IPPROTO_UDP, "127.0.0.1:9002", "127.0.0.1:53") == 1 && !more,
	       "a while later that is over");
	syn_sent(10, "127.0.0.1:0", "127.0.0.1:80", 20);
	lookup(10, IPPROTO_TCP, "127.0.0.1:9004", "127.0.0.1:80");
	for (int32_t i = 100; i < 100 + LOOKUP_OWNERS_MAX + 3; i++)
		lookup(i, IPPROTO_TCP, "127.0.0.1:9004", "127.0.0.1:80");
	tap_ok(packet(IPPROTO_TCP, "127.0.0.1:9004", "127.0.0.1:80") == 1 && who[0].tid == 10 &&
	       who[0].call && !more, "TCP: those who only ask take no room from who connects");
	syn_sent(10, "127.0.0.1:0", "127.0.0.1:80", 20);
	lookup(10, IPPROTO_TCP, "127.0.0.1:9007", "127.0.0.1:80");
	for (int i = 0; i < 9000; i++)
		lookup(66, IPPROTO_TCP, "127.0.0.1:9007", "127.0.0.1:80");
	tap_ok(packet(IPPROTO_TCP, "127.0.0.1:9007", "127.0.0.1:80") == 1 && who[0].tid == 10 &&
	       who[0].call && !more, "however many there are");
	syn_sent(10, "[::1]:0", "[::1]:98", 21);
	for (int i = 0; i < 200; i++)
		syn_sent(66, "[::1]:0", "[::1]:98", 22);
	tap_ok(packet(IPPROTO_TCP, "[::1]:9006", "[::1]:98") == 1 && who[0].tid == 66 && more,
	       "TCP over IPv6: a flood by one thread does not make it the only one");
	for (int32_t i = 100; i < 100 + LOOKUP_OWNERS_MAX + 1; i++)
		syn_sent(i, "[::1]:0", "[::1]:99", 20 + (uint64_t)i);
	tap_ok(packet(IPPROTO_TCP, "[::1]:9005", "[::1]:99") == LOOKUP_OWNERS_MAX && more &&
	       !who[0].exact, "TCP over IPv6: more than have room");
	syn_sent(10, "[::1]:0", "[::1]:97", 23);
	for (int i = 0; i < 9000; i++)
		syn_sent(66, "[::1]:0", "[::1]:96", 24);
	syn_sent(66, "[::1]:0", "[::1]:97", 25);
	tap_ok(packet(IPPROTO_TCP, "[::1]:9008", "[::1]:97") == 1 && more,
	       "TCP over IPv6: nor where it drove the other's out of the ring");
	lookup(10, 253, "127.0.0.1:0", "127.0.0.7:0");
	for (int i = 0; i < 200; i++)
		lookup(66, 253, "127.0.0.1:0", "127.0.0.7:0");
	tap_ok(packet(253, "127.0.0.1:0", "127.0.0.7:0") == 1 && more,
	       "without ports: a flood by one thread does not make it the only one");
	lookup(10, 253, "127.0.0.1:0", "127.0.0.6:0");
	for (int i = 0; i < 9000; i++)
		lookup(66, IPPROTO_UDP, i & 1 ? "127.0.0.1:9003" : "127.0.0.1:9013",
		       "127.0.0.1:53");
	lookup(66, 253, "127.0.0.1:0", "127.0.0.6:0");
	tap_ok(packet(253, "127.0.0.1:0", "127.0.0.6:0") == 1 && more,
	       "without ports: nor where it drove the other's out of the ring");
}

static void sent(int32_t tid, int family, int protocol, int64_t result)
{
	lookups_event(l, &(struct trace_event){ .kind = TRACE_SEND, .time_ns = ++now, .tid = tid,
						.family = family, .protocol = protocol,
						.result = result });
}

/* What has no ports, or whose ports the trace does not tell. */
static void test_addressed(void)
{
	now += 3000 * MS;
	lookup(10, IPPROTO_ICMP, "0.0.0.0:0", "127.0.0.9:0");
	tap_ok(packet(IPPROTO_ICMP, "127.0.0.1:0", "127.0.0.8:0") == 0, "nobody for another place");
	tap_ok(packet(253, "127.0.0.1:0", "127.0.0.9:0") == 0, "nor for another protocol");
	tap_ok(packet(IPPROTO_ICMP, "127.0.0.1:0", "127.0.0.9:0") == 1 && who[0].tid == 10 &&
	       !who[0].exact && !who[0].call, "without ports: who looked the place up, no more");
	tap_ok(packet(IPPROTO_ICMP, "127.0.0.1:0", "127.0.0.9:0") == 0, "once");
	lookup(10, 253, "127.0.0.1:0", "127.0.0.9:0");
	lookup(66, 253, "127.0.0.1:0", "127.0.0.9:0");
	tap_ok(packet(253, "127.0.0.1:0", "127.0.0.9:0") == 2 && who[0].tid == 10,
	       "of several the first to do so, and the others");
	lookups_give_back(l, who[0].tid, who[0].lookup);
	lookups_use_up(l, who[1].tid, who[1].lookup);
	tap_ok(packet(253, "127.0.0.1:0", "127.0.0.9:0") == 1 && who[0].tid == 10,
	       "and the other one, where that was the packet's");
	lookup(10, IPPROTO_ICMPV6, "[::1]:0", "[::1]:0");
	now += 100 * MS;
	lookup(66, IPPROTO_ICMPV6, "[::1]:0", "[::1]:0");
	tap_ok(packet(IPPROTO_ICMPV6, "[::1]:0", "[::1]:0") == 1 && who[0].tid == 66,
	       "an old one hides behind a fresh one");
	tap_ok(packet(IPPROTO_ICMPV6, "[::1]:0", "[::1]:0") == 1 && who[0].tid == 10,
	       "and counts where there is none");
	lookup(10, IPPROTO_RAW, "0.0.0.0:0", "127.0.0.9:0");
	tap_ok(packet(IPPROTO_TCP, "127.0.0.1:4000", "127.0.0.9:80") == 1 && who[0].tid == 10 &&
	       !who[0].exact && !who[0].call, "who writes the header may send any protocol's");
	lookup(10, IPPROTO_RAW, "0.0.0.0:0", "127.0.0.9:0");
	now += 100 * MS;
	tap_ok(packet(IPPROTO_TCP, "127.0.0.1:4000", "127.0.0.9:80") == 0, "at once");
	for (int i = 0; i < 2; i++) {
		int protocol = i ? IPPROTO_UDP : IPPROTO_TCP;

		lookup(10, protocol, "0.0.0.0:0", "127.0.0.9:0");
		tap_ok(packet(23 - protocol, "127.0.0.1:4000", "127.0.0.9:80") == 0 &&
			       packet(protocol, "127.0.0.1:4000", "127.0.0.9:80") == 1 &&
			       who[0].tid == 10 && !who[0].exact && !who[0].call,
		       "a raw socket's %s", i ? "UDP" : "TCP");
		lookup(10, protocol, "0.0.0.0:0", "127.0.0.9:0");
		sent(10, AF_INET, protocol, 8);
		tap_ok(packet(protocol, "127.0.0.1:4000", "127.0.0.9:80") == 1 && !who[0].call,
		       "also when it was sent it is not proven");
		lookup(10, protocol, "0.0.0.0:0", "127.0.0.9:0");
		now += 100 * MS;
		tap_ok(packet(protocol, "127.0.0.1:4000", "127.0.0.9:80") == 0, "likewise");
	}
	lookup(10, IPPROTO_TCP, "127.0.0.1:0", "127.0.0.9:80");
	tap_ok(packet(IPPROTO_TCP, "127.0.0.1:4000", "127.0.0.9:80") == 0,
	       "and not one of connect(), before it has a port");
	for (int i = 0; i < 63; i++)
		lookup(10, 254, "127.0.0.1:0", "127.0.0.9:0");
	tap_ok(packet(254, "127.0.0.1:0", "127.0.0.9:0") == 1 && !more, "63 are looked through");
	lookup(10, 254, "127.0.0.1:0", "127.0.0.9:0");
	lookup(10, 254, "127.0.0.1:0", "127.0.0.9:0");
	tap_ok(packet(254, "127.0.0.1:0", "127.0.0.9:0") == 1 && more,
	       "behind more of them there may be others");
	lookup(10, IPPROTO_UDPLITE, "0.0.0.0:0", "127.0.0.9:0");
	tap_ok(packet(IPPROTO_UDPLITE, "127.0.0.1:4000", "127.0.0.9:80") == 1 && !who[0].exact,
	       "UDP-Lite: its ports are not told");
}

static void test_sends(void)
{
	lookup(10, IPPROTO_UDP, "0.0.0.0:8000", "127.0.0.1:53");
	sent(10, AF_INET, IPPROTO_UDP, 5);
	tap_ok(packet(IPPROTO_UDP, "127.0.0.1:8000", "127.0.0.1:53") == 1 && who[0].call,
	       "a send right behind the lookup is its call");
	lookup(66, IPPROTO_UDP, "127.0.0.1:8001", "127.0.0.1:53");
	sent(66, AF_NETLINK, 0, 60);
	sent(66, AF_INET, IPPROTO_UDP, 5);
	tap_ok(packet(IPPROTO_UDP, "127.0.0.1:8001", "127.0.0.1:53") == 0,
	       "a thread that asks for a route and sends then has not sent that packet");
	lookup(10, IPPROTO_UDP, "127.0.0.1:8100", "127.0.0.1:53");
	for (int i = 0; i < 200; i++) {
		lookup(66, IPPROTO_UDP, "127.0.0.1:8100", "127.0.0.1:53");
		lookup(66, IPPROTO_TCP, "127.0.0.1:8101", "127.0.0.1:80");
	}
	sent(66, AF_NETLINK, 0, 60);
	tap_ok(packet(IPPROTO_UDP, "127.0.0.1:8100", "127.0.0.1:53") == 1 && !more &&
	       who[0].tid == 10, "many questions in one message hide nobody's lookup");
	tap_ok(packet(IPPROTO_TCP, "127.0.0.1:8101", "127.0.0.1:80") == 0, "over TCP neither");
	lookup(10, IPPROTO_UDP, "127.0.0.1:8102", "127.0.0.1:53");
	now += 2 * MS;
	lookup(10, IPPROTO_UDP, "127.0.0.1:8103", "127.0.0.1:53");
	sent(10, AF_NETLINK, 0, 60);
	tap_ok(packet(IPPROTO_UDP, "127.0.0.1:8102", "127.0.0.1:53") == 1 &&
	       packet(IPPROTO_UDP, "127.0.0.1:8103", "127.0.0.1:53") == 0,
	       "what the thread looked up long before was no question");
	lookup(10, IPPROTO_UDP, "127.0.0.1:8105", "127.0.0.1:53");
	sent(10, AF_INET, IPPROTO_UDP, 5);
	now += 30 * MS;
	tap_ok(packet(IPPROTO_UDP, "127.0.0.1:8105", "127.0.0.1:53") == 1 && !who[0].call,
	       "a send long before the packet was another's");
	lookup(10, IPPROTO_UDP, "127.0.0.1:8106", "127.0.0.1:53");
	packet(IPPROTO_UDP, "127.0.0.1:8106", "127.0.0.1:53");
	lookups_await_call(l, who[0].tid, who[0].lookup, 78);
	now += 30 * MS;
	sent(10, AF_INET, IPPROTO_UDP, 5);
	tap_ok(lookups_called(l) == 0, "or long after it");
	lookup(10, IPPROTO_UDP, "127.0.0.1:8104", "127.0.0.1:53");
	lookups_event(l, &(struct trace_event){ .kind = TRACE_TASK, .tid = 10, .other = 11,
						.time_ns = ++now });
	sent(10, AF_INET, IPPROTO_UDP, 5);
	tap_ok(packet(IPPROTO_UDP, "127.0.0.1:8104", "127.0.0.1:53") == 1 && !who[0].call,
	       "a child that has the socket may have sent it, and the send is for another");
	lookup(10, IPPROTO_UDP, "0.0.0.0:8002", "127.0.0.1:53");
	sent(10, AF_INET, IPPROTO_UDP, -1);
	tap_ok(packet(IPPROTO_UDP, "127.0.0.1:8002", "127.0.0.1:53") == 1 && !who[0].call,
	       "nor has one whose send failed");
	lookup(10, IPPROTO_UDP, "0.0.0.0:8003", "127.0.0.1:53");
	tap_ok(packet(IPPROTO_UDP, "127.0.0.1:8003", "127.0.0.1:53") == 1 && !who[0].call,
	       "the packet may come before its send is over");
	lookups_await_call(l, who[0].tid, who[0].lookup, 77);
	tap_ok(lookups_called(l) == 0, "then nothing is proven yet");
	sent(11, AF_INET, IPPROTO_UDP, 5);
	tap_ok(lookups_called(l) == 0, "nor by another thread's");
	sent(10, AF_INET, IPPROTO_UDP, 5);
	tap_ok(lookups_called(l) == 77 && lookups_called(l) == 0, "its row is told when it is");
	lookup(10, IPPROTO_UDP, "0.0.0.0:8004", "127.0.0.1:53");
	packet(IPPROTO_UDP, "127.0.0.1:8004", "127.0.0.1:53");
	lookups_await_call(l, who[0].tid, who[0].lookup, 78);
	sent(10, AF_NETLINK, 0, 60);
	sent(10, AF_INET, IPPROTO_UDP, 5);
	tap_ok(lookups_called(l) == 0, "not behind a question for a route");
	/* The end of the route request itself is lost. */
	lookup(66, IPPROTO_UDP, "127.0.0.1:8005", "127.0.0.1:53");
	lookups_lost(l);
	sent(66, AF_INET, IPPROTO_UDP, 5);
	tap_ok(packet(IPPROTO_UDP, "127.0.0.1:8005", "127.0.0.1:53") == 1 && !who[0].call,
	       "nor where events are missing between");
	lookup(66, IPPROTO_UDP, "127.0.0.1:8006", "127.0.0.1:53");
	packet(IPPROTO_UDP, "127.0.0.1:8006", "127.0.0.1:53");
	lookups_await_call(l, who[0].tid, who[0].lookup, 79);
	sent(66, AF_INET, IPPROTO_UDP, 5);
	lookups_lost(l);
	tap_ok(lookups_called(l) == 0, "nor any that is not told yet");
	lookup(10, IPPROTO_UDP, "127.0.0.1:8007", "127.0.0.1:53");
	sent(10, AF_INET, IPPROTO_UDP, 5);
	syn_sent(11, "127.0.0.1:0", "127.0.0.1:80", 70);
	lookup(11, IPPROTO_TCP, "127.0.0.1:8008", "127.0.0.1:80");
	lookups_lost(l);
	tap_ok(packet(IPPROTO_UDP, "127.0.0.1:8007", "127.0.0.1:53") == 1 && !who[0].call &&
	       packet(IPPROTO_TCP, "127.0.0.1:8008", "127.0.0.1:80") == 1 && !who[0].call,
	       "nor any that was seen before: another lookup may have been lost since");
}

/* connect() left its SYN to a send, and long afterwards another one connects by the same tuple, in
 * a network namespace of its own, and is gone before the send. */
static void decoy(uint64_t socket)
{
	syn_sent(66, "127.0.0.1:7100", "127.0.0.1:80", socket);
	closed(66, "127.0.0.1:7100", "127.0.0.1:80", socket);
}

static void test_late(void)
{
	int count;

	syn_sent(10, "127.0.0.1:7100", "127.0.0.1:80", 900);
	now += 3000 * MS;
	decoy(901);
	tap_ok(packet(IPPROTO_TCP, "127.0.0.1:7100", "127.0.0.1:80") == 2 && !more &&
	       (who[0].left || who[1].left),
	       "a SYN that is late: also whose call left it to a send");

	syn_sent(10, "127.0.0.1:7100", "127.0.0.1:80", 902);
	now += 3000 * MS;
	decoy(903);
	closed(10, "127.0.0.1:7100", "127.0.0.1:80", 902);
	tap_ok(packet(IPPROTO_TCP, "127.0.0.1:7100", "127.0.0.1:80") == 2,
	       "and whose socket is closed again at once");

	syn_sent(10, "127.0.0.1:7100", "127.0.0.1:80", 904);
	closed(10, "127.0.0.1:7100", "127.0.0.1:80", 904);
	now += 3000 * MS;
	decoy(905);
	count = packet(IPPROTO_TCP, "127.0.0.1:7100", "127.0.0.1:80");
	tap_ok(count == 1 && who[0].tid == 66 && !who[0].left && !more,
	       "a socket that was closed long before has sent nothing");

	syn_sent(10, "127.0.0.1:7100", "127.0.0.1:80", 906);
	lookups_event(l, &(struct trace_event){
		.kind = TRACE_STATE, .time_ns = ++now, .interrupt = true, .protocol = IPPROTO_TCP,
		.socket = 906, .old_state = TCP_SYN_SENT, .new_state = TCP_ESTABLISHED });
	now += 3000 * MS;
	decoy(907);
	count = packet(IPPROTO_TCP, "127.0.0.1:7100", "127.0.0.1:80");
	tap_ok(count == 1 && who[0].tid == 66, "nor has one that was answered");

	for (int i = 0; i < 200; i++) {
		syn_sent(10, "127.0.0.1:7100", "127.0.0.1:80", 950);
		packet(IPPROTO_TCP, "127.0.0.1:7100", "127.0.0.1:80");
		now += 3000 * MS;
	}
	decoy(951);
	tap_ok(packet(IPPROTO_TCP, "127.0.0.1:7100", "127.0.0.1:80") == 1 && !more,
	       "a port that is used again and again hides nobody");

	syn_sent(10, "127.0.0.1:7100", "127.0.0.1:80", 908);
	for (uint64_t i = 0; i < 9000; i++)
		syn_sent(66, "127.0.0.1:7200", "127.0.0.1:81", 1000 + i);
	now += 3000 * MS;
	decoy(909);
	tap_ok(packet(IPPROTO_TCP, "127.0.0.1:7100", "127.0.0.1:80") == 1 && more,
	       "and where it was driven out of the ring, that there may be more");

	syn_sent(10, "[::1]:0", "[::1]:94", 20000);
	now += 3000 * MS;
	syn_sent(66, "[::1]:0", "[::1]:94", 20001);
	closed(66, "[::1]:0", "[::1]:94", 20001);
	tap_ok(packet(IPPROTO_TCP, "[::1]:7100", "[::1]:94") == 2 && who[0].tid == 66,
	       "over IPv6 as well, behind whoever has just called");
}

static void sent_on(uint64_t socket, int32_t tid, int protocol, int64_t result)
{
	lookups_event(l, &(struct trace_event){ .kind = TRACE_SEND, .time_ns = ++now, .tid = tid,
						.family = AF_INET, .protocol = protocol,
						.socket = socket, .result = result });
}

static bool syn_is_left(int at)
{
	char src[32];

	snprintf(src, sizeof(src), "127.0.0.1:%d", at);
	return packet(IPPROTO_TCP, src, "127.0.0.1:80") == 1 && who[0].call && who[0].left;
}

/* A connect() that leaves its SYN to another process's send. */
static void test_left(void)
{
	int32_t tid = 0;
	int64_t time = 0;

	now += 3000 * MS;
	syn_sent(10, "127.0.0.1:0", "127.0.0.1:80", 20);
	lookup(10, IPPROTO_TCP, "127.0.0.1:8200", "127.0.0.1:80");
	sent_on(20, 66, IPPROTO_TCP, -EINPROGRESS);
	tap_ok(syn_is_left(8200), "who sends on another's socket may have sent its SYN");
	lookup(10, IPPROTO_TCP, "127.0.0.1:8201", "127.0.0.1:80");
	syn_sent(10, "127.0.0.1:8201", "127.0.0.1:80", 21);
	sent_on(21, 66, IPPROTO_TCP, 0);
	tap_ok(syn_is_left(8201), "likewise from a bound port");
	syn_sent(10, "127.0.0.1:0", "127.0.0.1:80", 22);
	lookup(10, IPPROTO_TCP, "127.0.0.1:8202", "127.0.0.1:80");
	sent_on(21, 66, IPPROTO_TCP, -EINPROGRESS);
	sent_on(22, 10, IPPROTO_TCP, -EINPROGRESS);
	tap_ok(!syn_is_left(8202), "not who sends on a socket of before, nor the thread itself");
	lookups_await_sender(l, who[0].tid, who[0].lookup, 90);
	sent_on(22, 10, IPPROTO_TCP, 0);
	tap_ok(lookups_left(l, &tid, &time) == 0, "which neither has behind the packet");
	sent_on(22, 66, IPPROTO_TCP, -EFAULT);
	tap_ok(lookups_left(l, &tid, &time) == 90 && tid == 66 && time == now,
	       "another one's send that ends behind the packet is told, with its row");
	sent_on(22, 66, IPPROTO_TCP, -EFAULT);
	tap_ok(lookups_left(l, &tid, &time) == 0, "once");
	for (int i = 0; i < 9000; i++)
		syn_sent(11, "127.0.0.1:9", "127.0.0.1:81", 100 + (uint64_t)i);
	sent_on(22, 66, IPPROTO_TCP, -EFAULT);
	sent_on(9099, 66, IPPROTO_TCP, -EFAULT);
	tap_ok(lookups_left(l, &tid, &time) == 0, "lookups that made room are forgotten");
}

static bool datagram_is_called(int at)
{
	char src[32];

	snprintf(src, sizeof(src), "127.0.0.1:%d", at);
	return packet(IPPROTO_UDP, src, "127.0.0.1:53") == 1 && who[0].call;
}

/* A send that waits for more (MSG_MORE) is thrown away by one that fails. */
static void test_thrown_away(void)
{
	for (int32_t at = 0; at < 4; at++) {
		char src[32];

		snprintf(src, sizeof(src), "127.0.0.1:%d", 8300 + at);
		lookup(10, IPPROTO_UDP, src, "127.0.0.1:53");
		sent_on(40 + (uint64_t)at, 10, IPPROTO_UDP, 5);
	}
	sent_on(40, 66, IPPROTO_UDP, -EFAULT);
	sent_on(41, 10, IPPROTO_UDP, -EFAULT);
	sent_on(42, 10, IPPROTO_UDP, 5);
	tap_ok(!datagram_is_called(8300), "a send that another one's threw away is no call");
	tap_ok(!datagram_is_called(8301), "nor one that the thread's own threw away");
	tap_ok(datagram_is_called(8302), "another datagram behind it leaves it one");
	tap_ok(datagram_is_called(8303), "so does one of another socket");
}

static void test_tcp6(void)
{
	syn_sent(10, "[::1]:0", "[::1]:80", 7);
	tap_ok(packet(IPPROTO_TCP, "[::1]:7000", "[::1]:80") == 1 && who[0].tid == 10 &&
		       who[0].call,
	       "TCP over IPv6: the thread that is connecting there");
	tap_ok(packet(IPPROTO_TCP, "[::1]:7000", "[::1]:80") == 0, "once");
	lookup(66, IPPROTO_TCP, "[::1]:7001", "[::1]:80");
	tap_ok(packet(IPPROTO_TCP, "[::1]:7001", "[::1]:80") == 0,
	       "a lookup alone says nothing there: a connect() makes none");
	syn_sent(10, "[::1]:0", "[::1]:80", 8);
	syn_sent(11, "[::1]:0", "[::1]:80", 9);
	tap_ok(packet(IPPROTO_TCP, "[::1]:7002", "[::1]:80") == 2 && who[0].tid == 10,
	       "of two that are connecting there, both, the first first");
	tap_ok(packet(IPPROTO_TCP, "[::1]:7003", "[::1]:80") == 2 && who[0].tid == 11,
	       "then the other first, and both: whose the first one was is not known");
	tap_ok(packet(IPPROTO_TCP, "[::1]:7003", "[::1]:80") == 0,
	       "when both have come, no thread");
	syn_sent(10, "[::1]:0", "[::1]:80", 10);
	now += 3000 * MS;
	tap_ok(packet(IPPROTO_TCP, "[::1]:7004", "[::1]:80") == 0, "not one of long ago");
	syn_sent(10, "[::1]:7005", "[::1]:80", 11);
	tap_ok(packet(IPPROTO_TCP, "[::1]:7005", "[::1]:80") == 1 &&
	       who[0].call && who[0].bound, "bound: by its port");
	syn_sent(10, "[::1]:0", "[::1]:80", 12);
	syn_sent(66, "[::1]:7006", "[::1]:80", 13);
	tap_ok(packet(IPPROTO_TCP, "[::1]:7006", "[::1]:80") == 2 && who[0].tid == 66 &&
	       who[0].bound && who[1].tid == 10 && !who[1].exact && !who[1].bound,
	       "which hides nobody whose port is not known: it may be bound elsewhere");
	tap_ok(packet(IPPROTO_TCP, "[::1]:7007", "[::1]:80") == 1 && who[0].tid == 10,
	       "nor does it use that one up");
}

/* A forwarded packet whose destination was translated: by where it comes from. */
static void test_translated(void)
{
	struct connection c;

	connection_init(&c);
	c.protocol = IPPROTO_TCP;
	c.direction = DIRECTION_FORWARD;
	c.src = to("10.9.0.1:4000");
	c.dst = to("10.9.0.3:8080");
	lookup(12, IPPROTO_TCP, "10.9.0.1:4000", "10.9.0.2:80");
	lookup(13, IPPROTO_TCP, "10.9.0.1:4001", "10.9.0.2:80");
	tap_ok(lookups_take(l, &c, 0, now, who, &more) == 1 && who[0].tid == 12,
	       "a translated packet's, behind a later one of another port");
	tap_ok(lookups_take(l, &c, 0, now, who, &more) == 0, "once");
	syn_sent(14, "10.9.0.1:0", "10.9.0.2:80", 90);
	lookup(14, IPPROTO_TCP, "10.9.0.1:4000", "10.9.0.2:80");
	tap_ok(lookups_take(l, &c, 0, now, who, &more) == 1 && who[0].tid == 14,
	       "also of a call that was seen");
}

int main(void)
{
	struct trace_event interrupt = { .kind = TRACE_LOOKUP, .tid = 10, .interrupt = true,
					 .protocol = IPPROTO_UDP };

	l = lookups_new();
	test_tcp();
	test_udp();
	test_links();
	test_addressed();
	test_late();
	test_sends();
	test_left();
	test_thrown_away();
	test_tcp6();
	test_floods();
	test_translated();
	interrupt.src = to("127.0.0.1:53");
	interrupt.dst = to("127.0.0.1:6100");
	interrupt.time_ns = now;
	lookups_event(l, &interrupt);
	tap_ok(packet(IPPROTO_UDP, "127.0.0.1:53", "127.0.0.1:6100") == 0,
	       "what an interrupt does is not the thread's");
	lookup(10, IPPROTO_UDP, "0.0.0.0:6200", "127.0.0.1:53");
	lookup(10, IPPROTO_UDP, "0.0.0.0:6202", "127.0.0.1:53");
	for (int i = 0; i < 8190; i++)
		lookup(11, IPPROTO_UDP, i & 1 ? "0.0.0.0:6203" : "0.0.0.0:6201", "127.0.0.1:53");
	tap_ok(packet(IPPROTO_UDP, "127.0.0.1:6200", "127.0.0.1:53") == 1,
	       "8192 lookups have room");
	lookup(11, IPPROTO_UDP, "0.0.0.0:6201", "127.0.0.1:53");
	lookup(11, IPPROTO_UDP, "0.0.0.0:6203", "127.0.0.1:53");
	tap_ok(packet(IPPROTO_UDP, "127.0.0.1:6202", "127.0.0.1:53") == 0 &&
		       packet(IPPROTO_UDP, "127.0.0.1:6201", "127.0.0.1:53") == 1,
	       "when it is full the oldest have gone");
	lookups_free(l);
	return tap_done();
}
