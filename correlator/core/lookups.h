/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_LOOKUPS_H
#define SOCKLEDGER_LOOKUPS_H

#include "connection.h"
#include "trace.h"

/*
 * Who looked up a route for which tuple: the kernel does so in the sender's context, before the
 * packet is queued.  For TCP over IPv4, UDP's connect() and sendto(), over both:
 *
 *   connect() TCP/IPv4   STATE (port 0), LOOKUP (port)     or, bound: LOOKUP (port), STATE (port)
 *   connect() TCP/IPv6   STATE (port 0)                    or, bound: LOOKUP (port), STATE (port)
 *   UDP                  LOOKUP (port)
 *
 * Measured on Linux 6.18.  A fixed number; the oldest makes room.
 */
struct lookups;

struct lookups *lookups_new(void);
void lookups_free(struct lookups *l);

/* TRACE_LOOKUP and TRACE_STATE, in the order of their times. */
void lookups_event(struct lookups *l, const struct trace_event *e);

#define LOOKERS_MAX 4

struct looker {
	int32_t tid;
	bool state;	/* the TCP state change of this very connection was seen in that thread */
};

/*
 * The threads that looked the packet's tuple up and whose packet has not come yet, the newest first, at
 * most LOOKERS_MAX.  For TCP over IPv6 those that are connecting to its destination.  What is found
 * is used up: the next packet of the same tuple has lookers of its own.
 */
int lookups_take(struct lookups *l, const struct connection *c, int64_t now_ns,
		 struct looker lookers[LOOKERS_MAX]);

#endif
