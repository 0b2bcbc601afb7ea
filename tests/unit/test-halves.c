/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Packets and their records: which belongs to which, and that each is used once. */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "event.h"
#include "halves.h"
#include "tap.h"

static struct endpoint to(const char *text)
{
	struct endpoint e;

	if (endpoint_parse(text, &e))
		printf("Bail out! %s\n", text);
	return e;
}

static void add(struct halves *f, uint64_t id, const char *peer, int64_t inode, int64_t pid,
		int64_t uid, int64_t time_us)
{
	halves_add(f, &(struct half){ .id = id, .protocol = IPPROTO_TCP, .peer = to(peer),
				     .inode = inode, .pid = pid, .fd = -1, .uid = uid,
				     .time_us = time_us, .evidence = pid < 0 ? 0 : EVIDENCE_FD });
}

static uint64_t match_of(struct halves *f, int protocol, const char *peer, int64_t inode,
			 int64_t pid, int64_t fd, int64_t uid, int64_t time_us)
{
	struct endpoint dst = to(peer);
	struct event e;
	uint64_t id;

	event_init(&e);
	e.inode = inode;
	e.process.pid = pid;
	e.fd = fd;
	e.process.uid = e.process.euid = e.process.fsuid = uid;
	e.time_us = time_us;
	return halves_match(f, &e, protocol, &dst, &id) < 0 ? 0 : id;
}

static uint64_t match_fd(struct halves *f, const char *peer, int64_t inode, int64_t pid, int64_t fd,
			 int64_t uid, int64_t time_us)
{
	return match_of(f, IPPROTO_TCP, peer, inode, pid, fd, uid, time_us);
}

static uint64_t match(struct halves *f, const char *peer, int64_t inode, int64_t pid, int64_t uid,
		      int64_t time_us)
{
	return match_fd(f, peer, inode, pid, -1, uid, time_us);
}

static uint64_t find(struct halves *f, const char *peer, int protocol, int64_t pid, int64_t fd,
		     int64_t uid, int64_t time_us)
{
	struct endpoint dst = to(peer);
	struct half half;

	return halves_find(f, protocol, &dst, pid, fd, uid, time_us, &half) ? half.id : 0;
}

static uint64_t find_socket(struct halves *f, const char *peer, int64_t inode)
{
	struct endpoint dst = to(peer);
	struct half half;

	return halves_find_socket(f, IPPROTO_TCP, &dst, inode, &half) ? half.id : 0;
}

