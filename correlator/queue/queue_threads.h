/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_READERS_H
#define SOCKLEDGER_READERS_H

#include "nfqueue.h"

/*
 * The threads that read the netfilter queues, one for each.
 *
 * Where there are several queues the kernel shares the packets out by the processor that they are
 * sent on (NFQUEUE --queue-cpu-fanout), and each thread stays on the processors of its queue: who
 * waits for a packet and the thread that answers it then need no second processor, which would have
 * to be woken first.
 *
 * There is one lock: whoever holds it is the only one that does anything with packets, or with what
 * they are compared with.  The threads hold it while they show packets.
 */
struct queue_threads;

struct queue_threads_ops {
	void (*begin)(void *arg);	/* some have been taken from the kernel */
	void (*packet)(const struct nfqueue_packet *p, void *arg);
	/* so many were shown; true: some could not be answered yet */
	bool (*end)(int count, void *arg);
};

/* boost: as priority_take().  0 or -errno; nothing is left behind. */
int queue_threads_start(struct nfqueue *q, int boost, const struct queue_threads_ops *ops,
			void *arg, struct queue_threads **r);
/* What was taken from the kernel is shown before that. */
void queue_threads_stop(struct queue_threads *r);

/* For who is not one of the threads.  Without readers (NULL) they do nothing. */
void queue_threads_lock(struct queue_threads *r);
void queue_threads_unlock(struct queue_threads *r);

#endif
