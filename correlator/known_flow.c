/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Flows that have been decided, and the sockets that they belong to. */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "ask.h"
#include "clock.h"
#include "config.h"
#include "ctmark.h"
#include "deaths.h"
#include "failures.h"
#include "host.h"
#include "inquiry.h"
#include "known_flow.h"
#include "ledger_change.h"
#include "ledger_sink.h"
#include "lookups.h"
#include "procfs.h"
#include "sockdiag.h"
#include "tasks.h"

/* Of TCP, and of all else: two tables, so that neither pushes the other out. */
#ifndef FLOWS_MAX
#define FLOWS_MAX 16384
#endif
/* A flow of datagrams gets another row after half an hour, as one that only records tell of. */
#define FLOW_NS (30 * 60 * 1000000000LL)
/* Without a socket whose death would be announced: how long a flow may be silent. */
#define SILENT_NS 30000000000LL
/* A pair of DNS questions is never marked: the first two datagrams are cheaper without.  Of its own
 * accord only what makes a good part of the load is. */
#define MARK_FROM 3
#define MARK_BUSY_FROM 64
/* Flows of one user with one tuple. */
#define BESIDE_MAX 16
#define DROPPED_MAX 64
/* An entry may have gone meanwhile (conntrack -F), and its mark with it. */
#define MARK_AGAIN_NS 1000000000LL
/* At the pace of known_flows_poll(), all slots come up within a few seconds. */
#define SWEEP_SLOTS 512
#define SWEEP_NS 100000000LL
#define WRITE_NS 30000000000LL

struct known_flows {
	struct known_flows_tools t;
	struct flows *tcp, *others;
	uint32_t tcp_at, others_at;	/* the next slots to look at */
	int64_t swept_ns, now_ns;
	int64_t marked;			/* flows that have a mark now */
	/* until then a death of UDP may have been missed */
	int64_t unsure_until_ns;
	const struct death *death;	/* the one that is shown */
	struct known_flows_counts count;
};

struct known_flows *known_flows_new(const struct known_flows_tools *tools)
{
	struct known_flows *k = calloc(1, sizeof(*k));

	if (!k)
		return NULL;
	k->t = *tools;
	k->tcp = flows_new(FLOWS_MAX);
	k->others = flows_new(FLOWS_MAX);
	if (k->tcp && k->others) {
		k->t.host->datagrams = k->others;
		return k;
	}
	flows_free(k->tcp);
	flows_free(k->others);
	free(k);
	return NULL;
}

static struct flows *table_of(const struct known_flows *k, int protocol)
{
	return protocol == IPPROTO_TCP ? k->tcp : k->others;
}

static bool has_ports(const struct flow_key *key)
{
	return key->src.port >= 0;
}

/* Datagrams with ports: there may be many before the first one has its verdict. */
static bool is_stream_of_datagrams(const struct flow_key *key)
{
	return has_ports(key) && key->protocol != IPPROTO_TCP;
}

/* The kernel announces the deaths of UDP's sockets, not those of UDP-Lite, SCTP and DCCP. */
static bool tells_deaths(const struct known_flows *k, const struct flow_key *key)
{
	return k->t.deaths && key->protocol == IPPROTO_UDP;
}

static uint32_t decided_bit(const struct known_flows *k)
{
	uint32_t mask = (uint32_t)k->t.config->mark;

	return mask & -mask;
}

static struct ctmark mark_of(const struct known_flows *k, const struct flow *f, bool decided)
{
	return (struct ctmark){
		.protocol = f->key.protocol, .src = f->key.src, .dst = f->key.dst,
		.by_answer = f->key.direction == DIRECTION_IN,
		.mark = decided ? decided_bit(k) : 0, .mask = (uint32_t)k->t.config->mark,
	};
}

/* Lookups of the flow's process whose packets have passed, or never came.  Else they would be taken
 * for those of the next packet with the tuple. */
static void drop_lookups(struct known_flows *k, const struct flow *f)
{
	struct connection c = { .protocol = f->key.protocol, .src = f->key.src, .dst = f->key.dst };
	struct lookup_owner owners[LOOKUP_OWNERS_MAX];
	struct host *h = k->t.host;
	bool more;

	if (!h->tracefs || f->key.protocol != IPPROTO_UDP || f->key.direction != DIRECTION_OUT)
		return;
	host_read_trace(h);
	for (int i = 0; i < DROPPED_MAX; i++) {
		if (!lookups_take(h->lookups, &c, f->key.link, clock_mono_ns(), owners, &more))
			return;
		if (tasks_process(h->tasks, owners[0].tid, owners[0].time_ns) == f->pid)
			continue;
		lookups_give_back(h->lookups, owners[0].tid, owners[0].lookup);
		return;
	}
}

