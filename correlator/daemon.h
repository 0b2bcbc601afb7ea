/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_DAEMON_H
#define SOCKLEDGER_DAEMON_H

struct program;

/*
 * Starts all parts of sockledgerd, runs until SIGTERM or SIGINT (with --once: until all of the
 * cache has been followed), and stops the parts in exact reverse, also those of a start that failed
 * half-way.  The exit status: 0, or 1 with the reason in the log.
 */
int daemon_run(struct program *program);

#endif
