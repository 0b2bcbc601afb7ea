/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which threads looked up a route for which tuple: a ring of lookups with a hash over it by
 * protocol, destination and local port, and how far the threads inside connect() have got.
 *
 *   I1  A lookup is `call` where its thread had set a socket to SYN_SENT for that destination
 *       without a port and has looked nothing up with a port since: both are in one connect(),
 *       where nothing else of the thread can come between (tcp_v4_connect()).
 *   I2  A socket that goes back to CLOSE ends that: no lookup is coming (no free port).
 *   I3  A UDP lookup is `call` where its thread's next event is a UDP send that went well: for a
 *       thread that asks for a route over rtnetlink, the next event is the rtnetlink send.
 *   I4  The caller of lookups_take() learns where there may be more lookups than it gets: a bucket
 *       that is too long, more threads than have room, or a young lookup that had to make room.
 *       Any process can ask for routes at any rate, and so hide another's lookup among its own.
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
#include "trace.h"
#include "tuple.h"

#define LOOKUPS 8192u
#define BUCKETS 8192u
#define NONE UINT32_MAX
#define CONNECTING 1024u
#define LOOKS 64
#define CALLED 1024u
/*
 * A UDP socket may be connected long before it is used; then its process is alive, and /proc has
 * it.
 */
#define AGE_NS 60000000000LL
/* A TCP connect() sends its SYN at once. */
#define AGE_TCP_NS 2000000000LL
/* A lookup's packet follows at once, except for UDP's connect(). */
#define DROPPED_NS 2000000000LL

struct lookup {
	int protocol;
	struct endpoint src, dst;
	int32_t tid;		/* 0: used up */
	int32_t by;		/* the thread, also after tid was set to 0 */
	bool call, linked;
	bool spent;		/* used up only because it was the oldest: the packet may have
				 * been another's */
	int64_t time_ns;
	uint64_t row;		/* the row that awaits its call; 0: none */
	uint32_t bucket, next;
};

/* A thread inside connect() whose socket has no port yet. */
struct connecting {
	int32_t tid;
	uint64_t socket;
	struct endpoint dst;
};

struct lookups {
	struct lookup lookup[LOOKUPS];
	uint32_t bucket[BUCKETS];
	int64_t dropped_ns[BUCKETS];	/* the youngest lookup whose packet had not come; 0: none */
	uint32_t next;
	struct connecting connecting[CONNECTING];
	/* the newest of a thread, UDP */
	struct { int32_t tid; uint32_t lookup; } sending[CONNECTING];
	uint64_t called[CALLED];
	unsigned int called_from, called_to;
};

struct lookups *lookups_new(void)
{
	struct lookups *l = calloc(1, sizeof(*l));

