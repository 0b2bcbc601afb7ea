/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_PROCFS_H
#define SOCKLEDGER_PROCFS_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "process.h"

/* Reads what /proc says of this host's processes. */
struct procfs;

/* path is "/proc", or a test's stand-in.  NULL with errno set. */
struct procfs *procfs_open(const char *path);
void procfs_close(struct procfs *p);

/* The inode of the socket at this descriptor of the process; -1: it is no socket. */
int64_t procfs_inode(struct procfs *p, int64_t pid, int64_t fd);
/* True where this socket is at that descriptor of that process now. */
bool procfs_holds(struct procfs *p, int64_t pid, int64_t fd, int64_t inode);

/*
 * The descriptor by which the process holds the socket with this inode; -1: the process does not
 * hold it, or has very many descriptors.
 */
int64_t procfs_find_fd(struct procfs *p, int64_t pid, int64_t inode);

/*
 * True where calls on that descriptor block (no O_NONBLOCK): all holders of the socket share this.
 */
bool procfs_is_blocking(struct procfs *p, int64_t pid, int64_t fd);

/*
 * True where a thread of the process is inside connect(), sendto(), sendmsg() or sendmmsg() on that
 * descriptor.  A task that sleeps in a call shows the call and its arguments
 * (/proc/PID/task/TID/syscall); a running one does not.  64-bit calls of this architecture only.
 */
bool procfs_in_call(struct procfs *p, int64_t pid, int64_t fd);
/* The descriptor with which its first thread is inside such a call; -1: the thread is in none. */
int64_t procfs_call_fd(struct procfs *p, int64_t pid);
/* The same for a process that is unlikely to be looked at again: no file stays open for it. */
int64_t procfs_glance_call_fd(struct procfs *p, int64_t pid);

/* Where the texts of one process are: whoever looks at a process has its own. */
struct proc_texts {
	char comm[64], exe[PATH_MAX], cmdline[4096], cwd[PATH_MAX], cgroup[4096];
};

/*
 * A living process, as much as tells which it is: start, parent, name and program.  False where it
 * is gone.
 */
bool procfs_glance(struct procfs *p, int64_t pid, struct process *process,
		   struct proc_texts *texts);
/* All else that /proc says of that process, if it is still the same one. */
void procfs_rest(struct procfs *p, struct process *process, struct proc_texts *texts);

/* False where the process is in a user namespace of its own, in which any user has any root. */
bool procfs_has_our_users(const struct procfs *p, int64_t pid);

/* The process that a thread belongs to; -1: the thread is gone. */
int64_t procfs_process(struct procfs *p, int64_t tid);
/* The network namespace of the caller, or of a process; -1: gone. */
int64_t procfs_netns(struct procfs *p, int64_t pid);

/* The user who owns the process's new sockets; -1: gone.  Quicker where that is `likely`. */
int64_t procfs_user(struct procfs *p, int64_t pid, int64_t likely);

/* The open /proc itself. */
int procfs_dir(const struct procfs *p);

/* Microseconds since the epoch for a start time in clock ticks since boot. */
int64_t procfs_start_us(const struct procfs *p, int64_t start_ticks);

#endif
