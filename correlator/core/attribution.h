/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_ATTRIBUTION_H
#define SOCKLEDGER_ATTRIBUTION_H

#include <stdbool.h>
#include <stdint.h>

#include "connection.h"

/*
 * Who sent a packet.  Each witness writes what it saw into a testimony; attribute() makes of all of
 * it the process, the evidence, the certainty, and the next question worth asking.
 *
 *   trace     which threads looked this very tuple up          who made the call, alive or gone
 *   socket    sock_diag: the packet's socket
 *   holders   processes that were seen to hold that socket     /proc/PID/fd/FD
 *   record    the audit record of the call
 *   earlier   what the ledger's row said before a restart
 *
 * Nothing that a witness said is ever taken back: attribute() begins anew each time, so a word that
 * a later word contradicts simply does not count.  Pure: no system calls, no time.
 */

/* What the packet itself says; all of it is the kernel's word. */
struct packet_facts {
	int protocol;
	enum direction direction;
	int64_t uid;		/* of its socket's opener (NFQA_UID); -1: it has no socket here */
	bool has_ports;
	bool traced;		/* there is a trace to ask */
	bool fast_open;		/* its SYN may be of a send, not of a connect() (packet.h) */
	bool blocks_caller;	/* a connect() of it on a blocking socket has not returned yet, and
				 * /proc can tell who is in it: TCP, outgoing, without the trace */
	bool asks_maker;	/* nothing tells who sent it, so who made its socket is asked for,
				 * whose record may be waited for: a datagram, outgoing, without the
				 * trace */
};

/*
 * Where a process is, seen from the packet's network namespace: of a forwarded packet that is the
 * one that it came from.  PLACE_UNSURE: in one of which it is not seen that such a packet came from
 * there.
 */
enum place { PLACE_NOT_ASKED, PLACE_HERE, PLACE_ELSEWHERE, PLACE_GONE, PLACE_UNSURE };

/* A process of which threads looked the packet's tuple up (lookups.h). */
struct caller {
	int64_t time_ns;	/* of its newest lookup: CLOCK_MONOTONIC */
	int64_t uid;		/* whose sockets it opens; -1: not known */
	int32_t pid;		/* -1: the thread's process is not known */
	int32_t tid;
	uint32_t lookup;	/* for lookups_await_call() */
	enum place place : 8;
	bool uid_asked;
	bool call;		/* the call itself was seen around each of its lookups */
	/* with the packet's port; else it is connecting to that destination */
	bool exact;
	bool bound;		/* its call was on a socket that had the port already */
	bool left;		/* its connect() may have left the SYN to another's send */
};

/* Where the first answer came from. */
enum source { FROM_NOBODY, FROM_TRACE, FROM_CACHE, FROM_RECENT, FROM_PROC, SOURCES };

/* Whether the program that is named has made the packet's socket, as socket()'s record tells. */
enum maker_word { MAKER_UNKNOWN, MAKER_ITSELF, MAKER_ANOTHER };

/* A process that was seen to hold the packet's socket, after its inode was known. */
struct socket_holder {
	int32_t pid, fd;
	enum source source : 8;
	bool in_call;		/* a thread of it was inside the call on that descriptor */
};

/* How a record came to this packet. */
enum record_by {
	RECORD_NONE,
	RECORD_OF_PROCESS,	/* the process that is named made the call */
	RECORD_OF_SOCKET,	/* it names the packet's socket */
	RECORD_OF_USER,		/* the oldest of the socket's user to the same place */
	RECORD_LAST,		/* likewise, when the time was over and nobody's call was known */
	RECORD_PAIRED,		/* it came after the verdict, and pairing.h gave it to this row */
	RECORD_ALONE,		/* there is no packet */
};

struct call_record {
	uint64_t row;		/* in the ledger; 0: it has none of its own */
	int64_t inode, uid;	/* -1: not known */
	int32_t pid, fd;
	enum record_by by : 8;
	bool taken;		/* another packet's by now: it does not count here */
	bool fd_seen;		/* the plugin saw a socket at fd when the record came */
	bool bound;		/* the local port is that of a bind() record */
	bool attempted;		/* the call got as far as the network */
	bool sends;		/* it names where a datagram goes; else it is a connect() */
	bool done;		/* a connect() that returned success before the packet's verdict */
	bool success;		/* a connect() that returned success at any time */
	bool began;		/* one that began to connect, and did not wait */
	bool program_told;	/* nobody saw the file of the program that it names */
	bool accepted;		/* of accept(): fd is the new socket */
	bool own_tuple;		/* accepted: the kernel says that it is the packet's connection */
	bool only_one;		/* accepted: no other packet that waits could be its */
	int64_t listener_inode;	/* accepted: of the socket that was listened on */
};

#define CALLERS_MAX 4
#define HOLDERS_MAX 4
#define RECORD_NOT_ASKED INT64_MIN

