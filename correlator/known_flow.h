/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_KNOWN_FLOW_H
#define SOCKLEDGER_KNOWN_FLOW_H

#include <stdbool.h>
#include <stdint.h>

#include "flows.h"

struct config;
struct ctmark;
struct ctmarks;
struct deaths;
struct host;
struct inquiry;
struct ledger_sink;

/*
 * Flows that have been decided, and the sockets that they belong to.  A packet of a known flow is
 * answered as its first one was, without asking again: the same socket's, not only the same
 * tuple's.
 *
 *   TCP        every new SYN is decided; one that its socket sends again is not new
 *   UDP ...    the packet is the flow's unless another thread looked the tuple up (with the trace),
 *              or another socket has it now; the kernel's word that the first one is dead decides
 *              what is left
 *   no ports   the flow is one of protocol, addresses, user and echo identifier, for half a minute
 *
 * From its third datagram on a flow that passes is marked in conntrack, so that its datagrams no
 * longer come to the queue; the mark goes when the socket dies, when the trace tells of another
 * thread with the same tuple, after half an hour, and with another policy.
 */
struct known_flows;

struct known_flows_tools {
	const struct config *config;
	struct host *host;
	struct ledger_sink *ledger_sink;
	struct ctmarks *marks;
	struct deaths *deaths;	/* NULL: the kernel does not announce them */
};

/* Everything stays borrowed and has to outlive it.  NULL where memory is short. */
struct known_flows *known_flows_new(const struct known_flows_tools *tools);
/* Writes what the ledger does not know yet. */
void known_flows_free(struct known_flows *k);

/* The key of a packet's flow.  echo_id: struct packet. */
struct flow_key known_flow_key(const struct inquiry *q, int32_t echo_id);
/* The flow that this packet may be of; NULL: none. */
struct flow *known_flow_find(struct known_flows *k, const struct flow_key *key);

enum flow_word {
	FLOW_NEW,	/* the packet is another connection's */
	FLOW_SAME,	/* it is the flow's */
	/* another socket has the tuple by now: the packet is the flow's unless the kernel announces
	 * that the flow's socket is dead */
	FLOW_UNSURE,
};

/* What was asked for this stays in q's testimony; after FLOW_UNSURE the trace may be asked anew. */
enum flow_word known_flow_compare(struct known_flows *k, struct inquiry *q, const struct flow *f,
				  int64_t now_ns);
/* The longest that a packet has to wait for the kernel's word after FLOW_UNSURE. */
#define FLOW_WORD_NS 2000000LL

/* More packets of that flow have come. */
void known_flow_count(struct known_flows *k, struct flow *f, int packets, int64_t now_ns);
/* The flow's packets need not come to the queue any more.  True: *m has the mark to set with this
 * packet's verdict. */
bool known_flow_wants_mark(struct known_flows *k, struct flow *f, int64_t now_ns, struct ctmark *m);

/* Before the first packet's verdict: it holds its socket until then. */
void known_flow_look(struct known_flows *k, const struct flow_key *key, struct inquiry *q);
/* After FLOW_UNSURE no death was announced: the packet is the flow's, and so is its socket. */
void known_flow_keep(struct flow *f, const struct inquiry *q);

/* The packet of q has been decided, and has that row.  packets: with those that waited with it. */
void known_flow_begin(struct known_flows *k, const struct flow_key *key, struct inquiry *q,
		      uint64_t row, enum verdict verdict, int64_t now_ns, int packets);
/* The next packet with its tuple is decided anew. */
void known_flow_end(struct known_flows *k, struct flow *f);
/* All are decided anew, because the policy has changed. */
void known_flows_forget(struct known_flows *k);

/* Takes in the sockets that have died, UDP's or all. */
void known_flows_read_deaths(struct known_flows *k, bool all);
/* Flows that the trace has cast doubt on (host.h) lose their mark. */
void known_flows_doubt(struct known_flows *k);
/* A piece of what is due by time.  To be called ten times a second or more. */
void known_flows_poll(struct known_flows *k, int64_t now_ns);
/* To be polled for UDP's deaths; -1: nothing waits for one.  held: a packet does. */
int known_flows_fd(const struct known_flows *k, bool held);
/* How long known_flows_poll() may wait, in milliseconds; -1: until there is a flow. */
int known_flows_poll_ms(const struct known_flows *k);

struct known_flows_counts {
	int64_t datagrams;	/* packets that were answered as their flow's first one */
	int64_t marked, unmarked;	/* how often conntrack got our mark, and lost it early */
	/* of sockets of known flows; how often the kernel's word was lost */
	int64_t deaths, deaths_missed;
	int64_t evicted;	/* flows that were forgotten because there were too many */
};
struct known_flows_counts known_flows_count(const struct known_flows *k);

#endif
