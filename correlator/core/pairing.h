/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_PAIRING_H
#define SOCKLEDGER_PAIRING_H

#include <stdbool.h>
#include <stdint.h>

#include "attribution.h"
#include "connection.h"
#include "halves.h"

struct event;

/*
 * A connection has two halves, its packet and the audit record of its call, and either may come
 * first.  Packets wait here for their record, records for their packet, and what a packet's row
 * rests on stays so that a later word about it can be weighed with the earlier ones.  Fixed
 * numbers; the oldest makes room.
 */
struct pairing;

/* Rows get ids from next_row on.  NULL where memory is short. */
struct pairing *pairing_new(uint64_t next_row);
void pairing_free(struct pairing *p);

/* The id of a new row. */
uint64_t pairing_new_row(struct pairing *p);
/* The next new row gets this id: what it would be of is in the ledger already, or is not. */
void pairing_next_row(struct pairing *p, uint64_t id);

/* What the row of a packet rests on. */
struct packet_word {
	struct packet_facts facts;
	struct testimony testimony;
	int64_t pid;		/* that the row names; -1: nobody */
	int caller;		/* attribution.caller */
	enum source source;	/* of the first answer */
	enum verdict verdict;	/* that went with it */
	bool observe;		/* or would have: the rule only observes */
	int64_t netns;		/* of the queue; -1: not known */
	bool described;		/* the row has what /proc said of the living process */
	/* pairing_packet() fills in the rest: our own end; the hash of the program that the row
	 * names, 0: none; and its file as far as that was seen */
	struct endpoint local;
	uint64_t exe;
	int64_t exe_seen, exe_dev, exe_inode, exe_ctime, replaced;
};

/*
 * A packet's row c->id, c as it is written.  fd: by which the process holds its socket; uid: of the
 * socket.  has_record: the row is that of its record, which came first.
 */
void pairing_packet(struct pairing *p, const struct connection *c, int64_t fd, int64_t uid,
		    const struct packet_word *w, bool has_record);

/* The packet that this record of a call is about, by halves_match(): it has its record now.  *row
 * is its row; what it rests on stays there until the next call.  NULL: there is none. */
struct packet_word *pairing_of_record(struct pairing *p, const struct event *e, int protocol,
					    const struct endpoint *peer, uint64_t *row);
/* True: it had one that has made room.  Each such packet answers for one record. */
bool pairing_is_forgotten(struct pairing *p, const struct event *e, const struct endpoint *peer);
/* The packet of an accept(), by halves_match_accept(). */
struct packet_word *pairing_of_accept(struct pairing *p, const struct event *e, int protocol,
				      const struct endpoint *peer, const struct endpoint *local,
				      uint64_t *row, bool *alone);

/* What row `row` rests on, whether its record has come or not; NULL: it has had to make room. */
struct packet_word *pairing_of_row(struct pairing *p, uint64_t row);

/*
 * A record has come of a call that may have sent a packet, whether it has found its own or not.
 * Shows each row whose packet it may have sent as well; what the row rests on has this process's
 * call then.
 */
void pairing_call(struct pairing *p, const struct event *e,
		  void (*each)(struct packet_word *w, uint64_t row, void *arg), void *arg);
/* The calls of which that is known when c's packet comes, which left after since_us. */
void pairing_calls(const struct pairing *p, const struct connection *c, int64_t since_us,
		   struct testimony *t);

/* A record that came before its packet, if ever a packet comes. */
void pairing_record(struct pairing *p, const struct half *record);

/*
 * A record without its packet, of a call of process pid to c's peer, from about c's time; pid -1:
 * of any process with c's user; fd -1: by any descriptor.  It stays until pairing_packet() is given
 * its row.  False: there is none.
 */
bool pairing_find(const struct pairing *p, const struct connection *c, int64_t pid, int64_t fd,
		  struct half *found);
/* Likewise, of a call on this very socket. */
bool pairing_find_socket(const struct pairing *p, const struct connection *c, int64_t inode,
			 struct half *found);
/* The record of this row still waits for its packet. */
bool pairing_awaits(const struct pairing *p, uint64_t row);

/* The peer as halves know it: a port means nothing to a protocol that has none. */
struct endpoint pairing_peer(int protocol, struct endpoint peer);

/* How many packets, and records that some packet could have had, made room too early. */
struct pairing_evicted {
	int64_t packets, records;
};
struct pairing_evicted pairing_evicted(const struct pairing *p);

/* A row of an earlier life whose other half may still come. */
void pairing_restore(struct pairing *p, const struct connection *c, bool has_packet);

#endif
