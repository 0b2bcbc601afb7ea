/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_LINES_H
#define SOCKLEDGER_LINES_H

#include <stdbool.h>

#include "text.h"

/* Lines from a descriptor, as they come.  Of a longer one the end is left out. */
#define LINES_MAX 65536

struct lines {
	int fd;
	char buf[2 * LINES_MAX];
	size_t begin, end;	/* what has been read, and not given out */
	bool skipping;		/* the rest of a line that was too long */
	bool over;
};

void lines_init(struct lines *l, int fd);
/* 1 and a line without its end, good until the next call; 0 at the end; -errno. */
int lines_next(struct lines *l, struct text *line);
/* The next call does not wait. */
bool lines_ready(struct lines *l);

#endif
