/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_HOST_H
#define SOCKLEDGER_HOST_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "flows.h"
#include "latency.h"

struct ancestry;
struct file_hashes;
struct links;
struct lookups;
struct names;
struct observer;
struct pairing;
struct peek;
struct procfs;
struct sockdiag;
struct sole;
struct tasks;
struct tracefeed;

#define HOST_DOUBT_MAX 64

/* What can be asked on this host about a packet's sender.  Everything stays borrowed. */
struct host {
	struct sockdiag *sockdiag;
	struct procfs *procfs;
	struct peek *peek;	/* who asks what another process can make wait;
				 * NULL: whoever holds the lock does */
	struct observer *observer;
	struct pairing *pairing;
	struct ancestry *ancestry;
	struct file_hashes *hashes;	/* NULL: no policy asks for them */
	struct sole *sole;	/* NULL: whether a process alone holds a socket is not asked */
	struct tracefeed *tracefs;	/* NULL: there is no trace */
	struct lookups *lookups;
	struct tasks *tasks;
	struct names *names;	/* NULL: names are not asked for */
	/* the trace tells that a process becomes another program before /proc does */
	bool sees_exec;
	int64_t pid;		/* our own process */
	int64_t netns;		/* the queue's own network namespace */
	struct links *links;	/* NULL: where a forwarded packet came from is not known */
	bool records_came;	/* audit records of sockets, since the start or a little before */
	bool makers_came;	/* of socket() itself as well */
	const atomic_bool *cache_written;	/* by the plugin; NULL: nobody looks */
	int64_t lossy_until_ns;	/* until then an event of the trace may be missing */
	int64_t complete_since_ns;	/* by the monotonic clock: no event is missing since */
	struct flows *datagrams;	/* flows that are decided, of all but TCP; NULL: none */
	/* of these, marked ones of whose tuple another process has looked the route up */
	struct flow_key doubt[HOST_DOUBT_MAX];
	int doubted;
	struct latency latency;	/* how long verdicts took */
	int64_t unseen;		/* how often ask_held_one() could not see all */
};

/* Takes in all that the trace has: what the packets' own calls left there was written before they
 * were queued. */
void host_read_trace(struct host *h);
/* Whether the record of a call may be waited for: some came, and the plugin is there. */
bool host_records_come(const struct host *h);
/* Packets may be waiting that came before the trace was read. */
void host_note_gap(struct host *h);
/* More packets are waiting, which may have come before events of theirs were lost. */
void host_note_backlog(struct host *h);

#endif
