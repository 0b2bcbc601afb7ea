/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_HOLDERS_H
#define SOCKLEDGER_HOLDERS_H

#include <stdbool.h>
#include <stdint.h>

struct call_files;

/*
 * Looks at processes for the sockets that they hold, and at the calls that they are in.  Each of
 * them can make who looks wait (question.h).  dir is an open /proc; *at is the process that is
 * looked at.
 */

/*
 * A process that may hold a socket: at the descriptor that is named, or, where it is not there, at
 * one of its first `looks` others.
 */
#define PROCFS_HOLDERS 8
/* Threads that are looked at in one go; each takes one or two microseconds. */
#define PROCFS_THREADS 64
struct procfs_holder {
	int64_t pid, fd;	/* fd -1: it does not hold it, or cannot be looked at */
	int looks;
	/*
	 * Asked: does a thread wait in connect(), or in sendto(), sendmsg() or sendmmsg() that
	 * connects, on it?  The thread that sleeps in a call shows the call and its arguments
	 * (/proc/PID/task/TID/syscall), and where in the kernel (wchan): one that its own seccomp
	 * filter holds at the call's entry has not begun.  A running one shows neither.
	 */
	bool call;
	bool in_call;
	/* where its list of threads goes on; 0: at the first; -1: all have been looked at */
	int64_t threads;
};
/*
 * Until one is found that holds it: who comes behind that one holds nothing.
 *
 * Whether calls on it wait (O_NONBLOCK) stands in fdinfo alone, which is not read: a descriptor may
 * become one of epoll at any time, whose fdinfo can make who reads it wait and not be killed.
 */
void look_at_holders(int dir, struct call_files *calls, int64_t inode, struct procfs_holder *k,
		     int count, int64_t *at);

/* A search of many processes for sockets, a piece at a time. */
#define PROCFS_WALK 64
#define PROCFS_WANTED 256
struct procfs_walk {
	/* whose: the first ones are looked at last; and how many of them are left */
	int32_t pid[PROCFS_WALK];
	int left;
	int64_t at;		/* of the last one: where its list goes on; 0 at first */
	int seen, seen_max;	/* descriptors of it: so many at most */
	bool calls;		/* only the socket of the call that each sleeps in */
	bool all;		/* nobody may be missed, nor a process without its first thread */
	bool missed;		/* one was not looked at, or not to its end; or its first thread
				 * has ended, and it holds one of the sockets */
	bool cut;		/* ... because it has more than seen_max */
	int wanted_count;
	int64_t wanted[PROCFS_WANTED];	/* sockets */
	/* who has one of them; as soon as that is known the piece ends */
	int found_count;
	struct { int64_t inode, fd; int32_t pid; } found[PROCFS_WALK];
};
void look_at_many(int dir, struct procfs_walk *w, int64_t budget_ns, int64_t *at);

/*
 * /proc/PID/syscall, kept open: it stands for one process, so reading it fails once that is gone.
 */
#define CALL_FILES 64
struct call_files {
	struct { int64_t pid; int fd; } of[CALL_FILES];	/* by pid; fd -1: none */
};
void call_files_init(struct call_files *c);
void call_files_release(struct call_files *c);

#endif
