/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_PROCESS_H
#define SOCKLEDGER_PROCESS_H

#include <stdint.h>

#include "text.h"

/*
 * A process, as an audit record or /proc described it.
 *
 * The two lists below are all that names its fields one by one: from them come the struct, the
 * columns of the cache's table `event` and those of the ledger's table `process`.  A new field is a
 * line here, a step in the two schemas, and the code that finds it out.
 */

/*
 * Numbers: X(field, column of the cache).  The ledger's column has the field's name.  -1 means
 * unknown: the record does not have it, the process was gone, or the kernel says "unset"
 * (4294967295).
 */
#define PROCESS_EACH_NUMBER(X)                                                                     \
	X(pid, "pid") /* the thread group's, also where a thread made the call */                  \
	X(ppid, "ppid")                                                                            \
	X(start_ticks, "start_time") /* when it started: clock ticks since boot, proc(5) */        \
	X(uid, "uid")                                                                              \
	X(gid, "gid")                                                                              \
	X(euid, "euid")                                                                            \
	X(fsuid, "fsuid") /* the user whose sockets it opens */                                    \
	X(auid, "auid")	  /* the user who logged in */                                             \
	X(session, "session")                                                                      \
	X(netns, "netns") /* inode of its network namespace */                                     \
	X(replaced, "replaced") /* 1: exe's file was removed since it began, or replaced */

/*
 * Texts, each owned by whoever filled it in: X(field) is a column of cache and ledger, CACHE(field)
 * one of the cache alone.
 */
#define PROCESS_EACH_TEXT(X, CACHE)                                                             \
	X(comm)                                                                                 \
	X(exe)                                                                                  \
	X(cmdline)			/* arguments separated by blanks */                     \
	X(cwd)                                                                                  \
	X(label)			/* the subject's security label (subj=) */              \
	X(user)				/* names of uid and auid as the process's host has them */ \
	X(login_user)                                                                           \
	CACHE(cgroup)			/* path as /proc/PID/cgroup has it; the ledger keeps the \
					   unit and the container that it names */

enum {
#define ONE(...) + 1
	PROCESS_NUMBERS = 0 PROCESS_EACH_NUMBER(ONE),
	PROCESS_TEXTS = 0 PROCESS_EACH_TEXT(ONE, ONE),
#undef ONE
};

/* Each field by its name, and all of them by number. */
struct process {
	union {
		struct {
#define NUMBER(field, cache_column) int64_t field;
			PROCESS_EACH_NUMBER(NUMBER)
#undef NUMBER
		};
		int64_t number[PROCESS_NUMBERS];
	};
	union {
		struct {
#define TEXT(field) struct text field;
			PROCESS_EACH_TEXT(TEXT, TEXT)
#undef TEXT
		};
		struct text text[PROCESS_TEXTS];
	};
};

/* Texts that a process makes as long as it likes are cut to this; its program's path is not. */
#define PROCESS_TEXT_BYTES 1024

/* A process of which nothing is known. */
void process_init(struct process *p);

/* The user whose sockets the process opens; -1: unknown. */
int64_t process_socket_user(const struct process *p);

#endif
