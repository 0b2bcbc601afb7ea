/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_OBSERVE_H
#define SOCKLEDGER_OBSERVE_H

#include <stdbool.h>
#include <stdint.h>

#include "attribution.h"
#include "event.h"
#include "ledger_change.h"

struct known_process;
struct makers;
struct pairing;

/*
 * Audit events to connections, from what the events say alone.  Pure: no system calls, and all
 * times are the events'.
 */
struct observer;

struct outcome {
	struct ledger_change change;	/* CHANGE_NONE: nothing comes of the event */
	/* CHANGE_CONFIRM: */
	enum source source;	/* the first answer's */
	enum verdict verdict;	/* that went with it */
	bool observe;		/* or would have: the rule only observes */
	bool other_program;	/* the right process, and not what the answer took it for */
};

/*
 * The kernel's word on a socket that was accepted: does the socket with this inode have that peer?
 * *local: our end as far as it is known (port -1, no family: not known); where true comes back, all
 * of it.
 */
typedef bool own_tuple_fn(void *arg, int protocol, int64_t inode, const struct endpoint *peer,
			  struct endpoint *local);

/* Whether a control group, and all above it, are root's. */
typedef bool group_owner_fn(void *arg, struct text path);

/* pairing stays borrowed.  NULL where memory is short. */
struct observer *observer_new(struct pairing *pairing);
/* Whom to ask for the tuples of accepted sockets; without it they are not known. */
void observer_ask_tuples(struct observer *o, own_tuple_fn *own_tuple, void *arg);
/* Whom to ask whose a control group is; without it none is root's. */
void observer_ask_owners(struct observer *o, group_owner_fn *is_roots, void *arg);
void observer_free(struct observer *o);

/*
 * Takes one event, in order of arrival.  replay: an earlier run dealt with it, so it only fills the
 * memory, and the caller records nothing.
 */
void observer_event(struct observer *o, const struct event *e, bool replay, struct outcome *out);

/*
 * A process that may hold a socket.  Check /proc/PID/fd/FD, because the descriptor may have become
 * another socket.
 */
struct holder {
	int64_t pid, fd;
};

/* Finds the process that was seen with the socket of this inode.  False: none was. */
bool observer_holder(struct observer *o, int64_t inode, struct holder *h);
/*
 * Lists processes that used sockets of this protocol lately, each with its newest descriptor, the
 * latest first.  Returns how many.
 */
int observer_recent(struct observer *o, int protocol, struct holder *holders, int max);
/* /proc showed that socket at that descriptor. */
void observer_learn(struct observer *o, int64_t inode, int64_t pid, int64_t fd);

/* Who made which socket. */
struct makers *observer_makers(struct observer *o);

/* What time it is, as for proctable_clock(): before each event, and before observer_know(). */
void observer_clock(struct observer *o, int64_t wall_us, int64_t mono_ns);
/* The newest that is known of a process; NULL: nothing.  Good until the next event. */
const struct known_process *observer_who(const struct observer *o, int64_t pid);
/* What /proc said of a process at that time, to be remembered. */
void observer_know(struct observer *o, const struct process *p, int64_t time_us);
/*
 * Makes c the process's, with the names that its control group has: texts borrowed from p.  o NULL:
 * it is another host's.
 */
void observer_fill(const struct observer *o, struct connection *c, const struct process *p);

#endif
