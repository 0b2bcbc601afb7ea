/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_LOOKUP_RING_H
#define SOCKLEDGER_LOOKUP_RING_H

#include <stdbool.h>
#include <stdint.h>

#include "tuple.h"

struct trace_event;

/*
 * Lookups of routes in the order in which they came, as many as have room; each is found by
 * protocol, destination and local port, the newest first, and the newest of a socket by that.
 */
#ifndef LOOKUPS
#define LOOKUPS 8192u
#endif
#define LOOKUP_NONE UINT32_MAX
/* A send ends when its packet has been queued.  One at another time was of another socket. */
#define LOOKUP_SEND_NS 20000000LL

struct lookup {
	int protocol;
	struct endpoint src, dst;
	uint32_t link;		/* that the packet must leave by; 0: any */
	int32_t tid;		/* 0: used up */
	int32_t by;		/* the thread, also after tid was set to 0 */
	bool call, linked;
	bool bound;		/* of a socket that bind() had given the port */
	bool left;		/* another thread may send its packet (lookups.c: I5, I6) */
	bool open;		/* a call, and its socket is connecting */
	int64_t ended_ns;	/* when that ended without an answer; 0: it has not */
	bool spent;		/* used up only because it was the oldest: the packet may have
				 * been another's */
	int64_t time_ns;
	int64_t taken_ns;	/* when its packet had come, where no call had been seen; 0: not */
	int64_t sent_ns;	/* of its send; 0: none, or no datagram's */
	uint64_t row;		/* the row that awaits its call, or its sender; 0: none */
	uint64_t socket;	/* of the call; 0: not known */
	uint32_t next_of_socket;
	uint32_t bucket, next;
	uint32_t before;	/* of the same thread, since its last send; LOOKUP_NONE: none */
};

struct lookup_ring {
	struct lookup lookup[LOOKUPS];
	uint32_t bucket[LOOKUPS];	/* the newest of each */
	uint32_t of_socket[LOOKUPS];	/* the newest lookup of each socket that is known */
	/* how long it counts that lookups whose packet had not come made room; 0: none did */
	int64_t dropped_until_ns[LOOKUPS];
	uint32_t next;
};

/* r is all zero. */
void lookup_ring_init(struct lookup_ring *r);

/* Where the lookups of that protocol, destination and local port begin. */
uint32_t lookup_ring_bucket(int protocol, const struct endpoint *dst, int32_t port);

/* Adds the event's lookup, in place of the oldest.  Returns which one it is. */
uint32_t lookup_ring_add(struct lookup_ring *r, const struct trace_event *e, bool call);

/* Takes it out of its bucket: no packet finds it. */
void lookup_ring_unlink(struct lookup_ring *r, uint32_t n);

/* The newest lookup of that socket; LOOKUP_NONE: none. */
uint32_t lookup_ring_of_socket(struct lookup_ring *r, uint64_t socket);

/* n is the newest lookup of that socket; 0: of none that is known. */
void lookup_ring_set_socket(struct lookup_ring *r, uint32_t n, uint64_t socket);

/* Whether a lookup of that bucket made room lately, and its packet had not come. */
bool lookup_ring_has_dropped(const struct lookup_ring *r, uint32_t bucket, int64_t now_ns);

#endif
