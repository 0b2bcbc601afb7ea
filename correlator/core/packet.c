/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Parses the head of an IP packet: RFC 791, RFC 8200, and the first bytes of the transports.  Of a
 * source route the last place counts, because that is where the sender wants to get: in the
 * header's own address stands the next place on the way.
 */
#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <string.h>
#include <sys/socket.h>

#include "packet.h"
#include "protocol.h"
#include "text.h"

#define IPV4_HEADER_MIN 20
#define IPV6_HEADER 40
/* More extension headers than any real packet has. */
#define EXTENSIONS_MAX 16
#define TCP_FLAGS_AT 13
/* Options of IPv4, with the bits for the copy into fragments (RFC 791). */
#define OPTION_END 0
#define OPTION_NOP 1
#define OPTION_LOOSE_ROUTE 131
#define OPTION_STRICT_ROUTE 137
/* Kinds of IPv6 routing headers: RFC 5095 (and 2460), 6275, 6554, 8754. */
#define ROUTE_SOURCE 0
#define ROUTE_HOME 2
#define ROUTE_RPL 3
#define ROUTE_SEGMENTS 4
#define ROUTE_ADDRESSES_AT 8

/* Assigned numbers that netinet/in.h does not have on every system. */
#define TCP_SYN_FLAG 2
#define TCP_ACK_FLAG 16
#define TCP_HEADER_MIN 20
#define UDP_HEADER 8
#define TCP_OPTION_END 0
#define TCP_OPTION_NOP 1
#define TCP_OPTION_FAST_OPEN 34
#define TCP_OPTION_EXPERIMENT 254	/* with a number of the experiment's (RFC 6994) */
#define TCP_FAST_OPEN_EXPERIMENT 0xf989
#define PROTOCOL_MOBILITY 135
#define PROTOCOL_HIP 139
#define PROTOCOL_SHIM6 140

static unsigned int be16(const uint8_t *p)
{
	return (unsigned int)p[0] << 8 | p[1];
}

static void set_address(struct address *a, int family, const uint8_t *bytes)
{
	a->family = (uint8_t)family;
	memcpy(a->bytes, bytes, family == AF_INET ? 4 : 16);
}

/* Fast Open (RFC 7413): the option, with a cookie or without, or data without it (Linux's
 * TCP_FASTOPEN_NO_COOKIE). */
static bool is_fast_open(const uint8_t *tcp, size_t len)
{
	size_t header = len > 12 ? (size_t)(tcp[12] >> 4) * 4 : 0, at = TCP_HEADER_MIN;

	if (header < TCP_HEADER_MIN || len != header)
		return true;
	while (at < header && tcp[at] != TCP_OPTION_END) {
		size_t size = tcp[at] == TCP_OPTION_NOP ? 1 : at + 1 < header ? tcp[at + 1] : 0;

		if (!size || size > header - at || (size < 2 && tcp[at] != TCP_OPTION_NOP) ||
		    tcp[at] == TCP_OPTION_FAST_OPEN ||
		    (tcp[at] == TCP_OPTION_EXPERIMENT && size >= 4 &&
		     be16(tcp + at + 2) == TCP_FAST_OPEN_EXPERIMENT))
			return true;
		at += size;
	}
	return false;
}

static void find_payload(const uint8_t *udp, size_t len, struct packet *p)
{
	size_t whole = len < UDP_HEADER ? 0 : be16(udp + 4);

	if (whole < UDP_HEADER || whole > len)
		return;
	p->payload = udp + UDP_HEADER;
	p->payload_len = whole - UDP_HEADER;
}

