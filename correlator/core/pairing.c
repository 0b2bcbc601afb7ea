/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Packets that wait for their record, records that wait for their packet. */
#include <netinet/in.h>
#include <stdlib.h>

#include "event.h"
#include "forgotten.h"
#include "pairing.h"
#include "protocol.h"
#include "rivals.h"
#include "text.h"

struct pairing {
	struct halves *packets, *records;
	struct forgotten *forgotten;	/* of the packets */
	struct rivals *rivals;		/* of TCP's packets */
	struct packet_word word[HALVES_MAX];	/* of the packets, by slot */
	uint64_t next_row;
	/* without packets no record can have one */
	bool packets_come;
};

struct pairing *pairing_new(uint64_t next_row)
{
	struct pairing *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->next_row = next_row;
	p->packets = halves_new();
	p->records = halves_new();
	p->forgotten = forgotten_new();
	p->rivals = rivals_new();
	if (p->packets && p->records && p->forgotten && p->rivals)
		return p;
	pairing_free(p);
	return NULL;
}

void pairing_free(struct pairing *p)
{
	if (!p)
		return;
	halves_free(p->packets);
	halves_free(p->records);
	forgotten_free(p->forgotten);
	rivals_free(p->rivals);
	free(p);
}

uint64_t pairing_new_row(struct pairing *p)
{
	return p->next_row++;
}

void pairing_next_row(struct pairing *p, uint64_t id)
{
	p->next_row = id;
}

struct endpoint pairing_peer(int protocol, struct endpoint peer)
{
	if (protocol >= 0 && !protocol_is(protocol, PROTOCOL_PORTS))
		peer.port = -1;
	return peer;
}

/* The other side, which the record of a call names. */
static struct endpoint peer_of(const struct connection *c)
{
	return pairing_peer(c->protocol, c->direction == DIRECTION_IN ? c->src : c->dst);
}

static struct endpoint local_of(const struct connection *c)
{
	return c->direction == DIRECTION_IN ? c->dst : c->src;
}

/* Of the socket that it was sent by: the caller's own, where that is another than the one that is
 * found for the tuple. */
static int64_t sender_inode(const struct testimony *t)
{
	if (t->socket.shared && t->socket.own_inode > 0)
		return t->socket.own_inode;
	return t->socket.inode;
}

static void take_program(struct packet_word *w, const struct process *p)
{
	w->exe = text_identity(p->exe);
	w->exe_seen = p->exe_seen;
	w->exe_dev = p->exe_dev;
	w->exe_inode = p->exe_inode;
	w->exe_ctime = p->exe_ctime;
	w->replaced = p->replaced;
}

void pairing_packet(struct pairing *p, const struct connection *c, int64_t fd, int64_t uid,
		    const struct packet_word *w, bool has_record)
{
	struct half half = {
		.id = c->id, .protocol = c->protocol, .peer = peer_of(c), .local = local_of(c),
		.in = c->direction == DIRECTION_IN,
		.netns = w->netns, .forwarded = c->direction == DIRECTION_FORWARD,
		.inode = sender_inode(&w->testimony), .pid = w->pid, .fd = fd, .uid = uid,
		.time_us = c->time_us, .evidence = c->evidence,
		/* A datagram's own send may come later (MSG_MORE). */
		.proven = c->protocol == IPPROTO_TCP && c->certainty == CERTAINTY_CERTAIN &&
			  (c->evidence & EVIDENCE_TRACE_CALL),
	};
	int slot = halves_add(p->packets, &half);
	const struct half *gone = halves_made_room(p->packets);

	p->packets_come = true;
	if (gone && !gone->in)
		forgotten_add(p->forgotten, gone->pid, &gone->peer, gone->time_us);
	p->word[slot] = *w;
	p->word[slot].local = half.local;
	take_program(&p->word[slot], &c->process);
	if (c->protocol == IPPROTO_TCP && c->direction != DIRECTION_IN)
		rivals_row(p->rivals, &half.peer, c->id, c->time_us, uid);
	if (!has_record)
		return;
	halves_settle(p->packets, c->id);
	halves_settle(p->records, c->id);
}

struct packet_word *pairing_of_record(struct pairing *p, const struct event *e, int protocol,
					    const struct endpoint *peer, uint64_t *row)
{
	int slot = halves_match(p->packets, e, protocol, peer, row);

	return slot < 0 ? NULL : &p->word[slot];
}

