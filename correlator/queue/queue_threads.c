/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The threads that read the netfilter queues, one for each. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "config.h"
#include "lock.h"
#include "log.h"
#include "priority.h"
#include "queue_threads.h"

/* How long to wait after an error of the kernel's, which is not expected to pass by itself. */
#define PAUSE_US 100000
/* How long a thread spins for the lock: a batch of packets or eight records take no longer. */
#define SPIN_NS 300000

/* With this many packets at once, the next ones follow closely. */
#define BURST 4

struct queue_thread {
	struct queue_threads *all;
	int which;			/* of the queues */
	pthread_t thread;
};

struct queue_threads {
	struct nfqueue *queue;
	const struct queue_threads_ops *ops;
	void *arg;
	int boost;
	pthread_mutex_t lock;
	atomic_int holder;		/* the processor where it was taken; -1: it is free */
	atomic_bool ending;
	int count;			/* of threads that were started */
	struct queue_thread thread[NFQUEUE_MAX];
};

/* The kernel puts packets that were sent on the processors n, n + queues, ... into queue n. */
static void pin_to_queue_cpus(const struct queue_thread *r)
{
	int queues = nfqueue_count(r->all->queue);
	cpu_set_t mine;

	if (queues < 2)
		return;
	CPU_ZERO(&mine);
	for (int cpu = r->which; cpu < CPU_SETSIZE; cpu += queues)
		CPU_SET(cpu, &mine);
	/* This fails where we may use none of them; then any processor will do. */
	pthread_setaffinity_np(pthread_self(), sizeof(mine), &mine);
}

/* The lock is held for less time than a processor needs to wake, so spin for it; but not if the
 * holder took it on this processor, because it could not go on while we spin. */
static void take_lock(struct queue_threads *r)
{
	int here = sched_getcpu(), holder;
	int64_t until_ns = 0, now_ns;

	while (pthread_mutex_trylock(&r->lock)) {
		holder = atomic_load_explicit(&r->holder, memory_order_relaxed);
		now_ns = clock_mono_ns();
		if (!until_ns)
			until_ns = now_ns + SPIN_NS;
		if (holder == here || now_ns >= until_ns) {
			pthread_mutex_lock(&r->lock);
			break;
		}
	}
	atomic_store_explicit(&r->holder, here, memory_order_relaxed);
}

static void give_lock(struct queue_threads *r)
{
	atomic_store_explicit(&r->holder, -1, memory_order_relaxed);
	pthread_mutex_unlock(&r->lock);
}

/* True if the next packets are urgent: while this thread searches for the sender of a parked
 * packet, the senders of later ones may exit. */
static bool show_packets(struct queue_thread *r, int count)
{
	struct queue_threads *all = r->all;
	bool waits;

	take_lock(all);
	all->ops->begin(all->arg);
	nfqueue_show(all->queue, r->which, all->ops->packet, all->arg);
	waits = all->ops->end(count, all->arg);
	give_lock(all);
	return waits || count >= BURST;
}

static void *queue_thread_main(void *arg)
{
	struct queue_thread *r = arg;
	struct priority priority;
	bool urgent;
	int count;

	pin_to_queue_cpus(r);
	count = priority_take(&priority, r->all->boost);
	if (count && !r->which)
		log_warn("cannot raise the priority: %s", strerror(-count));
	while (!atomic_load(&r->all->ending)) {
		count = nfqueue_wait(r->all->queue, r->which);
		if (count < 0) {
			log_error("cannot read the queue: %s", strerror(-count));
			usleep(PAUSE_US);
		} else if (count > 0) {
			urgent = show_packets(r, count);
			priority_note(&priority, count, urgent, clock_mono_ns());
		}
	}
	priority_end(&priority);
	return NULL;
}

int queue_threads_start(struct nfqueue *q, int boost, const struct queue_threads_ops *ops,
			void *arg, struct queue_threads **out)
{
	struct queue_threads *r = calloc(1, sizeof(*r));
	int rc = r ? lock_init(&r->lock) : -ENOMEM;

	if (rc) {
		free(r);
		return rc;
	}
	atomic_init(&r->holder, -1);
	r->queue = q;
	r->ops = ops;
	r->arg = arg;
	r->boost = boost;
	for (int i = 0; !rc && i < nfqueue_count(q); i++) {
		struct queue_thread *one = &r->thread[i];

		*one = (struct queue_thread){ .all = r, .which = i };
		rc = -pthread_create(&one->thread, NULL, queue_thread_main, one);
		r->count += !rc;
	}
	if (rc)
		queue_threads_stop(r);
	else
		*out = r;
	return rc;
}

/* Interrupts the thread until it ends: the kernel may lack the memory for a single interruption. */
static void stop_thread(struct queue_thread *r)
{
	struct timespec until;

	do {
		nfqueue_interrupt(r->all->queue, r->which);
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_sec++;
	} while (pthread_timedjoin_np(r->thread, NULL, &until) == ETIMEDOUT);
}

void queue_threads_stop(struct queue_threads *r)
{
	if (!r)
		return;
	atomic_store(&r->ending, true);
	for (int i = 0; i < r->count; i++)
		stop_thread(&r->thread[i]);
	pthread_mutex_destroy(&r->lock);
	free(r);
}

void queue_threads_lock(struct queue_threads *r)
{
	if (r)
		take_lock(r);
}

void queue_threads_unlock(struct queue_threads *r)
{
	if (r)
		give_lock(r);
}
