/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Audit rules as text, and which of them fits a call first. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit_rules.h"
#include "config.h"
#include "text.h"

static bool in_list(const char *list, const char *word)
{
	size_t len = strlen(word);

	for (const char *p = list; *p; p += strcspn(p, ","), p += *p == ',')
		if (!strncmp(p, word, len) && (p[len] == ',' || !p[len]))
			return true;
	return false;
}

static bool is_our_key(const char *key, const char *our_key)
{
	return config_takes_key(our_key, key, strlen(key));
}

/* A rule that comes with sockledger and has no key: not our own daemons. */
static bool is_own_exe(const struct audit_field *f)
{
	return !strcmp(f->name, "exe") && (text_ends_with(text_of(f->value), "/sockledgerd") ||
					   text_ends_with(text_of(f->value), "/audisp-sockledger"));
}

/* "name=value": cuts it into its parts.  False where it is none. */
static bool cut_field(char *word, struct audit_field *f)
{
	size_t name = strcspn(word, "=!<>&"), op = strspn(word + name, "=!<>&");
	static const char *const ops[] = { "=", "!=", "<", ">", "<=", ">=", "&", "&=" };

	f->op = NULL;
	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++)
		if (strlen(ops[i]) == op && !strncmp(ops[i], word + name, op))
			f->op = ops[i];
	f->name = word;
	f->value = word + name + op;
	word[name] = '\0';
	return name && f->op;
}

static bool take_field(struct audit_rule *r, char *word, const char *our_key)
{
	struct audit_field f;

	if (!cut_field(word, &f))
		return false;
	if (!strcmp(f.name, "key")) {
		r->key = f.value;
		r->ours |= is_our_key(f.value, our_key);
	} else if (!strcmp(f.name, "arch") && !strcmp(f.op, "=")) {
		r->arch = !strcmp(f.value, "b32") || !strcmp(f.value, "i386") ? 32 : 64;
	} else if (r->fields < AUDIT_FIELDS) {
		r->field[r->fields++] = f;
		r->ours |= !r->always && is_own_exe(&f);
	}
	return true;
}

static void take_list(struct audit_rule *r, char *word)
{
	static const char *const lists[] = {"exit", "task",	  "exclude",
					    "user", "filesystem", "io_uring"};

	r->always = in_list(word, "always");
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		if (in_list(word, lists[i]))
			snprintf(r->list, sizeof(r->list), "%s", lists[i]);
	/* So auditctl says before 3.1, which has no name for it. */
	if (in_list(word, "(null)"))
		snprintf(r->list, sizeof(r->list), "io_uring");
}

/* False where the line is no rule. */
static bool read_rule(struct audit_rule *r, char *line, const char *our_key)
{
	char *save = NULL;
	bool list = false;

	*r = (struct audit_rule){ 0 };
	for (char *word = strtok_r(line, " \t\r", &save); word;
	     word = strtok_r(NULL, " \t\r", &save)) {
		char *value;

		if (word[0] != '-')
			return false;
		value = strtok_r(NULL, " \t\r", &save);
		if (!value)
			return false;
		if (!strcmp(word, "-a") || !strcmp(word, "-A")) {
			take_list(r, value);
			list = r->list[0] != '\0';
		} else if (!strcmp(word, "-S")) {
			if (r->call_lists < AUDIT_CALL_LISTS)
				r->calls[r->call_lists++] = value;
		} else if (!strcmp(word, "-k")) {
			r->key = value;
			r->ours |= is_our_key(value, our_key);
		} else if ((!strcmp(word, "-F") || !strcmp(word, "-C")) &&
			   !take_field(r, value, our_key)) {
			return false;
		}
	}
	return list;
}

static struct audit_rule *add_rule(struct audit_rules *r)
{
	if (r->count == r->size) {
		size_t more = r->size ? 2 * r->size : 64;
		struct audit_rule *grown = reallocarray(r->rule, more, sizeof(*grown));

		if (!grown)
			return NULL;
		r->rule = grown;
		r->size = more;
	}
	return &r->rule[r->count];
}

