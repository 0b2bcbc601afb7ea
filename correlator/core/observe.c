/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Audit events to connections.
 *
 * A connect record names process, descriptor and destination, but only socket() named the
 * protocol.  So sockets are remembered (sockets.h).
 *
 *   socket ----------> entry (pid, fd)
 *   bind ------------> entry.bound
 *   connect, send --entry--> row; the same flow again --> count it on that row
 *   accept ----------> row, entry (pid, fd) of a new socket
 *
 *   I1  attribute() alone says how sure a row is, for a record alone and for packet with record.
 *   I2  A second connect() on a socket that is connecting, whoever calls it, sends nothing.
 *   I3  An operation of io_uring names no descriptor, so it says nothing of sockets that are known,
 *       and each is a connection of its own.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "attribution.h"
#include "call_result.h"
#include "cgroup.h"
#include "clock.h"
#include "makers.h"
#include "observe.h"
#include "pairing.h"
#include "proctable.h"
#include "protocol.h"
#include "sockets.h"

#ifndef SOCKETS
#define SOCKETS 8192
#endif
/* One row per UDP flow and half hour. */
#define FLOW_US (30 * 60 * TIME_US_PER_S)
/*
 * Connections whose socket() record has not come yet; it can come late, because records come out of
 * order.
 */
#define PENDING 256
#define SENT 4096u
/* How many of the most recently used sockets a search looks at. */
#define RECENT_LOOKS 64

struct pending {
	struct sock_key key;
	uint64_t connection;
	uint32_t serial;
	int64_t time_us;
};

/* A flow of a socket that is not connected. */
struct sent {
	uint64_t key, connection;
	int64_t time_us, count;
};

struct observer {
	struct socktable *sockets;
	struct proctable *processes;
	struct makers *makers;
	struct pairing *pairing;
	own_tuple_fn *own_tuple;
	void *own_tuple_arg;
	group_owner_fn *is_roots;
	void *is_roots_arg;
	struct pending pending[PENDING];
	unsigned int pending_next;
	struct sent sent[SENT];
};

struct observer *observer_new(struct pairing *pairing)
{
	struct observer *o = calloc(1, sizeof(*o));

	if (!o)
		return NULL;
	o->pairing = pairing;
	o->sockets = socktable_new(SOCKETS);
	o->processes = proctable_new();
	o->makers = makers_new();
	if (o->sockets && o->processes && o->makers)
		return o;
	observer_free(o);
	return NULL;
}

void observer_free(struct observer *o)
{
	if (!o)
		return;
	socktable_free(o->sockets);
	proctable_free(o->processes);
	makers_free(o->makers);
	free(o);
}

void observer_ask_tuples(struct observer *o, own_tuple_fn *own_tuple, void *arg)
{
	o->own_tuple = own_tuple;
	o->own_tuple_arg = arg;
}

void observer_ask_owners(struct observer *o, group_owner_fn *is_roots, void *arg)
{
	o->is_roots = is_roots;
	o->is_roots_arg = arg;
}

static void remember_pending(struct observer *o, const struct event *e, uint64_t connection)
{
	o->pending[o->pending_next++ % PENDING] = (struct pending){
		.key = sockets_key(e, e->process.pid), .connection = connection,
		.serial = e->serial, .time_us = e->time_us,
	};
}

/* A socket() record that comes after the connect() that used it, but has the earlier serial. */
static void settle_pending(struct observer *o, const struct event *e, struct outcome *out)
{
	struct sock_key key = sockets_key(e, e->process.pid);

	for (unsigned int i = 0; i < PENDING; i++) {
		struct pending *p = &o->pending[i];

		if (!p->connection || p->key.pid != key.pid || p->key.fd != key.fd ||
		    p->key.node != key.node || (int32_t)(p->serial - e->serial) <= 0 ||
		    p->time_us - e->time_us > FLOW_US)
			continue;
		ledger_change_init(&out->change, CHANGE_PROTOCOL, p->connection);
		out->change.connection.protocol = (int)e->protocol;
		p->connection = 0;
		return;
	}
}