static int parse_transport(const uint8_t *data, size_t len, struct packet *p)
{
	if (protocol_is(p->protocol, PROTOCOL_PORTS)) {
		if (len < 4)
			return -ENODATA;
		p->src.port = (int32_t)be16(data);
		p->dst.port = (int32_t)be16(data + 2);
		if (p->protocol == IPPROTO_UDP)
			find_payload(data, len, p);
		if (p->protocol == IPPROTO_TCP && len > TCP_FLAGS_AT)
			p->tcp_flags = data[TCP_FLAGS_AT];
		if ((p->tcp_flags & (TCP_SYN_FLAG | TCP_ACK_FLAG)) == TCP_SYN_FLAG) {
			p->echo_id = (int32_t)((be16(data + 4) & 0x7fff) << 16 | be16(data + 6));
			p->fast_open = is_fast_open(data, len);
		}
	} else if (protocol_is(p->protocol, PROTOCOL_TYPE)) {
		if (len < 1)
			return -ENODATA;
		p->icmp_type = data[0];
		if (len >= 6 && data[0] == (p->protocol == IPPROTO_ICMP ? ICMP_ECHO :
					    ICMP6_ECHO_REQUEST))
			p->echo_id = (int32_t)be16(data + 4);
	}
	return 0;
}

/* Where a source route of IPv4 ends.  -EINVAL: an option does not fit, or what is left of the route
 * is no row of addresses; whoever reads it otherwise than we would send it to another place. */
static int read_options(const uint8_t *at, const uint8_t *end, struct packet *p)
{
	while (at < end && *at != OPTION_END) {
		size_t size;

		if (*at == OPTION_NOP) {
			at++;
			continue;
		}
		if (end - at < 2 || at[1] < 2 || at[1] > end - at)
			return -EINVAL;
		size = at[1];
		if (*at == OPTION_LOOSE_ROUTE || *at == OPTION_STRICT_ROUTE) {
			/* at[2] counts from 1; behind the end: the last place has been reached */
			if (size < 3 || at[2] < 4 || (size - 3) % 4)
				return -EINVAL;
			if (at[2] < size)
				set_address(&p->dst.addr, AF_INET, at + size - 4);
		}
		at += size;
	}
	return 0;
}

/* The length of an extension header; 0: next is the transport. */
static size_t extension_length(int next, const uint8_t *data)
{
	switch (next) {
	case IPPROTO_HOPOPTS:
	case IPPROTO_ROUTING:
	case IPPROTO_DSTOPTS:
	case PROTOCOL_MOBILITY:
	case PROTOCOL_HIP:
	case PROTOCOL_SHIM6:
		return ((size_t)data[1] + 1) * 8;
	case IPPROTO_AH:	/* RFC 4302: in words of four bytes, less two */
		return ((size_t)data[1] + 2) * 4;
	case IPPROTO_FRAGMENT:
		return 8;
	default:
		return 0;
	}
}

/* The last place is compressed: its first bytes are those of the header's address (RFC 6554). */
static int end_of_rpl(const uint8_t *h, size_t size, struct packet *p)
{
	size_t same = h[4] & 0xf, pad = h[5] >> 4, own = 16 - same;
	uint8_t last[16];

	if (size < ROUTE_ADDRESSES_AT + own + pad)
		return -EINVAL;
	memcpy(last, p->dst.addr.bytes, same);
	memcpy(last + same, h + size - pad - own, own);
	set_address(&p->dst.addr, AF_INET6, last);
	return 0;
}

/* Where the route of a routing header ends.  -EINVAL: its kind is unknown, so its end is. */
static int read_route(const uint8_t *h, size_t size, struct packet *p)
{
	const uint8_t *first = h + ROUTE_ADDRESSES_AT;
	size_t places = (size - ROUTE_ADDRESSES_AT) / 16;

	if (h[3] == 0)		/* segments left: the last place has been reached */
		return 0;
	if (h[2] == ROUTE_RPL)
		return end_of_rpl(h, size, p);
	if (!places)
		return -EINVAL;
	switch (h[2]) {
	case ROUTE_SOURCE:
	case ROUTE_HOME:
		set_address(&p->dst.addr, AF_INET6, first + 16 * (places - 1));
		return 0;
	case ROUTE_SEGMENTS:	/* in the reverse order, and options may stand behind them */
		set_address(&p->dst.addr, AF_INET6, first);
		return 0;
	default:
		return -EINVAL;
	}
}

