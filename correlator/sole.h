/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_SOLE_H
#define SOCKLEDGER_SOLE_H

#include <stdbool.h>
#include <stdint.h>

struct procfs;

/*
 * Does one process alone hold a socket?  A listener that one process holds is answered by nobody
 * else.  A thorough search through /proc tells, in short pieces: it looks at every process, and
 * then at those that were started meanwhile, until there is none; and it counts only where no
 * process could not be looked at, and none is out of sight in another pid namespace.
 *
 * What it finds is told for ten seconds; each time the processes and threads that were started
 * since are looked at first, because they may have been given the socket, and the holder again.
 * Not seen is a socket that was passed meanwhile to a process which was there already, is on its
 * way through a Unix socket, in the table of a thread that has one of its own, or registered with
 * an io_uring: its holder must have put it there on purpose.
 */
struct sole;

#define SOLE_HOLDERS_MAX 4

struct sole_answer {
	bool over;		/* the search has come to its end */
	bool sure;		/* it has seen every process: nobody else holds the socket */
	int count;		/* of holders, SOLE_HOLDERS_MAX at most */
	struct { int64_t pid, fd; } holder[SOLE_HOLDERS_MAX];
};

/* procfs stays borrowed.  NULL where memory is short. */
struct sole *sole_new(struct procfs *p);
void sole_free(struct sole *s);

/* Goes on with the search for this socket, or begins one, for about budget_us. */
void sole_ask(struct sole *s, int64_t inode, int64_t budget_us, struct sole_answer *a);

#endif