static void test_packets(void)
{
	struct halves *f = halves_new();

	add(f, 1, "192.0.2.1:80", 50, 100, 0, 1000000);
	add(f, 2, "192.0.2.1:80", 51, 100, 0, 1000100);
	add(f, 3, "192.0.2.1:80", -1, -1, 33, 1000200);
	add(f, 4, "192.0.2.2:80", 52, 101, 0, 1000300);
	tap_ok(match(f, "192.0.2.1:80", 51, 100, 0, 1000000) == 2, "the one of its socket");
	tap_ok(match(f, "192.0.2.1:80", -1, 100, 0, 1000000) == 1, "then the one of its process");
	tap_ok(match(f, "192.0.2.1:80", -1, 100, 0, 1000000) == 0, "each once");
	tap_ok(match(f, "192.0.2.1:80", -1, 200, 34, 1000000) == 0, "not another user's");
	halves_add(f, &(struct half){ .id = 5, .protocol = IPPROTO_TCP, .peer = to("192.0.2.9:80"),
				      .inode = 59, .pid = 100, .fd = -1, .uid = 0,
				      .time_us = 1000000, .proven = true });
	tap_ok(match(f, "192.0.2.9:80", 59, 101, 0, 1000000) == 0,
	       "not another process's whose own call was seen, even with its socket");
	tap_ok(match(f, "192.0.2.9:80", -1, 100, 0, 1000000) == 5, "but that process's");
	tap_ok(match(f, "192.0.2.1:80", -1, 200, 33, 1000000) == 3,
	       "a packet without a process is its user's");
	tap_ok(match(f, "192.0.2.2:81", 52, 101, 0, 1000000) == 0, "not to another port");
	tap_ok(match(f, "192.0.2.2:80", 53, 102, 0, 1000000) == 0, "not another's other socket");
	tap_ok(match(f, "192.0.2.2:80", -1, 101, 0, 1100000) == 0, "not one from before the call");
	tap_ok(match(f, "192.0.2.2:80", -1, 101, 0, 1000300 - 140000000) == 0,
	       "not one from long after the call began");
	tap_ok(match(f, "192.0.2.2:80", -1, 102, 0, 1000000) == 4,
	       "what a mere holder is named for may be another's");
	halves_add(f, &(struct half){ .id = 8, .protocol = IPPROTO_UDP, .peer = to("192.0.2.3:53"),
				      .inode = 58, .pid = 100, .fd = -1, .uid = 0,
				      .time_us = 1000000, .evidence = EVIDENCE_FD });
	tap_ok(match_of(f, IPPROTO_UDP, "192.0.2.3:53", -1, 101, 4, 0, 1000000) == 0,
	       "but no datagram, which whoever holds the socket may have sent");
	tap_ok(match_of(f, IPPROTO_UDP, "192.0.2.3:53", -1, 100, 4, 0, 1000000) == 8,
	       "that has its own process's record");

	add(f, 5, "192.0.2.2:80", 54, 101, 0, 1000300);
	tap_ok(match(f, "192.0.2.2:80", 55, 101, 0, 1000000) == 5,
	       "a process's own descriptor may be another socket by the time of the look");
	halves_add(f, &(struct half){ .id = 6, .protocol = IPPROTO_TCP, .peer = to("192.0.2.2:80"),
				     .inode = 56, .pid = 101, .fd = 7, .time_us = 1000300,
				     .evidence = EVIDENCE_TRACE });
	halves_add(f, &(struct half){ .id = 7, .protocol = IPPROTO_TCP, .peer = to("192.0.2.2:80"),
				     .inode = 57, .pid = 101, .fd = 8, .time_us = 1000300,
				     .evidence = EVIDENCE_TRACE });
	tap_ok(match(f, "192.0.2.2:80", -1, 102, 0, 1000000) == 0,
	       "a packet that the trace named a process for is no other's");
	tap_ok(match_fd(f, "192.0.2.2:80", -1, 101, 8, 0, 1000000) == 7,
	       "its own descriptor's first");
	halves_settle(f, 6);
	tap_ok(match_fd(f, "192.0.2.2:80", -1, 101, 7, 0, 1000000) == 0, "not one that is settled");
	tap_ok(halves_slot(f, 6) >= 0 && !halves_has(f, 6) && halves_slot(f, 99) < 0,
	       "which is found by its id alone");
	halves_free(f);
}

