/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_POLICY_RULE_H
#define SOCKLEDGER_POLICY_RULE_H

#include "connection.h"
#include "network.h"

/*
 * A policy's insides, shared by policy_parse.c, which fills them, and policy.c, policy_match.c and
 * policy_shadow.c, which read them.
 */

enum match_kind {
	MATCH_EXE,
	MATCH_COMM,
	MATCH_USER,
	MATCH_LOGIN_USER,
	MATCH_GROUP,
	MATCH_SHA256,		/* the value's text is the hash itself */
	MATCH_VERIFIED,		/* one value, which says nothing */
	MATCH_CMDLINE,
	MATCH_PARENT,
	MATCH_ANCESTOR,		/* of any forefather */
	MATCH_UNIT,
	MATCH_CONTAINER,
	MATCH_NODE,
	MATCH_PROTO,
	MATCH_DIRECTION,
	MATCH_ADDRESS,		/* of the remote end */
	MATCH_LIST,		/* likewise, of any in a file */
	MATCH_NAME,		/* of the destination, as the process looked it up */
	MATCH_IFACE,
	MATCH_SRC,
	MATCH_DST,
	MATCH_SPORT,
	MATCH_DPORT,		/* "port" as well: the service's port */
};

/* What a program may be in place of a path. */
enum program_word {
	PROGRAM_PATH,
	PROGRAM_UNKNOWN,	/* nobody has seen its file, or it has no path */
	PROGRAM_OTHER,		/* its path is another root's */
};

/* One of the values of a match; the match's kind says which member it is. */
struct value {
	struct text text;	/* data NULL: the value is a number (of a user or group) */
	char *real;		/* a program's path without symbolic links; NULL: the same */
	enum program_word word;
	bool pattern;
	int64_t number, to;	/* -1: none; to: the end of a range of ports; a list's number */
	struct network network;
};

struct match {
	enum match_kind kind;
	bool negated;
	size_t first, count;	/* in values */
};

struct rule {
	enum verdict verdict;
	int line;
	const char *text;
	const char *comment;	/* NULL: none */
	bool certain;
	bool observe;		/* a verdict that is recorded only */
	bool expired;		/* its time is over */
	int64_t until_us;	/* when that is, by the wall clock; INT64_MAX: never */
	int64_t for_us;		/* how long after its file was written; 0: not said */
	int64_t until_boot_us;	/* when that is at the latest, by the boot clock; 0: not set */
	size_t first, count;	/* in matches */
};

/* A file of addresses. */
struct list_file {
	const char *path;
	int line;		/* of the first rule that names it */
	struct address_list *list;	/* owned; NULL: it has not been read */
};

struct policy {
	enum verdict fallback, unattributed, unreadable;	/* unreadable 0: not said */
	struct rule *rules;
	size_t rule_count;
	struct match *matches;
	size_t match_count;
	unsigned int kinds;	/* bits: those of all matches */
	struct value *values;
	size_t value_count;
	struct list_file *lists;
	size_t list_count;
	uint64_t lists_stamp;	/* of the files when they were read */
	int64_t next_us, next_boot_us;	/* when the next rule ends; 0: not looked for */
	char *store;		/* the texts */
	struct policy_index *index;	/* policy_index.h; NULL: there was no memory for it */
};

static inline bool policy_is_of_program(enum match_kind kind)
{
	return kind == MATCH_EXE || kind == MATCH_PARENT || kind == MATCH_ANCESTOR;
}

enum truth { NO, YES, UNKNOWN };

/* allows: its rule lets pass.  UNKNOWN: whether it holds depends on a program, or facts, that could
 * not be read.  Nothing else that is unknown holds. */
enum truth policy_match_holds(const struct policy *p, const struct match *m, bool allows,
			      const struct connection *c);

/* The byte that two hexadecimal digits mean; -1: they are none. */
int policy_hex_byte(const char *two);

static inline bool policy_has_slash(struct text t)
{
	return t.len && memchr(t.data, '/', t.len);
}

/* In a pattern '*' is any run of bytes, '?' one character. */
bool policy_pattern_matches(struct text pattern, struct text t);

/* A rule on trial lets pass what it is sure of, so it is no deny for what hides either: the rules
 * behind it would not be asked. */
static inline bool rule_lets_pass(const struct rule *r)
{
	return r->verdict == VERDICT_ACCEPT || r->observe;
}

#endif
