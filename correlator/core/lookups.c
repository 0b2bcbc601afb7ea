/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which threads looked up a route for which tuple: two rings of lookups, and how far the threads
 * inside connect() have got.  TCP's calls have a ring of their own, so that no flood of other
 * lookups pushes one of them out.  Which of them a packet takes: lookup_take.c.
 *
 *   I1  A lookup is `call` where its thread had set a socket to SYN_SENT for that destination
 *       without a port and has looked nothing up with a port since: both are in one connect(),
 *       where nothing else of the thread can come between (tcp_v4_connect()).
 *   I2  A socket that goes back to CLOSE ends that: no lookup is coming (no free port).
 *   I3  A UDP lookup is `call` where its thread's next event is a UDP send that went well: for a
 *       thread that asks for a route over rtnetlink, the next event is the rtnetlink send.
 *       Whoever makes a process between may have given the socket away: its next send is none.
 *       Nor is one long before or after the packet: connect() looks up, and passes the socket on.
 *   I4  What a thread looked up just before its rtnetlink send were questions, and are forgotten:
 *       they hide nobody's lookup, and speak against nobody's.
 *   I5  Who sends on another thread's socket may have sent the packet that the other one's call
 *       looked up: TCP's SYN, where connect() left that to the first send, which has no data for it
 *       if it ends without any (a SYN with data: packet.h); a datagram, where the other one's send
 *       was to wait for more (MSG_MORE), and somebody's send that failed has thrown it away.
 *   I6  A TCP call whose SYN has not come may have left it to a send, which comes at any time: it
 *       counts for as long as its socket is connecting, and two seconds more, whoever else has
 *       connected by that tuple meanwhile, in another network namespace.
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "connection.h"
#include "failures.h"
#include "lookup_ring.h"
#include "lookups.h"
#include "told_rows.h"
#include "trace.h"

#define CONNECTING 1024u
/* The kernel answers the questions of one message without a pause. */
#define ASKED_NS 1000000LL
/* Without a word of its end a call takes no longer. */
#define SAME_CALL_NS 200000LL

/* A thread inside connect() whose socket has no port yet. */
struct connecting {
	int32_t tid;
	uint64_t socket;
	struct endpoint dst;
};

struct lookups {
	struct lookup_ring calls, others;	/* TCP's calls; all else */
	struct connecting connecting[CONNECTING];
	/* the newest of a thread that is no call of TCP */
	struct { int32_t tid; uint32_t lookup; } sending[CONNECTING];
	struct told_rows called, left;
};

struct lookups *lookups_new(void)
{
	struct lookups *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	lookup_ring_init(&l->calls);
	lookup_ring_init(&l->others);
	return l;
}

void lookups_free(struct lookups *l)
{
	free(l);
}

/* To the caller of lookups_take() both rings are one. */
static struct lookup *lookup_at(struct lookups *l, uint32_t n)
{
	return n < LOOKUPS ? &l->others.lookup[n] : &l->calls.lookup[n % LOOKUPS];
}

static void note_for_send(struct lookups *l, int32_t tid, uint32_t n)
{
	uint32_t at = (uint32_t)tid % CONNECTING;

	if (l->sending[at].tid == tid && l->sending[at].lookup != n)
		l->others.lookup[n].before = l->sending[at].lookup;
	l->sending[at].tid = tid;
	l->sending[at].lookup = n;
}

/* A raw socket looks the addresses up, of TCP and UDP as well. */
static bool has_ports(const struct trace_event *e)
{
	return (e->protocol == IPPROTO_TCP || e->protocol == IPPROTO_UDP) &&
	       (e->src.port > 0 || e->dst.port > 0);
}

/* Without ports (lookup_take.c, I3). */
static void on_addressed(struct lookups *l, const struct trace_event *e)
{
	struct trace_event plain = *e;

	plain.src.port = plain.dst.port = 0;
	note_for_send(l, e->tid, lookup_ring_add(&l->others, &plain, false));
}

/* One call looks up in several tables, or for the source address first. */
static bool is_of_same_call(struct lookups *l, const struct trace_event *e)
{
	uint32_t at = (uint32_t)e->tid % CONNECTING;
	const struct lookup *k = &l->others.lookup[l->sending[at].lookup];

	return e->protocol == IPPROTO_UDP && l->sending[at].tid == e->tid && k->linked &&
	       k->tid == e->tid && k->protocol == e->protocol && endpoint_equal(&k->dst, &e->dst) &&
	       k->src.port == e->src.port && k->link == e->link &&
	       e->time_ns - k->time_ns < SAME_CALL_NS &&
	       (address_equal(&k->src.addr, &e->src.addr) || address_is_any(&k->src.addr));
}

