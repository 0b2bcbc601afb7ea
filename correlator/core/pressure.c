/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pressure.h"

#define WINDOW_NS 100000000LL
/* Packets in a window, from which on they come one behind the other. */
#define MANY 150
/* It stays so: where there was a burst there will be others. */
#define MANY_HOLD_NS 1000000000LL

/* So long is late; and what it costs, so often again for each such time that it was more.  A packet
 * that is not late makes up for one. */
#define LATE_NS 200000
#define LATE_COST 15
#define LATE_TIMES 10
#define LATE_MAX 250
#define LATE_HOLD_NS 2000000000LL
#define LATE_HOLD_MAX_NS (32 * LATE_HOLD_NS)
/* It had gone well for so long. */
#define WELL_NS 10000000000LL

static bool are_many(struct pressure *p, int packets, int64_t now_ns)
{
	if (now_ns - p->since_ns >= WINDOW_NS) {
		p->since_ns = now_ns;
		p->packets = 0;
	}
	p->packets += packets;
	return p->packets > MANY;
}

static bool is_kept_waiting(struct pressure *p, int packets, int64_t waited_ns)
{
	int64_t times = waited_ns / LATE_NS;

	p->late += times ? LATE_COST * (times < LATE_TIMES ? times : LATE_TIMES) : -packets;
	if (p->late < 0)
		p->late = 0;
	return p->late > LATE_MAX;
}

static void hold(struct pressure *p, int64_t for_ns, int64_t now_ns)
{
	if (now_ns + for_ns > p->until_ns)
		p->until_ns = now_ns + for_ns;
}

bool pressure_note(struct pressure *p, int packets, bool urgent, int64_t waited_ns, int64_t now_ns)
{
	bool ordinary = now_ns >= p->until_ns;

	if (ordinary && !p->ordinary_ns)
		p->ordinary_ns = now_ns;
	if (are_many(p, packets, now_ns) || urgent)
		hold(p, MANY_HOLD_NS, now_ns);
	if (ordinary && is_kept_waiting(p, packets, waited_ns)) {
		if (!p->hold_ns || now_ns - p->ordinary_ns >= WELL_NS)
			p->hold_ns = LATE_HOLD_NS;
		else if (p->hold_ns < LATE_HOLD_MAX_NS)
			p->hold_ns *= 2;
		p->late = 0;
		hold(p, p->hold_ns, now_ns);
	}
	if (now_ns < p->until_ns)
		p->ordinary_ns = 0;
	return now_ns < p->until_ns;
}
