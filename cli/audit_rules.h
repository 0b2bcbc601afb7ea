/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_AUDIT_RULES_H
#define SOCKLEDGER_AUDIT_RULES_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Audit rules as text, from `auditctl -l` or a file of rules.d, and which of them fits a call
 * first: the kernel takes the first rule of a list that fits, and no other.
 */
struct audit_field {
	const char *name, *op, *value;
};

#define AUDIT_FIELDS	 32
#define AUDIT_CALL_LISTS 8

struct audit_rule {
	bool always;				/* else never */
	char list[12];				/* exit, task, exclude, ... */
	int arch;				/* 64, 32; 0: any */
	const char *calls[AUDIT_CALL_LISTS];	/* "socket,connect"; "all" */
	int call_lists;				/* 0: all calls */
	struct audit_field field[AUDIT_FIELDS]; /* but those of architecture and key */
	int fields;
	const char *key; /* the last one; NULL: none */
	bool ours;	 /* one of its keys is ours, or it leaves our own daemons out */
};

struct audit_rules {
	struct audit_rule *rule;
	size_t count, size;
	char *text; /* what all of them point into */
};

/* Takes over `text`, and frees it.  Rules that watch files are left out.  0 or -ENOMEM. */
int audit_rules_read(struct audit_rules *r, char *text, const char *our_key);
void audit_rules_release(struct audit_rules *r);

/* Takes this call in this table (64 or 32). */
bool audit_rule_takes(const struct audit_rule *r, const char *call, int arch);
/* NULL: it has no such field. */
const struct audit_field *audit_rule_field(const struct audit_rule *r, const char *name);

/* What an earlier rule leaves of the events that a later one would take, of a call of both. */
enum audit_overlap { OVERLAP_NONE, OVERLAP_SOME, OVERLAP_ALL };
enum audit_overlap audit_rule_overlap(const struct audit_rule *earlier,
				      const struct audit_rule *later);
/* The first call of `later` that both take; NULL: there is none. */
const char *audit_rule_common_call(const struct audit_rule *earlier, const struct audit_rule *later,
				   char *buf, size_t size);

#endif
