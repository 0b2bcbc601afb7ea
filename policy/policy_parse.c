/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A policy's text to its rules.  A line is a rule:
 *
 *   line:    ["observe"] VERDICT match...  |  "default" VERDICT  |  "unattributed" VERDICT
 *            |  "unreadable" VERDICT
 *   match:   ["not"] NAME value ["," value]...  |  "certain"
 *            |  "until" TIME  |  "for" DURATION
 *
 * Comments directly above a rule and behind it are the rule's.
 *
 * A wrong word is reported, and parsing continues after it, so one run finds all mistakes.  A
 * policy with a mistake is refused as a whole.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "policy.h"
#include "policy_index.h"
#include "policy_lex.h"
#include "policy_rule.h"
#include "protocol.h"

#define RULES_MAX 10000
#define VALUES_MAX 256
#define LISTS_MAX 64
/* Of a comment: whole lines, and the first one in any case. */
#define COMMENT_CHARS 400
/* TASK_COMM_LEN (linux/sched.h) is 16, with the terminator. */
#define COMM_CHARS 15
/* IFNAMSIZ (linux/if.h) likewise. */
#define IFACE_CHARS 15
/* RFC 1035, 2.3.4, as dns.c writes them. */
#define NAME_CHARS 255
/* (uid_t)-1 is not a user, nor a group. */
#define UID_MAX_VALUE 4294967294LL

enum value_kind {
	VALUE_PATH, VALUE_COMM, VALUE_TEXT, VALUE_USER, VALUE_GROUP, VALUE_PROTO, VALUE_DIRECTION,
	VALUE_NETWORK, VALUE_LIST, VALUE_PORTS, VALUE_SHA256, VALUE_NAME, VALUE_IFACE, VALUE_NONE
};

static const struct name {
	const char *name;
	enum match_kind kind;
	enum value_kind value;
} names[] = {
	{ "exe", MATCH_EXE, VALUE_PATH },
	{ "comm", MATCH_COMM, VALUE_COMM },
	{ "user", MATCH_USER, VALUE_USER },
	{ "login-user", MATCH_LOGIN_USER, VALUE_USER },
	{ "group", MATCH_GROUP, VALUE_GROUP },
	{ "sha256", MATCH_SHA256, VALUE_SHA256 },
	{ "verified", MATCH_VERIFIED, VALUE_NONE },
	{ "cmdline", MATCH_CMDLINE, VALUE_TEXT },
	{ "parent", MATCH_PARENT, VALUE_PATH },
	{ "ancestor", MATCH_ANCESTOR, VALUE_PATH },
	{ "unit", MATCH_UNIT, VALUE_TEXT },
	{ "container", MATCH_CONTAINER, VALUE_TEXT },
	{ "node", MATCH_NODE, VALUE_TEXT },
	{ "proto", MATCH_PROTO, VALUE_PROTO },
	{ "direction", MATCH_DIRECTION, VALUE_DIRECTION },
	{ "address", MATCH_ADDRESS, VALUE_NETWORK },
	{ "list", MATCH_LIST, VALUE_LIST },
	{ "name", MATCH_NAME, VALUE_NAME },
	{ "iface", MATCH_IFACE, VALUE_IFACE },
	{ "src", MATCH_SRC, VALUE_NETWORK },
	{ "dst", MATCH_DST, VALUE_NETWORK },
	{ "port", MATCH_DPORT, VALUE_PORTS },
	{ "sport", MATCH_SPORT, VALUE_PORTS },
	{ "dport", MATCH_DPORT, VALUE_PORTS },
};

struct parser {
	struct lexer lex;
	struct policy *policy;
	size_t rules_size, matches_size, values_size, lists_size;	/* room in the arrays */
	size_t stored;
	const char *above;	/* where the comment directly above this line begins; NULL */
	int rc;			/* -ENOMEM: memory was short */
	int default_line, unattributed_line, unreadable_line;	/* 0: none yet */
};

#define COMPLAIN(p, where, ...) LEXER_COMPLAIN(&(p)->lex, where, __VA_ARGS__)

static void next(struct parser *p)
{
	lexer_next(&p->lex);
}

static bool is_end(const struct parser *p)
{
	return p->lex.token == TOKEN_END || p->lex.token == TOKEN_BAD;
}

static bool is_value(const struct parser *p)
{
	return p->lex.token == TOKEN_WORD || p->lex.token == TOKEN_QUOTED;
}