static bool continues(const struct sock *s, const struct event *e, const struct endpoint *dst)
{
	const struct sock_flow *f = &s->flow;

	if (!f->valid || f->dst.port != dst->port || !address_equal(&f->dst.addr, &dst->addr))
		return false;
	if (protocol_is(s->protocol, PROTOCOL_DATAGRAMS))
		return e->time_us - f->time_us < FLOW_US;
	return f->pending || e->exit == -EISCONN || e->exit == -EALREADY;
}

static void on_socket(struct observer *o, const struct event *e, struct outcome *out)
{
	struct sock_key key = sockets_key(e, e->process.pid);
	struct sock *s = socktable_find(o->sockets, &key);

	if (!sockets_comes_late(s, e))
		sockets_put(o->sockets, e);
	else if (s->protocol < 0)
		s->protocol = (int)e->protocol;
	settle_pending(o, e, out);
	if (!e->node.data && e->protocol != IPPROTO_TCP)
		makers_add(o->makers, e);
}

void observer_fill(const struct observer *o, struct connection *c, const struct process *p)
{
	struct cgroup_names names = cgroup_parse(p->cgroup);
	bool is_roots = names.decides.data && o && o->is_roots &&
			o->is_roots(o->is_roots_arg, names.decides);

	c->process = *p;
	c->login_proven = cgroup_is_of_login(p->cgroup, p->auid);
	c->text[CONNECTION_UNIT] = names.unit;
	c->text[CONNECTION_CONTAINER] = cgroup_container(&names, is_roots);
}

/* The record as a witness.  late: what was seen at the descriptor is not the call's socket. */
static struct call_record record_of(const struct event *e, const struct sock *s, bool late)
{
	return (struct call_record){
		.inode = e->inode, .uid = process_socket_user(&e->process),
		.pid = (int32_t)e->process.pid, .fd = (int32_t)e->fd,
		.fd_seen = e->inode >= 0 && !late, .bound = s->bound.port > 0 && !late,
		.attempted = !call_sent_nothing((int)e->exit), .sends = e->kind == EVENT_SEND,
		.success = e->kind == EVENT_CONNECT && !e->exit,
		.program_told = e->process.exe_seen == EXE_TOLD,
	};
}

static void take_answer(struct connection *c, const struct attribution *a)
{
	c->evidence = a->evidence;
	c->certainty = a->certainty;
}

/* How sure a record without its packet is. */
static void weigh_alone(struct connection *c, const struct call_record *record)
{
	struct packet_facts none = { .protocol = c->protocol, .uid = -1 };
	struct attribution a;
	struct testimony t;

	testimony_of_record(&t, record);
	attribute(&none, &t, &a);
	take_answer(c, &a);
}

/* All that a record says of its connection, but for the addresses. */
static void fill_call(const struct observer *o, struct connection *c, const struct event *e,
		      const struct sock *s)
{
	connection_init(c);
	/* Another host's control groups are not to be seen. */
	observer_fill(e->node.data ? NULL : o, c, &e->process);
	c->text[CONNECTION_NODE] = e->node;
	c->cache_seq = e->seq;
	c->time_us = c->audit_us = e->time_us;
	c->audit_serial = e->serial;
	c->result = e->exit;
	c->protocol = s->protocol;
}

static void fill_connection(const struct observer *o, struct connection *c,
			    const struct event *e, const struct sock *s,
			    const struct endpoint *dst, bool late)
{
	struct call_record record = record_of(e, s, late);

	fill_call(o, c, e, s);
	c->dst = *dst;
	if (record.bound) {
		c->src = s->bound;
		address_unmap(&c->src.addr);
	}
	weigh_alone(c, &record);
	c->text[CONNECTION_REASON] = call_reason(e->kind == EVENT_CONNECT ? s->protocol : -1, dst,
						 (int)e->exit);
}

/* The record and the packet's row are of the same process in the same program. */
static bool is_same_program(const struct packet_word *w, const struct event *e)
{
	return w->pid == e->process.pid && w->exe && w->exe == sockets_program(e) &&
	       (w->exe_inode < 0 || e->process.exe_inode < 0 ||
		(w->exe_inode == e->process.exe_inode && w->exe_dev == e->process.exe_dev));
}

