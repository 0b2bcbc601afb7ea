/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Decides which rule of a policy applies to a connection.  policy_parse.c reads a policy. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "address_list.h"
#include "policy.h"
#include "policy_index.h"
#include "policy_rule.h"

#define KIND(kind) (1u << (kind))

/* Whether a rule has a match of one of these kinds. */
static bool asks(const struct policy *p, unsigned int kinds)
{
	return p->kinds & kinds;
}

static bool is_open(const struct policy *p, const struct match *m, unsigned int open,
		    const struct connection *c)
{
	if (!(open & KIND(m->kind)))
		return false;
	/* The process's real group is told in any case: it may be enough. */
	for (size_t i = 0; m->kind == MATCH_GROUP && i < m->count; i++)
		if (p->values[m->first + i].number >= 0 &&
		    p->values[m->first + i].number == c->process.gid)
			return false;
	return true;
}

/* Checks all matches but `certain`, and those of the kinds in `open`, which are *left out. */
static enum truth rule_holds(const struct policy *p, const struct rule *r,
			     const struct connection *c, unsigned int open, unsigned int *left_out)
{
	enum truth rule = YES;

	*left_out = 0;
	for (size_t i = 0; i < r->count; i++) {
		const struct match *m = &p->matches[r->first + i];
		enum truth is;

		if (is_open(p, m, open, c)) {
			*left_out |= KIND(m->kind);
			continue;
		}
		is = policy_match_holds(p, m, rule_lets_pass(r), c);
		if (is == NO)
			return NO;
		if (is == UNKNOWN)
			rule = UNKNOWN;
	}
	return rule;
}

/* No process can be known of it, now or ever. */
static bool is_kernels(const struct connection *c)
{
	return c->direction == DIRECTION_OUT && c->certainty == CERTAINTY_UNKNOWN &&
	       text_equal(c->text[CONNECTION_REASON], text_of(POLICY_REASON_KERNEL));
}

/*
 * The rule's verdict; 0 where it does not apply.  A rule that denies programs, of which one may be
 * this, applies: otherwise whoever hides its program, or itself, would pass.  Then it has the
 * verdict that the policy has for such, and where that is to allow, the rule does not count.
 */
static enum verdict rule_verdict(const struct policy *p, const struct rule *r,
				 const struct connection *c, unsigned int open,
				 unsigned int *left_out)
{
	enum truth is = rule_holds(p, r, c, open, left_out);
	enum verdict verdict;

	if (is == YES)
		return r->verdict;
	if (is == NO || rule_lets_pass(r) || is_kernels(c))
		return 0;
	verdict = c->certainty == CERTAINTY_UNKNOWN ? p->unattributed :
		  p->unreadable ? p->unreadable : r->verdict;
	return verdict == VERDICT_ACCEPT ? 0 : verdict;
}

static bool is_unreadable(const struct connection *c)
{
	return c->certainty != CERTAINTY_UNKNOWN &&
	       (c->process.exe_seen == EXE_TOLD ||
		(!c->process.exe.data && c->process.exe_seen != EXE_UNASKED));
}

/* Rules that could have decided, were what they ask for known. */
struct doubt {
	unsigned int open;	/* kinds of matches that are taken for unanswered */
	unsigned int kinds;	/* those of them that such rules have */
	unsigned int verdicts;	/* a bit for each outcome() of such a rule */
};

/* A verdict and whether the packet has it, as a bit. */
static unsigned int outcome(enum verdict verdict, bool observe)
{
	return 1u << ((unsigned int)verdict + (observe ? 8 : 0));
}

static void decide(const struct policy *p, const struct connection *c, struct policy_answer *a,
		   struct doubt *d)
{
	bool attributed = c->certainty != CERTAINTY_UNKNOWN;
	struct policy_candidates candidates;

