/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Community ID: a flow's name by its tuple, https://github.com/corelight/community-id-spec. */
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include <nettle/base64.h>
#include <nettle/sha1.h>

#include "community_id.h"

#define SEED 0

/* ICMP's questions and their answers, by type: both belong to one flow. */
static const struct pair {
	int protocol, ask, answer;
} pairs[] = {
	{ IPPROTO_ICMP, 8, 0 },		/* echo */
	{ IPPROTO_ICMP, 10, 9 },	/* router */
	{ IPPROTO_ICMP, 13, 14 },	/* time stamp */
	{ IPPROTO_ICMP, 15, 16 },	/* information */
	{ IPPROTO_ICMP, 17, 18 },	/* address mask */
	{ IPPROTO_ICMPV6, 128, 129 },	/* echo */
	{ IPPROTO_ICMPV6, 130, 131 },	/* listener */
	{ IPPROTO_ICMPV6, 133, 134 },	/* router */
	{ IPPROTO_ICMPV6, 135, 136 },	/* neighbour */
	{ IPPROTO_ICMPV6, 139, 140 },	/* node information */
	{ IPPROTO_ICMPV6, 144, 145 },	/* home agent */
};

static bool has_ports(int protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_SCTP;
}

static bool is_icmp(int protocol)
{
	return protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6;
}

/* The type of the answer to this type, or of the question; -1: the type goes one way. */
static int counterpart(int protocol, int type)
{
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		if (pairs[i].protocol != protocol)
			continue;
		if (pairs[i].ask == type)
			return pairs[i].answer;
		if (pairs[i].answer == type)
			return pairs[i].ask;
	}
	return -1;
}

static size_t address_bytes(const struct address *a)
{
	return a->family == AF_INET ? 4 : a->family == AF_INET6 ? 16 : 0;
}

/* a comes behind b. */
static bool is_behind(const struct endpoint *a, const struct endpoint *b)
{
	int order = memcmp(a->addr.bytes, b->addr.bytes, address_bytes(&a->addr));

	return order > 0 || (order == 0 && a->port > b->port);
}

static void add_number(struct sha1_ctx *sha, int32_t n, size_t bytes)
{
	const uint8_t two[2] = { (uint8_t)(n >> 8), (uint8_t)n };

	sha1_update(sha, bytes, two + sizeof(two) - bytes);
}

static void encode(struct sha1_ctx *sha, char buf[COMMUNITY_ID_MAX])
{
	uint8_t digest[SHA1_DIGEST_SIZE];

	_Static_assert(COMMUNITY_ID_MAX == 2 + BASE64_ENCODE_RAW_LENGTH(SHA1_DIGEST_SIZE) + 1,
		       "version, digest, terminator");
	sha1_digest(sha, sizeof(digest), digest);
	memcpy(buf, "1:", 2);
	base64_encode_raw(buf + 2, sizeof(digest), digest);
	buf[COMMUNITY_ID_MAX - 1] = '\0';
}

int community_id(int protocol, const struct endpoint *src, const struct endpoint *dst,
		 char buf[COMMUNITY_ID_MAX])
{
	struct endpoint a = *src, b = *dst;
	bool ports = has_ports(protocol), icmp = is_icmp(protocol), one_way = false;
	struct sha1_ctx sha;
	size_t bytes;

	buf[0] = '\0';
	address_unmap(&a.addr);
	address_unmap(&b.addr);
	bytes = address_bytes(&a.addr);
	if (!bytes || a.addr.family != b.addr.family || protocol < 0 || protocol > 255)
		return -ENODATA;
	if (!ports && !icmp)
		a.port = b.port = 0;
	if (icmp) {
		int other = counterpart(protocol, a.port);

		one_way = other < 0;
		b.port = one_way ? b.port : other;
	}
	if (a.port < 0 || b.port < 0)
		return -ENODATA;
	if (!one_way && is_behind(&a, &b)) {
		struct endpoint first = b;

		b = a;
		a = first;
	}
	sha1_init(&sha);
	add_number(&sha, SEED, 2);
	sha1_update(&sha, bytes, a.addr.bytes);
	sha1_update(&sha, bytes, b.addr.bytes);
	add_number(&sha, protocol, 1);
	add_number(&sha, 0, 1);
	if (ports || icmp) {
		add_number(&sha, a.port, 2);
		add_number(&sha, b.port, 2);
	}
	encode(&sha, buf);
	return 0;
}
