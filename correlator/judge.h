/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_JUDGE_H
#define SOCKLEDGER_JUDGE_H

#include <stdbool.h>
#include <stdint.h>

struct config;
struct nfqueue;
struct nfqueue_packet;
struct observer;
struct policy;
struct procfs;
struct recorder;
struct sockdiag;
struct users;

/*
 * The first packet of a connection: who sent it, may it, and the row about it.  Every packet gets
 * exactly one verdict: at once, or when what it waits for has come, or when its deadline has.
 */
struct judge;

/* Everything stays borrowed and has to outlive the judge. */
struct judge_tools {
	const struct config *config;
	struct nfqueue *queue;
	struct sockdiag *sockdiag;
	struct procfs *procfs;
	struct observer *observer;
	struct recorder *recorder;
	struct users *users;
};

/* policy is owned from here on.  NULL where memory is short. */
struct judge *judge_new(const struct judge_tools *tools, struct policy *policy);
/* Packets that still wait get the verdict that their deadline would have given them. */
void judge_free(struct judge *j);

/* Another policy from the next packet on; the old one is freed. */
void judge_set_policy(struct judge *j, struct policy *policy);

void judge_packet(struct judge *j, const struct nfqueue_packet *p);

/* Events have come, or time has gone by: looks again at the packets that wait.  Milliseconds until
 * the next deadline; -1: none waits. */
int judge_turn(struct judge *j);

/* Hands its counters to the recorder, for `sockledger stats`. */
void judge_publish(struct judge *j);

#endif