static void unmark(struct known_flows *k, struct flow *f)
{
	struct ctmark m = mark_of(k, f, false);

	if (!f->marked_ns)
		return;
	drop_lookups(k, f);
	ctmarks_set(k->t.marks, &m);
	f->marked_ns = 0;
	k->marked--;
	k->count.unmarked++;
}

/* Marked datagrams are not counted, so then nobody knows how many there were. */
static bool knows_packets(const struct flow *f)
{
	return is_stream_of_datagrams(&f->key) && !f->marked_ns && f->packets != f->written &&
	       f->packets > 1;
}

static void write_flow(struct known_flows *k, struct flow *f, const struct death *death)
{
	struct ledger_change c;

	if (!death && !knows_packets(f))
		return;
	ledger_change_init(&c, CHANGE_FLOW, f->row);
	if (death) {
		c.end_us = clock_now_us();
		c.bytes = death->bytes;
		c.packets = death->packets;
	}
	if (c.packets < 0 && (knows_packets(f) || (is_stream_of_datagrams(&f->key) &&
						   f->packets < MARK_FROM)))
		c.packets = f->packets;
	f->written = f->packets;
	ledger_sink_put(k->t.ledger_sink, LEDGER_SINK_KEEP, &c);
}

static void write_last(struct flow *f, void *arg)
{
	write_flow(arg, f, NULL);
}

void known_flows_free(struct known_flows *k)
{
	if (!k)
		return;
	flows_some(k->others, 0, FLOWS_MAX, write_last, k);
	k->t.host->datagrams = NULL;
	flows_free(k->tcp);
	flows_free(k->others);
	free(k);
}

struct flow_key known_flow_key(const struct inquiry *q, int32_t echo_id)
{
	const struct connection *c = &q->packet;
	struct flow_key k;

	/* Of what goes out the socket tells. */
	if (c->protocol == IPPROTO_TCP && c->direction != DIRECTION_IN)
		echo_id = -1;
	k = (struct flow_key){
		.protocol = c->protocol, .direction = c->direction, .src = c->src, .dst = c->dst,
		.echo_id = echo_id, .uid = q->facts.uid,
	};
	k.link = c->direction == DIRECTION_FORWARD ? q->link : inquiry_own_link(q);
	return k;
}

struct flow *known_flow_find(struct known_flows *k, const struct flow_key *key)
{
	struct flow_key reverse = { key->protocol, DIRECTION_IN, key->dst, key->src, -1, -1, 0 };
	struct flow *f = flows_find(table_of(k, key->protocol), key), *next;

	/* The one whose socket sock_diag finds, if there is one. */
	while (f && f->beside && (next = flows_next(k->others, f)))
		f = next;
	/* What comes behind the SYN. */
	if (!f && key->protocol == IPPROTO_TCP && key->direction == DIRECTION_IN &&
	    key->echo_id < 0)
		f = flows_find_tuple(k->tcp, key);
	/* An answer to what came in, whose conntrack entry is gone. */
	if (!f && key->direction == DIRECTION_OUT && is_stream_of_datagrams(key))
		f = flows_find(k->others, &reverse);
	return f;
}

struct flow *known_flow_of_row(struct known_flows *k, const struct flow_key *key, uint64_t row)
{
	struct flow *f = known_flow_find(k, key);

	if (f)
		f = flows_find(table_of(k, key->protocol), &f->key);
	while (f && f->row != row)
		f = flows_next(table_of(k, key->protocol), f);
	return f && f->verdict ? f : NULL;
}

/* A SYN of which the socket has sent another one before is that one's.  A socket that is gone sends
 * nothing again. */
static enum flow_word compare_syn(struct known_flows *k, struct inquiry *q, const struct flow *f)
{
	ask_socket(k->t.host, q, false);
	return q->testimony.socket.inode > 0 &&
		       (q->testimony.socket.resent || q->testimony.socket.inode == f->inode) ?
		       FLOW_SAME : FLOW_NEW;
}

void known_flow_give_back(const struct known_flows *k, const struct inquiry *q)
{
	const struct caller *first = &q->testimony.trace.by[0];

	if (q->testimony.trace.count)
		lookups_give_back(k->t.host->lookups, first->tid, first->lookup);
}

