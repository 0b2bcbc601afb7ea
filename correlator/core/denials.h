/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_DENIALS_H
#define SOCKLEDGER_DENIALS_H

#include <stdbool.h>
#include <stdint.h>

#include "connection.h"

/*
 * Connections that were denied a moment ago.  A denied connect() is tried again (SYN after 1, 3, 7
 * s): that gets the same answer and no other row.  A fixed number, with one slot for each hash; a
 * newer one replaces an older one.
 */
#define DENIALS 1024

struct denials {
	struct {
		uint64_t tuple;
		int64_t inode, until_ns;
		enum verdict verdict;
	} slot[DENIALS];
};

/* inode: of the packet's socket; -1: it has none. */
void denials_add(struct denials *d, const struct connection *c, int64_t inode, int64_t now_ns,
		 enum verdict verdict);
/* The verdict that this tuple of this socket got within the last half minute; 0: none. */
enum verdict denials_find(const struct denials *d, const struct connection *c, int64_t inode,
			  int64_t now_ns);
/* Another policy may allow what the old one did not. */
void denials_forget(struct denials *d);

#endif
