/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_FLOWS_H
#define SOCKLEDGER_FLOWS_H

#include <stdbool.h>
#include <stdint.h>

#include "connection.h"
#include "event.h"

/*
 * Connections of which one half is known: packets whose audit record has not come (that of a blocking
 * connect() is written when the call returns), or records whose packet has not.  A fixed number; the
 * oldest makes room.  Each is found by its socket, by process and destination, or by destination, in
 * a time that does not depend on how many there are.
 */
struct half {
	uint64_t id;		/* of its row */
	int protocol;		/* -1: unknown */
	struct endpoint peer;
	int64_t inode;		/* of its socket; -1: unknown */
	int64_t pid;		/* the process that a packet was attributed to, or that called; -1: nobody */
	int64_t fd;		/* the descriptor it was called on, or held by; -1: unknown */
	int64_t uid;		/* of the socket, or of the process that called; -1: unknown */
	int64_t time_us;	/* of the first packet, or of the record */
	unsigned int evidence;	/* of a packet's row */
};

#define HALVES_MAX 4096

struct halves;

struct halves *halves_new(void);
void halves_free(struct halves *f);

/* Its slot, below HALVES_MAX: it has that for as long as it is here. */
int halves_add(struct halves *f, const struct half *half);

/*
 * The packet that this record of a call is about: it is settled.  By what they share: the socket, the
 * process, then the destination alone for a packet that nobody was named for, and last for one that
 * was named by a descriptor (its holder may have passed it on).  Within the time that lies between a
 * call's entry and its first packet.  *id: of its row.  Its slot; -1: there is none.
 */
int halves_match(struct halves *f, const struct event *e, int protocol, const struct endpoint *dst,
		 uint64_t *id);

/*
 * Finds, and keeps, the record for a packet: to the same destination, near time_us, of process pid (-1:
 * any process with this uid; uid -1: any).  fd >= 0 leaves out records of other descriptors, because
 * those are of other connections.  False: there is none.
 */
bool halves_find(const struct halves *f, int protocol, const struct endpoint *dst, int64_t pid,
		int64_t fd, int64_t uid, int64_t time_us, struct half *found);

/* Likewise, of this very socket. */
bool halves_find_socket(const struct halves *f, int protocol, const struct endpoint *dst, int64_t inode,
		       struct half *found);

/* Row id still waits for its other half. */
bool halves_has(const struct halves *f, uint64_t id);
/* Row id has its other half: from now on it is found by its id alone. */
void halves_settle(struct halves *f, uint64_t id);
/* The slot of row id, settled or not; -1: it has made room. */
int halves_slot(const struct halves *f, uint64_t id);

#endif
