/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Times, hosts and prefixes in front of a packet, as each logger writes them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "log_head.h"
#include "tap.h"

/* The last moment that a line can be of, and the boot. */
#define NEWEST "2026-11-30T12:00:00Z"
#define BOOT "2026-11-28T19:55:10Z"

static struct stamp_rules rules_of(int year)
{
	struct stamp_rules r = { .year = year };

	if (time_parse(NEWEST, 0, &r.newest_us) || time_parse(BOOT, 0, &r.boot_us))
		abort();
	return r;
}

/* "TIME HOST PREFIX", "-" for what is not known. */
static const char *read_head(const char *text, int year, int back, char buf[512])
{
	struct stamp_rules r = rules_of(year);
	struct log_head h;
	char time[TIME_TEXT_MAX] = "-";
	int64_t us, slack;

	log_head_parse(text_of(text), &h);
	if (stamp_time(&h.stamp, &r, back, &us, &slack))
		time_format(us, time);
	snprintf(buf, 512, "%s %.*s '%.*s'", time, h.host.data ? (int)h.host.len : 1,
		 h.host.data ? h.host.data : "-", (int)h.prefix.len, h.prefix.data);
	return buf;
}

struct row { const char *head, *wanted; };

static void check(const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char buf[512];

		if (!tap_ok(!strcmp(read_head(rows[i].head, 0, 0, buf), rows[i].wanted), "'%s'",
			    rows[i].head))
			tap_note("got %s, wanted %s", buf, rows[i].wanted);
	}
}

