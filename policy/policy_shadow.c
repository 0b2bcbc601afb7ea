/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rules that can never decide, because an earlier one holds wherever they do.  It says so only
 * where that is sure: a rule that is covered by several others together is not found, nor one that
 * asks for the same in other words.
 */
#include <string.h>

#include "address_list.h"
#include "policy.h"
#include "policy_rule.h"

static bool same_text(struct text a, struct text b)
{
	return !a.data == !b.data && text_equal(a, b);
}

/* Each text that b matches a does as well.  A star of a takes whatever stands for b's wildcards;
 * its '?' would not. */
static bool text_covers(const struct value *a, struct text b, bool b_is_pattern)
{
	if (text_equal(a->text, b))
		return a->pattern || !b_is_pattern;
	if (!a->pattern || (b_is_pattern && memchr(a->text.data, '?', a->text.len)))
		return false;
	return policy_pattern_matches(a->text, b);
}

static bool path_covers(const struct value *a, const struct value *b)
{
	struct value real = *a;

	if (a->word || b->word)
		return a->word == b->word;
	real.text = text_of(a->real);
	if (!text_covers(a, b->text, b->pattern) &&
	    !(a->real && text_covers(&real, b->text, b->pattern)))
		return false;
	return !b->real || text_covers(a, text_of(b->real), b->pattern) ||
	       (a->real && text_covers(&real, text_of(b->real), b->pattern));
}

/* A number matches where the user's name is not known, and a name where its number is not. */
static bool user_covers(const struct value *a, const struct value *b)
{
	if (!b->text.data)
		return a->number >= 0 && a->number == b->number;
	return a->text.data && same_text(a->text, b->text);
}

static bool list_covers(const struct policy *p, const struct value *a, const struct value *b)
{
	const struct address_list *outer = p->lists[a->number].list;
	const struct address_list *inner = p->lists[b->number].list;

	return a->number == b->number || (outer && inner && address_list_covers(outer, inner));
}

static bool value_covers(const struct policy *p, enum match_kind kind, const struct value *a,
			 const struct value *b)
{
	switch (kind) {
	case MATCH_EXE:
	case MATCH_PARENT:
	case MATCH_ANCESTOR:
		return path_covers(a, b);
	case MATCH_USER:
	case MATCH_LOGIN_USER:
		return user_covers(a, b);
	case MATCH_GROUP:
		return a->number >= 0 && a->number == b->number;
	case MATCH_SHA256:
		return same_text(a->text, b->text);
	case MATCH_VERIFIED:
		return true;
	case MATCH_COMM:
	case MATCH_CMDLINE:
	case MATCH_NODE:
	case MATCH_NAME:
	case MATCH_IFACE:
		return text_covers(a, b->text, b->pattern);
	case MATCH_UNIT:
	case MATCH_CONTAINER:
		/* With a slash and without they are compared with different names. */
		return policy_has_slash(a->text) == policy_has_slash(b->text) &&
		       text_covers(a, b->text, b->pattern);
	case MATCH_PROTO:
	case MATCH_DIRECTION:
		return a->number == b->number;
	case MATCH_LIST:
		return list_covers(p, a, b);
	case MATCH_ADDRESS:
	case MATCH_SRC:
	case MATCH_DST:
		return a->network.bits <= b->network.bits &&
		       network_contains(&a->network, &b->network.addr);
	case MATCH_SPORT:
	case MATCH_DPORT:
		return a->number <= b->number && b->to <= a->to;
	}
	return false;
}

/* Each value of `inner` is in one of `outer`. */
static bool values_cover(const struct policy *p, const struct match *outer,
			 const struct match *inner)
{
	for (size_t i = 0; i < inner->count; i++) {
		const struct value *b = &p->values[inner->first + i];
		size_t n = 0;

		while (n < outer->count &&
		       !value_covers(p, outer->kind, &p->values[outer->first + n], b))
			n++;
		if (n == outer->count)
			return false;
	}
	return true;
}

/* The match holds wherever all of the rule's do. */
static bool match_covers(const struct policy *p, const struct match *m, const struct rule *rule)
{
	for (size_t i = 0; i < rule->count; i++) {
		const struct match *own = &p->matches[rule->first + i];

		if (own->kind == m->kind && own->negated == m->negated &&
		    (m->negated ? values_cover(p, own, m) : values_cover(p, m, own)))
			return true;
	}
	return false;
}

/* What a rule that lets pass must know, and one that denies need not: programs, what they were
 * told, groups, files, interfaces, and what a packet may hide. */
static bool asks_more_to_allow(enum match_kind kind)
{
	return kind == MATCH_EXE || kind == MATCH_PARENT || kind == MATCH_GROUP ||
	       kind == MATCH_SHA256 || kind == MATCH_VERIFIED || kind == MATCH_CMDLINE ||
	       kind == MATCH_ANCESTOR || kind == MATCH_IFACE ||
	       kind == MATCH_PROTO ||
	       kind == MATCH_DST || kind == MATCH_ADDRESS || kind == MATCH_LIST ||
	       kind == MATCH_SPORT || kind == MATCH_DPORT;
}

/* Behind a rule that ends the other one has its time. */
static bool lasts_as_long(const struct rule *earlier, const struct rule *later)
{
	if (earlier->expired || earlier->until_us < later->until_us)
		return false;
	return !earlier->for_us || (later->for_us && later->for_us <= earlier->for_us);
}

static bool rule_covers(const struct policy *p, const struct rule *earlier,
			const struct rule *later)
{
	bool differs = rule_lets_pass(earlier) && !rule_lets_pass(later);

	if ((earlier->certain && !later->certain) || !lasts_as_long(earlier, later))
		return false;
	for (size_t i = 0; i < earlier->count; i++) {
		const struct match *m = &p->matches[earlier->first + i];

		if ((differs && asks_more_to_allow(m->kind)) || !match_covers(p, m, later))
			return false;
	}
	return true;
}

int policy_shadowed_by(const struct policy *p, size_t rule)
{
	for (size_t i = 0; i < rule && !p->rules[rule].expired; i++)
		if (rule_covers(p, &p->rules[i], &p->rules[rule]))
			return p->rules[i].line;
	return 0;
}