/*
 * What the row says of the program stays: it was seen to run, and nobody saw what the record tells,
 * which is the same path, or one of another root.  Where it was seen too late, the record's path
 * says that it is the same, if that path is one of our root.
 */
static bool keeps_program(const struct packet_word *w, const struct event *e)
{
	bool same = w->exe == sockets_program(e);

	if (w->pid != e->process.pid || w->exe_seen == EXE_TOLD ||
	    e->process.exe_seen != EXE_TOLD)
		return false;
	if (w->testimony.program_unsure)
		return same && w->testimony.our_root && exe_is_ours(w->exe_seen);
	return same || w->caller >= 0;
}

static void keep_program(struct process *p, const struct packet_word *w)
{
	p->exe_seen = w->exe_seen;
	p->exe_dev = w->exe_dev;
	p->exe_inode = w->exe_inode;
	p->exe_ctime = w->exe_ctime;
	p->replaced = w->replaced;
}

/* The record has found the packet whose row is c->id, and what that rests on. */
static void confirm_packet(struct packet_word *w, const struct event *e,
			   const struct call_record *record, struct outcome *out)
{
	struct connection *c = &out->change.connection;
	bool same = is_same_program(w, e), keeps = keeps_program(w, e);
	struct attribution a;

	w->testimony.record = *record;
	w->testimony.record.by = RECORD_PAIRED;
	w->testimony.record.program_told &= !keeps;
	if (keeps && same)
		keep_program(&c->process, w);
	attribute(&w->facts, &w->testimony, &a);
	take_answer(c, &a);
	/* A packet was sent, so the record's result is no reason. */
	c->text[CONNECTION_REASON] = TEXT_NONE;
	out->change.kind = CHANGE_CONFIRM;
	out->change.amended = w->pid >= 0 && w->pid != e->process.pid;
	/* The record has the program that made the call, /proc the one that it had become by then.
	 */
	out->change.described = (w->described && (same || (!w->exe && w->pid == e->process.pid))) ||
				(keeps && !same);
	out->other_program = w->pid == e->process.pid && !same && !keeps;
	out->source = w->source;
	out->verdict = c->verdict = w->verdict;
	out->observe = w->observe;
	*(c->direction == DIRECTION_IN ? &c->dst : &c->src) = w->local;
}

/* Takes the record of a connection whose packet came first. */
static bool confirm(struct observer *o, const struct event *e, struct sock *s,
		    const struct endpoint *peer, bool late, struct outcome *out)
{
	struct call_record record = record_of(e, s, late);
	struct packet_word *w = pairing_of_record(o->pairing, e, s->protocol, peer,
						  &out->change.connection.id);

	if (w)
		confirm_packet(w, e, &record, out);
	else if (pairing_is_forgotten(o->pairing, e, peer))	/* which row it is of is, too */
		ledger_change_init(&out->change, CHANGE_NONE, 0);
	else
		return false;
	return true;
}

/* Remembers a record whose packet has not come, if one ever comes. */
static void await_packet(struct observer *o, const struct event *e, int protocol,
			 const struct endpoint *peer, uint64_t row)
{
	if (e->node.data)
		return;
	pairing_record(o->pairing, &(struct half){
		.id = row, .protocol = protocol, .peer = *peer, .inode = e->inode,
		.pid = e->process.pid, .fd = e->fd, .uid = process_socket_user(&e->process),
		.time_us = e->time_us, .sends = e->kind == EVENT_SEND,
		.result = e->kind == EVENT_CONNECT ? e->exit : -1,
	});
}

/* Where the packets of a call to `named` go.  One to no address goes to what the socket is bound
 * to, over IPv6 never but to the loopback (ip_route_output_key_hash_rcu(), tcp_v6_connect()). */
static struct endpoint packets_peer(const struct sock *s, const struct endpoint *named)
{
	struct endpoint peer = *named, bound = s->bound;
	bool four;

