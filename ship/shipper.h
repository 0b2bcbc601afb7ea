/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_SHIPPER_H
#define SOCKLEDGER_SHIPPER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "position.h"
#include "rows.h"

struct collector;

/*
 * Brings a ledger's rows to a collector, again and again.  The ledger is the queue: a position goes
 * forward when the collector has said that it has the rows, so whatever ends, nothing is left out,
 * and what comes twice is the same.
 */
struct shipper {
	const char *ledger, *node;	/* borrowed, as the others */
	struct collector *collector;
	const struct position_file *file;
	int end;		/* readable: end */
	int most;		/* rows of a batch */
	size_t bytes;		/* of a batch, before it is compressed */
	int64_t settle_us;	/* how long a new row waits for what is amended at once */
	bool once;		/* all that is there, then the end */

	struct position position;
	int rows;		/* of a batch, by now */
	int failed;		/* batches in succession */
	uint64_t random;
	char told[1024];	/* what was complained of last */
	int64_t told_ns;
};

/* What shipper_run() ends with. */
enum { SHIPPED = 0, SHIP_FAILED = 3 };
int shipper_run(struct shipper *s);

#endif