static bool is_word(const struct parser *p, const char *word)
{
	return p->lex.token == TOKEN_WORD && !strcmp(p->lex.word, word);
}

/* Returns VERDICT_*, or 0. */
static int verdict_of(const struct parser *p)
{
	for (int v = VERDICT_ACCEPT; v <= VERDICT_REJECT; v++)
		if (is_word(p, policy_verdict_word((enum verdict)v)))
			return v;
	return 0;
}

static const struct name *name_of(const struct parser *p)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (is_word(p, names[i].name))
			return &names[i];
	return NULL;
}

/* Makes room for one more at array[count]; NULL where memory is short. */
static void *grow(struct parser *p, void *array, size_t *size, size_t count, size_t each)
{
	size_t more = *size ? *size * 2 : 16;

	if (count < *size)
		return array;
	array = reallocarray(array, more, each);
	if (array)
		*size = more;
	else
		p->rc = -ENOMEM;
	return array;
}

#define PUSH(p, member, number, size, item) \
	do { \
		void *room = grow(p, (p)->policy->member, &(p)->size, (p)->policy->number, \
				  sizeof(item)); \
		if (room) { \
			(p)->policy->member = room; \
			(p)->policy->member[(p)->policy->number++] = (item); \
		} \
	} while (0)

/*
 * The store has room for three times the text, because a word is kept once as a value and once in
 * its rule, and a comment once.
 */
static const char *store(struct parser *p, const char *text, size_t len)
{
	char *to = p->policy->store + p->stored;

	memcpy(to, text, len);
	to[len] = '\0';
	p->stored += len + 1;
	return to;
}

static bool digits_only(const char *s)
{
	return *s && s[strspn(s, "0123456789")] == '\0';
}

static bool parse_ports(char *text, struct value *v)
{
	char *dash = strchr(text, '-');
	int32_t from, to;
	bool good;

	if (dash)
		*dash = '\0';
	good = !port_parse(text, &from) && !port_parse(dash ? dash + 1 : text, &to) && from <= to;
	if (dash)
		*dash = '-';
	if (!good)
		return false;
	v->number = from;
	v->to = to;
	return true;
}

/* Returns NULL, or what is wrong with the word as a value of that kind. */
static const char *parse_text(struct parser *p, enum value_kind kind, struct value *v)
{
	size_t len = strlen(p->lex.word);

	if (kind == VALUE_PATH && is_word(p, "unknown"))
		v->word = PROGRAM_UNKNOWN;
	else if (kind == VALUE_PATH && is_word(p, "other"))
		v->word = PROGRAM_OTHER;
	if (v->word)
		return NULL;
	v->pattern = strpbrk(p->lex.word, "*?") != NULL;
	if (kind == VALUE_PATH && !strchr("/*?", p->lex.word[0]))
		return "is not an absolute path; '*/NAME' would be any program of that name";
	if (kind == VALUE_COMM && !v->pattern && len > COMM_CHARS)
		return "is longer than a process's name can be (15 bytes)";
	if (kind == VALUE_IFACE && !v->pattern && len > IFACE_CHARS)
		return "is longer than an interface's name can be (15 bytes)";
	if ((kind == VALUE_USER || kind == VALUE_GROUP) && digits_only(p->lex.word)) {
		v->number = len > 10 ? -1 : strtoll(p->lex.word, NULL, 10);
		return v->number >= 0 && v->number <= UID_MAX_VALUE ? NULL :
		       kind == VALUE_USER ? "is no user id" : "is no group id";
	}
	if (kind == VALUE_GROUP && v->pattern)
		return "is a pattern, and a group has a name or a number here";
	v->text = (struct text){ store(p, p->lex.word, len), len };
	return NULL;
}

static const char *parse_sha256(struct parser *p, struct value *v)
{
	const char *word = p->lex.word;
	char hash[32];

	for (size_t i = 0; i < sizeof(hash); i++) {
		int byte = policy_hex_byte(word + 2 * i);

		if (byte < 0)
			return "is no SHA-256: 64 hexadecimal digits, as sha256sum writes them";
		hash[i] = (char)byte;
	}
	if (word[2 * sizeof(hash)])
		return "is no SHA-256: more than 64 digits";
	v->text = (struct text){ store(p, hash, sizeof(hash)), sizeof(hash) };
	return NULL;
}