	for (uint32_t i = 0; l && i < BUCKETS; i++)
		l->bucket[i] = NONE;
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

static void unlink_lookup(struct lookups *l, uint32_t n)
{
	uint32_t *at = &l->bucket[l->lookup[n].bucket];

	while (*at != NONE && *at != n)
		at = &l->lookup[*at].next;
	if (*at == n)
		*at = l->lookup[n].next;
}

static uint32_t add_lookup(struct lookups *l, const struct trace_event *e, bool call)
{
	uint32_t n = l->next++ % LOOKUPS;
	struct lookup *k = &l->lookup[n];

	if (k->linked) {
		unlink_lookup(l, n);
		if (k->tid)
			l->dropped_ns[k->bucket] = k->time_ns;
	}
	*k = (struct lookup){
		.protocol = e->protocol, .src = e->src, .dst = e->dst, .tid = e->tid,
		.by = e->tid,
		.call = call, .linked = true, .time_ns = e->time_ns,
		.bucket = bucket_of(e->protocol, &e->dst, e->src.port),
	};
	k->next = l->bucket[k->bucket];
	l->bucket[k->bucket] = n;
	return n;
}

static bool same_end(const struct endpoint *a, const struct endpoint *b)
{
	return a->port == b->port && address_equal(&a->addr, &b->addr);
}

static void on_lookup(struct lookups *l, const struct trace_event *e)
{
	struct connecting *k = &l->connecting[(uint32_t)e->tid % CONNECTING];
	bool call = false;
	uint32_t n;

	if (e->src.port <= 0)
		return;
	if (k->tid == e->tid) {
		call = e->protocol == IPPROTO_TCP && same_end(&k->dst, &e->dst);
		k->tid = 0;
	}
	/*
	 * IPv6's connect() makes no lookup with a port, or, with the port bound, a state change as
	 * well.
	 */
	if (e->protocol == IPPROTO_TCP && e->dst.addr.family == AF_INET6)
		return;
	n = add_lookup(l, e, call);
	if (e->protocol != IPPROTO_TCP) {
		l->sending[(uint32_t)e->tid % CONNECTING].tid = e->tid;
		l->sending[(uint32_t)e->tid % CONNECTING].lookup = n;
	}
}

static void on_send(struct lookups *l, const struct trace_event *e)
{
	uint32_t at = (uint32_t)e->tid % CONNECTING, n = l->sending[at].lookup;
	struct lookup *k = &l->lookup[n];

	if (l->sending[at].tid != e->tid)
		return;
	l->sending[at].tid = 0;
	if (e->protocol != IPPROTO_UDP || e->result <= 0 || k->by != e->tid)
		return;
	k->call = true;
	if (!k->row || l->called_to - l->called_from == CALLED)
		return;
	l->called[l->called_to++ % CALLED] = k->row;
	k->row = 0;
}

static void on_state(struct lookups *l, const struct trace_event *e)
{
	struct connecting *k = &l->connecting[(uint32_t)e->tid % CONNECTING];

	if (e->new_state == TCP_CLOSE && k->tid == e->tid && k->socket == e->socket)
		k->tid = 0;
	if (e->old_state != TCP_CLOSE || e->new_state != TCP_SYN_SENT)
		return;
	if (e->src.port > 0 || e->dst.addr.family == AF_INET6)
		add_lookup(l, e, true);
	else
		*k = (struct connecting){ e->tid, e->socket, e->dst };
}

void lookups_event(struct lookups *l, const struct trace_event *e)
{
	if (e->interrupt || e->tid <= 0)
		return;
	if (e->kind == TRACE_LOOKUP)
		on_lookup(l, e);
	else if (e->kind == TRACE_STATE && e->protocol == IPPROTO_TCP)
		on_state(l, e);
	else if (e->kind == TRACE_SEND)
		on_send(l, e);
}

/* A lookup may come before the kernel chose the source address. */
static bool lookup_fits(const struct lookup *k, const struct connection *c)
{
	static const uint8_t any[16];

	return k->tid && k->protocol == c->protocol && same_end(&k->dst, &c->dst) &&
	       (address_equal(&k->src.addr, &c->src.addr) ||
		!memcmp(k->src.addr.bytes, any, sizeof(any)));
}

/* Adds the thread to owners; false where there is no more room. */
static bool add_owner(const struct lookups *l, struct lookup_owner owners[LOOKUP_OWNERS_MAX],
		      int *count, const struct lookup *k)
{
	int i;

	for (i = 0; i < *count && owners[i].tid != k->tid; i++)
		;
	if (i == LOOKUP_OWNERS_MAX)
		return false;
	if (i == *count)
		owners[(*count)++] = (struct lookup_owner){
			k->tid, false, k->src.port > 0, k->time_ns, (uint32_t)(k - l->lookup) };
	owners[i].call |= k->call;
	return true;
}

static bool has_dropped(const struct lookups *l, uint32_t bucket, int64_t now_ns)
{
	return l->dropped_ns[bucket] && now_ns - l->dropped_ns[bucket] < DROPPED_NS;
}

/* A TCP connect() always makes a state change, so a lookup without one is only a route request. */
static int take_exact(struct lookups *l, const struct connection *c, int64_t oldest_ns,
		      struct lookup_owner owners[LOOKUP_OWNERS_MAX], bool *more)
{
	uint32_t n = l->bucket[bucket_of(c->protocol, &c->dst, c->src.port)];
	bool tcp = c->protocol == IPPROTO_TCP, with_call = false;
	int count = 0, looks = 0;

