/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_SOCKADDR_H
#define SOCKLEDGER_SOCKADDR_H

#include <stddef.h>

#include "machine.h"
#include "text.h"
#include "tuple.h"

/*
 * The hex text of a SOCKADDR record's saddr=: the kernel's own copy of the caller's address, 0 to
 * 128 bytes in whatever length the caller gave, laid out as linux/in.h and in6.h have it, the
 * family in the byte order of the host that made the record.
 */
enum sockaddr_result {
	SOCKADDR_INET,		/* IPv4 or IPv6, *to is filled */
	SOCKADDR_UNSPEC,	/* no family, but *to has the IPv4 address that the bytes have
				 * room for */
	SOCKADDR_OTHER,		/* another family */
	SOCKADDR_BAD,		/* not hex, too short for its family, or of a family that no
				 * kernel has */
};

enum sockaddr_result sockaddr_decode(struct text hex, struct machine host, struct endpoint *to);

/* Decodes hex digits into at most max bytes.  The number of bytes, or -1 where text is no hex or
 * does not fit. */
long hex_decode(struct text hex, unsigned char *to, size_t max);

#endif
