/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_PROC_H
#define SOCKLEDGER_PROC_H

#include <stdint.h>
#include <sys/types.h>

#include "text.h"

/*
 * Reading below an open /proc/PID: the directory stands for one process, so all that is read
 * belongs to that process, even if the kernel gives its pid to another one meanwhile (then reads
 * fail).
 */

/* A record's clock goes in steps of up to 10 ms (HZ=100), a start time in ticks of 10 ms. */
#define PROC_SLACK_US 20000

/* At most size bytes of a file below dir; -1: it cannot be read. */
ssize_t proc_read(int dir, const char *name, char *buf, size_t size);

/* When it started, in clock ticks since boot (field 22 of task/PID/stat, because its own stat takes
 * time for each of its threads); -1: gone. */
int64_t proc_start_ticks(int dir, int64_t pid);

/* The number in a link such as "socket:[4711]" with prefix "socket:["; -1: it is none. */
int64_t proc_link_number(int dir, const char *name, const char *prefix);

/*
 * The most specific path in /proc/PID/cgroup: one that names a container of the system's, then
 * version 2's "0::/path", or systemd's of version 1, or the first that is not the root.  Points
 * into buf.
 */
struct text proc_pick_cgroup(char *buf, size_t len);

/* Microseconds in a clock tick. */
int64_t proc_tick_us(void);
/* When the system booted, by the current wall clock. */
int64_t proc_boot_us(void);

#endif
