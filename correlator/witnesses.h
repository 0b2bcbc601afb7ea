/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_WITNESSES_H
#define SOCKLEDGER_WITNESSES_H

#include <stdbool.h>
#include <stdint.h>

#include "certainty.h"
#include "connection.h"
#include "event.h"
#include "lookups.h"

struct ancestry;
struct observer;
struct procfs;
struct sockdiag;
struct tasks;
struct tracefeed;

/* Whom a packet's sender can be asked of.  Everything stays borrowed. */
struct witnesses {
	struct sockdiag *sockdiag;
	struct procfs *procfs;
	struct observer *observer;
	struct ancestry *ancestry;
	/* the trace; tracefs NULL: there is none */
	struct tracefeed *tracefs;
	struct lookups *lookups;
	struct tasks *tasks;
	bool sees_exec;		/* it tells that a process becomes another program before /proc does */
	int64_t netns;		/* the queue's own network namespace */
	int64_t lossy_until_ns;	/* until then an event of the trace may be missing */
	int64_t complete_since_us;	/* by the wall clock: no event is missing since */
};

#define OTHERS_MAX 4

/* Where the answer came from. */
enum source { FROM_NOBODY, FROM_TRACE, FROM_CACHE, FROM_RECENT, FROM_PROC, SOURCES };

/* What is known of who sent a packet. */
struct sender {
	int64_t inode;		/* of its socket; -1: unknown, or it is closed */
	int64_t pid, fd;	/* -1: unknown */
	int64_t netns;		/* of the process; -1: unknown */
	uint64_t row;		/* of its record, where that has come; else 0 */
	bool local;		/* it has, or had, a socket on this host */
	bool elsewhere;		/* who holds it is not in the call, which waits: somebody else is */
	bool stranger;		/* whether it is the socket's user who looked the route up is not known */
	bool passed;		/* it has been let go: it may be becoming another program */
	bool lost;		/* a witness may have been lost on the way */
	unsigned int evidence;
	struct doubts doubts;
	enum source source;
	struct looker looker;	/* with EVIDENCE_TRACE */
	/* others who may have: they hold the socket as well, or looked the same tuple up */
	int64_t others[OTHERS_MAX];
	int other_count;
};

/* Nothing known yet, but whose user the kernel says the socket is (-1: it has none). */
void sender_init(struct sender *s, int64_t uid);

/* The packet's own call has been traced by now: takes in all that the trace has. */
void witnesses_trace(struct witnesses *w);
/* More packets are waiting, which may have come before events of theirs were lost. */
void witnesses_backlog(struct witnesses *w);

/* The first question, to the trace: true where the call itself was seen, and not in another network as far as is
 * known without a question, so that its process will be named whatever else is asked. */
bool witnesses_call(struct witnesses *w, struct connection *c, struct sender *s);
/* What else is asked changes nothing about which process it was, and what that has become since can be told
 * from what it was in the call. */
bool witnesses_sure(const struct witnesses *w, const struct sender *s);
/* The next questions, none of which waits: socket, cache, processes seen lately. */
void witnesses_ask(struct witnesses *w, struct connection *c, struct sender *s);
/* The plugin, or the search, has seen the socket at that descriptor. */
void witnesses_found(struct witnesses *w, const struct connection *c, struct sender *s, int64_t pid,
		     int64_t fd, enum source source);
/* Its socket's inode, where it was not needed to tell who sent it. */
void witnesses_socket(struct witnesses *w, const struct connection *c, struct sender *s);
/* The record of its call, if it has come meanwhile. */
void witnesses_record(struct witnesses *w, const struct connection *c, struct sender *s);
/* Nobody could be named in time: a record that has come is taken as one that comes later would be, which
 * another socket does not speak against, of a process that is just ending for instance. */
void witnesses_last(struct witnesses *w, const struct connection *c, struct sender *s);
/* A record is of one packet: while this one waited another one may have taken it. */
void witnesses_share(struct witnesses *w, const struct connection *c, struct sender *s);
/* For who must be sure: whether it holds the socket, and a thread of it is in the call just now. */
void witnesses_insist(struct witnesses *w, struct sender *s);

/* A living process that was glanced at: what has been known of it before is not read again. */
struct portrait {
	struct event event;
	bool alive, whole;
};

/* How closely a process is looked at. */
enum look {
	LOOK_NOT,		/* what records and the trace have said has to do */
	LOOK_GLANCE,		/* as much of /proc as tells which it is */
	LOOK_WHOLE,
};

/* Who the process is, into c. */
void witnesses_describe(struct witnesses *w, struct connection *c, struct sender *s,
			struct portrait *p, enum look look);
/* How long ago it began, or by the trace executed its program; -1: not known. */
int64_t witnesses_age_us(const struct witnesses *w, const struct connection *c,
			 const struct sender *s);
/* The others as a text, "PID PROGRAM, PID PROGRAM"; NULL where there are none. */
const char *witnesses_others(struct witnesses *w, const struct sender *s, char *buf, size_t size);
/* The rest, after the verdict. */
void witnesses_complete(struct witnesses *w, struct connection *c, struct sender *s,
			struct portrait *p);

#endif
