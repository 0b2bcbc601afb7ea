/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Flows that have been decided: an array of slots, in two hashes (by tuple, and by local end for
 * sockets that die), and in their users' shares by last use.
 */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "flows.h"
#include "shares.h"
#include "text.h"

#define NONE UINT32_MAX

/* A slot in use is in the chain of its tuple and in that of its local port. */
enum chain { BY_TUPLE, BY_LOCAL, CHAINS };

struct slot {
	struct flow flow;	/* first: a flow's address is its slot's */
	uint32_t next[CHAINS], prev[CHAINS], bucket[CHAINS];
	uint32_t next_free;
	bool used;
};

struct flows {
	uint32_t max, touched;	/* slots from `touched` on have never been used */
	uint32_t count;
	uint32_t free;		/* freed slots, by `next_free` */
	struct shares *shares;	/* by last use */
	uint32_t buckets;
	uint32_t *head[CHAINS];
	struct slot slot[];
};

struct flows *flows_new(uint32_t max)
{
	struct flows *f = calloc(1, sizeof(*f) + max * sizeof(f->slot[0]));

	if (!f)
		return NULL;
	f->max = f->buckets = max;
	f->free = NONE;
	f->shares = shares_new(max);
	if (!f->shares) {
		flows_free(f);
		return NULL;
	}
	for (int c = 0; c < CHAINS; c++) {
		f->head[c] = malloc(f->buckets * sizeof(*f->head[c]));
		if (!f->head[c]) {
			flows_free(f);
			return NULL;
		}
		memset(f->head[c], 0xff, f->buckets * sizeof(*f->head[c]));
	}
	return f;
}

void flows_free(struct flows *f)
{
	if (!f)
		return;
	for (int c = 0; c < CHAINS; c++)
		free(f->head[c]);
	shares_free(f->shares);
	free(f);
}

uint32_t flows_count(const struct flows *f)
{
	return f->count;
}

/* As conntrack has it, which does not know links. */
static bool same_tuple(const struct flow_key *a, const struct flow_key *b)
{
	return a->protocol == b->protocol && a->direction == b->direction &&
	       a->echo_id == b->echo_id && endpoint_equal(&a->src, &b->src) &&
	       endpoint_equal(&a->dst, &b->dst);
}

bool flow_is_of_link(const struct address *src, const struct address *dst)
{
	const uint8_t *to = dst->bytes;

	if (address_is_any(src))
		return true;
	if (dst->family == AF_INET6)
		return to[0] == 0xff || (to[0] == 0xfe && (to[1] & 0xc0) == 0x80);
	return to[0] >> 4 == 14 || (to[0] == 169 && to[1] == 254) ||
		(to[0] & to[1] & to[2] & to[3]) == 0xff;
}

bool flow_key_equal(const struct flow_key *a, const struct flow_key *b)
{
	return same_tuple(a, b) && a->uid == b->uid && a->link == b->link;
}

/* Of the tuple alone. */
static uint64_t hash_tuple(const struct flow_key *k)
{
	struct {
		int32_t numbers[5];
		struct address src, dst;
	} __attribute__((packed)) tuple;	/* no byte between them is left as it was */

	tuple.numbers[0] = k->protocol;
	tuple.numbers[1] = (int32_t)k->direction;
	tuple.numbers[2] = k->src.port;
	tuple.numbers[3] = k->dst.port;
	tuple.numbers[4] = k->echo_id;
	tuple.src = k->src.addr;
	tuple.dst = k->dst.addr;
	/* Users and peers choose tuples: nobody can choose many for one chain. */
	return text_identity((struct text){ (const char *)&tuple, sizeof(tuple) });
}

uint64_t flow_key_hash(const struct flow_key *k)
{
	return text_hash(hash_tuple(k), &k->uid, sizeof(k->uid));
}

static const struct endpoint *local_end(const struct flow_key *k)
{
	return k->direction == DIRECTION_IN ? &k->dst : &k->src;
}

static const struct endpoint *peer_end(const struct flow_key *k)
{
	return k->direction == DIRECTION_IN ? &k->src : &k->dst;
}

static uint64_t hash_local(int protocol, int32_t port)
{
	int32_t numbers[] = { protocol, port };

	return text_hash(TEXT_HASH_SEED, numbers, sizeof(numbers));
}

static void link_in(struct flows *f, enum chain c, uint32_t n, uint64_t hash)
{
	struct slot *s = &f->slot[n];
	uint32_t *head = &f->head[c][hash % f->buckets];

	s->bucket[c] = (uint32_t)(hash % f->buckets);
	s->prev[c] = NONE;
	s->next[c] = *head;
	if (*head != NONE)
		f->slot[*head].prev[c] = n;
	*head = n;
}

static void link_out(struct flows *f, enum chain c, uint32_t n)
{
	struct slot *s = &f->slot[n];

	*(s->prev[c] == NONE ? &f->head[c][s->bucket[c]] : &f->slot[s->prev[c]].next[c]) =
		s->next[c];
	if (s->next[c] != NONE)
		f->slot[s->next[c]].prev[c] = s->prev[c];
}

struct flow *flows_find(struct flows *f, const struct flow_key *k)
{
	uint32_t n = f->head[BY_TUPLE][hash_tuple(k) % f->buckets];

	while (n != NONE && !flow_key_equal(&f->slot[n].flow.key, k))
		n = f->slot[n].next[BY_TUPLE];
	if (n == NONE)
		return NULL;
	shares_renew(f->shares, n);
	return &f->slot[n].flow;
}

