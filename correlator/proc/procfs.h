/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_PROCFS_H
#define SOCKLEDGER_PROCFS_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "process.h"

struct call_files;
struct peek;
struct procfs_holder;
struct procfs_walk;

/* Reads what /proc says of this host's processes. */
struct procfs;

/* path is "/proc", or a test's stand-in.  NULL with errno set. */
struct procfs *procfs_open(const char *path);
/* The same in so many bytes of one's own, which are never given back. */
size_t procfs_size(void);
bool procfs_open_in(void *room, const char *path);
void procfs_close(struct procfs *p);

/*
 * From here on whatever another process can make wait is asked of lookers, and takes some
 * milliseconds at most (peek.h).  The peek stays borrowed.
 */
void procfs_ask_lookers(struct procfs *p, struct peek *peek);

/*
 * All groups of a process that started then: real, effective and all others.  How many; -1: it is
 * gone, or has more than `most`.  Nothing can make this wait.
 */
int procfs_groups(struct procfs *p, int64_t pid, int64_t start_ticks, uint32_t *groups, int most);

/* The inode of the socket at this descriptor of the process; -1: it is no socket. */
int64_t procfs_inode(struct procfs *p, int64_t pid, int64_t fd);
/* True where this socket is at that descriptor of that process now. */
bool procfs_holds(struct procfs *p, int64_t pid, int64_t fd, int64_t inode);

/*
 * The descriptor by which the process holds the socket with this inode; -1: the process does not
 * hold it, or not by one of its first `looks`: each takes one or two microseconds.
 */
#define PROCFS_LOOKS 256
int64_t procfs_find_fd(struct procfs *p, int64_t pid, int64_t inode, int looks);

/* Who of some processes holds a socket, all asked at once. */
void procfs_holders(struct procfs *p, int64_t inode, struct procfs_holder *k, int count);

/* Some more of a search of many.  It ends where one is found, which may be sooner. */
void procfs_walk(struct procfs *p, struct procfs_walk *w, int64_t budget_ns);

/* Where the texts of one process are: whoever looks at a process has its own. */
struct proc_texts {
	char comm[64], exe[PATH_MAX], cmdline[PROCESS_CMDLINE_BYTES], cwd[PATH_MAX], cgroup[4096];
};

/*
 * A living process, as much as tells which it is: start, parent, name and program.  False where it
 * is gone.
 */
bool procfs_glance(struct procfs *p, int64_t pid, struct process *process,
		   struct proc_texts *texts);
/* All else that /proc says of that process, if it is still the same one. */
void procfs_rest(struct procfs *p, struct process *process, struct proc_texts *texts);

/* False where the process is in a user namespace of its own, in which any user has any root, and
 * where it lets nobody look. */
bool procfs_has_our_users(struct procfs *p, int64_t pid);

/* The process that a thread belongs to; -1: the thread is gone. */
int64_t procfs_process(struct procfs *p, int64_t tid);
/* The network namespace of a thread, and where that is gone, of its process; -1: gone as well. */
int64_t procfs_netns(struct procfs *p, int64_t pid, int64_t tid);

/* The user who owns the process's new sockets; -1: gone.  Quicker where that is `likely`. */
int64_t procfs_user(struct procfs *p, int64_t pid, int64_t likely);

/* For lookers: the open /proc itself, and what is open in it. */
int procfs_dir(const struct procfs *p);
struct call_files *procfs_calls(struct procfs *p);

/* Microseconds since the epoch for a start time in clock ticks since boot. */
int64_t procfs_start_us(const struct procfs *p, int64_t start_ticks);

#endif
