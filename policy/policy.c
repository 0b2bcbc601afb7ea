/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Decides which rule of a policy applies to a connection.  policy_parse.c reads a policy. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "policy.h"
#include "policy_rule.h"

enum truth { NO, YES, UNKNOWN };

#define KIND(kind) (1u << (kind))

static size_t next_character(struct text t, size_t at)
{
	do
		at++;
	while (at < t.len && ((unsigned char)t.data[at] & 0xc0) == 0x80);
	return at;
}

/*
 * Matches a pattern: '*' is any run of bytes, slashes too, and '?' one character.  Going back to
 * the last star alone is enough, so the time is bounded by the product of the lengths.
 */
bool policy_pattern_matches(struct text pattern, struct text t)
{
	size_t p = 0, at = 0, star = 0, resume = 0;
	bool starred = false;

	while (at < t.len) {
		if (p < pattern.len && pattern.data[p] == '*') {
			starred = true;
			star = ++p;
			resume = at;
		} else if (p < pattern.len && pattern.data[p] == '?') {
			at = next_character(t, at);
			p++;
		} else if (p < pattern.len && pattern.data[p] == t.data[at]) {
			at++;
			p++;
		} else if (starred) {
			at = ++resume;
			p = star;
		} else {
			return false;
		}
	}
	while (p < pattern.len && pattern.data[p] == '*')
		p++;
	return p == pattern.len;
}

static enum truth match_text(const struct value *v, struct text t)
{
	if (!t.data)
		return UNKNOWN;
	return v->pattern ? policy_pattern_matches(v->text, t) : text_equal(v->text, t);
}

static enum truth match_number(const struct value *v, int64_t n)
{
	return n < 0 ? UNKNOWN : n == v->number;
}

static enum truth match_user(const struct value *v, int64_t uid, struct text name)
{
	if (v->number >= 0 && (uid >= 0 || !v->text.data))
		return match_number(v, uid);
	return match_text(v, name);
}

static bool has_slash(struct text t)
{
	return t.len && memchr(t.data, '/', t.len);
}