struct packet_word *pairing_of_accept(struct pairing *p, const struct event *e, int protocol,
				      const struct endpoint *peer, const struct endpoint *local,
				      uint64_t *row, bool *alone)
{
	int slot = halves_match_accept(p->packets, e, protocol, peer, local, row, alone);

	return slot < 0 ? NULL : &p->word[slot];
}

struct packet_word *pairing_of_row(struct pairing *p, uint64_t row)
{
	int slot = halves_slot(p->packets, row);

	return slot < 0 ? NULL : &p->word[slot];
}

struct calling {
	struct pairing *pairing;
	int64_t pid;
	void (*each)(struct packet_word *w, uint64_t row, void *arg);
	void *arg;
};

static void on_rivals_row(uint64_t row, void *arg)
{
	struct calling *k = arg;
	struct packet_word *w = pairing_of_row(k->pairing, row);

	if (w && testimony_add_call(&w->testimony, k->pid))
		k->each(w, row, k->arg);
}

void pairing_call(struct pairing *p, const struct event *e,
		  void (*each)(struct packet_word *w, uint64_t row, void *arg), void *arg)
{
	struct calling k = { p, e->process.pid, each, arg };
	struct endpoint to = { e->addr, (int32_t)e->port };
	const struct rival_call call = {
		.pid = e->process.pid, .uid = process_socket_user(&e->process),
		.auid = e->process.auid, .entry_us = e->time_us,
		.returned_us = e->arrival_us > e->time_us ? e->arrival_us : e->time_us,
	};

	address_unmap(&to.addr);
	rivals_call(p->rivals, &to, &call, on_rivals_row, &k);
}

static void on_call(int64_t pid, void *arg)
{
	testimony_add_call(arg, pid);
}

void pairing_calls(const struct pairing *p, const struct connection *c, int64_t since_us,
		   struct testimony *t)
{
	struct endpoint to = peer_of(c);

	if (c->protocol == IPPROTO_TCP && c->direction != DIRECTION_IN)
		rivals_so_far(p->rivals, &to, since_us, c->process.uid, on_call, t);
}

void pairing_record(struct pairing *p, const struct half *record)
{
	halves_add(p->records, record);
}

bool pairing_is_forgotten(struct pairing *p, const struct event *e, const struct endpoint *peer)
{
	return forgotten_take(p->forgotten, e->process.pid, peer, e->time_us);
}

struct pairing_evicted pairing_evicted(const struct pairing *p)
{
	return (struct pairing_evicted){
		.packets = halves_evicted(p->packets),
		.records = p->packets_come ? halves_evicted(p->records) : 0,
	};
}

bool pairing_find(const struct pairing *p, const struct connection *c, int64_t pid, int64_t fd,
		  struct half *found)
{
	struct endpoint peer = peer_of(c);

	/* accept() returns after the packet, and a call of our own is not what a peer sent. */
	if (c->direction == DIRECTION_IN)
		return false;
	return halves_find(p->records, c->protocol, &peer, pid, fd, c->process.uid, c->time_us,
			   found);
}

bool pairing_find_socket(const struct pairing *p, const struct connection *c, int64_t inode,
			 struct half *found)
{
	struct endpoint peer = peer_of(c);

	return c->direction != DIRECTION_IN &&
	       halves_find_socket(p->records, c->protocol, &peer, inode, found);
}

bool pairing_awaits(const struct pairing *p, uint64_t row)
{
	return halves_has(p->records, row);
}

void pairing_restore(struct pairing *p, const struct connection *c, bool has_packet)
{
	struct packet_word w = {
		.facts = {
			.protocol = c->protocol, .direction = c->direction, .uid = c->process.uid,
			.has_ports = c->src.port >= 0,
		},
		.pid = c->process.pid, .caller = -1, .netns = -1, .source = FROM_NOBODY,
		.verdict = c->verdict,
	};
	struct half record = {
		.id = c->id, .protocol = c->protocol, .peer = peer_of(c), .inode = -1,
		.pid = c->process.pid, .fd = -1, .uid = c->process.uid, .time_us = c->time_us,
		.result = -1,
	};

	if (!has_packet) {
		if (c->direction != DIRECTION_IN)
			pairing_record(p, &record);
		return;
	}
	testimony_init(&w.testimony);
	w.testimony.earlier.pid = c->process.pid;
	w.testimony.earlier.evidence = c->evidence;
	/* What spoke against it is forgotten: only what had been proof stays that. */
	w.testimony.earlier.certain = c->certainty == CERTAINTY_CERTAIN;
	pairing_packet(p, c, -1, c->process.uid, &w, false);
}
