/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_PROC_H
#define SOCKLEDGER_PROC_H

#include <stdint.h>
#include <sys/types.h>

#include "text.h"

/* Reading below an open /proc/PID: the directory stands for that very process, so what is read
 * belongs together even if its pid is given to another one meanwhile (then reads fail). */

/* A record's clock goes in steps of up to 10 ms (HZ=100), a start time in ticks of 10 ms. */
#define PROC_SLACK_US 20000

/* At most size bytes of a file below dir; -1: it cannot be read. */
ssize_t proc_read(int dir, const char *name, char *buf, size_t size);

/* When it started, in clock ticks since boot (field 22 of stat); -1: gone. */
int64_t proc_start_ticks(int dir);

/* The number in a link such as "socket:[4711]" with prefix "socket:["; -1: it is none. */
int64_t proc_link_number(int dir, const char *name, const char *prefix);

/* The path in the line of /proc/PID/cgroup that says most: version 2's "0::/path", else systemd's of
 * version 1, else the first that is not the root.  Points into buf. */
struct text proc_pick_cgroup(char *buf, size_t len);

/* Microseconds in a clock tick. */
int64_t proc_tick_us(void);
/* When the system booted, by the wall clock as it goes now. */
int64_t proc_boot_us(void);

#endif
