/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_STAMP_H
#define SOCKLEDGER_STAMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "text.h"

/*
 * The head of an audit line: "[node=NAME ]type=TYPE msg=audit(SECONDS.MILLIS:SERIAL): ".  Parsed
 * before libauparse sees the line, to put the lines of one event together and to keep harmful lines
 * from libauparse.
 */
struct stamp {
	struct text node;	/* borrowed from the line; none without node= */
	struct text type;	/* borrowed */
	int64_t time_us;
	uint32_t serial;
	size_t body;		/* where in the line the record's own fields begin */
};

/* False where the line is no audit record. */
bool stamp_parse(const char *line, size_t len, struct stamp *s);

/* True where both belong to one event. */
bool stamp_same_event(const struct stamp *a, const struct stamp *b);

#endif