/* Several sockets have the tuple: which one's flow it is, by who looked the route up, else by the
 * socket. */
static struct flow *choose_flow(struct known_flows *k, struct inquiry *q, struct flow *first)
{
	struct flow *newest = flows_find(k->others, &first->key);
	const struct testimony *t = &q->testimony;

	if (newest == first && !flows_next(k->others, first))
		return first;
	if (!t->trace.count)
		ask_socket(k->t.host, q, false);
	for (struct flow *f = newest; f; f = flows_next(k->others, f))
		if (t->trace.count ? f->pid >= 0 && f->pid == t->trace.by[0].pid :
				     t->socket.inode > 0 && f->inode == t->socket.inode)
			return f;
	return first;
}

static bool holds(const struct known_flows *k, int64_t pid, int64_t inode)
{
	return inode > 0 && procfs_find_fd(k->t.host->procfs, pid, inode, PROCFS_LOOKS) >= 0;
}

static bool is_shared(struct known_flows *k, struct flow *f)
{
	return flows_has_twin(k->others, f);
}

/* The flow's socket lives, though the tuple is another's as well. */
static bool is_at_port(struct known_flows *k, const struct flow *f)
{
	const struct sock_entry *found;
	int count = sockdiag_sharers(k->t.host->sockdiag, f->key.protocol, &f->key.src, &found);
	bool all;

	if (f->inode <= 0)
		return ask_held_one(k->t.host, f->pid, found, count, &all);
	for (int i = 0; i < count; i++)
		if (found[i].inode == f->inode)
			return true;
	return false;
}

/* Another process than the flow's has looked the route up, which does not hold the flow's socket:
 * it has sent the datagram where it has another socket at the port, or was seen in its call.  Else
 * it may have asked only (RTM_GETROUTE), which its call would tell that is not over yet. */
static enum flow_word compare_other(struct known_flows *k, struct inquiry *q, const struct flow *f)
{
	struct testimony *t = &q->testimony;

	if (!f->beside && t->socket.inode != f->inode) {
		if (!is_at_port(k, f))
			return FLOW_NEW;
		t->socket.shared = true;
		if (holds(k, t->trace.by[0].pid, t->socket.inode)) {
			t->socket.own_inode = t->socket.inode;
			t->socket.own_cookie = t->socket.cookie;
		}
		return FLOW_BESIDE;
	}
	ask_sharing(k->t.host, q, t->trace.by[0].pid);
	t->socket.shared |= f->beside || t->trace.by[0].call;
	return t->socket.shared ? FLOW_BESIDE : FLOW_ASKED;
}

static enum flow_word compare_datagram(struct known_flows *k, struct inquiry *q, struct flow **at,
				       int64_t now_ns)
{
	const struct testimony *t = &q->testimony;
	struct flow *f = *at;
	bool others = false;

	if (q->facts.traced && q->facts.direction == DIRECTION_OUT) {
		ask_trace(k->t.host, q);
		f = *at = choose_flow(k, q, f);
		others = t->trace.count &&
			 (t->trace.by[0].pid < 0 || t->trace.by[0].pid != f->pid);
		/* A lookup of the flow's own process may be for another socket of it. */
		if (f->inode > 0 && !t->trace.count && !t->trace.lossy && !t->trace.more)
			return FLOW_SAME;
	}
	if (!others && t->trace.count && (f->beside || is_shared(k, f)))
		return FLOW_SAME;
	ask_socket(k->t.host, q, false);
	/* It may have been passed the socket, or be a child of its opener. */
	if (others && t->trace.by[0].pid >= 0 && !holds(k, t->trace.by[0].pid, f->inode)) {
		enum flow_word word = compare_other(k, q, f);

		if (word != FLOW_NEW)
			return word;
	}
	if (t->socket.inode > 0 && t->socket.inode == f->inode)
		return FLOW_SAME;
	/* Whoever sent it has closed the socket: the flow's process, or one whose socket was short
	 * of life as well. */
	if (!tells_deaths(k, &f->key) && t->socket.inode < 0 && !others)
		return FLOW_SAME;
	if (!tells_deaths(k, &f->key) || now_ns < k->unsure_until_ns)
		return FLOW_NEW;
	return FLOW_UNSURE;
}

/*
 * Without ports a flow is all that a process sends to a place by that protocol.  A packet that
 * nobody looked up is the flow's: its lookup may have been lost.
 */