/* As names are kept: in small letters, and without the dot that may stand behind them. */
static const char *parse_name(struct parser *p, struct value *v)
{
	size_t len = strlen(p->lex.word);
	struct address address;
	char *name;

	if (!address_parse(p->lex.word, &address))
		return "is an address, not a name: 'address' is for those";
	if (len > 1 && p->lex.word[len - 1] == '.')
		len--;
	if (len > NAME_CHARS)
		return "is longer than a name can be (255 bytes)";
	v->pattern = strpbrk(p->lex.word, "*?") != NULL;
	name = p->policy->store + p->stored;
	v->text = (struct text){ store(p, p->lex.word, len), len };
	for (size_t i = 0; i < len; i++)
		name[i] = (char)tolower((unsigned char)name[i]);
	return NULL;
}

/* Each file is read once, also where many rules name it. */
static const char *parse_list(struct parser *p, struct value *v)
{
	struct list_file f = { .line = p->lex.line };

	if (p->lex.word[0] != '/')
		return "is not an absolute path";
	for (size_t i = 0; i < p->policy->list_count; i++)
		if (!strcmp(p->policy->lists[i].path, p->lex.word)) {
			v->number = (int64_t)i;
			return NULL;
		}
	if (p->policy->list_count == LISTS_MAX)
		return "is one list too many: 64 at most";
	f.path = store(p, p->lex.word, strlen(p->lex.word));
	v->number = (int64_t)p->policy->list_count;
	PUSH(p, lists, list_count, lists_size, f);
	return NULL;
}

static const char *parse_value(struct parser *p, enum value_kind kind, struct value *v)
{
	int number;

	*v = (struct value){ .number = -1 };
	if (!p->lex.word[0])
		return "is empty";
	switch (kind) {
	case VALUE_PROTO:
		if (protocol_parse(p->lex.word, &number))
			return "is no protocol";
		v->number = number;
		return NULL;
	case VALUE_DIRECTION:
		v->number = direction_parse(p->lex.word);
		return v->number ? NULL : "is no direction: out, in or forward";
	case VALUE_NETWORK:
		return network_parse(p->lex.word, &v->network) ?
		       "is neither ADDR nor ADDR/BITS" : NULL;
	case VALUE_SHA256:
		return parse_sha256(p, v);
	case VALUE_NAME:
		return parse_name(p, v);
	case VALUE_LIST:
		return parse_list(p, v);
	case VALUE_PORTS:
		return parse_ports(p->lex.word, v) ?
		       NULL : "is neither a port nor a range, as in 80-89";
	default:
		return parse_text(p, kind, v);
	}
}

static void read_values(struct parser *p, enum value_kind kind, struct match *m)
{
	for (;;) {
		if (is_value(p)) {
			struct value v;
			const char *why = parse_value(p, kind, &v);

			if (why)
				COMPLAIN(p, p->lex.start, "'%s' %s", lexer_shown(&p->lex), why);
			else
				PUSH(p, values, value_count, values_size, v);
			m->count = p->policy->value_count - m->first;
			if (!why && m->count == VALUES_MAX + 1)
				COMPLAIN(p, p->lex.start, "more than %d values", VALUES_MAX);
			next(p);
		} else if (p->lex.token != TOKEN_BAD) {
			COMPLAIN(p, p->lex.start, "a value is missing here");
		}
		if (p->lex.token != TOKEN_COMMA)
			return;
		next(p);
	}
}

/* Skips to a word where a match may begin. */
static void skip_to_name(struct parser *p)
{
	do
		next(p);
	while (!is_end(p) && !name_of(p) &&
	       !is_word(p, "not") && !is_word(p, "certain") && !is_word(p, "until") &&
	       !is_word(p, "for"));
}

static void read_certain(struct parser *p, struct rule *r, bool negated)
{
	if (negated)
		COMPLAIN(p, p->lex.start, "'certain' cannot be negated: a rule behind one with "
			 "'certain' is for the others");
	else if (r->certain)
		COMPLAIN(p, p->lex.start, "'certain' stands twice");
	r->certain = true;
	next(p);
}

