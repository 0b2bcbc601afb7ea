/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_RECORD_INTAKE_H
#define SOCKLEDGER_RECORD_INTAKE_H

#include <stdint.h>

#include "cache_feed.h"

struct parts;

/* Takes each audit event of the cache to the observer, the ledger and the judge. */
struct record_intake {
	struct parts *parts;	/* borrowed */
	uint64_t recorded;		/* the newest position that a row has taken to the ledger */
};

/* For cache_feed_start(); its argument is a struct record_intake. */
extern const struct cache_feed_ops record_intake_ops;

#endif
