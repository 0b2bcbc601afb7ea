/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_EXPLAIN_ROW_H
#define SOCKLEDGER_EXPLAIN_ROW_H

#include <stdbool.h>
#include <stdint.h>

#include "columns.h"
#include "output.h"

struct explained;

/*
 * What a row of answers has, all of line and ledger: how many names, and which of them are usual.
 * A table's usual ones stand before the others and have its own words.
 */
int explain_names(enum format format, const char *names[COLUMNS_MAX], struct columns *usual);
/* The answer to the line of this number.  numeric: users by their number in a table. */
void explain_row(struct output *o, enum format format, int64_t line, const struct explained *e,
		 bool numeric);

#endif