struct testimony {
	struct {
		struct caller by[CALLERS_MAX];	/* the newest or likeliest first */
		uint8_t count, lookups;
		bool asked;
		bool more;	/* there may have been others that are not shown */
		bool lossy;	/* an event of the trace may be missing */
		/* likewise, of the time in which a socket of datagrams may have been connected */
		bool was_lossy;
	} trace;
	struct {
		int64_t inode;	/* the newest answer; -1: there is none, or it is closed */
		int64_t uid;
		uint64_t cookie;	/* 0: there is none */
		bool asked, found;
		bool resent;	/* it has sent its SYN more than once */
		bool widely;	/* also among those that are not connected */
		bool again;	/* asked once more, for what became of it */
		enum maker_word made;	/* by the program that is named? */
		/* the caller has another socket at the port, by which it may have sent */
		bool shared;
		int64_t own_inode;	/* of that one; 0: not known */
		uint64_t own_cookie;
	} socket;
	struct {
		struct socket_holder by[HOLDERS_MAX];
		uint8_t count;
		bool cache_asked, recent_asked;
		/* Does anybody else hold it?  A rule wants to know; a search has ended; it saw
		 * every process, and nobody does. */
		bool sole_wanted, sole_over, sole;
	} holders;
	struct call_record record;
	/* whose calls to the packet's place may have sent it, as records tell (rivals.h); with two
	 * there is another one's, whoever is named */
	struct {
		int64_t pid[2];
		uint8_t count;
	} calls;
	int64_t record_asked_for;	/* the pid that was named then, or RECORD_NOT_ASKED */
	struct {
		int64_t pid;
		unsigned int evidence;
		bool certain;
	} earlier;
	bool records_seen;	/* audit records do come */
	bool makers_seen;	/* those of socket(), too */
	bool program_unsure;	/* since the call the process may have executed another program */
	bool our_root;		/* a path that its record tells is one of our root */
};

enum question {
	ASK_NOTHING,		/* nothing that could be asked would change the answer */
	WAIT_FOR_RECORD,	/* nothing but a record can help, and one may be on its way */
	/* the socket is open, so a search through /proc may find the holder */
	WAIT_FOR_SCAN,
	ASK_TRACE,		/* which threads looked the tuple up */
	ASK_CALLERS,		/* of several callers: place and user of each */
	ASK_SOCKET,		/* the inode of the packet's socket, by its tuple */
	ASK_SOCKET_WIDELY,	/* also among sockets that are not connected */
	/* the process that was seen with that inode: does it hold it now? */
	ASK_HOLDER,
	ASK_RECENT,		/* processes that used sockets lately: does one hold it? */
	ASK_PLACE,		/* is the caller alive, and of this network namespace? */
	ASK_USER,		/* is the caller the socket's user? */
	ASK_SOCKET_AGAIN,	/* is the socket still there, and does the caller hold it? */
	ASK_RECORD,		/* the record of the call */
};

struct attribution {
	int64_t pid, fd;	/* -1: unknown */
	int caller;		/* in trace.by: the call that it rests on; -1: none */
	uint64_t row;		/* of its record; 0: that has not come */
	enum source source;
	unsigned int evidence;	/* enum evidence */
	enum certainty certainty;
	const char *reason;	/* why nobody is named; else NULL */
	/* Others that may have sent it: they hold the socket as well, or looked the same tuple
	 * up. */
	int64_t candidates[CALLERS_MAX + HOLDERS_MAX];
	int candidate_count;
	bool final;		/* no further question changes the process */
	bool sole_awaited;	/* whether the holder is the only one is being found out */
	/* it holds the socket, as may others: it was neither seen in the call, nor has its record
	 * come, which the call of whoever made it has as soon as it returns; nor, of a datagram,
	 * is the socket known to be its program's own */
	bool only_holder;
	bool others_socket;	/* only_holder: another program made it, so no record is awaited */
	/* the call of its lookup would be proof, and has not been seen yet */
	bool awaits_call;
	enum question next;
};

/* Nobody has said anything yet. */
void testimony_init(struct testimony *t);
/* That process holds the socket: once for each process, in the call if it was ever seen there. */
void testimony_add_holder(struct testimony *t, const struct socket_holder *h);
/* That process has called the packet's place.  False: that makes no difference. */
bool testimony_add_call(struct testimony *t, int64_t pid);
/* A record that nobody has a packet for. */
void testimony_of_record(struct testimony *t, const struct call_record *r);

void attribute(const struct packet_facts *f, const struct testimony *t, struct attribution *a);

/* Whether the answer waits for something that may yet come. */
static inline bool attribution_waits(const struct attribution *a)
{
	return a->next == WAIT_FOR_RECORD || a->next == WAIT_FOR_SCAN;
}

#endif
