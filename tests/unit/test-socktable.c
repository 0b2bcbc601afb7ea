/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of sockets against a dumb model: an array that is searched from end to end.
 *
 *   test-socktable [SEED]
 */
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "socktable.h"
#include "tap.h"

struct model_sock {
	struct sock_key key;
	int64_t inode;
	uint64_t tag;		/* what was put, kept in the entry's exe */
	uint64_t used, inode_set;	/* when, by the count of operations */
};

struct model {
	struct model_sock socks[512];
	unsigned int count, capacity;
	uint64_t now;
};

static struct model_sock *model_find(struct model *m, const struct sock_key *key)
{
	for (unsigned int i = 0; i < m->count; i++) {
		struct model_sock *s = &m->socks[i];

		if (s->key.node == key->node && s->key.pid == key->pid && s->key.fd == key->fd)
			return s;
	}
	return NULL;
}

/* Of several the one that got its inode last. */
static struct model_sock *model_find_inode(struct model *m, int64_t inode)
{
	struct model_sock *best = NULL;

	for (unsigned int i = 0; i < m->count; i++)
		if (inode >= 0 && m->socks[i].inode == inode &&
		    (!best || m->socks[i].inode_set > best->inode_set))
			best = &m->socks[i];
	return best;
}

static struct model_sock *model_put(struct model *m, const struct sock_key *key)
{
	struct model_sock *s = model_find(m, key);

	if (!s && m->count < m->capacity)
		s = &m->socks[m->count++];
	if (!s) {
		s = &m->socks[0];
		for (unsigned int i = 1; i < m->count; i++)
			if (m->socks[i].used < s->used)
				s = &m->socks[i];
	}
	*s = (struct model_sock){ .key = *key, .inode = -1, .used = m->now };
	return s;
}

static bool same(const struct sock *s, const struct model_sock *m)
{
	if (!s || !m)
		return !s && !m;
	return s->exe == m->tag && s->inode == m->inode && s->key.pid == m->key.pid &&
	       s->key.fd == m->key.fd && s->key.node == m->key.node;
}

static bool is_fresh(const struct sock *s)
{
	return s->ppid == -1 && s->start_ticks == -1 && s->inode == -1 && s->exe == 0 &&
	       s->family == -1 && s->type == -1 && s->protocol == -1 && s->bound.port == -1 &&
	       !s->flow.valid;
}

static int64_t below(unsigned int n)
{
	return (int64_t)random() % n;
}

static bool step(struct socktable *t, struct model *m, unsigned int keys, unsigned int inodes)
{
	struct sock_key key = { (uint64_t)below(2), below(keys), below(keys) };
	int64_t inode = below(inodes + 1) - 1;
	struct model_sock *want;
	struct sock *got;

	m->now++;
	switch (below(4)) {
	case 0:
		got = socktable_put(t, &key);
		want = model_put(m, &key);
		if (!is_fresh(got))
			return false;
		got->exe = want->tag = m->now;
		got->ppid = got->start_ticks = got->protocol = got->type = got->family = 1;
		got->bound.port = 1;
		got->flow.valid = true;
		return same(got, want);
	case 1:
		want = model_find(m, &key);
		if (want)
			want->used = m->now;
		return same(socktable_find(t, &key), want);
	case 2:
		return same(socktable_find_inode(t, inode), model_find_inode(m, inode));
	default:
		got = socktable_find(t, &key);
		want = model_find(m, &key);
		if (!same(got, want))
			return false;
		if (!got)
			return true;
		want->used = m->now;
		socktable_set_inode(t, got, inode);
		if (want->inode != inode)
			want->inode_set = m->now;
		want->inode = inode;
		return same(got, want);
	}
}

/* Everything that there could be, at the end. */
static bool all_same(struct socktable *t, struct model *m, unsigned int keys, unsigned int inodes)
{
	for (int64_t i = -1; i <= inodes; i++)
		if (!same(socktable_find_inode(t, i), model_find_inode(m, i)))
			return false;
	for (struct sock_key k = { 0, 0, 0 }; k.node < 2; k.node++)
		for (k.pid = 0; k.pid < keys; k.pid++)
			for (k.fd = 0; k.fd < keys; k.fd++)
				if (!same(socktable_find(t, &k), model_find(m, &k)))
					return false;
	return true;
}

static void test_random(unsigned int seed, unsigned int capacity, unsigned int keys,
			unsigned int inodes)
{
	struct socktable *t = socktable_new(capacity);
	struct model *m = calloc(1, sizeof(*m));
	bool good = t && m;

	srandom(seed);
	m->capacity = capacity;
	for (int i = 0; good && i < 100000; i++) {
		good = step(t, m, keys, inodes);
		if (!good)
			tap_note("differs at step %d", i);
	}
	tap_ok(good && all_same(t, m, keys, inodes),
	       "random: %u entries, %u keys, %u inodes, seed %u", capacity, 2 * keys * keys, inodes,
	       seed);
	socktable_free(t);
	free(m);
}

static void test_plain(void)
{
	struct socktable *t = socktable_new(3);
	struct sock_key a = { 0, 1, 3 }, b = { 0, 1, 4 }, c = { 0, 2, 3 }, d = { 7, 1, 3 };
	struct sock *s;

	tap_ok(!socktable_find(t, &a) && !socktable_find_inode(t, 5) &&
	       !socktable_find_inode(t, -1), "an empty table");
	s = socktable_put(t, &a);
	tap_ok(is_fresh(s) && socktable_find(t, &a) == s, "an entry");
	socktable_set_inode(t, s, 5);
	tap_ok(socktable_find_inode(t, 5) == s, "by its inode");
	socktable_set_inode(t, s, 6);
	tap_ok(socktable_find_inode(t, 6) == s && !socktable_find_inode(t, 5), "by a later inode");
	s->protocol = 6;
	s = socktable_put(t, &a);
	tap_ok(is_fresh(s) && !socktable_find_inode(t, 6), "one in its place knows nothing of it");
	socktable_put(t, &b);
	socktable_put(t, &c);
	socktable_find(t, &a);
	socktable_put(t, &d);
	tap_ok(socktable_find(t, &a) && !socktable_find(t, &b) && socktable_find(t, &c) &&
	       socktable_find(t, &d), "when full, the one that was used longest ago goes");
	socktable_free(t);
	socktable_free(NULL);
}

int main(int argc, char **argv)
{
	unsigned int seed = argc > 1 ? (unsigned int)strtoul(argv[1], NULL, 0) :
				       (unsigned int)time(NULL);

	test_plain();
	test_random(seed, 1, 3, 3);
	test_random(seed, 40, 6, 20);
	test_random(seed, 200, 8, 1000);
	test_random(seed, 300, 30, 3);
	return tap_done();
}
