/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which serials never came: order, lateness, rollover, another sequence. */
#include "gaps.h"
#include "tap.h"

int main(void)
{
	struct gaps g = { 0 };

	gaps_see(&g, 10);
	gaps_see(&g, 10);
	gaps_see(&g, 11);
	tap_ok(g.missing == 0, "nothing is missing in a row");
	gaps_see(&g, 15);
	tap_ok(g.missing == 3, "a step of four misses three");
	gaps_see(&g, 13);
	gaps_see(&g, 13);
	tap_ok(g.missing == 2, "a late one is missing no more, and counts once");
	gaps_see(&g, 5);
	tap_ok(g.missing == 2, "what came before the first is not counted");

	g = (struct gaps){ 0 };
	gaps_see(&g, UINT32_MAX - 1);
	gaps_see(&g, 1);
	tap_ok(g.missing == 2, "over the rollover two are missing");
	gaps_see(&g, UINT32_MAX);
	gaps_see(&g, 0);
	tap_ok(g.missing == 0, "and come late");

	gaps_see(&g, 500000000);
	tap_ok(g.missing == 0, "a jump is another sequence");
	gaps_see(&g, 500000000 + GAPS_WINDOW + 100);
	tap_ok(g.missing == GAPS_WINDOW + 99, "a loss wider than the window counts whole");
	gaps_see(&g, 500000050);
	tap_ok(g.missing == GAPS_WINDOW + 99, "one later than the window stays missing");

	g = (struct gaps){ 0 };
	gaps_resume(&g, 100);
	gaps_see(&g, 104);
	tap_ok(g.missing == 3, "an earlier life's last serial is where it goes on");
	return tap_done();
}
