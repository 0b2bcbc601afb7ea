/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who makes room where a table is full: against a slow model, and for tables that use it. */
#include <netinet/in.h>

#include "flows.h"
#include "halves.h"
#include "scratch.h"
#include "shares.h"
#include "tap.h"

#define ENTRIES 64
#define USERS 5

static void test_users(void)
{
	tap_ok(share_of(0) != share_of(1000) && share_of(1000) != share_of(1001),
	       "users are told apart");
	tap_ok(share_of(100000) == share_of(165535) && share_of(100000) != share_of(165536),
	       "numbers that are handed out for namespaces count as one user");
	tap_ok(share_of(-1) < SHARE_USERS && share_of(4294967294) < SHARE_USERS,
	       "any number will do");
}

/* The same by looking through all. */
static struct { bool used; int user; int64_t time; } model[ENTRIES];

static uint32_t model_oldest(int user)
{
	uint32_t best = ENTRIES;

	for (uint32_t n = 0; n < ENTRIES; n++)
		if (model[n].used && (user < 0 || model[n].user == user) &&
		    (best == ENTRIES || model[n].time < model[best].time))
			best = n;
	return best;
}

static int model_count(int user)
{
	int count = 0;

	for (uint32_t n = 0; n < ENTRIES; n++)
		count += model[n].used && model[n].user == user;
	return count;
}

static bool agrees(const struct shares *s)
{
	uint32_t heaviest = shares_heaviest(s);
	int most = 0;

	for (int user = 0; user < USERS; user++)
		if (model_count(user) > most)
			most = model_count(user);
	return shares_oldest(s) == model_oldest(-1) && heaviest < ENTRIES &&
	       model_count(model[heaviest].user) == most &&
	       heaviest == model_oldest(model[heaviest].user);
}

static void test_random(void)
{
	struct shares *s = shares_new(ENTRIES);
	bool good = true;
	int used = 0;

	for (int64_t now = 1; now < 50000 && good; now++) {
		uint32_t n = (uint32_t)(scratch_random() % ENTRIES);

		if (!model[n].used) {
			model[n].used = true;
			/* Some users have more than others. */
			model[n].user = (int)(scratch_random() % USERS * (scratch_random() % 2));
			model[n].time = now;
			shares_add(s, n, model[n].user);
			used++;
		} else if (scratch_random() % 2) {
			model[n].time = now;
			shares_renew(s, n);
		} else {
			model[n].used = false;
			shares_remove(s, n);
			used--;
		}
		good = !used || agrees(s);
	}
	tap_ok(good, "the oldest, and the oldest of who has most, by a slow model");
	shares_free(s);
}

/* A user's flood of flows costs that user's. */
static void test_flows(void)
{
	struct flows *f = flows_new(100);
	struct flow gone;
	int others = 0;

	for (int i = 0; i < 10000; i++) {
		struct flow_key k = { .protocol = IPPROTO_UDP, .direction = DIRECTION_OUT,
				      .src.port = i % 60000, .echo_id = i, .uid = 1000 };

		if (i < 20)
			k.uid = 500 + i % 4;
		flows_add(f, &k, &gone)->row = (uint64_t)i + 1;
		others += gone.row && gone.key.uid != 1000;
	}
	tap_ok(flows_count(f) == 100 && others == 0, "a flood of flows leaves others' alone");
	flows_free(f);
}

static int add_half(struct halves *h, uint64_t id, int64_t uid, int64_t time_us)
{
	struct half half = { .id = id, .protocol = IPPROTO_TCP, .peer.port = 80, .inode = -1,
			     .pid = 9, .fd = -1, .uid = uid, .time_us = time_us };

	return halves_add(h, &half);
}

static void test_halves(void)
{
	struct halves *h = halves_new();
	uint64_t id = 1;
	int64_t evicted;
	int kept = 0;

	for (; id <= 50; id++)
		add_half(h, id, 500, 1000000);
	for (; id <= 20000; id++)
		add_half(h, id, 1000, 1000000 + (int64_t)id);
	for (uint64_t i = 1; i <= 50; i++)
		kept += halves_has(h, i);
	tap_ok(kept == 50, "a flood of halves leaves others' alone");
	evicted = halves_evicted(h);
	tap_ok(evicted == 20000 - HALVES_MAX, "and each of its own that made room is counted");
	/* Minutes later nothing more comes to the old ones. */
	for (int i = 0; i < 50; i++)
		add_half(h, ++id, 1000, 900000000);
	kept = 0;
	for (uint64_t i = 1; i <= 50; i++)
		kept += halves_slot(h, i) >= 0;
	tap_ok(kept == 0 && halves_evicted(h) == evicted,
	       "those whose other half cannot come any more go first, and are none that is missed");
	halves_free(h);
}

int main(int argc, char **argv)
{
	scratch_seed(argc, argv);
	test_users();
	test_random();
	test_flows();
	test_halves();
	return tap_done();
}
