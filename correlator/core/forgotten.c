/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Packets that made room before their record came. */
#include <stdlib.h>

#include "clock.h"
#include "connection.h"
#include "forgotten.h"
#include "halves.h"
#include "text.h"

struct entry {
	uint64_t key;
	int64_t first_us, last_us;
	uint32_t count;
};

struct forgotten {
	struct entry entry[FORGOTTEN_MAX];
};

struct forgotten *forgotten_new(void)
{
	return calloc(1, sizeof(struct forgotten));
}

void forgotten_free(struct forgotten *f)
{
	free(f);
}

static uint64_t key_of(int64_t pid, const struct endpoint *peer)
{
	uint64_t h = text_hash(TEXT_HASH_SEED, &peer->addr, sizeof(peer->addr));

	h = text_hash(h, &peer->port, sizeof(peer->port));
	return text_hash(h, &pid, sizeof(pid));
}

void forgotten_add(struct forgotten *f, int64_t pid, const struct endpoint *peer, int64_t time_us)
{
	uint64_t key = key_of(pid, peer);
	struct entry *e = &f->entry[key % FORGOTTEN_MAX];

	if (pid < 0)
		return;
	if (e->key != key || !e->count || time_us - e->last_us > HALVES_AFTER_TCP_US)
		*e = (struct entry){ .key = key, .first_us = time_us };
	e->last_us = time_us;
	e->count++;
}

bool forgotten_take(struct forgotten *f, int64_t pid, const struct endpoint *peer, int64_t time_us)
{
	uint64_t key = key_of(pid, peer);
	struct entry *e = &f->entry[key % FORGOTTEN_MAX];

	if (pid < 0 || e->key != key || !e->count || time_us > e->last_us + HALVES_BEFORE_US ||
	    time_us < e->first_us - HALVES_AFTER_TCP_US)
		return false;
	e->count--;
	return true;
}
