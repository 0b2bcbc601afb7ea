/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_PARKING_H
#define SOCKLEDGER_PARKING_H

#include <stdbool.h>
#include <stdint.h>

#include "flows.h"
#include "packet.h"
#include "shares.h"

/*
 * Packets that wait for a witness, and when each has waited long enough.
 *
 *   I1  A packet is parked or has its verdict, never both; a parked one holds its slot until then.
 *   I2  Retransmissions of a parked packet and further datagrams of its flow wait in its slot, in
 *       their order, PARKED_COPIES at most in all slots together.
 *   I3  The time that a packet may wait counts only where it was used to look for its sender.
 *       Where this daemon got no processor a packet may exceed its deadline, up to
 *       PARKING_STARVED_TIMES, until PARKING_PIECES_MIN pieces of a search have run for it.
 *
 *   I4  One user has at most PARKING_SHARE times as many slots, and packets, as are free: a flood
 *       leaves room for the packets of others, and fills it for its own.
 *
 * Pure: what waits is the owner's, a slot is a number below PARKED_MAX, and times are passed in.
 */
#ifndef PARKED_MAX
#define PARKED_MAX 256
#endif
#define PARKED_COPIES 6400
#define PARKING_SHARE 2
#define PARKING_STARVED_TIMES 10
#define PARKING_PIECES_MIN 8
/* A record that is on its way for certain is waited for so long at least: on a busy machine a few
 * of a thousand take more than fifty milliseconds. */
#define PARKING_RECORD_NS 500000000LL

/* How long for the record of a call that has returned; park_us: the configuration's `park`. */
static inline int64_t parking_for_record_ns(int64_t park_us)
{
	int64_t ns = park_us * 1000 * PARKING_STARVED_TIMES;

	return ns > PARKING_RECORD_NS ? ns : PARKING_RECORD_NS;
}

/* The searches through /proc that a parked packet may want. */
enum scan {
	SCAN_NEWEST,		/* the processes that were started last */
	SCAN_ALL,
	SCANS
};

struct parking {
	struct parked {
		uint64_t flow;		/* a hash of it */
		int64_t arrived_ns, deadline_ns;
		uint32_t first, last;	/* of its packets; see parking_each() */
		uint32_t packets;
		unsigned int user;	/* share_of() */
		bool used;
		/* its socket is open, and no process is known that may have sent it */
		bool wants_scan;
		struct { bool begun, over; } scan[SCANS];	/* those that began after it came */
		int pieces;		/* of searches, since it is parked */
	} slot[PARKED_MAX];
	int end;			/* no slot from here on is used */
	int count;
	/* Packets, by number from 1 on; 0: none.  Each is in its slot's list, or the free one. */
	struct parked_packet {
		struct packet_id id;
		uint32_t next;
	} packet[PARKED_COPIES + 1];
	uint32_t free, touched, packets;
	struct {
		int slots;
		uint32_t packets;
	} user[SHARE_USERS];
	int64_t refused;	/* packets that had no room because of their user's others */
};

/* A slot for a packet of this flow that may wait for wait_ns; -1: there is no room. */
int parking_add(struct parking *p, const struct flow_key *flow, struct packet_id id,
		int64_t arrived_ns, int64_t wait_ns);
/* The slot of a flow with the hash of that one; -1: none waits. */
int parking_find(const struct parking *p, const struct flow_key *flow);
/* Another packet waits in that slot as well; false: there is no room. */
bool parking_join(struct parking *p, int slot, struct packet_id id);
/* Its packets, in the order in which they came. */
void parking_each(const struct parking *p, int slot, void (*each)(struct packet_id id, void *arg),
		  void *arg);
void parking_release(struct parking *p, int slot);

/* Does any parked packet still want this scan?  The full scan starts only after the scan of the
 * newest processes missed.  begun: only packets count that were parked before the running scan
 * began. */
bool parking_wants_scan(const struct parking *p, enum scan which, bool begun);
/* A scan begins, or has come to its end: for those that are parked now, or were when it began. */
void parking_scan_begins(struct parking *p, enum scan which);
void parking_scan_is_over(struct parking *p, enum scan which);
/* Another piece of a search is about to run for all that are parked. */
void parking_count_piece(struct parking *p);

/* Its time is over, and was used to look for its sender.  piece_ns: how long a piece of a search
 * takes. */
bool parking_is_over(const struct parked *k, int64_t now_ns, int64_t piece_ns);

#endif
