/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_LOOP_H
#define SOCKLEDGER_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "late.h"
#include "priority.h"
#include "queue_threads.h"

struct parts;
struct signals;

/*
 * The main thread: it does what is not urgent, which is records, and parked packets for which
 * nothing came in their time.  It holds the queue threads' lock while it does anything, and gives
 * it up after a few records, so that no packet waits for more than that.
 */
struct loop {
	struct parts *parts;	/* borrowed, as signals is */
	struct signals *signals;
	int wake_fd; /* an eventfd: a queue's thread wants this one to wake earlier than... */
	int64_t sleeps_until_ns;	/* ... this; under the lock */
	/* where the kernel tells of dead sockets; -1: nobody waits for that.  Under the lock */
	int deaths_fd;
	int polled_fd;			/* the same, as this thread polls it */
	int packets; /* that the queues' threads showed since this one's last turn */
	int alive_ms;			/* how often the service manager is told; -1: never */
	int64_t alive_until_ns;
	bool boosted;			/* between loop_boost() and loop_unboost() */
	struct priority priority;
	struct late late;
	struct overdue_log overdue;
};

/* 0 or -errno. */
int loop_init(struct loop *l, struct parts *parts, struct signals *signals);
void loop_release(struct loop *l);
/* With a queue: the calling thread's priority, as priority_take().  Parked packets wait for this
 * thread. */
void loop_boost(struct loop *l, int boost);
void loop_unboost(struct loop *l);

/* For queue_threads_start(); its argument is a struct loop. */
extern const struct queue_threads_ops loop_packet_ops;

enum loop_event {
	LOOP_END,    /* SIGTERM or SIGINT came, or the cache has been followed to its end */
	LOOP_RELOAD, /* SIGHUP came: call loop_run() again after it was dealt with */
};
enum loop_event loop_run(struct loop *l);

/* Takes the records that were committed before the end, if that is a matter of seconds.  There is
 * no queue's thread any more. */
void loop_drain(struct loop *l);

#endif
