/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_TRACEFORMAT_H
#define SOCKLEDGER_TRACEFORMAT_H

#include <stdbool.h>

#include "trace.h"

/*
 * The tracepoints that are ours, as this kernel has them: where in a record each field lies is told by
 * events/SYSTEM/NAME/format (Documentation/trace/events.rst).
 */
struct traceformats;

#define TRACEFORMAT_NAME_CHARS 256

struct tracepoint {
	const char *system, *name;
	const char *filter;	/* for the kernel; NULL: none */
};

/*
 * Read below `tracing`.  probe: of those that the probe stands in for, the probe (traceprobe.h).  0;
 * -ENOENT where the kernel lacks one that cannot be done without; -ENOMEM.
 */
int traceformats_read(const char *tracing, bool probe, struct traceformats **out);
void traceformats_free(struct traceformats *f);
/* What the probe says of IPv6 is not to be believed. */
void traceformats_only_four(struct traceformats *f);

bool traceformats_have(const struct traceformats *f, enum trace_kind kind);
/* Shows each that is there, until one gives something else than 0, which is given back. */
int traceformats_each(const struct traceformats *f, int (*each)(const struct tracepoint *p, void *arg),
		      void *arg);

/*
 * What a record of `size` bytes says, but for its time and order.  name: room for a TRACE_EXEC's, which
 * the event then borrows.  False: it is none of ours.  Every byte may be anything.
 */
bool traceformats_decode(const struct traceformats *f, const void *record, int size,
			 struct trace_event *e, char name[TRACEFORMAT_NAME_CHARS]);

#endif
