/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_TRACEFEED_H
#define SOCKLEDGER_TRACEFEED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace.h"

/*
 * The kernel's tracepoints, by an instance of tracefs of our own (Documentation/trace/ftrace.rst): what
 * is wanted is chosen by the kernel's filters, and read from its buffers without waiting.
 */
struct tracefeed;
struct traceprobe;

/*
 * Where these tracepoints are missing a probe of our own stands in (traceprobe.h): it tells of TCP
 * alone.  buffer_bytes: of the kernel's memory, for each processor.  Instances that killed runs left
 * behind are removed.  0; -ENOENT where the kernel has no tracefs, or neither, -EACCES or -EPERM where
 * it is forbidden (lockdown), -EPROTO where the probe does not say what is true, -ENOSYS where
 * this program was built without it, or another -errno.
 */
int tracefeed_open(int64_t buffer_bytes, struct tracefeed **t);
bool tracefeed_is_probe(const struct tracefeed *t);
/* Whether TRACE_EXECS is told: before /proc shows another program, and not some 100 us after that. */
bool tracefeed_sees_exec(const struct tracefeed *t);
/* Removes the instance. */
void tracefeed_close(struct tracefeed *t);

/*
 * Shows all that has happened until now, in the order of time.  An event that a packet's own call
 * made is there when the packet is in its queue: it was written in the same context, before.
 */
void tracefeed_drain(struct tracefeed *t, void (*each)(const struct trace_event *e, void *arg),
		   void *arg);

/* How often events were missing: the kernel had to throw them away because a buffer was full, or there were
 * more than could be read. */
int64_t tracefeed_overruns(const struct tracefeed *t);
/* How many events there were. */
int64_t tracefeed_events(const struct tracefeed *t);

/*
 * What the two above are made of, for tests.  Formats of events are read below `tracing`, which is
 * tracefs or a stand-in, and nothing else is opened.  A page is one that trace_pipe_raw gave: what it
 * has is shown by the next tracefeed_drain(), or before that.  False: it is not whole in itself.
 */
int tracefeed_open_formats(const char *tracing, struct tracefeed **t);
/* By that probe alone; trial: it is tried before it is believed. */
int tracefeed_open_probe(int64_t buffer_bytes, const struct traceprobe *probe, bool trial,
			 struct tracefeed **t);
bool tracefeed_page(struct tracefeed *t, void *page, size_t len,
		    void (*each)(const struct trace_event *e, void *arg), void *arg);

#endif
