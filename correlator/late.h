/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_LATE_H
#define SOCKLEDGER_LATE_H

#include <stdbool.h>
#include <stdint.h>

/* Verdicts that came late: one line in the journal when that begins, one when it has ended. */
struct late {
	int64_t seen;		/* so many, at the last look */
	int64_t before;		/* so many, when it began */
	int64_t last_ns;	/* when the last one was noticed */
	bool lasts;
};

/* count: of all late verdicts so far, later than limit_us.  True: it lasts, so call again within a
 * second. */
bool late_note(struct late *l, int64_t count, int64_t limit_us, int64_t now_ns);

/* Looks at processes that were overdue: one line in a minute, which names the last of them. */
struct overdue_log {
	int64_t seen;		/* so many, when it was said */
	int64_t said_ns;
};

/* count: of all so far, the last of them at this process of this user. */
void overdue_note(struct overdue_log *o, int64_t count, int64_t pid, int64_t uid, int64_t now_ns);

#endif
