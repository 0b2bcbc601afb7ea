/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A histogram of waits: cheap to add to, because a packet waits while that is done. */
#include "latency.h"

static const struct {
	const char *name;
	int64_t bound_us;
} buckets[LATENCY_COUNT] = {
#define X(id, name, bound) { #name, bound },
	LATENCY_BUCKETS(X)
#undef X
};

const char *latency_name(enum latency_bucket b)
{
	return buckets[b].name;
}

int64_t latency_bound_us(enum latency_bucket b)
{
	return buckets[b].bound_us;
}

void latency_note(struct latency *l, int64_t waited_ns, int64_t late_us)
{
	/* Rounded up: a bound is kept by what is in its bucket. */
	int64_t us = (waited_ns + 999) / 1000;
	int b = 0;

	while (us > buckets[b].bound_us)
		b++;
	l->bucket[b]++;
	l->sum_us += us;
	if (us > l->max_us)
		l->max_us = us;
	l->late += waited_ns > late_us * 1000;
}

int64_t latency_total(const struct latency *l)
{
	int64_t total = 0;

	for (int b = 0; b < LATENCY_COUNT; b++)
		total += l->bucket[b];
	return total;
}

int64_t latency_quantile_us(const struct latency *l, int percent)
{
	int64_t total = latency_total(l), rank = total - total / 100 * (100 - percent), seen = 0;

	/* Of few ones a hundredth is not a whole number. */
	rank -= total % 100 * (100 - percent) / 100;
	if (!total)
		return -1;
	for (int b = 0; b < LATENCY_COUNT; b++) {
		seen += l->bucket[b];
		if (seen >= rank)
			return buckets[b].bound_us < l->max_us ? buckets[b].bound_us : l->max_us;
	}
	return l->max_us;
}
