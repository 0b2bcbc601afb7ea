/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_PACKET_H
#define SOCKLEDGER_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tuple.h"

/* The head of an IP packet.  The parser reads nothing after the ports, a datagram's length, an echo
 * request's identifier or a SYN's options, and trusts nothing. */
struct packet {
	int protocol;			/* IPPROTO_* of the transport */
	/* port -1: the protocol has none, or this fragment lacks it.  dst: where a source route
	 * ends. */
	struct endpoint src, dst;
	bool fragment;			/* a later fragment: it has no transport header */
	bool unreadable;		/* protocol, ports and destination may be others than
					 * these */
	uint8_t tcp_flags;		/* as on the wire; 0 without TCP */
	uint8_t icmp_type;
	/* Of an ICMP echo request, or of a SYN the number that its connection begins with; -1: it
	 * is neither. */
	int32_t echo_id;
	/* A SYN that may be of a send, and not of a connect(): it has data, asks for Fast Open, or
	 * its options cannot be read. */
	bool fast_open;
	/* What a whole datagram of UDP carries, within the packet's data; NULL: it is none. */
	const uint8_t *payload;
	size_t payload_len;
};

/*
 * Reads IPv4 with options and IPv6 with extension headers (AH in both), then the ports of TCP, UDP,
 * UDP-Lite, SCTP and DCCP.  ESP and an IP packet within are protocols of their own.  data may be
 * cut off anywhere.  0; -EINVAL where the head is malformed, -ENODATA where it ends before the
 * ports; *p has all that was read.
 */
int packet_parse(const uint8_t *data, size_t len, struct packet *p);

/* For tables.  The hash has no key, so a process that chooses tuples can choose equal hashes. */
uint64_t packet_hash_tuple(int protocol, const struct endpoint *src, const struct endpoint *dst);

/* Names a packet in a verdict (linux/netfilter/nfnetlink_queue.h). */
struct packet_id {
	uint32_t id;
	uint16_t queue;
};

#endif
