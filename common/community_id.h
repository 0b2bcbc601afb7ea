/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_COMMUNITY_ID_H
#define SOCKLEDGER_COMMUNITY_ID_H

#include "tuple.h"

/* "1:", 28 characters of base64, and the terminator. */
#define COMMUNITY_ID_MAX 31

/*
 * Writes the Community ID (version 1, seed 0) of a flow, by which other tools on the wire find it,
 * whichever way its packets went.  Of ICMP the ports are type and code.  0; -ENODATA where an
 * address or a port that counts is unknown.
 */
int community_id(int protocol, const struct endpoint *src, const struct endpoint *dst,
		 char buf[COMMUNITY_ID_MAX]);

#endif
