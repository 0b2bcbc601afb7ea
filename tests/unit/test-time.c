/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Times: what is written, what a person may write, and that both agree. */
#include "clock.h"
#include "scratch.h"
#include "tap.h"

#define S TIME_US_PER_S
/* 2026-03-01T12:34:56.789012Z */
#define NOW (1772368496LL * S + 789012)
#define BAD INT64_MIN

static void test_format(void)
{
	static const struct {
		int64_t us;
		const char *text;
	} table[] = {
		{ 0, "1970-01-01T00:00:00.000000Z" },
		{ 1, "1970-01-01T00:00:00.000001Z" },
		{ -1, "1969-12-31T23:59:59.999999Z" },
		{ NOW, "2026-03-01T12:34:56.789012Z" },
		{ 1709251199LL * S + 999999, "2024-02-29T23:59:59.999999Z" },
		{ 253402300799LL * S + 999999, "9999-12-31T23:59:59.999999Z" },
	};
	char buf[TIME_TEXT_MAX];

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (!tap_ok(!strcmp(time_format(table[i].us, buf), table[i].text), "%s is written",
			    table[i].text))
			tap_note("got: %s", buf);
	/* What no calendar has still has to end up as text of the usual length. */
	tap_ok(strlen(time_format(INT64_MAX, buf)) == 27, "the largest number is a text: %s", buf);
	tap_ok(strlen(time_format(INT64_MIN, buf)) == 27, "the smallest number is a text: %s", buf);
}

static void test_parse(void)
{
	static const struct {
		const char *text;
		int64_t us;
	} table[] = {
		{ "2026-03-01T12:34:56.789012Z", NOW },
		{ "2026-03-01t12:34:56.789012z", NOW },
		{ "2026-03-01 12:34:56.789012", NOW },
		{ "2026-03-01T12:34:56.7890129999Z", NOW },
		{ "2026-03-01T14:34:56.789012+02:00", NOW },
		{ "2026-03-01T02:04:56.789012-10:30", NOW },
		{ "2026-03-01T12:34:56.7Z", NOW - 89012 },
		{ "2026-03-01T12:34:56", NOW - 789012 },
		{ "2026-03-01T12:34", NOW - 789012 - 56 * S },
		{ "2026-03-01T12:34Z", NOW - 789012 - 56 * S },
		{ "2026-03-01", 1772323200LL * S },
		{ "2024-02-29", 1709164800LL * S },
		{ "1970-01-01T00:00:00Z", 0 },
		{ "1969-12-31T23:59:59.999999Z", -1 },
		{ "now", NOW },
		{ "today", 1772323200LL * S },
		{ "yesterday", 1772236800LL * S },
		{ "10m", NOW - 600 * S },
		{ "2d", NOW - 2 * 86400 * S },
		{ "90s", NOW - 90 * S },
		/* As date(1), journalctl(1) and ISO 8601 have them. */
		{ "-90s", NOW - 90 * S },
		{ "2w", NOW - 14 * 86400 * S },
		{ "2 weeks ago", NOW - 14 * 86400 * S },
		{ "1 hour ago", NOW - 3600 * S },
		{ "3 hours", NOW - 3 * 3600 * S },
		{ "-5min", NOW - 300 * S },
		{ "5 mins ago", NOW - 300 * S },
		{ "10 m ago", NOW - 600 * S },
		{ "1day", NOW - 86400 * S },
		{ "@1772368496.789012", NOW },
		{ "@0", 0 },
		{ "@253402300800", BAD },
		{ "@99999999999999999999", BAD },
		{ "@", BAD },
		{ "@-1", BAD },
		{ "@1.", BAD },
		{ "@1x", BAD },
		{ "1 hour before", BAD },
		{ "1 hour agony", BAD },
		{ "1 hourss", BAD },
		{ "10ms ago", BAD },
		{ "10 mm", BAD },
		{ "hour ago", BAD },
		{ "--1h", BAD },
		{ "- 1h", BAD },
		{ "1 ", BAD },
		{ "1 ago", BAD },
		{ "9223372036854775807 weeks ago", BAD },
		{ "99999999999999999999 days", BAD },
		{ "2026-03-01T14:34:56.789012+0200", NOW },
		{ "2026-03-01T14:34:56.789012+02", NOW },
		{ "2026-03-01T02:04:56.789012-1030", NOW },
		{ "2026-03-01T14:34:56+2", BAD },
		{ "2026-03-01T14:34:56+02:", BAD },
		{ "2026-03-01T14:34:56+020", BAD },
		{ "2026-03-01T14:34:56+02000", BAD },
		{ "2026-03-01T14:34:56+02 00", BAD },
		/* Leap seconds, as RFC 3339 has them in its examples: the second after 59. */
		{ "2026-03-01T11:59:60Z", 1772366400LL * S },
		{ "1990-12-31T23:59:60Z", 662688000LL * S },
		{ "0000-01-01T00:00:00Z", -62167219200LL * S },
		{ "0000-01-01T00:00:00+00:01", BAD },
		{ "9999-12-31T23:59:59-00:01", BAD },
		{ "9999-12-31T23:59:59.999999Z", 253402300799LL * S + 999999 },
		{ "1000000d", BAD },
		{ "9223372036854775807us", BAD },
		{ "", BAD },
		{ "2026", BAD },
		{ "2026-02-29", BAD },
		{ "2026-02-30T00:00:00Z", BAD },
		{ "2026-04-31", BAD },
		{ "2026-13-01", BAD },
		{ "2026-00-01", BAD },
		{ "2026-01-00", BAD },
		{ "2026-1-1", BAD },
		{ "2026-01-01T", BAD },
		{ "2026-01-01T24:00", BAD },
		{ "2026-01-01T12:60", BAD },
		{ "2026-01-01T12:00:61", BAD },
		{ "2026-01-01T12:00:00.", BAD },
		{ "2026-01-01T12:00:00.Z", BAD },
		{ "2026-01-01T12:00:00+24:00", BAD },
		{ "2026-01-01T12:00:00Zx", BAD },
		{ "2026-01-01 ", BAD },
		{ " 2026-01-01", BAD },
		{ "-2026-01-01", BAD },
		{ "tomorrow", BAD },
		{ "Now", BAD },
		{ "10", BAD },
		{ "m", BAD },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		int64_t us = 4711;
		int rc = time_parse(table[i].text, NOW, &us);
		bool good = table[i].us == BAD ? rc < 0 : !rc && us == table[i].us;

		if (!tap_ok(good, "time '%s' %s", table[i].text,
			    table[i].us == BAD ? "is none" : "is read"))
			tap_note("returned %d, %lld, not %lld", rc, (long long)us,
				 (long long)table[i].us);
	}
}

