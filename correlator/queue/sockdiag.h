/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_SOCKDIAG_H
#define SOCKLEDGER_SOCKDIAG_H

#include <stddef.h>

#include "sockmatch.h"

/*
 * The kernel's own sockets, by NETLINK_SOCK_DIAG (sock_diag(7), linux/inet_diag.h): those of the
 * network namespace that this was opened in, and of no other.
 */
struct sockdiag;

/* NULL with errno set. */
struct sockdiag *sockdiag_open(void);
void sockdiag_close(struct sockdiag *d);

/*
 * The socket that the kernel itself finds for this tuple, by one look-up in its hashes; device: the
 * interface, without which no socket is found that is bound to one (0: not known); least: how
 * well it has to fit.  The answer is compared with the question, because for UDP and for a listener
 * the kernel names the socket that would receive such a packet, which for an outgoing TCP packet is
 * the wrong one. 0, -ENOENT where there is none, or another -errno.
 */
int sockdiag_ask(struct sockdiag *d, int protocol, const struct endpoint *local,
		 const struct endpoint *peer, uint32_t device, enum sock_fit least,
		 struct sock_entry *found);

/*
 * Every socket at local's port that fits a packet of that device, IPv4 and IPv6: the best of them
 * (sockmatch.h), for sockets that are not connected.  The kernel walks all sockets of the protocol
 * for this.  0, -ENOENT, or -errno.
 */
int sockdiag_by_port(struct sockdiag *d, int protocol, const struct endpoint *local,
		     const struct endpoint *peer, uint32_t device, struct sock_entry *found,
		     struct sock_choice *choice);

/*
 * Every socket at local's port, whatever its address: each may send from any address of the host's
 * (IP_PKTINFO).  IPv6 sockets as well, because they may talk IPv4.  How many, at most
 * SOCKDIAG_FOUND_MAX, or -errno; *found is there until the next question.
 */
int sockdiag_sharers(struct sockdiag *d, int protocol, const struct endpoint *local,
		     const struct sock_entry **found);

/* Shows every socket of the protocol, IPv4 and IPv6.  0 or -errno. */
int sockdiag_each(struct sockdiag *d, int protocol,
		  void (*each)(const struct sock_entry *s, void *arg), void *arg);

/* An answer, which may come in several reads. */
#define SOCKDIAG_FOUND_MAX 64
struct sockdiag_answer {
	struct sock_entry found[SOCKDIAG_FOUND_MAX];
	int count;
	int port;	/* only sockets with this local port; -1: any */
	uint32_t device;	/* only those that are bound to it, or to none; 0: any */
	/* to which all are shown, instead of found[]; NULL: nobody */
	void (*each)(const struct sock_entry *s, void *arg);
	void *arg;
};

/*
 * One read of the answer to request seq; port: our netlink port; `message` is aligned as malloc()
 * does. 1: more may come; 0: that was all; -EAGAIN: it answers another request; else the kernel's
 * -errno.
 */
int sockdiag_parse(const void *message, size_t len, unsigned int seq, unsigned int port,
		   struct sockdiag_answer *a);

#endif
