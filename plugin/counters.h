/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_COUNTERS_H
#define SOCKLEDGER_COUNTERS_H

#include <stdatomic.h>
#include <stdint.h>

/*
 * All counters of the plugin.  The names are those of the cache's table `counter` and of
 * `sockledger stats`.  Each record or event that was read and did not become a row is in exactly
 * one of the counters below "rows" that say why.
 */
#define PLUGIN_COUNTERS(X)                                                                   \
	X(LINES, lines)				/* audit records read */                     \
	X(EVENTS, events)			/* events put together, ours or not */       \
	X(ROWS, rows)				/* events of ours that were committed */     \
	X(SKIPPED_SYSCALL, skipped_syscall)	/* events of other system calls */           \
	X(SKIPPED_RECORD, skipped_record)	/* records of types that we do not use */    \
	X(SKIPPED_KEY, skipped_key)		/* events that another rule wrote */         \
	X(SKIPPED_FAMILY, skipped_family)	/* not IPv4 or IPv6 */                       \
	X(BAD_LINE, bad_line)			/* not an audit record, or cut off */        \
	X(BAD_LONG, bad_long)			/* longer than any audit record */           \
	X(BAD_EVENT, bad_event)			/* ours, but a field makes no sense */       \
	X(BAD_ADDRESS, bad_address)		/* ours, but its socket address is none */   \
	X(UNKNOWN_ARCH, unknown_arch)		/* ours, but nobody knows the architecture */ \
	X(INCOMPLETE, incomplete)		/* a record that it needs never came */      \
	X(ORPHAN, orphan)			/* records of an event without its SYSCALL */ \
	X(LOST_SERIAL, lost_serial)		/* events that the kernel numbered and that  \
						   never came: lost on the way to us */      \
	X(LOST_BUFFER, lost_buffer)		/* rows that had no room while the cache     \
						   could not be written */                   \
	X(LOST_MEMORY, lost_memory)		/* events that there was no memory to read in */ \
	X(LOST_KERNEL, lost_kernel)		/* records the kernel says it lost */        \
	X(TRIMMED, trimmed)			/* rows that left the cache by its bounds */ \
	X(PROC_READ, proc_read)			/* events whose process was still in /proc */ \
	X(PROC_GONE, proc_gone)			/* ... had exited */                         \
	X(PROC_UNREADABLE, proc_unreadable)	/* ... let nobody look, or not in time */    \
	X(PROC_BUSY, proc_busy)			/* ... was not read: too much input was waiting */ \
	X(SERIAL, last_serial)			/* not a count: the newest serial seen */    \
	X(PROBE, last_probe)		/* not a count: the number of the newest probe that   \
						   came through (see main.c) */              \
	X(RESTARTS, starts)			/* how often the plugin began */

enum plugin_counter {
#define X(id, name) COUNT_##id,
	PLUGIN_COUNTERS(X)
#undef X
	PLUGIN_COUNTER_COUNT
};

/* Each is written by one thread and read by others. */
struct counters {
	_Atomic int64_t value[PLUGIN_COUNTER_COUNT];
};

static inline void count_add(struct counters *c, enum plugin_counter which, int64_t n)
{
	/* One writing thread: no need for a locked instruction. */
	atomic_store_explicit(&c->value[which],
			      atomic_load_explicit(&c->value[which], memory_order_relaxed) + n,
			      memory_order_relaxed);
}

static inline void count_set(struct counters *c, enum plugin_counter which, int64_t n)
{
	atomic_store_explicit(&c->value[which], n, memory_order_relaxed);
}

static inline int64_t count_get(const struct counters *c, enum plugin_counter which)
{
	return atomic_load_explicit(&c->value[which], memory_order_relaxed);
}

const char *counter_name(enum plugin_counter which);

#endif
