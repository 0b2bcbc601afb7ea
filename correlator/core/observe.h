/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_OBSERVE_H
#define SOCKLEDGER_OBSERVE_H

#include <stdbool.h>
#include <stdint.h>

#include "attribution.h"
#include "connection.h"
#include "event.h"

struct pairing;

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
	OUTCOME_CONFIRM,	/* the record of row connection.id, which a packet had told of */
};

struct outcome {
	enum outcome_kind kind;
	struct connection connection;	/* texts borrowed from the event */
	uint64_t id;
	int64_t result;
	int protocol;
	/* OUTCOME_CONFIRM: */
	bool amended;		/* it had been attributed to another process */
	bool described;		/* the row has more of the process than the record: it stays */
	enum source source;	/* of the first answer */
	enum verdict verdict;	/* that went with it */
};

/* pairing stays borrowed.  NULL where memory is short. */
struct observer *observer_new(struct pairing *pairing);
void observer_free(struct observer *o);

/*
 * One event, in order of arrival.  replay: it was dealt with in an earlier life and only fills the
 * memory; what comes of it is not to be recorded again.
 */
void observer_event(struct observer *o, const struct event *e, bool replay, struct outcome *out);

/*
 * Who may hold a socket; to be looked at (/proc/PID/fd/FD), for a descriptor may have become another's.
 */
struct holder {
	int64_t pid, fd;
};

/* Who was seen with the socket of this inode.  False: nobody. */
bool observer_holder(struct observer *o, int64_t inode, struct holder *h);
/* Processes that used sockets of this protocol lately, each with its newest descriptor, the latest
 * first.  How many. */
int observer_recent(struct observer *o, int protocol, struct holder *holders, int max);
/* /proc showed that socket there. */
void observer_learn(struct observer *o, int64_t inode, int64_t pid, int64_t fd);

/* The newest that is known of a process; NULL: nothing.  Good until the next event. */
const struct event *observer_who(const struct observer *o, int64_t pid);
/* What /proc says of a process, to be remembered. */
void observer_know(struct observer *o, const struct event *e);
/* Who the process is, into c: texts borrowed from e. */
void observer_fill(struct connection *c, const struct event *e);

#endif
