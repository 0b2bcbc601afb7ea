/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_PARTS_H
#define SOCKLEDGER_PARTS_H

#include "host.h"
#include "name_feed.h"

struct cache_feed;
struct config;
struct ctmarks;
struct deaths;
struct judge;
struct ledger_sink;
struct nfqueue;
struct policy;
struct queue_threads;
struct user_names;

/*
 * What sockledgerd consists of, in the order in which it starts.  daemon.c owns the parts, and
 * starts and stops them; everybody else borrows them.
 */
struct parts {
	struct config *config;
	struct ledger_sink *ledger_sink;
	struct user_names *users;
	/* Most of what can be asked about a sender belongs to these: procfs, observer, ancestry;
	 * with a queue sockdiag, lookups, tasks, and tracefs (NULL: there is no trace). */
	struct host host;

	/* Only with a queue; without one they are NULL, and everything is just observed. */
	struct policy *policy;		/* until the judge has it */
	/* the judge's: for the numbers of its users, and its lists */
	struct policy *in_force;
	struct lists_watch {
		uint64_t seen, tried;	/* list_files_stamp() */
		int64_t due_ns;
	} lists;
	struct ctmarks *marks;
	struct deaths *deaths;		/* NULL: the kernel does not announce them */
	struct nfqueue *queue;
	struct judge *judge;
	struct name_feed name_feed;	/* nothing comes of it where names are not asked for */

	struct cache_feed *cache_feed;
	struct queue_threads *queue_threads;	/* only with a queue */
};

#endif
