/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sockets that processes are known to hold: two hashes and a list by age, all of fixed size. */
#include <stdlib.h>
#include <string.h>

#include "socktable.h"
#include "text.h"

struct socktable {
	struct sock *socks;
	unsigned int capacity, used;
	unsigned int buckets;		/* a power of two */
	struct sock **by_key, **by_inode;
	struct sock *newest, *oldest;
};

struct socktable *socktable_new(unsigned int capacity)
{
	struct socktable *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->capacity = capacity;
	for (t->buckets = 16; t->buckets < capacity; t->buckets *= 2)
		;
	t->socks = calloc(capacity, sizeof(*t->socks));
	t->by_key = calloc(t->buckets, sizeof(struct sock *));
	t->by_inode = calloc(t->buckets, sizeof(struct sock *));
	if (t->socks && t->by_key && t->by_inode)
		return t;
	socktable_free(t);
	return NULL;
}

void socktable_free(struct socktable *t)
{
	if (!t)
		return;
	free(t->socks);
	free(t->by_key);
	free(t->by_inode);
	free(t);
}

static uint64_t mix(uint64_t n)
{
	n = (n ^ n >> 30) * 0xbf58476d1ce4e5b9ULL;
	n = (n ^ n >> 27) * 0x94d049bb133111ebULL;
	return n ^ n >> 31;
}

static struct sock **key_bucket(struct socktable *t, const struct sock_key *k)
{
	return &t->by_key[mix(k->node ^ mix((uint64_t)k->pid << 24 ^ (uint64_t)k->fd)) &
			  (t->buckets - 1)];
}

static struct sock **inode_bucket(struct socktable *t, int64_t inode)
{
	return &t->by_inode[mix((uint64_t)inode) & (t->buckets - 1)];
}

static bool same_key(const struct sock_key *a, const struct sock_key *b)
{
	return a->pid == b->pid && a->fd == b->fd && a->node == b->node;
}

static void unlink_age(struct socktable *t, struct sock *s)
{
	*(s->newer ? &s->newer->older : &t->newest) = s->older;
	*(s->older ? &s->older->newer : &t->oldest) = s->newer;
}

static void link_newest(struct socktable *t, struct sock *s)
{
	s->newer = NULL;
	s->older = t->newest;
	*(t->newest ? &t->newest->newer : &t->oldest) = s;
	t->newest = s;
}

static void unlink_inode(struct socktable *t, struct sock *s)
{
	if (s->inode < 0)
		return;
	for (struct sock **at = inode_bucket(t, s->inode); *at; at = &(*at)->next_by_inode) {
		if (*at != s)
			continue;
		*at = s->next_by_inode;
		break;
	}
	s->inode = -1;
}

static void unlink_sock(struct socktable *t, struct sock *s)
{
	for (struct sock **at = key_bucket(t, &s->key); *at; at = &(*at)->next_by_key) {
		if (*at != s)
			continue;
		*at = s->next_by_key;
		break;
	}
	unlink_inode(t, s);
	unlink_age(t, s);
	s->used = false;
}

struct sock *socktable_find(struct socktable *t, const struct sock_key *key)
{
	for (struct sock *s = *key_bucket(t, key); s; s = s->next_by_key) {
		if (!same_key(&s->key, key))
			continue;
		unlink_age(t, s);
		link_newest(t, s);
		return s;
	}
	return NULL;
}

struct sock *socktable_find_inode(struct socktable *t, int64_t inode)
{
	if (inode < 0)
		return NULL;
	for (struct sock *s = *inode_bucket(t, inode); s; s = s->next_by_inode)
		if (s->inode == inode)
			return s;
	return NULL;
}

struct sock *socktable_newest(struct socktable *t)
{
	return t->newest;
}

struct sock *socktable_put(struct socktable *t, const struct sock_key *key)
{
	struct sock *s = socktable_find(t, key), **bucket;

	if (!s)
		s = t->used < t->capacity ? &t->socks[t->used++] : t->oldest;
	if (s->used)
		unlink_sock(t, s);
	*s = (struct sock){
		.key = *key, .ppid = -1, .start_ticks = -1, .inode = -1, .family = -1, .type = -1,
		.protocol = -1, .bound.port = -1, .sent_as = SOCK_SENT_NOTHING, .used = true,
	};
	bucket = key_bucket(t, key);
	s->next_by_key = *bucket;
	*bucket = s;
	link_newest(t, s);
	return s;
}

void socktable_set_inode(struct socktable *t, struct sock *s, int64_t inode)
{
	struct sock **bucket;

	if (s->inode == inode)
		return;
	unlink_inode(t, s);
	if (inode < 0)
		return;
	s->inode = inode;
	bucket = inode_bucket(t, inode);
	s->next_by_inode = *bucket;
	*bucket = s;
}

/* It stays the same socket's when its inode becomes known later, from a packet or a record. */
uint64_t sock_flow_key(struct sock *s, const struct endpoint *dst)
{
	uint64_t key = text_hash(TEXT_HASH_SEED, &s->key, sizeof(s->key));

	if (s->sent_as == SOCK_SENT_NOTHING || (s->sent_as >= 0 && s->inode >= 0))
		s->sent_as = s->inode;
	key = text_hash(key, &dst->addr, sizeof(dst->addr));
	key = text_hash(key, &dst->port, sizeof(dst->port));
	return text_hash(key, &s->sent_as, sizeof(s->sent_as));
}
