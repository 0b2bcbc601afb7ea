/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_NFQUEUE_H
#define SOCKLEDGER_NFQUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Netfilter queues (linux/netfilter/nfnetlink_queue.h) of the network namespace that they are opened
 * in, by one socket.  Packets may be answered in any order, each exactly once; those that are not are dropped by
 * the kernel when the queue is closed, or let through where the rule says bypass.
 */
struct nfqueue;
#define NFQUEUE_MAX 64

struct nfqueue_settings {
	uint16_t first, last;	/* their numbers: NFQUEUE_MAX at most */
	uint32_t max_packets;	/* that may wait in each of them */
	bool fail_open;		/* beyond that: let through, instead of dropped */
};

/* What the verdict names the packet by. */
struct nfqueue_id {
	uint32_t id;
	uint16_t queue;
};

struct nfqueue_packet {
	struct nfqueue_id id;
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

/*
 * Shows what is waiting, at most NFQUEUE_READ_MAX packets: first() once all of them have been taken from
 * the kernel, then each().  The number of them, or -errno; packets that the kernel could not hand
 * over (ENOBUFS) are counted and are no error.
 */
#define NFQUEUE_READ_MAX 64
int nfqueue_read(struct nfqueue *q, void (*first)(void *arg),
		 void (*each)(const struct nfqueue_packet *p, void *arg), void *arg);
/* What nfqueue_read() does with one read of the kernel's socket, whose port is ours.  `message` is
 * aligned as malloc() does, and its memory goes on to a multiple of four: that far libmnl looks. */
void nfqueue_parse(const void *message, size_t len, unsigned int port,
		   void (*each)(const struct nfqueue_packet *p, void *arg), void *arg);
/* What did not come to us, in this queue's life. */
struct nfqueue_losses {
	int64_t overruns;	/* how often the kernel said that it lost messages to us */
	int64_t missed;		/* packets that it gave a number and could not hand over */
	int64_t dropped;	/* packets that it dropped: max_packets were waiting */
	int64_t user_dropped;	/* of the missed ones, those that it dropped */
};

/* Reads a file of /proc: not for each packet.  What cannot be found out stays as it was. */
void nfqueue_losses(struct nfqueue *q, struct nfqueue_losses *l);

/* Lets the packet go, with this mark, or drops it.  0 or -errno. */
int nfqueue_accept(struct nfqueue *q, struct nfqueue_id id, uint32_t mark);
int nfqueue_drop(struct nfqueue *q, struct nfqueue_id id);

#endif
