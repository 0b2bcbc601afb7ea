/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Verdicts that came late, and looks that were overdue, as the journal has them. */
#include "late.h"
#include "log.h"

/* Without another late one for so long it has ended. */
#define QUIET_NS 10000000000LL
/* A process can be overdue as often as it likes. */
#define OVERDUE_NS 60000000000LL

bool late_note(struct late *l, int64_t count, int64_t limit_us, int64_t now_ns)
{
	double limit_ms = (double)limit_us / 1000;

	if (count > l->seen) {
		if (!l->lasts) {
			l->before = l->seen;
			log_warn("verdicts are late: by more than %g ms (late_verdict)", limit_ms);
		}
		l->lasts = true;
		l->last_ns = now_ns;
		l->seen = count;
	} else if (l->lasts && now_ns - l->last_ns >= QUIET_NS) {
		l->lasts = false;
		log_warn("verdicts are in time again: %lld were later than %g ms",
			 (long long)(count - l->before), limit_ms);
	}
	return l->lasts;
}

void overdue_note(struct overdue_log *o, int64_t count, int64_t pid, int64_t uid, int64_t now_ns)
{
	if (count <= o->seen || (o->seen && now_ns - o->said_ns < OVERDUE_NS))
		return;
	log_warn("process %lld of user %lld let nobody look at it in time, and is left out for ten "
		 "seconds (%lld such looks since the last message; looks_overdue)",
		 (long long)pid, (long long)uid, (long long)(count - o->seen));
	o->seen = count;
	o->said_ns = now_ns;
}
