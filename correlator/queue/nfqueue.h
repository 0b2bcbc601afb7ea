/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_NFQUEUE_H
#define SOCKLEDGER_NFQUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "packet.h"

/*
 * Netfilter queues (linux/netfilter/nfnetlink_queue.h) of the network namespace that they are
 * opened in, a socket each.  Packets may be answered in any order, each exactly once.  When a queue
 * is closed the kernel drops packets that have no answer.
 */
struct ctmark;
struct nfqueue;
#define NFQUEUE_MAX 64

/*
 * A queue that an earlier sockledgerd has left bound, with the packets that came since: so none is
 * dropped while nobody reads it.
 */
struct nfqueue_kept {
	int fd;			/* its socket */
	uint16_t number;
	uint32_t last_id;	/* of the last packet that was read */
	bool glue;		/* as nfqueue_has_glue() */
	/* of all queues together, what the kernel had counted by then */
	int64_t dropped, user_dropped;
};

struct nfqueue_settings {
	uint16_t first, last;	/* their numbers: NFQUEUE_MAX at most */
	uint32_t max_packets;	/* that may wait in each queue */
	bool fail_open;		/* further packets pass instead of being dropped */
	const struct nfqueue_kept *kept;	/* queues to go on with; borrowed */
	int kept_count;
};

struct nfqueue_packet {
	struct packet_id id;
	uint8_t hook;		/* NF_INET_LOCAL_OUT, ... */
	uint32_t mark;
	uint32_t link;		/* the interface that it came in by, a bridge's port where that is
				 * known; 0: none */
	uint32_t in, out;	/* those that its IP came in by and leaves by; 0: none */
	int64_t taken_ns;	/* when it was taken from the kernel, by clock_mono_ns() */
	int64_t since_ns;	/* it came into the queue after that */
	int64_t uid, gid;	/* of the socket's opener; -1: it has no socket here */
	const uint8_t *data;	/* its first bytes, from the IP header on; borrowed */
	size_t len;
};

/* 0 or -errno: -EPERM without CAP_NET_ADMIN, or where another program has this queue. */
int nfqueue_open(const struct nfqueue_settings *s, struct nfqueue **q);
void nfqueue_close(struct nfqueue *q);
int nfqueue_count(const struct nfqueue *q);

/* Packets may be waiting that came before this program was there. */
bool nfqueue_goes_on(const struct nfqueue *q);
/* Shows each queue, so that a copy of its descriptor can be kept; `q` still is to be closed. */
void nfqueue_each_kept(const struct nfqueue *q,
		       void (*each)(const struct nfqueue_kept *k, void *arg), void *arg);

/*
 * Each queue may have a thread that waits for its packets; all else is for one thread at a time.
 *
 * Waits for packets of the queue first + which.  Takes one, or in quick succession all that are
 * there, at most NFQUEUE_READ_MAX.  Returns how many; 0 where it was interrupted, or where the
 * kernel lost messages (which is counted); or -errno.  Packets that were taken are kept until
 * nfqueue_show().
 */
#define NFQUEUE_READ_MAX 64
int nfqueue_wait(struct nfqueue *q, int which);
void nfqueue_show(struct nfqueue *q, int which,
		  void (*each)(const struct nfqueue_packet *p, void *arg), void *arg);
/* From another thread: ends the wait for that queue, the current one or the next.  0 or -errno. */
int nfqueue_interrupt(struct nfqueue *q, int which);
/* What nfqueue_show() does with one message of the kernel's socket, whose port is ours.  `message`
 * is aligned as malloc() does, and its memory goes on to a multiple of four: that far libmnl
 * looks. */
void nfqueue_parse(const void *message, size_t len, unsigned int port,
		   void (*each)(const struct nfqueue_packet *p, void *arg), void *arg);
/* Packets that did not come to us since the queues were opened. */
struct nfqueue_losses {
	int64_t overruns;	/* how often the kernel said that it lost messages for us */
	int64_t missed;		/* packets that it numbered and could not deliver */
	int64_t dropped;	/* packets that it dropped, because max_packets were waiting */
	int64_t user_dropped;	/* those of the missed packets that it dropped */
};

/* Reads a file of /proc, so do not call it for each packet.  A number that cannot be read stays as
 * it was. */
void nfqueue_losses(struct nfqueue *q, struct nfqueue_losses *l);

/* Lets the packet go as it is, or drops it.  0 or -errno. */
int nfqueue_accept(struct nfqueue *q, struct packet_id id);
int nfqueue_drop(struct nfqueue *q, struct packet_id id);
/* Lets it go with another mark: it is routed anew. */
int nfqueue_accept_marked(struct nfqueue *q, struct packet_id id, uint32_t mark);
/*
 * Lets it go as it is, and marks its conntrack entry, by one of two ways.  Where the kernel has
 * CONFIG_NETFILTER_NETLINK_GLUE_CT, the verdict carries the mark.  Elsewhere one message after the
 * verdict, in the same send(), does: by the time the kernel reads it the packet has gone through
 * all its rules, and its entry is confirmed.
 */
int nfqueue_accept_decided(struct nfqueue *q, struct packet_id id, const struct ctmark *m);
/* Which of the two. */
bool nfqueue_has_glue(const struct nfqueue *q);

#endif
