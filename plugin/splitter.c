/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bytes to lines; the unfinished last one stays at the start of the buffer. */
#include <string.h>

#include "splitter.h"

char *splitter_room(struct splitter *l, size_t *room)
{
	*room = sizeof(l->buffer) - l->len;
	return l->buffer + l->len;
}

void splitter_take(struct splitter *l, size_t n,
		void (*each)(void *arg, const char *line, size_t len), void *arg)
{
	char *at = l->buffer, *end = l->buffer + l->len + n, *newline;

	while ((newline = memchr(at, '\n', (size_t)(end - at))) != NULL) {
		if (l->skipping)
			l->skipping = false;
		else if ((size_t)(newline - at) > LINE_BYTES_MAX)
			l->too_long++;
		else
			each(arg, at, (size_t)(newline - at));
		at = newline + 1;
	}
	l->len = (size_t)(end - at);
	if (l->len > LINE_BYTES_MAX) {
		l->too_long += !l->skipping;
		l->skipping = true;
		l->len = 0;
	}
	memmove(l->buffer, at, l->len);
}

bool splitter_end(struct splitter *l)
{
	bool left = l->len && !l->skipping;

	l->len = 0;
	l->skipping = false;
	return left;
}
