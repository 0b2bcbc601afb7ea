/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_LAYOUT_H
#define SOCKLEDGER_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>

/* Where the columns of a table stand on a terminal. */

#define LAYOUT_GAP 2

struct layout {
	int columns;
	char **names;		/* borrowed */
	size_t limit;		/* of the terminal; 0: none, and nothing is cut */
	size_t *width;		/* first what each column would like */
	size_t *start;		/* from where on */
	bool *begins;		/* a line of its own, beneath the one before */
};

/* What a column has is told by its name: a process may call itself like a time. */
bool layout_is_time(const char *column);
/* A path's end says most, and its beginning what the end is worth. */
bool layout_is_path(const char *column);
/* Half an address is another one. */
bool layout_is_address(const char *column);

/* It cannot have whole times, not even with what may be cut as narrow as it can still be read. */
bool layout_wants_short_times(const struct layout *l);
/* The columns beside each other, as wide as they may be.  Where they do not fit and may_fold, on
 * several lines a row; else cut. */
void layout_fit(struct layout *l, bool may_fold);

#endif
