/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the trace tells of a packet's call when the packet has its verdict already. */
#include "attribution.h"
#include "connection.h"
#include "host.h"
#include "late_calls.h"
#include "ledger_change.h"
#include "ledger_sink.h"
#include "lookups.h"
#include "names.h"
#include "pairing.h"
#include "tasks.h"

static void weigh_again(const struct host *h, struct ledger_sink *sink,
			const struct packet_word *w, uint64_t row)
{
	struct ledger_change change;
	struct attribution a;

	attribute(&w->facts, &w->testimony, &a);
	/* The row may name another process since its record has come. */
	if (a.caller != w->caller)
		return;
	ledger_change_init(&change, CHANGE_PROVE, row);
	change.connection.evidence = a.evidence;
	change.connection.certainty = a.certainty;
	names_proven(h->names, row, a.certainty);
	ledger_sink_put(sink, LEDGER_SINK_KEEP, &change);
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
