/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_PRIORITY_H
#define SOCKLEDGER_PRIORITY_H

#include <stdbool.h>
#include <stdint.h>

/*
 * The priority of a thread that answers packets: no connection waits for other programs.
 *
 * An ordinary thread of a high priority runs where its waker runs, so that one who waits for a packet
 * and the one who answers it need no second processor, which would have to be woken, twice: where
 * processors sleep deeply or are a hypervisor's, that is most of what a packet waits.  A real-time
 * thread stays on the processor that it had, and is never kept from it: when packets come one
 * behind the other, that is what counts, for who sent the last may be gone before the first is
 * looked at.  So it is the first until they do.  A thread that is bound to the processor that its
 * packets come from (readers.c) is a real-time one from the start: it would not run elsewhere anyway.
 */
struct priority {
	int boost;		/* 0 to 20, or PRIORITY_AUTO, PRIORITY_REALTIME of config.h */
	bool realtime;
	int64_t since_ns;	/* when the packets began to be counted */
	int64_t until_ns;	/* real-time at least until then */
	int packets;
};

/* For this thread, from now on.  0, or -errno where it cannot be had. */
int priority_take(struct priority *p, int boost);
/* So many packets had been waiting, and are answered. */
void priority_note(struct priority *p, int packets, int64_t now_ns);

#endif