	for (; n != NONE && looks < LOOKS; looks++, n = l->lookup[n].next) {
		struct lookup *k = &l->lookup[n];

		if (k->time_ns < oldest_ns)
			return count;
		if (k->src.port != c->src.port || !lookup_fits(k, c))
			continue;
		if (tcp && k->call && !with_call) {
			with_call = true;
			count = 0;
		}
		if ((!tcp || k->call || !with_call) && !add_owner(l, owners, &count, k))
			*more = true;
		k->tid = 0;
	}
	*more |= n != NONE;
	return count;
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
 * TCP over IPv6: finds all threads that are connecting to the destination, and uses the one up that
 * began first.  The packet may have been another thread's, so that one remains a candidate for the
 * others' packets until all packets have come.
 */
static int take_portless(struct lookups *l, const struct connection *c, int64_t oldest_ns,
			 struct lookup_owner owners[LOOKUP_OWNERS_MAX], bool *more)
{
	uint32_t head = l->bucket[bucket_of(c->protocol, &c->dst, 0)], n = head;
	struct lookup *oldest = NULL;
	int count = 0, fresh = 0, looks = 0;

	for (; n != NONE && looks < LOOKS; looks++, n = l->lookup[n].next) {
		struct lookup *k = &l->lookup[n];

		if (k->time_ns < oldest_ns)
			break;
		if (k->src.port || !lookup_fits(k, c))
			continue;
		*more |= !add_owner(l, owners, &count, k);
		if (k->spent)
			continue;
		oldest = k;
		fresh++;
	}
	*more |= looks == LOOKS;
	if (!oldest)
		return 0;
	put_first(owners, count, oldest->tid);
	oldest->spent = true;
	n = fresh == 1 ? head : NONE;
	for (looks = 0; n != NONE && looks < LOOKS; looks++, n = l->lookup[n].next)
		if (l->lookup[n].spent && lookup_fits(&l->lookup[n], c))
			l->lookup[n].tid = 0;
	return count;
}

int lookups_take(struct lookups *l, const struct connection *c, int64_t now_ns,
		 struct lookup_owner owners[LOOKUP_OWNERS_MAX], bool *more)
{
	bool tcp = c->protocol == IPPROTO_TCP;
	int64_t oldest_ns = now_ns - (tcp ? AGE_TCP_NS : AGE_NS);
	int count;

	*more = false;
	if (c->src.port <= 0)
		return 0;
	*more = has_dropped(l, bucket_of(c->protocol, &c->dst, c->src.port), now_ns);
	count = take_exact(l, c, oldest_ns, owners, more);
	if (count || !tcp || c->dst.addr.family != AF_INET6)
		return count;
	*more |= has_dropped(l, bucket_of(c->protocol, &c->dst, 0), now_ns);
	return take_portless(l, c, oldest_ns, owners, more);
}

void lookups_give_back(struct lookups *l, int32_t tid, uint32_t lookup)
{
	struct lookup *k = &l->lookup[lookup];

	if (k->linked && k->by == tid)
		k->tid = tid;
}

void lookups_await_call(struct lookups *l, int32_t tid, uint32_t lookup, uint64_t row)
{
	struct lookup *k = &l->lookup[lookup];

	if (k->by != tid || k->call)
		return;
	k->row = row;
}

void lookups_lost(struct lookups *l)
{
	FAILS(TRACE_LOST);
	memset(l->connecting, 0, sizeof(l->connecting));
	memset(l->sending, 0, sizeof(l->sending));
	l->called_from = l->called_to;
	for (uint32_t i = 0; i < LOOKUPS; i++) {
		l->lookup[i].call = false;
		l->lookup[i].row = 0;
	}
}

uint64_t lookups_called(struct lookups *l)
{
	return l->called_from == l->called_to ? 0 : l->called[l->called_from++ % CALLED];
}
