/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The heads that loggers write in front of a kernel message.  A firewall rule's prefix follows. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "log_head.h"

#define DAY_US (86400 * TIME_US_PER_S)
/* A clock since boot runs unadjusted. */
#define BOOT_SLACK_US (2 * TIME_US_PER_S)

/* What is left of the head. */
struct rest {
	const char *p, *end;
};

static void skip_blanks(struct rest *r)
{
	while (r->p < r->end && (*r->p == ' ' || *r->p == '\t'))
		r->p++;
}

static bool take(struct rest *r, char c)
{
	if (r->p == r->end || *r->p != c)
		return false;
	r->p++;
	return true;
}

/* From `least` to `most` digits. */
static bool take_digits(struct rest *r, int least, int most, int64_t *value)
{
	int n = 0;

	for (*value = 0; n < most && r->p < r->end && *r->p >= '0' && *r->p <= '9'; n++)
		*value = *value * 10 + (*r->p++ - '0');
	return n >= least;
}

/* Exactly so many, from min to max. */
static bool take_number(struct rest *r, int digits, int min, int max, int *value)
{
	int64_t n;

	if (!take_digits(r, digits, digits, &n) || n < min || n > max)
		return false;
	*value = (int)n;
	return true;
}

/* ".123456" or ",123456", any number of digits. */
static void take_fraction(struct rest *r, struct stamp *s)
{
	int64_t unit = TIME_US_PER_S / 10;

	if (r->end - r->p < 2 || (*r->p != '.' && *r->p != ',') || r->p[1] < '0' || r->p[1] > '9')
		return;
	r->p++;
	s->fine = true;
	for (; r->p < r->end && *r->p >= '0' && *r->p <= '9'; r->p++, unit /= 10)
		s->us += (*r->p - '0') * unit;
}

static struct text take_word(struct rest *r)
{
	const char *start;

	skip_blanks(r);
	start = r->p;
	while (r->p < r->end && *r->p != ' ' && *r->p != '\t')
		r->p++;
	return (struct text){ start, (size_t)(r->p - start) };
}

static bool take_clock(struct rest *r, struct stamp *s)
{
	return take_number(r, 2, 0, 23, &s->tm.tm_hour) && take(r, ':') &&
	       take_number(r, 2, 0, 59, &s->tm.tm_min) && take(r, ':') &&
	       take_number(r, 2, 0, 60, &s->tm.tm_sec);
}

/* One of the names of three letters; -1: none. */
static int take_name(struct rest *r, const char *names)
{
	for (int i = 0; names[3 * i]; i++) {
		if (r->end - r->p < 3 || memcmp(r->p, names + 3 * i, 3))
			continue;
		r->p += 3;
		return i;
	}
	return -1;
}

/* "Nov 28 20:32:08", also " 8", with a year before or behind the time. */
static bool take_month_day(struct rest *r, struct stamp *s)
{
	struct rest before = *r, year;
	int64_t day;

	*s = (struct stamp){ .kind = STAMP_LOCAL };
	s->tm.tm_mon = take_name(r, "JanFebMarAprMayJunJulAugSepOctNovDec");
	skip_blanks(r);
	if (s->tm.tm_mon < 0 || !take_digits(r, 1, 2, &day) || day < 1 || day > 31) {
		*r = before;
		return false;
	}
	s->tm.tm_mday = (int)day;
	skip_blanks(r);
	year = *r;
	if (take_number(&year, 4, 1970, 9999, &s->tm.tm_year) && take(&year, ' ')) {
		s->has_year = true;
		*r = year;
	}
	if (!take_clock(r, s)) {
		*r = before;
		return false;
	}
	take_fraction(r, s);
	year = *r;
	if (!s->has_year && take(&year, ' ') &&
	    take_number(&year, 4, 1970, 9999, &s->tm.tm_year) &&
	    (year.p == year.end || *year.p == ']' || *year.p == ' ')) {
		s->has_year = true;
		*r = year;
	}
	return true;
}

