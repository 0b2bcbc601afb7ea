/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_PROCTABLE_H
#define SOCKLEDGER_PROCTABLE_H

#include "process.h"

/* What was said last of each of this host's processes.  A fixed number of them. */
struct proctable;

struct known_process {
	struct process process;
	int64_t time_us;	/* when that was true: the record's stamp, or when /proc was read */
	int64_t mono_ns;	/* the same by the monotonic clock, which nobody sets; INT64_MIN:
				 * the wall clock was set in between, so nobody knows */
};

struct proctable *proctable_new(void);
void proctable_free(struct proctable *t);

/* What time it is by both clocks, from here on: to be said before what is put, within milliseconds
 * of it. */
void proctable_clock(struct proctable *t, int64_t wall_us, int64_t mono_ns);
/* Keeps a copy. */
void proctable_put(struct proctable *t, const struct process *p, int64_t time_us);
/* Adds login and names that a record lacks (of io_uring's poller), where the same process had them;
 * the texts are good until the next put. */
void proctable_lend(const struct proctable *t, struct process *p);
/* NULL where nothing is known; good until the next put. */
const struct known_process *proctable_get(const struct proctable *t, int64_t pid);

#endif
