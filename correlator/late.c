/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Verdicts that came late, as the journal has them. */
#include "late.h"
#include "log.h"

/* Without another late one for so long it has ended. */
#define QUIET_NS 10000000000LL

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
