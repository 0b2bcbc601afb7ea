/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_FLOWS_H
#define SOCKLEDGER_FLOWS_H

#include <stdbool.h>
#include <stdint.h>

#include "connection.h"

/*
 * Flows that have been decided: one decision and one row each, from the first packet until the
 * death of its socket.  A flow is a tuple *of one user*: two users may have the same tuple, by
 * SO_REUSEADDR or IP_PKTINFO, and so may two sockets of one user, which have a flow each.
 *
 *   I1  A flow is here from its verdict until its socket is dead, until it is decided anew, or
 *       until the table needs the room; then of the user who has the most flows the one that was
 *       used least recently goes.
 *   I2  A packet in the queue holds its socket (sk_wmem_alloc, net/core/sock.c), and the kernel
 *       announces a socket's death when nothing holds it any more.  So no packet of a dead flow is
 *       on its way, and one that comes later with its tuple is another socket's.
 *
 * Pure: no system calls, times are passed in.
 */
struct flows;

struct flow_key {
	int protocol;
	enum direction direction;
	struct endpoint src, dst;
	/* Of an ICMP echo request, or of a SYN that came in (struct packet); -1: it is neither. */
	int32_t echo_id;
	int64_t uid;		/* of the socket's opener; -1: it is not known here */
	/* That a forwarded packet came in by, or that flow_is_of_link() leaves by; 0: none, or not
	 * known. */
	uint32_t link;
};

struct flow {
	struct flow_key key;
	uint64_t row;		/* in the ledger */
	uint64_t cookie;	/* of the socket, as sock_diag names it; 0: not known */
	int64_t inode;		/* of the socket; -1: not known */
	int64_t pid;		/* that the row named first; -1: nobody */
	/* another socket than the one that sock_diag finds for the tuple */
	bool beside;
	enum verdict verdict;	/* 0: the next packet is decided anew */
	uint32_t in, out;	/* interfaces of its first packet; 0: none */
	int64_t packets;	/* that came to the queue */
	int64_t written;	/* of these, that the ledger knows of */
	int64_t first_ns, last_ns;	/* when the first and the newest came to the queue */
	int64_t marked_ns;	/* when its conntrack entry got our mark; 0: it never did */
	int64_t unmarked_until_ns;	/* it has been found that it must not have it */
};

/* Room for `max` flows; NULL where memory is short. */
struct flows *flows_new(uint32_t max);
void flows_free(struct flows *f);
uint32_t flows_count(const struct flows *f);

/* On each link its addresses are another flow's: no source yet (DHCP), multicast, broadcast,
 * link-local. */
bool flow_is_of_link(const struct address *src, const struct address *dst);
bool flow_key_equal(const struct flow_key *a, const struct flow_key *b);
/* Without a secret: a process that chooses tuples can choose equal hashes. */
uint64_t flow_key_hash(const struct flow_key *k);

/* The flow with that key, which is now the one that was used last; NULL: there is none.  It stays
 * where it is until it is removed. */
struct flow *flows_find(struct flows *f, const struct flow_key *k);
/* Another one with the same key, which is older: several sockets may have one tuple. */
struct flow *flows_next(const struct flows *f, struct flow *one);
/* A new flow, with all but its key unknown.  *gone is the one that had to make room; its row is 0
 * where none had to. */
struct flow *flows_add(struct flows *f, const struct flow_key *k, struct flow *gone);
void flows_remove(struct flows *f, struct flow *one);

/* Whether another flow has the same tuple, of another user or on another link. */
bool flows_has_twin(const struct flows *f, const struct flow *one);

/*
 * The flows of a socket: local end and peer as the kernel has them (0.0.0.0, :: and port 0: any);
 * cookie 0: any; of a socket without a peer also those of other addresses that have its cookie.
 * Each is shown once, and may be removed meanwhile; nothing else may.
 */
void flows_of_socket(struct flows *f, int protocol, const struct endpoint *local,
		     const struct endpoint *peer, uint64_t cookie,
		     void (*each)(struct flow *one, void *arg), void *arg);
/* Shows the flows of datagrams whose local end has that port.  None may be removed meanwhile. */
void flows_of_port(struct flows *f, int32_t port, void (*each)(struct flow *one, void *arg),
		   void *arg);
/* Any user's and link's flow with that tuple; NULL: there is none. */
struct flow *flows_find_tuple(struct flows *f, const struct flow_key *k);
/* Shows the flows of `count` slots from slot `from` on; each may be removed meanwhile, and nothing
 * else.  Returns the slot to go on with: 0 where the end has been reached. */
uint32_t flows_some(struct flows *f, uint32_t from, uint32_t count,
		    void (*each)(struct flow *one, void *arg), void *arg);

#endif
