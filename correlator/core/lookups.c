/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which threads looked up a route for which tuple: two rings of lookups, each with a hash over it
 * by protocol, destination and local port, and how far the threads inside connect() have got.
 * TCP's calls have a ring of their own, so that no flood of other lookups pushes one of them out.
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
 *   I5  The caller of lookups_take() learns where there may be more lookups than it gets: a bucket
 *       that is too long, more threads than have room, or a young lookup that had to make room.
 *       Any process can ask for routes at any rate, and so hide another's lookup among its own.
 *   I6  A state change with a port names a port that bind() chose.  A socket that was bound in
 *       another network namespace may have another's port, so over IPv6, where others' calls have
 *       none, it hides none of those.
 *   I8  Who sends on another thread's socket may have sent the packet that the other one's call
 *       looked up: TCP's SYN, where connect() left that to the first send, which has no data for it
 *       if it ends without any (a SYN with data: packet.h); a datagram, where the other one's send
 *       was to wait for more (MSG_MORE), and somebody's send that failed has thrown it away.
 *   I11 A TCP call whose SYN has not come may have left it to a send, which comes at any time: it
 *       counts for as long as its socket is connecting, and two seconds more, whoever else has
 *       connected by that tuple meanwhile, in another network namespace.
 *   I7  Of all but TCP and UDP a lookup has the addresses alone: it may be any packet's to that
 *       place, so it names a thread and never proves it.  So may one of a sender that writes the IP
 *       header itself (IPPROTO_RAW), for a packet of any protocol.
 *   I9  A forwarded packet may go elsewhere than its sender looked up (DNAT): then the lookup has
 *       its source alone, so it names a thread and never proves it.
 *   I10 A lookup for one interface (SO_BINDTODEVICE, the scope of a link-local address) is of no
 *       packet that leaves by another one, where each link has such addresses of its own.
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "connection.h"
#include "failures.h"
#include "lookups.h"
#include "text.h"
#include "told_rows.h"
#include "trace.h"
#include "tuple.h"

#ifndef LOOKUPS
#define LOOKUPS 8192u
#endif
#define BUCKETS LOOKUPS
#define NONE UINT32_MAX
#define CONNECTING 1024u
#define LOOKS 64
/* The packet follows its lookup at once, so behind this many others it is not looked for. */
#define NEWEST 64u
/*
 * A UDP socket may be connected long before it is used; then its process is alive, and /proc has
 * it.
 */
#define AGE_NS 60000000000LL
/* A TCP connect() sends its SYN at once. */
#define AGE_TCP_NS 2000000000LL
/* A send ends when its packet has been queued.  One at another time was of another socket. */
#define SEND_NS 20000000LL
/* The kernel answers the questions of one message without a pause. */
#define ASKED_NS 1000000LL
/* Without ports an older lookup counts only where there is none that is younger than that. */
#define FRESH_NS 20000000LL
/* Without a word of its end a call takes no longer. */
#define SAME_CALL_NS 200000LL
/* A lookup's packet follows at once, except for UDP's connect(). */
#define DROPPED_NS 2000000000LL
#define DROPPED_OPEN_NS 3600000000000LL	/* I11: of a call whose socket was connecting */
/* Steps to take old calls out of reach with one packet. */
#define TIDIED 1024

struct lookup {
	int protocol;
	struct endpoint src, dst;
	uint32_t link;		/* that the packet must leave by; 0: any */
	int32_t tid;		/* 0: used up */
	int32_t by;		/* the thread, also after tid was set to 0 */
	bool call, linked;
	bool bound;		/* of a socket that bind() had given the port */
	bool left;		/* I8, I11 */
	bool open;		/* a call, and its socket is connecting */
	int64_t ended_ns;	/* when that ended without an answer; 0: it has not */
	bool spent;		/* used up only because it was the oldest: the packet may have
				 * been another's */
	int64_t time_ns;
	int64_t taken_ns;	/* when its packet had come, where no call had been seen; 0: not */
	int64_t sent_ns;	/* of its send; 0: none, or no datagram's */
	uint64_t row;		/* the row that awaits its call, or its sender; 0: none */
	uint64_t socket;	/* of the call; 0: not known */
	uint32_t next_of_socket;
	uint32_t bucket, next;
	uint32_t before;	/* of the same thread, since its last send; NONE: none */
};

