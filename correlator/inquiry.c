/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A packet whose sender is asked for. */
#include <netinet/in.h>

#include "host.h"
#include "inquiry.h"

void inquiry_begin(const struct host *h, struct inquiry *q)
{
	const struct connection *c = &q->packet;

	q->facts = (struct packet_facts){
		.protocol = c->protocol, .direction = c->direction, .uid = c->process.uid,
		.has_ports = c->src.port >= 0, .traced = h->tracefs != NULL,
		.blocks_caller = !h->tracefs && c->protocol == IPPROTO_TCP &&
				 c->direction == DIRECTION_OUT,
	};
	testimony_init(&q->testimony);
	inquiry_weigh(q);
}

void inquiry_weigh(struct inquiry *q)
{
	attribute(&q->facts, &q->testimony, &q->answer);
}
