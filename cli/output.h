/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_OUTPUT_H
#define SOCKLEDGER_OUTPUT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "text.h"

/* Rows for people (a table that fits the terminal) and for scripts (JSON lines, CSV). */

enum format { FORMAT_TABLE, FORMAT_JSON, FORMAT_CSV };

/* 0 or -EINVAL. */
int format_parse(const char *name, enum format *f);

enum cell_kind { CELL_NULL, CELL_INTEGER, CELL_REAL, CELL_TEXT };

struct cell {
	enum cell_kind kind;
	int64_t integer;
	double real;
	struct text text;	/* borrowed */
};

struct columns;
struct output;
struct style;

/* names[0..columns-1] are copied.  NULL where memory is short. */
struct output *output_new(FILE *out, enum format format, const char *const *names, int columns);
/* Shows of each row only these columns, in this order. */
struct output *output_new_chosen(FILE *out, enum format format, const char *const *names,
				 const struct columns *chosen);
/* How a table is shown, before the first row; by default as to a script. */
void output_set_style(struct output *o, const struct style *style);
/* Where a terminal is too narrow a row of a table takes several lines, before columns are cut more
 * than they can be read.  Before the first row. */
void output_may_fold(struct output *o);
/* One row.  A table is held back until enough is known to align it. */
void output_row(struct output *o, const struct cell *cells);
/* Whatever was held back goes out: before a pause. */
void output_flush(struct output *o);
/* Flushes and frees. */
void output_end(struct output *o);

/* One cell as JSON; in a table unknown is shown as OUTPUT_UNKNOWN. */
void output_json(FILE *out, const struct cell *c);
#define OUTPUT_UNKNOWN "?"

#endif
