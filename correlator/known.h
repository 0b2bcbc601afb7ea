/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_KNOWN_H
#define SOCKLEDGER_KNOWN_H

#include <stdbool.h>
#include <stdint.h>

struct host;
struct known_process;

/* What has been known of a process before, and whether it is still true. */

/* True if `known` describes the current instance: since it was recorded no fork reused the pid and
 * no exec happened.  slack_us: by how much the record's clock may be behind. */
bool known_is_of_now(const struct host *h, const struct known_process *known, int64_t slack_us);
/* Likewise, and it has all that /proc would say. */
bool known_is_current(const struct host *h, const struct known_process *known);

/* What is read of the process now stays current until it changes. */
bool known_would_last(const struct host *h, int64_t pid);

/* The user whose sockets a process opens, also where it is gone; -1: not known.  `likely`:
 * quicker. */
int64_t known_user(const struct host *h, int64_t pid, int64_t likely);
/* Its network namespace where that is known without asking; -1: not. */
int64_t known_netns(const struct host *h, int64_t pid);

/* A record's clock goes in steps. */
#define KNOWN_STEP_US 12000

#endif
