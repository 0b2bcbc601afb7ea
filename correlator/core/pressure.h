/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_PRESSURE_H
#define SOCKLEDGER_PRESSURE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Whether a thread that answers packets has to be a real-time one.
 *
 * An ordinary thread of a high priority is the better one where it gets its processor at once: the
 * kernel wakes the receiver of the answer right behind it.  A processor with a real-time thread it
 * takes for a busy one, and wakes the receiver on another, which may have to be roused from its
 * sleep first (35 to 80 us more for a connect(), measured with bench/verdict).  But an ordinary
 * thread is kept waiting for whole slices of others when its own is used up (EEVDF, Linux 6.6), and
 * when packets come one behind the other the sender of the last may be gone before the first is
 * looked at.
 *
 * So it is real-time for a while when packets come thick, or where they wait or have to be parked
 * because nobody can name their sender, or when it was kept waiting for 200 us with more than one
 * in 15 of them, or with fewer for longer.  A real-time thread does not wait for others, so there
 * is no telling then whether it would have to: it tries, first after two seconds, then after ever
 * longer.
 *
 * The whole is for one thread; all zeroes is a beginning.
 */
struct pressure {
	int64_t since_ns;	/* when the packets began to be counted */
	int packets;
	int64_t late;		/* how late the last ones were, less how many were not */
	int64_t ordinary_ns;	/* since when it is ordinary, for the time being */
	int64_t until_ns;	/* real-time at least until then */
	int64_t hold_ns;	/* how long the last time, because it was kept waiting */
};

/* So many packets were shown to the thread since the last time; urgent: some of them still wait for
 * it, or more do.  waited_ns: for so long it was ready to run, and had no processor; that counts
 * while it is ordinary.  True: it has to be real-time now. */
bool pressure_note(struct pressure *p, int packets, bool urgent, int64_t waited_ns, int64_t now_ns);

#endif
