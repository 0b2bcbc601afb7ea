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
	int64_t pid;		/* a packet's: who it was attributed to; -1: nobody */
	int64_t fd;		/* the descriptor it was called on, or held by; -1: unknown */
	int64_t uid;		/* of the socket, or of who called; -1: unknown */
	int64_t time_us;	/* of the first packet, or of the record */
	unsigned int evidence;
	int source;		/* the caller's: where the answer came from */
	enum verdict verdict;	/* that the packet was given */
	bool trace_ok;		/* nothing speaks against the trace's word (certainty.h) */
	bool shared;		/* likewise */
	uint64_t exe;		/* hash of the program that the packet's row names; 0: none */
	bool described;		/* its row has what /proc said of the living process */
};

struct halves;

struct halves *halves_new(void);
void halves_free(struct halves *f);

void halves_add(struct halves *f, const struct half *flow);

/*
 * The packet that this record of a call is about; it is taken out.  By what they share: the socket, the
 * process, then the destination alone for a packet that nobody was named for, and last for one that
 * was named by a descriptor (its holder may have passed it on).  Within the time that lies between a
 * call's entry and its first packet.  False: there is none.
 */
bool halves_match(struct halves *f, const struct event *e, int protocol, const struct endpoint *dst,
		 struct half *found);

/*
 * The other way round, among records: that of process pid to dst, from about time_us; with pid -1 of
 * anybody with this uid (-1: any).  fd: of another descriptor it is another connection's; -1: unknown.
 * It stays.  False: there is none.
 */
bool halves_find(const struct halves *f, int protocol, const struct endpoint *dst, int64_t pid,
		int64_t fd, int64_t uid, int64_t time_us, struct half *found);

/* Likewise, of this very socket. */
bool halves_find_socket(const struct halves *f, int protocol, const struct endpoint *dst, int64_t inode,
		       struct half *found);

/* Row id still waits for its other half. */
bool halves_has(const struct halves *f, uint64_t id);
/* Row id is settled otherwise. */
void halves_close(struct halves *f, uint64_t id);

#endif
