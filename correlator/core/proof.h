/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_PROOF_H
#define SOCKLEDGER_PROOF_H

#include <stdbool.h>

#include "connection.h"

/*
 * What is proof.  This is the one place that says `certain`: of packets, of records, of both
 * together.
 *
 * Each line of the table in proof.c is one proof: the words that it needs, the conditions that tie
 * them to this very packet, and the doubts that speak against it.  A doubt vetoes only the proofs
 * that rest on what it is about: whoever asks for routes, or makes the trace overrun, takes nothing
 * from what a record and a descriptor prove.
 *
 *   of a connection, not of a datagram: the record of the call that sends, that call's descriptor
 *   seen to be the packet's socket, and no other process's call that may have sent it.  The
 *   descriptor may be another socket by the time it is looked at, but over TCP connect() sends,
 *   unless Fast Open puts that off, and makes a record of who has really sent.  Datagrams go
 *   without one
 *   likewise: a thread of it seen to wait in the call, on a descriptor that is the packet's socket,
 *   and no other process's call.  Of datagrams one process may wait for room that another one's
 *   fills
 *   the packet's socket seen in it, and its thread's own call seen around the lookup
 *   the lookup with its call, where nothing speaks against the trace, and the packet's socket does
 *   not live in other hands
 *   of a packet that came in: one process alone holds the socket that it is for; a search looked
 *   at every process no more than ten seconds ago, and since then at those that were started
 *   (sole.h)
 *   accept() returned a connection with the packet's peer, and the plugin saw at its descriptor the
 *   socket that the kernel has for the packet's whole tuple; or it was called on the socket that
 *   the packet was to, and of the packets that wait no other one has that peer and that listener
 *   a record without a packet, where the plugin saw a socket at the descriptor of the call, and no
 *   port is named that only a bind() tells of
 *   what the row was proven by before a restart
 *
 * A lookup without its call is no proof beside anything: every user may ask for a route
 * (RTM_GETROUTE), and may have a record and a socket of its own beside the question.  Nor is it
 * proof that a process holds the socket, because its parent, its child or the process that it was
 * passed to may hold it as well.
 */
struct proof_conditions {
	/* what ties the words to this packet */
	bool no_packet;		/* the audit record is all there is */
	bool accepted;		/* the record is of the accept() that returned the packet's own
				 * connection */
	bool attempted;		/* the record's call got as far as the network */
	bool same_socket;	/* the record's descriptor held the packet's socket */
	bool sent;		/* the record's call is one that sends: TCP's connect(), a send */
	bool connects;		/* the packet is a connection's first */
	bool sole_holder;	/* the packet came in, and nobody else holds its socket */
	bool earlier;		/* the row was certain before a restart, of this process */
	/* doubts, each about one witness */
	bool program_unsure;	/* the process may have executed another program since the call, or
				 * nobody saw the file of the one that is named */
	bool other_call;	/* another process's own call for this packet was seen */
	bool rival;		/* another process's call to the same place may have sent it: its
				 * record has come, or it was seen in it (rivals.h) */
	bool other_lookup;	/* a datagram's tuple was looked up by others: it may be of a socket
				 * of theirs that has the port as well */
	bool trace_doubtful;	/* others looked the tuple up, or an event of the trace may be
				 * missing, or the caller is not the socket's user, or not of the
				 * packet's network namespace as far as is known */
	bool unsure_port;	/* the trace does not tell from which port that call was, and there
				 * may have been others to the same place */
	bool elsewhere;		/* the packet's socket lives, and was not seen in the process */
	bool fast_open;		/* the SYN may have been sent by the first send of data, by
				 * whomever, when connect() had returned (TCP_FASTOPEN_CONNECT) */
};

/* evidence: bits of enum evidence, all of one process. */
enum certainty proof_of(unsigned int evidence, const struct proof_conditions *c);

#endif
