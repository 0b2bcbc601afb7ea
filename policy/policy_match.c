/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether one match of a rule holds for a connection. */
#include <ctype.h>
#include <string.h>

#include "address_list.h"
#include "policy.h"
#include "policy_rule.h"

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

/* How a match is asked. */
struct asked {
	bool allows;		/* its rule lets pass */
	bool negated;
};

/* Nobody is known to be in a group that has no number: who has to be in it does not pass. */
static enum truth match_group(const struct value *v, const struct connection *c,
			      const struct asked *how)
{
	const struct process_facts *f = c->facts;

	if (v->number < 0)
		return how->negated && !how->allows ? NO : UNKNOWN;
	if (v->number == c->process.gid)
		return YES;
	for (size_t i = 0; f && f->groups && i < f->group_count; i++)
		if (f->groups[i] == v->number)
			return YES;
	return f && f->groups ? NO : UNKNOWN;
}

static enum truth match_sha256(const struct value *v, const struct process_facts *f)
{
	return !f || !f->sha256 ? UNKNOWN : !memcmp(f->sha256, v->text.data, v->text.len);
}

static enum truth match_verified(const struct process_facts *f)
{
	return !f || !f->sha256 ? UNKNOWN : f->verified;
}

/* Whether the pattern takes some text that begins so: behind its first star it takes anything. */
static bool may_go_on(struct text pattern, struct text begin)
{
	size_t p = 0, at = 0;

	while (at < begin.len && p < pattern.len && pattern.data[p] != '*') {
		if (pattern.data[p] == '?')
			at = next_character(begin, at);
		else if (pattern.data[p] == begin.data[at])
			at++;
		else
			return false;
		p++;
	}
	return at >= begin.len || (p < pattern.len && pattern.data[p] == '*');
}

/* Of a command line that was cut what is behind is not known: a star at the end takes it. */
static enum truth match_cmdline(const struct value *v, struct text t)
{
	struct text begin = t;

	if (!t.data || !process_cmdline_is_cut(&begin))
		return match_text(v, t);
	if (v->text.data[v->text.len - 1] == '*' && policy_pattern_matches(v->text, begin))
		return YES;
	return may_go_on(v->text, begin) ? UNKNOWN : NO;
}

int policy_hex_byte(const char *two)
{
	static const char digits[] = "0123456789abcdef";
	int byte = 0;

	for (int i = 0; i < 2; i++) {
		const char *at = two[i] ? strchr(digits, tolower((unsigned char)two[i])) : NULL;

		if (!at)
			return -1;
		byte = 16 * byte + (int)(at - digits);
	}
	return byte;
}

