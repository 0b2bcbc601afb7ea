/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_IN_FORCE_H
#define SOCKLEDGER_IN_FORCE_H

#include <stdbool.h>
#include <stdint.h>

#include "file_hash.h"
#include "links.h"
#include "policy.h"

struct config;
struct connection;
struct host;
struct inquiry;
struct process_snapshot;

/* The policy by which the judge decides, and what it makes the judge ask. */
struct in_force {
	struct policy *policy;	/* owned */
	bool needs_full_process, needs_user_names, needs_process;	/* policy_needs_...() */
	bool needs_groups, needs_hashes, needs_cmdline, needs_forefathers, needs_ifaces;
	bool ends;		/* policy_ends() */
};

/* Another policy from here on; the old one is freed. */
void in_force_set(struct in_force *f, struct policy *policy);
void in_force_release(struct in_force *f);

/* A rule's time may be over: it is not asked any more.  True: one's is. */
bool in_force_pass_time(struct in_force *f);
/* How soon that wants to be called, also where the machine has been suspended. */
#define IN_FORCE_TIME_MS 1000

/* The verdict that the packet gets: of a rule that only observes it is not the recorded one. */
enum verdict in_force_verdict(const struct policy_answer *a);

/* The packet passes, whichever process is found to have sent it. */
bool in_force_passes(const struct in_force *f, const struct config *config,
		     const struct connection *packet);

/* A process with more groups has them unread. */
#define IN_FORCE_GROUPS 1024

/* What the policy asks of a process beside what describes it. */
struct in_force_facts {
	struct process_facts facts;
	uint32_t groups[IN_FORCE_GROUPS];
	struct file_hash hash;
	char iface_in[LINK_NAME_MAX], iface_out[LINK_NAME_MAX];
};

/* What the verdict hangs on, and is not known yet. */
struct in_force_wants {
	bool proof;		/* a second witness, for a rule that wants certainty */
	bool hash;		/* what is in the program's file: it is being found out */
	bool call;		/* whether the process, which holds the socket, made the call */
	const char *reason;	/* why its holder will not do; NULL: it does */
};

/*
 * Decides about c, the packet of q, whose process p describes.  Facts that the policy wants are
 * asked for: they are in `to` from here on.  Where only the holder of the socket is known, a is
 * what holds whoever made the call.
 */
void in_force_decide(const struct in_force *f, struct host *h, struct inquiry *q,
		     struct connection *c, const struct process_snapshot *p,
		     struct in_force_facts *to, struct policy_answer *a,
		     struct in_force_wants *wants);

/* The answer about a process that a late record has named; false: it hangs on facts, which nobody
 * has asked of that process in time. */
bool in_force_decide_late(const struct in_force *f, const struct connection *c,
			  struct policy_answer *a);

#endif
