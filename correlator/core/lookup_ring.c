/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A ring of lookups, with a hash over it by protocol, destination and local port, and one by
 * socket.  What makes room before its packet came is remembered by its bucket, because it may be
 * the lookup that the next packet asks for.
 */
#include <netinet/in.h>

#include "lookup_ring.h"
#include "text.h"
#include "trace.h"

/* A lookup's packet follows at once, except for UDP's connect(). */
#define DROPPED_NS 2000000000LL
/* lookups.c, I6: a call whose socket was connecting. */
#define DROPPED_OPEN_NS 3600000000000LL

void lookup_ring_init(struct lookup_ring *r)
{
	for (uint32_t i = 0; i < LOOKUPS; i++)
		r->bucket[i] = r->of_socket[i] = LOOKUP_NONE;
}

uint32_t lookup_ring_bucket(int protocol, const struct endpoint *dst, int32_t port)
{
	uint64_t h = text_hash(TEXT_HASH_SEED, &dst->addr, sizeof(dst->addr));
	int32_t rest[3] = { dst->port, port, protocol };

	return (uint32_t)(text_hash(h, rest, sizeof(rest)) % LOOKUPS);
}

void lookup_ring_unlink(struct lookup_ring *r, uint32_t n)
{
	uint32_t *at = &r->bucket[r->lookup[n].bucket];

	while (*at != LOOKUP_NONE && *at != n)
		at = &r->lookup[*at].next;
	if (*at == n)
		*at = r->lookup[n].next;
	r->lookup[n].linked = false;
}

/* The lookup of that socket; where there is none, the end of its chain. */
static uint32_t *find_socket(struct lookup_ring *r, uint64_t socket)
{
	uint32_t *at = &r->of_socket[text_hash(TEXT_HASH_SEED, &socket, sizeof(socket)) % LOOKUPS];

	while (*at != LOOKUP_NONE && r->lookup[*at].socket != socket)
		at = &r->lookup[*at].next_of_socket;
	return at;
}

uint32_t lookup_ring_of_socket(struct lookup_ring *r, uint64_t socket)
{
	return *find_socket(r, socket);
}

static void forget_socket(struct lookup_ring *r, uint64_t socket)
{
	uint32_t *at = find_socket(r, socket);
	struct lookup *k = *at == LOOKUP_NONE ? NULL : &r->lookup[*at];

	if (!k)
		return;
	*at = k->next_of_socket;
	k->socket = 0;
	k->open = false;
}

/* Only the newest lookup of a socket is asked for by it, so that a busy sender's make no chain. */
void lookup_ring_set_socket(struct lookup_ring *r, uint32_t n, uint64_t socket)
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
	k->next_of_socket = LOOKUP_NONE;
	*at = n;
}

/* It makes room. */
static void drop(struct lookup_ring *r, struct lookup *k, int64_t now_ns)
{
	int64_t until_ns = k->open ? now_ns + DROPPED_OPEN_NS : k->time_ns + DROPPED_NS;

	lookup_ring_unlink(r, (uint32_t)(k - r->lookup));
	if (k->tid && r->dropped_until_ns[k->bucket] < until_ns)
		r->dropped_until_ns[k->bucket] = until_ns;
}

uint32_t lookup_ring_add(struct lookup_ring *r, const struct trace_event *e, bool call)
{
	uint32_t n = r->next++ % LOOKUPS;
	struct lookup *k = &r->lookup[n];

	if (k->linked)
		drop(r, k, e->time_ns);
	lookup_ring_set_socket(r, n, 0);
	*k = (struct lookup){
		.protocol = e->protocol, .src = e->src, .dst = e->dst, .link = e->link,
		.tid = e->tid, .by = e->tid, .before = LOOKUP_NONE,
		.call = call, .linked = true, .time_ns = e->time_ns,
		.bound = e->kind == TRACE_STATE && e->src.port > 0,
		.bucket = lookup_ring_bucket(e->protocol, &e->dst, e->src.port),
	};
	k->next = r->bucket[k->bucket];
	r->bucket[k->bucket] = n;
	return n;
}

bool lookup_ring_has_dropped(const struct lookup_ring *r, uint32_t bucket, int64_t now_ns)
{
	return now_ns < r->dropped_until_ns[bucket];
}
