/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The line that tells how far something is: what it says, and when. */
#include <stdlib.h>
#include <string.h>

#include "progress.h"
#include "tap.h"

#define MS 1000000LL
#define EMPTY "\r\033[K"

static struct progress p;
static char *said;
static size_t said_len;

static void begin(void)
{
	FILE *out = open_memstream(&said, &said_len);

	if (!out)
		exit(1);
	progress_begin(&p, out, 5000 * MS);
}

/* What was said since begin(). */
static bool ended_with(const char *wanted)
{
	bool same;

	fclose(p.out);
	same = !strcmp(said, wanted);
	if (!same)
		tap_note("%s", said);
	free(said);
	return same;
}

int main(void)
{
	begin();
	progress_show(&p, 5199 * MS, 1, 10);
	progress_end(&p);
	tap_ok(ended_with(""), "what is short says nothing");
	begin();
	progress_show(&p, 15000 * MS, 100, 400);
	tap_ok(ended_with(EMPTY "25 %, 30 s left"), "a quarter in ten seconds: thirty are left");
	begin();
	progress_show(&p, 5200 * MS, 1, 2);
	progress_show(&p, 5399 * MS, 2, 2);
	progress_show(&p, 5400 * MS, 2, 2);
	progress_end(&p);
	progress_end(&p);
	tap_ok(ended_with(EMPTY "50 %, 0 s left" EMPTY "100 %, 0 s left" EMPTY),
	       "five times a second; then the line is empty, once");
	begin();
	progress_show(&p, 6000 * MS, 3500000, 0);
	tap_ok(ended_with(EMPTY "3 MB"), "without a whole, so many bytes");
	begin();
	progress_show(&p, 6000 * MS, 3, 2);
	progress_show(&p, 7000 * MS, -3, 2);
	tap_ok(ended_with(""), "beyond the whole there is nothing to say");
	begin();
	progress_show(&p, 6000 * MS, INT64_MAX / 2, INT64_MAX);
	tap_ok(ended_with(EMPTY "50 %, 1 s left"), "nor is a large number too large");
	return tap_done();
}
