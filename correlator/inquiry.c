/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A packet whose sender is asked for. */
#include <netinet/in.h>
#include <string.h>

#include <linux/netfilter.h>

#include "clock.h"
#include "flows.h"
#include "host.h"
#include "inquiry.h"
#include "nfqueue.h"
#include "packet.h"
#include "policy.h"
#include "protocol.h"

bool inquiry_read(struct inquiry *q, const struct nfqueue_packet *p, int32_t *echo_id)
{
	struct connection *c = &q->packet;
	struct packet head;
	int rc = packet_parse(p->data, p->len, &head);

	connection_init(c);
	c->time_us = clock_now_us();
	c->direction = p->hook == NF_INET_LOCAL_IN ? DIRECTION_IN :
		       p->hook == NF_INET_FORWARD ? DIRECTION_FORWARD : DIRECTION_OUT;
	c->protocol = head.protocol;
	c->src = head.src;
	c->dst = head.dst;
	c->unreadable = head.unreadable;
	c->fast_open = head.fast_open;
	c->process.uid = p->uid;
	*echo_id = head.echo_id;
	q->link = p->link;
	q->in = p->in;
	q->out = p->out;
	return !rc;
}

uint32_t inquiry_own_link(const struct inquiry *q)
{
	const struct connection *c = &q->packet;

	return c->direction == DIRECTION_OUT && flow_is_of_link(&c->src.addr, &c->dst.addr) ?
		       q->out : 0;
}

void inquiry_begin(const struct host *h, struct inquiry *q, bool waits)
{
	const struct connection *c = &q->packet;

	bool has_ports = c->src.port >= 0;

	q->facts = (struct packet_facts){
		.protocol = c->protocol, .direction = c->direction, .uid = c->process.uid,
		.has_ports = has_ports,
		/* The kernel's own packets without ports are of no socket of a process, and who
		 * looked up their addresses sends others. */
		.traced = h->tracefs && (has_ports || c->process.uid >= 0 ||
					 c->direction == DIRECTION_FORWARD),
		.fast_open = c->fast_open,
		.blocks_caller = !h->tracefs && c->protocol == IPPROTO_TCP &&
				 c->direction == DIRECTION_OUT,
		.asks_maker = !h->tracefs && waits && c->direction == DIRECTION_OUT &&
			      protocol_is(c->protocol, PROTOCOL_DATAGRAMS),
	};
	testimony_init(&q->testimony);
	q->testimony.records_seen = host_records_come(h);
	q->testimony.makers_seen = q->testimony.records_seen && h->makers_came;
	q->threads.pid = -1;
	inquiry_weigh(q);
}

/*
 * The kernel's own packets come without a user: reports of groups, errors, neighbours, resets, what
 * its tunnels and file systems send.  So do those of sockets that the kernel opened for a process
 * (SMC, MPTCP on some kernels, RxRPC), but these have the process's user in sock_diag.  Such a
 * socket may be closed by now; then a datagram of it is gone already, while a SYN can come to
 * nothing.
 */
static bool is_kernels(const struct inquiry *q)
{
	const struct packet_facts *f = &q->facts;

	if (f->direction != DIRECTION_OUT || f->uid >= 0 || q->answer.pid >= 0)
		return false;
	if (q->testimony.socket.found)
		return q->testimony.socket.uid == 0;
	return f->protocol != IPPROTO_UDP && f->protocol != IPPROTO_UDPLITE;
}

const char *inquiry_reason(const struct inquiry *q)
{
	if (q->packet.unreadable)
		return POLICY_REASON_UNREADABLE;
	if (q->answer.pid >= 0)
		return NULL;
	if (is_kernels(q))
		return POLICY_REASON_KERNEL;
	/* Where it cannot be told, it must not pass for the kernel's. */
	return q->facts.direction == DIRECTION_OUT && q->answer.reason &&
		!strcmp(q->answer.reason, POLICY_REASON_KERNEL) ? "gone" : q->answer.reason;
}

void inquiry_weigh(struct inquiry *q)
{
	attribute(&q->facts, &q->testimony, &q->answer);
}
