/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Counters that are not the judge's. */
#include "attribution.h"
#include "file_hash.h"
#include "latency.h"
#include "ledger_sink.h"
#include "pairing.h"
#include "parts.h"
#include "peek.h"
#include "queue_counters.h"
#include "tally.h"

/* They stand at the end, behind the judge's. */
enum counter {
#define ONE_LESS(...) - 1
	BEFORE_FIRST = LEDGER_SINK_COUNTERS - 3 PAIRING_COUNTERS(ONE_LESS) PEEK_COUNTERS(ONE_LESS)
		       NAME_COUNTERS(ONE_LESS) FILE_COUNTERS(ONE_LESS) LATENCY_BUCKETS(ONE_LESS),
#undef ONE_LESS
#define X(id, name) T_##name,
	PAIRING_COUNTERS(X) PEEK_COUNTERS(X) NAME_COUNTERS(X) FILE_COUNTERS(X)
#undef X
#define X(id, name, bound) T_##name,
	LATENCY_BUCKETS(X)
#undef X
	T_WAITED_SUM, T_WAITED_MAX,
	COUNTERS_END
};

#define ONE_MORE(...) + 1
_Static_assert(BEFORE_FIRST + 1 >= 4 * SOURCES QUEUE_COUNTERS(ONE_MORE), "none is the judge's");
#undef ONE_MORE
_Static_assert(COUNTERS_END <= LEDGER_SINK_COUNTERS, "each counter has a number");

static void put(const struct parts *p, enum counter which, const char *name, int64_t value)
{
	ledger_sink_count(p->ledger_sink, (unsigned int)which, name, value);
}

static void put_latency(const struct parts *p, const struct latency *l)
{
#define X(id, name, bound) put(p, T_##name, #name, l->bucket[LATENCY_##id]);
	LATENCY_BUCKETS(X)
#undef X
	put(p, T_WAITED_SUM, LATENCY_SUM, l->sum_us);
	ledger_sink_largest(p->ledger_sink, T_WAITED_MAX, LATENCY_MAX, l->max_us);
}

void tally_publish(const struct parts *p)
{
	struct pairing_evicted evicted = pairing_evicted(p->host.pairing);
	struct peek_counts looks = peek_counts(p->host.peek);
	struct file_hash_counts files;

#define X(id, name) put(p, T_##name, #name, looks.id);
	PEEK_COUNTERS(X)
#undef X
	if (!p->judge)
		return;
	files = file_hashes_counts(p->host.hashes);
#define X(id, name) put(p, T_##name, #name, files.id);
	FILE_COUNTERS(X)
#undef X
#define X(id, name) put(p, T_##name, #name, evicted.id);
	PAIRING_COUNTERS(X)
#undef X
	put_latency(p, &p->host.latency);
	if (!p->host.names)
		return;
#define X(id, name) put(p, T_##name, #name, p->name_feed.count.id);
	NAME_COUNTERS(X)
#undef X
}
