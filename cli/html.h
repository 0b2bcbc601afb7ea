/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_HTML_H
#define SOCKLEDGER_HTML_H

#include <stdint.h>
#include <stdio.h>

#include "output.h"
#include "text.h"

/*
 * A page that stands for itself: its style is inside, it loads nothing and runs nothing, and says
 * so to the browser (Content-Security-Policy).  What is not ours goes through html_text() alone.
 */

/* t, as text_print() would show it, with what HTML gives a meaning to escaped. */
void html_text(FILE *out, struct text t);

void html_begin(FILE *out, const char *title);
void html_end(FILE *out);

/* A heading; anything may follow until the next one. */
void html_section(FILE *out, const char *heading);

/* One number with what it counts. */
void html_figure(FILE *out, int64_t number, const char *what);

/* A moment of the chart: its label as people read it, and what is stacked there. */
struct html_column {
	char label[24];
	int64_t passed, denied;
};

/* The chart, and behind a click its table.  what: what `label` is, as in "hour (UTC)". */
void html_chart(FILE *out, const char *what, const struct html_column *columns, int count);

/* Columns' names, then rows, the last cell a number with a bar that `most` fills. */
void html_table_begin(FILE *out, const char *const *names, int columns);
void html_table_row(FILE *out, const struct cell *cells, int columns, int64_t most);
void html_table_end(FILE *out);

#endif
