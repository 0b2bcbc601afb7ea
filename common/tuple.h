/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_TUPLE_H
#define SOCKLEDGER_TUPLE_H

#include <stdbool.h>
#include <stdint.h>

/* Addresses and ports, as numbers in host order where not said otherwise. */

struct address {
	uint8_t family;		/* AF_INET, AF_INET6; 0: none */
	uint8_t bytes[16];	/* network order; IPv4 in the first four */
};

struct endpoint {
	struct address addr;
	int32_t port;		/* -1: unknown */
};

/* Longest text of an address, with its terminator (INET6_ADDRSTRLEN). */
#define ADDRESS_TEXT_MAX 46

/* Writes a as text (RFC 5952).  Returns buf; "" for none. */
const char *address_format(const struct address *a, char buf[ADDRESS_TEXT_MAX]);

/* 0, or -EINVAL where text is no IPv4 or IPv6 address. */
int address_parse(const char *text, struct address *a);

bool address_equal(const struct address *a, const struct address *b);

bool endpoint_equal(const struct endpoint *a, const struct endpoint *b);

/* None is given, or all of it is zero. */
bool address_is_any(const struct address *a);

/* Makes the IPv4 address of an IPv4-mapped IPv6 one (::ffff:a.b.c.d): what goes over the wire. */
void address_unmap(struct address *a);

/* "ADDR:PORT", "[ADDR6]:PORT", also with "*" or nothing for an unknown port. 0 or -EINVAL. */
int endpoint_parse(const char *text, struct endpoint *e);

/* The name of an IP protocol ("tcp"), or NULL for one without a name here. */
const char *protocol_name(int protocol);

/* By name or number.  -EINVAL where it is neither. */
int protocol_parse(const char *text, int *protocol);

/*
 * The protocol that socket(family, type, 0) opens: TCP for a stream, UDP for datagrams; -1:
 * unknown.
 */
int protocol_default(int type);

/* "0" to "65535". 0 or -EINVAL. */
int port_parse(const char *text, int32_t *port);

#endif
