/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who looked up a route for which tuple: a ring of lookups with a hash over it by protocol,
 * destination and local port, and what the threads under way in connect() have got to.
 *
 *   I1  A lookup is `state` where its thread had set a socket to SYN_SENT for that destination without a
 *       port and has looked nothing up with a port since: both are in one connect(), where nothing
 *       else of the thread can come between (tcp_v4_connect()).
 *   I2  A socket that goes back to CLOSE ends that: no lookup is coming (no free port).
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "lookups.h"
#include "text.h"

#define LOOKUPS 8192u
#define BUCKETS 8192u
#define NONE UINT32_MAX
#define CONNECTING 1024u
#define LOOKS 64
/* A UDP socket may be connected long before it is used; then it is alive, and /proc knows. */
#define AGE_NS 60000000000LL
/* A TCP connect() sends its SYN at once. */
#define AGE_TCP_NS 2000000000LL

struct lookup {
	int protocol;
	struct endpoint src, dst;
	int32_t tid;		/* 0: used up */
	bool state, linked;
	int64_t time_ns;
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
	uint32_t next;
	struct connecting connecting[CONNECTING];
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

static void take_out(struct lookups *l, uint32_t n)
{
	uint32_t *at = &l->bucket[l->lookup[n].bucket];

	while (*at != NONE && *at != n)
		at = &l->lookup[*at].next;
	if (*at == n)
		*at = l->lookup[n].next;
}

static void add(struct lookups *l, const struct trace_event *e, bool state)
{
	uint32_t n = l->next++ % LOOKUPS;
	struct lookup *k = &l->lookup[n];

	if (k->linked)
		take_out(l, n);
	*k = (struct lookup){
		.protocol = e->protocol, .src = e->src, .dst = e->dst, .tid = e->tid,
		.state = state, .linked = true, .time_ns = e->time_ns,
		.bucket = bucket_of(e->protocol, &e->dst, e->src.port),
	};
	k->next = l->bucket[k->bucket];
	l->bucket[k->bucket] = n;
}

static bool same_end(const struct endpoint *a, const struct endpoint *b)
{
	return a->port == b->port && address_equal(&a->addr, &b->addr);
}

static void on_lookup(struct lookups *l, const struct trace_event *e)
{
	struct connecting *k = &l->connecting[(uint32_t)e->tid % CONNECTING];
	bool state = false;

	if (e->src.port <= 0)
		return;
	if (k->tid == e->tid) {
		state = e->protocol == IPPROTO_TCP && same_end(&k->dst, &e->dst);
		k->tid = 0;
	}
	/* A connect() over IPv6 has none, or, where the port is bound, its state as well. */
	if (e->protocol == IPPROTO_TCP && e->dst.addr.family == AF_INET6)
		return;
	add(l, e, state);
}

static void on_state(struct lookups *l, const struct trace_event *e)
{
	struct connecting *k = &l->connecting[(uint32_t)e->tid % CONNECTING];

	if (e->new_state == TCP_CLOSE && k->tid == e->tid && k->socket == e->socket)
		k->tid = 0;
	if (e->old_state != TCP_CLOSE || e->new_state != TCP_SYN_SENT)
		return;
	if (e->src.port > 0 || e->dst.addr.family == AF_INET6)
		add(l, e, true);
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
}

/* The source may not have been chosen when the route was looked up. */
static bool fits(const struct lookup *k, const struct connection *c)
{
	static const uint8_t any[16];

	return k->tid && k->protocol == c->protocol && same_end(&k->dst, &c->dst) &&
	       (address_equal(&k->src.addr, &c->src.addr) ||
		!memcmp(k->src.addr.bytes, any, sizeof(any)));
}

/* Notes the thread; false where there is no more room. */
static bool note(struct looker lookers[LOOKERS_MAX], int *count, const struct lookup *k)
{
	int i;

	for (i = 0; i < *count && lookers[i].tid != k->tid; i++)
		;
	if (i == LOOKERS_MAX)
		return false;
	if (i == *count)
		lookers[(*count)++] = (struct looker){ k->tid, false };
	lookers[i].state |= k->state;
	return true;
}

static int take_exact(struct lookups *l, const struct connection *c, int64_t oldest_ns,
		      struct looker lookers[LOOKERS_MAX])
{
	uint32_t n = l->bucket[bucket_of(c->protocol, &c->dst, c->src.port)];
	int count = 0, with_state = 0;

	for (int looks = 0; n != NONE && looks < LOOKS; looks++, n = l->lookup[n].next) {
		struct lookup *k = &l->lookup[n];

		if (k->time_ns < oldest_ns)
			break;
		if (k->src.port == c->src.port && fits(k, c) && note(lookers, &count, k))
			k->tid = 0;
	}
	/* A TCP connect() always has its state; a lookup without one is somebody's question. */
	for (int i = 0; i < count; i++)
		if (lookers[i].state)
			lookers[with_state++] = lookers[i];
	return with_state ? with_state : count;
}

/* TCP over IPv6: all who are connecting there, of which the one that began first is used up. */
static int take_portless(struct lookups *l, const struct connection *c, int64_t oldest_ns,
			 struct looker lookers[LOOKERS_MAX])
{
	uint32_t n = l->bucket[bucket_of(c->protocol, &c->dst, 0)];
	struct lookup *oldest = NULL;
	int count = 0;

	for (int looks = 0; n != NONE && looks < LOOKS; looks++, n = l->lookup[n].next) {
		struct lookup *k = &l->lookup[n];

		if (k->time_ns < oldest_ns)
			break;
		if (k->src.port || !fits(k, c))
			continue;
		note(lookers, &count, k);
		oldest = k;
	}
	for (int i = 1; oldest && i < count; i++) {
		struct looker first = lookers[0];

		if (lookers[i].tid != oldest->tid)
			continue;
		lookers[0] = lookers[i];
		lookers[i] = first;
	}
	if (oldest)
		oldest->tid = 0;
	return count;
}

int lookups_take(struct lookups *l, const struct connection *c, int64_t now_ns,
		 struct looker lookers[LOOKERS_MAX])
{
	bool tcp = c->protocol == IPPROTO_TCP;
	int64_t oldest_ns = now_ns - (tcp ? AGE_TCP_NS : AGE_NS);
	int count;

	if (c->src.port <= 0)
		return 0;
	count = take_exact(l, c, oldest_ns, lookers);
	if (count || !tcp || c->dst.addr.family != AF_INET6)
		return count;
	return take_portless(l, c, oldest_ns, lookers);
}
