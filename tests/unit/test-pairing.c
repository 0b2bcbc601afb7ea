/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Packets and records that wait for each other, in this life and from an earlier one. */
#include <netinet/in.h>
#include <stdlib.h>

#include "clock.h"
#include "event.h"
#include "pairing.h"
#include "tap.h"

#define T (1000 * TIME_US_PER_S)

static struct pairing *p;

static struct endpoint to(const char *text)
{
	struct endpoint e;

	if (endpoint_parse(text, &e))
		abort();
	return e;
}

/* A connection of process 100, of user 33, from 10.0.0.1 to 10.0.0.2. */
static struct connection make(uint64_t id, enum direction direction)
{
	struct connection c;

	connection_init(&c);
	c.id = id;
	c.direction = direction;
	c.protocol = IPPROTO_TCP;
	c.src = to("10.0.0.1:1000");
	c.dst = to("10.0.0.2:80");
	c.process.pid = 100;
	c.process.uid = 33;
	c.time_us = T;
	c.evidence = EVIDENCE_INODE | EVIDENCE_TRACE;
	c.certainty = CERTAINTY_CERTAIN;
	c.verdict = VERDICT_REJECT;
	return c;
}

static uint64_t row_of_record(const char *peer, int64_t pid, int64_t uid,
			      const struct packet_word **w)
{
	struct endpoint dst = to(peer);
	const struct packet_word *found;
	struct event e;
	uint64_t row = 0;

	event_init(&e);
	e.process.pid = pid;
	e.process.uid = e.process.euid = e.process.fsuid = uid;
	e.time_us = T;
	found = pairing_of_record(p, &e, IPPROTO_TCP, &dst, &row);
	if (w)
		*w = found;
	return found ? row : 0;
}

static uint64_t row_of_accept(const char *from, const char *at, const struct packet_word **w)
{
	struct endpoint peer = to(from), local = to(at);
	struct event e;
	uint64_t row = 0;
	bool alone;

	event_init(&e);
	e.kind = EVENT_ACCEPT;
	e.time_us = T;
	*w = pairing_of_accept(p, &e, IPPROTO_TCP, &peer, &local, &row, &alone);
	return *w ? row : 0;
}

static void test_rows(void)
{
	p = pairing_new(7);
	tap_ok(pairing_new_row(p) == 7 && pairing_new_row(p) == 8,
	       "rows from the first free one on");
	tap_ok(!pairing_of_row(p, 7) && !pairing_awaits(p, 7), "a row of which nothing is known");
	pairing_free(p);
	pairing_free(NULL);
}

static void test_packets(void)
{
	const struct packet_word *w;
	struct packet_word word = { .pid = 100, .caller = 3, .verdict = VERDICT_DROP };
	struct connection c = make(7, DIRECTION_OUT);
	struct half half;

	p = pairing_new(7);
	testimony_init(&word.testimony);
	word.testimony.socket.inode = 50;
	pairing_packet(p, &c, 4, 33, &word, false);
	tap_ok(pairing_of_row(p, 7) && pairing_of_row(p, 7)->caller == 3,
	       "a packet's row rests on that");
	tap_ok(!row_of_record("10.0.0.1:1000", 100, 33, NULL),
	       "a record to elsewhere is not its own");
	tap_ok(row_of_record("10.0.0.2:80", 100, 33, &w) == 7 && w->verdict == VERDICT_DROP,
	       "the record of its call is");
	tap_ok(!row_of_record("10.0.0.2:80", 100, 33, NULL) && pairing_of_row(p, 7),
	       "once, and what the row rests on stays");

	pairing_record(p, &(struct half){.id = 8,
					 .protocol = IPPROTO_TCP,
					 .peer = c.dst,
					 .inode = 51,
					 .pid = 100,
					 .fd = 4,
					 .uid = 33,
					 .time_us = T});
	tap_ok(pairing_awaits(p, 8) && pairing_find(p, &c, 100, 4, &half) && half.id == 8 &&
	       pairing_find(p, &c, -1, -1, &half) && pairing_find_socket(p, &c, 51, &half) &&
	       !pairing_find_socket(p, &c, 52, &half), "a record that waits for its packet");
	c.id = 8;
	pairing_packet(p, &c, 4, 33, &word, true);
	tap_ok(!pairing_awaits(p, 8) && !pairing_find(p, &c, 100, 4, &half),
	       "a packet that comes to its record's row ends that");
	tap_ok(!row_of_record("10.0.0.2:80", 100, 33, NULL), "and waits for no other");
	c = make(9, DIRECTION_IN);
	pairing_packet(p, &c, 4, 33, &word, false);
	tap_ok(!row_of_record("10.0.0.1:1000", 100, 33, NULL),
	       "a call of our own to where a packet came from is none of it");
	tap_ok(row_of_accept("10.0.0.1:1000", "10.0.0.2:80", &w) == 9 &&
		       w->local.port == 80 && w->local.addr.bytes[3] == 2,
	       "the record of an accept() names its source; our end is the packet's");
	pairing_free(p);
}

