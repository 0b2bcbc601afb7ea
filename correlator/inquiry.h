/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_INQUIRY_H
#define SOCKLEDGER_INQUIRY_H

#include "attribution.h"
#include "connection.h"

struct host;
struct nfqueue_packet;

/* A packet whose sender is asked for: what it says itself, and what the witnesses have said so
 * far. */
struct inquiry {
	/* without texts; uid is the socket's, as soon as that is known */
	struct connection packet;
	uint32_t link;			/* that the packet came in by; 0: none, or not known */
	uint32_t in, out;		/* likewise of its IP, and that it leaves by */
	struct packet_facts facts;
	struct testimony testimony;
	struct attribution answer;	/* of the testimony so far */
	struct { int64_t pid, at; } threads;	/* whose have been looked at, and how far */
};

/* What the queue has handed over.  False: its head makes no sense.  *echo_id: struct packet. */
bool inquiry_read(struct inquiry *q, const struct nfqueue_packet *p, int32_t *echo_id);
/* Nobody has been asked yet.  The packet is there.  waits: it may wait for a record. */
void inquiry_begin(const struct host *h, struct inquiry *q, bool waits);
/* Weighs what there is, into q->answer. */
void inquiry_weigh(struct inquiry *q);

/* The interface by which the packet comes to a socket here, or has left one; 0: it is forwarded. */
static inline uint32_t inquiry_device(const struct inquiry *q)
{
	return q->packet.direction == DIRECTION_OUT ? q->out :
	       q->packet.direction == DIRECTION_IN ? q->in : 0;
}

/* The interface that the packet leaves by, where its addresses are another flow's on another one;
 * 0: they are not. */
uint32_t inquiry_own_link(const struct inquiry *q);

/* A further witness may yet prove who sent the packet. */
static inline bool inquiry_has_proof(const struct inquiry *q)
{
	return q->facts.has_ports && q->facts.direction != DIRECTION_FORWARD;
}

/* That the packet is unreadable, or why nobody is named, for the row and the policy; NULL: it is
 * neither. */
const char *inquiry_reason(const struct inquiry *q);

#endif