/* "+01:00", "+0100" or "Z". */
static bool take_offset(struct rest *r, int *seconds)
{
	int sign = r->p < r->end && *r->p == '-' ? -1 : 1, hours, minutes;

	*seconds = 0;
	if (take(r, 'Z'))
		return true;
	if (!take(r, '+') && !take(r, '-'))
		return false;
	if (!take_number(r, 2, 0, 23, &hours))
		return false;
	take(r, ':');
	if (!take_number(r, 2, 0, 59, &minutes))
		return false;
	*seconds = sign * (hours * 3600 + minutes * 60);
	return true;
}

/* timegm(), and false where there is no such day. */
static bool seconds_of(const struct tm *given, int year, time_t (*to)(struct tm *), int64_t *s)
{
	struct tm tm = *given;
	int day = tm.tm_mday;

	tm.tm_year = year - 1900;
	*s = to(&tm);
	return tm.tm_mday == day || given->tm_sec == 60 || to != timegm;
}

/* "2026-11-28T20:32:08.618952+00:00"; with a blank instead of the T the zone has a name. */
static bool take_iso(struct rest *r, struct stamp *s)
{
	struct rest before = *r;
	struct text zone;
	int offset;
	int64_t seconds;

	*s = (struct stamp){ .kind = STAMP_LOCAL, .has_year = true };
	if (!take_number(r, 4, 1970, 9999, &s->tm.tm_year) || !take(r, '-') ||
	    !take_number(r, 2, 1, 12, &s->tm.tm_mon) || !take(r, '-') ||
	    !take_number(r, 2, 1, 31, &s->tm.tm_mday) || !(take(r, 'T') || take(r, ' ')) ||
	    !take_clock(r, s)) {
		*r = before;
		return false;
	}
	s->tm.tm_mon--;
	take_fraction(r, s);
	if (take_offset(r, &offset)) {
		if (!seconds_of(&s->tm, s->tm.tm_year, timegm, &seconds))
			s->kind = STAMP_NONE;
		else
			*s = (struct stamp){ .kind = STAMP_UTC, .fine = s->fine,
					     .us = (seconds - offset) * TIME_US_PER_S + s->us };
		return true;
	}
	before = *r;
	zone = take_word(r);
	if (zone.len >= 3 && zone.len < sizeof(s->zone))
		memcpy(s->zone, zone.data, zone.len);
	if (!*s->zone || strspn(s->zone, "ABCDEFGHIJKLMNOPQRSTUVWXYZ+-0123456789") < zone.len) {
		memset(s->zone, 0, sizeof(s->zone));
		*r = before;
	}
	return true;
}

/* "1795897928.618952" */
static bool take_unix(struct rest *r, struct stamp *s)
{
	struct rest before = *r;
	int64_t seconds;

	*s = (struct stamp){ .kind = STAMP_UTC };
	if (!take_digits(r, 9, 11, &seconds) || r->p == r->end || *r->p != '.') {
		*r = before;
		return false;
	}
	take_fraction(r, s);
	s->us += seconds * TIME_US_PER_S;
	return true;
}

/* "[ 2236.618952]", with more behind the number; of dmesg's -e and -d. */
static bool take_since_boot(struct rest *r, struct stamp *s)
{
	struct rest before = *r;
	const char *close;
	int64_t seconds;

	*s = (struct stamp){ .kind = STAMP_BOOT };
	skip_blanks(r);
	if (take_digits(r, 1, 10, &seconds) && r->p < r->end && *r->p == '.') {
		take_fraction(r, s);
		s->us += seconds * TIME_US_PER_S;
	} else if (take(r, '+')) {
		*s = (struct stamp){ .kind = STAMP_NONE };
	} else {
		*r = before;
		return false;
	}
	close = memchr(r->p, ']', (size_t)(r->end - r->p));
	if (!close) {
		*r = before;
		return false;
	}
	r->p = close + 1;
	return true;
}

