/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Counters that are not the judge's. */
#include "ledger_sink.h"
#include "pairing.h"
#include "parts.h"
#include "peek.h"
#include "queue_counters.h"
#include "tally.h"

/* They stand at the end, behind the judge's. */
enum counter {
#define ONE_LESS(...) - 1
	BEFORE_FIRST = LEDGER_SINK_COUNTERS - 1 PAIRING_COUNTERS(ONE_LESS) PEEK_COUNTERS(ONE_LESS),
#undef ONE_LESS
#define X(id, name) T_##name,
	PAIRING_COUNTERS(X) PEEK_COUNTERS(X)
#undef X
	COUNTERS_END
};

_Static_assert(COUNTERS_END <= LEDGER_SINK_COUNTERS, "each counter has a number");

static void put(const struct parts *p, enum counter which, const char *name, int64_t value)
{
	ledger_sink_count(p->ledger_sink, (unsigned int)which, name, value);
}

void tally_publish(const struct parts *p)
{
	struct pairing_evicted evicted = pairing_evicted(p->host.pairing);
	struct peek_counts looks = peek_counts(p->host.peek);

#define X(id, name) put(p, T_##name, #name, looks.id);
	PEEK_COUNTERS(X)
#undef X
	if (!p->judge)
		return;
#define X(id, name) put(p, T_##name, #name, evicted.id);
	PAIRING_COUNTERS(X)
#undef X
}
