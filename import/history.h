/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_HISTORY_H
#define SOCKLEDGER_HISTORY_H

#include <stdint.h>

#include "text.h"

struct connection;
struct event;

/*
 * What a log says of processes: who they were at each time, who started whom, and with which whole
 * command line.  A pid is another process once the log says so: by its fork, by its execve(), by a
 * record of another program, by a boot.  Fixed bounds; what was heard of least recently goes.
 */
struct history;

/* NULL where memory is short. */
struct history *history_new(void);
void history_free(struct history *h);

/* The host has been started anew: its pids are other processes. */
void history_boot(struct history *h, struct text node);

/* Takes an event, in the order of the log.  0 or -ENOMEM. */
int history_event(struct history *h, const struct event *e);

/*
 * Adds to the row of an event that was taken: the parent's program, the ancestors', and the whole
 * of a command line that the record cuts.  The texts are good until the next call.
 */
void history_fill(struct history *h, struct connection *c);

#endif
