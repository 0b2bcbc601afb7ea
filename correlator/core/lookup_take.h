/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_LOOKUP_TAKE_H
#define SOCKLEDGER_LOOKUP_TAKE_H

#include <stdbool.h>
#include <stdint.h>

struct connection;
struct lookup_ring;

#define LOOKUP_OWNERS_MAX 4

struct lookup_owner {
	int32_t tid;
	bool call;	/* the call was seen around the lookup: no process can fake that */
	bool exact;	/* with the packet's port; otherwise the thread is connecting to that
			 * destination */
	bool bound;	/* the call was seen on a socket that had the port already: it may have
			 * been bound in another network namespace, and passed on */
	bool left;	/* its connect() may have left the SYN to another thread's send */
	int64_t time_ns;
	uint32_t lookup;	/* in `others`; LOOKUPS and more: in `calls` */
};

/* lookups_take(), of TCP's calls and all else. */
int lookup_take(struct lookup_ring *calls, struct lookup_ring *others, const struct connection *c,
		uint32_t link, int64_t now_ns, struct lookup_owner owners[LOOKUP_OWNERS_MAX],
		bool *more);

#endif
