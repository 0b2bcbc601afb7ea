/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Parses the head of an IP packet: RFC 791, RFC 8200, and the first bytes of the transports. */
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

/* Assigned numbers that netinet/in.h does not have on every system. */
#define TCP_SYN_FLAG 2
#define TCP_ACK_FLAG 16
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

static int parse_transport(const uint8_t *data, size_t len, struct packet *p)
{
	if (protocol_is(p->protocol, PROTOCOL_PORTS)) {
		if (len < 4)
			return -ENODATA;
		p->src.port = (int32_t)be16(data);
		p->dst.port = (int32_t)be16(data + 2);
		if (p->protocol == IPPROTO_TCP && len > TCP_FLAGS_AT)
			p->tcp_flags = data[TCP_FLAGS_AT];
		if ((p->tcp_flags & (TCP_SYN_FLAG | TCP_ACK_FLAG)) == TCP_SYN_FLAG)
			p->echo_id = (int32_t)((be16(data + 4) & 0x7fff) << 16 | be16(data + 6));
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
	p->fragment = (be16(data + 6) & 0x1fff) != 0;
	if (p->fragment)
		return 0;
	if (len < header)
		return -ENODATA;
	return parse_transport(data + header, len - header, p);
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

static int parse_ipv6(const uint8_t *data, size_t len, struct packet *p)
{
	const uint8_t *end = data + len;
	int next;

	if (len < IPV6_HEADER)
		return -ENODATA;
	next = data[6];
	set_address(&p->src.addr, AF_INET6, data + 8);
	set_address(&p->dst.addr, AF_INET6, data + 24);
	data += IPV6_HEADER;
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
		if (next == IPPROTO_FRAGMENT && (be16(data + 2) & 0xfff8)) {
			p->protocol = data[0];
			p->fragment = true;
			return 0;
		}
		next = data[0];
		data += size;
	}
	return -EINVAL;
}

int packet_parse(const uint8_t *data, size_t len, struct packet *p)
{
	memset(p, 0, sizeof(*p));
	p->protocol = -1;
	p->src.port = p->dst.port = p->echo_id = -1;
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

uint64_t packet_hash_tuple(int protocol, const struct endpoint *src, const struct endpoint *dst)
{
	uint64_t h = text_hash(TEXT_HASH_SEED, &protocol, sizeof(protocol));

	h = text_hash(h, &src->addr, sizeof(src->addr));
	h = text_hash(h, &dst->addr, sizeof(dst->addr));
	h = text_hash(h, &src->port, sizeof(src->port));
	return text_hash(h, &dst->port, sizeof(dst->port));
}
