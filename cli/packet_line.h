/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_PACKET_LINE_H
#define SOCKLEDGER_PACKET_LINE_H

#include <stdbool.h>
#include <stdint.h>

#include "text.h"
#include "tuple.h"

/*
 * A packet as the kernel's LOG writes it (net/netfilter/nf_log_syslog.c), behind any prefix:
 *
 *   PREFIX IN=dev OUT=dev [link layer] SRC=.. DST=.. ... PROTO=.. ... [UID=n GID=n ][MARK=0x.. ]
 *
 * The same word means different things in different places (ID=, LEN=, SEQ=, ACK), so it is read by
 * position.  Whoever may choose a prefix can write a whole packet into it: the last IN= from which
 * a packet can be read is the kernel's.
 */
struct packet_tuple {
	struct endpoint src, dst;	/* a port is -1 where the line has none */
	int protocol;			/* -1: the line does not say */
	bool syn, ack;			/* of TCP */
	bool fragment;			/* a later piece: it has no ports */
};

struct packet_line {
	struct text before;	/* what the logger and the rule wrote in front of it */
	struct text in, out;	/* interfaces; empty: none */
	struct packet_tuple packet;
	/* An ICMP error has the head of the packet that it is about. */
	bool is_error;
	struct packet_tuple about;
	int64_t uid, gid;	/* of who opened the socket; -1: the line does not say */
	bool cut;		/* the line ends within the packet */
};

/*
 * Reads a line.  `why` gets what is wrong with it.
 * 0; -ENOENT: it has no packet; -EINVAL: it has one that cannot be read.
 */
int packet_line_parse(struct text line, struct packet_line *p, const char **why);

/* `line` could be the rest of a packet's line that was broken in two. */
bool packet_line_continues(struct text line);

#endif
