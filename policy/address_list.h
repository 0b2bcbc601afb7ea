/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_ADDRESS_LIST_H
#define SOCKLEDGER_ADDRESS_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "tuple.h"

struct diags;

/*
 * Addresses and networks, one a line.  What is asked of them takes as many steps as their number
 * has binary digits.
 */
struct address_list;

#define ADDRESS_LIST_MAX 1000000

/*
 * Reads ADDR or ADDR/BITS from each line, up to a comment ('#'); names are none.  Complaints carry
 * `name`; after many the rest is not read.  0, -EINVAL where there are mistakes, -ENOMEM; *out is
 * NULL on failure.
 */
int address_list_parse(const char *name, const char *text, size_t len, struct diags *d,
		       struct address_list **out);
void address_list_free(struct address_list *l);

/* a as it goes over the wire: IPv4 is not mapped into IPv6. */
bool address_list_contains(const struct address_list *l, const struct address *a);
/* Each address of `inner` is in `outer`. */
bool address_list_covers(const struct address_list *outer, const struct address_list *inner);

/* How many lines had one. */
size_t address_list_count(const struct address_list *l);

#endif