static enum flow_word compare_addressed(struct known_flows *k, struct inquiry *q,
					const struct flow *f)
{
	const struct testimony *t = &q->testimony;

	if (q->facts.direction != DIRECTION_OUT || !q->facts.traced)
		return FLOW_SAME;
	ask_trace(k->t.host, q);
	for (int i = 0; i < t->trace.count; i++) {
		const struct caller *c = &t->trace.by[i];

		if (c->pid != f->pid)
			continue;
		lookups_give_back(k->t.host->lookups, t->trace.by[0].tid, t->trace.by[0].lookup);
		lookups_use_up(k->t.host->lookups, c->tid, c->lookup);
		return FLOW_SAME;
	}
	return t->trace.count && !t->trace.lossy ? FLOW_NEW : FLOW_SAME;
}

/* Of a forwarded packet no socket can be asked for: a process that has called for its tuple since,
 * where it came from, is its sender. */
static enum flow_word compare_forwarded(struct known_flows *k, struct inquiry *q,
					const struct flow *f)
{
	const struct testimony *t = &q->testimony;
	bool connects = f->key.protocol == IPPROTO_TCP;

	if (!q->facts.traced)
		return FLOW_SAME;
	ask_trace(k->t.host, q);
	if (t->trace.count)
		ask_callers(k->t.host, q);
	for (int i = 0; i < t->trace.count; i++) {
		const struct caller *c = &t->trace.by[i];

		if (c->exact && c->place != PLACE_ELSEWHERE && c->place != PLACE_UNSURE &&
		    (connects ? c->call : c->pid != f->pid))
			return FLOW_NEW;
		if (connects || c->pid != f->pid)
			lookups_give_back(k->t.host->lookups, c->tid, c->lookup);
	}
	return FLOW_SAME;
}

enum flow_word known_flow_compare(struct known_flows *k, struct inquiry *q, struct flow **at,
				  int64_t now_ns)
{
	const struct flow *f = *at;
	const struct flow_key *key = &f->key;
	enum direction direction = q->facts.direction;

	if (!f->verdict)
		return FLOW_NEW;
	if (is_stream_of_datagrams(key) && now_ns - f->first_ns >= FLOW_NS)
		return FLOW_NEW;
	if (direction == DIRECTION_FORWARD || !has_ports(key) ||
	    (direction == DIRECTION_IN && key->protocol == IPPROTO_TCP)) {
		if (now_ns - f->last_ns >= SILENT_NS)
			return FLOW_NEW;
		if (!has_ports(key))
			return compare_addressed(k, q, f);
		return direction == DIRECTION_FORWARD ? compare_forwarded(k, q, f) : FLOW_SAME;
	}
	if (key->protocol == IPPROTO_TCP)
		return compare_syn(k, q, f);
	return compare_datagram(k, q, at, now_ns);
}

void known_flow_count(struct known_flows *k, struct flow *f, int packets, int64_t now_ns)
{
	f->packets += packets;
	f->last_ns = now_ns;
	k->count.datagrams += packets;
}

/* A source address that is not chosen yet (DHCP) may be another socket's as well, on another
 * interface. */
static bool has_source(const struct flow_key *key)
{
	static const uint8_t any[sizeof(key->src.addr.bytes)];

	return memcmp(key->src.addr.bytes, any, sizeof(any)) != 0;
}

/* Whoever has a socket at the port can send from any address of the host's (IP_PKTINFO). */
static bool is_alone_at_port(struct known_flows *k, const struct flow *f)
{
	const struct sock_entry *found;

	return f->key.direction != DIRECTION_OUT ||
	       sockdiag_sharers(k->t.host->sockdiag, f->key.protocol, &f->key.src, &found) == 1;
}

bool known_flow_wants_mark(struct known_flows *k, struct flow *f, int64_t now_ns, struct ctmark *m)
{
	int64_t each = k->t.config->each_datagram;

	if (!tells_deaths(k, &f->key) || each == EACH_YES ||
	    f->packets < (each == EACH_NO ? MARK_FROM : MARK_BUSY_FROM) ||
	    !is_stream_of_datagrams(&f->key) || !has_source(&f->key) ||
	    now_ns < f->unmarked_until_ns ||
	    (f->marked_ns && now_ns - f->marked_ns < MARK_AGAIN_NS) ||
	    flows_has_twin(k->others, f))
		return false;
	if (!is_alone_at_port(k, f)) {
		unmark(k, f);
		f->unmarked_until_ns = now_ns + MARK_AGAIN_NS;
		return false;
	}
	k->marked += !f->marked_ns;
	k->count.marked += !f->marked_ns;
	f->marked_ns = now_ns;
	*m = mark_of(k, f, true);
	return true;
}

