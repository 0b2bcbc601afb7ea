/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Addresses and ports. */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "tuple.h"

/* Room for a decimal byte and a dot; inet_ntop() is a printf, and this is done for every event. */
static char *put_byte(char *p, unsigned int byte)
{
	if (byte >= 100)
		*p++ = (char)('0' + byte / 100);
	if (byte >= 10)
		*p++ = (char)('0' + byte / 10 % 10);
	*p++ = (char)('0' + byte % 10);
	return p;
}

const char *address_format(const struct address *a, char buf[ADDRESS_TEXT_MAX])
{
	char *p = buf;

	if (a->family == AF_INET) {
		for (int i = 0; i < 4; i++) {
			if (i)
				*p++ = '.';
			p = put_byte(p, a->bytes[i]);
		}
		*p = '\0';
	} else if (a->family == AF_INET6) {
		inet_ntop(AF_INET6, a->bytes, buf, ADDRESS_TEXT_MAX);
	} else {
		buf[0] = '\0';
	}
	return buf;
}

int address_parse(const char *text, struct address *a)
{
	memset(a, 0, sizeof(*a));
	if (inet_pton(AF_INET, text, a->bytes) == 1)
		a->family = AF_INET;
	else if (inet_pton(AF_INET6, text, a->bytes) == 1)
		a->family = AF_INET6;
	else
		return -EINVAL;
	return 0;
}

bool address_equal(const struct address *a, const struct address *b)
{
	if (a->family != b->family)
		return false;
	return !memcmp(a->bytes, b->bytes, a->family == AF_INET ? 4 : 16);
}

bool endpoint_equal(const struct endpoint *a, const struct endpoint *b)
{
	return a->port == b->port && address_equal(&a->addr, &b->addr);
}

bool address_is_any(const struct address *a)
{
	static const struct address none;

	return !a->family || !memcmp(a->bytes, none.bytes, sizeof(none.bytes));
}

void address_unmap(struct address *a)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (a->family != AF_INET6 || memcmp(a->bytes, mapped, sizeof(mapped)))
		return;
	memmove(a->bytes, a->bytes + 12, 4);
	memset(a->bytes + 4, 0, 12);
	a->family = AF_INET;
}

int port_parse(const char *text, int32_t *port)
{
	long n = 0;

	if (!*text || strlen(text) > 5)
		return -EINVAL;
	for (const char *p = text; *p; p++) {
		if (!isdigit((unsigned char)*p))
			return -EINVAL;
		n = n * 10 + (*p - '0');
	}
	if (n > 65535)
		return -EINVAL;
	*port = (int32_t)n;
	return 0;
}

int endpoint_parse(const char *text, struct endpoint *e)
{
	char addr[ADDRESS_TEXT_MAX];
	const char *from = text, *end, *port;

	if (*text == '[') {
		from++;
		end = strchr(from, ']');
		if (!end)
			return -EINVAL;
		port = end + 1;
	} else {
		end = strrchr(text, ':');
		/* Two colons without brackets: an IPv6 address without a port. */
		if (!end || memchr(text, ':', (size_t)(end - text)))
			end = text + strlen(text);
		port = end;
	}
	if ((size_t)(end - from) >= sizeof(addr))
		return -EINVAL;
	memcpy(addr, from, (size_t)(end - from));
	addr[end - from] = '\0';
	if (!strcmp(addr, "*"))
		memset(&e->addr, 0, sizeof(e->addr));
	else if (address_parse(addr, &e->addr))
		return -EINVAL;
	e->port = -1;
	if (*port == '\0' || !strcmp(port, ":") || !strcmp(port, ":*"))
		return 0;
	return *port == ':' ? port_parse(port + 1, &e->port) : -EINVAL;
}
