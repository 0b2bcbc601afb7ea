/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_LOG_HEAD_H
#define SOCKLEDGER_LOG_HEAD_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "text.h"

/* When a line of a log was written, and on which host, as far as what wrote it says so. */
enum stamp_kind {
	STAMP_NONE,
	STAMP_UTC,		/* us: since the epoch */
	STAMP_LOCAL,		/* tm and us, of a time zone that is not said */
	STAMP_BOOT,		/* us: since the boot, without the time that the host slept */
};

struct stamp {
	enum stamp_kind kind;
	int64_t us;
	struct tm tm;
	bool has_year;
	char zone[8];		/* of STAMP_LOCAL: its abbreviation, "" where it is not said */
	bool fine;		/* to the microsecond; else to the second, which it began */
};

struct log_head {
	struct stamp stamp;
	/* borrowed; TEXT_NONE: not said */
	struct text host;
	struct text prefix;	/* what the firewall's rule wrote */
};

/*
 * What stands in front of a packet: syslog's (RFC 3164, RFC 5424, ISO times), journalctl's, dmesg's
 * or /dev/kmsg's head, and then a prefix, which may be anything.
 */
void log_head_parse(struct text before, struct log_head *h);

/* What is assumed where a stamp does not say it. */
struct stamp_rules {
	int year;		/* 0: the last one in which the stamp is not later than newest_us */
	int64_t newest_us;	/* a line cannot be newer, but for a day: now, or a file's end */
	int64_t boot_us;	/* when the host was booted */
};

/*
 * The stamp as a time, and how much later than the line the connection may have been written down,
 * because the stamp is coarse.  False for STAMP_NONE, and where there is no such day.
 * years_back: of a stamp without a year, so many years before the last one.
 */
bool stamp_time(const struct stamp *s, const struct stamp_rules *rules, int years_back,
		int64_t *at_us, int64_t *slack_us);
/* Where the clock was set back, and so showed that stamp twice: the other time. */
bool stamp_again(const struct stamp *s, int64_t at_us, int64_t *other_us);

#endif
