/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_OWN_TUPLE_H
#define SOCKLEDGER_OWN_TUPLE_H

#include <stdbool.h>
#include <stdint.h>

#include "tuple.h"

struct sockdiag;

/*
 * The tuple of a socket that accept() returned.  Its record has the peer, the descriptor that was
 * listened on has our port, and sock_diag answers for a whole tuple: where it names the accepted
 * socket's inode, that is its tuple.  Of a listener on every address each address of this host is
 * tried.
 */
#define OWN_ADDRESSES_MAX 8
struct own_tuples {
	struct sockdiag *sockdiag;	/* borrowed; NULL: there is nobody to ask */
	struct address address[OWN_ADDRESSES_MAX];
	int count;
	int64_t read_ns;		/* when they were read; 0: not yet */
};

/* An own_tuple_fn; arg is a struct own_tuples. */
bool own_tuple_ask(void *arg, int protocol, int64_t inode, const struct endpoint *peer,
		   struct endpoint *local);

#endif
