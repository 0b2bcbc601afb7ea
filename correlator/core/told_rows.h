/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_TOLD_ROWS_H
#define SOCKLEDGER_TOLD_ROWS_H

#include <stdbool.h>
#include <stdint.h>

/* Rows of which something was seen since, by which thread and when: a queue with fixed room.  What
 * does not fit is left out. */
#define TOLD_ROWS 1024u

struct told_row {
	uint64_t row;
	int64_t time_ns;
	int32_t tid;
};

struct told_rows {
	struct told_row of[TOLD_ROWS];
	unsigned int from, to;
};

static inline bool told_rows_put(struct told_rows *t, struct told_row row)
{
	if (t->to - t->from == TOLD_ROWS)
		return false;
	t->of[t->to++ % TOLD_ROWS] = row;
	return true;
}

/* The oldest; its row is 0 where there is none. */
static inline struct told_row told_rows_take(struct told_rows *t)
{
	struct told_row none = { 0 };

	return t->from == t->to ? none : t->of[t->from++ % TOLD_ROWS];
}

static inline void told_rows_forget(struct told_rows *t)
{
	t->from = t->to;
}

#endif
