/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_DESCRIBE_H
#define SOCKLEDGER_DESCRIBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "connection.h"
#include "inquiry.h"
#include "process.h"
#include "procfs.h"

struct connection;
struct host;
struct user_names;

/* What records and the trace had of a process: as long as its texts may be there. */
#define DESCRIBE_KEPT_CHARS 8192

/*
 * A living process as /proc showed it.  It owns all texts that the connection gets of the process,
 * so that nothing that is looked at or comes meanwhile can write over them.
 */
struct process_snapshot {
	struct process process;
	struct proc_texts texts;
	char kept[DESCRIBE_KEPT_CHARS];
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
 * What the process that q->answer names was when it sent the packet, into c; or why none is named.
 * p needs no value, and has to stay as long as c's texts are used.  early: the packet has
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
