/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How soon the thread that answers packets gets a processor. */
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "config.h"
#include "priority.h"

#define WINDOW_NS 100000000LL
/* Packets in a window, or waiting at once, from which on they come one behind the other. */
#define MANY 200
#define BURST 4
/* It stays so: where there was a burst there will be others. */
#define HOLD_NS 1000000000LL
/* The shortest slice that the kernel gives.  A newer kernel lets a thread in before one with a longer one
 * (PREEMPT_SHORT, kernel/sched/features.h); to an older one it says nothing. */
#define SLICE_NS 100000

/* What sched_setattr(2) takes, which the C library has no name for. */
struct sched_attributes {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
};

static int set_nice(int boost)
{
	struct sched_attributes a = {
		.size = sizeof(a), .policy = SCHED_OTHER, .nice = -boost,
		.runtime = boost ? SLICE_NS : 0,
	};

	if (!syscall(SYS_sched_setattr, 0, &a, 0))
		return 0;
	return setpriority(PRIO_PROCESS, 0, -boost) ? -errno : 0;
}

static int set_realtime(void)
{
	struct sched_param lowest = { .sched_priority = sched_get_priority_min(SCHED_RR) };

	return sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &lowest) ? -errno : 0;
}

int priority_take(struct priority *p, int boost)
{
	*p = (struct priority){ .boost = boost };
	if (boost == PRIORITY_REALTIME && !set_realtime())
		return 0;
	/* Where real time is not to be had, as much as else there is. */
	return set_nice(boost > 20 ? 20 : boost);
}

static void change(struct priority *p, bool realtime)
{
	if (p->realtime == realtime)
		return;
	/* Refused: it stays as it is, and nothing is tried again. */
	if (realtime ? set_realtime() : set_nice(20))
		p->boost = 20;
	p->realtime = realtime;
}

void priority_note(struct priority *p, int packets, int64_t now_ns)
{
	bool soon = now_ns - p->since_ns < WINDOW_NS;

	if (p->boost != PRIORITY_AUTO)
		return;
	p->packets = soon ? p->packets + packets : packets;
	if (!soon)
		p->since_ns = now_ns;
	if (packets >= BURST || p->packets > MANY)
		p->until_ns = now_ns + HOLD_NS;
	change(p, now_ns < p->until_ns);
}
