/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_LOAD_H
#define SOCKLEDGER_LOAD_H

#include <stdbool.h>
#include <stdint.h>

/* Whether many packets come: then details of rows that no rule needs are left to the audit record.
 * Zeroed at first. */
struct load {
	int64_t since_ns, packets;
	bool high;		/* there were many packets, or are */
};

/* A packet has come. */
void load_note(struct load *l, int64_t now_ns);

#endif