/* In brackets: since boot, or dmesg -T's time. */
static bool take_brackets(struct rest *r, struct stamp *s)
{
	struct rest before = *r, date;

	if (!take(r, '['))
		return false;
	date = *r;
	if (take_name(&date, "SunMonTueWedThuFriSat") >= 0 && take(&date, ' ') &&
	    take_month_day(&date, s) && take(&date, ']')) {
		*r = date;
		return true;
	}
	if (take_since_boot(r, s))
		return true;
	*r = before;
	return false;
}

/* "4,965,2236618952,-;" of /dev/kmsg: level, number, microseconds since boot. */
static bool take_kmsg(struct rest *r, struct stamp *s)
{
	struct rest before = *r;
	const char *semicolon = memchr(r->p, ';', (size_t)(r->end - r->p));
	int64_t level, number;

	*s = (struct stamp){ .kind = STAMP_BOOT, .fine = true };
	if (semicolon && take_digits(r, 1, 4, &level) && take(r, ',') &&
	    take_digits(r, 1, 18, &number) && take(r, ',') && take_digits(r, 1, 17, &s->us) &&
	    take(r, ',')) {
		r->p = semicolon + 1;
		return true;
	}
	*r = before;
	return false;
}

/* "<4>", RFC 5424's "<4>1 ", and dmesg's "kern  :warn  : ". */
static void skip_level(struct rest *r)
{
	struct rest before = *r;
	int64_t n;

	skip_blanks(r);
	if (take(r, '<') && take_digits(r, 1, 3, &n) && take(r, '>')) {
		struct rest version = *r;

		if (take_digits(&version, 1, 2, &n) && take(&version, ' '))
			*r = version;
		return;
	}
	*r = before;
	skip_blanks(r);
	before = *r;
	for (int i = 0; i < 2; i++) {
		while (r->p < r->end && *r->p >= 'a' && *r->p <= 'z')
			r->p++;
		skip_blanks(r);
		if (r->p == before.p || !take(r, ':')) {
			*r = before;
			return;
		}
	}
	skip_blanks(r);
}

/* "kernel:", "ulogd[812]:", or such a name alone, as RFC 5424 has it. */
static bool is_logger(struct text word, bool *alone)
{
	static const char *const names[] = { "kernel", "ulogd" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		size_t len = strlen(names[i]);

		if (word.len < len || memcmp(word.data, names[i], len))
			continue;
		*alone = word.len == len;
		return *alone || word.data[len] == ':' || word.data[len] == '[';
	}
	return false;
}

/* The word behind the time is the host, where the logger's name follows it, or a word later. */
static struct text take_host(struct rest *rest)
{
	struct rest r = *rest;
	struct text host = take_word(&r);
	bool alone;

	if (!host.len)
		return TEXT_NONE;
	/* As busybox's syslogd writes it. */
	if (is_logger(host, &alone) && !alone) {
		*rest = r;
		return TEXT_NONE;
	}
	for (int i = 0; i < 2; i++) {
		if (!is_logger(take_word(&r), &alone))
			continue;
		/* RFC 5424: process, message and data. */
		for (int k = 0; alone && k < 3; k++)
			take_word(&r);
		*rest = r;
		return text_equal(host, text_of("-")) ? TEXT_NONE : host;
	}
	return TEXT_NONE;
}

/* The kernel's own "[ 2236.618952]", and who wrote it: "[  T123]", "[C1]". */
static void skip_kernel_time(struct rest *r)
{
	struct stamp s;
	int64_t n;

	skip_blanks(r);
	take_brackets(r, &s);
	if (r->p < r->end && *r->p == '[') {
		struct rest caller = *r;

		caller.p++;
		skip_blanks(&caller);
		if ((take(&caller, 'T') || take(&caller, 'C')) &&
		    take_digits(&caller, 1, 10, &n) && take(&caller, ']'))
			*r = caller;
	}
	skip_blanks(r);
}

