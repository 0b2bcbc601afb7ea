/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_CLOCK_H
#define SOCKLEDGER_CLOCK_H

#include <stddef.h>
#include <stdint.h>

/*
 * Times.  A wall-clock time is microseconds since the epoch, UTC, and is shown as RFC 3339 with
 * microseconds; a monotonic time is nanoseconds and only good for differences.
 */

#define TIME_US_PER_S 1000000LL
#define TIME_TEXT_MAX 96 /* more than a date takes, because the compiler knows no bounds of tm's
			  * fields */

int64_t clock_now_us(void);
int64_t clock_mono_ns(void);
/* Likewise, and it goes on while the machine is suspended. */
int64_t clock_boot_ns(void);

/* Writes time_us as 2026-01-31T12:00:00.000000Z.  Returns buf. */
const char *time_format(int64_t time_us, char buf[TIME_TEXT_MAX]);

/*
 * Reads a point in time as a user writes it: RFC 3339 or its beginnings ("2026-01-31",
 * "2026-01-31T12:00", also with a space and with an offset; without one it is UTC), "now", "today",
 * "yesterday" (UTC midnights), or an age such as "10m" or "2d" before now_us.  0, or -EINVAL where
 * the text is none of these or the time is out of range.
 */
int time_parse(const char *text, int64_t now_us, int64_t *time_us);

/* Reads RFC 3339 or its beginnings alone: the same moment whenever it is read. */
int date_parse(const char *text, int64_t *time_us);

/* Nanoseconds as milliseconds for poll(), which is not to return too soon. */
static inline int clock_poll_ms(int64_t ns)
{
	return ns <= 0 ? 0 : (int)(ns / 1000000) + 1;
}

/* The sooner of two times to wait, in milliseconds; -1: never. */
static inline int clock_sooner_ms(int a, int b)
{
	return a < 0 ? b : b < 0 || a < b ? a : b;
}

/* Reads a duration: a number with one of the units us, ms, s, m, h, d.  0 or -EINVAL. */
int duration_parse(const char *text, int64_t *us);

#endif
