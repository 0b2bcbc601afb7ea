/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_GENERALIZE_H
#define SOCKLEDGER_GENERALIZE_H

#include <stddef.h>
#include <stdint.h>

#include "tuple.h"

/*
 * Places that a program had connections with, and the few matches of a policy that mean them.  For
 * each port the narrowest of these that are eight at most:
 *
 *   the addresses themselves; their networks of /24 (IPv6: /64); of /16 (/48); loopback, private
 *   and link-local networks
 *
 * or else any address.  More than sixteen ports from 1024 on, or below, are one range.  Ports with
 * the same addresses go into one rule.
 */
struct place {
	struct address addr;	/* of the other side */
	int32_t port;		/* the service's; -1: the protocol has none */
	int64_t connections, last_us;
};

#define GENERALIZE_ADDRESSES 8
#define GENERALIZE_PORTS 16
#define GENERALIZE_TEXT_MAX 512

/* One rule's part. */
struct reach {
	char addresses[GENERALIZE_TEXT_MAX];	/* values of `address`; "": any */
	char ports[GENERALIZE_TEXT_MAX];	/* values of `port`; "": none */
	const char *how;		/* in words: "these addresses", ... */
	int64_t connections, last_us;
	size_t of_addresses, of_ports;	/* so many were seen */
};

typedef void reach_fn(const struct reach *r, void *arg);

/* Sorts the places, which have each address and port once, and tells the rules. */
void generalize(struct place *places, size_t count, reach_fn *tell, void *arg);

#endif
