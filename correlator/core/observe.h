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
	OUTCOME_CONFIRM,	/* the record of row *connection, which a packet had told of */
};

struct outcome {
	enum outcome_kind kind;
	struct connection connection;	/* texts borrowed from the event */
	uint64_t id;
	int64_t result;
	int protocol;
	bool amended;		/* it had been attributed to another process */
};

/* Rows get ids from next_id on.  NULL where memory is short. */
struct observer *observer_new(uint64_t next_id);
void observer_free(struct observer *o);

/*
 * One event, in order of arrival.  replay: it was dealt with in an earlier life and only fills the
 * memory; what comes of it is not to be recorded again.
 */
void observer_event(struct observer *o, const struct event *e, bool replay, struct outcome *out);

/*
 * Who may hold the socket that sock_diag named for a packet, most likely first; each is to be looked
 * at (/proc/PID/fd/FD), for a descriptor may have become another's.  How many.
 */
struct holder {
	int64_t pid, fd;
	bool by_inode;		/* the plugin had seen this inode there */
};

int observer_holders(struct observer *o, int64_t inode, int protocol, struct holder *holders,
		     int max);

/*
 * A record that came before its packet, of a process that is gone: who it was, by destination, user
 * and time alone.  *row: the record's row.  -1: there is none.
 */
int64_t observer_recall(struct observer *o, const struct connection *c, uint64_t *row);

/* True where a record of that process's connect() by that descriptor to c's destination has come, from
 * about the time of its packet. */
bool observer_recorded(struct observer *o, const struct connection *c, int64_t pid, int64_t fd,
		       int64_t inode);

/* What the events say of a process, into c.  False where they say nothing. */
bool observer_describe(struct observer *o, int64_t pid, struct connection *c);

/*
 * The packet has been attributed (c->pid; -1: to nobody) and decided.  row: that of its record, where
 * observer_recall() named it; else 0.  False: c->id is a new row's; true: it is the row of an audit
 * record that came first.
 */
bool observer_packet(struct observer *o, struct connection *c, int64_t fd, int64_t inode,
		     uint64_t row);

#endif
