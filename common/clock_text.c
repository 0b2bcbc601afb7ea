/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Times as text, and from what the user writes. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clock.h"

/* The years 0 to 9999: what RFC 3339 can write. */
#define TIME_MIN_S (-62167219200LL)
#define TIME_MAX_S 253402300799LL

const char *time_format(int64_t time_us, char buf[TIME_TEXT_MAX])
{
	int64_t s = time_us / TIME_US_PER_S, us = time_us % TIME_US_PER_S;
	time_t seconds;
	struct tm tm;

	if (us < 0) {
		us += TIME_US_PER_S;
		s--;
	}
	if (s < TIME_MIN_S)
		s = TIME_MIN_S;
	if (s > TIME_MAX_S)
		s = TIME_MAX_S;
	seconds = (time_t)s;
	gmtime_r(&seconds, &tm);
	snprintf(buf, TIME_TEXT_MAX, "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ", tm.tm_year + 1900,
		 tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, (int)us);
	return buf;
}

int duration_parse(const char *text, int64_t *us)
{
	static const struct {
		const char *name;
		int64_t us;
	} units[] = {
		{ "us", 1 },		    { "ms", 1000 },
		{ "s", TIME_US_PER_S },	    { "m", 60 * TIME_US_PER_S },
		{ "h", 3600 * TIME_US_PER_S }, { "d", 86400 * TIME_US_PER_S },
	};
	char *end;
	long long n;

	if (!isdigit((unsigned char)*text))
		return -EINVAL;
	errno = 0;
	n = strtoll(text, &end, 10);
	if (errno)
		return -EINVAL;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		int64_t result;

		if (strcmp(end, units[i].name))
			continue;
		if (__builtin_mul_overflow((int64_t)n, units[i].us, &result))
			return -EINVAL;
		*us = result;
		return 0;
	}
	return -EINVAL;
}

/* Exactly count digits at *p, as a number from min to max; moves *p behind them. */
static int read_digits(const char **p, int count, int min, int max, int *value)
{
	int n = 0;

	for (int i = 0; i < count; i++) {
		if (!isdigit((unsigned char)(*p)[i]))
			return -EINVAL;
		n = n * 10 + ((*p)[i] - '0');
	}
	if (n < min || n > max)
		return -EINVAL;
	*p += count;
	*value = n;
	return 0;
}

/* ".123456", any number of digits; those past the sixth are dropped. */
static int fraction(const char **p, int64_t *us)
{
	int64_t unit = TIME_US_PER_S / 10;

	*us = 0;
	if (**p != '.')
		return 0;
	(*p)++;
	if (!isdigit((unsigned char)**p))
		return -EINVAL;
	for (; isdigit((unsigned char)**p); (*p)++) {
		*us += (**p - '0') * unit;
		unit /= 10;
	}
	return 0;
}

static int offset(const char **p, int *seconds)
{
	int sign, hours, minutes = 0;

	*seconds = 0;
	if (**p == 'Z' || **p == 'z') {
		(*p)++;
		return 0;
	}
	if (**p != '+' && **p != '-')
		return 0;
	sign = *(*p)++ == '-' ? -1 : 1;
	if (read_digits(p, 2, 0, 23, &hours))
		return -EINVAL;
	/* As RFC 3339 has it, or ISO 8601 without the colon, or in whole hours. */
	if (**p) {
		*p += **p == ':';
		if (read_digits(p, 2, 0, 59, &minutes))
			return -EINVAL;
	}
	*seconds = sign * (hours * 3600 + minutes * 60);
	return 0;
}

