/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_DESCRIBE_H
#define SOCKLEDGER_DESCRIBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "connection.h"
#include "inquiry.h"
#include "process.h"

struct connection;
struct host;
struct user_names;

/* A living process as /proc showed it. */
struct process_snapshot {
	struct process process;
	bool alive;
	bool whole;		/* nothing more is to be had of it */
	int64_t known_us;	/* since when that was known without looking; 0: it was looked at */
};

/* How much of /proc is read about a process. */
enum proc_depth {
	PROC_NOTHING,		/* what records and the trace have said has to do */
	PROC_GLANCE,		/* as much as tells which process it is */
	PROC_WHOLE,
};

/*
 * What the process that q->answer names was when it sent the packet, into c.  early: the packet has
 * been let go already, so the process may be becoming another program.  Where it cannot be told
 * whether it has, the testimony says so and the answer is weighed again.
 */
void describe(struct host *h, struct inquiry *q, struct connection *c, struct process_snapshot *p,
	      enum proc_depth depth, bool early);
/* The rest, after the verdict: all that /proc says, and the process's ancestors. */
void describe_rest(struct host *h, struct connection *c, struct process_snapshot *p);

/* What the process was in the call can still be told after the verdict. */
bool describe_can_wait(const struct host *h, const struct inquiry *q);

/* How long ago the process began, or by the trace executed its program; -1: not known. */
int64_t describe_age_us(const struct host *h, const struct inquiry *q, const struct connection *c);

/* The other candidates as a text, "PID PROGRAM, PID PROGRAM"; NULL where there are none. */
const char *describe_candidates(struct host *h, const struct attribution *a, char *buf,
				size_t size);

/* The names of c's users, as far as they are known: what only rules with patterns of names need.
 * `user` is c's from here on. */
#define DESCRIBE_USER_CHARS 512
void describe_users(struct user_names *u, struct connection *c, char user[DESCRIBE_USER_CHARS]);

#endif
