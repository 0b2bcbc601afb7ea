/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_TRACEFEED_H
#define SOCKLEDGER_TRACEFEED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct trace_event;

/*
 * The kernel's tracepoints, through our own instance of tracefs (Documentation/trace/ftrace.rst):
 * the kernel's filters choose the events, and they are read from its buffers without waiting.
 */
struct tracefeed;
struct traceprobe;

/* Mounts tracefs where nobody has yet, for which CAP_SYS_ADMIN is needed. */
void tracefeed_prepare(void);

/*
 * Where the kernel lacks these tracepoints a probe of our own stands in (traceprobe.h), for TCP
 * alone. buffer_bytes: the kernel's memory, for each processor.  Removes instances that killed runs
 * left.  0; -ENOENT where the kernel has no tracefs, or neither tracepoints nor probe, -EACCES or
 * -EPERM where it is forbidden (lockdown), -EPROTO where the probe reports wrong values, -ENOSYS
 * where this program was built without libtracefs, or another -errno.
 */
int tracefeed_open(int64_t buffer_bytes, struct tracefeed **t);
bool tracefeed_is_probe(const struct tracefeed *t);
/*
 * Whether TRACE_EXEC_BEGIN comes: before /proc shows another program, not some 100 us after that.
 */
bool tracefeed_sees_exec(const struct tracefeed *t);
/* Removes the instance. */
void tracefeed_close(struct tracefeed *t);

/*
 * Shows all events until now, in the order of time.  When a packet is in its queue the events of
 * its own call are in the trace: the kernel wrote them in the same context, before it queued the
 * packet.
 */
void tracefeed_drain(struct tracefeed *t, void (*each)(const struct trace_event *e, void *arg),
		   void *arg);

/*
 * How often events were lost: the kernel dropped them because a buffer was full, or there were more
 * than could be read.
 */
int64_t tracefeed_overruns(const struct tracefeed *t);
/* How many events there were. */
int64_t tracefeed_events(const struct tracefeed *t);

/*
 * The parts of tracefeed_open() and tracefeed_drain(), for tests.  tracefeed_open_formats() reads
 * the events' formats below `tracing`, which is tracefs or a stand-in, and opens nothing more.
 * tracefeed_page() takes a page from trace_pipe_raw; tracefeed_drain() shows its events, or an
 * earlier call does.  False: the page is malformed.
 */
int tracefeed_open_formats(const char *tracing, struct tracefeed **t);
/* By that probe alone; trial: it is tried before it is believed. */
int tracefeed_open_probe(int64_t buffer_bytes, const struct traceprobe *probe, bool trial,
			 struct tracefeed **t);
bool tracefeed_page(struct tracefeed *t, void *page, size_t len,
		    void (*each)(const struct trace_event *e, void *arg), void *arg);

#endif
