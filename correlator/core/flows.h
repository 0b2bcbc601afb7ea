/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_FLOWS_H
#define SOCKLEDGER_FLOWS_H

#include <stdbool.h>
#include <stdint.h>

#include "connection.h"
#include "event.h"

/*
 * Connections that a packet told of and whose audit record has not come yet: the record of a
 * blocking connect() is written when the call returns.  A fixed number; the oldest makes room.
 */
struct flow {
	uint64_t id;		/* of its row */
	int protocol;
	struct endpoint local, peer;
	int64_t inode;		/* of its socket; -1: unknown */
	int64_t pid;		/* who it was attributed to; -1: nobody */
	int64_t uid;
	int64_t time_us;	/* when its first packet came */
	unsigned int evidence;
	bool open;
};

struct flows;

struct flows *flows_new(void);
void flows_free(struct flows *f);

void flows_add(struct flows *f, const struct flow *flow);

/*
 * The flow that a connect record is about, which is thereby closed: the one with its socket's inode,
 * else of its process, else of its user with nobody named yet; to its destination, within the time
 * that lies between a call's entry and its first packet.  NULL where there is none.
 */
struct flow *flows_match(struct flows *f, const struct event *e, int protocol,
			 const struct endpoint *dst);

/* The flow of row id is settled otherwise. */
void flows_close(struct flows *f, uint64_t id);

/*
 * The other way round, in a table of records whose packet has not come: the oldest that is to this
 * destination, of this user, and from about this time; which is thereby closed.  NULL: there is none.
 */
struct flow *flows_take(struct flows *f, int protocol, const struct endpoint *dst, int64_t uid,
			int64_t time_us);

#endif