static bool can_be_asked(const struct flow_key *key)
{
	return has_ports(key) && key->direction != DIRECTION_FORWARD;
}

void known_flow_look(struct known_flows *k, const struct flow_key *key, struct inquiry *q)
{
	if (can_be_asked(key) && key->protocol != IPPROTO_TCP && !q->testimony.socket.asked)
		ask_socket(k->t.host, q, false);
}

/* The packet's socket may have been closed before it was asked for, and another one have its tuple
 * by then: that one's sender has looked the route up, and the packet's does not hold it. */
static bool may_be_anothers(struct known_flows *k, const struct inquiry *q)
{
	struct lookup_owner owners[LOOKUP_OWNERS_MAX];
	const struct testimony *t = &q->testimony;
	bool more = false, others = false;
	int count;

	if (!q->facts.traced || !q->facts.has_ports || q->packet.protocol == IPPROTO_TCP ||
	    t->socket.shared)
		return false;
	for (int i = 0; t->trace.count && i < t->holders.count; i++)
		if (t->holders.by[i].pid == t->trace.by[0].pid &&
		    t->holders.by[i].pid == q->answer.pid)
			return false;
	if (t->trace.count > 1 || t->trace.more)
		return true;
	count = lookups_take(k->t.host->lookups, &q->packet, inquiry_own_link(q), clock_mono_ns(),
			     owners, &more);
	for (int i = 0; i < count; i++)
		others |= !t->trace.count || owners[i].tid != t->trace.by[0].tid;
	if (count)
		lookups_give_back(k->t.host->lookups, owners[0].tid, owners[0].lookup);
	return others || more;
}

static void take_socket(struct flow *f, const struct testimony *t)
{
	f->beside = t->socket.shared &&
		    (t->socket.inode <= 0 || t->socket.own_inode != t->socket.inode);
	if (f->beside) {
		f->cookie = t->socket.own_cookie;
		f->inode = t->socket.own_inode > 0 ? t->socket.own_inode : -1;
		return;
	}
	f->cookie = t->socket.inode > 0 ? t->socket.cookie : 0;
	f->inode = t->socket.inode;
}

void known_flow_keep(const struct known_flows *k, struct flow *f, const struct inquiry *q)
{
	if (f->inode < 0)
		take_socket(f, &q->testimony);
	/* The packet was the flow's, so the lookup is that of one behind it. */
	if (q->testimony.trace.by[0].pid != f->pid)
		known_flow_give_back(k, q);
}

bool known_flow_was_called(const struct known_flows *k, const struct inquiry *q)
{
	const struct testimony *t = &q->testimony;

	host_read_trace(k->t.host);
	return t->trace.count && lookups_is_called(k->t.host->lookups, t->trace.by[0].tid,
						   t->trace.by[0].lookup);
}

/* The flows that the new one replaces: all with its key, unless their sockets live beside its. */
static void make_way(struct known_flows *k, const struct flow_key *key, bool beside)
{
	struct flows *table = table_of(k, key->protocol);
	struct flow *f = flows_find(table, key), *next;

	for (int n = 1; f; f = next, n++) {
		next = flows_next(table, f);
		if (!beside || n >= BESIDE_MAX)
			known_flow_end(k, f);
	}
}

void known_flow_begin(struct known_flows *k, const struct flow_key *key, struct inquiry *q,
		      uint64_t row, enum verdict verdict, int64_t now_ns, int packets)
{
	struct flow gone, *f, *twin;

	make_way(k, key, q->testimony.socket.shared);
	/* Another user's flow of the same tuple: its mark would be this one's as well. */
	twin = flows_find_tuple(table_of(k, key->protocol), key);
	if (twin)
		unmark(k, twin);
	f = flows_add(table_of(k, key->protocol), key, &gone);
	if (gone.row) {
		FAILS(FLOWS_MANY);
		k->count.evicted++;
		unmark(k, &gone);
		write_flow(k, &gone, NULL);
	}
	/* A SYN that is allowed is told by its socket when it comes again. */
	if (key->protocol == IPPROTO_TCP && can_be_asked(key) && verdict != VERDICT_ACCEPT)
		ask_inode(k->t.host, q);
	f->row = row;
	if (!may_be_anothers(k, q))
		take_socket(f, &q->testimony);
	f->pid = q->answer.pid;
	f->verdict = verdict;
	f->in = q->in;
	f->out = q->out;
	f->packets = packets;
	f->first_ns = f->last_ns = now_ns;
}

