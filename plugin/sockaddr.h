/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_SOCKADDR_H
#define SOCKLEDGER_SOCKADDR_H

#include <stddef.h>

#include "text.h"
#include "tuple.h"

/*
 * The hex text of a SOCKADDR record's saddr=: the kernel's own copy of the caller's address, 0 to
 * 128 bytes in whatever length the caller gave, numbers as linux/in.h and in6.h lay them out.
 */
enum sockaddr_result {
	SOCKADDR_INET,		/* IPv4 or IPv6, *to is filled */
	SOCKADDR_UNSPEC,	/* no family, but *to has the IPv4 address that the bytes have
				 * room for */
	SOCKADDR_OTHER,		/* another family */
	SOCKADDR_BAD,		/* not hex, or too short for its family */
};

enum sockaddr_result sockaddr_decode(struct text hex, struct endpoint *to);

/* Decodes hex digits into at most max bytes.  The number of bytes, or -1 where text is no hex or
 * does not fit. */
long hex_decode(struct text hex, unsigned char *to, size_t max);

#endif