	a->wants_certain = false;
	policy_candidates_begin(p, c, &candidates);
	for (size_t i; (i = policy_candidates_next(&candidates)) != SIZE_MAX;) {
		const struct rule *r = &p->rules[i];
		unsigned int left_out;
		enum verdict verdict = 0;

		if (!r->expired)
			verdict = rule_verdict(p, r, c, d->open, &left_out);
		if (!verdict)
			continue;
		if (r->certain && c->certainty != CERTAINTY_CERTAIN) {
			a->wants_certain = true;
			continue;
		}
		if (left_out) {
			d->kinds |= left_out;
			d->verdicts |= outcome(verdict, r->observe);
			continue;
		}
		a->verdict = verdict;
		a->line = r->line;
		a->rule = r->text;
		a->observe = r->observe;
		a->comment = r->comment;
		return;
	}
	a->line = 0;
	a->observe = false;
	a->comment = NULL;
	if (is_kernels(c)) {
		a->verdict = VERDICT_ACCEPT;
		a->rule = "kernel";
		return;
	}
	if (p->unreadable && is_unreadable(c)) {
		a->verdict = p->unreadable;
		a->rule = "unreadable";
		return;
	}
	a->verdict = policy_default(p, attributed);
	a->rule = attributed ? "default" : "unattributed";
}

void policy_decide(const struct policy *p, const struct connection *c, struct policy_answer *a)
{
	struct doubt none = { .open = 0 };

	decide(p, c, a, &none);
}

/* The matches that ask for what is in these gaps. */
static unsigned int kinds_of_gaps(unsigned int gaps, const struct connection *c)
{
	bool in = c->direction == DIRECTION_IN;

	return (gaps & POLICY_GAP_PROTO ? KIND(MATCH_PROTO) : 0) |
	       (gaps & POLICY_GAP_SRC ? KIND(MATCH_SRC) : 0) |
	       (gaps & POLICY_GAP_DST ? KIND(MATCH_DST) : 0) |
	       (gaps & POLICY_GAP_SPORT ? KIND(MATCH_SPORT) : 0) |
	       (gaps & POLICY_GAP_DPORT ? KIND(MATCH_DPORT) : 0) |
	       (gaps & POLICY_GAP_GROUPS ? KIND(MATCH_GROUP) : 0) |
	       (gaps & POLICY_GAP_HASH ? KIND(MATCH_SHA256) | KIND(MATCH_VERIFIED) : 0) |
	       (gaps & POLICY_GAP_CMDLINE ? KIND(MATCH_CMDLINE) : 0) |
	       (gaps & POLICY_GAP_ANCESTORS ? KIND(MATCH_ANCESTOR) : 0) |
	       (gaps & POLICY_GAP_IFACE ? KIND(MATCH_IFACE) : 0) |
	       (gaps & POLICY_GAP_NAME ? KIND(MATCH_NAME) : 0) |
	       (gaps & (in ? POLICY_GAP_SRC : POLICY_GAP_DST) ?
		KIND(MATCH_ADDRESS) | KIND(MATCH_LIST) : 0);
}

static unsigned int gaps_of_kinds(unsigned int kinds, const struct connection *c)
{
	unsigned int gaps = 0;

	for (unsigned int gap = POLICY_GAP_PROTO; gap < POLICY_GAPS_END; gap <<= 1)
		if (kinds & kinds_of_gaps(gap, c))
			gaps |= gap;
	return gaps;
}

/* What else it may have been that was seen of a program. */
static int64_t seen_otherwise(int64_t seen)
{
	return seen == EXE_TOLD ? EXE_HERE : seen == EXE_USERS ? EXE_OTHER : seen;
}

