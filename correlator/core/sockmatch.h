/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_SOCKMATCH_H
#define SOCKLEDGER_SOCKMATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "tuple.h"

/*
 * Chooses, of the sockets that the kernel has at a local port, the one that sent a packet or will
 * get it.  A packet's tuple is not always its socket's: an unconnected socket has no peer, a socket
 * that is bound to every address has no local one, and multicast and broadcast addresses are on no
 * socket.
 */
struct sock_entry {
	struct endpoint local, peer;	/* from sock_diag; 0.0.0.0, :: and port 0: any */
	int64_t inode;			/* 0: the socket has none any more */
	int64_t uid;
	uint64_t cookie;		/* the socket's, for as long as the host runs; 0: unknown */
	bool resent;			/* it has sent its SYN, or its data, again already */
};

/* How well a socket fits; the last is the best. */
enum sock_fit {
	SOCK_FIT_NONE,
	SOCK_FIT_WILDCARD,	/* bound to every address, not connected */
	SOCK_FIT_LOCAL,		/* bound to the packet's local address, not connected */
	SOCK_FIT_EXACT,		/* the tuple itself: no other socket can have it */
};

struct sock_choice {
	enum sock_fit fit;
	int best;		/* index; -1: none fits */
	int alike;		/* the number of sockets that fit equally well, with the best */
};

/* How well one socket fits a packet with these local and peer ends. */
enum sock_fit sock_fit(const struct sock_entry *s, const struct endpoint *local,
		       const struct endpoint *peer);

/* Chooses the best of count sockets, and of equals the first. */
struct sock_choice sock_choose(const struct sock_entry *socks, int count,
			       const struct endpoint *local, const struct endpoint *peer);

#endif
