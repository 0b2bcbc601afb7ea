/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_CONNECTION_H
#define SOCKLEDGER_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "process.h"
#include "text.h"
#include "tuple.h"

/* One connection with its attribution: a row of the ledger, before its texts are numbers. */

enum direction { DIRECTION_OUT = 1, DIRECTION_IN, DIRECTION_FORWARD };

/* How sure the attribution is. */
enum certainty {
	CERTAINTY_UNKNOWN = 1,	/* no witness; `reason` says why */
	CERTAINTY_INFERRED,	/* one witness, or the best of several candidates */
	CERTAINTY_CERTAIN,	/* two independent witnesses agree */
};

enum verdict { VERDICT_OBSERVED = 1, VERDICT_ACCEPT, VERDICT_DROP, VERDICT_REJECT };

/* Who said so: bits.  Their names and order are those of the column `evidence`. */
enum evidence {
	EVIDENCE_AUDIT = 1, /* an audit record of that process for that destination */
	EVIDENCE_FD = 2,    /* /proc/PID/fd showed the socket at that descriptor */
	EVIDENCE_BIND = 4,  /* an audit record of the bind of exactly that local port */
	EVIDENCE_INODE = 8, /* sock_diag: the socket of exactly that tuple */
	EVIDENCE_PROC_SYSCALL =
		16,	     /* /proc/PID/task/TID/syscall: in connect() on that descriptor */
	EVIDENCE_TRACE = 32, /* tracefs: a thread of it looked up the route of exactly that tuple */
	EVIDENCE_TRACE_CALL =
		64, /* tracefs: the call around it, a TCP socket set to SYN_SENT or a UDP send */
};

/* Whose look-up it was that gave dst its name: the nearest to the process. */
enum name_by { NAME_BY_NOBODY, NAME_BY_PROCESS, NAME_BY_USER, NAME_BY_HOST, NAME_BYS };

/* Texts beside those of the process. */
enum connection_text {
	CONNECTION_NODE,
	CONNECTION_PARENT_EXE,
	CONNECTION_ANCESTORS,	/* programs of parent, grandparent, ..., with " < " between */
	CONNECTION_CONTAINER,
	CONNECTION_UNIT,
	CONNECTION_REASON,
	CONNECTION_RULE,
	CONNECTION_CANDIDATES,	/* others who may have sent it: "PID PROGRAM, ..." */
	CONNECTION_DST_NAME,	/* what was looked up, and had the address of dst */
	CONNECTION_TEXTS
};

struct process_facts;

struct connection {
	uint64_t id;		/* the ledger's; given by who makes the row */
	uint64_t cache_seq;	/* the event that it comes from; 0: none */
	int64_t time_us;
	enum direction direction;
	int protocol;		/* -1: unknown */
	bool unreadable;	/* of its packet's head: protocol, ports and destination may be
				 * others than these */
	bool fast_open;		/* its SYN may be of a send, not of a connect(): of a packet */
	struct endpoint src, dst;
	struct process process;	/* of a packet without one, uid is the socket's user */
	int64_t parent_seen;	/* enum exe_seen of CONNECTION_PARENT_EXE */
	bool parent_then;	/* and that is what it ran when it started the process */
	bool login_proven;	/* the process has not chosen its login user itself */
	bool only_holder;	/* the process holds the packet's socket; that it made the call
				 * nobody has seen, where it would have been seen */
	const struct process_facts *facts;	/* what a policy alone asks (policy.h), while it
						 * decides; NULL: nobody has asked */
	int64_t start_us;	/* when the process started, by the wall clock; -1: unknown */
	unsigned int evidence;	/* enum evidence */
	enum certainty certainty;
	enum verdict verdict;
	int64_t latency_us;	/* how long its first packet waited; -1: none did */
	int64_t audit_us;	/* with the serial: the audit record, for ausearch -a; -1: none */
	uint32_t audit_serial;
	int64_t result;		/* of the call: 0 or -errno */
	enum name_by dst_name_by;
	int dst_names;		/* that dst has on this host now: one of them alone says much */
	struct text text[CONNECTION_TEXTS];
};

/* Nothing known. */
void connection_init(struct connection *c);

const char *direction_name(enum direction d);
const char *certainty_name(enum certainty c);
const char *verdict_name(enum verdict v);
/* "process", "user" or "host"; NULL for nobody. */
const char *name_by_name(enum name_by by);
/* By name; 0 where there is no such. */
int direction_parse(const char *name);
int certainty_parse(const char *name);
int verdict_parse(const char *name);

/*
 * Cuts texts to what the ledger keeps: those that a process makes as long as it likes at
 * PROCESS_TEXT_BYTES, with a mark, in `room`; all others at CONNECTION_TEXT_BYTES.  The control
 * group's path, which the ledger has no column for, goes.
 */
#define CONNECTION_TEXT_BYTES 4096
#define CONNECTION_NAME_BYTES 255	/* of dst's name */
#define CONNECTION_CUT_BYTES (5 * PROCESS_TEXT_BYTES)
void connection_cut(struct connection *c, char room[CONNECTION_CUT_BYTES]);

/* As event_pack(): one piece of memory, the copy's texts pointing into it. */
size_t connection_pack_size(const struct connection *c);
struct connection *connection_pack(const struct connection *c, void *to);

#endif
