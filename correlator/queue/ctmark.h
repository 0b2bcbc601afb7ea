/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_CTMARK_H
#define SOCKLEDGER_CTMARK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tuple.h"

struct nlmsghdr;

/*
 * Marks of conntrack entries (linux/netfilter/nfnetlink_conntrack.h).  A decision is kept there and
 * not in the packet: a packet whose mark is changed at LOCAL_OUT is routed anew, and no longer fits
 * others' rules on marks (nf_queue.c, nf_reroute()).
 */
struct ctmark {
	int protocol;		/* one with ports */
	struct endpoint src, dst;	/* of the packet, where it was queued */
	/* the packet came in, or is forwarded: its addresses may be translated already, so the
	 * entry is found by what an answer to the packet would have */
	bool by_answer;
	uint32_t mark, mask;	/* the mark's bits below mask become mark's */
};

/* The longest message of ctmark_put(). */
#define CTMARK_BYTES 192
/* Appends an update of that entry.  `to` has CTMARK_BYTES zeroed bytes and is aligned to four.
 * Returns its length. */
size_t ctmark_put(void *to, const struct ctmark *m);

/* A socket for marks that go without a packet. */
struct ctmarks;

/* 0 or -errno. */
int ctmarks_open(struct ctmarks **c);
void ctmarks_close(struct ctmarks *c);
/* An entry that is not there is no error, and nothing waits for the kernel's word. */
void ctmarks_set(struct ctmarks *c, const struct ctmark *m);
/* Takes this bit from all entries that have it, and waits until the kernel has shown them: how
 * many, or -errno. */
int ctmarks_clear(struct ctmarks *c, uint32_t bit);

#endif
