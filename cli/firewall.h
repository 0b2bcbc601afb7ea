/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_FIREWALL_H
#define SOCKLEDGER_FIREWALL_H

#include <stdbool.h>
#include <stdint.h>

/* The rules of sockledger-queue(8) as they are up, and what is in their way. */
enum { FIREWALL_IPV4, FIREWALL_IPV6, FIREWALL_NFT, FIREWALL_PARTS };

struct firewall_part {
	int rc; /* as of look_run(); 0: it was looked at */
	char why[160];
	bool up;	     /* what goes out is handed to the queue */
	bool forward;	     /* and what is forwarded */
	int64_t first, last; /* queue numbers; -1: there is no such rule */
	int64_t mark;	     /* the mask that the rules go by; -1: unknown */
	bool bypass;	     /* packets pass while nobody reads the queue */
	/* The first rule of another program before ours that accepts; empty: there is none. */
	char before[256];
	bool before_all;    /* it accepts every packet */
	bool before_queues; /* it hands them to another queue, where they may be accepted */
	char behind[256];   /* a rule behind ours that hands packets to another queue */
	char marker[256]; /* a rule of another that sets marks of ours, or all */
	char other[256];  /* a rule of another that puts packets into a queue of ours */
};

struct firewall {
	struct firewall_part part[FIREWALL_PARTS];
};

/* Asks iptables-save, ip6tables-save and nft below root.  mark: our two bits; first, last: our
 * queues, or -1. */
void firewall_look(struct firewall *f, const char *root, int64_t mark, int64_t first, int64_t last);

#endif
