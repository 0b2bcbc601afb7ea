/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Packets that wait: slots, copies, which scans they want, and when their time is over; denials. */
#include <string.h>

#include "denials.h"
#include "parking.h"
#include "tap.h"

#define MS 1000000LL
#define PIECE (MS / 4)

static void test_slots(void)
{
	static struct parking p;
	int slot = parking_add(&p, 1, 0, 5 * MS), last = -1;

	tap_ok(slot == 0 && p.count == 1 && p.end == 1, "a slot");
	for (int i = 1; i < PARKED_COPIES; i++)
		last = parking_join(&p, 1);
	tap_ok(last == slot && parking_join(&p, 1) < 0 && parking_join(&p, 2) < 0,
	       "copies of it wait with it, four at most");
	for (int i = 1; i < PARKED_MAX; i++)
		last = parking_add(&p, 2, 0, MS);
	tap_ok(last == PARKED_MAX - 1 &&
	       parking_add(&p, 2, 0, MS) < 0, "when all are taken there is no room");
	parking_release(&p, 5);
	tap_ok(parking_add(&p, 3, 0, MS) == 5 && p.end == PARKED_MAX, "a free one is used again");
	for (int i = PARKED_MAX - 1; i >= 0; i--)
		parking_release(&p, i);
	tap_ok(!p.count && !p.end, "none is left");
}

static void test_scans(void)
{
	static struct parking p;
	int first = parking_add(&p, 1, 0, 5 * MS), second;

	tap_ok(!parking_wants_scan(&p, SCAN_NEWEST, false), "without a socket no scan helps");
	p.slot[first].wants_scan = true;
	tap_ok(parking_wants_scan(&p, SCAN_NEWEST, false) &&
	       !parking_wants_scan(&p, SCAN_ALL, false),
	       "the newest processes first");
	parking_scan_begins(&p, SCAN_NEWEST);
	second = parking_add(&p, 2, 0, 5 * MS);
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
	struct parked *k = &p.slot[parking_add(&p, 1, 10 * MS, 5 * MS)];

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

static void test_denials(void)
{
	static struct denials d;
	struct connection c;

	connection_init(&c);
	c.protocol = 6;
	c.src.port = 40000;
	c.dst.port = 443;
	denials_add(&d, &c, 7000, 0, VERDICT_REJECT);
	tap_ok(denials_find(&d, &c, 7000, 29999 * MS) == VERDICT_REJECT &&
	       !denials_find(&d, &c, 7000, 30000 * MS),
	       "what was denied is denied again for half a minute");
	tap_ok(!denials_find(&d, &c, 7001, 0), "not another socket");
	c.src.port++;
	tap_ok(!denials_find(&d, &c, 7000, 0), "nor another port");
	c.src.port--;
	denials_forget(&d);
	tap_ok(!denials_find(&d, &c, 7000, 0), "nor under another policy");
}

int main(void)
{
	test_slots();
	test_scans();
	test_deadlines();
	test_denials();
	return tap_done();
}