static void on_lookup(struct lookups *l, const struct trace_event *e)
{
	struct connecting *k = &l->connecting[(uint32_t)e->tid % CONNECTING];
	uint64_t socket = 0;
	bool call = false;
	uint32_t n;

	if (e->src.port <= 0)
		return;
	if (k->tid == e->tid) {
		call = e->protocol == IPPROTO_TCP && endpoint_equal(&k->dst, &e->dst);
		socket = k->socket;
		k->tid = 0;
	}
	/*
	 * IPv6's connect() makes no lookup with a port, or, with the port bound, a state change as
	 * well.
	 */
	if (e->protocol == IPPROTO_TCP && e->dst.addr.family == AF_INET6)
		return;
	if (is_of_same_call(l, e)) {
		l->others.lookup[l->sending[(uint32_t)e->tid % CONNECTING].lookup].src = e->src;
		return;
	}
	n = lookup_ring_add(call ? &l->calls : &l->others, e, call);
	if (call)
		lookup_ring_set_socket(&l->calls, n, socket);
	else
		note_for_send(l, e->tid, n);
}

/* The thread has sent something over rtnetlink, whose newest lookup is n. */
static void forget_questions(struct lookups *l, uint32_t n, int32_t tid, int64_t time_ns)
{
	while (n != LOOKUP_NONE) {
		struct lookup *k = &l->others.lookup[n];

		if (k->by != tid || !k->linked || time_ns - k->time_ns > ASKED_NS)
			return;
		lookup_ring_unlink(&l->others, n);
		k->tid = 0;
		time_ns = k->time_ns;
		n = k->before;
	}
}

static void tell_row(struct told_rows *rows, struct lookup *k, const struct trace_event *e)
{
	if (k->row && told_rows_put(rows, (struct told_row){ k->row, e->time_ns, e->tid }))
		k->row = 0;
}

/*
 * I5: of the newest lookup of that socket.  A thread's own send over TCP is after its connect().  A
 * datagram that has come already was sent before.
 */
static void note_other_send(struct lookup_ring *r, struct told_rows *left,
			    const struct trace_event *e)
{
	uint32_t n = lookup_ring_of_socket(r, e->socket);
	bool tcp = e->protocol == IPPROTO_TCP;
	struct lookup *k;

	if (n == LOOKUP_NONE)
		return;
	k = &r->lookup[n];
	if (!k->call || (k->by == e->tid && (tcp || e->result > 0)))
		return;
	if (!tcp)
		k->call = !k->tid;
	else if (k->tid)
		k->left = true;
	else
		tell_row(left, k, e);
}

static void on_send(struct lookups *l, const struct trace_event *e)
{
	uint32_t at = (uint32_t)e->tid % CONNECTING, n = l->sending[at].lookup;
	struct lookup *k = &l->others.lookup[n];

	if (e->socket && e->family != AF_NETLINK)
		note_other_send(e->protocol == IPPROTO_TCP ? &l->calls : &l->others, &l->left, e);
	if (l->sending[at].tid != e->tid)
		return;
	l->sending[at].tid = 0;
	if (e->family == AF_NETLINK)
		forget_questions(l, n, e->tid, e->time_ns);
	/* A raw socket's send tells no more than its lookup: no ports. */
	if (e->protocol != IPPROTO_UDP || k->protocol != IPPROTO_UDP || k->src.port <= 0 ||
	    e->result <= 0 || k->by != e->tid ||
	    (k->taken_ns && e->time_ns - k->taken_ns > LOOKUP_SEND_NS))
		return;
	k->call = true;
	k->sent_ns = e->time_ns;
	lookup_ring_set_socket(&l->others, n, e->socket);
	tell_row(&l->called, k, e);
}

/* Its child holds its sockets as well. */
static void on_task(struct lookups *l, const struct trace_event *e)
{
	uint32_t at = (uint32_t)e->tid % CONNECTING;

	if (!e->thread && l->sending[at].tid == e->tid)
		l->sending[at].tid = 0;
}

