/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_PROTOCOL_H
#define SOCKLEDGER_PROTOCOL_H

#include <netinet/in.h>
#include <stdbool.h>

#ifndef IPPROTO_MPTCP		/* glibc before 2.32 */
#define IPPROTO_MPTCP 262
#endif

/*
 * The IP protocols that have a name here: the one table that policies, options, the ledger's view,
 * packets, sock_diag and sockets are read by.  By RFC and /etc/protocols, but fixed, so that a
 * ledger reads the same on every host.
 *
 *   X(IPPROTO_*, its number, name, what it is like, sockfs's names of its sockets, IPv4 and IPv6)
 *
 * The number stands as a number because it becomes SQL.  sockfs's names are those of `struct proto`
 * in the kernel (sockfs_xattr_get(), net/socket.c).
 *
 * To add a protocol: its row here, and its word in doc/sockledger.bash-completion.
 */
#define PROTOCOLS(X)                                                            \
	X(TCP, 6, "tcp", PROTOCOL_PORTS, "TCP", "TCPv6")                         \
	X(UDP, 17, "udp", PROTOCOL_PORTS | PROTOCOL_DATAGRAMS, "UDP", "UDPv6")   \
	X(ICMP, 1, "icmp", PROTOCOL_TYPE, "PING", NULL)                          \
	X(ICMPV6, 58, "icmpv6", PROTOCOL_TYPE, NULL, "PINGv6")                   \
	X(UDPLITE, 136, "udplite", PROTOCOL_PORTS | PROTOCOL_DATAGRAMS,          \
	  "UDP-Lite", "UDPLITEv6")                                               \
	X(SCTP, 132, "sctp", PROTOCOL_PORTS, "SCTP", "SCTPv6")                   \
	X(DCCP, 33, "dccp", PROTOCOL_PORTS, "DCCP", "DCCPv6")                    \
	X(MPTCP, 262, "mptcp", 0, "MPTCP", "MPTCPv6")

enum protocol_trait {
	PROTOCOL_PORTS = 1,	/* its header begins with two ports */
	PROTOCOL_TYPE = 2,	/* its header begins with a type (ICMP) */
	/* Each datagram may go elsewhere, and sock_diag wants the two ends the other way round
	 * (udp_dump_one(), net/ipv4/udp_diag.c: it looks up who would receive from there). */
	PROTOCOL_DATAGRAMS = 4,
};

bool protocol_is(int protocol, enum protocol_trait trait);

/* The name of an IP protocol ("tcp"), or NULL for one without a name here. */
const char *protocol_name(int protocol);

/* By name or number.  -EINVAL where it is neither. */
int protocol_parse(const char *text, int *protocol);

/* By what sockfs calls a socket ("UDPv6"); -1: no name here. */
int protocol_of_socket(const char *name);

/* What socket(family, type, 0) opens: TCP for a stream, UDP for datagrams; -1: unknown. */
int protocol_default(int type);

/* A piece of SQL: the name of the protocol whose number the column has, its number as text where it
 * has no name. */
#define PROTOCOL_SQL_WHEN(id, number, name, traits, four, six) " WHEN " #number " THEN '" name "'"
#define PROTOCOL_SQL(column) \
	"CASE " column PROTOCOLS(PROTOCOL_SQL_WHEN) " ELSE CAST(" column " AS TEXT) END"

#endif