int audit_rules_read(struct audit_rules *r, char *text, const char *our_key)
{
	char *save = NULL;

	*r = (struct audit_rules){ .text = text };
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		struct audit_rule *rule = add_rule(r);

		if (!rule) {
			audit_rules_release(r);
			return -ENOMEM;
		}
		r->count += read_rule(rule, line, our_key);
	}
	return 0;
}

void audit_rules_release(struct audit_rules *r)
{
	free(r->rule);
	free(r->text);
	*r = (struct audit_rules){ 0 };
}

static bool takes_call(const struct audit_rule *r, const char *call)
{
	bool takes = !r->call_lists;

	for (int i = 0; i < r->call_lists; i++)
		takes |= in_list(r->calls[i], "all") || in_list(r->calls[i], call);
	return takes;
}

bool audit_rule_takes(const struct audit_rule *r, const char *call, int arch)
{
	return !strcmp(r->list, "exit") && (!r->arch || r->arch == arch) && takes_call(r, call);
}

const struct audit_field *audit_rule_field(const struct audit_rule *r, const char *name)
{
	for (int i = 0; i < r->fields; i++)
		if (!strcmp(r->field[i].name, name))
			return &r->field[i];
	return NULL;
}

/* Numbers are compared as numbers, because auditctl writes 0x2 where the file has 2. */
static bool same_value(const char *a, const char *b)
{
	static const struct {
		const char *name, *number;
	} families[] = {
		{ "unspec", "0" },
		{ "inet", "2" },
		{ "inet6", "10" },
	};
	char *end_a, *end_b;
	long long n, m;

	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		if (!strcmp(a, families[i].name))
			a = families[i].number;
		if (!strcmp(b, families[i].name))
			b = families[i].number;
	}
	n = strtoll(a, &end_a, 0);
	m = strtoll(b, &end_b, 0);
	if (end_a != a && end_b != b && !*end_a && !*end_b)
		return n == m;
	return !strcmp(a, b);
}

/* Of files: a socket call has none of these. */
static bool is_of_files(const char *name)
{
	return in_list("path,dir,perm,inode,devmajor,devminor,filetype,obj_uid,obj_gid,fstype",
		       name);
}

enum audit_overlap audit_rule_overlap(const struct audit_rule *earlier,
				      const struct audit_rule *later)
{
	enum audit_overlap overlap = OVERLAP_ALL;

	if (strcmp(earlier->list, later->list) ||
	    (earlier->arch && later->arch && earlier->arch != later->arch))
		return OVERLAP_NONE;
	for (int i = 0; i < earlier->fields; i++) {
		const struct audit_field *e = &earlier->field[i];
		bool same = false;

		if (is_of_files(e->name))
			return OVERLAP_NONE;
		for (int j = 0; j < later->fields; j++) {
			const struct audit_field *l = &later->field[j];

			if (strcmp(e->name, l->name))
				continue;
			same |= !strcmp(e->op, l->op) && same_value(e->value, l->value);
			if (!strcmp(e->op, "=") && !strcmp(l->op, "=") &&
			    !same_value(e->value, l->value))
				return OVERLAP_NONE;
		}
		if (!same)
			overlap = OVERLAP_SOME;
	}
	return overlap;
}

const char *audit_rule_common_call(const struct audit_rule *earlier, const struct audit_rule *later,
				   char *buf, size_t size)
{
	for (int i = 0; i < later->call_lists; i++) {
		const char *next;

		for (const char *p = later->calls[i]; *p; p = next) {
			size_t len = strcspn(p, ",");

			next = p + len + (p[len] == ',');
			if (len >= size)
				continue;
			memcpy(buf, p, len);
			buf[len] = '\0';
			if (takes_call(earlier, buf))
				return buf;
		}
	}
	return NULL;
}