static int hex_of(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* Writes t without systemd's escapes, \xHH for a byte; 0: it has none, or is too long. */
static size_t unescape(struct text t, char *to, size_t size)
{
	size_t len = 0;
	bool any = false;

	if (t.len > size || !t.len || !memchr(t.data, '\\', t.len))
		return 0;
	for (size_t i = 0; i < t.len; i++) {
		bool is = t.len - i >= 4 && t.data[i] == '\\' && t.data[i + 1] == 'x' &&
			  hex_of(t.data[i + 2]) >= 0 && hex_of(t.data[i + 3]) >= 0;

		to[len++] = is ? (char)(hex_of(t.data[i + 2]) * 16 + hex_of(t.data[i + 3])) :
				 t.data[i];
		any |= is;
		i += is ? 3 : 0;
	}
	return any ? len : 0;
}

/* A unit's or container's name, as systemd writes it or as it was given. */
static enum truth match_name(const struct value *v, struct text t)
{
	enum truth as_written = match_text(v, t);
	char plain[256];
	size_t len = as_written == NO ? unescape(t, plain, sizeof(plain)) : 0;

	return len ? match_text(v, (struct text){ plain, len }) : as_written;
}

/*
 * What stands behind a slash was named by whom the unit before it was handed to: it counts for
 * values with a slash alone.  So no process makes itself a unit that a rule names, and none gets
 * out of one.
 */
static enum truth match_unit(const struct value *v, struct text t)
{
	struct text outer = t;

	if (!has_slash(t) || has_slash(v->text))
		return match_name(v, t);
	outer.len = (size_t)((const char *)memchr(t.data, '/', t.len) - t.data);
	if (!text_ends_with(outer, ".service") && !text_ends_with(outer, ".scope"))
		return UNKNOWN;
	return match_name(v, outer);
}

/* Likewise, but outside of a container of the system's there is none. */
static enum truth match_container(const struct value *v, struct text t)
{
	return has_slash(t) && !has_slash(v->text) ? UNKNOWN : match_name(v, t);
}

static enum truth match_port(const struct value *v, int32_t port)
{
	return port < 0 ? UNKNOWN : v->number <= port && port <= v->to;
}

static enum truth match_address(const struct value *v, const struct address *a)
{
	struct address wire = *a;

	if (!wire.family)
		return UNKNOWN;
	address_unmap(&wire);
	return network_contains(&v->network, &wire);
}

static bool is_path(const struct value *v, struct text t)
{
	if (!v->pattern)
		return text_equal(v->text, t) || (v->real && text_equal(text_of(v->real), t));
	return policy_pattern_matches(v->text, t) ||
	       (v->real && policy_pattern_matches(text_of(v->real), t));
}

/* How a match is asked. */
struct asked {
	bool allows;		/* its rule lets pass */
	bool negated;
};

/*
 * A path is the program's where its file was seen to be at that path here.  Any other text lets
 * nothing pass.  A rule that denies takes the text as well, and where that does not match, it
 * cannot be told: only a root that no user can make for itself is taken at its word.
 */
static enum truth match_program(const struct value *v, struct text t, int64_t seen,
				const struct asked *how)
{
	bool other = exe_is_other(seen);

	if (v->word == PROGRAM_OTHER)
		return t.data && other;
	if (v->word == PROGRAM_UNKNOWN && seen != EXE_UNASKED)
		return !t.data || seen == EXE_TOLD;
	if (!t.data)
		return UNKNOWN;
	if (exe_is_ours(seen))
		return is_path(v, t);
	if (how->allows)
		return UNKNOWN;
	if (how->negated)
		return other ? NO : UNKNOWN;
	if (is_path(v, t))
		return YES;
	return seen == EXE_OTHER ? NO : UNKNOWN;
}

static bool is_program(enum match_kind kind)
{
	return kind == MATCH_EXE || kind == MATCH_PARENT;
}

static enum truth match_value(enum match_kind kind, const struct value *v,
			      const struct connection *c, const struct asked *how)
{
	switch (kind) {
	case MATCH_EXE:
		return match_program(v, c->process.exe, c->process.exe_seen, how);
	case MATCH_COMM:
		return match_text(v, c->process.comm);
	case MATCH_USER:
		return match_user(v, c->process.uid, c->process.user);
	case MATCH_LOGIN_USER:
		if (how->allows && !c->login_proven)
			return UNKNOWN;
		return match_user(v, c->process.auid, c->process.login_user);
	case MATCH_PARENT:
		/* Any process can become the parent that an allow rule names. */
		if (how->allows && !v->word && !c->parent_then)
			return UNKNOWN;
		return match_program(v, c->text[CONNECTION_PARENT_EXE], c->parent_seen, how);
	case MATCH_UNIT:
		return match_unit(v, c->text[CONNECTION_UNIT]);
	case MATCH_CONTAINER:
		return match_container(v, c->text[CONNECTION_CONTAINER]);
	case MATCH_NODE:
		return match_text(v, c->text[CONNECTION_NODE]);
	case MATCH_PROTO:
		return match_number(v, c->protocol);
	case MATCH_DIRECTION:
		return match_number(v, c->direction);
	case MATCH_ADDRESS:
		return match_address(v, c->direction == DIRECTION_IN ? &c->src.addr : &c->dst.addr);
	case MATCH_SRC:
		return match_address(v, &c->src.addr);
	case MATCH_DST:
		return match_address(v, &c->dst.addr);
	case MATCH_SPORT:
		return match_port(v, c->src.port);
	case MATCH_DPORT:
		return match_port(v, c->dst.port);
	}
	return UNKNOWN;
}

/* What the part of a packet's head says that could not be read. */
static bool is_hidden(enum match_kind kind, const struct connection *c)
{
	switch (kind) {
	case MATCH_PROTO:
	case MATCH_DST:
	case MATCH_SPORT:
	case MATCH_DPORT:
		return c->unreadable;
	case MATCH_ADDRESS:
		return c->unreadable && c->direction != DIRECTION_IN;
	default:
		return false;
	}
}

static int64_t seen_of(enum match_kind kind, const struct connection *c)
{
	return kind == MATCH_EXE ? c->process.exe_seen : c->parent_seen;
}

/* UNKNOWN: whether it holds depends on a program that is not known.  Nothing else that is unknown
 * holds. */
static enum truth match_holds(const struct policy *p, const struct match *m, bool allows,
			      const struct connection *c)
{
	struct asked how = { .allows = allows, .negated = m->negated };
	bool unknown = false;

	/* Who hides a port must not get past a rule that denies it. */
	if (is_hidden(m->kind, c))
		return allows ? NO : YES;
	for (size_t i = 0; i < m->count; i++) {
		enum truth is = match_value(m->kind, &p->values[m->first + i], c, &how);

		if (is == YES)
			return m->negated ? NO : YES;
		unknown |= is == UNKNOWN;
	}
	if (unknown)
		return is_program(m->kind) && seen_of(m->kind, c) != EXE_UNASKED ? UNKNOWN : NO;
	return m->negated ? YES : NO;
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

		if (open & KIND(m->kind)) {
			*left_out |= KIND(m->kind);
			continue;
		}
		is = match_holds(p, m, r->verdict == VERDICT_ACCEPT, c);
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
	if (is == NO || r->verdict == VERDICT_ACCEPT || is_kernels(c))
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
	unsigned int verdicts;	/* a bit for each verdict of such a rule */
};

static void decide(const struct policy *p, const struct connection *c, struct policy_answer *a,
		   struct doubt *d)
{
	bool attributed = c->certainty != CERTAINTY_UNKNOWN;

	a->wants_certain = false;
	for (size_t i = 0; i < p->rule_count; i++) {
		const struct rule *r = &p->rules[i];
		unsigned int left_out;
		enum verdict verdict = rule_verdict(p, r, c, d->open, &left_out);

		if (!verdict)
			continue;
		if (r->certain && c->certainty != CERTAINTY_CERTAIN) {
			a->wants_certain = true;
			continue;
		}
		if (left_out) {
			d->kinds |= left_out;
			d->verdicts |= 1u << verdict;
			continue;
		}
		a->verdict = verdict;
		a->line = r->line;
		a->rule = r->text;
		return;
	}
	a->line = 0;
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
	       (gaps & (in ? POLICY_GAP_SRC : POLICY_GAP_DST) ? KIND(MATCH_ADDRESS) : 0);
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
		verdicts[way] = d.verdicts | 1u << a->verdict;
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

/* Whether a rule has a match of one of these kinds. */
static bool asks(const struct policy *p, unsigned int kinds)
{
	for (size_t i = 0; i < p->match_count; i++)
		if (kinds & KIND(p->matches[i].kind))
			return true;
	return false;
}

bool policy_needs_full_process(const struct policy *p)
{
	return asks(p, KIND(MATCH_USER) | KIND(MATCH_LOGIN_USER) | KIND(MATCH_PARENT) |
		       KIND(MATCH_UNIT) | KIND(MATCH_CONTAINER));
}

bool policy_needs_process(const struct policy *p)
{
	static const unsigned int of_packet =
		KIND(MATCH_NODE) | KIND(MATCH_PROTO) | KIND(MATCH_DIRECTION) | KIND(MATCH_ADDRESS) |
		KIND(MATCH_SRC) | KIND(MATCH_DST) | KIND(MATCH_SPORT) | KIND(MATCH_DPORT);

	for (size_t i = 0; i < p->rule_count; i++)
		if (p->rules[i].certain)
			return true;
	return asks(p, ~of_packet);
}

bool policy_needs_user_names(const struct policy *p)
{
	for (size_t i = 0; i < p->match_count; i++)
		for (size_t v = 0; is_of_users(&p->matches[i]) && v < p->matches[i].count; v++)
			if (p->values[p->matches[i].first + v].number < 0)
				return true;
	return false;
}

void policy_number_users(struct policy *p, int64_t (*uid_of)(void *arg, const char *name),
			 void *arg)
{
	for (size_t i = 0; i < p->match_count; i++)
		for (size_t n = 0; is_of_users(&p->matches[i]) && n < p->matches[i].count; n++) {
			struct value *v = &p->values[p->matches[i].first + n];

			if (v->text.data && !v->pattern)
				v->number = uid_of(arg, v->text.data);
		}
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
	for (size_t i = 0; i < p->match_count; i++)
		for (size_t n = 0; is_program(p->matches[i].kind) && n < p->matches[i].count; n++) {
			struct value *v = &p->values[p->matches[i].first + n];

			if (v->word == PROGRAM_PATH && v->text.data && !v->real)
				resolve_path(v, resolve);
		}
}

const char *policy_rule(const struct policy *p, size_t rule, int *line)
{
	*line = p->rules[rule].line;
	return p->rules[rule].text;
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
	free(p->rules);
	free(p->matches);
	free(p->values);
	free(p->store);
	free(p);
}
