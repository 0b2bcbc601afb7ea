/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_WATCH_H
#define SOCKLEDGER_WATCH_H

/* Writes what is to be seen to stdout, in at most `lines` lines.  A status other than 0 ends it. */
typedef int watch_fn(int lines, void *arg);

/*
 * Shows that on the terminal, again each `interval_ms` and when the terminal changes its size,
 * until q is typed or a signal ends it; then the terminal is as it was.  The status that draw()
 * gave, or -errno: -ENOTTY where stdout is no terminal.
 */
int watch_run(int interval_ms, watch_fn *draw, void *arg);

#endif
