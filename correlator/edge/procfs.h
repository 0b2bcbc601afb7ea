/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_PROCFS_H
#define SOCKLEDGER_PROCFS_H

#include <stdbool.h>
#include <stdint.h>

#include "connection.h"

/* What /proc says of this host's processes. */
struct procfs;

/* path is "/proc", or a test's stand-in.  NULL with errno set. */
struct procfs *procfs_open(const char *path);
void procfs_close(struct procfs *p);

/*
 * The program of a process that lived at time_us: none where it is gone, or where the pid is by
 * now another's.  Good until the next call.
 */
struct text procfs_exe(struct procfs *p, int64_t pid, int64_t time_us);

/* True where that descriptor of that process is the socket with this inode, now. */
bool procfs_holds(struct procfs *p, int64_t pid, int64_t fd, int64_t inode);

/*
 * True where a thread of the process is inside connect(), sendto(), sendmsg() or sendmmsg() on that
 * descriptor: a task that sleeps there shows its call and arguments (/proc/PID/task/TID/syscall);
 * one that runs does not.  64-bit calls of this architecture only.
 */
bool procfs_in_call(struct procfs *p, int64_t pid, int64_t fd);

/*
 * Looks through the processes, newest first, for one that holds the socket with this inode; for at
 * most budget_us.  0 with *pid and *fd; -ENOENT where nobody does; -ETIME where time ran out.
 */
int procfs_find(struct procfs *p, int64_t inode, int64_t budget_us, int64_t *pid, int64_t *fd);

/* What /proc says of a living process, into c; its texts are good until the next call.  False where
 * it is gone. */
bool procfs_describe(struct procfs *p, int64_t pid, struct connection *c);

/* Microseconds since the epoch for a start time in clock ticks since boot. */
int64_t procfs_start_us(const struct procfs *p, int64_t start_ticks);

#endif