/* Writes t without systemd's escapes, \xHH for a byte; 0: it has none, or is too long. */
static size_t unescape(struct text t, char *to, size_t size)
{
	size_t len = 0;
	bool any = false;

	if (t.len > size || !t.len || !memchr(t.data, '\\', t.len))
		return 0;
	for (size_t i = 0; i < t.len; i++) {
		bool is = t.len - i >= 4 && t.data[i] == '\\' && t.data[i + 1] == 'x';
		int byte = is ? policy_hex_byte(t.data + i + 2) : -1;

		to[len++] = byte >= 0 ? (char)byte : t.data[i];
		any |= byte >= 0;
		i += byte >= 0 ? 3 : 0;
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

	if (!policy_has_slash(t) || policy_has_slash(v->text))
		return match_name(v, t);
	outer.len = (size_t)((const char *)memchr(t.data, '/', t.len) - t.data);
	if (!text_ends_with(outer, ".service") && !text_ends_with(outer, ".scope"))
		return UNKNOWN;
	return match_name(v, outer);
}

/* Likewise, but outside of a container of the system's there is none. */
static enum truth match_container(const struct value *v, struct text t)
{
	return policy_has_slash(t) && !policy_has_slash(v->text) ? UNKNOWN : match_name(v, t);
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

static enum truth match_list(const struct policy *p, const struct value *v,
			     const struct address *a)
{
	const struct address_list *list = p->lists[v->number].list;
	struct address wire = *a;

	if (!wire.family || !list)
		return UNKNOWN;
	address_unmap(&wire);
	return address_list_contains(list, &wire);
}

static bool is_path(const struct value *v, struct text t)
{
	if (!v->pattern)
		return text_equal(v->text, t) || (v->real && text_equal(text_of(v->real), t));
	return policy_pattern_matches(v->text, t) ||
	       (v->real && policy_pattern_matches(text_of(v->real), t));
}

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

/* Any of them may be it.  To let pass, those between have to be known as well: a process can become
 * the program that a rule names after it started others. */
static enum truth match_ancestor(const struct value *v, const struct process_facts *facts,
				 const struct asked *how)
{
	const struct forefathers *f = facts ? facts->forefathers : NULL;
	enum truth none = f && f->whole ? NO : UNKNOWN;

	for (size_t i = 0; f && i < f->count; i++) {
		const struct forefather *k = &f->by[i];
		enum truth is = how->allows && !v->word && !k->then ?
			UNKNOWN : match_program(v, k->exe, k->seen, how);

		if (is == YES)
			return YES;
		if (is == UNKNOWN)
			none = UNKNOWN;
	}
	return none;
}

/* By either of two it is by that interface. */
static enum truth match_iface(const struct value *v, const struct connection *c)
{
	enum truth in = NO, out = NO;

	if (!c->facts)
		return UNKNOWN;
	if (c->direction != DIRECTION_OUT)
		in = match_text(v, c->facts->iface_in);
	if (c->direction != DIRECTION_IN)
		out = match_text(v, c->facts->iface_out);
	return in == YES || out == YES ? YES : in == UNKNOWN || out == UNKNOWN ? UNKNOWN : NO;
}

/* Others' look-ups say nothing of why this process goes there. */
static enum truth match_dst_name(const struct value *v, const struct connection *c)
{
	return match_text(v, c->dst_name_by == NAME_BY_PROCESS ? c->text[CONNECTION_DST_NAME] :
								 TEXT_NONE);
}

static const struct address *remote(const struct connection *c)
{
	return c->direction == DIRECTION_IN ? &c->src.addr : &c->dst.addr;
}

/* What the process that holds a socket says nothing of, where another one made the call.  The user
 * is the socket's. */
static bool is_of_caller(enum match_kind kind)
{
	switch (kind) {
	case MATCH_EXE:
	case MATCH_COMM:
	case MATCH_LOGIN_USER:
	case MATCH_GROUP:
	case MATCH_SHA256:
	case MATCH_VERIFIED:
	case MATCH_CMDLINE:
	case MATCH_ANCESTOR:
	case MATCH_PARENT:
	case MATCH_UNIT:
	case MATCH_CONTAINER:
	case MATCH_NAME:
		return true;
	default:
		return false;
	}
}

static enum truth match_value(const struct policy *p, enum match_kind kind, const struct value *v,
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
	case MATCH_GROUP:
		return match_group(v, c, how);
	case MATCH_SHA256:
		return match_sha256(v, c->facts);
	case MATCH_VERIFIED:
		return match_verified(c->facts);
	case MATCH_CMDLINE:
		return match_cmdline(v, c->process.cmdline);
	case MATCH_ANCESTOR:
		return match_ancestor(v, c->facts, how);
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
		return match_address(v, remote(c));
	case MATCH_LIST:
		return match_list(p, v, remote(c));
	case MATCH_NAME:
		return match_dst_name(v, c);
	case MATCH_IFACE:
		return match_iface(v, c);
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

static bool is_iface_unknown(const struct connection *c)
{
	const struct process_facts *f = c->facts;

	return f && f->asks_ifaces && ((c->direction != DIRECTION_OUT && !f->iface_in.data) ||
				       (c->direction != DIRECTION_IN && !f->iface_out.data));
}

/* What is to be known of every packet, and could not be read. */
static bool is_hidden(enum match_kind kind, const struct connection *c)
{
	switch (kind) {
	case MATCH_PROTO:
	case MATCH_DST:
	case MATCH_SPORT:
	case MATCH_DPORT:
		return c->unreadable;
	case MATCH_ADDRESS:
	case MATCH_LIST:
		return c->unreadable && c->direction != DIRECTION_IN;
	case MATCH_IFACE:
		return is_iface_unknown(c);
	default:
		return false;
	}
}

/* It was asked, and could not be read. */
static bool is_unreadable(enum match_kind kind, const struct connection *c)
{
	switch (kind) {
	case MATCH_EXE:
		return c->process.exe_seen != EXE_UNASKED;
	case MATCH_PARENT:
		return c->parent_seen != EXE_UNASKED;
	case MATCH_GROUP:
		return c->facts && !c->facts->groups;
	case MATCH_SHA256:
	case MATCH_VERIFIED:
		return c->facts && !c->facts->sha256;
	case MATCH_CMDLINE:
		return c->facts && c->facts->asks_cmdline;
	case MATCH_ANCESTOR:
		return c->facts && c->facts->forefathers;
	default:
		return false;
	}
}

enum truth policy_match_holds(const struct policy *p, const struct match *m, bool allows,
			      const struct connection *c)
{
	struct asked how = { .allows = allows, .negated = m->negated };
	bool unknown = false;

	/* Who hides a port must not get past a rule that denies it. */
	if (is_hidden(m->kind, c))
		return allows ? NO : YES;
	if (allows && c->only_holder && is_of_caller(m->kind))
		return NO;
	for (size_t i = 0; i < m->count; i++) {
		enum truth is = match_value(p, m->kind, &p->values[m->first + i], c, &how);

		if (is == YES)
			return m->negated ? NO : YES;
		unknown |= is == UNKNOWN;
	}
	if (unknown)
		return is_unreadable(m->kind, c) ? UNKNOWN : NO;
	return m->negated ? YES : NO;
}
