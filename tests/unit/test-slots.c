/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Places found by a hash, against a slow model. */
#include "scratch.h"
#include "slots.h"
#include "tap.h"

#define PLACES 32

static struct { bool taken; uint64_t hash; } model[PLACES];

static bool is_found(const struct slots *s, uint32_t n, uint64_t hash)
{
	uint32_t at = slots_first(s, hash);

	while (at != SLOT_NONE && at != n)
		at = slots_next(s, at);
	return at == n;
}

static bool agrees(const struct slots *s, int count)
{
	bool good = true;

	for (uint32_t n = 0; n < PLACES; n++)
		good &= !model[n].taken || is_found(s, n, model[n].hash);
	for (uint64_t hash = 0; hash < PLACES; hash++)
		for (uint32_t at = slots_first(s, hash); at != SLOT_NONE; at = slots_next(s, at)) {
			good &= model[at].taken && model[at].hash % PLACES == hash;
			count--;
		}
	return good && count == 0;
}

static void test_random(void)
{
	struct slots *s = slots_new(PLACES);
	bool good = true;
	int count = 0;

	for (int i = 0; i < 20000 && good; i++) {
		uint64_t hash = scratch_random();
		uint32_t n = (uint32_t)(scratch_random() % PLACES);

		if (model[n].taken && hash % 3 == 0) {
			slots_remove(s, n);
			model[n].taken = false;
			count--;
		} else if (model[n].taken && hash % 3 == 1) {
			slots_renew(s, n);
		} else {
			n = slots_add(s, hash, (int64_t)(hash % 3));
			count += !model[n].taken;
			model[n].taken = true;
			model[n].hash = hash;
		}
		good = n < PLACES && agrees(s, count);
	}
	tap_ok(good, "what is there is found, and nothing else, by a slow model");
	slots_free(s);
}

static void test_flood(void)
{
	struct slots *s = slots_new(PLACES);
	uint32_t theirs = slots_add(s, 7, 500);
	bool kept = true;

	for (uint64_t i = 0; i < 1000; i++)
		kept &= slots_add(s, i, 1000) != theirs;
	tap_ok(kept && is_found(s, theirs, 7), "a flood leaves another user's alone");
	tap_ok(slots_evicted(s) == 1000 - (PLACES - 1), "and what made room is counted");
	slots_free(s);
}

int main(int argc, char **argv)
{
	scratch_seed(argc, argv);
	test_random();
	test_flood();
	return tap_done();
}
