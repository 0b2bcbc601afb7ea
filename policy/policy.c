/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Decides which rule of a policy applies to a connection.  policy_parse.c reads a policy. */
#include <stdlib.h>
#include <string.h>

#include "policy.h"
#include "policy_rule.h"

enum truth { NO, YES, UNKNOWN };

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
static bool pattern_matches(struct text pattern, struct text t)
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
	return v->pattern ? pattern_matches(v->text, t) : text_equal(v->text, t);
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

static enum truth match_value(enum match_kind kind, const struct value *v,
			      const struct connection *c)
{
	switch (kind) {
	case MATCH_EXE:
		return match_text(v, c->process.exe);
	case MATCH_COMM:
		return match_text(v, c->process.comm);
	case MATCH_USER:
		return match_user(v, c->process.uid, c->process.user);
	case MATCH_LOGIN_USER:
		return match_user(v, c->process.auid, c->process.login_user);
	case MATCH_PARENT:
		return match_text(v, c->text[CONNECTION_PARENT_EXE]);
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

static bool match_holds(const struct policy *p, const struct match *m, const struct connection *c)
{
	bool unknown = false;

	for (size_t i = 0; i < m->count; i++) {
		enum truth is = match_value(m->kind, &p->values[m->first + i], c);

		if (is == YES)
			return !m->negated;
		unknown |= is == UNKNOWN;
	}
	return m->negated && !unknown;
}

/* Checks all matches but `certain`. */
static bool rule_holds(const struct policy *p, const struct rule *r, const struct connection *c)
{
	for (size_t i = 0; i < r->count; i++)
		if (!match_holds(p, &p->matches[r->first + i], c))
			return false;
	return true;
}

/* No process can be known of it, now or ever. */
static bool is_kernels(const struct connection *c)
{
	return c->direction == DIRECTION_OUT && c->certainty == CERTAINTY_UNKNOWN &&
	       text_equal(c->text[CONNECTION_REASON], text_of(POLICY_REASON_KERNEL));
}

void policy_decide(const struct policy *p, const struct connection *c, struct policy_answer *a)
{
	bool attributed = c->certainty != CERTAINTY_UNKNOWN;

	a->wants_certain = false;
	for (size_t i = 0; i < p->rule_count; i++) {
		const struct rule *r = &p->rules[i];

		if (!rule_holds(p, r, c))
			continue;
		if (r->certain && c->certainty != CERTAINTY_CERTAIN) {
			a->wants_certain = true;
			continue;
		}
		a->verdict = r->verdict;
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
	a->verdict = policy_default(p, attributed);
	a->rule = attributed ? "default" : "unattributed";
}

static bool is_of_users(const struct match *m)
{
	return m->kind == MATCH_USER || m->kind == MATCH_LOGIN_USER;
}

#define KIND(kind) (1u << (kind))

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

size_t policy_rule_count(const struct policy *p)
{
	return p->rule_count;
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
	free(p->rules);
	free(p->matches);
	free(p->values);
	free(p->store);
	free(p);
}
