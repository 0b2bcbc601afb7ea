/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_OBSERVE_H
#define SOCKLEDGER_OBSERVE_H

#include <stdbool.h>
#include <stdint.h>

#include "connection.h"
#include "event.h"

/*
 * Audit events to connections, from what the events say alone.  Pure: no system calls, and time
 * is that of the events.
 */
struct observer;

enum outcome_kind {
	OUTCOME_NONE,
	OUTCOME_NEW,		/* a row: *connection */
	OUTCOME_AGAIN,		/* the flow of row `id` once more: `result` */
	OUTCOME_PROTOCOL,	/* row `id` has this protocol, which it could not know before */
};

struct outcome {
	enum outcome_kind kind;
	struct connection connection;	/* texts borrowed from the event */
	uint64_t id;
	int64_t result;
	int protocol;
};

/* Rows get ids from next_id on.  NULL where memory is short. */
struct observer *observer_new(uint64_t next_id);
void observer_free(struct observer *o);

/*
 * One event, in order of arrival.  replay: it was dealt with in an earlier life and only fills the
 * memory; what comes of it is not to be recorded again.
 */
void observer_event(struct observer *o, const struct event *e, bool replay, struct outcome *out);

#endif