/* A fragment's part of the head.  True: it is a later one, which has no more of it. */
static bool is_later_fragment(const uint8_t *h, struct packet *p)
{
	if (!(be16(h + 2) & 0xfff8))
		return false;
	p->protocol = h[0];
	p->fragment = true;
	return true;
}

/* Reads the extension headers from data on, the first of which is `next`, and the transport. */
static int parse_chain(const uint8_t *data, const uint8_t *end, int next, struct packet *p)
{
	for (int i = 0; i <= EXTENSIONS_MAX; i++) {
		size_t size;

		p->protocol = next;
		if (next == IPPROTO_NONE)
			return 0;
		if (end - data < 2)
			return extension_length(next, (const uint8_t[2]){ 0, 0 }) ?
				       -ENODATA : parse_transport(data, (size_t)(end - data), p);
		size = extension_length(next, data);
		if (!size)
			return parse_transport(data, (size_t)(end - data), p);
		if ((size_t)(end - data) < size)
			return -ENODATA;
		if (next == IPPROTO_FRAGMENT && is_later_fragment(data, p))
			return 0;
		if (next == IPPROTO_ROUTING && read_route(data, size, p))
			return -EINVAL;
		next = data[0];
		data += size;
	}
	return -EINVAL;
}

static int parse_ipv4(const uint8_t *data, size_t len, struct packet *p)
{
	size_t header;

	if (len < IPV4_HEADER_MIN)
		return -ENODATA;
	header = (size_t)(data[0] & 0xf) * 4;
	if (header < IPV4_HEADER_MIN)
		return -EINVAL;
	p->protocol = data[9];
	set_address(&p->src.addr, AF_INET, data + 12);
	set_address(&p->dst.addr, AF_INET, data + 16);
	if (len < header)
		return -ENODATA;
	if (read_options(data + IPV4_HEADER_MIN, data + header, p))
		return -EINVAL;
	p->fragment = (be16(data + 6) & 0x1fff) != 0;
	if (p->fragment)
		return 0;
	/* Of IPv6's extension headers IPv4 has this one alone. */
	if (p->protocol == IPPROTO_AH)
		return parse_chain(data + header, data + len, IPPROTO_AH, p);
	return parse_transport(data + header, len - header, p);
}

static int parse_ipv6(const uint8_t *data, size_t len, struct packet *p)
{
	if (len < IPV6_HEADER)
		return -ENODATA;
	set_address(&p->src.addr, AF_INET6, data + 8);
	set_address(&p->dst.addr, AF_INET6, data + 24);
	return parse_chain(data + IPV6_HEADER, data + len, data[6], p);
}

static int parse(const uint8_t *data, size_t len, struct packet *p)
{
	if (!len)
		return -ENODATA;
	switch (data[0] >> 4) {
	case 4:
		return parse_ipv4(data, len, p);
	case 6:
		return parse_ipv6(data, len, p);
	default:
		return -EINVAL;
	}
}

int packet_parse(const uint8_t *data, size_t len, struct packet *p)
{
	int rc;

	memset(p, 0, sizeof(*p));
	p->protocol = -1;
	p->src.port = p->dst.port = p->echo_id = -1;
	rc = parse(data, len, p);
	p->unreadable = rc || p->fragment;
	return rc;
}

uint64_t packet_hash_tuple(int protocol, const struct endpoint *src, const struct endpoint *dst)
{
	uint64_t h = text_hash(TEXT_HASH_SEED, &protocol, sizeof(protocol));

	h = text_hash(h, &src->addr, sizeof(src->addr));
	h = text_hash(h, &dst->addr, sizeof(dst->addr));
	h = text_hash(h, &src->port, sizeof(src->port));
	return text_hash(h, &dst->port, sizeof(dst->port));
}
