/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The trace's events to those that remember them, and what is known where some were lost. */
#include "clock.h"
#include "host.h"
#include "lookups.h"
#include "tasks.h"
#include "tracefeed.h"

/* After an overrun it is not known which packets' events are missing. */
#define LOSSY_NS 200000000LL

static void take_trace_event(const struct trace_event *e, void *arg)
{
	struct host *h = arg;

	lookups_event(h->lookups, e);
	tasks_event(h->tasks, e);
}

void host_read_trace(struct host *h)
{
	int64_t before;

	if (!h->tracefs)
		return;
	before = tracefeed_overruns(h->tracefs);
	tracefeed_drain(h->tracefs, take_trace_event, h);
	if (tracefeed_overruns(h->tracefs) == before)
		return;
	tasks_forget(h->tasks);
	lookups_lost(h->lookups);
	h->lossy_until_ns = clock_mono_ns() + LOSSY_NS;
	h->complete_since_us = clock_now_us() + LOSSY_NS / 1000;
}

void host_note_backlog(struct host *h)
{
	int64_t now = clock_mono_ns();

	if (now < h->lossy_until_ns)
		h->lossy_until_ns = now + LOSSY_NS;
}
