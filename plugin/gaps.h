/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_GAPS_H
#define SOCKLEDGER_GAPS_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Finds the serials that never came.  The kernel numbers every event, and auditd passes all of them
 * on, ours or not.  So a missing number means an event lost on the way.  Numbers come nearly in
 * order, wrap at 2^32, and begin again at a boot.
 */
#define GAPS_WINDOW 262144u	/* how late a number may come: seconds, at the highest rate */
#define GAPS_JUMP 1000000u	/* a step wider than this is another sequence, not a loss */

struct gaps {
	bool started;
	bool resumed;		/* the next number may be any distance ahead */
	uint32_t first, newest;
	int64_t missing;	/* numbers in the window's past and present that did not come */
	uint64_t seen[GAPS_WINDOW / 64];
};

/*
 * An earlier run in the same boot had seen all serials up to this one: the serials between it and
 * the first one seen here are missing.  Call it once, at any time.
 */
void gaps_resume(struct gaps *g, uint32_t newest);
/* Takes the same serial any number of times. */
void gaps_see(struct gaps *g, uint32_t serial);

#endif
