/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_TAP_H
#define SOCKLEDGER_TAP_H

/* What a test in C needs to speak TAP. */
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

static int tap_count, tap_failures;

/* One test point.  Gives `good` back. */
__attribute__((format(printf, 2, 3), unused))
static bool tap_ok(bool good, const char *fmt, ...)
{
	va_list ap;

	if (!good)
		tap_failures++;
	printf("%sok %d - ", good ? "" : "not ", ++tap_count);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	return good;
}

/* More about the last point. */
__attribute__((format(printf, 1, 2), unused))
static void tap_note(const char *fmt, ...)
{
	va_list ap;

	fputs("# ", stdout);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

/* The end: for main() to return. */
__attribute__((unused))
static int tap_done(void)
{
	printf("1..%d\n", tap_count);
	return tap_failures ? 1 : 0;
}

#endif
