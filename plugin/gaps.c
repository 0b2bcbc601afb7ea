/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finds the serials that never came. */
#include <string.h>

#include "failures.h"
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

static void begin(struct gaps *g, uint32_t serial)
{
	g->started = true;
	g->first = g->newest = serial;
	/* Earlier serials are unknown in detail, so none of them counts as missing. */
	memset(g->seen, 0xff, sizeof(g->seen));
}

void gaps_resume(struct gaps *g, uint32_t newest)
{
	uint32_t between = g->first - newest - 1;

	FAILS(PLUGIN_KILLED);
	if (!g->started)
		begin(g, newest);
	else if (between < UINT32_MAX / 2)
		g->missing += between;
	/* After a resume the sequence goes on, however wide the gap. */
	g->resumed = true;
}

void gaps_see(struct gaps *g, uint32_t serial)
{
	uint32_t ahead = serial - g->newest, behind = g->newest - serial;
	uint32_t jump = g->resumed ? UINT32_MAX / 2 : GAPS_JUMP;

	if (!g->started || (ahead > jump && behind > GAPS_WINDOW)) {
		begin(g, serial);
		return;
	}
	g->resumed = false;
	if (ahead == 0 || ahead > jump) {
		/* A late serial within the window is no longer missing. */
		if (behind < GAPS_WINDOW && !test_and_set(g, serial))
			g->missing--;
		return;
	}
	for (uint32_t n = 1; n < ahead && n <= GAPS_WINDOW; n++)
		clear(g, g->newest + n);
	FAILS(SERIAL_MISSING);
	g->missing += ahead - 1;
	g->newest = serial;
	clear(g, serial);
	test_and_set(g, serial);
}
