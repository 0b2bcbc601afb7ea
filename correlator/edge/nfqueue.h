/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_NFQUEUE_H
#define SOCKLEDGER_NFQUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * One netfilter queue (linux/netfilter/nfnetlink_queue.h) of the network namespace that it is opened
 * in.  Packets may be answered in any order, each exactly once; those that are not are dropped by
 * the kernel when the queue is closed, or let through where the rule says bypass.
 */
struct nfqueue;

struct nfqueue_settings {
	uint16_t number;
	uint32_t max_packets;	/* that may wait in the kernel */
	bool fail_open;		/* beyond that: let through, instead of dropped */
};

struct nfqueue_packet {
	uint32_t id;		/* for the verdict */
	uint8_t hook;		/* NF_INET_LOCAL_OUT, ... */
	uint32_t mark;
	int64_t uid, gid;	/* of the socket's opener; -1: it has no socket here */
	const uint8_t *data;	/* its first bytes, from the IP header on; borrowed */
	size_t len;
};

/* 0 or -errno: -EPERM without CAP_NET_ADMIN, -EBUSY where another program has this queue. */
int nfqueue_open(const struct nfqueue_settings *s, struct nfqueue **q);
void nfqueue_close(struct nfqueue *q);
int nfqueue_fd(const struct nfqueue *q);

/* Shows what is waiting, at most some hundred packets.  The number of them, or -errno; packets that
 * the kernel could not hand over (ENOBUFS) are counted and are no error. */
int nfqueue_read(struct nfqueue *q, void (*each)(const struct nfqueue_packet *p, void *arg),
		 void *arg);
/* How often the kernel said that it lost messages to us. */
int64_t nfqueue_overruns(const struct nfqueue *q);

/* Lets the packet go, with this mark, or drops it.  0 or -errno. */
int nfqueue_accept(struct nfqueue *q, uint32_t id, uint32_t mark);
int nfqueue_drop(struct nfqueue *q, uint32_t id);

#endif
