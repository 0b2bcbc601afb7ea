/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The main thread's loop: what it waits for, and how it is woken in time.
 *
 * It sleeps until a record comes, a signal, or the time that the judge named.  A queue's thread
 * which parks a packet may need it earlier: wake_main_thread() compares that with
 * `sleeps_until_ns`, and writes to the eventfd only where the main thread would sleep too long.
 */
#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "cache_feed.h"
#include "clock.h"
#include "config.h"
#include "file_hash.h"
#include "judge.h"
#include "name_feed.h"
#include "ledger_sink.h"
#include "loop.h"
#include "notify.h"
#include "parts.h"
#include "peek.h"
#include "reload.h"
#include "signals.h"
#include "tally.h"
#include "host.h"
#include "user_names.h"
#include "wake.h"

#define NS_PER_MS 1000000LL
/* Records that are taken before a packet may come in between. */
#define LOOP_RECORDS 8
/* How often the trace is read when no packet comes: before its buffers are full. */
#define TRACE_MS 50
/* How long to wait for room in the ledger's buffer before asking for it again. */
#define ROOM_MS 5
/* How often to look whether verdicts are in time again. */
#define LATE_MS 1000

int loop_init(struct loop *l, struct parts *parts, struct signals *signals)
{
	*l = (struct loop){ .parts = parts, .signals = signals, .deaths_fd = -1, .polled_fd = -1 };
	l->alive_ms = notify_alive_ms();
	l->wake_fd = wake_open();
	return l->wake_fd < 0 ? -errno : 0;
}

void loop_release(struct loop *l)
{
	close(l->wake_fd);
}

void loop_boost(struct loop *l, int boost)
{
	/* Where that is refused, the queues' threads have said so. */
	priority_take(&l->priority, boost);
	l->boosted = true;
}

void loop_unboost(struct loop *l)
{
	priority_end(&l->priority);
	l->boosted = false;
}

/* Something is to be done in next_ms milliseconds (-1: nothing is).  Under the lock. */
static void wake_main_thread(struct loop *l, int next_ms)
{
	int64_t when_ns = clock_mono_ns() + next_ms * NS_PER_MS;

	/* Times to wait are rounded up to a whole millisecond. */
	if (next_ms < 0 || when_ns + (next_ms ? NS_PER_MS : 0) >= l->sleeps_until_ns)
		return;
	l->sleeps_until_ns = when_ns;
	wake_tell(l->wake_fd);
}

/* A queue's thread has taken packets: what their calls left in the trace is there by now. */
static void on_packets(void *arg)
{
	struct loop *l = arg;

	host_read_trace(&l->parts->host);
	name_feed_read(&l->parts->name_feed);
	judge_begin(l->parts->judge);
}

static void on_packet(const struct nfqueue_packet *packet, void *arg)
{
	struct loop *l = arg;

	judge_packet(l->parts->judge, packet);
}

/* The kernel's word that a socket is dead is wanted from now on. */
static void wake_for_deaths(struct loop *l, int fd)
{
	if (fd < 0 || l->deaths_fd >= 0)
		return;
	l->deaths_fd = fd;
	wake_main_thread(l, 0);
}

/* The packets have been shown: the search for the senders of those that are parked begins at once.
 */
static bool on_shown(int count, void *arg)
{
	struct loop *l = arg;
	struct parts *p = l->parts;
	int next_ms = judge_poll(p->judge);
	bool parked = judge_waits(p->judge);

	l->packets += count;
	judge_publish(p->judge);
	tally_publish(p);
	if (count == NFQUEUE_READ_MAX)
		host_note_backlog(&p->host);
	if (parked)
		cache_feed_set_urgent(p->cache_feed, true);
	wake_for_deaths(l, judge_fd(p->judge));
	wake_main_thread(l, next_ms);
	return parked;
}

const struct queue_threads_ops loop_packet_ops = {
	.begin = on_packets, .packet = on_packet, .end = on_shown,
};

enum {
	ON_RECORDS, ON_END, ON_RELOAD, ON_WAKE, ON_DEATHS, ON_USERS, ON_NAMES, ON_HASHES, FDS
};

/* False: nothing happened in all of that time. */
static bool wait_for_work(struct loop *l, struct pollfd fds[FDS], int timeout_ms, bool room)
{
	struct cache_feed *feed = l->parts->cache_feed;
	/* Without room for their rows records stay where they are. */
	bool idle = !room || cache_feed_prepare_wait(feed);
	int n;

	fds[ON_RECORDS].fd = room ? cache_feed_fd(feed) : -1;
	fds[ON_DEATHS] = (struct pollfd){ .fd = l->polled_fd, .events = POLLIN };
	n = poll(fds, FDS, idle ? timeout_ms : 0);
	if (room)
		cache_feed_finish_wait(feed, fds[ON_RECORDS].revents != 0);
	if (fds[ON_WAKE].revents)
		wake_hear(l->wake_fd);
	return n != 0 || !idle || !timeout_ms;
}

/* Does a piece of what there is to do; returns the milliseconds until there is more.  quiet:
 * nothing has come for so long that it is time to read the trace. */
