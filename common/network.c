/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An address with a prefix length. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "network.h"

int network_parse(const char *text, struct network *n)
{
	const char *slash = strchr(text, '/');
	char addr[ADDRESS_TEXT_MAX];
	size_t len = slash ? (size_t)(slash - text) : strlen(text);
	int max;
	int32_t bits;

	if (len >= sizeof(addr))
		return -EINVAL;
	memcpy(addr, text, len);
	addr[len] = '\0';
	if (address_parse(addr, &n->addr))
		return -EINVAL;
	max = n->addr.family == AF_INET ? 32 : 128;
	bits = max;
	if (slash && (port_parse(slash + 1, &bits) || bits > max))
		return -EINVAL;
	n->bits = bits;
	/* The wire and the ledger have the IPv4 address for ::ffff:a.b.c.d. */
	if (bits >= 96) {
		address_unmap(&n->addr);
		if (n->addr.family == AF_INET && max == 128)
			n->bits -= 96;
	}
	return 0;
}

bool network_contains(const struct network *n, const struct address *a)
{
	int whole = n->bits / 8, rest = n->bits % 8;
	unsigned int mask = 0xffu << (8 - rest) & 0xffu;

	if (n->addr.family != a->family || memcmp(n->addr.bytes, a->bytes, (size_t)whole))
		return false;
	return !rest || ((n->addr.bytes[whole] ^ a->bytes[whole]) & mask) == 0;
}
