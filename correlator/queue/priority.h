/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_PRIORITY_H
#define SOCKLEDGER_PRIORITY_H

#include <stdbool.h>
#include <stdint.h>

#include "pressure.h"

/*
 * The priority of a thread that answers packets, so that no connection waits for other programs.
 * With PRIORITY_AUTO it is the highest ordinary one, and real time while core/pressure.h says so;
 * always real time on a kernel that does not tell how long a thread waits (CONFIG_SCHEDSTATS,
 * CONFIG_TASK_DELAY_ACCT).
 */
struct priority {
	int boost;		/* 0 to 20, or PRIORITY_AUTO, PRIORITY_REALTIME of config.h */
	int schedstat;		/* the thread's, with PRIORITY_AUTO; else -1 */
	bool realtime;
	int64_t waited_ns;	/* for a processor, when that was last read */
	struct pressure pressure;
};

/* Raises the calling thread's priority, which has to call priority_end().  0, or -errno if it is
 * refused. */
int priority_take(struct priority *p, int boost);
/* packets: how many were answered since the last call; urgent: see pressure.h. */
void priority_note(struct priority *p, int packets, bool urgent, int64_t now_ns);
void priority_end(struct priority *p);

#endif