static void test_forms(void)
{
	static const struct row rows[] = {
		{ "", "- - ''" },
		{ "nothing that anybody knows: ", "- - 'nothing that anybody knows:'" },
		{ "Nov 28 20:32:08 www kernel: [ 2236.618947] out:",
		  "2026-11-28T20:32:08.000000Z www 'out:'" },
		{ "Nov 28 20:32:08 www ulogd[812]: x ", "2026-11-28T20:32:08.000000Z www 'x'" },
		{ "<4>1 2026-11-28T20:32:12.5Z www ulogd 812 - - x ",
		  "2026-11-28T20:32:12.500000Z www 'x'" },
		{ "<4>Nov 28 20:32:08 kernel: x ", "2026-11-28T20:32:08.000000Z - 'x'" },
		{ "<4>Nov 28 20:32:08 kernel: [ 2236.618947] x ",
		  "2026-11-28T20:32:08.000000Z - 'x'" },
		{ "Nov 28 20:32:08 kernel kernel: x ",
		  "2026-11-28T20:32:08.000000Z kernel 'x'" },
		{ "Nov 28 20:32:08 www ulogdx: x ",
		  "2026-11-28T20:32:08.000000Z - 'www ulogdx: x'" },
		{ "Nov  8 20:32:08 www kernel: x ", "2026-11-08T20:32:08.000000Z www 'x'" },
		{ "    Nov 28 20:32:08 www kernel: x ", "2026-11-28T20:32:08.000000Z www 'x'" },
		{ "Nov 28 20:32:14.123456 www kernel: nft-all ",
		  "2026-11-28T20:32:14.123456Z www 'nft-all'" },
		{ "Nov 28 2025 20:32:08 www kernel: x ", "2025-11-28T20:32:08.000000Z www 'x'" },
		{ "Nov 28 20:32:08 2025 www kernel: x ", "2025-11-28T20:32:08.000000Z www 'x'" },
		{ "<4>Nov 28 20:32:08 www kernel: x ", "2026-11-28T20:32:08.000000Z www 'x'" },
		{ "Nov 28 20:32:08 www user.warn kernel: x ",
		  "2026-11-28T20:32:08.000000Z www 'x'" },
		{ "Nov 28 20:32:08 2001:db8::1 kernel: x ",
		  "2026-11-28T20:32:08.000000Z 2001:db8::1 'x'" },
		{ "2026-11-28T20:32:11.000123+01:00 www kernel: [ 2239.000001] [UFW AUDIT] ",
		  "2026-11-28T19:32:11.000123Z www '[UFW AUDIT]'" },
		{ "2026-11-28T20:32:13+0000 www kernel: x ",
		  "2026-11-28T20:32:13.000000Z www 'x'" },
		{ "2026-11-28T20:32:13-0530 www kernel: x ",
		  "2026-11-29T02:02:13.000000Z www 'x'" },
		{ "2026-11-28T20:32:28,618952+00:00 d: ", "2026-11-28T20:32:28.618952Z - 'd:'" },
		{ "2026-11-28T20:32:28Z no-colon ", "2026-11-28T20:32:28.000000Z - 'no-colon'" },
		{ "<4>1 2026-11-28T20:32:12.500000Z www.example.com kernel - - - filter_IN: ",
		  "2026-11-28T20:32:12.500000Z www.example.com 'filter_IN:'" },
		{ "<4>1 2026-11-28T20:32:12.5Z - kernel - - - x ",
		  "2026-11-28T20:32:12.500000Z - 'x'" },
		{ "Sat 2026-11-28 20:32:08 UTC www kernel: x ",
		  "2026-11-28T20:32:08.000000Z www 'x'" },
		{ "1795897960.618952 www kernel: u: ", "2026-11-28T20:32:40.618952Z www 'u:'" },
		{ "[ 2242.000002] ", "2026-11-28T20:32:32.000002Z - ''" },
		{ "[ 2242.000002] www kernel: x ", "2026-11-28T20:32:32.000002Z www 'x'" },
		{ "[ 2242.000002][  T123] x ", "2026-11-28T20:32:32.000002Z - 'x'" },
		{ "[ 2242.000002 <    0.000005>] x ", "2026-11-28T20:32:32.000002Z - 'x'" },
		{ "[  +0.000005] x ", "- - 'x'" },
		{ "[Sat Nov 28 20:32:27 2026] lo ", "2026-11-28T20:32:27.000000Z - 'lo'" },
		{ "kern  :warn  : [ 2257.000001] d: ", "2026-11-28T20:32:47.000001Z - 'd:'" },
		{ "<4>[ 2257.000001] d: ", "2026-11-28T20:32:47.000001Z - 'd:'" },
		{ "4,965,2258618952,-;d: ", "2026-11-28T20:32:48.618952Z - 'd:'" },
		/* Prefixes that look like something else. */
		{ "[UFW BLOCK] ", "- - '[UFW BLOCK]'" },
		{ "[1] x ", "- - '[1] x'" },
		{ "Nov drop: ", "- - 'Nov drop:'" },
		{ "kern: ", "- - 'kern:'" },
		{ "<x> ", "- - '<x>'" },
		{ "12: ", "- - '12:'" },
		{ "4,5,6 ", "- - '4,5,6'" },
		/* No such day, no such time. */
		{ "Nov 31 20:32:08 www kernel: x ", "- www 'x'" },
		{ "Nov 28 24:32:08 www kernel: x ", "- - 'Nov 28 24:32:08 www kernel: x'" },
		{ "2026-02-30T20:32:13+0000 www kernel: x ", "- www 'x'" },
	};

	check(rows, sizeof(rows) / sizeof(rows[0]));
}

