/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules that end: by which clock, and that none comes back. */
#include "clock.h"
#include "policing.h"
#include "tap.h"

#define HOUR_US (3600 * TIME_US_PER_S)
#define NOON_2030_US 1893499200000000LL	/* 2030-01-01T12:00Z */

/* "at" hours of the wall clock after noon, "boot" hours of the boot clock after it was read. */
struct moment {
	double at, boot;
	bool denied;
};

static bool is_over(struct policy *p, double at, double boot)
{
	struct policy_answer a;
	struct connection c;
	char buf[] = "uid=0";

	policy_pass_time(p, NOON_2030_US + (int64_t)(at * HOUR_US),
			 HOUR_US + (int64_t)(boot * HOUR_US));
	describe(&c, buf);
	policy_decide(p, &c, &a);
	return a.verdict == VERDICT_ACCEPT;
}

/* Rules that end: written at noon. */
static void test_ends(void)
{
	static const struct {
		const char *name, *policy;
		struct moment moments[4];
	} table[] = {
		{ "until", "deny user 0 until 2030-01-01T13:00Z",
		  { { 0, 0, true }, { 0.9, 0.9, true }, { 1, 1, false }, { 0, 1.1, false } } },
		{ "until a date", "deny user 0 until 2030-01-02",
		  { { 0, 0, true }, { 11.9, 11.9, true }, { 12, 12, false }, { 13, 13, false } } },
		{ "for", "deny user 0 for 90m",
		  { { 0, 0, true }, { 1.4, 1.4, true }, { 1.5, 1.5, false }, { 9, 9, false } } },
		{ "read long after it was written", "deny user 0 for 2h",
		  { { 1.5, 0, true }, { 1.9, 0.4, true }, { 2, 0.5, false }, { 3, 1.5, false } } },
		{ "read when it is over", "deny user 0 for 2h",
		  { { 2, 0, false }, { 3, 1, false }, { 0, 2, false }, { 0, 2, false } } },
		{ "the sooner of both", "deny user 0 until 2030-01-01T14:00Z for 1h",
		  { { 0, 0, true }, { 0.9, 0.9, true }, { 1, 1, false }, { 1, 1, false } } },
		{ "a clock that is set back", "deny user 0 for 2h",
		  { { 0, 0, true }, { 1, 1, true }, { -5, 1.9, true }, { -4.9, 2, false } } },
		{ "a clock that was wrong at the start", "deny user 0 until 2030-01-01T13:00Z",
		  { { -9999, 0, true }, { 0.9, 0.1, true }, { 1, 0.2, false }, { 0, 9, false } } },
		{ "a file from the future", "deny user 0 for 2h",
		  { { -50, 0, true }, { -48.1, 1.9, true }, { -48, 2, false }, { 0, 50, false } } },
		{ "suspended", "deny user 0 for 2h",
		  { { 0, 0, true }, { 0.1, 0.1, true }, { 7, 7, false }, { 7.1, 7.1, false } } },
		{ "over is over", "deny user 0 until 2030-01-01T13:00Z",
		  { { 0, 0, true }, { 2, 0.1, false }, { 0, 0.2, false }, { 0, 0.3, false } } },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		unsigned int count, wrong = 0;
		struct policy *p;

		parse(table[i].policy, strlen(table[i].policy), &count, &p);
		policy_written(p, NOON_2030_US);
		for (size_t n = 0; n < 4; n++)
			wrong += is_over(p, table[i].moments[n].at, table[i].moments[n].boot) ==
				 table[i].moments[n].denied;
		tap_ok(!wrong && !policy_ends(p), "%s", table[i].name);
		policy_free(p);
	}
}

static void test_at(void)
{
	const char text[] = "deny user 0 for 1h\nreject user 0 until 2030-01-01T11:00Z\n"
			    "allow user 0";
	unsigned int count;
	int64_t since_us;
	struct policy *p;

	parse(text, strlen(text), &count, &p);
	policy_written(p, NOON_2030_US);
	tap_ok(policy_ends(p) && policy_pass_time(p, NOON_2030_US, 1) &&
	       !policy_pass_time(p, NOON_2030_US, 2) && policy_ends(p), "one of two is over");
	tap_ok(policy_is_over(p, 1, &since_us) && since_us == NOON_2030_US - HOUR_US &&
	       !policy_is_over(p, 0, &since_us) && !policy_is_over(p, 2, &since_us),
	       "and is known to be");
	policy_at(p, NOON_2030_US - 2 * HOUR_US);
	tap_ok(!policy_is_over(p, 1, &since_us), "in the past it was not");
	policy_at(p, NOON_2030_US + 2 * HOUR_US);
	tap_ok(policy_is_over(p, 0, &since_us) && !policy_is_over(p, 2, &since_us) &&
	       !policy_ends(p), "later both are");
	policy_free(p);
}

int main(void)
{
	test_ends();
	test_at();
	return tap_done();
}