struct flow *flows_next(const struct flows *f, struct flow *one)
{
	uint32_t n = ((struct slot *)one)->next[BY_TUPLE];

	while (n != NONE && !flow_key_equal(&f->slot[n].flow.key, &one->key))
		n = f->slot[n].next[BY_TUPLE];
	return n == NONE ? NULL : (struct flow *)&f->slot[n].flow;
}

static uint32_t take_slot(struct flows *f, struct flow *gone)
{
	uint32_t n = f->free;

	gone->row = 0;
	if (n == NONE && f->touched < f->max)
		return f->touched++;
	if (n == NONE) {
		n = shares_heaviest(f->shares);
		*gone = f->slot[n].flow;
		flows_remove(f, &f->slot[n].flow);
	}
	f->free = f->slot[n].next_free;
	return n;
}

struct flow *flows_add(struct flows *f, const struct flow_key *k, struct flow *gone)
{
	uint32_t n = take_slot(f, gone);
	struct flow *one = &f->slot[n].flow;

	*one = (struct flow){ .key = *k, .inode = -1, .pid = -1 };
	link_in(f, BY_TUPLE, n, hash_tuple(k));
	link_in(f, BY_LOCAL, n, hash_local(k->protocol, local_end(k)->port));
	shares_add(f->shares, n, k->uid);
	f->slot[n].used = true;
	f->count++;
	return one;
}

void flows_remove(struct flows *f, struct flow *one)
{
	struct slot *s = (struct slot *)one;
	uint32_t n = (uint32_t)(s - f->slot);

	link_out(f, BY_TUPLE, n);
	link_out(f, BY_LOCAL, n);
	shares_remove(f->shares, n);
	s->used = false;
	s->next_free = f->free;
	f->free = n;
	f->count--;
}

bool flows_has_twin(const struct flows *f, const struct flow *one)
{
	uint32_t n = f->head[BY_TUPLE][hash_tuple(&one->key) % f->buckets];

	for (; n != NONE; n = f->slot[n].next[BY_TUPLE])
		if (&f->slot[n].flow != one && same_tuple(&f->slot[n].flow.key, &one->key))
			return true;
	return false;
}

/* What a socket's end says covers the packet's. */
static bool covers(const struct endpoint *socket, const struct endpoint *packet)
{
	return (!socket->port || socket->port == packet->port) &&
	       (address_is_any(&socket->addr) || address_equal(&socket->addr, &packet->addr));
}

/* A socket with a peer has two tuples at most, and as many listeners' ports have thousands of
 * flows. */
static void connected(struct flows *f, struct flow_key *k, uint64_t cookie,
		      void (*each)(struct flow *one, void *arg), void *arg)
{
	uint32_t n = f->head[BY_TUPLE][hash_tuple(k) % f->buckets], next;

	for (; n != NONE; n = next) {
		struct flow *one = &f->slot[n].flow;

		next = f->slot[n].next[BY_TUPLE];
		if (same_tuple(&one->key, k) &&
		    (!cookie || !one->cookie || one->cookie == cookie))
			each(one, arg);
	}
}

void flows_of_socket(struct flows *f, int protocol, const struct endpoint *local,
		     const struct endpoint *peer, uint64_t cookie,
		     void (*each)(struct flow *one, void *arg), void *arg)
{
	struct flow_key out = { protocol, DIRECTION_OUT, *local, *peer, -1, -1, 0 };
	struct flow_key in = { protocol, DIRECTION_IN, *peer, *local, -1, -1, 0 };
	uint32_t n, next;

	if (peer->port && !address_is_any(&local->addr)) {
		connected(f, &out, cookie, each, arg);
		connected(f, &in, cookie, each, arg);
		return;
	}
	n = f->head[BY_LOCAL][hash_local(protocol, local->port) % f->buckets];
	for (; n != NONE; n = next) {
		struct flow *one = &f->slot[n].flow;

		next = f->slot[n].next[BY_LOCAL];
		if (one->key.protocol != protocol || one->key.direction == DIRECTION_FORWARD)
			continue;
		/* By IP_PKTINFO it has sent from another address. */
		if ((cookie && one->cookie == cookie) ||
		    (covers(local, local_end(&one->key)) && covers(peer, peer_end(&one->key)) &&
		     (!cookie || !one->cookie || one->cookie == cookie)))
			each(one, arg);
	}
}

void flows_of_port(struct flows *f, int32_t port, void (*each)(struct flow *one, void *arg),
		   void *arg)
{
	static const int protocols[] = { IPPROTO_UDP, IPPROTO_UDPLITE };

	for (int p = 0; p < 2; p++) {
		uint32_t n = f->head[BY_LOCAL][hash_local(protocols[p], port) % f->buckets];

		for (; n != NONE; n = f->slot[n].next[BY_LOCAL])
			if (local_end(&f->slot[n].flow.key)->port == port)
				each(&f->slot[n].flow, arg);
	}
}

struct flow *flows_find_tuple(struct flows *f, const struct flow_key *k)
{
	uint32_t n = f->head[BY_TUPLE][hash_tuple(k) % f->buckets];

	while (n != NONE && !same_tuple(&f->slot[n].flow.key, k))
		n = f->slot[n].next[BY_TUPLE];
	return n == NONE ? NULL : &f->slot[n].flow;
}

uint32_t flows_some(struct flows *f, uint32_t from, uint32_t count,
		    void (*each)(struct flow *one, void *arg), void *arg)
{
	for (; count && from < f->touched; from++, count--)
		if (f->slot[from].used)
			each(&f->slot[from].flow, arg);
	return from < f->touched ? from : 0;
}
