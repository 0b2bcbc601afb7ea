/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_PROCFS_H
#define SOCKLEDGER_PROCFS_H

#include <stdint.h>

#include "text.h"

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

/* Microseconds since the epoch for a start time in clock ticks since boot. */
int64_t procfs_start_us(const struct procfs *p, int64_t start_ticks);

#endif
