/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_PROGRESS_H
#define SOCKLEDGER_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* How far something long is, on one line that is written again and again. */
struct progress {
	FILE *out;		/* NULL: nobody looks */
	int64_t begun_ns, next_ns;
	bool drawn;		/* the line has something on it */
};

/* stderr where it is a terminal, else NULL. */
FILE *progress_terminal(void);
void progress_begin(struct progress *p, FILE *out, int64_t now_ns);
/*
 * `at` of `of`: the part, and how long the rest takes if it goes on so.  Without `of`, 0, `at` is
 * bytes.  Five times a second at most, and not at once.
 */
void progress_show(struct progress *p, int64_t now_ns, int64_t at, int64_t of);
/* Leaves an empty line. */
void progress_end(struct progress *p);

#endif
