/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_HALVES_H
#define SOCKLEDGER_HALVES_H

#include <stdbool.h>
#include <stdint.h>

#include "connection.h"

struct event;

/*
 * Connections of which one half is known: packets whose audit record has not come (that of a
 * blocking connect() is written when the call returns), or records whose packet has not.  The
 * number is fixed; the oldest makes room.  Each is found by its socket, by process and destination,
 * or by destination, in a time that does not depend on how many there are.
 */
struct half {
	uint64_t id;		/* its row's */
	int protocol;		/* -1: unknown */
	struct endpoint peer;
	/* Of a packet that came in: our own end, and inode is the listening socket's. */
	struct endpoint local;
	bool in;
	/* Of a packet: the network namespace of its queue, -1: not known; it is only forwarded by
	 * that one. */
	int64_t netns;
	bool forwarded;
	int64_t inode;		/* its socket's; -1: unknown */
	int64_t pid;		/* the process that a packet was attributed to, or that called;
				 * -1: unknown */
	int64_t fd;		/* the descriptor that the process called with, or holds; -1:
				 * unknown */
	int64_t uid;		/* the socket's, or that of the process that called; -1: unknown */
	int64_t time_us;	/* when the first packet came, or the record's time */
	unsigned int evidence;	/* a packet's row has it */
	bool proven;		/* a packet's: its process made the call, which was seen */
	bool sends;		/* a record of a send, not of a connect() */
	int64_t result;		/* of a record of a connect(); any other has -1 */
};

/*
 * A record's time is the call's entry by a clock of 4 to 10 ms steps.  Its packet comes after that:
 * at once on an idle machine, later where the process had to wait for a processor.  The kernel
 * repeats a lost SYN after 1, 3, 7 ... s, for about this long (tcp_syn_retries, tcp(7)).
 */
#define HALVES_BEFORE_US 12000
#define HALVES_AFTER_TCP_US (130 * TIME_US_PER_S)

#ifndef HALVES_MAX
#define HALVES_MAX 4096
#endif

struct halves;

struct halves *halves_new(void);
void halves_free(struct halves *f);

/* Returns its slot, below HALVES_MAX, which it keeps for as long as it is here. */
int halves_add(struct halves *f, const struct half *half);
/* Who made room for the one that was added last, though its other half might still have come; NULL:
 * nobody.  Good until the next one is added. */
const struct half *halves_made_room(const struct halves *f);

/*
 * Finds the packet that this record of a call is about, and settles it.  It tries the socket first,
 * then the process, then the destination alone for a packet without a process, and last for a
 * packet that was attributed by a descriptor (its holder may have passed it on).  The packet must
 * come within the time that lies between a call's entry and its first packet.  *id is its row's.
 * Returns its slot; -1: there is no such packet.
 */
int halves_match(struct halves *f, const struct event *e, int protocol, const struct endpoint *dst,
		 uint64_t *id);

/*
 * Likewise for the record of an accept(), and packets that came in.  The call may return at any
 * time after the packet, so no time is too long, and of packets with the same tuple the newest is
 * the record's.  local: our own end as far as it is known (port -1, no family: not known); a packet
 * to another port or address never fits, and one to another listening socket than e's only where
 * the port is known.  *alone: no other packet that waits fits as well, none of an earlier
 * connection of the same tuple either.
 */
int halves_match_accept(struct halves *f, const struct event *e, int protocol,
			const struct endpoint *peer, const struct endpoint *local, uint64_t *id,
			bool *alone);

/*
 * Finds, and keeps, the record for a packet: to the same destination, near time_us, of process pid
 * (-1: any process with this uid; uid -1: any).  fd >= 0 excludes records of other descriptors,
 * because those are of other connections.  False: there is no such record.
 */
bool halves_find(const struct halves *f, int protocol, const struct endpoint *dst, int64_t pid,
		int64_t fd, int64_t uid, int64_t time_us, struct half *found);

/* Likewise, for a record of this very socket. */
bool halves_find_socket(const struct halves *f, int protocol, const struct endpoint *dst,
			int64_t inode, struct half *found);

/* How many had to make room while their other half could still come. */
int64_t halves_evicted(const struct halves *f);

/* True while row id waits for its other half. */
bool halves_has(const struct halves *f, uint64_t id);
/* Row id has its other half now, and is found by its id alone. */
void halves_settle(struct halves *f, uint64_t id);
/* Returns the slot of row id, settled or not; -1: the row has made room. */
int halves_slot(const struct halves *f, uint64_t id);

#endif
