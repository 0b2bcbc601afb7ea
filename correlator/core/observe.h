/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_OBSERVE_H
#define SOCKLEDGER_OBSERVE_H

#include <stdbool.h>
#include <stdint.h>

#include "connection.h"
#include "event.h"
#include "halves.h"

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
	int source;		/* of the first answer: flow.source */
	enum verdict verdict;	/* that went with it */
};

/* Rows get ids from next_id on.  NULL where memory is short. */
struct observer *observer_new(uint64_t next_id);
void observer_free(struct observer *o);

/*
 * One event, in order of arrival.  replay: it was dealt with in an earlier life and only fills the
 * memory; what comes of it is not to be recorded again.
 */
void observer_event(struct observer *o, const struct event *e, bool replay, struct outcome *out);

/* A row of an earlier life whose other half may still come: its record, or its packet. */
void observer_restore(struct observer *o, const struct connection *c, bool has_packet);

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

/*
 * A record whose packet has not come, of a call of process pid to c's destination, from about c's
 * time; pid -1: of anybody with c's user; fd -1: by any descriptor.  False: there is none.  It stays there until observer_packet()
 * is given its row.
 */
bool observer_record(struct observer *o, const struct connection *c, int64_t pid, int64_t fd,
		     struct half *found);

/* Likewise, of a call on this very socket. */
bool observer_record_of(struct observer *o, const struct connection *c, int64_t inode,
			struct half *found);

/* The record of this row still waits for its packet. */
bool observer_awaits(const struct observer *o, uint64_t row);

/* The newest that is known of a process; NULL: nothing.  Good until the next event. */
const struct event *observer_who(const struct observer *o, int64_t pid);
/* What /proc says of a process, to be remembered. */
void observer_know(struct observer *o, const struct event *e);
/* Who the process is, into c: texts borrowed from e. */
void observer_fill(struct connection *c, const struct event *e);

/*
 * The packet has been attributed and decided; half: what its record is to be found by later, with
 * the socket's user (id and the packet's own are filled in).  row: that of its record, where it came
 * first; else 0.  False: c->id is a new row's.  True: it is the record's row.
 */
bool observer_packet(struct observer *o, struct connection *c, struct half *half, uint64_t row);

#endif
