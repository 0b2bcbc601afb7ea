/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines as they come. */
#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "lines.h"

void lines_init(struct lines *l, int fd)
{
	l->fd = fd;
	l->begin = l->end = 0;
	l->skipping = l->over = false;
}

/* The end of the first line that is there; NULL: it goes on. */
static const char *line_end(const struct lines *l)
{
	return memchr(l->buf + l->begin, '\n', l->end - l->begin);
}

static int fill(struct lines *l)
{
	ssize_t n;

	if (l->begin) {
		memmove(l->buf, l->buf + l->begin, l->end - l->begin);
		l->end -= l->begin;
		l->begin = 0;
	}
	do {
		n = read(l->fd, l->buf + l->end, sizeof(l->buf) - l->end);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	l->over = n == 0;
	l->end += (size_t)n;
	return 0;
}

/* Gives out what stands before `behind`; false where that is the rest of a line that was given. */
static bool give(struct lines *l, const char *behind, size_t next, struct text *line)
{
	bool skipped = l->skipping;

	*line = (struct text){ l->buf + l->begin, (size_t)(behind - (l->buf + l->begin)) };
	l->begin = next;
	l->skipping = false;
	if (line->len > LINES_MAX)
		line->len = LINES_MAX;
	return !skipped;
}

int lines_next(struct lines *l, struct text *line)
{
	for (;;) {
		const char *end = line_end(l);
		int rc;

		if (end) {
			if (give(l, end, (size_t)(end + 1 - l->buf), line))
				return 1;
			continue;
		}
		if (l->end - l->begin >= LINES_MAX) {
			bool whole = give(l, l->buf + l->end, l->end, line);

			l->skipping = true;
			if (whole)
				return 1;
			continue;
		}
		if (l->over) {
			if (l->begin == l->end)
				return 0;
			return give(l, l->buf + l->end, l->end, line);
		}
		rc = fill(l);
		if (rc)
			return rc;
	}
}

bool lines_ready(struct lines *l)
{
	struct pollfd p = { .fd = l->fd, .events = POLLIN };

	return l->over || line_end(l) || poll(&p, 1, 0) != 0;
}