void log_head_parse(struct text before, struct log_head *h)
{
	struct rest r = { before.data, before.data + before.len };
	struct rest day;

	*h = (struct log_head){ .host = TEXT_NONE };
	skip_level(&r);
	day = r;
	/* journalctl -o short-full has the day of the week in front. */
	if (take_name(&day, "SunMonTueWedThuFriSat") >= 0 && take(&day, ' '))
		r = day;
	if (!take_month_day(&r, &h->stamp) && !take_iso(&r, &h->stamp) &&
	    !take_unix(&r, &h->stamp) && !take_brackets(&r, &h->stamp) &&
	    !take_kmsg(&r, &h->stamp)) {
		h->stamp = (struct stamp){ .kind = STAMP_NONE };
	} else {
		h->host = take_host(&r);
		skip_kernel_time(&r);
	}
	skip_blanks(&r);
	while (r.end > r.p && r.end[-1] == ' ')
		r.end--;
	h->prefix = (struct text){ r.p, (size_t)(r.end - r.p) };
}

/* The stamp's year y as a time of the zone that TZ names; "UTC" where the stamp says that. */
static bool local_time(const struct stamp *s, int year, int64_t *us)
{
	struct tm tm = s->tm;
	int64_t seconds;
	bool utc = !strcmp(s->zone, "UTC") || !strcmp(s->zone, "GMT");

	/* A day that this year does not have: 29 February. */
	if (!seconds_of(&tm, year, timegm, &seconds))
		return false;
	tm.tm_isdst = *s->zone && !strcmp(s->zone, tzname[1]) ? 1 :
		      *s->zone && !strcmp(s->zone, tzname[0]) ? 0 : -1;
	if (!utc)
		seconds_of(&tm, year, mktime, &seconds);
	*us = seconds * TIME_US_PER_S + s->us;
	return true;
}

bool stamp_again(const struct stamp *s, int64_t at_us, int64_t *other_us)
{
	time_t at = (time_t)(at_us / TIME_US_PER_S), other;
	struct tm was, then;

	/* A zone whose clock is never set back (tzset(3)) has no such hour. */
	if (s->kind != STAMP_LOCAL || *s->zone || !daylight || !localtime_r(&at, &was))
		return false;
	then = was;
	then.tm_isdst = !was.tm_isdst;
	other = mktime(&then);
	if (other == at || !localtime_r(&other, &then) || then.tm_mday != was.tm_mday ||
	    then.tm_hour != was.tm_hour || then.tm_min != was.tm_min)
		return false;
	*other_us = at_us + ((int64_t)other - at) * TIME_US_PER_S;
	return true;
}

/* Of two such times the later, unless nothing was written then yet. */
static bool newest_time(const struct stamp *s, int year, int64_t newest_us, int64_t *us)
{
	int64_t other, later;

	if (!local_time(s, year, us))
		return false;
	if (!stamp_again(s, *us, &other))
		return true;
	later = other > *us ? other : *us;
	*us = later <= newest_us ? later : other + *us - later;
	return true;
}

bool stamp_time(const struct stamp *s, const struct stamp_rules *rules, int years_back,
		int64_t *at_us, int64_t *slack_us)
{
	time_t newest = (time_t)(rules->newest_us / TIME_US_PER_S);
	struct tm now;
	int year;

	*slack_us = TIME_US_PER_S + (s->fine ? 0 : TIME_US_PER_S);
	switch (s->kind) {
	case STAMP_UTC:
		*at_us = s->us;
		return true;
	case STAMP_BOOT:
		*at_us = rules->boot_us + s->us;
		*slack_us = BOOT_SLACK_US;
		return true;
	case STAMP_LOCAL:
		break;
	default:
		return false;
	}
	if (s->has_year)
		return newest_time(s, s->tm.tm_year, rules->newest_us, at_us);
	if (rules->year)
		return newest_time(s, rules->year - years_back, rules->newest_us, at_us);
	gmtime_r(&newest, &now);
	year = now.tm_year + 1900 + 1;
	/* Eight years have a 29 February between them, always. */
	for (int tries = 0; tries < 10; tries++, year--)
		if (newest_time(s, year, rules->newest_us, at_us) &&
		    *at_us <= rules->newest_us + DAY_US)
			return !years_back || newest_time(s, year - years_back, rules->newest_us,
							  at_us);
	return false;
}
