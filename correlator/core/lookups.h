/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_LOOKUPS_H
#define SOCKLEDGER_LOOKUPS_H

#include <stdbool.h>
#include <stdint.h>

#include "lookup_take.h"

struct connection;
struct trace_event;

/*
 * Which threads looked up a route for which tuple: the kernel looks it up in the sender's context,
 * before the packet is queued.  For TCP over IPv4, UDP's connect() and sendto(), over both:
 *
 *   connect() TCP/IPv4   STATE (port 0), LOOKUP (port)     or, bound: LOOKUP (port), STATE (port)
 *   connect() TCP/IPv6   STATE (port 0)                    or, bound: LOOKUP (port), STATE (port)
 *   UDP connect()        LOOKUP (port)
 *   UDP sendto()         LOOKUP (port), SEND
 *   all else, sendto()   LOOKUP (no port)
 *   RTM_GETROUTE         LOOKUP (any port that was asked for), SEND (rtnetlink)
 *
 * Measured on Linux 6.18.  The number of lookups is fixed; the oldest makes room.
 */
struct lookups;

struct lookups *lookups_new(void);
void lookups_free(struct lookups *l);

/* Takes TRACE_LOOKUP, TRACE_STATE and TRACE_SEND, in the order of their times. */
void lookups_event(struct lookups *l, const struct trace_event *e);

/* Events were lost, so a call may be missing, or may belong to another lookup. */
void lookups_lost(struct lookups *l);

/*
 * Finds the threads that looked the packet's tuple up and whose packet has not come yet, the newest
 * first, at most LOOKUP_OWNERS_MAX.  For TCP over IPv6 it finds the threads that are connecting to
 * the packet's destination, the likeliest first; where there are several, each of their packets
 * gets all of them.  A socket that is bound to the packet's port comes before them, and hides none
 * of them.  Of other protocols than TCP and UDP it finds the threads that looked the destination
 * up, the first to do so first; so of UDP.  Found lookups are used up, because the next packet of
 * the same tuple has lookups of its own; of UDP the first one alone, because the others are those
 * of the packets behind.  Of a forwarded packet whose destination nobody looked up, those who
 * looked another one up from its source address and port: it may have been translated (DNAT).
 * link: the interface that it leaves by, where the same addresses are others on another one
 * (flow_is_of_link()); 0: it does not matter.
 * *more: there may be further threads, and one of them may be the packet's sender.
 */
int lookups_take(struct lookups *l, const struct connection *c, uint32_t link, int64_t now_ns,
		 struct lookup_owner owners[LOOKUP_OWNERS_MAX], bool *more);

/* Undoes lookups_take() for that lookup of that thread: the packet was not its. */
void lookups_give_back(struct lookups *l, int32_t tid, uint32_t lookup);

/* That thread's newest lookup has no packet to come: it passes unasked. */
void lookups_drop_newest(struct lookups *l, int32_t tid);

/* Whether the call of that thread's lookup has been seen by now. */
bool lookups_is_called(struct lookups *l, int32_t tid, uint32_t lookup);

/* The packet was of that lookup of that thread, and not of the one that was used up. */
void lookups_use_up(struct lookups *l, int32_t tid, uint32_t lookup);

/*
 * A send ends after its packet was queued: when this thread's send after its lookup ends,
 * lookups_called() returns `row`.
 */
void lookups_await_call(struct lookups *l, int32_t tid, uint32_t lookup, uint64_t row);
/* Returns a row whose call has been seen since; 0: there is no further one. */
uint64_t lookups_called(struct lookups *l);

/*
 * connect() with TCP_FASTOPEN_CONNECT leaves the SYN to who sends first, which is seen when that
 * send ends: then lookups_left() returns `row`, whose call has been seen and may not have sent it,
 * and whose thread's send it was, at which time.
 */
void lookups_await_sender(struct lookups *l, int32_t tid, uint32_t lookup, uint64_t row);
uint64_t lookups_left(struct lookups *l, int32_t *tid, int64_t *time_ns);

#endif
