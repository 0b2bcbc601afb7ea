/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_WAYS_H
#define SOCKLEDGER_WAYS_H

#include <netinet/in.h>
#include <sys/socket.h>

/* Where a way leads, and the program's own path for those that become another program. */
struct target {
	struct sockaddr_in to, other;	/* other: the same port of another address */
	struct sockaddr_in6 six;
	const char *self, *address, *port;
};

/* 0: done, and the process of the call was printed; WAY_NONE: not on this kernel. */
typedef int way_fn(const struct target *t);

#define WAY_NONE 77

/* What leaves first, in each way. */
#define WAY_BYTES "sockledger"

/* A socket, or the end of the program. */
int way_socket(int family, int type, int protocol);
/* "PID": whose packets the rows to come are. */
void way_is_mine(void);
/* Whether a call failed because the kernel lacks what it wants. */
int way_is_missing(void);

way_fn way_ring_connect, way_ring_async, way_ring_polled, way_ring_sendmsg, way_ring_send,
	way_ring_bind, way_ring_accept, way_ring_late;
way_fn way_tun, way_vrf, way_wireguard, way_forwarded;
way_fn way_fragments, way_burst, way_no_address, way_bound, way_mapped;
way_fn way_accept, way_accept_null, way_prefork, way_reuseport, way_activation, way_activated,
	way_datagram_in;
way_fn way_passed, way_over_exec, way_setuid, way_setns, way_pid_namespace, way_socketpair;

#endif
