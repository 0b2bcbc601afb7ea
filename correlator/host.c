/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The trace's events to those that remember them, and what is known where some were lost. */
#include <netinet/in.h>

#include "clock.h"
#include "host.h"
#include "lookups.h"
#include "tasks.h"
#include "trace.h"
#include "tracefeed.h"

/* After an overrun it is not known which packets' events are missing. */
#define LOSSY_NS 200000000LL

/* A flow that is marked does not come to the queue any more: its own process's lookups have no
 * packet.  Where the list is full the process that looked the tuple up first will be found by its
 * next lookup. */
static void note_doubt(struct host *h, const struct trace_event *e)
{
	struct flow_key key = { e->protocol, DIRECTION_OUT, e->src, e->dst, -1, -1, 0 };
	const struct flow *f = flows_find_tuple(h->datagrams, &key);

	if (!f || !f->marked_ns || f->pid < 0)
		return;
	if (tasks_process(h->tasks, e->tid, e->time_ns) == f->pid)
		lookups_drop_newest(h->lookups, e->tid);
	else if (h->doubted < HOST_DOUBT_MAX)
		h->doubt[h->doubted++] = key;
}

static void take_trace_event(const struct trace_event *e, void *arg)
{
	struct host *h = arg;

	lookups_event(h->lookups, e);
	tasks_event(h->tasks, e);
	if (h->datagrams && e->kind == TRACE_LOOKUP && e->protocol != IPPROTO_TCP &&
	    e->src.port > 0)
		note_doubt(h, e);
}

void host_note_gap(struct host *h)
{
	h->lossy_until_ns = clock_mono_ns() + LOSSY_NS;
	h->complete_since_ns = clock_mono_ns() + LOSSY_NS;
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
	host_note_gap(h);
}

void host_note_backlog(struct host *h)
{
	int64_t now = clock_mono_ns();

	if (now < h->lossy_until_ns)
		h->lossy_until_ns = now + LOSSY_NS;
}

bool host_records_come(const struct host *h)
{
	return h->records_came && (!h->cache_written || atomic_load(h->cache_written));
}
