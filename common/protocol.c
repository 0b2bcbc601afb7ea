/* SPDX-License-Identifier: GPL-2.0-or-later */
/* IP protocols, by their table. */
#include <ctype.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "protocol.h"

#define NUMBER_MAX 262		/* IPPROTO_MAX - 1 */

static const struct {
	int number;
	unsigned int traits;
	const char *name, *socket[2];
} protocols[] = {
#define X(id, number, name, traits, four, six) { number, traits, name, { four, six } },
	PROTOCOLS(X)
#undef X
};

#define X(id, number, name, traits, four, six) \
	_Static_assert((int)IPPROTO_##id == number, "the number of " name);
PROTOCOLS(X)
#undef X

#define COUNT (sizeof(protocols) / sizeof(protocols[0]))

bool protocol_is(int protocol, enum protocol_trait trait)
{
	for (size_t i = 0; i < COUNT; i++)
		if (protocols[i].number == protocol)
			return protocols[i].traits & trait;
	return false;
}

const char *protocol_name(int protocol)
{
	for (size_t i = 0; i < COUNT; i++)
		if (protocols[i].number == protocol)
			return protocols[i].name;
	return NULL;
}

int protocol_parse(const char *text, int *protocol)
{
	char *end;
	long n;

	for (size_t i = 0; i < COUNT; i++) {
		if (strcasecmp(protocols[i].name, text))
			continue;
		*protocol = protocols[i].number;
		return 0;
	}
	if (!isdigit((unsigned char)*text))
		return -EINVAL;
	n = strtol(text, &end, 10);
	if (*end || n > NUMBER_MAX)
		return -EINVAL;
	*protocol = (int)n;
	return 0;
}

int protocol_of_socket(const char *name)
{
	for (size_t i = 0; i < COUNT; i++)
		for (int j = 0; j < 2; j++)
			if (protocols[i].socket[j] && !strcmp(protocols[i].socket[j], name))
				return protocols[i].number;
	return -1;
}

int protocol_default(int type)
{
	switch (type) {
	case SOCK_STREAM:
		return IPPROTO_TCP;
	case SOCK_DGRAM:
		return IPPROTO_UDP;
	default:
		return -1;
	}
}
