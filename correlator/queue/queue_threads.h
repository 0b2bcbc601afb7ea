/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_QUEUE_THREADS_H
#define SOCKLEDGER_QUEUE_THREADS_H

#include "nfqueue.h"

/*
 * The threads that read the netfilter queues, one for each.
 *
 * With several queues the kernel distributes packets by the processor that they are sent on
 * (NFQUEUE --queue-cpu-fanout), and each thread stays on the processors of its queue.  A sender and
 * the thread that answers its packet then share a processor, and no second one has to be woken.
 *
 * There is one lock.  Only its holder touches packets and the tables that they are compared with;
 * the threads hold it while they show packets.
 */
struct queue_threads;

struct queue_threads_ops {
	void (*begin)(void *arg);	/* packets have been taken from the kernel */
	void (*packet)(const struct nfqueue_packet *p, void *arg);
	/* That many were shown.  Returns true if some are not answered yet. */
	bool (*end)(int count, void *arg);
};

/* boost: as priority_take().  0 or -errno; nothing is left behind. */
int queue_threads_start(struct nfqueue *q, int boost, const struct queue_threads_ops *ops,
			void *arg, struct queue_threads **r);
/* Packets that were taken from the kernel are shown first. */
void queue_threads_stop(struct queue_threads *r);

/* For other threads, such as the main thread.  Without queues (NULL) they do nothing. */
void queue_threads_lock(struct queue_threads *r);
void queue_threads_unlock(struct queue_threads *r);

#endif