/* Packets that came in wait for accept() alone; ARCHITECTURE.md tells of their times. */
static void test_accepts(void)
{
	struct endpoint peer = to("192.0.2.1:40000"), local = { .port = -1 };
	struct halves *f = halves_new();
	struct half in = { .id = 1, .protocol = IPPROTO_TCP, .peer = peer, .in = true,
			   .local = to("10.0.0.1:80"), .inode = 50, .pid = 100, .fd = -1,
			   .time_us = 1000000 };
	struct event e;
	uint64_t id;
	bool alone;

	event_init(&e);
	e.kind = EVENT_ACCEPT;
	e.time_us = 1000000;
	halves_add(f, &in);
	tap_ok(match(f, "192.0.2.1:40000", 50, 100, 0, 1000000) == 0, "a connect() has no packet "
	       "that came in");
	local = to("10.0.0.1:81");
	tap_ok(halves_match_accept(f, &e, IPPROTO_TCP, &peer, &local, &id, &alone) < 0,
	       "an accept() at another port has not this one");
	local = to("10.0.0.2:80");
	tap_ok(halves_match_accept(f, &e, IPPROTO_TCP, &peer, &local, &id, &alone) < 0,
	       "nor at another address");
	local = (struct endpoint){ .port = -1 };
	e.listener_inode = 51;
	tap_ok(halves_match_accept(f, &e, IPPROTO_TCP, &peer, &local, &id, &alone) < 0,
	       "nor by another listener, at a port that is not known");
	local.port = 80;
	tap_ok(halves_match_accept(f, &e, IPPROTO_TCP, &peer, &local, &id, &alone) >= 0 &&
	       id == 1 && alone, "but where several share the port");
	for (in.id = 2; in.id < 4; in.id++)
		halves_add(f, &in);
	tap_ok(halves_match_accept(f, &e, IPPROTO_TCP, &peer, &local, &id, &alone) >= 0 &&
	       id == 3 && !alone, "of two connections with one tuple the newer, and not alone");
	tap_ok(halves_match_accept(f, &e, IPPROTO_TCP, &peer, &local, &id, &alone) >= 0 &&
	       id == 2 && alone, "then the other one");
	e.time_us = 900000;
	for (int64_t after = 12000; after <= 12001; after++) {
		in.time_us = 900000 + after;
		halves_add(f, &in);
		tap_ok((halves_match_accept(f, &e, IPPROTO_TCP, &peer, &local, &id, &alone) >= 0) ==
		       (after == 12000), "a packet %d us after the call", (int)after);
	}
	e.arrival_us = 901000;
	tap_ok(halves_match_accept(f, &e, IPPROTO_TCP, &peer, &local, &id, &alone) >= 0,
	       "what counts is when the call returned");
	halves_free(f);
}

static void test_records(void)
{
	struct halves *f = halves_new();

	add(f, 5, "192.0.2.1:80", -1, 300, 7, 2000000);
	add(f, 6, "192.0.2.1:80", -1, 301, 7, 2000001);
	tap_ok(find(f, "192.0.2.1:80", IPPROTO_TCP, -1, -1, 7, 2000100) == 5, "the oldest record");
	tap_ok(find(f, "192.0.2.1:80", IPPROTO_TCP, 301, -1, 7, 2000100) == 6, "that of a process");
	tap_ok(find(f, "192.0.2.1:80", IPPROTO_UDP, -1, -1, 7, 2000100) == 0,
	       "not of another protocol");
	tap_ok(find(f, "192.0.2.1:80", IPPROTO_TCP, -1, -1, 8, 2000100) == 0,
	       "not of another user");
	tap_ok(find(f, "192.0.2.1:80", IPPROTO_TCP, 301, -1, 7, 5000100) == 6,
	       "an older one, whose first SYN may have been lost");
	tap_ok(find(f, "192.0.2.1:80", IPPROTO_TCP, 301, -1, 7, 150000100) == 0, "not an old one");
	halves_settle(f, 5);
	tap_ok(find(f, "192.0.2.1:80", IPPROTO_TCP, -1, -1, 7, 2000100) == 6,
	       "not one that is settled");
	halves_add(f, &(struct half){ .id = 8, .protocol = IPPROTO_UDP, .peer = to("192.0.2.3:80"),
				     .inode = -1, .pid = 302, .fd = 4, .uid = 7,
				     .time_us = 2000000 });
	tap_ok(find(f, "192.0.2.3:80", IPPROTO_UDP, 302, 4, 7, 900000000) == 8,
	       "a connected UDP socket may be used late");
	tap_ok(find(f, "192.0.2.3:80", IPPROTO_UDP, 302, 5, 7, 900000000) == 0,
	       "but not another descriptor");
	add(f, 20, "192.0.2.5:80", 90, 100, 0, 1000000);
	add(f, 21, "192.0.2.6:80", 90, 100, 0, 1000000);
	tap_ok(find_socket(f, "192.0.2.5:80", 90) == 20 &&
		       find_socket(f, "192.0.2.6:80", 90) == 21 &&
		       !find_socket(f, "192.0.2.7:80", 90) && !find_socket(f, "192.0.2.5:80", 91) &&
		       !find_socket(f, "192.0.2.5:80", -1),
	       "a socket's, of each destination that it had");
	halves_free(f);
}

#define S 1000000
#define MIN (60 * (int64_t)S)
#define T (10000 * (int64_t)S)

