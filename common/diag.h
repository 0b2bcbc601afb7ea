/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_DIAG_H
#define SOCKLEDGER_DIAG_H

#include <stdio.h>

/*
 * Located complaints about what the user wrote: configuration, policy, arguments.  The reader of a
 * file reports all of the file's mistakes, each as "file:line:column: message", and then the caller
 * fails once.
 */
struct diags {
	FILE *out;		/* borrowed; where the lines go, NULL to only count */
	unsigned int count;
};

/* Reports one mistake.  line and column count from 1. */
void diag_at(struct diags *d, const char *file, unsigned int line, unsigned int column,
	     const char *fmt, ...) __attribute__((format(printf, 5, 6)));

#endif
