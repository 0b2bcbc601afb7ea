/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_NFQUEUE_STATS_H
#define SOCKLEDGER_NFQUEUE_STATS_H

#include <stdint.h>
#include <stdio.h>

/*
 * How many packets the kernel did not deliver to us: /proc/net/netfilter/nfnetlink_queue of the
 * network namespace that it was opened in.  Only drops are counted there; a packet that `fail_open`
 * lets through is not.
 */
struct nfqueue_stats {
	int64_t dropped;	/* the queue had queue_max packets */
	int64_t user_dropped;	/* the netlink socket had no room */
};

/* The port of the socket that the queue is bound to; -1: it is bound to none. */
int64_t nfqueue_stats_port(FILE *f, unsigned int number);

/* Sums up `count` queues, from the number `first` on.  Reads f from its beginning.  0 or -errno. */
int nfqueue_stats_read(FILE *f, unsigned int first, int count, struct nfqueue_stats *s);

#endif
