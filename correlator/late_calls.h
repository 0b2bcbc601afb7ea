/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_LATE_CALLS_H
#define SOCKLEDGER_LATE_CALLS_H

struct event;
struct host;
struct ledger_sink;

/*
 * Sends that have come to their end: their lookups' calls have been seen now, or another process's
 * call may have left its packet to them.  Weighs the packets' rows again.
 */
void late_calls_take(struct host *h, struct ledger_sink *sink);
/* A record of this process's call: it may have sent what other rows are of (rivals.h). */
void late_calls_record(struct host *h, struct ledger_sink *sink, const struct event *e);

#endif
