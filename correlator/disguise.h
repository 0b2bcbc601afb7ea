/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_DISGUISE_H
#define SOCKLEDGER_DISGUISE_H

#include <stdbool.h>
#include <stdint.h>

struct host;
struct process;

/*
 * Takes its program from a process of which the kernel says that it runs another file than it does,
 * or may (core/memories.h): nobody knows what that process runs.  time_ns: when the process was
 * what p says, by the monotonic clock.  True: it had one.  Without the trace nobody can tell.
 */
bool disguise_take_off(const struct host *h, struct process *p, int64_t time_ns);

#endif
