/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_POLICY_INDEX_H
#define SOCKLEDGER_POLICY_INDEX_H

#include <stddef.h>
#include <stdint.h>

struct connection;
struct policy;

/*
 * Which rules of a long policy may apply to a connection: most rules name programs, of which a
 * connection has one.  What is left out would not have applied; what is in may not apply either.
 */
struct policy_index;

/* Makes the policy's index, anew where it had one.  Without memory for it there is none: then each
 * rule is asked. */
void policy_index_make(struct policy *p);
void policy_index_free(struct policy *p);

/* The rules for one connection, in the policy's order. */
struct policy_candidates {
	const uint32_t *of_all, *of_all_end;
	const struct policy_index_entry *of_program, *of_program_end;
	size_t next, count;	/* without an index */
};

void policy_candidates_begin(const struct policy *p, const struct connection *c,
			     struct policy_candidates *k);
/* The next one's number; SIZE_MAX behind the last. */
size_t policy_candidates_next(struct policy_candidates *k);

#endif
