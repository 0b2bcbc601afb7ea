/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Packets that wait: slots, packets of one flow, which scans they want, when their time is over. */
#include <string.h>

#include "parking.h"
#include "tap.h"

#define MS 1000000LL
#define PIECE (MS / 4)

static const struct packet_id id = { .id = 7 };

/* A flow of a user; good until the third call from now. */
static const struct flow_key *flow_of(int n, int64_t uid)
{
	static struct flow_key keys[3];
	static int turn;
	struct flow_key *k = &keys[turn++ % 3];

	*k = (struct flow_key){ .protocol = n, .uid = uid };
	return k;
}

/* Each flow is another user's. */
static int park(struct parking *p, int n, struct packet_id packet, int64_t now, int64_t wait)
{
	return parking_add(p, flow_of(n, n), packet, now, wait);
}

struct seen {
	uint32_t last;
	int count;
	bool in_order;
};

static void see(struct packet_id packet, void *arg)
{
	struct seen *s = arg;

	s->in_order &= packet.id == s->last + 1;
	s->last = packet.id;
	s->count++;
}

static struct seen packets_of(const struct parking *p, int slot)
{
	struct seen s = { .in_order = true };

	parking_each(p, slot, see, &s);
	return s;
}

static void test_slots(void)
{
	static struct parking p;
	int slot = park(&p, 1, id, 0, 5 * MS), last = -1;

	tap_ok(slot == 0 && p.count == 1 && p.end == 1, "a slot");
	for (int i = 1; i < PARKED_MAX; i++)
		last = park(&p, 2 + i, id, 0, MS);
	tap_ok(last == PARKED_MAX - 1 &&
	       park(&p, 2, id, 0, MS) < 0, "when all are taken there is no room");
	parking_release(&p, 5);
	tap_ok(park(&p, 3, id, 0, MS) == 5 && p.end == PARKED_MAX,
	       "a free one is used again");
	for (int i = PARKED_MAX - 1; i >= 0; i--)
		parking_release(&p, i);
	tap_ok(!p.count && !p.end, "none is left");
}

/* Twice, so that the second time the packets' room is that which was given back. */
/* One user's flood: others find room. */
static void test_crowd(void)
{
	static struct parking p;
	int count[4] = { 0 };

	for (int user = 1; user < 4; user++)
		for (int i = 0; i < 1000; i++)
			count[user] += parking_add(&p, flow_of(i, user), id, 0, MS) >= 0;
	tap_ok(count[1] > PARKED_MAX / 2 && count[1] < PARKED_MAX * 3 / 4,
	       "one user has most of the room at most");
	tap_ok(count[2] > PARKED_MAX / 6 && count[3] > 16, "and others' packets find some");
	tap_ok(p.refused == 3000 - count[1] - count[2] - count[3], "who finds none is counted");
	for (int i = 0; i < PARKED_MAX; i++)
		if (p.slot[i].used && p.slot[i].user == share_of(1))
			parking_release(&p, i);
	tap_ok(parking_add(&p, flow_of(1, 1), id, 0, MS) >= 0, "what is given back can be had");
}

/* Of one flow, where nothing else waits but one packet. */
#define SHARE ((PARKED_COPIES - 1) * PARKING_SHARE / (PARKING_SHARE + 1))

static void test_copies(void)
{
	static struct parking p;

	for (int round = 0; round < 2; round++) {
		int other = park(&p, 9, (struct packet_id){ .id = 1 }, 0, MS);
		int slot = park(&p, 1, (struct packet_id){ .id = 1 }, 0, MS);
		bool joined = true;
		struct seen s;

		for (uint32_t i = 2; i <= SHARE; i++)
			joined &= parking_find(&p, flow_of(1, 1)) == slot &&
				  parking_join(&p, slot, (struct packet_id){ .id = i });
		s = packets_of(&p, slot);
		tap_ok(joined && s.in_order && s.count == SHARE &&
		       packets_of(&p, other).count == 1,
		       "packets of a flow wait in their order, and apart from others'");
		tap_ok(!parking_join(&p, slot, id) && packets_of(&p, slot).count == SHARE &&
		       parking_join(&p, other, id), "as many as leave room for others");
		parking_release(&p, slot);
		tap_ok(parking_find(&p, flow_of(1, 1)) < 0 && parking_join(&p, other, id),
		       "others' waits on");
		parking_release(&p, other);
	}
}

static void test_scans(void)
{
	static struct parking p;
	int first = park(&p, 1, id, 0, 5 * MS), second;

	tap_ok(!parking_wants_scan(&p, SCAN_NEWEST, false), "without a socket no scan helps");
	p.slot[first].wants_scan = true;
	tap_ok(parking_wants_scan(&p, SCAN_NEWEST, false) &&
	       !parking_wants_scan(&p, SCAN_ALL, false),
	       "the newest processes first");
	parking_scan_begins(&p, SCAN_NEWEST);
	second = park(&p, 2, id, 0, 5 * MS);
	p.slot[second].wants_scan = true;
	parking_scan_is_over(&p, SCAN_NEWEST);
	tap_ok(parking_wants_scan(&p, SCAN_ALL, false) &&
	       parking_wants_scan(&p, SCAN_NEWEST, false) &&
	       !parking_wants_scan(&p, SCAN_NEWEST, true),
	       "then all; a scan that began before a packet came is none of its");
	parking_scan_begins(&p, SCAN_ALL);
	parking_scan_is_over(&p, SCAN_ALL);
	parking_release(&p, second);
	tap_ok(!parking_wants_scan(&p, SCAN_ALL, false), "each once");
}

static void test_deadlines(void)
{
	static struct parking p;
	struct parked *k = &p.slot[park(&p, 1, id, 10 * MS, 5 * MS)];

	tap_ok(!parking_is_over(k, 15 * MS - 1, PIECE) &&
	       parking_is_over(k, 15 * MS, PIECE), "its time");
	k->wants_scan = true;
	tap_ok(!parking_is_over(k, 15 * MS, PIECE), "which counts only where it was used");
	for (int i = 0; i < 20; i++)
		parking_count_piece(&p);
	tap_ok(parking_is_over(k, 15 * MS, PIECE) && !parking_is_over(k, 14 * MS, PIECE),
	       "by pieces of a search");
	k->pieces = PARKING_PIECES_MIN - 1;
	tap_ok(!parking_is_over(k, 60 * MS, PIECE),
	       "a starved daemon looks for some pieces all the same");
	k->pieces = PARKING_PIECES_MIN;
	tap_ok(!parking_is_over(k, 60 * MS - 1, PIECE) && parking_is_over(k, 60 * MS, PIECE),
	       "and not for more than ten times the time");
	k->pieces = 0;
	k->scan[SCAN_ALL].over = true;
	tap_ok(parking_is_over(k, 15 * MS, PIECE), "or where the whole of /proc was seen");
}

int main(void)
{
	test_slots();
	test_crowd();
	test_copies();
	test_scans();
	test_deadlines();
	return tap_done();
}
