/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_NETWORK_H
#define SOCKLEDGER_NETWORK_H

#include <stdbool.h>

#include "tuple.h"

/* An address with a prefix length. */
struct network {
	struct address addr;
	int bits;
};

/* "ADDR/BITS", or "ADDR" alone: that address.  0 or -EINVAL. */
int network_parse(const char *text, struct network *n);
bool network_contains(const struct network *n, const struct address *a);

#endif