	if (!peer.addr.family || !address_is_any(&peer.addr))
		return peer;
	address_unmap(&bound.addr);
	four = peer.addr.family == AF_INET || bound.addr.family == AF_INET;
	if (peer.addr.family == AF_INET && bound.addr.family == AF_INET)
		peer.addr = bound.addr;
	else
		address_parse(four ? "127.0.0.1" : "::1", &peer.addr);
	return peer;
}

/* Opens a row, or takes that of the record's packet. */
static void open_row(struct observer *o, const struct event *e, bool replay, struct sock *s,
		     const struct endpoint *named, bool late, struct outcome *out)
{
	struct endpoint peer = packets_peer(s, named);
	bool second = e->exit == -EALREADY || e->exit == -EISCONN;	/* I2 */

	if (!replay && !second && !e->node.data && confirm(o, e, s, &peer, late, out))
		return;
	out->change.connection.id = replay ? 0 : pairing_new_row(o->pairing);
	out->change.kind = CHANGE_ADD;
	if (!replay && !call_sent_nothing((int)e->exit))
		await_packet(o, e, s->protocol, &peer, out->change.connection.id);
	if (s->protocol < 0)
		remember_pending(o, e, out->change.connection.id);
}

/* count: how often the flow was seen again before. */
static void go_on(const struct event *e, uint64_t connection, int64_t *count, struct outcome *out)
{
	ledger_change_init(&out->change, connection ? CHANGE_AGAIN : CHANGE_NONE, connection);
	++*count;
	/* Of this host several sockets may have the same flow. */
	if (e->node.data)
		out->change.count = *count + 1;
	out->change.connection.result = e->exit;
}

/* The other end that the record names, as the packets have it. */
static struct endpoint peer_of(const struct event *e, const struct sock *s)
{
	struct endpoint peer = { e->addr, (int32_t)e->port };

	address_unmap(&peer.addr);
	return pairing_peer(s->protocol, peer);
}

/* It sends and sees frames past all else, so that it was opened is a row. */
static void on_packet_socket(struct observer *o, const struct event *e, bool replay,
			     struct outcome *out)
{
	struct sock none = { .inode = e->inode, .protocol = -1, .bound.port = -1 };
	struct connection *c = &out->change.connection;
	struct call_record record = record_of(e, &none, false);

	fill_call(o, c, e, &none);
	c->result = 0;
	weigh_alone(c, &record);
	c->text[CONNECTION_REASON] = text_of("packet-socket");
	c->id = replay ? 0 : pairing_new_row(o->pairing);
	out->change.kind = CHANGE_ADD;
}

/* I3. */
static bool is_ring(const struct event *e)
{
	return e->fd < 0 && (e->kind == EVENT_CONNECT || e->kind == EVENT_BIND);
}

static void on_ring_connect(struct observer *o, const struct event *e, bool replay,
			    struct outcome *out)
{
	struct sock unknown = { .inode = -1, .protocol = -1, .bound.port = -1 };
	struct endpoint dst = peer_of(e, &unknown);

	fill_connection(o, &out->change.connection, e, &unknown, &dst, false);
	open_row(o, e, replay, &unknown, &dst, false, out);
}

static void on_connect(struct observer *o, const struct event *e, bool replay, struct outcome *out)
{
	struct sock *s = e->node.data ? NULL : socktable_find_inode(o->sockets, e->inode);
	struct sock_flow first = s ? s->flow : (struct sock_flow){ .valid = false };
	struct endpoint dst;
	bool late;

	s = sockets_find_seen(o->sockets, e, &late);
	dst = peer_of(e, s);
	/* It may be another socket, and then another connection, too. */
	if (late)
		s->flow.valid = false;
	else if (first.pending && e->exit != -EINPROGRESS)
		s->flow = first;	/* I2 */
	if (continues(s, e, &dst)) {
		s->flow.pending = call_is_pending(e->exit);
		go_on(e, s->flow.connection, &s->flow.count, out);
		return;
	}
	fill_connection(o, &out->change.connection, e, s, &dst, late);
	open_row(o, e, replay, s, &dst, late, out);
	s->flow = (struct sock_flow){
		.connection = out->change.connection.id, .dst = dst, .time_us = e->time_us,
		.valid = true, .pending = call_is_pending(e->exit),
	};
}

