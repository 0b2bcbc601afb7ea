/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers for keys: a hash table that grows, up to a bound. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "keys.h"

struct key {
	char *bytes;
	size_t len;
	uint64_t hash;
};

void keys_init(struct keys *k, int most)
{
	*k = (struct keys){ .most = most };
}

void keys_release(struct keys *k)
{
	for (int i = 0; i < k->count; i++)
		free(k->key[i].bytes);
	free(k->key);
	free(k->slot);
	free(k->now);
	keys_init(k, 0);
}

void keys_begin(struct keys *k)
{
	k->len = 0;
}

static void add_bytes(struct keys *k, const void *bytes, size_t len)
{
	if (k->len + len > k->size) {
		size_t size = 2 * (k->len + len) + 256;
		char *grown = realloc(k->now, size);

		if (!grown) {
			k->failed = -ENOMEM;
			return;
		}
		k->now = grown;
		k->size = size;
	}
	if (len)
		memcpy(k->now + k->len, bytes, len);
	k->len += len;
}

void keys_add_number(struct keys *k, long long n)
{
	add_bytes(k, &n, sizeof(n));
}

void keys_add(struct keys *k, struct text t)
{
	/* With its length before it no text runs into the next one. */
	keys_add_number(k, t.data ? (long long)t.len : -1);
	if (t.data)
		add_bytes(k, t.data, t.len);
}

/* Where the key with that hash and these bytes is, or would be. */
static int *slot_of(const struct keys *k, uint64_t hash, const char *bytes, size_t len)
{
	for (size_t at = hash;; at++) {
		int *slot = &k->slot[at & (k->slots - 1)];
		const struct key *there = &k->key[*slot - 1];

		if (!*slot || (there->hash == hash && there->len == len &&
			       !memcmp(there->bytes, bytes, len)))
			return slot;
	}
}

/* Room for one more key, with half of the slots free. */
static int grow(struct keys *k)
{
	size_t slots = k->slots ? 2 * k->slots : 64;
	struct key *key;
	int *slot;

	if ((size_t)k->count < k->slots / 2)
		return 0;
	key = reallocarray(k->key, slots / 2, sizeof(*key));
	if (!key)
		return -ENOMEM;
	k->key = key;
	slot = calloc(slots, sizeof(*slot));
	if (!slot)
		return -ENOMEM;
	free(k->slot);
	k->slot = slot;
	k->slots = slots;
	for (int i = 0; i < k->count; i++)
		*slot_of(k, key[i].hash, key[i].bytes, key[i].len) = i + 1;
	return 0;
}

int keys_number(struct keys *k)
{
	uint64_t hash = text_hash(TEXT_HASH_SEED, k->now, k->len);
	char *bytes;
	int *slot;

	if (!k->failed)
		k->failed = grow(k);
	if (k->failed)
		return -1;
	slot = slot_of(k, hash, k->now, k->len);
	if (*slot)
		return *slot - 1;
	bytes = k->count < k->most ? malloc(k->len + 1) : NULL;
	if (!bytes) {
		k->failed = k->count < k->most ? -ENOMEM : 0;
		return -1;
	}
	memcpy(bytes, k->now, k->len);
	k->key[k->count] = (struct key){ bytes, k->len, hash };
	*slot = ++k->count;
	return k->count - 1;
}