static int calendar_parse(const char *p, int64_t *time_us)
{
	struct tm tm = { 0 };
	int64_t us = 0;
	int off = 0, day, second;

	if (read_digits(&p, 4, 0, 9999, &tm.tm_year) || *p++ != '-' ||
	    read_digits(&p, 2, 1, 12, &tm.tm_mon) || *p++ != '-' ||
	    read_digits(&p, 2, 1, 31, &tm.tm_mday))
		return -EINVAL;
	if (*p == 'T' || *p == 't' || *p == ' ') {
		p++;
		if (read_digits(&p, 2, 0, 23, &tm.tm_hour) || *p++ != ':' ||
		    read_digits(&p, 2, 0, 59, &tm.tm_min))
			return -EINVAL;
		if (*p == ':') {
			p++;
			if (read_digits(&p, 2, 0, 60, &tm.tm_sec) || fraction(&p, &us))
				return -EINVAL;
		}
		if (offset(&p, &off))
			return -EINVAL;
	}
	if (*p)
		return -EINVAL;
	tm.tm_year -= 1900;
	tm.tm_mon--;
	day = tm.tm_mday;
	second = tm.tm_sec;
	*time_us = ((int64_t)timegm(&tm) - off) * TIME_US_PER_S + us;
	/* timegm() takes 30 February for 2 March.  A leap second counts as the next one's start. */
	return tm.tm_mday == day || second == 60 ? 0 : -EINVAL;
}

/* "10m", as other programs have it also: "-10m", "10 minutes ago". */
static int age_parse(const char *text, int64_t *us)
{
	static const struct {
		const char *name;
		int64_t seconds;
	} units[] = {
		{ "s", 1 },    { "sec", 1 },	 { "second", 1 }, { "m", 60 },
		{ "min", 60 }, { "minute", 60 }, { "h", 3600 },	  { "hour", 3600 },
		{ "d", 86400 }, { "day", 86400 }, { "w", 604800 }, { "week", 604800 },
	};
	const char *unit, *rest;
	size_t len;
	long long n;
	char *end;

	text += *text == '-';
	if (!duration_parse(text, us))
		return 0;
	if (!isdigit((unsigned char)*text))
		return -EINVAL;
	errno = 0;
	n = strtoll(text, &end, 10);
	unit = end + strspn(end, " ");
	len = strcspn(unit, " ");
	rest = unit + len + strspn(unit + len, " ");
	if (errno || (*rest && strcmp(rest, "ago")))
		return -EINVAL;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		size_t most = strlen(units[i].name);

		if (len < most || memcmp(unit, units[i].name, most) ||
		    (len > most && (most == 1 || len > most + 1 || unit[most] != 's')))
			continue;
		return __builtin_mul_overflow((int64_t)n, units[i].seconds * TIME_US_PER_S, us) ?
			       -EINVAL : 0;
	}
	return -EINVAL;
}

/* "@1772368496.789", the seconds since 1970. */
static int epoch_parse(const char *p, int64_t *time_us)
{
	int64_t us;
	char *end;
	long long n;

	if (*p++ != '@' || !isdigit((unsigned char)*p))
		return -EINVAL;
	errno = 0;
	n = strtoll(p, &end, 10);
	p = end;
	if (errno || fraction(&p, &us) || *p || n > TIME_MAX_S)
		return -EINVAL;
	*time_us = n * TIME_US_PER_S + us;
	return 0;
}

static int any_time_parse(const char *text, int64_t now_us, int64_t *time_us)
{
	const int64_t day = 86400 * TIME_US_PER_S;
	int64_t age;

	if (!strcmp(text, "now")) {
		*time_us = now_us;
		return 0;
	}
	if (!strcmp(text, "today")) {
		*time_us = now_us - now_us % day;
		return 0;
	}
	if (!strcmp(text, "yesterday")) {
		*time_us = now_us - now_us % day - day;
		return 0;
	}
	if (!age_parse(text, &age))
		return __builtin_sub_overflow(now_us, age, time_us) ? -EINVAL : 0;
	return epoch_parse(text, time_us) ? calendar_parse(text, time_us) : 0;
}

/* An offset, or a great age, leads out of what time_format() can write. */
static int in_range(int64_t us, int64_t *time_us)
{
	if (us < TIME_MIN_S * TIME_US_PER_S || us >= (TIME_MAX_S + 1) * TIME_US_PER_S)
		return -EINVAL;
	*time_us = us;
	return 0;
}

int time_parse(const char *text, int64_t now_us, int64_t *time_us)
{
	int64_t us;

	return any_time_parse(text, now_us, &us) ? -EINVAL : in_range(us, time_us);
}

int date_parse(const char *text, int64_t *time_us)
{
	int64_t us;

	return calendar_parse(text, &us) ? -EINVAL : in_range(us, time_us);
}
