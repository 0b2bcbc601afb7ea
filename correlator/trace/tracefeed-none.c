/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Built without libtracefs: behaves as on a kernel without tracepoints. */
#include <errno.h>
#include <stddef.h>

#include "tracefeed.h"

int tracefeed_open(int64_t buffer_bytes, struct tracefeed **t)
{
	(void)buffer_bytes;
	*t = NULL;
	return -ENOSYS;
}

void tracefeed_prepare(void)
{
}

bool tracefeed_sees_exec(const struct tracefeed *t)
{
	(void)t;
	return false;
}

bool tracefeed_is_probe(const struct tracefeed *t)
{
	(void)t;
	return false;
}

void tracefeed_close(struct tracefeed *t)
{
	(void)t;
}

void tracefeed_drain(struct tracefeed *t, void (*each)(const struct trace_event *e, void *arg),
		   void *arg)
{
	(void)t;
	(void)each;
	(void)arg;
}

int64_t tracefeed_overruns(const struct tracefeed *t)
{
	(void)t;
	return 0;
}

int64_t tracefeed_events(const struct tracefeed *t)
{
	(void)t;
	return 0;
}
