/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A histogram of waits, compared with the waits themselves. */
#include <stdio.h>
#include <stdlib.h>

#include "latency.h"
#include "tap.h"

#define WAITS 1000

static int compare(const void *a, const void *b)
{
	const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* A quantile is no smaller than the true one, and no larger than its bucket's bound. */
static void test_random(unsigned int seed)
{
	static int64_t wait[WAITS];
	struct latency l = { .late = 0 };
	int64_t sum = 0, late = 0;

	srand(seed);
	for (int i = 0; i < WAITS; i++) {
		/* From 1 us to 4 s. */
		wait[i] = 1 + rand() % (4 << rand() % 21);
		latency_note(&l, wait[i] * 1000, 50000);
		sum += wait[i];
		late += wait[i] > 50000;
	}
	qsort(wait, WAITS, sizeof(wait[0]), compare);
	for (int percent = 1; percent <= 100; percent++) {
		int64_t is = latency_quantile_us(&l, percent), bound = l.max_us;
		int64_t truth = wait[WAITS * percent / 100 - 1];

		for (int b = LATENCY_COUNT - 1; b >= 0; b--)
			if (latency_bound_us((enum latency_bucket)b) >= truth &&
			    latency_bound_us((enum latency_bucket)b) < bound)
				bound = latency_bound_us((enum latency_bucket)b);
		if (is != bound) {
			tap_ok(false, "quantile");
			tap_note("%d %%: %lld, where %lld is true: seed %u", percent, (long long)is,
				 (long long)truth, seed);
			return;
		}
	}
	tap_ok(l.sum_us == sum && l.late == late && l.max_us == wait[WAITS - 1] &&
		       latency_total(&l) == WAITS,
	       "waits of seed %u", seed);
}

int main(void)
{
	struct latency l = { .late = 0 };
	int64_t before = 0;
	bool rises = true;

	for (int b = 0; b < LATENCY_COUNT; b++) {
		rises &= latency_bound_us((enum latency_bucket)b) > before;
		before = latency_bound_us((enum latency_bucket)b);
	}
	tap_ok(rises && before == INT64_MAX, "bounds rise, and the last one has none");
	tap_ok(latency_quantile_us(&l, 50) == -1, "there are no waits");
	latency_note(&l, 10000, 50000);
	tap_ok(l.bucket[LATENCY_10US] == 1, "a bound is in its bucket");
	latency_note(&l, 10001, 50000);
	tap_ok(l.bucket[LATENCY_20US] == 1, "and what is longer is not");
	tap_ok(latency_quantile_us(&l, 50) == 10 && latency_quantile_us(&l, 51) == 11,
	       "of two the half is the shorter one");
	latency_note(&l, 0, 50000);
	latency_note(&l, 3600LL * 1000000000, 50000);
	tap_ok(l.bucket[LATENCY_10US] == 2 && l.bucket[LATENCY_LONGER] == 1 && l.late == 1 &&
		       latency_quantile_us(&l, 100) == 3600000000LL,
	       "from nothing to an hour");
	latency_note(&l, 50000LL * 1000, 50000);
	tap_ok(l.late == 1, "what takes no longer than it may is not late");
	latency_note(&l, 50000LL * 1000 + 1, 50000);
	tap_ok(l.late == 2, "and a nanosecond more is");
	for (unsigned int seed = 1; seed <= 20; seed++)
		test_random(seed);
	return tap_done();
}
