/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What can be lost, in words, and when the journal hears of it. */
#include <stddef.h>

#include "log.h"
#include "loss.h"

/* Without another one for so long it has ended. */
#define QUIET_NS 60000000000LL

const struct loss cache_losses[CACHE_LOSSES + 1] = {
	{ "lost_kernel", "records by the kernel" },
	{ "lost_serial", "events on the way from the kernel" },
	{ "lost_buffer", "events while the cache could not be written" },
	{ "lost_memory", "events that there was no memory to read in" },
	{ "unknown_arch", "events of an architecture that is not known" },
	{ "bad_address", "events whose address makes no sense" },
	{ "incomplete", "events of which a record never came" },
	{ "orphan", "records whose event never came" },
	{ NULL, NULL },
};

const struct loss ledger_losses[LEDGER_LOSSES + 1] = {
	{ "lost_cache", "events that left the cache unread" },
	{ "lost_buffer", "rows while the ledger could not be written" },
	{ "lost_refused", "rows that the ledger refused" },
	{ "queue_dropped", "packets because the queue was full" },
	{ "queue_missed", "packets that the kernel could not hand over" },
	{ "queue_errors", "verdicts that the kernel did not take" },
	{ "trace_overruns", "pieces of the kernel's trace" },
	{ "deaths_missed", "words of the kernel that sockets are dead" },
	{ NULL, NULL },
};

void loss_note(struct loss_log *l, const struct loss *what, int64_t count, int64_t now_ns)
{
	if (count > l->seen) {
		if (!l->lasts) {
			l->before = l->seen;
			log_warn("lost: %s; so far %lld (%s)", what->words,
				 (long long)(count - l->before), what->name);
		}
		l->lasts = true;
		l->last_ns = now_ns;
	} else if (l->lasts && now_ns - l->last_ns >= QUIET_NS) {
		l->lasts = false;
		log_warn("no longer lost: %s; it was %lld (%s)", what->words,
			 (long long)(count - l->before), what->name);
	}
	/* A serial that comes late is no loss, and is taken off again. */
	l->seen = count;
}
