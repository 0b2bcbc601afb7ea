/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How soon the thread that answers packets gets a processor. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "config.h"
#include "failures.h"
#include "priority.h"

/* A newer kernel runs a waking thread before one with a longer slice (PREEMPT_SHORT,
 * kernel/sched/features.h), and the usual slice is some milliseconds; an older kernel ignores it.
 * When the slice is used up other threads run, so it must suffice for the answer to a packet. */
#define SLICE_NS 500000

/* The argument of sched_setattr(2), for which the C library has no type. */
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

/* How long this thread has been ready to run without a processor, since it began: the second
 * number of the file (Documentation/scheduler/sched-stats.rst).  -1: the kernel does not say. */
static int64_t waited_ns(const struct priority *p)
{
	char buf[96], *end;
	ssize_t n = p->schedstat < 0 ? -1 : pread(p->schedstat, buf, sizeof(buf) - 1, 0);

	if (n <= 0)
		return -1;
	buf[n] = '\0';
	strtoll(buf, &end, 10);
	return strtoll(end, NULL, 10);
}

int priority_take(struct priority *p, int boost)
{
	*p = (struct priority){ .boost = boost, .schedstat = -1 };
	if (boost == PRIORITY_AUTO) {
		p->schedstat = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
		p->waited_ns = waited_ns(p);
		if (p->waited_ns < 0)
			p->boost = PRIORITY_REALTIME;
	}
	if (p->boost == PRIORITY_REALTIME && !set_realtime())
		return 0;
	/* Without real time, take the highest ordinary priority. */
	FAILS(NO_PRIORITY);
	return set_nice(boost > 20 ? 20 : boost);
}

static void change(struct priority *p, bool realtime)
{
	if (p->realtime == realtime)
		return;
	/* Where the kernel refuses, the thread stays as it is, and nothing is tried again. */
	if (realtime ? set_realtime() : set_nice(20))
		p->boost = 20;
	p->realtime = realtime;
	/* The time that it waited meanwhile does not count. */
	if (!realtime)
		p->waited_ns = waited_ns(p);
}

void priority_note(struct priority *p, int packets, bool urgent, int64_t now_ns)
{
	int64_t before_ns = p->waited_ns;

	if (p->boost != PRIORITY_AUTO)
		return;
	/* A real-time thread does not wait for others, so there is nothing to read. */
	if (!p->realtime)
		p->waited_ns = waited_ns(p);
	if (packets || urgent)
		change(p, pressure_note(&p->pressure, packets, urgent,
					p->waited_ns - before_ns, now_ns));
}

void priority_end(struct priority *p)
{
	if (p->schedstat >= 0)
		close(p->schedstat);
	p->schedstat = -1;
}
