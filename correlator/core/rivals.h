/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_RIVALS_H
#define SOCKLEDGER_RIVALS_H

#include <stdint.h>

struct endpoint;

/*
 * Calls of several processes to one place.  Without the trace nothing tells on which socket a call
 * was: a descriptor may be another socket before and behind it, who waits in connect() may have
 * come later, and a call may never begin.  But each connect() has its record, and whoever has sent
 * a packet has one to the packet's place, made when the call returned.  So while another process's
 * record may be that one, nothing but the trace tells which of them sent the packet.
 *
 * Pure.  The numbers are fixed: the oldest call and the oldest row make room.
 */
struct rivals;

struct rival_call {
	int64_t pid, uid;	/* uid: of the sockets that it opens */
	int64_t auid;		/* -1: not known */
	int64_t entry_us;	/* a coarse clock, which is behind */
	int64_t returned_us;	/* or later: when the record was read */
};

/* NULL where memory is short. */
struct rivals *rivals_new(void);
void rivals_free(struct rivals *r);

/*
 * A record has come of a call to that place.  Shows each row that it may be the packet's of: which
 * came when the call had begun, by a socket of a user that the process may have one of.
 */
void rivals_call(struct rivals *r, const struct endpoint *to, const struct rival_call *call,
		 void (*each)(uint64_t row, void *arg), void *arg);

/*
 * Shows the process of each call whose record has come, and that may have sent a packet to that
 * place: the packet left after since_us, of uid's socket (-1: not known).
 */
void rivals_so_far(const struct rivals *r, const struct endpoint *to, int64_t since_us,
		   int64_t uid, void (*each)(int64_t pid, void *arg), void *arg);

/* The row of a packet that came at time_us, of uid's socket. */
void rivals_row(struct rivals *r, const struct endpoint *to, uint64_t row, int64_t time_us,
		int64_t uid);

#endif
