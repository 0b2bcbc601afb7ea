/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_JUDGE_H
#define SOCKLEDGER_JUDGE_H

#include <stdbool.h>
#include <stdint.h>

struct config;
struct ctmarks;
struct deaths;
struct event;
struct host;
struct nfqueue;
struct nfqueue_packet;
struct outcome;
struct policy;
struct ledger_sink;
struct user_names;

/*
 * The first packet of a connection: who sent it, may it, and the row about it.  Every packet gets
 * exactly one verdict: at once, or when what it waits for has come, or when its deadline has.
 */
struct judge;

/* Everything stays borrowed and has to outlive the judge. */
struct judge_tools {
	const struct config *config;
	struct nfqueue *queue;
	struct host *host;
	struct ledger_sink *ledger_sink;
	struct user_names *users;
	struct ctmarks *marks;
	struct deaths *deaths;	/* NULL: the kernel does not announce them */
};

/* policy is owned from here on.  NULL where memory is short. */
struct judge *judge_new(const struct judge_tools *tools, struct policy *policy);
/* Packets that still wait get the verdict that their deadline would have given them, and the
 * counters their last values. */
void judge_end(struct judge *j);
void judge_free(struct judge *j);

/* Another policy from the next packet on; the old one is freed. */
void judge_set_policy(struct judge *j, struct policy *policy);

/* The policy has changed in part: nothing is answered as it was before. */
void judge_policy_changed(struct judge *j);

/* More is known of programs' files: a packet may have waited for that. */
void judge_hashes_came(struct judge *j);

/* Before packets are shown: what the kernel has told meanwhile of the flows that they may be of. */
void judge_begin(struct judge *j);
void judge_packet(struct judge *j, const struct nfqueue_packet *p);

/* The observer has had this event: it may be what a packet waits for. */
void judge_event(struct judge *j, const struct event *e);
/* A record came after its packet's verdict (OUTCOME_CONFIRM).  A row whose process the policy would
 * have judged otherwise gets the reason "misjudged". */
void judge_late_record(struct judge *j, struct outcome *out);

/* What is due by the time that has passed: deadlines, a piece of the search through /proc, and once
 * a second what the kernel lost.  Milliseconds until it wants to be called again; -1: not before
 * something comes. */
int judge_poll(struct judge *j);

/* To be polled: where it is readable judge_poll() has something to do; -1: nothing is wanted. */
int judge_fd(const struct judge *j);

/* Whether a packet waits for a record. */
bool judge_waits(const struct judge *j);

/* Hands its counters to the recorder, for `sockledger stats`. */
void judge_publish(struct judge *j);

#endif
