/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_PROCESS_H
#define SOCKLEDGER_PROCESS_H

#include <stdbool.h>
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
	X(replaced, "replaced") /* 1: exe's file was removed since it began, or replaced */   \
	X(exe_seen, "exe_seen") /* enum exe_seen */                                                \
	X(exe_dev, "exe_dev")	/* the file that it runs: device, inode, time of the last */       \
	X(exe_inode, "exe_inode") /* change of the inode in nanoseconds */                         \
	X(exe_ctime, "exe_ctime")

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

/*
 * What `exe` is worth.  It is a path in the process's own root, and any user can make itself a root
 * in which its program has any path: the program is its file.
 */
enum exe_seen {
	EXE_TOLD = -1,		/* a record's or the trace's text: nobody saw the file */
	EXE_UNASKED = 0,	/* in a question about a policy: of no program */
	EXE_HERE = 1,		/* the path names this very file here, as we see it */
	EXE_REPLACED,		/* it did when the process began; its file was removed since, or
				 * another one was put in its place */
	EXE_OTHER,		/* here the path names another file, or none: it is one of another
				 * root or mount namespace, or of a file in memory */
	EXE_USERS,		/* likewise, and the process is in a user namespace of its own, so
				 * that any user could have chosen the path */
	EXE_UNREADABLE,		/* the process runs that file, and its path is not to be had */
	EXE_SEENS,
};

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

/* Whether the command line is not known to its end: the kernel's record has 128 bytes
 * (MAX_PROCTITLE_AUDIT_LEN), and less a last NUL; we read 4096, and keep less, with a mark, which
 * is taken off. */
#define PROCESS_CMDLINE_BYTES 4096
bool process_cmdline_is_cut(struct text *cmdline);

/* A process of which nothing is known. */
void process_init(struct process *p);

/* The path is the program's in our own root; seen: enum exe_seen. */
static inline bool exe_is_ours(int64_t seen)
{
	return seen == EXE_HERE || seen == EXE_REPLACED;
}

/* Takes over from another description of the same process what its program is. */
void process_take_exe(struct process *p, const struct process *from);
/* Both run the same file, as far as that was seen. */
bool process_same_file(const struct process *a, const struct process *b);

/* Behind a path that is another root's, where it is shown: it must not pass for the file here. */
#define EXE_OTHER_SUFFIX " (other file)"

static inline bool exe_is_other(int64_t seen)
{
	return seen == EXE_OTHER || seen == EXE_USERS;
}

/* "here", "replaced", "other" or "unreadable"; NULL for what is only told. */
const char *exe_seen_name(int64_t seen);

/* The user whose sockets the process opens; -1: unknown. */
int64_t process_socket_user(const struct process *p);

#endif
