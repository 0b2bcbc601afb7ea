/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When a thread that answers packets becomes a real-time one, and for how long. */
#include "pressure.h"
#include "tap.h"

#define US 1000LL
#define MS (1000 * US)
#define S (1000 * MS)

static struct pressure p;
static int64_t now;

static void begin(void)
{
	p = (struct pressure){ 0 };
	now = 1000 * S;
}

/*
 * Count packets, one each `step`, each after waiting so long.  Returns how many it takes until the
 * thread is real-time; 0: it never is.
 */
static int ordinary(int count, int64_t step, int64_t waited)
{
	for (int i = 1; i <= count; i++) {
		now += step;
		if (pressure_note(&p, 1, false, waited, now))
			return i;
	}
	return 0;
}

/* How long it stays real-time with a packet each millisecond. */
static int64_t stays(void)
{
	int64_t from = now;

	do
		now += MS;
	while (pressure_note(&p, 1, false, 0, now));
	return now - from;
}

static void test_thick(void)
{
	int64_t stay;

	begin();
	tap_ok(!ordinary(5000, MS, 10 * US), "a thousand a second that do not wait: ordinary");
	tap_ok(ordinary(5000, 600 * US, 10 * US) > 0, "more than 1,500 a second: real-time");
	stay = stays();
	tap_ok(stay >= S && stay <= S + 100 * MS, "for a second after that");
	begin();
	tap_ok(!pressure_note(&p, 100, false, 0, now),
	       "a hundred together that none waits behind: ordinary");
	tap_ok(pressure_note(&p, 1, true, 0, now + S), "one behind which others wait: real-time");
	begin();
	tap_ok(!pressure_note(&p, 150, false, 0, now) &&
		       !pressure_note(&p, 150, false, 0, now + 100 * MS),
	       "150 in a tenth of a second, and as many in the next: ordinary");
	tap_ok(pressure_note(&p, 1, false, 0, now + 199 * MS), "151: real-time");
}

static void test_late(void)
{
	int many = 0;

	begin();
	tap_ok(ordinary(10, MS, 5 * MS) == 2,
	       "kept waiting for milliseconds: the second is the last");
	begin();
	tap_ok(!ordinary(5000, MS, 199 * US), "less than 200 us is not late");
	begin();
	tap_ok(ordinary(20, MS, 200 * US) == 17, "always late");
	begin();
	tap_ok(!ordinary(1, MS, 5 * MS) && ordinary(20, MS, 200 * US) == 7,
	       "whatever one has waited counts as ten that were late");
	begin();
	tap_ok(!ordinary(16, MS, 200 * US) && !ordinary(15, MS, 0) && !ordinary(1, MS, 200 * US) &&
		       ordinary(1, MS, 200 * US) == 1,
	       "those that were not late make up for as many parts of one");
	begin();
	for (int i = 0; i < 1000; i++)
		many += ordinary(1, MS, i % 20 ? 0 : 200 * US) > 0;
	tap_ok(!many, "one in twenty: ordinary");
	for (int i = 0; i < 1000; i++)
		many += ordinary(1, MS, i % 10 ? 0 : 200 * US) > 0;
	tap_ok(many, "one in ten: real-time");
}

static void test_hold(void)
{
	static const int64_t holds[] = { 2, 4, 8, 16, 32, 64, 64 };

	begin();
	for (unsigned int i = 0; i < sizeof(holds) / sizeof(holds[0]); i++) {
		ordinary(10, MS, 5 * MS);
		tap_ok(stays() == holds[i] * S, "kept waiting again: %d s", (int)holds[i]);
	}
	ordinary(11000, MS, 0);
	ordinary(10, MS, 5 * MS);
	tap_ok(stays() == 2 * S, "after ten seconds that went well: 2 s");
	begin();
	ordinary(10, MS, 5 * MS);
	stays();
	/* The first packet is one of the ten seconds, and so is the last. */
	pressure_note(&p, 1, false, 5 * MS, now + 5 * S);
	now += 10 * S;
	tap_ok(pressure_note(&p, 1, false, 5 * MS, now) && stays() == 2 * S,
	       "well is since it became ordinary");
	begin();
	ordinary(10, MS, 5 * MS);
	now += 1500 * MS;
	pressure_note(&p, 1, true, 0, now);
	tap_ok(stays() == S, "a burst makes it longer");
	begin();
	ordinary(10, MS, 5 * MS);
	for (int i = 0; i < 1500; i++)
		pressure_note(&p, 1, false, 5 * MS, now += MS);
	tap_ok(stays() == 500 * MS, "what it waits while it is real-time does not count");
}

int main(void)
{
	test_thick();
	test_late();
	test_hold();
	return tap_done();
}