/* A UDP record is found for a packet of that process (-1: of anybody) so long behind it. */
static bool finds_udp(int64_t pid, int64_t packet_us)
{
	struct halves *f = halves_new();
	bool found;

	halves_add(f, &(struct half){ .id = 1, .protocol = IPPROTO_UDP, .fd = -1, .pid = 100,
				      .peer = to("192.0.2.1:53"), .time_us = T });
	found = find(f, "192.0.2.1:53", IPPROTO_UDP, pid, -1, 0, T + packet_us) == 1;
	halves_free(f);
	return found;
}

/* How far apart a packet and its record may be: a record's clock is coarse, a lost SYN comes again.
 */
static void test_times(void)
{
	static const struct {
		int64_t packet_us;	/* after its record */
		bool fits;
	} tcp[] =
		{
			{-13000, false}, {-12001, false},      {-12000, true},	 {-11000, true},
			{0, true},	 {1 * S, true},	       {3 * S, true},	 {129 * S, true},
			{130 * S, true}, {130 * S + 1, false}, {131 * S, false},
		},
	  udp[] =
		  {
			  {-12001, false},
			  {-12000, true},
			  {2 * S, true},
			  {2 * S + 1, false},
		  },
	  connected[] = {
		  {-12001, false},  {-12000, true},	   {2 * S + 1, true},
		  {30 * MIN, true}, {30 * MIN + 1, false},
	  };

	for (size_t i = 0; i < sizeof(tcp) / sizeof(tcp[0]); i++) {
		struct halves *f = halves_new();

		add(f, 1, "192.0.2.1:80", -1, 100, 0, T + tcp[i].packet_us);
		tap_ok((match(f, "192.0.2.1:80", -1, 100, 0, T) == 1) == tcp[i].fits,
		       "a TCP packet %lld us after its record is %s", (long long)tcp[i].packet_us,
		       tcp[i].fits ? "its" : "another's");
		add(f, 2, "192.0.2.2:80", -1, 100, 0, T);
		tap_ok((find(f, "192.0.2.2:80", IPPROTO_TCP, 100, -1, 0, T + tcp[i].packet_us) ==
			2) == tcp[i].fits,
		       "and the record is found %s", tcp[i].fits ? "for it" : "no more");
		halves_free(f);
	}
	for (size_t i = 0; i < sizeof(udp) / sizeof(udp[0]); i++)
		tap_ok(finds_udp(-1, udp[i].packet_us) == udp[i].fits,
		       "a UDP record of somebody %lld us before", (long long)udp[i].packet_us);
	for (size_t i = 0; i < sizeof(connected) / sizeof(connected[0]); i++)
		tap_ok(finds_udp(100, connected[i].packet_us) == connected[i].fits,
		       "a UDP record of the process %lld us before",
		       (long long)connected[i].packet_us);
}

/* Many at once to one destination, a proxy for instance; and a chain is followed so far and no
 * farther. */
static void test_crowd(void)
{
	for (int others = 511; others <= 512; others++) {
		struct halves *f = halves_new();

		add(f, 1, "192.0.2.1:80", -1, -1, 33, T);
		add(f, 2, "192.0.2.2:80", -1, -1, 33, T);
		for (int i = 0; i < others; i++) {
			add(f, 10, "192.0.2.1:80", -1, 100, 34, T);
			add(f, 11, "192.0.2.2:80", -1, 100, 34, T);
		}
		tap_ok((match(f, "192.0.2.1:80", -1, 200, 33, T) == 1) == (others < 512),
		       "a packet behind %d others to its destination", others);
		tap_ok((find(f, "192.0.2.2:80", IPPROTO_TCP, -1, -1, 33, T) == 2) == (others < 512),
		       "a record behind %d others", others);
		halves_free(f);
	}
}

