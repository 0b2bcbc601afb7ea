/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_PACKET_H
#define SOCKLEDGER_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tuple.h"

/* What the head of an IP packet says.  Nothing behind the ports is looked at, nothing is trusted. */
struct packet {
	int protocol;			/* IPPROTO_* of the transport */
	struct endpoint src, dst;	/* port -1: the protocol has none, or it is not in this piece */
	bool fragment;			/* a later fragment: it has no transport header */
	uint8_t tcp_flags;		/* as on the wire; 0 without TCP */
	uint8_t icmp_type;
};

/*
 * Reads IPv4 with options and IPv6 with extension headers, then the ports of TCP, UDP, UDP-Lite,
 * SCTP and DCCP.  data may be cut off anywhere.  0; -EINVAL where the head is malformed, -ENODATA
 * where it is cut off before the ports, with everything that was read filled in.
 */
int packet_parse(const uint8_t *data, size_t len, struct packet *p);

/* For tables: not keyed, so that whoever chooses tuples can choose equal hashes. */
uint64_t packet_hash_tuple(int protocol, const struct endpoint *src, const struct endpoint *dst);

/* What a verdict names a packet by (linux/netfilter/nfnetlink_queue.h). */
struct packet_id {
	uint32_t id;
	uint16_t queue;
};

#endif
