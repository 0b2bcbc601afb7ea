/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Places by hash: chains of those of one bucket, and a chain of the free ones. */
#include <stdlib.h>

#include "shares.h"
#include "slots.h"

struct slots {
	struct shares *shares;
	uint32_t max, free;		/* free: the first of those that are not taken */
	int64_t evicted;
	uint32_t *bucket;		/* max of them */
	struct slot {
		uint32_t next, bucket;
	} slot[];
};

struct slots *slots_new(uint32_t max)
{
	struct slots *s = calloc(1, sizeof(*s) + max * sizeof(s->slot[0]));

	if (!s)
		return NULL;
	s->max = max;
	s->shares = shares_new(max);
	s->bucket = malloc(max * sizeof(*s->bucket));
	if (!s->shares || !s->bucket) {
		slots_free(s);
		return NULL;
	}
	for (uint32_t n = 0; n < max; n++) {
		s->bucket[n] = SLOT_NONE;
		s->slot[n].next = n + 1 < max ? n + 1 : SLOT_NONE;
	}
	return s;
}

void slots_free(struct slots *s)
{
	if (!s)
		return;
	shares_free(s->shares);
	free(s->bucket);
	free(s);
}

void slots_remove(struct slots *s, uint32_t n)
{
	uint32_t *at = &s->bucket[s->slot[n].bucket];

	while (*at != n)
		at = &s->slot[*at].next;
	*at = s->slot[n].next;
	shares_remove(s->shares, n);
	s->slot[n].next = s->free;
	s->free = n;
}

uint32_t slots_add(struct slots *s, uint64_t hash, int64_t uid)
{
	uint32_t n, bucket = (uint32_t)(hash % s->max);

	if (s->free == SLOT_NONE) {
		slots_remove(s, shares_heaviest(s->shares));
		s->evicted++;
	}
	n = s->free;
	s->free = s->slot[n].next;
	s->slot[n] = (struct slot){ s->bucket[bucket], bucket };
	s->bucket[bucket] = n;
	shares_add(s->shares, n, uid);
	return n;
}

void slots_renew(struct slots *s, uint32_t n)
{
	shares_renew(s->shares, n);
}

uint32_t slots_first(const struct slots *s, uint64_t hash)
{
	return s->bucket[hash % s->max];
}

uint32_t slots_next(const struct slots *s, uint32_t n)
{
	return s->slot[n].next;
}

int64_t slots_evicted(const struct slots *s)
{
	return s->evicted;
}