/* When the rule ends: `until` and `for`. */
static void read_end(struct parser *p, struct rule *r, bool negated)
{
	bool is_for = is_word(p, "for");
	const char *word = is_for ? "for" : "until", *start = p->lex.start;
	int64_t *to = is_for ? &r->for_us : &r->until_us;
	int64_t us = 0;

	if (negated)
		COMPLAIN(p, start, "'%s' cannot be negated", word);
	else if (is_for ? r->for_us != 0 : r->until_us != INT64_MAX)
		COMPLAIN(p, start, "'%s' stands twice", word);
	next(p);
	if (!is_value(p)) {
		if (p->lex.token != TOKEN_BAD)
			COMPLAIN(p, p->lex.start, "a time is missing here");
		return;
	}
	if (is_for ? duration_parse(p->lex.word, &us) || us <= 0 : date_parse(p->lex.word, &us))
		COMPLAIN(p, p->lex.start, is_for ? "'%s' is no time, as in 30m, 12h, 2d" :
			 "'%s' is no time, as in 2030-01-31T12:00Z", lexer_shown(&p->lex));
	*to = us;
	next(p);
}

static void read_match(struct parser *p, struct rule *r)
{
	struct match m = { .negated = is_word(p, "not"), .first = p->policy->value_count };
	const struct name *name;

	if (m.negated)
		next(p);
	if (p->lex.token == TOKEN_BAD)
		return;
	if (is_word(p, "certain")) {
		read_certain(p, r, m.negated);
		return;
	}
	if (is_word(p, "until") || is_word(p, "for")) {
		read_end(p, r, m.negated);
		return;
	}
	name = name_of(p);
	if (!name) {
		if (is_value(p))
			COMPLAIN(p, p->lex.start, "unknown match '%s'", lexer_shown(&p->lex));
		else
			COMPLAIN(p, p->lex.start, "a match was expected here, as in 'exe PATH'");
		if (p->lex.token != TOKEN_END)
			skip_to_name(p);
		return;
	}
	m.kind = name->kind;
	/* Both would have to hold, and no user means that. */
	for (size_t i = 0; i < r->count && !m.negated; i++) {
		const struct match *other = &p->policy->matches[r->first + i];

		if (other->kind == m.kind && !other->negated)
			COMPLAIN(p, p->lex.start, name->value == VALUE_NONE ? "'%s' stands twice" :
				 "'%s' once more: ',' separates its values", name->name);
	}
	next(p);
	if (name->value == VALUE_NONE) {
		PUSH(p, values, value_count, values_size, ((struct value){ .number = -1 }));
		m.count = p->policy->value_count - m.first;
	} else {
		read_values(p, name->value, &m);
	}
	PUSH(p, matches, match_count, matches_size, m);
	p->policy->kinds |= 1u << m.kind;
	r->count = p->policy->match_count - r->first;
}

struct comment {
	char *at;		/* in the store */
	size_t len;
	bool full;
};

/* Adds a line of a comment, which begins with its '#'. */
static void add_comment(struct comment *c, const char *from, const char *end)
{
	while (from < end && strchr("# \t", *from))
		from++;
	while (from < end && strchr(" \t\r", end[-1]))
		end--;
	if (from == end || c->full)
		return;
	c->full = c->len && c->len + (size_t)(end - from) > COMMENT_CHARS;
	if (c->full)
		return;
	if (c->len)
		c->at[c->len++] = ' ';
	memcpy(c->at + c->len, from, (size_t)(end - from));
	c->len += (size_t)(end - from);
}

/* The comment above the line, and behind its rule; NULL: there is none. */
static const char *read_comment(struct parser *p)
{
	struct comment c = { .at = p->policy->store + p->stored };

	for (const char *line = p->above; line && line < p->lex.from;) {
		const char *end = memchr(line, '\n', (size_t)(p->lex.from - line));

		line += strspn(line, " \t");
		add_comment(&c, line, end);
		line = end + 1;
	}
	add_comment(&c, p->lex.start, p->lex.end);
	if (!c.len)
		return NULL;
	c.at[c.len] = '\0';
	p->stored += c.len + 1;
	return c.at;
}

