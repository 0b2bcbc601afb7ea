/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A host on which anything happens, by chance: whatever it is, each packet gets its one verdict. */
#include <stdlib.h>

#include "chaos.h"
#include "fake-host.h"
#include "scratch.h"
#include "tap.h"

static uint32_t by_chance(void *arg, uint32_t n)
{
	(void)arg;
	return (uint32_t)(scratch_random() % n);
}

#ifdef __SANITIZE_ADDRESS__
#define CHANCES 200000
#else
#define CHANCES 1000000
#endif
#define LIFE 50000

/* Every packet gets exactly one verdict, whatever happens. */
static void test_chance(void)
{
	/* Under valgrind fewer take as long. */
	int chances = getenv("UNDER_VALGRIND") ? CHANCES / 20 : CHANCES;
	const struct chaos c = { .draw = by_chance };
	int64_t wrong = 0, rows = 0, parked = 0;

	for (int lives = chances / LIFE; lives > 0; lives--) {
		chaos_begin(&c);
		for (int n = 0; n < LIFE; n++) {
			chaos_packet(&c);
			for (uint32_t events = by_chance(NULL, 5); events > 0; events--)
				chaos_event(&c);
		}
		wrong += chaos_end();
		rows += fake.rows;
		parked += fake_counter("queue_parked");
	}
	tap_ok(!wrong, "%d packets, one verdict each", chances);
	if (!tap_ok(rows > chances / 2 && parked > chances / 8, "of all kinds"))
		tap_note("%lld rows, %lld parked", (long long)rows, (long long)parked);
}

int main(int argc, char **argv)
{
	scratch_seed(argc, argv);
	test_chance();
	return tap_done();
}
