/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_SHUNNED_H
#define SOCKLEDGER_SHUNNED_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Processes that made a looker wait, which are not looked at again for ten seconds; and users of
 * whose processes so many did that none is, but for root, who needs no such ways.
 */
#define SHUNNED_NS 10000000000LL
#define SHUNNED_PROCESSES 64
#define SHUNNED_USERS 16
#define SHUNNED_USER_MAX 8

struct shunned {
	const char *path;	/* "/proc" */
	/* dir: of the very process, whose number another one may have by now */
	struct { int64_t pid, until_ns; int dir; } process[SHUNNED_PROCESSES];
	struct { int64_t uid, since_ns; int times; } user[SHUNNED_USERS];
	unsigned int processes, users;
	int64_t until_ns;	/* nobody is from then on */
};

void shunned_init(struct shunned *s, const char *path);
void shunned_release(struct shunned *s);
/* It made a looker wait.  uid: who is charged; -1: its user.  Who was charged; -1: it is gone. */
int64_t shunned_add(struct shunned *s, int64_t pid, int64_t uid, int64_t now_ns);
/* This process, or its user, is not to be looked at. */
bool shunned_is(struct shunned *s, int64_t pid, int64_t uid, int64_t now_ns);

#endif