/* What made room too early is counted, of each kind. */
static void test_evicted(void)
{
	struct packet_word word = { .pid = 100, .caller = -1 };
	struct connection c = make(1, DIRECTION_OUT);
	struct half record = { .protocol = IPPROTO_TCP, .peer = c.dst, .inode = -1, .pid = 100,
			       .fd = 4, .uid = 33, .time_us = T };

	p = pairing_new(7);
	testimony_init(&word.testimony);
	for (record.id = 1; record.id <= HALVES_MAX + 2; record.id++)
		pairing_record(p, &record);
	tap_ok(pairing_evicted(p).records == 0, "no record misses a packet where none comes");
	for (c.id = 1; c.id <= HALVES_MAX + 3; c.id++)
		pairing_packet(p, &c, 4, 33, &word, false);
	tap_ok(pairing_evicted(p).records == 2 && pairing_evicted(p).packets == 3,
	       "those that made room are counted by kind");
	c.time_us = T + 131 * TIME_US_PER_S;
	for (int i = 0; i < 5; i++, c.id++)
		pairing_packet(p, &c, 4, 33, &word, false);
	tap_ok(pairing_evicted(p).packets == 3, "but not those whose time was over");
	pairing_free(p);
}

/* What a daemon that begins anew reads from its ledger. */
static void test_restore(void)
{
	struct connection c = make(3, DIRECTION_OUT);
	const struct packet_word *w;
	struct half half;

	p = pairing_new(7);
	pairing_restore(p, &c, false);
	tap_ok(pairing_awaits(p, 3) && !pairing_of_row(p, 3) &&
		       pairing_find(p, &c, 100, 5, &half) && half.id == 3 && half.fd == -1 &&
		       half.uid == 33,
	       "a record of an earlier life waits for its packet, by whichever descriptor");
	c.id = 4;
	pairing_restore(p, &c, true);
	w = pairing_of_row(p, 4);
	tap_ok(w && !pairing_awaits(p, 4) && w->pid == 100 && w->caller == -1 &&
		       w->source == FROM_NOBODY && w->verdict == VERDICT_REJECT && !w->described &&
		       !w->exe,
	       "a packet of one rests on what its row says");
	tap_ok(w->facts.protocol == IPPROTO_TCP && w->facts.direction == DIRECTION_OUT &&
	       w->facts.uid == 33 && w->facts.has_ports, "with the packet's facts");
	tap_ok(w->testimony.earlier.pid == 100 && w->testimony.earlier.certain &&
	       w->testimony.earlier.evidence == c.evidence, "and what was proof stays that");
	tap_ok(row_of_record("10.0.0.2:80", 100, 33, NULL) == 4 &&
	       !row_of_record("10.0.0.2:80", 100, 33, NULL), "it waits for its record, once");
	c = make(5, DIRECTION_IN);
	c.certainty = CERTAINTY_INFERRED;
	c.src.port = -1;
	pairing_restore(p, &c, true);
	w = pairing_of_row(p, 5);
	tap_ok(w && !w->testimony.earlier.certain && !w->facts.has_ports &&
	       w->facts.direction == DIRECTION_IN, "what was no proof is none now");
	pairing_free(p);
}

int main(void)
{
	test_rows();
	test_packets();
	test_evicted();
	test_restore();
	return tap_done();
}
