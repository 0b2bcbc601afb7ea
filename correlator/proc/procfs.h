/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_PROCFS_H
#define SOCKLEDGER_PROCFS_H

#include <stdbool.h>
#include <stdint.h>

#include "event.h"

/* What /proc says of this host's processes. */
struct procfs;

/* path is "/proc", or a test's stand-in.  NULL with errno set. */
struct procfs *procfs_open(const char *path);
void procfs_close(struct procfs *p);

/* The inode of the socket that this descriptor of the process is; -1: it is none. */
int64_t procfs_inode(struct procfs *p, int64_t pid, int64_t fd);
/* True where that descriptor of that process is the socket with this inode, now. */
bool procfs_holds(struct procfs *p, int64_t pid, int64_t fd, int64_t inode);

/* The descriptor by which the process holds the socket with this inode; -1: none, or it has very many. */
int64_t procfs_find_fd(struct procfs *p, int64_t pid, int64_t inode);

/* True where calls on that descriptor wait (no O_NONBLOCK): all who share the socket share that. */
bool procfs_is_blocking(struct procfs *p, int64_t pid, int64_t fd);

/*
 * True where a thread of the process is inside connect(), sendto(), sendmsg() or sendmmsg() on that
 * descriptor: a task that sleeps there shows its call and arguments (/proc/PID/task/TID/syscall);
 * one that runs does not.  64-bit calls of this architecture only.
 */
bool procfs_in_call(struct procfs *p, int64_t pid, int64_t fd);
/* The descriptor that its first thread is inside such a call on; -1: it is in none. */
int64_t procfs_call_fd(struct procfs *p, int64_t pid);
/* The same of a process that is not likely to be asked for again: nothing is kept open for it. */
int64_t procfs_glance_call_fd(struct procfs *p, int64_t pid);

/*
 * A living process, as much as tells which it is: start, parent, name and program, into e, whose texts
 * are good until the next call.  False where it is gone.
 */
bool procfs_glance(struct procfs *p, int64_t pid, struct event *e);
/* All else that /proc says of the process that e is of, if it is still that one. */
void procfs_rest(struct procfs *p, struct event *e);

/* The process that a thread is of; -1: it is gone. */
int64_t procfs_process(struct procfs *p, int64_t tid);
/* The network namespace of the caller, or of a process; -1: gone. */
int64_t procfs_netns(struct procfs *p, int64_t pid);

/* The user whose sockets the process opens; -1: gone.  Quicker where that is `likely`. */
int64_t procfs_user(struct procfs *p, int64_t pid, int64_t likely);

/* The open /proc itself. */
int procfs_dir(const struct procfs *p);

/* Microseconds since the epoch for a start time in clock ticks since boot. */
int64_t procfs_start_us(const struct procfs *p, int64_t start_ticks);

#endif
