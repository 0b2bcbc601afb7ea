/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which serials never came. */
#include <string.h>

#include "gaps.h"

static bool test_and_set(struct gaps *g, uint32_t serial)
{
	uint64_t *word = &g->seen[serial % GAPS_WINDOW / 64], bit = 1ULL << serial % 64;
	bool was = *word & bit;

	*word |= bit;
	return was;
}

static void clear(struct gaps *g, uint32_t serial)
{
	g->seen[serial % GAPS_WINDOW / 64] &= ~(1ULL << serial % 64);
}

void gaps_resume(struct gaps *g, uint32_t newest)
{
	g->started = true;
	g->newest = newest;
	/* What came before is not known in detail: nothing of it counts as missing. */
	memset(g->seen, 0xff, sizeof(g->seen));
}

void gaps_see(struct gaps *g, uint32_t serial)
{
	uint32_t ahead = serial - g->newest, behind = g->newest - serial;

	if (!g->started || (ahead > GAPS_JUMP && behind > GAPS_WINDOW)) {
		gaps_resume(g, serial);
		return;
	}
	if (ahead == 0 || ahead > GAPS_JUMP) {
		/* In the window: a late one is no longer missing. */
		if (behind < GAPS_WINDOW && !test_and_set(g, serial))
			g->missing--;
		return;
	}
	for (uint32_t n = 1; n < ahead && n <= GAPS_WINDOW; n++)
		clear(g, g->newest + n);
	g->missing += ahead - 1;
	g->newest = serial;
	clear(g, serial);
	test_and_set(g, serial);
}
