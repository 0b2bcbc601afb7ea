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
 *   UDP ...    the packet is the flow's unless another process looked the tuple up (with the trace)
 *              and has a socket for it, or another socket has it now; the kernel's word that the
 *              first one is dead decides what is left.  Sockets that share it have a flow each
 *   no ports   the flow is one of protocol, addresses, user and echo identifier, for half a minute
 *
 * Under load a flow that passes is marked in conntrack, so that its datagrams no longer come to the
 * queue.  By the mark whoever has the tuple passes; so it is given where its sender does not matter
 * (enum each_datagram), and where one socket alone has the local port.  It goes when the socket
 * dies, when the trace tells of another thread with the same tuple, or a record of another socket
 * at the port, after half an hour, and with another policy.
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
/* The one of them with that row; NULL: it has ended, or is to be decided anew. */
struct flow *known_flow_of_row(struct known_flows *k, const struct flow_key *key, uint64_t row);

enum flow_word {
	FLOW_NEW,	/* the packet is another connection's */
	FLOW_SAME,	/* it is the flow's */
	/* another socket has the tuple by now: the packet is the flow's unless the kernel announces
	 * that the flow's socket is dead */
	FLOW_UNSURE,
	/* it is another socket's, which shares the flow's tuple: the flow goes on */
	FLOW_BESIDE,
	/* another process looked the route up and may have asked only: the packet is the flow's
	 * unless known_flow_was_called() */
	FLOW_ASKED,
};

/* *at is the flow that it may be of, and then, of those with the same tuple, the one that it is of.
 * What was asked for this stays in q's testimony. */
enum flow_word known_flow_compare(struct known_flows *k, struct inquiry *q, struct flow **at,
				  int64_t now_ns);
/* After FLOW_UNSURE and FLOW_ASKED: the trace may be asked anew. */
void known_flow_give_back(const struct known_flows *k, const struct inquiry *q);
/* After FLOW_ASKED: it was a call, which has come to its end by now. */
bool known_flow_was_called(const struct known_flows *k, const struct inquiry *q);
/* The longest that a packet has to wait after FLOW_UNSURE, where processors are busy, and after
 * FLOW_ASKED. */
#define FLOW_WORD_NS 10000000LL
#define FLOW_CALL_NS 2000000LL

/* More packets of that flow have come. */
void known_flow_count(struct known_flows *k, struct flow *f, int packets, int64_t now_ns);
/* The flow's packets need not come to the queue any more.  True: *m has the mark to set with this
 * packet's verdict. */
bool known_flow_wants_mark(struct known_flows *k, struct flow *f, int64_t now_ns, struct ctmark *m);

/* Before the first packet's verdict: it holds its socket until then. */
void known_flow_look(struct known_flows *k, const struct flow_key *key, struct inquiry *q);
/* After FLOW_UNSURE no death was announced: the packet is the flow's, and so is its socket. */
void known_flow_keep(const struct known_flows *k, struct flow *f, const struct inquiry *q);

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
/* A socket has been bound to that port: another one's flow may not be its own any more, and loses
 * its mark until that has been looked at. */
void known_flows_bound(struct known_flows *k, int32_t port);
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
