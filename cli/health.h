/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_HEALTH_H
#define SOCKLEDGER_HEALTH_H

#include <stddef.h>
#include <stdint.h>

/* What was lost, in words, and what was held up, by the counters of cache and ledger. */
struct health {
	int ledger_rc, cache_rc; /* 0, or why the file could not be read: an errno of db.h */
	int64_t lost;		 /* events, rows and packets of all kinds */
	int64_t lag;		 /* events that the ledger does not have yet; -1: unknown */
	int64_t newest_us;	 /* time of the newest connection; -1: there is none */
	int64_t verdicts, late;	 /* given; of these, that took longer than `late_verdict` */
	int64_t overdue;	 /* looks at a process that kept who looked at it waiting */
	char words[512];	 /* what was lost, as in "3 records by the kernel"; may be empty */
};

void health_read(struct health *h, const char *ledger, const char *cache);
/* One sentence on the whole, with its full stop, and one more where something was held up. */
void health_sentence(const struct health *h, char *buf, size_t size);

#endif
