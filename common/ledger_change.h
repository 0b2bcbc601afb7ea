/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_LEDGER_CHANGE_H
#define SOCKLEDGER_LEDGER_CHANGE_H

#include <stdbool.h>

#include "connection.h"

/*
 * One change to one row of the ledger, from the code that finds it out to the SQL that writes it.
 * What a change writes stands in its connection: no SQL computes how sure a row is.
 */
enum change_kind {
	CHANGE_NONE,
	/* a new row, all of it; its id must be new */
	CHANGE_ADD,
	/* row id has the same flow once more, and the call's later `result` */
	CHANGE_AGAIN,
	/* row id is of this record, which was taken before: what the row lacks */
	CHANGE_KNOWN,
	/* row id has this protocol, which was unknown when it was made */
	CHANGE_PROTOCOL,
	/* the record of row id, whose packet came first: its process, evidence, certainty, reason
	 * and result, and which record it is */
	CHANGE_CONFIRM,
	/* the first packet of row id, whose record came first: its local end, verdict and rule, its
	 * evidence beside the row's own, and the certainty of both together */
	CHANGE_DECIDE,
	/* a later word about the process that row id names: its evidence beside the row's own, and
	 * the certainty by now */
	CHANGE_PROVE,
	/* how much of row id's flow there has been, and when it ended */
	CHANGE_FLOW,
};

struct ledger_change {
	enum change_kind kind;
	bool amended;		/* CHANGE_CONFIRM: the row had another process */
	bool described;		/* CHANGE_CONFIRM: the row keeps its process, because that was
				 * alive when /proc was read */
	/* CHANGE_AGAIN: how often the flow has been seen by now; -1: once more */
	int64_t count;
	/* CHANGE_FLOW; -1: not known, and what the row has stays */
	int64_t packets, bytes, end_us;
	struct connection connection;	/* texts borrowed from whoever made the change */
};

/* A change that has an id and nothing else yet. */
static inline void ledger_change_init(struct ledger_change *c, enum change_kind kind, uint64_t id)
{
	c->kind = kind;
	c->amended = c->described = false;
	c->count = c->packets = c->bytes = c->end_us = -1;
	connection_init(&c->connection);
	c->connection.id = id;
}

#endif
