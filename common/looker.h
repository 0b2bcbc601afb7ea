/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_LOOKER_H
#define SOCKLEDGER_LOOKER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "question.h"

/*
 * A looker: a process of our own that reads what can make who reads it wait, and can be killed
 * then, which a thread cannot.  It shares our memory (CLONE_VM), because to change between two
 * memories takes longer than most looks, and nothing else: not our descriptors, not our signals.
 *
 * A thread starts it and waits for its end, and then starts another one.  The thread lends it its
 * thread-local storage meanwhile (errno), which is why each looker has a thread of its own.
 *
 * One question at a time: looker_ask(), then looker_has_answered() or looker_await(), then either
 * looker_take() or looker_give_up().
 */
struct looker {
	_Atomic uint32_t word;		/* a futex: whose turn it is */
	_Atomic bool ends;
	pthread_mutex_t lock;		/* of pid */
	pid_t parent;			/* whose thread that is */
	pid_t pid;			/* 0: none */
	_Atomic int64_t given_up_ns;	/* and it is not gone yet; 0: it was not */
	pthread_t thread;
	const struct looks *looks;
	void *opened;			/* what its looks work with */
	char *stack;
	bool realtime;
	int cpu;			/* where it runs; -1: anywhere */
	struct look q;
	struct seen a;
	char text[LOOK_TEXT_MAX];
};

/* NULL: errno.  looks stay borrowed.  It is there a moment later. */
struct looker *looker_start(const struct looks *looks, bool realtime);
/* Kills it.  One that survives that is left behind, and its memory with it. */
void looker_stop(struct looker *l);

/* Another one takes its place, and is there when this returns, or will be soon.  Any thread may
 * call it: who has asked it sees that it is gone. */
void looker_renew(struct looker *l);

/* It is there, and has nothing to do. */
bool looker_is_free(struct looker *l);
/* It runs where who asks does: to be woken there costs a change of processes, elsewhere ten times
 * that. */
void looker_ask(struct looker *l, const struct look *q);
/* Waits until then; true: it has answered. */
bool looker_await(struct looker *l, int64_t until_ns);
bool looker_has_answered(struct looker *l);
/* It waits for whom it looks at; else it is running, or no processor lets it. */
bool looker_waits(struct looker *l);
/* The answer is in l->a and l->text until the next question. */
void looker_take(struct looker *l);
/* Kills it.  What it has found so far is in l->a and l->text until another one is free. */
void looker_give_up(struct looker *l);
/* That was long ago, and it is still there. */
bool looker_is_left(struct looker *l);

#endif