unsigned int policy_decide_with_gaps(const struct policy *p, const struct connection *c,
				     unsigned int gaps, struct policy_answer *a)
{
	enum { PROGRAMS = POLICY_GAP_EXE | POLICY_GAP_PARENT };
	unsigned int found = 0, verdicts[PROGRAMS + 1] = { 0 };

	if (!asks(p, KIND(MATCH_PARENT)))
		gaps &= ~(unsigned int)POLICY_GAP_PARENT;
	/* Each program as it is told, and as it may have been. */
	for (unsigned int way = PROGRAMS; way <= PROGRAMS; way--) {
		struct doubt d = { .open = kinds_of_gaps(gaps, c) };
		struct connection as = *c;

		if (way & ~gaps)
			continue;
		if (way & POLICY_GAP_EXE)
			as.process.exe_seen = seen_otherwise(c->process.exe_seen);
		if (way & POLICY_GAP_PARENT) {
			as.parent_seen = seen_otherwise(c->parent_seen);
			as.parent_then = true;
		}
		decide(p, &as, a, &d);
		verdicts[way] = d.verdicts | outcome(a->verdict, a->observe);
		if (verdicts[way] & (verdicts[way] - 1))
			found |= gaps_of_kinds(d.kinds, c);
	}
	for (unsigned int way = 0; way <= PROGRAMS; way++)
		for (unsigned int gap = POLICY_GAP_EXE; gap <= POLICY_GAP_PARENT; gap <<= 1)
			if (!(way & gap) && !((way | gap) & ~gaps) &&
			    verdicts[way] != verdicts[way | gap])
				found |= gap;
	return found;
}

void policy_decide_as_told(const struct policy *p, const struct connection *c,
			   struct policy_answer *a)
{
	struct connection told = *c;

	if (told.process.exe_seen == EXE_TOLD)
		told.process.exe_seen = EXE_HERE;
	if (told.parent_seen == EXE_TOLD)
		told.parent_seen = EXE_HERE;
	told.parent_then = true;
	policy_decide(p, &told, a);
}

static bool is_of_users(const struct match *m)
{
	return m->kind == MATCH_USER || m->kind == MATCH_LOGIN_USER;
}

static bool has_numbers(const struct match *m)
{
	return is_of_users(m) || m->kind == MATCH_GROUP;
}

bool policy_needs_full_process(const struct policy *p)
{
	return asks(p, KIND(MATCH_USER) | KIND(MATCH_LOGIN_USER) | KIND(MATCH_CMDLINE) |
		       KIND(MATCH_PARENT) | KIND(MATCH_ANCESTOR) | KIND(MATCH_UNIT) |
		       KIND(MATCH_CONTAINER));
}

bool policy_needs_process(const struct policy *p)
{
	static const unsigned int of_packet =
		KIND(MATCH_NODE) | KIND(MATCH_PROTO) | KIND(MATCH_DIRECTION) | KIND(MATCH_ADDRESS) |
		KIND(MATCH_LIST) | KIND(MATCH_SRC) | KIND(MATCH_DST) | KIND(MATCH_SPORT) |
		KIND(MATCH_DPORT);

	for (size_t i = 0; i < p->rule_count; i++)
		if (p->rules[i].certain)
			return true;
	return asks(p, ~of_packet);
}

bool policy_needs_groups(const struct policy *p)
{
	return asks(p, KIND(MATCH_GROUP));
}

bool policy_needs_hashes(const struct policy *p)
{
	return asks(p, KIND(MATCH_SHA256) | KIND(MATCH_VERIFIED));
}

bool policy_needs_cmdline(const struct policy *p)
{
	return asks(p, KIND(MATCH_CMDLINE));
}

bool policy_needs_forefathers(const struct policy *p)
{
	return asks(p, KIND(MATCH_ANCESTOR));
}

bool policy_needs_ifaces(const struct policy *p)
{
	return asks(p, KIND(MATCH_IFACE));
}

bool policy_needs_names(const struct policy *p)
{
	return asks(p, KIND(MATCH_NAME));
}

/* The kinds of a rule's matches. */
static unsigned int kinds_of(const struct policy *p, const struct rule *r)
{
	unsigned int kinds = 0;

	for (size_t i = 0; i < r->count; i++)
		kinds |= KIND(p->matches[r->first + i].kind);
	return kinds;
}