static void test_duration(void)
{
	static const struct {
		const char *text;
		int64_t us;
	} table[] = {
		{ "0s", 0 }, { "1us", 1 }, { "1ms", 1000 }, { "1s", S }, { "1m", 60 * S },
		{ "1h", 3600 * S }, { "1d", 86400 * S }, { "007s", 7 * S },
		{ "9223372036854775807us", INT64_MAX },
		{ "9223372036854775808us", BAD }, { "9223372036854775807ms", BAD },
		{ "106751992d", BAD }, { "", BAD }, { "s", BAD }, { "1", BAD }, { "1 s", BAD },
		{ "1S", BAD }, { "1w", BAD }, { "-1s", BAD }, { "+1s", BAD }, { " 1s", BAD },
		{ "1.5s", BAD }, { "0x10s", BAD }, { "1ss", BAD }, { "1s ", BAD },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		int64_t us = 4711;
		int rc = duration_parse(table[i].text, &us);
		bool good = table[i].us == BAD ? rc < 0 : !rc && us == table[i].us;

		if (!tap_ok(good, "duration '%s' %s", table[i].text,
			    table[i].us == BAD ? "is none" : "is read"))
			tap_note("returned %d, %lld", rc, (long long)us);
	}
}

/* What is written is read as the same time; the model is the C library's own calendar. */
static void test_round(void)
{
	for (int i = 0; i < 20000; i++) {
		int64_t us = (int64_t)(scratch_random() % (253402300800ULL * S)), back = -1;
		char buf[TIME_TEXT_MAX], wanted[64], date[32];
		time_t seconds = (time_t)(us / S);
		struct tm tm;

		gmtime_r(&seconds, &tm);
		strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
		snprintf(wanted, sizeof(wanted), "%s.%06dZ", date, (int)(us % S));
		if (!strcmp(time_format(us, buf), wanted) && !time_parse(buf, 0, &back) &&
		    back == us)
			continue;
		tap_ok(false, "20000 times are written and read back");
		tap_note("%lld became %s, which is %lld", (long long)us, buf, (long long)back);
		return;
	}
	tap_ok(true, "20000 times are written and read back");
}

int main(int argc, char **argv)
{
	int64_t mono = clock_mono_ns(), wall = clock_now_us();

	scratch_seed(argc, argv);
	test_format();
	test_parse();
	test_duration();
	test_round();
	tap_ok(clock_mono_ns() >= mono, "the monotonic clock does not go back");
	tap_ok(wall > 1700000000LL * S && wall / S - time(NULL) < 2,
	       "the wall clock is the system's");
	for (int i = 0; i < 100; i++) {
		struct timespec before, after;

		clock_gettime(CLOCK_REALTIME, &before);
		wall = clock_now_us();
		clock_gettime(CLOCK_REALTIME, &after);
		if (wall >= before.tv_sec * S + before.tv_nsec / 1000 &&
		    wall <= after.tv_sec * S + after.tv_nsec / 1000)
			continue;
		tap_ok(false, "to the microsecond");
		return tap_done();
	}
	tap_ok(true, "to the microsecond");
	return tap_done();
}
