/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the trace, or another process's record, tells of a packet's call when the packet has its
 * verdict already. */
#include "attribution.h"
#include "call_result.h"
#include "connection.h"
#include "event.h"
#include "host.h"
#include "late_calls.h"
#include "ledger_change.h"
#include "ledger_sink.h"
#include "lookups.h"
#include "names.h"
#include "pairing.h"
#include "tasks.h"

static void put_answer(const struct host *h, struct ledger_sink *sink, uint64_t row,
		       const struct attribution *a)
{
	struct ledger_change change;

	ledger_change_init(&change, CHANGE_PROVE, row);
	change.connection.evidence = a->evidence;
	change.connection.certainty = a->certainty;
	names_proven(h->names, row, a->certainty);
	ledger_sink_put(sink, LEDGER_SINK_KEEP, &change);
}

static void weigh_again(const struct host *h, struct ledger_sink *sink,
			const struct packet_word *w, uint64_t row)
{
	struct attribution a;

	attribute(&w->facts, &w->testimony, &a);
	/* The row may name another process since its record has come. */
	if (a.caller == w->caller)
		put_answer(h, sink, row, &a);
}

struct rival_record {
	const struct host *host;
	struct ledger_sink *sink;
};

/* The row has lost its proof by that: what it says of the process stays. */
static void on_rival(struct packet_word *w, uint64_t row, void *arg)
{
	const struct rival_record *r = arg;
	struct testimony without = w->testimony;
	struct attribution a, before;

	without.calls.count--;
	attribute(&w->facts, &without, &before);
	attribute(&w->facts, &w->testimony, &a);
	if (a.certainty != before.certainty)
		put_answer(r->host, r->sink, row, &a);
}

void late_calls_record(struct host *h, struct ledger_sink *sink, const struct event *e)
{
	struct rival_record r = { h, sink };

	if (!e->node.data && (e->kind == EVENT_CONNECT || e->kind == EVENT_SEND) &&
	    !call_sent_nothing((int)e->exit))
		pairing_call(h->pairing, e, on_rival, &r);
}

void late_calls_take(struct host *h, struct ledger_sink *sink)
{
	struct packet_word *w;
	int64_t time_ns;
	uint64_t row;
	int32_t tid;

	while (h->tracefs && (row = lookups_called(h->lookups)) != 0) {
		w = pairing_of_row(h->pairing, row);
		if (!w || w->caller < 0)
			continue;
		w->testimony.trace.by[w->caller].call = true;
		weigh_again(h, sink, w, row);
	}
	while (h->tracefs && (row = lookups_left(h->lookups, &tid, &time_ns)) != 0) {
		w = pairing_of_row(h->pairing, row);
		if (!w || w->caller < 0 || tasks_process(h->tasks, tid, time_ns) == w->pid)
			continue;
		w->testimony.trace.by[w->caller].left = true;
		weigh_again(h, sink, w, row);
	}
}
