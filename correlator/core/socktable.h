/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_SOCKTABLE_H
#define SOCKLEDGER_SOCKTABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "tuple.h"

/*
 * The sockets that processes are known to hold, by (node, pid, fd) and by inode.  The number is
 * fixed; the least recently used socket makes room.
 */
struct sock_key {
	uint64_t node;		/* hash of the node's name; 0: this host */
	int64_t pid, fd;
};

/* The connection that this socket made last. */
struct sock_flow {
	uint64_t connection;	/* id of its row; 0: not known any more */
	struct endpoint dst;
	int64_t time_us;	/* when its row began */
	int64_t count;		/* how often it was seen again */
	bool valid;
	bool pending;		/* connect() has not ended yet (EINPROGRESS) */
};

#define SOCK_SENT_NOTHING (-2)
struct sock {
	struct sock_key key;
	int64_t ppid, start_ticks, inode;	/* -1: unknown */
	uint64_t exe;				/* hash of the program */
	uint32_t serial;			/* the serial of the newest record about it, and
						 * its time */
	int64_t time_us;
	int family, type, protocol;		/* -1: unknown */
	struct endpoint bound;			/* by bind(); port -1: not bound */
	struct sock_flow flow;
	/* What its flows of datagrams are remembered by: the inode, if it was known at the first
	 * one; SOCK_SENT_NOTHING: there was none. */
	int64_t sent_as;
	/* for the table alone */
	struct sock *next_by_key, *next_by_inode, *newer, *older;
	bool used;
};

struct socktable;

struct socktable *socktable_new(unsigned int capacity);
void socktable_free(struct socktable *t);

/* NULL where there is none. */
struct sock *socktable_find(struct socktable *t, const struct sock_key *key);
struct sock *socktable_find_inode(struct socktable *t, int64_t inode);
/* The most recently used; older ones are along ->older.  NULL where the table is empty. */
struct sock *socktable_newest(struct socktable *t);
/* Makes a fresh entry for key, in place of an older one; all other members are unknown. */
struct sock *socktable_put(struct socktable *t, const struct sock_key *key);
/* Sets the socket's inode, which became known or changed. */
void socktable_set_inode(struct socktable *t, struct sock *s, int64_t inode);
/* Names the flow of the datagrams that it sends there. */
uint64_t sock_flow_key(struct sock *s, const struct endpoint *dst);

#endif
