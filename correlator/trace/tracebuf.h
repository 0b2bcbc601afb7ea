/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_TRACEBUF_H
#define SOCKLEDGER_TRACEBUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tracefs_instance;

/*
 * One processor's buffer of the trace, by pages as the kernel lays them out (tracefs's
 * events/header_page): the time of its first event, a word with how many bytes of events there are,
 * and these.  The word's upper bits say that events before them were lost.
 *
 * Since Linux 6.10 it is mapped into memory (Documentation/trace/ring-buffer-map.rst): what has come is
 * read without the kernel.  Before, or where that is refused, pages are read from trace_pipe_raw: then
 * events that are written while the kernel looks whether there are any may be missing untold, where it
 * goes on to another page at that moment (rb_get_reader_page(); one to nine of 21,000, in one of ten
 * runs of tests/helpers/tracebufs on Linux 6.18).
 */
struct tracebuf;

#define TRACEBUF_BYTES_MAX 65536	/* of a page */
#define TRACEBUF_HEAD (sizeof(uint64_t) + sizeof(long))
/* Of a page's second word. */
#define TRACEBUF_COMMIT ((1ul << 27) - 1)
#define TRACEBUF_LOST (1ul << 31)
#define TRACEBUF_LOST_STORED (1ul << 30)	/* behind the events, how many */

/* may_map: false for pages that are read in any case.  -ENOENT where there is no such processor. */
int tracebuf_open(struct tracefs_instance *instance, int cpu, bool may_map, struct tracebuf **out);
void tracebuf_close(struct tracebuf *b);
bool tracebuf_is_mapped(const struct tracebuf *b);

/*
 * What has come since the last time, or a part of it, as a page of TRACEBUF_BYTES_MAX at most.
 * Never waits.  Its bytes; 0: there is nothing.
 */
size_t tracebuf_take(struct tracebuf *b, void *page);

/* The time of the last event of the page that was taken: what comes next is told from it on. */
void tracebuf_taken(struct tracebuf *b, uint64_t time_ns);

#endif
