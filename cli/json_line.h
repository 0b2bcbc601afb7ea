/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_JSON_LINE_H
#define SOCKLEDGER_JSON_LINE_H

#include <stdbool.h>

#include "text.h"

/*
 * A flat JSON object on one line, as `journalctl -o json` writes it (systemd.journal-fields(7)):
 * values are strings, numbers, null, or arrays of bytes where a field is not UTF-8.
 */
struct json_line {
	const char *p, *end;
};

/* False where the line does not begin as an object. */
bool json_line_begin(struct json_line *j, struct text line);

/*
 * The next member.  name and value are written to `room`, of `size` bytes, without escapes; a value
 * that is null, or none of the above, is TEXT_NONE.  False at the end, and where it is no such
 * JSON.
 */
bool json_line_next(struct json_line *j, char *room, size_t size, struct text *name,
		    struct text *value);

#endif