static int work(struct loop *l, bool quiet, bool *room)
{
	struct parts *p = l->parts;
	int next_ms = p->host.tracefs ? TRACE_MS : -1, packets;
	struct peek_counts looks;
	int64_t late;
	bool parked = false;

	queue_threads_lock(p->queue_threads);
	*room = ledger_sink_has_room(p->ledger_sink);
	if (!*room)
		next_ms = clock_sooner_ms(next_ms, ROOM_MS);
	else if (cache_feed_take(p->cache_feed, LOOP_RECORDS) > 0)
		next_ms = 0;
	if (quiet)
		host_read_trace(&p->host);
	name_feed_read(&p->name_feed);
	if (p->judge) {
		next_ms = clock_sooner_ms(next_ms, judge_poll(p->judge));
		parked = judge_waits(p->judge);
		l->polled_fd = l->deaths_fd = judge_fd(p->judge);
		cache_feed_set_urgent(p->cache_feed, parked);
	}
	l->sleeps_until_ns = next_ms < 0 ? INT64_MAX : clock_mono_ns() + next_ms * NS_PER_MS;
	tally_publish(p);
	looks = peek_counts(p->host.peek);
	late = p->host.latency.late;
	packets = l->packets;
	l->packets = 0;
	queue_threads_unlock(p->queue_threads);
	if (late_note(&l->late, late, p->config->late_us, clock_mono_ns()))
		next_ms = clock_sooner_ms(next_ms, LATE_MS);
	overdue_note(&l->overdue, looks.overdue, looks.last_pid, looks.last_uid,
		     clock_mono_ns());
	/* With the trace there is hardly anything for this thread to do. */
	if (l->boosted && !p->host.tracefs)
		priority_note(&l->priority, packets, parked, clock_mono_ns());
	return next_ms;
}

/* A file is known now that a packet may wait for. */
static void take_hashes(struct parts *p)
{
	file_hashes_heard(p->host.hashes);
	queue_threads_lock(p->queue_threads);
	judge_hashes_came(p->judge);
	queue_threads_unlock(p->queue_threads);
}

/* Tells the service manager in time that this thread goes round; returns how long it may wait. */
static int stay_alive(struct loop *l, int next_ms)
{
	int64_t now_ns, left_ms;

	if (l->alive_ms < 0)
		return next_ms;
	now_ns = clock_mono_ns();
	if (now_ns >= l->alive_until_ns) {
		/* Whoever does not hear it takes us for dead: nothing else can be done. */
		(void)notify_alive();
		l->alive_until_ns = now_ns + l->alive_ms * NS_PER_MS;
	}
	left_ms = (l->alive_until_ns - now_ns + NS_PER_MS - 1) / NS_PER_MS;
	return next_ms < 0 || next_ms > left_ms ? (int)left_ms : next_ms;
}

enum loop_event loop_run(struct loop *l)
{
	struct pollfd fds[FDS] = {
		[ON_RECORDS] = { .fd = -1, .events = POLLIN },
		[ON_END] = { .fd = l->signals->end, .events = POLLIN },
		[ON_RELOAD] = { .fd = l->signals->reload, .events = POLLIN },
		[ON_WAKE] = { .fd = l->wake_fd, .events = POLLIN },
		[ON_USERS] = { .fd = user_names_fd(l->parts->users), .events = POLLIN },
		[ON_NAMES] = { .fd = name_feed_fd(&l->parts->name_feed), .events = POLLIN },
		[ON_HASHES] = { .fd = l->parts->judge ? file_hashes_fd(l->parts->host.hashes) : -1,
				.events = POLLIN },
	};
	bool room, quiet = false;
	int rc;

	while (!fds[ON_END].revents && !cache_feed_ended(l->parts->cache_feed, &rc)) {
		int next_ms = clock_sooner_ms(work(l, quiet, &room), reload_lists(l->parts));

		quiet = !wait_for_work(l, fds, stay_alive(l, next_ms), room);
		if (fds[ON_USERS].revents)
			reload_users(l->parts);
		if (fds[ON_HASHES].revents)
			take_hashes(l->parts);
		if (fds[ON_RELOAD].revents) {
			signals_reload(l->signals);
			return LOOP_RELOAD;
		}
	}
	return LOOP_END;
}

void loop_drain(struct loop *l)
{
	struct cache_feed *feed = l->parts->cache_feed;
	/* The signal that ends the program stays readable: polled for, it would keep this thread
	 * awake. */
	struct pollfd fds[FDS] = {
		[ON_RECORDS] = { .events = POLLIN }, [ON_END] = { .fd = -1 },
		[ON_RELOAD] = { .fd = -1 },	     [ON_WAKE] = { .fd = -1 },
		[ON_USERS] = { .fd = -1 },	     [ON_NAMES] = { .fd = -1 },
		[ON_HASHES] = { .fd = -1 },
	};
	int rc;

	l->polled_fd = -1;
	if (!cache_feed_ended(feed, &rc))
		cache_feed_finish(feed);
	while (!cache_feed_ended(feed, &rc)) {
		if (!cache_feed_take(feed, LOOP_RECORDS))
			wait_for_work(l, fds, 1, true);
	}
}