/* from: where the rule begins, as it is shown. */
static void read_rule(struct parser *p, const char *from, int verdict, bool observe)
{
	struct rule r = { .verdict = (enum verdict)verdict, .line = p->lex.line,
			  .first = p->policy->match_count, .until_us = INT64_MAX,
			  .observe = observe };
	const char *end;
	unsigned int before = p->lex.diags->count;

	next(p);
	if (p->lex.token == TOKEN_END)
		COMPLAIN(p, p->lex.start, "nothing to match; 'default %s' is for all the rest",
			 policy_verdict_word(r.verdict));
	while (!is_end(p) && !p->rc)
		read_match(p, &r);
	if (p->lex.diags->count != before || p->rc)
		return;
	if (p->policy->rule_count == RULES_MAX) {
		COMPLAIN(p, from, "more than %d rules", RULES_MAX);
		return;
	}
	for (end = p->lex.start; end[-1] == ' ' || end[-1] == '\t';)
		end--;
	r.text = store(p, from, (size_t)(end - from));
	r.comment = read_comment(p);
	PUSH(p, rules, rule_count, rules_size, r);
}

static void read_default(struct parser *p, enum verdict *to, int *line)
{
	const char *name = to == &p->policy->fallback ? "default" :
			   to == &p->policy->unreadable ? "unreadable" : "unattributed";
	int verdict;

	if (*line)
		COMPLAIN(p, p->lex.start, "'%s' already stands in line %d", name, *line);
	else
		*line = p->lex.line;
	next(p);
	verdict = verdict_of(p);
	if (p->lex.token == TOKEN_BAD)
		return;
	if (!verdict) {
		COMPLAIN(p, p->lex.start, "a verdict was expected here: allow, deny or reject");
		return;
	}
	*to = (enum verdict)verdict;
	next(p);
	if (!is_end(p))
		COMPLAIN(p, p->lex.start, "nothing can follow '%s' and its verdict", name);
}

static void read_observe(struct parser *p)
{
	const char *from = p->lex.start;
	int verdict;

	next(p);
	verdict = verdict_of(p);
	if (p->lex.token == TOKEN_BAD)
		return;
	if (verdict == VERDICT_DROP || verdict == VERDICT_REJECT)
		read_rule(p, from, verdict, true);
	else
		COMPLAIN(p, p->lex.start, "'observe' is for rules that deny or reject");
}

static void read_line(struct parser *p)
{
	int verdict;

	next(p);
	verdict = verdict_of(p);
	if (is_end(p))
		return;
	if (verdict)
		read_rule(p, p->lex.start, verdict, false);
	else if (is_word(p, "observe"))
		read_observe(p);
	else if (is_word(p, "default"))
		read_default(p, &p->policy->fallback, &p->default_line);
	else if (is_word(p, "unattributed"))
		read_default(p, &p->policy->unattributed, &p->unattributed_line);
	else if (is_word(p, "unreadable"))
		read_default(p, &p->policy->unreadable, &p->unreadable_line);
	else
		COMPLAIN(p, p->lex.start, "a rule begins with allow, deny, reject, observe, "
			 "default, unattributed or unreadable");
}

static bool is_comment(const char *line, const char *end)
{
	while (line < end && (*line == ' ' || *line == '\t'))
		line++;
	return line < end && *line == '#';
}

static void read_text(struct parser *p, const char *text, size_t len)
{
	const char *at = text, *end = text + len;

	while (at < end && !p->rc) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));

		if (lexer_line(&p->lex, at, newline ? newline : end))
			read_line(p);
		if (!is_comment(at, newline ? newline : end))
			p->above = NULL;
		else if (!p->above)
			p->above = at;
		at = newline ? newline + 1 : end;
	}
}

int policy_parse(const char *name, const char *text, size_t len, struct diags *d,
		 struct policy **out)
{
	struct parser p = { .lex = { .name = name, .diags = d } };
	unsigned int before = d->count;

	*out = NULL;
	p.policy = calloc(1, sizeof(*p.policy));
	if (!p.policy)
		return -ENOMEM;
	p.policy->fallback = VERDICT_ACCEPT;
	/* A word with its terminator takes no more room than the word and its separator did. */
	p.policy->store = malloc(3 * (len + 1));
	if (!p.policy->store)
		p.rc = -ENOMEM;
	read_text(&p, text, len);
	/*
	 * A policy that denies by default also denies what is not attributed, unless it says
	 * otherwise.
	 */
	if (!p.unattributed_line)
		p.policy->unattributed = p.policy->fallback;
	if (!p.rc && d->count != before)
		p.rc = -EINVAL;
	if (p.rc) {
		policy_free(p.policy);
		return p.rc;
	}
	policy_index_make(p.policy);
	*out = p.policy;
	return 0;
}