/*
 * A datagram to an address: one socket may send to many in turn, so each destination is a flow for
 * half an hour, and is remembered beside the socket.
 */
static void on_send(struct observer *o, const struct event *e, bool replay, struct outcome *out)
{
	bool late;
	struct sock *s = sockets_find_seen(o->sockets, e, &late);
	struct endpoint dst = peer_of(e, s);
	uint64_t key = sock_flow_key(s, &dst);
	struct sent *sent = &o->sent[key % SENT];
	if (sent->key == key && !late && e->time_us - sent->time_us < FLOW_US) {
		go_on(e, sent->connection, &sent->count, out);
		return;
	}
	fill_connection(o, &out->change.connection, e, s, &dst, late);
	/* One that failed before it sent anything is no connection, unless a firewall held it. */
	if (e->exit < 0 && e->exit != -EPERM)
		return;
	open_row(o, e, replay, s, &dst, late, out);
	*sent = (struct sent){ key, out->change.connection.id, e->time_us, 0 };
}

/* Our end of what was accepted, as far as the descriptor that was listened on is known to be
 * bound. */
static struct endpoint local_of_listener(struct observer *o, const struct event *e)
{
	struct endpoint local = { .port = -1 };
	struct event call = *e;
	bool late;

	if (e->listener < 0)
		return local;
	call.fd = e->listener;
	call.inode = e->listener_inode;
	local = sockets_find(o->sockets, &call, &late)->bound;
	if (local.port <= 0)
		return (struct endpoint){ .port = -1 };
	address_unmap(&local.addr);
	return local;
}

static bool ask_own_tuple(const struct observer *o, const struct event *e, const struct sock *s,
			  const struct endpoint *peer, struct endpoint *local)
{
	return o->own_tuple && e->inode > 0 && !e->node.data &&
	       o->own_tuple(o->own_tuple_arg, s->protocol, e->inode, peer, local);
}

/* The packet of what was accepted has its own end; without it the listener's has to do. */
static bool confirm_accepted(struct observer *o, const struct event *e, const struct sock *s,
			     const struct endpoint *peer, struct endpoint *local,
			     struct outcome *out)
{
	struct call_record record = record_of(e, s, false);
	struct packet_word *w;

	if (e->node.data)
		return false;
	w = pairing_of_accept(o->pairing, e, s->protocol, peer, local,
			      &out->change.connection.id, &record.only_one);
	if (!w)
		return false;
	*local = w->local;
	record.accepted = true;
	record.bound = false;
	record.listener_inode = e->listener_inode;
	record.own_tuple = ask_own_tuple(o, e, s, peer, local);
	confirm_packet(w, e, &record, out);
	return true;
}

/* accept() with an address: the peer's. */
static void on_accept(struct observer *o, const struct event *e, bool replay, struct outcome *out)
{
	struct endpoint peer = { e->addr, (int32_t)e->port }, local = local_of_listener(o, e);
	struct sock *s = sockets_put_accepted(o->sockets, e, &local);
	struct connection *c = &out->change.connection;
	struct call_record record = record_of(e, s, false);

	address_unmap(&peer.addr);
	fill_call(o, c, e, s);
	c->direction = DIRECTION_IN;
	c->src = peer;
	c->result = 0;
	if (!replay && confirm_accepted(o, e, s, &peer, &local, out))
		return;
	record.accepted = true;
	record.own_tuple = !replay && ask_own_tuple(o, e, s, &peer, &local);
	record.bound = local.port > 0 && !record.own_tuple;
	c->dst = local;
	weigh_alone(c, &record);
	c->id = replay ? 0 : pairing_new_row(o->pairing);
	out->change.kind = CHANGE_ADD;
}

static void on_bind(struct observer *o, const struct event *e)
{
	bool late;
	struct sock *s = sockets_find(o->sockets, e, &late);

	s->bound = (struct endpoint){ e->addr, (int32_t)e->port };
	if (address_is_any(&e->addr))
		s->bound.addr.family = 0;
}