struct ring {
	struct lookup lookup[LOOKUPS];
	uint32_t bucket[BUCKETS];
	uint32_t of_socket[BUCKETS];	/* the newest lookup of each socket that is known */
	/* how long it counts that lookups whose packet had not come made room; 0: none did */
	int64_t dropped_until_ns[BUCKETS];
	uint32_t next;
};

/* A thread inside connect() whose socket has no port yet. */
struct connecting {
	int32_t tid;
	uint64_t socket;
	struct endpoint dst;
};

struct lookups {
	struct ring calls, others;	/* TCP's calls; all else */
	struct connecting connecting[CONNECTING];
	/* the newest of a thread that is no call of TCP */
	struct { int32_t tid; uint32_t lookup; } sending[CONNECTING];
	struct told_rows called, left;
};

struct lookups *lookups_new(void)
{
	struct lookups *l = calloc(1, sizeof(*l));

	for (uint32_t i = 0; l && i < BUCKETS; i++)
		l->calls.bucket[i] = l->others.bucket[i] = l->calls.of_socket[i] =
			l->others.of_socket[i] = NONE;
	return l;
}

void lookups_free(struct lookups *l)
{
	free(l);
}

static uint32_t bucket_of(int protocol, const struct endpoint *dst, int32_t port)
{
	uint64_t h = text_hash(TEXT_HASH_SEED, &dst->addr, sizeof(dst->addr));
	int32_t rest[3] = { dst->port, port, protocol };

	return (uint32_t)(text_hash(h, rest, sizeof(rest)) % BUCKETS);
}

static void unlink_lookup(struct ring *r, uint32_t n)
{
	uint32_t *at = &r->bucket[r->lookup[n].bucket];

	while (*at != NONE && *at != n)
		at = &r->lookup[*at].next;
	if (*at == n)
		*at = r->lookup[n].next;
	r->lookup[n].linked = false;
}

/* The lookup of that socket; where there is none, the end of its chain. */
static uint32_t *find_socket(struct ring *r, uint64_t socket)
{
	uint32_t *at = &r->of_socket[text_hash(TEXT_HASH_SEED, &socket, sizeof(socket)) % BUCKETS];

	while (*at != NONE && r->lookup[*at].socket != socket)
		at = &r->lookup[*at].next_of_socket;
	return at;
}

static void forget_socket(struct ring *r, uint64_t socket)
{
	uint32_t *at = find_socket(r, socket);
	struct lookup *k = *at == NONE ? NULL : &r->lookup[*at];

	if (!k)
		return;
	*at = k->next_of_socket;
	k->socket = 0;
	k->open = false;
}

/* Only the newest lookup of a socket is asked for by it, so that a busy sender's make no chain. */
static void set_socket(struct ring *r, uint32_t n, uint64_t socket)
{
	struct lookup *k = &r->lookup[n];
	uint32_t *at;

	if (k->socket)
		forget_socket(r, k->socket);
	if (!socket)
		return;
	forget_socket(r, socket);
	at = find_socket(r, socket);
	k->socket = socket;
	k->open = r->lookup[n].call && k->protocol == IPPROTO_TCP;
	k->next_of_socket = NONE;
	*at = n;
}

/* It makes room. */
static void drop(struct ring *r, struct lookup *k, int64_t now_ns)
{
	int64_t until_ns = k->open ? now_ns + DROPPED_OPEN_NS : k->time_ns + DROPPED_NS;

	unlink_lookup(r, (uint32_t)(k - r->lookup));
	if (k->tid && r->dropped_until_ns[k->bucket] < until_ns)
		r->dropped_until_ns[k->bucket] = until_ns;
}