void known_flow_end(struct known_flows *k, struct flow *f)
{
	unmark(k, f);
	write_flow(k, f, NULL);
	flows_remove(table_of(k, f->key.protocol), f);
}

static void forget(struct flow *f, void *arg)
{
	unmark(arg, f);
	f->verdict = 0;
}

void known_flows_forget(struct known_flows *k)
{
	flows_some(k->tcp, 0, FLOWS_MAX, forget, k);
	flows_some(k->others, 0, FLOWS_MAX, forget, k);
}

static void flow_died(struct flow *f, void *arg)
{
	struct known_flows *k = arg;

	k->count.deaths++;
	write_flow(k, f, k->death);
	unmark(k, f);
	flows_remove(table_of(k, f->key.protocol), f);
}

static void on_death(const struct death *d, void *arg)
{
	struct known_flows *k = arg;

	k->death = d;
	flows_of_socket(table_of(k, d->protocol), d->protocol, &d->local, &d->peer, d->cookie,
			flow_died, k);
}

static void unmark_one(struct flow *f, void *arg)
{
	unmark(arg, f);
}

void known_flows_bound(struct known_flows *k, int32_t port)
{
	if (k->marked && port > 0)
		flows_of_port(k->others, port, unmark_one, k);
}

/* Which sockets died is not known: nothing passes unasked, and until all is asked again another
 * socket is another flow. */
static void deaths_are_missing(struct known_flows *k)
{
	FAILS(DEATHS_LOST);
	k->count.deaths_missed++;
	k->unsure_until_ns = clock_mono_ns() + FLOW_NS;
	flows_some(k->others, 0, FLOWS_MAX, unmark_one, k);
}

void known_flows_read_deaths(struct known_flows *k, bool all)
{
	if (!k->t.deaths)
		return;
	if (flows_count(k->others) || all)
		if (deaths_show(k->t.deaths, DEATHS_UDP, on_death, k) == -ENOBUFS)
			deaths_are_missing(k);
	/* What is missed of TCP is only when the connection ended. */
	if (all && deaths_show(k->t.deaths, DEATHS_TCP, on_death, k) == -ENOBUFS)
		k->count.deaths_missed++;
}

void known_flows_doubt(struct known_flows *k)
{
	struct host *h = k->t.host;

	for (int i = 0; i < h->doubted; i++) {
		struct flow *f = flows_find_tuple(k->others, &h->doubt[i]);

		if (f)
			unmark(k, f);
	}
	h->doubted = 0;
}

static void sweep_one(struct flow *f, void *arg)
{
	struct known_flows *k = arg;
	bool refused = f->verdict == VERDICT_DROP || f->verdict == VERDICT_REJECT;
	int64_t silent_ns = k->now_ns - f->last_ns;

	if (is_stream_of_datagrams(&f->key) && k->now_ns - f->first_ns >= FLOW_NS) {
		known_flow_end(k, f);
		return;
	}
	/* The death of its socket is not announced to us. */
	if (silent_ns >= SILENT_NS && !f->marked_ns &&
	    (!has_ports(&f->key) || f->key.direction == DIRECTION_FORWARD ||
	     (f->key.direction == DIRECTION_IN && refused) || !tells_deaths(k, &f->key))) {
		known_flow_end(k, f);
		return;
	}
	if (k->now_ns - f->first_ns >= WRITE_NS)
		write_flow(k, f, NULL);
}

void known_flows_poll(struct known_flows *k, int64_t now_ns)
{
	if (now_ns - k->swept_ns < SWEEP_NS)
		return;
	k->swept_ns = k->now_ns = now_ns;
	known_flows_read_deaths(k, true);
	k->tcp_at = flows_some(k->tcp, k->tcp_at, SWEEP_SLOTS, sweep_one, k);
	k->others_at = flows_some(k->others, k->others_at, SWEEP_SLOTS, sweep_one, k);
}

int known_flows_poll_ms(const struct known_flows *k)
{
	return flows_count(k->tcp) || flows_count(k->others) ? (int)(SWEEP_NS / 1000000) : -1;
}

int known_flows_fd(const struct known_flows *k, bool held)
{
	return k->t.deaths && (k->marked || held) ? deaths_fd(k->t.deaths) : -1;
}

struct known_flows_counts known_flows_count(const struct known_flows *k)
{
	return k->count;
}
