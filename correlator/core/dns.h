/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_DNS_H
#define SOCKLEDGER_DNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "text.h"
#include "tuple.h"

/*
 * A message of the name service (RFC 1035) with one question of the class IN, as far as it says
 * which addresses that name has.  The message is read by libresolv's ns_initparse() and
 * ns_parserr(), which check bounds and follow no pointer twice.
 */

#define DNS_PORT 53

/* A name as text, with its terminator: a longer one is none that we keep. */
#define DNS_NAME_MAX 256
#define DNS_ADDRESSES_MAX 32
/* Of an alias's aliases. */
#define DNS_ALIASES_MAX 16

struct dns_address {
	struct address addr;
	uint32_t ttl_s;
};

struct dns_message {
	uint16_t id, type;
	bool answer;		/* else it is a question */
	/* The question's: letters in lower case, a byte that is no part of a host's name as \DDD
	 * or behind a backslash, no dot at the end. */
	char name[DNS_NAME_MAX];
	/* Those that the answer's section has for the name, or for what it is an alias of.  None
	 * where the answer is an error, or is cut off. */
	int count;
	struct dns_address found[DNS_ADDRESSES_MAX];
};

/* 0; -EBADMSG: it is none, or makes no sense; -ENAMETOOLONG: its name is longer than we keep. */
int dns_parse(const uint8_t *data, size_t len, struct dns_message *m);

#endif