static uint32_t add_lookup(struct ring *r, const struct trace_event *e, bool call)
{
	uint32_t n = r->next++ % LOOKUPS;
	struct lookup *k = &r->lookup[n];

	if (k->linked)
		drop(r, k, e->time_ns);
	set_socket(r, n, 0);
	*k = (struct lookup){
		.protocol = e->protocol, .src = e->src, .dst = e->dst, .link = e->link,
		.tid = e->tid, .by = e->tid, .before = NONE,
		.call = call, .linked = true, .time_ns = e->time_ns,
		.bound = e->kind == TRACE_STATE && e->src.port > 0,
		.bucket = bucket_of(e->protocol, &e->dst, e->src.port),
	};
	k->next = r->bucket[k->bucket];
	r->bucket[k->bucket] = n;
	return n;
}

/* To the caller of lookups_take() both rings are one. */
static struct lookup *lookup_at(struct lookups *l, uint32_t n)
{
	return n < LOOKUPS ? &l->others.lookup[n] : &l->calls.lookup[n % LOOKUPS];
}

static bool is_any(const struct address *a)
{
	static const uint8_t any[sizeof(a->bytes)];

	return !memcmp(a->bytes, any, sizeof(any));
}

static bool same_end(const struct endpoint *a, const struct endpoint *b)
{
	return a->port == b->port && address_equal(&a->addr, &b->addr);
}

static void note_for_send(struct lookups *l, int32_t tid, uint32_t n)
{
	uint32_t at = (uint32_t)tid % CONNECTING;

	if (l->sending[at].tid == tid && l->sending[at].lookup != n)
		l->others.lookup[n].before = l->sending[at].lookup;
	l->sending[at].tid = tid;
	l->sending[at].lookup = n;
}

static bool tells_ports(int protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP;
}

/* I7. */
static void on_addressed(struct lookups *l, const struct trace_event *e)
{
	struct trace_event plain = *e;

	plain.src.port = plain.dst.port = 0;
	note_for_send(l, e->tid, add_lookup(&l->others, &plain, false));
}

/* One call looks up in several tables, or for the source address first. */
static bool is_of_same_call(struct lookups *l, const struct trace_event *e)
{
	uint32_t at = (uint32_t)e->tid % CONNECTING;
	const struct lookup *k = &l->others.lookup[l->sending[at].lookup];

	return e->protocol == IPPROTO_UDP && l->sending[at].tid == e->tid && k->linked &&
	       k->tid == e->tid && k->protocol == e->protocol && same_end(&k->dst, &e->dst) &&
	       k->src.port == e->src.port && k->link == e->link &&
	       e->time_ns - k->time_ns < SAME_CALL_NS &&
	       (address_equal(&k->src.addr, &e->src.addr) || is_any(&k->src.addr));
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
		call = e->protocol == IPPROTO_TCP && same_end(&k->dst, &e->dst);
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
	n = add_lookup(call ? &l->calls : &l->others, e, call);
	if (call)
		set_socket(&l->calls, n, socket);
	else
		note_for_send(l, e->tid, n);
}

