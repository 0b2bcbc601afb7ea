/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_PROOF_H
#define SOCKLEDGER_PROOF_H

#include <stdbool.h>

#include "connection.h"

/*
 * What is proof.  This is the one place that says `certain`: of packets, of records, of both
 * together.
 *
 * Two independent witnesses prove which process sent a packet:
 *
 *   its audit record of the call, and that call's descriptor seen to be the packet's socket
 *   a thread of it seen inside the call, on a descriptor that is the packet's socket
 *   the packet's socket seen in it, and the packet's route looked up by a thread of it
 *   the route looked up by a thread of it, and its audit record of the call, or the call itself
 *   seen around the lookup in that thread; where nothing speaks against the trace
 *   accept() returned a connection with the packet's peer, and the plugin saw at its descriptor the
 *   socket that the kernel has for the packet's whole tuple; or it was called on the socket that
 *   the packet was to, and of the packets that wait no other one has that peer and that listener
 *
 * Of a packet that came in, that one process alone holds the socket that it is for is proof: a
 * search looked at every process no more than ten seconds ago, and since then at those that were
 * started (sole.h).  Nobody else can take it from the socket, unless the holder gives that away.
 *
 * A record without a packet is proof where the plugin saw a socket at the descriptor of the call,
 * and no port is named that only a bind() tells of.
 *
 * Otherwise that a process holds the socket is no proof alone, because its parent, its child or the
 * process that it was passed to may hold it as well.  A route lookup alone is none, because every
 * user may ask for one (RTM_GETROUTE).
 */
struct proof_conditions {
	bool no_packet;		/* the audit record is all there is */
	bool accepted;		/* the record is of the accept() that returned the packet's own
				 * connection */
	bool attempted;		/* the record's call got as far as the network */
	bool sole_holder;	/* the packet came in, and nobody else holds its socket */
	bool same_socket;	/* the record's descriptor held the packet's socket */
	bool shared;		/* other processes may have looked this very tuple up as well: the
				 * packet of a socket that one process holds may be another's */
	bool program_unsure;	/* the process may have executed another program since the call */
	bool trace_unambiguous;	/* no other process looked this tuple up, no event of the trace was
				 * lost, the caller is the socket's user, and it is of the packet's
				 * network namespace as far as is known */
};

/* evidence: bits of enum evidence, all of one process. */
enum certainty proof_of(unsigned int evidence, const struct proof_conditions *c);

#endif
