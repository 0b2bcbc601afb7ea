/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How far something long is. */
#include <inttypes.h>
#include <unistd.h>

#include "progress.h"

#define SHOW_NS 200000000LL
#define EMPTY "\r\033[K"

FILE *progress_terminal(void)
{
	return isatty(STDERR_FILENO) ? stderr : NULL;
}

void progress_begin(struct progress *p, FILE *out, int64_t now_ns)
{
	*p = (struct progress){ .out = out, .begun_ns = now_ns, .next_ns = now_ns + SHOW_NS };
}

void progress_show(struct progress *p, int64_t now_ns, int64_t at, int64_t of)
{
	int64_t took_ms;

	if (!p->out || now_ns < p->next_ns)
		return;
	if (of > 0 && (at <= 0 || at > of))
		return;
	p->next_ns = now_ns + SHOW_NS;
	p->drawn = true;
	took_ms = (now_ns - p->begun_ns) / 1000000;
	if (of > 0)
		fprintf(p->out, EMPTY "%d %%, %" PRId64 " s left", (int)(100.0 * at / of),
			(int64_t)((double)took_ms * (of - at) / at / 1000));
	else
		fprintf(p->out, EMPTY "%" PRId64 " MB", at / 1000000);
	fflush(p->out);
}

void progress_end(struct progress *p)
{
	if (p->drawn)
		fputs(EMPTY, p->out);
	p->drawn = false;
}
