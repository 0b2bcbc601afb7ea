/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The hex text of a SOCKADDR record. */
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "sockaddr.h"

/* Families are few (AF_MAX in the kernel's linux/socket.h): a larger number is none, or is in
 * another byte order than the record's architecture is said to have. */
#define FAMILIES 256

/* The value of a hex digit plus one; 0 for any other byte. */
static const unsigned char nibbles[256] = {
	['0'] = 1,  ['1'] = 2,	['2'] = 3,  ['3'] = 4,	['4'] = 5,  ['5'] = 6,	['6'] = 7,
	['7'] = 8,  ['8'] = 9,	['9'] = 10, ['A'] = 11, ['B'] = 12, ['C'] = 13, ['D'] = 14,
	['E'] = 15, ['F'] = 16, ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15,
	['f'] = 16,
};

long hex_decode(struct text hex, unsigned char *to, size_t max)
{
	const unsigned char *p = (const unsigned char *)hex.data;

	if (hex.len % 2 || hex.len / 2 > max)
		return -1;
	for (size_t i = 0; i < hex.len / 2; i++) {
		unsigned int high = nibbles[p[2 * i]], low = nibbles[p[2 * i + 1]];

		if (!high || !low)
			return -1;
		to[i] = (unsigned char)((high - 1) << 4 | (low - 1));
	}
	return (long)(hex.len / 2);
}

enum sockaddr_result sockaddr_decode(struct text hex, struct machine host, struct endpoint *to)
{
	union {
		unsigned char bytes[sizeof(struct sockaddr_storage)];
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} sa;
	long len = hex_decode(hex, sa.bytes, sizeof(sa.bytes));
	unsigned int family;

	if (len < (long)sizeof(sa.any.sa_family))
		return SOCKADDR_BAD;
	memset(to, 0, sizeof(*to));
	family = machine_number16(host, sa.bytes);
	switch (family) {
	case AF_INET:
	case AF_UNSPEC:
		/* The kernel takes 8 bytes at least: it never looks at sin_zero. */
		if (len < (long)offsetof(struct sockaddr_in, sin_zero))
			return family == AF_INET ? SOCKADDR_BAD : SOCKADDR_OTHER;
		to->addr.family = AF_INET;
		memcpy(to->addr.bytes, &sa.in.sin_addr, 4);
		to->port = ntohs(sa.in.sin_port);
		return family == AF_INET ? SOCKADDR_INET : SOCKADDR_UNSPEC;
	case AF_INET6:
		/* SIN6_LEN_RFC2133: up to the scope id. */
		if (len < (long)offsetof(struct sockaddr_in6, sin6_scope_id))
			return SOCKADDR_BAD;
		to->addr.family = AF_INET6;
		memcpy(to->addr.bytes, &sa.in6.sin6_addr, 16);
		to->port = ntohs(sa.in6.sin6_port);
		return SOCKADDR_INET;
	default:
		return family < FAMILIES ? SOCKADDR_OTHER : SOCKADDR_BAD;
	}
}