/* Against a dumb list, with few values, so that they meet often. */
static void test_random(void)
{
	enum { N = 3000, IDS = 4000 };
	static struct half model[IDS];
	struct halves *f = halves_new();
	bool open[IDS] = { false }, good = true;

	srandom(7);
	for (int i = 1; i < N; i++) {
		char peer[64];
		int64_t pid = random() % 4 + 1;

		snprintf(peer, sizeof(peer), "192.0.2.%d:80", (int)(random() % 3));
		model[i] = (struct half){ .id = (uint64_t)i, .protocol = IPPROTO_TCP,
					  .peer = to(peer), .inode = i, .pid = pid, .fd = -1,
					  .time_us = 1000000 + i };
		halves_add(f, &model[i]);
		open[i] = true;
		if (random() % 2) {
			uint64_t got = match(f, peer, random() % 2 ? i : -1, pid, 0, 1000000 + i);

			good = good && got && open[got] && model[got].pid == pid &&
			       address_equal(&model[got].peer.addr, &model[i].peer.addr);
			open[got] = false;
		}
		if (random() % 8 == 0) {
			uint64_t id = (uint64_t)(random() % i);

			halves_settle(f, id);
			open[id] = false;
		}
	}
	tap_ok(good, "3000 random ones, each matched once and to its own");
	halves_free(f);
}

/* A record by the destination alone: of a process in this network namespace, or in another one? */
static uint64_t match_place(bool forwarded, int64_t netns)
{
	struct halves *f = halves_new();
	struct endpoint dst = to("192.0.2.1:80");
	struct event e;
	uint64_t id = 0;

	halves_add(f, &(struct half){ .id = 1, .protocol = IPPROTO_TCP, .peer = dst, .inode = -1,
				     .pid = -1, .fd = -1, .uid = -1, .time_us = 1000000,
				     .netns = 5, .forwarded = forwarded });
	event_init(&e);
	e.process.pid = 100;
	e.process.netns = netns;
	e.time_us = 1000000;
	if (halves_match(f, &e, IPPROTO_TCP, &dst, &id) < 0)
		id = 0;
	halves_free(f);
	return id;
}

static void test_places(void)
{
	tap_ok(match_place(false, 5) && !match_place(false, 6) && match_place(false, -1),
	       "what goes out is of no other namespace's process");
	tap_ok(!match_place(true, 5) && match_place(true, 6) && !match_place(true, -1),
	       "what is forwarded is of another one's");
}

/* More calls of one process to one place than a search looks at, before their first record: each
 * record is of its own packet, in order, by a clock of 4 ms. */
static void test_burst(void)
{
	struct halves *f = halves_new();
	uint64_t n, found = 0;

	for (n = 1; n <= 2000; n++)
		add(f, n, "192.0.2.1:80", -1, 100, 0, 1000000 + (int64_t)n * 50);
	for (n = 1; n <= 2000; n++) {
		found = match(f, "192.0.2.1:80", -1, 100, 0,
			      1000000 + (int64_t)n * 50 / 4000 * 4000);
		if (found != n)
			break;
	}
	if (!tap_ok(n > 2000, "a burst: each record finds its own packet"))
		tap_note("record %d found %d", (int)n, (int)found);
	halves_free(f);
	f = halves_new();
	/* Packets whose record has been lost do not stand before those that come. */
	for (n = 1; n <= 1000; n++)
		add(f, n, "192.0.2.1:80", -1, 100, 0, 1000000);
	for (n = 1001; n <= 1600; n++)
		add(f, n, "192.0.2.1:80", -1, 100, 0, 2000000);
	found = match(f, "192.0.2.1:80", -1, 100, 0, 2000000);
	tap_ok(found > 1000, "beside packets whose record never came");
	halves_free(f);
}

int main(void)
{
	struct halves *f = halves_new();

	test_packets();
	test_accepts();
	test_records();
	test_times();
	test_burst();
	test_places();
	test_crowd();
	test_random();
	for (uint64_t i = 0; i < 20000; i++)
		add(f, 100 + i, "192.0.2.9:9", (int64_t)i + 1, 400, 0, 3000000);
	tap_ok(match(f, "192.0.2.9:9", 20000 - 4096, 401, 0, 3000000) == 0 &&
		       match(f, "192.0.2.9:9", 20000 - 4095, 401, 0, 3000000) == 100 + 20000 - 4096,
	       "when it is full the oldest has gone");
	halves_free(f);
	return tap_done();
}
