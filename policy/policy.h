/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_POLICY_H
#define SOCKLEDGER_POLICY_H

#include <stdbool.h>
#include <stddef.h>

#include "connection.h"

struct diags;

/*
 * Decides what happens to a connection: rules that the user wrote (sockledger.policy(5)), of which
 * the first that matches decides.  Pure: no system calls, and a policy never changes after it was
 * read, but for the numbers of users and groups, lists of addresses (policy_file.h), and rules that
 * have ended.
 *
 * An unknown value never matches, with `not` neither: otherwise a connection of that very program
 * could pass as another's.  But a rule that denies programs applies where the program is unknown
 * and may be one of them; and only the path of a file that was seen to be there lets pass.  It is
 * the same with facts that could not be read.
 *
 * Protocol, ports and destination of a packet whose head is unreadable are the exception: whoever
 * sent it can have hidden them on purpose.  There they match in each rule that denies or rejects,
 * `not` or no `not`, and in none that allows.
 */
struct policy;

/* A process that started another one. */
struct forefather {
	struct text exe;	/* its program */
	int64_t seen;		/* what that is worth: enum exe_seen */
	bool then;		/* it has started the next one and run that program then: the trace
				 * has seen it, of this one and of all between */
};

struct forefathers {
	const struct forefather *by;	/* the parent first */
	size_t count;
	bool whole;		/* up to one that nobody has started */
};

/* What a policy alone asks of a process and its packet; nobody keeps it. */
struct process_facts {
	const uint32_t *groups;	/* real, effective and all others; NULL: could not be read */
	size_t group_count;
	const unsigned char *sha256;	/* of its program's file, 32 bytes; NULL: not known */
	bool verified;		/* the file is a package's; of a known one */
	bool asks_cmdline;	/* for the process's cmdline, which the connection has; else
				 * nobody has asked */
	const struct forefathers *forefathers;	/* NULL: nobody has asked */
	bool asks_ifaces;	/* likewise for the names of interfaces: */
	struct text iface_in, iface_out;	/* that the packet came in by and leaves by; none:
						 * not known, or there is none */
};

struct policy_answer {
	enum verdict verdict;	/* VERDICT_ACCEPT, VERDICT_DROP or VERDICT_REJECT */
	int line;		/* of the rule; 0: a default */
	const char *rule;	/* as written, or "default", "unattributed", "unreadable",
				 * "kernel"; the policy's */
	bool observe;		/* the rule only records its verdict: the packet passes */
	const char *comment;	/* of the rule; NULL: it has none */
	bool wants_certain;	/* an earlier rule would have matched, were the attribution
				 * certain: the packet may wait for proof */
};

/*
 * Reads the policy `text`; complaints about all its mistakes carry `name`.  The policy owns
 * copies.  0, -EINVAL where there are mistakes, -ENOMEM; *out is NULL on failure.
 */
int policy_parse(const char *name, const char *text, size_t len, struct diags *d,
		 struct policy **out);
void policy_free(struct policy *p);

/* The reason of an outgoing packet that the kernel itself sends. */
#define POLICY_REASON_KERNEL "kernel"
/* The reason of a packet whose head hides what it is, whoever has sent it. */
#define POLICY_REASON_UNREADABLE "unreadable"

/*
 * The one answer for c.  Without a matching rule: accept for what the kernel itself sends, or else
 * `unattributed` for a connection whose certainty is unknown, or `unreadable`, where the policy
 * says that, for a process whose program is unknown, otherwise `default`.
 */
void policy_decide(const struct policy *p, const struct connection *c, struct policy_answer *a);
/* Likewise, where paths that nobody has seen are taken for what they say. */
void policy_decide_as_told(const struct policy *p, const struct connection *c,
			   struct policy_answer *a);

/* What was to be seen at the verdict, and the ledger does not keep: bits. */
enum policy_gap {
	POLICY_GAP_EXE = 1,	/* what the program's path is worth: it says EXE_TOLD, or EXE_USERS
				 * where it may have been EXE_OTHER */
	POLICY_GAP_PARENT = 2,	/* likewise of the parent's */
	POLICY_GAP_PROTO = 4,
	POLICY_GAP_SRC = 8,	/* addresses and ports */
	POLICY_GAP_DST = 16,
	POLICY_GAP_SPORT = 32,
	POLICY_GAP_DPORT = 64,
	POLICY_GAP_GROUPS = 128,	/* all of the process's groups but the real one */
	POLICY_GAP_HASH = 256,	/* what was in the program's file */
	POLICY_GAP_CMDLINE = 512,	/* the command line, or its end */
	POLICY_GAP_ANCESTORS = 1024,	/* the files of the process's forefathers */
	POLICY_GAP_IFACE = 2048,
	POLICY_GAP_NAME = 4096,	/* whether the process looked the destination's name up */
	POLICY_GAPS_END = 8192,
};