/* The thread has sent something over rtnetlink, whose newest lookup is n. */
static void forget_questions(struct lookups *l, uint32_t n, int32_t tid, int64_t time_ns)
{
	while (n != NONE) {
		struct lookup *k = &l->others.lookup[n];

		if (k->by != tid || !k->linked || time_ns - k->time_ns > ASKED_NS)
			return;
		unlink_lookup(&l->others, n);
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
 * I8: of the newest lookup of that socket.  A thread's own send over TCP is after its connect().  A
 * datagram that has come already was sent before.
 */
static void note_other_send(struct ring *r, struct told_rows *left, const struct trace_event *e)
{
	uint32_t n = *find_socket(r, e->socket);
	bool tcp = e->protocol == IPPROTO_TCP;
	struct lookup *k;

	if (n == NONE)
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
	if (e->protocol != IPPROTO_UDP || k->protocol != IPPROTO_UDP || e->result <= 0 ||
	    k->by != e->tid || (k->taken_ns && e->time_ns - k->taken_ns > SEND_NS))
		return;
	k->call = true;
	k->sent_ns = e->time_ns;
	set_socket(&l->others, n, e->socket);
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
		set_socket(&l->calls, add_lookup(&l->calls, e, true), e->socket);
	else
		*k = (struct connecting){ e->tid, e->socket, e->dst };
}

/* I11: the answer may come in an interrupt. */
static void on_answer(struct lookups *l, const struct trace_event *e)
{
	uint32_t n = *find_socket(&l->calls, e->socket);

	if (e->old_state != TCP_SYN_SENT || !e->socket || n == NONE)
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
	if (e->kind == TRACE_LOOKUP && !tells_ports(e->protocol))
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

/* A packet, and what is found: threads, and whether there may be more. */
struct sought {
	const struct connection *packet;
	uint32_t link;		/* that it leaves by, where that tells it from others; 0: any */
	int64_t now_ns;
	struct lookup_owner *owners;
	int count;
	bool more;
};

/* A lookup may come before the kernel chose the source address. */
static bool source_fits(const struct lookup *k, const struct sought *s)
{
	return (address_equal(&k->src.addr, &s->packet->src.addr) || is_any(&k->src.addr)) &&
	       (!k->link || !s->link || k->link == s->link);
}

static bool lookup_fits(const struct lookup *k, const struct sought *s)
{
	return k->tid && k->protocol == s->packet->protocol &&
	       same_end(&k->dst, &s->packet->dst) && source_fits(k, s);
}

/* Adds the thread.  They come the newest first; where there is no more room the oldest has the last
 * place, so that neither who came before the others nor who came after them is pushed out. */
static void add_owner(struct sought *s, const struct lookup *k, uint32_t lookup)
{
	int i;

	for (i = 0; i < s->count && s->owners[i].tid != k->by; i++)
		;
	if (i == LOOKUP_OWNERS_MAX) {
		s->more = true;
		s->count = --i;
	}
	if (i == s->count)
		s->owners[s->count++] = (struct lookup_owner){
			k->by, false, k->src.port > 0, false, false, k->time_ns, lookup };
	s->owners[i].bound |= k->bound;
	s->owners[i].left |= k->left;
	s->owners[i].call |= k->call && (!k->sent_ns || s->now_ns - k->sent_ns <= SEND_NS);
}

static bool has_dropped(const struct ring *r, uint32_t bucket, int64_t now_ns)
{
	return now_ns < r->dropped_until_ns[bucket];
}

/* Moves the thread that began first to the front, because it is the likeliest. */
static void put_first(struct lookup_owner owners[LOOKUP_OWNERS_MAX], int count, int32_t tid)
{
	for (int i = 1; i < count; i++) {
		struct lookup_owner first = owners[0];

		if (owners[i].tid != tid)
			continue;
		owners[0] = owners[i];
		owners[i] = first;
	}
}

/*
 * A sender that is not connected looks the route up for each datagram: the packet is the first
 * lookup's, and the others are those of the packets behind it.
 */
static void take_datagram(struct ring *r, struct sought *s)
{
	const struct connection *c = s->packet;
	uint32_t bucket = bucket_of(c->protocol, &c->dst, c->src.port), n = r->bucket[bucket];
	uint32_t first = NONE;
	int looks = 0;

	s->more |= has_dropped(r, bucket, s->now_ns);
	for (; n != NONE && looks < LOOKS; looks++, n = r->lookup[n].next) {
		const struct lookup *k = &r->lookup[n];

		if (k->time_ns < s->now_ns - AGE_NS)
			break;
		if (k->src.port != c->src.port || !lookup_fits(k, s))
			continue;
		add_owner(s, k, n);
		first = n;
	}
	s->more |= looks == LOOKS;
	if (first == NONE)
		return;
	r->lookup[first].taken_ns = s->now_ns;
	r->lookup[first].tid = 0;
	put_first(s->owners, s->count, r->lookup[first].by);
	s->owners[0].lookup = first;
}

/* I11. */
static bool may_come_late(const struct lookup *k, int64_t oldest_ns)
{
	return k->open || (k->ended_ns && k->ended_ns >= oldest_ns);
}

/* Takes what counts no more out of that bucket of calls.  False: there may be more of them. */
static bool tidy(struct ring *r, uint32_t bucket, int64_t oldest_ns)
{
	uint32_t *at = &r->bucket[bucket];
	int steps = 0;

	for (; *at != NONE && steps < TIDIED; steps++) {
		struct lookup *k = &r->lookup[*at];

		if (k->time_ns >= oldest_ns || may_come_late(k, oldest_ns)) {
			at = &k->next;
			continue;
		}
		*at = k->next;
		k->linked = false;
	}
	return *at == NONE;
}

/* first: of the ring's lookups, to the caller of lookups_take(). */
static void take_exact(struct ring *r, uint32_t first, int64_t oldest_ns, struct sought *s)
{
	const struct connection *c = s->packet;
	uint32_t bucket = bucket_of(c->protocol, &c->dst, c->src.port), n = r->bucket[bucket];
	int looks = 0;

	s->more |= has_dropped(r, bucket, s->now_ns);
	for (; n != NONE && looks < LOOKS; looks++, n = r->lookup[n].next) {
		struct lookup *k = &r->lookup[n];

		if (k->time_ns < oldest_ns && !may_come_late(k, oldest_ns))
			return;
		k->left |= k->time_ns < oldest_ns;
		if (k->src.port != c->src.port || !lookup_fits(k, s))
			continue;
		add_owner(s, k, first + n);
		k->taken_ns = s->now_ns;
		k->tid = 0;
	}
	s->more |= n != NONE;
}

/*
 * TCP over IPv6: finds all threads that are connecting to the destination, and uses the one up that
 * began first.  The packet may have been another thread's, so that one remains a candidate for the
 * others' packets until all packets have come.  Where a socket is bound to the packet's port, the
 * packet is most likely that one's: then all are candidates, and none is used up.
 */
static void take_portless(struct ring *r, int64_t oldest_ns, struct sought *s)
{
	const struct connection *c = s->packet;
	uint32_t bucket = bucket_of(c->protocol, &c->dst, 0), head, n;
	struct lookup *oldest = NULL;
	int fresh = 0, looks = 0;
	bool bound = s->count > 0;

	s->more |= !tidy(r, bucket, oldest_ns);
	head = n = r->bucket[bucket];
	s->more |= has_dropped(r, bucket, s->now_ns);
	for (; n != NONE && looks < LOOKS; looks++, n = r->lookup[n].next) {
		struct lookup *k = &r->lookup[n];

		if (k->src.port || !lookup_fits(k, s) ||
		    (k->time_ns < oldest_ns && (k->spent || !may_come_late(k, oldest_ns))))
			continue;
		add_owner(s, k, LOOKUPS + n);
		/* Who comes late is a candidate, and no likely one. */
		if (k->spent || k->time_ns < oldest_ns)
			continue;
		oldest = k;
		fresh++;
	}
	s->more |= looks == LOOKS;
	if (bound)
		return;
	if (!oldest) {
		s->count = 0;
		return;
	}
	put_first(s->owners, s->count, oldest->by);
	oldest->spent = true;
	n = fresh == 1 ? head : NONE;
	for (looks = 0; n != NONE && looks < LOOKS; looks++, n = r->lookup[n].next)
		if (r->lookup[n].spent && lookup_fits(&r->lookup[n], s))
			r->lookup[n].tid = 0;
}

/* A TCP connect() always makes a state change, so a lookup without one is only a route request, or
 * its events were lost. */
static void take_tcp(struct lookups *l, struct sought *s)
{
	int64_t oldest_ns = s->now_ns - AGE_TCP_NS;
	struct lookup_owner asked[LOOKUP_OWNERS_MAX] = { 0 };
	struct sought questions = *s;
	uint32_t bucket = bucket_of(IPPROTO_TCP, &s->packet->dst, s->packet->src.port);

	questions.owners = asked;
	s->more |= !tidy(&l->calls, bucket, oldest_ns);
	take_exact(&l->calls, LOOKUPS, oldest_ns, s);
	/* Used up, whoever made them. */
	take_exact(&l->others, 0, oldest_ns, &questions);
	if (!s->count && questions.count) {
		memcpy(s->owners, asked, sizeof(asked));
		s->count = questions.count;
		s->more |= questions.more;
	}
	if (s->packet->dst.addr.family == AF_INET6)
		take_portless(&l->calls, oldest_ns, s);
}

/*
 * I7: adds the threads that lately looked up the packet's addresses for that protocol.  Returns the
 * lookup that began first, or the newest where none is fresh; NONE: there is none.
 */
static uint32_t add_addressed(struct ring *r, int protocol, struct sought *s)
{
	const struct connection *c = s->packet;
	struct endpoint dst = { .addr = c->dst.addr };
	uint32_t bucket = bucket_of(protocol, &dst, 0), n = r->bucket[bucket], first = NONE;
	int64_t age_ns = protocol == c->protocol ? AGE_TCP_NS : FRESH_NS;
	int looks = 0;

	s->more |= has_dropped(r, bucket, s->now_ns);
	for (; n != NONE && looks < LOOKS; looks++, n = r->lookup[n].next) {
		const struct lookup *k = &r->lookup[n];

		if (s->now_ns - k->time_ns > (s->count ? FRESH_NS : age_ns))
			break;
		if (!k->tid || k->protocol != protocol || !same_end(&k->dst, &dst) ||
		    !source_fits(k, s))
			continue;
		add_owner(s, k, n);
		first = n;
	}
	s->more |= looks == LOOKS;
	return first;
}

/* Each packet uses one lookup up. */
static void take_addressed(struct ring *r, struct sought *s)
{
	uint32_t own = add_addressed(r, s->packet->protocol, s);
	uint32_t raw = add_addressed(r, IPPROTO_RAW, s), first = own == NONE ? raw : own;

	if (first == NONE)
		return;
	put_first(s->owners, s->count, r->lookup[first].by);
	s->owners[0].lookup = first;
	r->lookup[first].tid = 0;
}

/* I9. */
static void take_translated(struct ring *r, uint32_t first, struct sought *s)
{
	const struct connection *c = s->packet;
	int64_t oldest_ns = s->now_ns - AGE_TCP_NS;

	for (uint32_t i = 1; i <= NEWEST && i <= r->next; i++) {
		uint32_t n = (r->next - i) % LOOKUPS;
		struct lookup *k = &r->lookup[n];

		if (k->time_ns < oldest_ns)
			return;
		if (!k->tid || k->protocol != c->protocol || !same_end(&k->src, &c->src))
			continue;
		add_owner(s, k, first + n);
		k->taken_ns = s->now_ns;
		k->tid = 0;
	}
}

int lookups_take(struct lookups *l, const struct connection *c, uint32_t link, int64_t now_ns,
		 struct lookup_owner owners[LOOKUP_OWNERS_MAX], bool *more)
{
	struct sought s = { .packet = c, .link = link, .now_ns = now_ns, .owners = owners };

	if (c->src.port > 0 && c->protocol == IPPROTO_TCP)
		take_tcp(l, &s);
	else if (c->src.port > 0 && c->protocol == IPPROTO_UDP)
		take_datagram(&l->others, &s);
	/* Of a sender that writes the header itself there is no other lookup. */
	if (!s.count && !s.more)
		take_addressed(&l->others, &s);
	if (!s.count && !s.more && c->direction == DIRECTION_FORWARD && c->src.port > 0) {
		take_translated(&l->calls, LOOKUPS, &s);
		take_translated(&l->others, 0, &s);
		for (int i = 0; i < s.count; i++)
			owners[i].call = owners[i].exact = false;
	}
	*more = s.more;
	return s.count;
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
