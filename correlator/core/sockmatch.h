/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_SOCKMATCH_H
#define SOCKLEDGER_SOCKMATCH_H

#include <stdint.h>

#include "tuple.h"

/*
 * Which of the sockets that the kernel has at a local port sent a packet, or is to get it.  A
 * packet's own tuple is not always a socket's: one that is not connected has no peer, one that is
 * bound to every address has no local one, and multicast and broadcast go to neither.
 */
struct sock_entry {
	struct endpoint local, peer;	/* as sock_diag tells; 0.0.0.0, :: and port 0: any */
	int64_t inode;			/* 0: it has none any more */
	int64_t uid;
};

/* How well a socket fits, best last. */
enum sock_fit {
	SOCK_FIT_NONE,
	SOCK_FIT_WILDCARD,	/* bound to every address, connected to nobody */
	SOCK_FIT_LOCAL,		/* bound to the packet's local address, connected to nobody */
	SOCK_FIT_EXACT,		/* the tuple itself: no other socket can have it */
};

struct sock_choice {
	enum sock_fit fit;
	int best;		/* index; -1: none fits */
	int alike;		/* how many fit just as well, the best included */
};

/* How well one socket fits a packet whose local and peer ends are these. */
enum sock_fit sock_fit(const struct sock_entry *s, const struct endpoint *local,
		       const struct endpoint *peer);

/* The best of count sockets; of those alike the first. */
struct sock_choice sock_choose(const struct sock_entry *socks, int count,
			       const struct endpoint *local, const struct endpoint *peer);

#endif
