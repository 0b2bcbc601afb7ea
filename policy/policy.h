/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_POLICY_H
#define SOCKLEDGER_POLICY_H

#include <stdbool.h>
#include <stddef.h>

#include "connection.h"

struct diags;

/*
 * What is to happen to a connection: rules that a person wrote (sockledger.policy(5)), of which the
 * first that matches decides.  Pure: no system calls, and nothing of a policy changes once it is
 * read.
 *
 * Nothing unknown ever matches.  A rule that asks for a program does not match where the program is
 * unknown, and the same rule with `not` does not either: what could not be told apart from the
 * program that is meant must not pass as another.
 */
struct policy;

struct policy_answer {
	enum verdict verdict;	/* VERDICT_ACCEPT, VERDICT_DROP or VERDICT_REJECT */
	int line;		/* of the rule; 0: a default */
	const char *rule;	/* as written, or "default", "unattributed"; the policy's */
	bool wants_certain;	/* an earlier rule would have matched, were the attribution certain:
				 * the packet may wait for its second witness */
};

/*
 * Reads the policy `text`; `name` is what the mistakes are told with, all of them.  The policy owns
 * copies.  0, -EINVAL where there are mistakes, -ENOMEM; *out is NULL where it fails.
 */
int policy_parse(const char *name, const char *text, size_t len, struct diags *d,
		 struct policy **out);
void policy_free(struct policy *p);

/*
 * The one answer for c.  Where no rule matches: `unattributed` for a connection whose certainty is
 * unknown, else `default`.
 */
void policy_decide(const struct policy *p, const struct connection *c, struct policy_answer *a);

/*
 * What the rules ask of a process beyond its program, name and user: if none does, it need not be
 * found out before the verdict.
 */
bool policy_needs_full_process(const struct policy *p);
/* Whether any rule asks who it is: else the packet alone decides, and whether it is attributed. */
bool policy_needs_process(const struct policy *p);
/* Whether names of users are compared, as patterns are; other names became numbers. */
bool policy_needs_user_names(const struct policy *p);
/* Gives the users that are named their numbers: uid_of() returns -1 for a name that nobody has, which
 * then matches by name alone. */
void policy_number_users(struct policy *p, int64_t (*uid_of)(const char *name));

/* How many rules it has, without the defaults. */
size_t policy_rule_count(const struct policy *p);
/* What happens to whatever no rule matches. */
enum verdict policy_default(const struct policy *p, bool attributed);

/* The language's word for a verdict: allow, deny, reject. */
const char *policy_verdict_word(enum verdict v);

#endif
