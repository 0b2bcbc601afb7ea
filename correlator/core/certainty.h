/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_CERTAINTY_H
#define SOCKLEDGER_CERTAINTY_H

#include <stdbool.h>

#include "connection.h"

/*
 * How sure it is that a process sent a packet.  Two independent witnesses prove it:
 *
 *   its record of the call, and that call's descriptor seen to be the packet's socket
 *   a thread of it seen inside the call, on a descriptor that is the packet's socket
 *   the packet's socket seen in it, and the packet's route looked up by a thread of it
 *   the route looked up by a thread of it, and its record of the call, or the call itself seen
 *   around it in that thread; where nothing speaks against the trace
 *
 * That a process holds the socket is no proof alone: its parent, its child or whom it was passed to
 * may hold it as well.  Nor is a route lookup alone: anybody may ask for one (RTM_GETROUTE).
 */
struct doubts {
	bool same_socket;	/* the record's descriptor is the one that held the packet's socket */
	bool shared;		/* other processes may have looked this very tuple up as well: one that a
				 * process holds the socket of may be another's packet */
	bool changed;		/* it may have executed another program since the call, and nobody tells */
	bool trace_ok;		/* nobody else looked this tuple up, no event was lost, the socket's
				 * user is the caller's, and the process is of the packet's network
				 * namespace as far as is known */
};

/* evidence: bits of enum evidence, all of one process. */
enum certainty certainty_of(unsigned int evidence, const struct doubts *d);

#endif
