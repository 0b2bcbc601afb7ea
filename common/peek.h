/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_PEEK_H
#define SOCKLEDGER_PEEK_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Questions to /proc that another process can make wait (question.h).  Processes of our own ask
 * them, the lookers (looker.h).  One that does not come back is killed, and another one takes its
 * place; the process that it looked at is unreadable, and is not looked at again for ten seconds
 * (shunned.h).  A looker that survives SIGKILL is left behind: when all are, nobody looks until one
 * of them is gone.
 *
 * All but peek_start(), peek_renew() and peek_stop() are for one thread at a time.
 */
struct look;
struct looks;
struct peek;
struct seen;

/*
 * *out NULL: the caller looks itself.  looks->path has to outlive it.  realtime: who asks may be a
 * real-time thread.  0 or -errno.
 */
int peek_start(const struct looks *looks, bool realtime, struct peek **out);
void peek_stop(struct peek *p);
/*
 * Puts a new looker in the place of each, one after another, so that some are there all the time.
 * A process has the system calls that the thread had which made it, when it did: those that were
 * made before confine() have all, and those that are made then do not.  Any thread may call it,
 * also while another one asks: that one's question may be lost then.  p may be NULL.
 */
void peek_renew(struct peek *p);

enum peek_word {
	PEEK_TOLD,
	PEEK_OVERDUE,		/* it was waited for long enough: a->at, or q->pid is unreadable */
	PEEK_UNREADABLE,	/* it was not asked */
};

/*
 * Asks and waits for the answer.  That costs two changes between processes, and some milliseconds
 * where a process wants it so: those it costs once in ten seconds, and its user eight times.
 * Where the answer is overdue *a has what was found so far.  Its texts are good until the next
 * question.
 */
enum peek_word peek_now(struct peek *p, const struct look *q, struct seen *a);
/* This process is not to be looked at: questions about several leave it out. */
bool peek_is_shunned(struct peek *p, int64_t pid);

struct peek_counts {
	int64_t asked, overdue;	/* questions; their looker did not come back in time */
	int64_t refused;	/* not asked: the process is unreadable, or its user had enough */
	int64_t gone;		/* not asked: no looker was there */
	int64_t left;		/* lookers that survive SIGKILL */
	int64_t last_pid, last_uid;	/* whom the last one that was overdue looked at; uid -1: it
					   was gone */
};
struct peek_counts peek_counts(const struct peek *p);

#endif
