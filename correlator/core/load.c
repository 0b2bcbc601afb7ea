/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether many packets come. */
#include "load.h"

/* Above so many packets in so long. */
#define MANY 150
#define SPAN_NS 100000000LL

void load_note(struct load *l, int64_t now_ns)
{
	int64_t past_ns = now_ns - l->since_ns;

	if (past_ns >= SPAN_NS) {
		l->high = past_ns < 2 * SPAN_NS && l->packets > MANY;
		l->since_ns = now_ns;
		l->packets = 0;
	}
	if (++l->packets > MANY)
		l->high = true;
}
