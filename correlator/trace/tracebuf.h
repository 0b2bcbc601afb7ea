/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_TRACEBUF_H
#define SOCKLEDGER_TRACEBUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tracefs_instance;

/*
 * One processor's trace buffer, by pages as the kernel lays them out (tracefs's
 * events/header_page): the time of the page's first event, a word with the number of bytes of
 * events, and the events.  The word's upper bits say that events before them were lost.
 *
 * Since Linux 6.10 the buffer is mapped into memory (Documentation/trace/ring-buffer-map.rst), and
 * events are read without the kernel.  Before, or where mapping is refused, pages are read from
 * trace_pipe_raw.  Then events may be missing without a sign: the kernel can go on to another page
 * just while it checks whether there are any events (rb_get_reader_page(); one to nine of 21,000,
 * in one of ten runs of tests/helpers/tracebufs on Linux 6.18).
 */
struct tracebuf;

#define TRACEBUF_BYTES_MAX 65536	/* of a page */
#define TRACEBUF_HEAD (sizeof(uint64_t) + sizeof(long))
/* Bits of a page's second word. */
#define TRACEBUF_COMMIT ((1ul << 27) - 1)
#define TRACEBUF_LOST (1ul << 31)
#define TRACEBUF_LOST_STORED (1ul << 30)	/* the number of lost events is stored after the
						 * events */

/* may_map: false to read pages in any case.  -ENOENT where there is no such processor. */
int tracebuf_open(struct tracefs_instance *instance, int cpu, bool may_map, struct tracebuf **out);
void tracebuf_close(struct tracebuf *b);
bool tracebuf_is_mapped(const struct tracebuf *b);

/*
 * Takes the events since the last call, or a part of them, as a page of TRACEBUF_BYTES_MAX at
 * most.  Never waits.  Returns its bytes; 0: no events.
 */
size_t tracebuf_take(struct tracebuf *b, void *page);

/* The time of the last event of the page that was taken: the times of the next page build on it. */
void tracebuf_taken(struct tracebuf *b, uint64_t time_ns);

#endif
