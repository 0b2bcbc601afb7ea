/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_LATENCY_H
#define SOCKLEDGER_LATENCY_H

#include <stdint.h>

/*
 * How long packets wait for their verdicts, as a histogram of fixed buckets.  X(id, name, bound):
 * waits of at most `bound` microseconds that are in no bucket above.  The names are those of the
 * ledger's table `counter`; a ledger keeps them, so a bound never changes its name.
 */
#define LATENCY_BUCKETS(X)                                                                     \
	X(10US, waited_10us, 10)	X(20US, waited_20us, 20)                               \
	X(50US, waited_50us, 50)	X(100US, waited_100us, 100)                            \
	X(200US, waited_200us, 200)	X(500US, waited_500us, 500)                            \
	X(1MS, waited_1ms, 1000)	X(2MS, waited_2ms, 2000)                               \
	X(5MS, waited_5ms, 5000)	X(10MS, waited_10ms, 10000)                            \
	X(20MS, waited_20ms, 20000)	X(50MS, waited_50ms, 50000)                            \
	X(100MS, waited_100ms, 100000)	X(200MS, waited_200ms, 200000)                         \
	X(500MS, waited_500ms, 500000)	X(1S, waited_1s, 1000000)                              \
	X(LONGER, waited_longer, INT64_MAX)

enum latency_bucket {
#define X(id, name, bound) LATENCY_##id,
	LATENCY_BUCKETS(X)
#undef X
	LATENCY_COUNT
};

#define LATENCY_SUM "waited_sum_us" /* of all */
#define LATENCY_MAX "waited_max_us" /* the longest one */

struct latency {
	int64_t bucket[LATENCY_COUNT];
	int64_t sum_us, max_us;
	int64_t late; /* of all, that took longer than they should */
};

const char *latency_name(enum latency_bucket b);
int64_t latency_bound_us(enum latency_bucket b);

/* A packet has waited so long; longer than late_us is late. */
void latency_note(struct latency *l, int64_t waited_ns, int64_t late_us);

/* How many there are. */
int64_t latency_total(const struct latency *l);

/* At least `percent` of all took at most so many microseconds: a bound, or the longest one.  -1:
 * there are none. */
int64_t latency_quantile_us(const struct latency *l, int percent);

#endif