static void test_years(void)
{
	static const struct {
		const char *head;
		int year, back;
		const char *wanted;
	} rows[] = {
		/* A day may lie between the line's clock and ours. */
		{ "Nov 30 12:00:00", 0, 0, "2026-11-30T12:00:00.000000Z" },
		{ "Dec 01 11:59:59", 0, 0, "2026-12-01T11:59:59.000000Z" },
		{ "Dec 01 12:00:01", 0, 0, "2025-12-01T12:00:01.000000Z" },
		{ "Jan 01 00:00:00", 0, 0, "2026-01-01T00:00:00.000000Z" },
		{ "Jan 01 00:00:00", 0, 7, "2019-01-01T00:00:00.000000Z" },
		{ "Jan 01 00:00:00", 2019, 0, "2019-01-01T00:00:00.000000Z" },
		{ "Feb 29 00:00:00", 0, 0, "2024-02-29T00:00:00.000000Z" },
		{ "Feb 29 00:00:00", 2023, 0, "-" },
		{ "Feb 29 00:00:00", 0, 1, "-" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char buf[512];

		read_head(rows[i].head, rows[i].year, rows[i].back, buf);
		buf[strcspn(buf, " ")] = '\0';
		if (!tap_ok(!strcmp(buf, rows[i].wanted), "%s, year %d, %d back", rows[i].head,
			    rows[i].year, rows[i].back))
			tap_note("got %s, wanted %s", buf, rows[i].wanted);
	}
}

/* Stamps without a zone are of the one that TZ says, also in summer. */
static void test_zones(void)
{
	static const struct row rows[] = {
		{ "Jul 01 12:00:00 www kernel: x ", "2026-07-01T10:00:00.000000Z www 'x'" },
		{ "Nov 01 12:00:00 www kernel: x ", "2026-11-01T11:00:00.000000Z www 'x'" },
		{ "Sat 2026-11-28 20:32:08 UTC www kernel: x ",
		  "2026-11-28T20:32:08.000000Z www 'x'" },
		{ "Sat 2026-11-28 20:32:08 CET www kernel: x ",
		  "2026-11-28T19:32:08.000000Z www 'x'" },
		/* The hour that comes twice has its name told. */
		{ "Sun 2026-10-25 02:30:00 CEST www kernel: x ",
		  "2026-10-25T00:30:00.000000Z www 'x'" },
		{ "Sun 2026-10-25 02:30:00 CET www kernel: x ",
		  "2026-10-25T01:30:00.000000Z www 'x'" },
		{ "2026-11-28T20:32:13+0000 www kernel: x ",
		  "2026-11-28T20:32:13.000000Z www 'x'" },
	};

	setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
	tzset();
	check(rows, sizeof(rows) / sizeof(rows[0]));
}

/* Where the clock is set back it shows an hour twice: the later is taken, if it has been yet. */
static void test_twice(void)
{
	static const struct {
		const char *head, *newest, *taken, *other;
	} rows[] = {
		{ "Oct 25 02:30:05 www kernel: x ", "2026-11-30T12:00:00Z",
		  "2026-10-25T01:30:05.000000Z", "2026-10-25T00:30:05.000000Z" },
		{ "Oct 25 02:30:05.25 www kernel: x ", "2026-10-25T01:30:06Z",
		  "2026-10-25T01:30:05.250000Z", "2026-10-25T00:30:05.250000Z" },
		{ "Oct 25 02:30:05 www kernel: x ", "2026-10-25T01:30:04Z",
		  "2026-10-25T00:30:05.000000Z", "2026-10-25T01:30:05.000000Z" },
		{ "Oct 25 01:59:59 www kernel: x ", "2026-11-30T12:00:00Z",
		  "2026-10-24T23:59:59.000000Z", "-" },
		{ "Oct 25 03:00:00 www kernel: x ", "2026-11-30T12:00:00Z",
		  "2026-10-25T02:00:00.000000Z", "-" },
		{ "Mar 29 02:30:05 www kernel: x ", "2026-11-30T12:00:00Z", NULL, "-" },
		{ "Jun 28 02:30:05 www kernel: x ", "2026-11-30T12:00:00Z",
		  "2026-06-28T00:30:05.000000Z", "-" },
		{ "Sun 2026-10-25 02:30:05 CEST www kernel: x ", "2026-11-30T12:00:00Z",
		  "2026-10-25T00:30:05.000000Z", "-" },
		{ "2026-10-25T02:30:05+02:00 www kernel: x ", "2026-11-30T12:00:00Z",
		  "2026-10-25T00:30:05.000000Z", "-" },
	};

	setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
	tzset();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char taken[TIME_TEXT_MAX], again[TIME_TEXT_MAX] = "-";
		struct stamp_rules r = rules_of(0);
		int64_t us = 0, slack, other;
		struct log_head h;

		log_head_parse(text_of(rows[i].head), &h);
		if (time_parse(rows[i].newest, 0, &r.newest_us) ||
		    !stamp_time(&h.stamp, &r, 0, &us, &slack))
			abort();
		if (stamp_again(&h.stamp, us, &other))
			time_format(other, again);
		time_format(us, taken);
		if (!tap_ok((!rows[i].taken || !strcmp(taken, rows[i].taken)) &&
			    !strcmp(again, rows[i].other), "'%s' of two", rows[i].head))
			tap_note("got %s, %s", taken, again);
	}
	setenv("TZ", "UTC0", 1);
	tzset();
}

int main(void)
{
	setenv("TZ", "UTC0", 1);
	tzset();
	test_forms();
	test_years();
	test_zones();
	test_twice();
	return tap_done();
}