static void on_state(struct lookups *l, const struct trace_event *e)
{
	struct connecting *k = &l->connecting[(uint32_t)e->tid % CONNECTING];

	if (e->new_state == TCP_CLOSE && k->tid == e->tid && k->socket == e->socket)
		k->tid = 0;
	if (e->old_state != TCP_CLOSE || e->new_state != TCP_SYN_SENT)
		return;
	if (e->src.port > 0 || e->dst.addr.family == AF_INET6)
		lookup_ring_set_socket(&l->calls, lookup_ring_add(&l->calls, e, true), e->socket);
	else
		*k = (struct connecting){ e->tid, e->socket, e->dst };
}

/* I6: the answer may come in an interrupt. */
static void on_answer(struct lookups *l, const struct trace_event *e)
{
	uint32_t n = lookup_ring_of_socket(&l->calls, e->socket);

	if (e->old_state != TCP_SYN_SENT || !e->socket || n == LOOKUP_NONE)
		return;
	l->calls.lookup[n].open = false;
	l->calls.lookup[n].ended_ns = e->new_state == TCP_CLOSE ? e->time_ns : 0;
}

void lookups_event(struct lookups *l, const struct trace_event *e)
{
	if (e->kind == TRACE_STATE)
		on_answer(l, e);
	if (e->interrupt || e->tid <= 0)
		return;
	if (e->kind == TRACE_LOOKUP && !has_ports(e))
		on_addressed(l, e);
	else if (e->kind == TRACE_LOOKUP)
		on_lookup(l, e);
	else if (e->kind == TRACE_STATE && e->protocol == IPPROTO_TCP)
		on_state(l, e);
	else if (e->kind == TRACE_SEND)
		on_send(l, e);
	else if (e->kind == TRACE_TASK)
		on_task(l, e);
}

int lookups_take(struct lookups *l, const struct connection *c, uint32_t link, int64_t now_ns,
		 struct lookup_owner owners[LOOKUP_OWNERS_MAX], bool *more)
{
	return lookup_take(&l->calls, &l->others, c, link, now_ns, owners, more);
}

void lookups_drop_newest(struct lookups *l, int32_t tid)
{
	uint32_t at = (uint32_t)tid % CONNECTING;

	if (l->sending[at].tid == tid)
		l->others.lookup[l->sending[at].lookup].tid = 0;
}

bool lookups_is_called(struct lookups *l, int32_t tid, uint32_t lookup)
{
	const struct lookup *k = lookup_at(l, lookup);

	return k->linked && k->by == tid && k->call;
}

void lookups_give_back(struct lookups *l, int32_t tid, uint32_t lookup)
{
	struct lookup *k = lookup_at(l, lookup);

	if (k->linked && k->by == tid)
		k->tid = tid;
}

void lookups_use_up(struct lookups *l, int32_t tid, uint32_t lookup)
{
	struct lookup *k = lookup_at(l, lookup);

	if (k->linked && k->by == tid)
		k->tid = 0;
}

void lookups_await_call(struct lookups *l, int32_t tid, uint32_t lookup, uint64_t row)
{
	struct lookup *k = lookup_at(l, lookup);

	if (k->by != tid || k->call)
		return;
	k->row = row;
}

void lookups_lost(struct lookups *l)
{
	FAILS(TRACE_LOST);
	memset(l->connecting, 0, sizeof(l->connecting));
	memset(l->sending, 0, sizeof(l->sending));
	told_rows_forget(&l->called);
	told_rows_forget(&l->left);
	for (uint32_t i = 0; i < LOOKUPS; i++) {
		l->calls.lookup[i].call = l->others.lookup[i].call = false;
		l->calls.lookup[i].row = l->others.lookup[i].row = 0;
	}
}

uint64_t lookups_called(struct lookups *l)
{
	return told_rows_take(&l->called).row;
}

void lookups_await_sender(struct lookups *l, int32_t tid, uint32_t lookup, uint64_t row)
{
	struct lookup *k = lookup_at(l, lookup);

	if (k->by == tid && k->call && k->protocol == IPPROTO_TCP)
		k->row = row;
}

uint64_t lookups_left(struct lookups *l, int32_t *tid, int64_t *time_ns)
{
	struct told_row of = told_rows_take(&l->left);

	*tid = of.tid;
	*time_ns = of.time_ns;
	return of.row;
}