bool policy_rule_has_name(const struct policy *p, size_t rule)
{
	return kinds_of(p, &p->rules[rule]) & KIND(MATCH_NAME);
}

bool policy_rule_believes(const struct policy *p, size_t rule)
{
	static const unsigned int proven =
		KIND(MATCH_EXE) | KIND(MATCH_USER) | KIND(MATCH_LOGIN_USER) | KIND(MATCH_GROUP) |
		KIND(MATCH_SHA256) | KIND(MATCH_VERIFIED) | KIND(MATCH_PARENT) |
		KIND(MATCH_ANCESTOR) | KIND(MATCH_UNIT) | KIND(MATCH_CONTAINER);
	const struct rule *r = &p->rules[rule];
	unsigned int kinds = kinds_of(p, r);

	return r->verdict == VERDICT_ACCEPT && (kinds & KIND(MATCH_CMDLINE)) && !(kinds & proven);
}

bool policy_needs_user_names(const struct policy *p)
{
	for (size_t i = 0; i < p->match_count; i++)
		for (size_t v = 0; is_of_users(&p->matches[i]) && v < p->matches[i].count; v++)
			if (p->values[p->matches[i].first + v].number < 0)
				return true;
	return false;
}

void policy_number_users(struct policy *p,
			 int64_t (*number_of)(void *arg, const char *name, bool group), void *arg)
{
	for (size_t i = 0; i < p->match_count; i++)
		for (size_t n = 0; has_numbers(&p->matches[i]) && n < p->matches[i].count; n++) {
			struct value *v = &p->values[p->matches[i].first + n];

			if (v->text.data && !v->pattern)
				v->number = number_of(arg, v->text.data,
						      p->matches[i].kind == MATCH_GROUP);
		}
}

const char *policy_unknown_group(const struct policy *p, size_t rule)
{
	const struct rule *r = &p->rules[rule];

	for (size_t i = 0; i < r->count; i++) {
		const struct match *m = &p->matches[r->first + i];

		for (size_t n = 0; m->kind == MATCH_GROUP && n < m->count; n++)
			if (p->values[m->first + n].number < 0)
				return p->values[m->first + n].text.data;
	}
	return NULL;
}

/* The text with its first `len` bytes resolved; NULL where that makes no difference. */
static char *resolve_beginning(struct text t, size_t len, char *(*resolve)(const char *path))
{
	char path[PATH_MAX], *begin, *real = NULL;
	size_t real_len;

	if (!len || len >= sizeof(path))
		return NULL;
	memcpy(path, t.data, len);
	path[len] = '\0';
	begin = resolve(path);
	real_len = begin ? strlen(begin) : 0;
	if (begin && (real_len != len || memcmp(begin, path, len)))
		real = malloc(real_len + (t.len - len) + 1);
	if (real) {
		memcpy(real, begin, real_len);
		memcpy(real + real_len, t.data + len, t.len - len + 1);
	}
	free(begin);
	return real;
}

/* All of a path, or else its directory; of a pattern the directories before the first wildcard. */
static void resolve_path(struct value *v, char *(*resolve)(const char *path))
{
	size_t fixed = strcspn(v->text.data, "*?");

	if (v->text.data[0] != '/')
		return;
	if (!v->pattern)
		v->real = resolve_beginning(v->text, v->text.len, resolve);
	while (fixed && v->text.data[fixed - 1] != '/')
		fixed--;
	if (!v->real)
		v->real = resolve_beginning(v->text, fixed - 1, resolve);
}

void policy_resolve_paths(struct policy *p, char *(*resolve)(const char *path))
{
	for (size_t i = 0; i < p->match_count; i++) {
		const struct match *m = &p->matches[i];

		for (size_t n = 0; policy_is_of_program(m->kind) && n < m->count; n++) {
			struct value *v = &p->values[m->first + n];

			if (v->word == PROGRAM_PATH && v->text.data && !v->real)
				resolve_path(v, resolve);
		}
	}
	policy_index_make(p);
}

