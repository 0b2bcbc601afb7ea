/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_EXPLAIN_ROW_H
#define SOCKLEDGER_EXPLAIN_ROW_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "output.h"

struct explained;

/* Rows of answers: a few columns as a table, all of line and ledger as JSON and CSV.  NULL where
 * memory is short. */
struct output *explain_output(FILE *out, enum format format);
/* The answer to the line of this number.  numeric: users by their number in a table. */
void explain_row(struct output *o, enum format format, int64_t line, const struct explained *e,
		 bool numeric);

#endif
