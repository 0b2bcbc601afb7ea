/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_COMPLAINTS_H
#define SOCKLEDGER_COMPLAINTS_H

/* Diagnostics of a file that somebody wrote, against those that are wanted. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "diag.h"

/* What was complained of: "LINE:COLUMN: MESSAGE" for each, without the file's name. */
static char complaints[65536];
static char complaints_raw[sizeof(complaints)];

/* Where diagnostics go until complaints_end(). */
static struct diags complaints_begin(void)
{
	memset(complaints_raw, 0, sizeof(complaints_raw));
	return (struct diags){ .out = fmemopen(complaints_raw, sizeof(complaints_raw), "w") };
}

/* Fills `complaints`; gives their number back.  A line that does not begin with the file's name
 * stays as it is, so that nothing that is wanted fits it. */
static unsigned int complaints_end(struct diags *d, const char *name)
{
	size_t len = strlen(name);
	char *to = complaints;

	fclose(d->out);
	for (char *line = strtok(complaints_raw, "\n"); line; line = strtok(NULL, "\n")) {
		bool located = !strncmp(line, name, len) && line[len] == ':';

		to += sprintf(to, "%s\n", located ? line + len + 1 : line);
	}
	*to = '\0';
	return d->count;
}

/* Whether they are these, in this order: "LINE:COLUMN:PIECE OF THE MESSAGE", one a line. */
__attribute__((unused))
static bool complaints_are(const char *all)
{
	static char wanted[sizeof(complaints)], got[sizeof(complaints)];
	char *save_wanted, *save_got, *want, *line;

	strcpy(wanted, all);
	strcpy(got, complaints);
	want = strtok_r(wanted, "\n", &save_wanted);
	line = strtok_r(got, "\n", &save_got);
	while (want && line) {
		char *text = strchr(strchr(want, ':') + 1, ':');
		size_t place = (size_t)(text - want) + 1;

		if (strncmp(want, line, place) || !strstr(line + place, text + 1))
			return false;
		want = strtok_r(NULL, "\n", &save_wanted);
		line = strtok_r(NULL, "\n", &save_got);
	}
	return !want && !line;
}

#endif