void policy_written(struct policy *p, int64_t time_us)
{
	for (size_t i = 0; i < p->rule_count; i++) {
		struct rule *r = &p->rules[i];
		int64_t end;

		if (r->for_us && !__builtin_add_overflow(time_us, r->for_us, &end) &&
		    end < r->until_us)
			r->until_us = end;
	}
	p->next_us = p->next_boot_us = 0;
}

/* How long it still has; `for` is never longer than it says, whenever its file was written. */
static int64_t time_left(const struct rule *r, int64_t now_us)
{
	int64_t left;

	if (__builtin_sub_overflow(r->until_us, now_us, &left))
		left = INT64_MAX;
	return r->for_us && left > r->for_us ? r->for_us : left;
}

bool policy_pass_time(struct policy *p, int64_t now_us, int64_t boot_us)
{
	bool any = false;

	if (now_us < p->next_us && boot_us < p->next_boot_us)
		return false;
	p->next_us = p->next_boot_us = INT64_MAX;
	for (size_t i = 0; i < p->rule_count; i++) {
		struct rule *r = &p->rules[i];

		if (r->expired || r->until_us == INT64_MAX)
			continue;
		if (!r->until_boot_us &&
		    __builtin_add_overflow(boot_us, time_left(r, now_us), &r->until_boot_us))
			r->until_boot_us = INT64_MAX;
		r->expired = now_us >= r->until_us || boot_us >= r->until_boot_us;
		any |= r->expired;
		if (!r->expired && r->until_us < p->next_us)
			p->next_us = r->until_us;
		if (!r->expired && r->until_boot_us < p->next_boot_us)
			p->next_boot_us = r->until_boot_us;
	}
	return any;
}

void policy_at(struct policy *p, int64_t time_us)
{
	for (size_t i = 0; i < p->rule_count; i++)
		p->rules[i].expired = time_us >= p->rules[i].until_us;
}

bool policy_ends(const struct policy *p)
{
	for (size_t i = 0; i < p->rule_count; i++)
		if (!p->rules[i].expired && p->rules[i].until_us != INT64_MAX)
			return true;
	return false;
}

bool policy_is_over(const struct policy *p, size_t rule, int64_t *since_us)
{
	*since_us = p->rules[rule].until_us;
	return p->rules[rule].expired;
}

size_t policy_list_count(const struct policy *p)
{
	return p->list_count;
}

const char *policy_list_path(const struct policy *p, size_t list, int *line)
{
	*line = p->lists[list].line;
	return p->lists[list].path;
}

size_t policy_list_size(const struct policy *p, size_t list)
{
	return p->lists[list].list ? address_list_count(p->lists[list].list) : 0;
}

const char *policy_rule(const struct policy *p, size_t rule, int *line)
{
	*line = p->rules[rule].line;
	return p->rules[rule].text;
}

const char *policy_comment(const struct policy *p, size_t rule)
{
	return p->rules[rule].comment;
}

size_t policy_rule_count(const struct policy *p)
{
	return p->rule_count;
}

enum verdict policy_unreadable(const struct policy *p)
{
	return p->unreadable;
}

enum verdict policy_default(const struct policy *p, bool attributed)
{
	return attributed ? p->fallback : p->unattributed;
}

const char *policy_verdict_word(enum verdict v)
{
	return v == VERDICT_ACCEPT ? "allow" : v == VERDICT_DROP ? "deny" : "reject";
}

void policy_free(struct policy *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->value_count; i++)
		free(p->values[i].real);
	for (size_t i = 0; i < p->list_count; i++)
		address_list_free(p->lists[i].list);
	free(p->lists);
	policy_index_free(p);
	free(p->rules);
	free(p->matches);
	free(p->values);
	free(p->store);
	free(p);
}