/*
 * Until a child executes a program it is a copy of its parent with another pid.  The child's own
 * records may have come before this one.
 */
static void on_fork(struct observer *o, const struct event *e)
{
	const struct known_process *old = proctable_get(o->processes, e->exit);
	struct process child = e->process;

	if (e->exit <= 0 || e->node.data || (old && old->time_us >= e->time_us))
		return;
	child.pid = e->exit;
	child.ppid = e->process.pid;
	child.start_ticks = -1;
	proctable_put(o->processes, &child, e->time_us);
}

static void take_event(struct observer *o, const struct event *e, bool replay,
		       struct outcome *out)
{
	out->change.kind = CHANGE_NONE;
	out->change.amended = out->change.described = out->other_program = false;
	if (!e->node.data && !is_ring(e))
		proctable_put(o->processes, &e->process, e->time_us);
	switch (e->kind) {
	case EVENT_SOCKET:
		if (e->exit >= 0 && e->family == AF_PACKET)
			on_packet_socket(o, e, replay, out);
		else if (e->exit >= 0)
			on_socket(o, e, out);
		break;
	case EVENT_BIND:
		if (e->exit == 0 && !is_ring(e))
			on_bind(o, e);
		break;
	case EVENT_CONNECT:
		(is_ring(e) ? on_ring_connect : on_connect)(o, e, replay, out);
		break;
	case EVENT_FORK:
		on_fork(o, e);
		break;
	case EVENT_SEND:
		on_send(o, e, replay, out);
		break;
	case EVENT_ACCEPT:
		if (e->exit >= 0 && e->addr.family)
			on_accept(o, e, replay, out);
		break;
	default:
		break;
	}
	if (replay)
		out->change.kind = CHANGE_NONE;
}

void observer_event(struct observer *o, const struct event *e, bool replay, struct outcome *out)
{
	struct event own = *e;

	/* What such a socket sends is TCP, and so is what it falls back to. */
	if (e->protocol == IPPROTO_MPTCP)
		own.protocol = IPPROTO_TCP;
	if (is_ring(e) && !e->node.data && own.process.auid < 0)
		proctable_lend(o->processes, &own.process);
	take_event(o, &own, replay, out);
}

bool observer_holder(struct observer *o, int64_t inode, struct holder *h)
{
	const struct sock *s = socktable_find_inode(o->sockets, inode);

	if (!s || s->key.node)
		return false;
	*h = (struct holder){ s->key.pid, s->key.fd };
	return true;
}

int observer_recent(struct observer *o, int protocol, struct holder *holders, int max)
{
	struct sock *s = socktable_newest(o->sockets);
	int count = 0;

	for (int looks = 0; s && count < max && looks < RECENT_LOOKS; looks++, s = s->older) {
		int i;

		if (s->key.node || (s->protocol >= 0 && s->protocol != protocol))
			continue;
		for (i = 0; i < count && holders[i].pid != s->key.pid; i++)
			;
		if (i == count)
			holders[count++] = (struct holder){ s->key.pid, s->key.fd };
	}
	return count;
}

void observer_learn(struct observer *o, int64_t inode, int64_t pid, int64_t fd)
{
	struct sock_key key = { .node = 0, .pid = pid, .fd = fd };
	struct sock *s = socktable_find(o->sockets, &key);

	/* Another socket took the descriptor, so what was known of it is void. */
	if (!s || (s->inode >= 0 && s->inode != inode))
		s = socktable_put(o->sockets, &key);
	socktable_set_inode(o->sockets, s, inode);
}

struct makers *observer_makers(struct observer *o)
{
	return o->makers;
}

void observer_clock(struct observer *o, int64_t wall_us, int64_t mono_ns)
{
	proctable_clock(o->processes, wall_us, mono_ns);
}

const struct known_process *observer_who(const struct observer *o, int64_t pid)
{
	return proctable_get(o->processes, pid);
}

void observer_know(struct observer *o, const struct process *p, int64_t time_us)
{
	proctable_put(o->processes, p, time_us);
}
