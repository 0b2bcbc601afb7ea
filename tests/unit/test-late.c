/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When the journal says that verdicts are late, and who lets nobody look. */
#include <stdio.h>
#include <string.h>

#include "late.h"
#include "said.h"
#include "tap.h"

static bool says(const char *wanted)
{
	bool so = wanted ? strstr(said, wanted) != NULL : !said[0];

	if (!so)
		tap_note("said '%s'", said);
	said[0] = '\0';
	return so;
}

static const int64_t second = 1000000000LL;

static void test_overdue(void)
{
	struct overdue_log o = { .seen = 0 };

	overdue_note(&o, 0, 0, 0, second);
	tap_ok(says(NULL), "nobody was overdue");
	overdue_note(&o, 2, 100, 1000, 2 * second);
	tap_ok(says("process 100 of user 1000 let nobody look at it in time"), "one was");
	overdue_note(&o, 9, 101, 1000, 61 * second);
	tap_ok(says(NULL), "others within a minute");
	overdue_note(&o, 9, 101, 1000, 62 * second);
	tap_ok(says("process 101"), "are said behind it");
	overdue_note(&o, 9, 101, 1000, 200 * second);
	tap_ok(says(NULL), "once");}

int main(void)
{
	struct late l = { .lasts = false };

	tap_ok(!late_note(&l, 0, 50000, second) && says(NULL), "nothing is late");
	tap_ok(late_note(&l, 2, 50000, 2 * second) && says("more than 50 ms"), "it begins");
	tap_ok(late_note(&l, 7, 50000, 8 * second) && says(NULL), "and lasts");
	tap_ok(late_note(&l, 7, 50000, 17 * second) && says(NULL), "for ten seconds more");
	tap_ok(!late_note(&l, 7, 50000, 18 * second) && says("again: 7 were"), "and ends");
	tap_ok(!late_note(&l, 7, 50000, 19 * second) && says(NULL), "once");
	tap_ok(late_note(&l, 8, 2500, 20 * second) && says("more than 2.5 ms"), "again");
	tap_ok(!late_note(&l, 8, 2500, 30 * second) && says("again: 1 were"),
	       "with its own number");
	test_overdue();
	return tap_done();
}
