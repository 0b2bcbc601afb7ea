/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_SPLITTER_H
#define SOCKLEDGER_SPLITTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* No audit record is longer (MAX_AUDIT_MESSAGE_LENGTH is 8970, enriched ones add names). */
#define LINE_BYTES_MAX ((size_t)16 * 1024)
#define LINES_BYTES ((size_t)64 * 1024)

/* Bytes as they are read, cut into lines; all zero to begin with. */
struct splitter {
	char buffer[LINES_BYTES];
	size_t len;		/* of an unfinished line at the start of the buffer */
	bool skipping;		/* the rest of a line that is too long */
	int64_t too_long;	/* how many lines were longer than LINE_BYTES_MAX, and left out */
};

/* Where the next bytes go, and for how many there is room: never for none. */
char *splitter_room(struct splitter *l, size_t *room);

/* n more bytes are there.  Each whole line goes to each(), without its line break. */
void splitter_take(struct splitter *l, size_t n,
		void (*each)(void *arg, const char *line, size_t len), void *arg);

/* No more will come: true where a line is left that never ended, and forgets it. */
bool splitter_end(struct splitter *l);

#endif