/*
 * As policy_decide(), of a past connection with these gaps.  0: *a is the answer, whatever was in
 * them.  Otherwise those of them come back that the verdict depends on, and *a is one of the
 * answers that were possible.
 */
unsigned int policy_decide_with_gaps(const struct policy *p, const struct connection *c,
				     unsigned int gaps, struct policy_answer *a);

/*
 * Whether a rule asks more of a process than its program, name and user: if none does, the rest may
 * be read after the verdict.
 */
bool policy_needs_full_process(const struct policy *p);
/*
 * Whether any rule asks about the process; if not, the verdict depends on the packet and on whether
 * it is attributed at all.
 */
bool policy_needs_process(const struct policy *p);
/* Whether rules compare users' names, as patterns do; other names became numbers. */
bool policy_needs_user_names(const struct policy *p);
/* Whether any rule asks for facts.sha256 or facts.verified. */
bool policy_needs_hashes(const struct policy *p);
/* Whether any rule asks for facts.groups. */
bool policy_needs_groups(const struct policy *p);
/* For the command line; for facts.forefathers; for facts.iface_in and iface_out. */
bool policy_needs_cmdline(const struct policy *p);
bool policy_needs_forefathers(const struct policy *p);
bool policy_needs_ifaces(const struct policy *p);
/* Whether any rule asks for names of destinations. */
bool policy_needs_names(const struct policy *p);
/*
 * Sets the numbers of the users and groups that rules name.  number_of() returns -1 for a name that
 * nobody has; such a rule then matches a user by name alone, and no group.  Beside the rest of the
 * rules these are all that can change.
 */
void policy_number_users(struct policy *p,
			 int64_t (*number_of)(void *arg, const char *name, bool group), void *arg);
/* A group that the rule names, and nobody has; NULL: there is none. */
const char *policy_unknown_group(const struct policy *p, size_t rule);

/*
 * Programs' paths that rules name: what they are without symbolic links, as the kernel tells paths.
 * resolve() returns that for a file or directory, to be freed; NULL: there is none.
 */
void policy_resolve_paths(struct policy *p, char *(*resolve)(const char *path));

/*
 * Rules may end.  policy_written() is told when the file was written, which is when `for` begins;
 * policy_pass_time() what time it is by the wall clock and by the boot clock, and says whether a
 * rule has ended since.  Whichever clock says so first has it: neither a clock that is set back nor
 * a suspended machine keeps a rule longer, and no rule comes back.
 */
void policy_written(struct policy *p, int64_t time_us);
bool policy_pass_time(struct policy *p, int64_t now_us, int64_t boot_us);
/* As it was, or would have been, at a time that is past. */
void policy_at(struct policy *p, int64_t time_us);
/* Whether some rule will end. */
bool policy_ends(const struct policy *p);
/* Whether the rule is over, and since when. */
bool policy_is_over(const struct policy *p, size_t rule, int64_t *since_us);

/* How many files of addresses its rules name; file 0, 1, ..., and the line of a rule that does. */
size_t policy_list_count(const struct policy *p);
const char *policy_list_path(const struct policy *p, size_t list, int *line);
/* Addresses and networks that it had; 0 where nobody has read it. */
size_t policy_list_size(const struct policy *p, size_t list);

/* The number of rules, without the defaults. */
size_t policy_rule_count(const struct policy *p);
/* Rule 0, 1, ... as written, and its line. */
const char *policy_rule(const struct policy *p, size_t rule, int *line);
/* Its comment; NULL: it has none. */
const char *policy_comment(const struct policy *p, size_t rule);
/* The rule asks for the name of a destination. */
bool policy_rule_has_name(const struct policy *p, size_t rule);
/* The rule lets pass whoever says so of itself: of the process it asks `cmdline` alone, or `comm`
 * as well. */
bool policy_rule_believes(const struct policy *p, size_t rule);
/* The line of an earlier rule that matches whatever this one does, so that it never decides; 0:
 * none that was found. */
int policy_shadowed_by(const struct policy *p, size_t rule);
/* The verdict where no rule matches. */
enum verdict policy_default(const struct policy *p, bool attributed);

/* The verdict for programs that are unknown; 0: the policy does not say. */
enum verdict policy_unreadable(const struct policy *p);

/* The language's word for a verdict: allow, deny, reject. */
const char *policy_verdict_word(enum verdict v);

#endif
