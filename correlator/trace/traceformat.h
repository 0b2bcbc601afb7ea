/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_TRACEFORMAT_H
#define SOCKLEDGER_TRACEFORMAT_H

#include <stdbool.h>

#include "trace.h"

/*
 * Our tracepoints, as this kernel has them: events/SYSTEM/NAME/format says where in a record each
 * field lies (Documentation/trace/events.rst).
 */
struct traceformats;

#define TRACEFORMAT_NAME_CHARS 256

struct tracepoint {
	const char *system, *name;
	const char *filter;	/* for the kernel; NULL: none */
};

/*
 * Reads the formats below `tracing`.  probe: read the probe's format instead of those of the
 * tracepoints it stands in for (traceprobe.h).  0; -ENOENT where the kernel lacks a required one;
 * -ENOMEM.
 */
int traceformats_read(const char *tracing, bool probe, struct traceformats **out);
void traceformats_free(struct traceformats *f);
/* Ignore the probe's events of IPv6. */
void traceformats_only_four(struct traceformats *f);

bool traceformats_have(const struct traceformats *f, enum trace_kind kind);
/* Shows each tracepoint that the kernel has, until each() returns nonzero; returns that. */
int traceformats_each(const struct traceformats *f,
		      int (*each)(const struct tracepoint *p, void *arg), void *arg);

/*
 * Decodes a record of `size` bytes, but for its time and order.  name: room for a TRACE_EXEC_DONE's
 * name, which the event then borrows.  False: it is not one of ours.  Every byte may be anything.
 */
bool traceformats_decode(const struct traceformats *f, const void *record, int size,
			 struct trace_event *e, char name[TRACEFORMAT_NAME_CHARS]);

#endif
