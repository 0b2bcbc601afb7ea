/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The trace: which process looked the packet's tuple up, alive or gone; whether it may have sent
 * it. */
#include <netinet/in.h>

#include "ask.h"
#include "clock.h"
#include "host.h"
#include "inquiry.h"
#include "known.h"
#include "links.h"
#include "lookups.h"
#include "procfs.h"
#include "tasks.h"

/* As long as a datagram's lookup counts (lookups.c): it may be that of a connect(). */
#define CONNECTED_NS 60000000000LL

/* The process of the thread that made this lookup; -1: not known. */
static int64_t process_of(struct host *h, const struct lookup_owner *k)
{
	int64_t pid = tasks_process(h->tasks, k->tid, k->time_ns);

	if (pid >= 0)
		return pid;
	/* Its beginning may have been on another processor, whose buffer was read before this
	 * one's. */
	host_read_trace(h);
	pid = tasks_process(h->tasks, k->tid, k->time_ns);
	/* The number is another thread's by now, or may be. */
	if (pid >= 0 || tasks_may_have_changed(h->tasks, k->tid, k->time_ns))
		return pid;
	pid = procfs_process(h->procfs, k->tid);
	if (pid >= 0)
		tasks_add(h->tasks, k->tid, (int32_t)pid, -1);
	/* The process has not changed since, or that would be known: it was only heard of long
	 * ago. */
	if (pid >= 0 && tasks_changed_ns(h->tasks, pid) < 0)
		tasks_add(h->tasks, (int32_t)pid, (int32_t)pid, -1);
	return pid;
}

/* Where process pid is, of the network namespace `netns`: 0: it is not known which. */
static enum place place_of(const struct host *h, const struct inquiry *q, int64_t pid,
			   int64_t netns)
{
	bool is_ours = netns == h->netns;

	if (netns < 0)
		return PLACE_GONE;
	if (q->facts.direction != DIRECTION_FORWARD)
		return netns > 0 && !is_ours ? PLACE_ELSEWHERE : PLACE_HERE;
	if (is_ours)
		return PLACE_ELSEWHERE;
	switch (h->links && netns > 0 ? links_ask(h->links, q->link, pid) : LINK_UNSURE) {
	case LINK_LEADS_THERE:
		return PLACE_HERE;
	case LINK_LEADS_AWAY:
		return PLACE_ELSEWHERE;
	default:
		return PLACE_UNSURE;
	}
}

/* Who is not where the packet came from has another one on its way, with the same tuple. */
static void leave_others(struct host *h, const struct inquiry *q)
{
	const struct testimony *t = &q->testimony;

	for (int i = 0; q->facts.direction == DIRECTION_FORWARD && i < t->trace.count; i++)
		if (t->trace.by[i].place == PLACE_ELSEWHERE)
			lookups_give_back(h->lookups, t->trace.by[i].tid, t->trace.by[i].lookup);
}

/* One entry for each process; its newest lookup, which comes first, is the packet's. */
static void add_caller(struct testimony *t, const struct lookup_owner *k, int64_t pid)
{
	int n;

	for (n = 0; n < t->trace.count; n++) {
		struct caller *known = &t->trace.by[n];

		if (known->pid != pid)
			continue;
		known->call &= k->call;
		known->exact &= k->exact;
		known->bound |= k->bound;
		known->left |= k->left;
		return;
	}
	t->trace.by[n] = (struct caller){
		.time_ns = k->time_ns, .uid = -1, .pid = (int32_t)pid, .tid = k->tid,
		.lookup = k->lookup, .call = k->call, .exact = k->exact,
		.bound = k->bound, .left = k->left,
	};
	t->trace.count++;
}

/* Where several users have the tuple, packets come by several queues and not in the order of their
 * lookups: of a datagram the first lookup of its own user is used up. */
static void choose_users(struct host *h, struct inquiry *q)
{
	struct testimony *t = &q->testimony;
	int64_t uid = q->packet.process.uid;
	struct caller first = t->trace.by[0];

	if (t->trace.count < 2 || uid < 0 || q->packet.protocol != IPPROTO_UDP)
		return;
	for (int i = 0; i < t->trace.count; i++) {
		struct caller own = t->trace.by[i];

		if (known_user(h, own.pid, uid) != uid)
			continue;
		if (i) {
			lookups_give_back(h->lookups, first.tid, first.lookup);
			lookups_use_up(h->lookups, own.tid, own.lookup);
			t->trace.by[0] = own;
			t->trace.by[i] = first;
		}
		return;
	}
}

/*
 * What comes in by our verdict goes on in our thread, and the kernel answers there (ICMP).  So our
 * own lookups without ports are no process's: we send nothing of that kind.  Takes them out, uses
 * up the oldest of the others' in their place, and returns how many are left.
 */
static int leave_answers(struct host *h, struct lookup_owner *owners, int64_t *pids, int count)
{
	int left = 0, oldest = 0;
	bool used = true;

	for (int i = 0; i < count; i++) {
		if (pids[i] == h->pid && !owners[i].exact && !owners[i].call) {
			used &= i > 0;
			continue;
		}
		owners[left] = owners[i];
		pids[left] = pids[i];
		if (owners[left].time_ns < owners[oldest].time_ns)
			oldest = left;
		left++;
	}
	if (!used && left) {
		struct lookup_owner own = owners[oldest];
		int64_t pid = pids[oldest];

		lookups_use_up(h->lookups, own.tid, own.lookup);
		owners[oldest] = owners[0];
		pids[oldest] = pids[0];
		owners[0] = own;
		pids[0] = pid;
	}
	return left;
}

void ask_trace(struct host *h, struct inquiry *q)
{
	struct lookup_owner owners[LOOKUP_OWNERS_MAX];
	int64_t pids[LOOKUP_OWNERS_MAX];
	struct testimony *t = &q->testimony;
	int64_t now = clock_mono_ns(), netns;
	int count;

	_Static_assert(LOOKUP_OWNERS_MAX <= CALLERS_MAX, "each may be of another process");
	/* What is taken a second time is the next packet's. */
	if (t->trace.asked)
		return;
	count = lookups_take(h->lookups, &q->packet, inquiry_own_link(q), now, owners,
			     &t->trace.more);
	t->trace.asked = true;
	t->trace.lossy = now < h->lossy_until_ns;
	t->trace.was_lossy = h->lossy_until_ns && now < h->lossy_until_ns + CONNECTED_NS;
	for (int i = 0; i < count; i++)
		pids[i] = process_of(h, &owners[i]);
	count = leave_answers(h, owners, pids, count);
	t->trace.lookups = (uint8_t)count;
	for (int i = 0; i < count; i++)
		add_caller(t, &owners[i], pids[i]);
	choose_users(h, q);
	/* Where it is may be known already; /proc takes longest for a process that is new. */
	if (t->trace.count != 1)
		return;
	netns = known_netns(h, t->trace.by[0].pid);
	if (netns > 0)
		t->trace.by[0].place = place_of(h, q, t->trace.by[0].pid, netns);
	leave_others(h, q);
}

bool ask_whether_other(struct host *h, struct inquiry *q, const struct testimony *first)
{
	const struct testimony *t = &q->testimony;

	if (q->answer.next != ASK_TRACE)
		return false;
	ask_trace(h, q);
	inquiry_weigh(q);
	return t->trace.count && first->trace.count &&
		t->trace.by[0].pid != first->trace.by[0].pid;
}

void ask_callers(struct host *h, struct inquiry *q)
{
	bool found = false;

	for (int i = 0; i < q->testimony.trace.count; i++) {
		struct caller *k = &q->testimony.trace.by[i];

		k->uid = known_user(h, k->pid, q->packet.process.uid);
		k->uid_asked = true;
		k->place = place_of(h, q, k->pid, procfs_netns(h->procfs, k->pid, k->tid));
	}
	ask_sharing(h, q, q->testimony.trace.by[0].pid);
	for (int i = 0; i < q->testimony.trace.count; i++)
		found |= q->testimony.trace.by[i].place == PLACE_HERE;
	for (int i = 0; found && i < q->testimony.trace.count; i++)
		if (q->testimony.trace.by[i].place == PLACE_UNSURE)
			q->testimony.trace.by[i].place = PLACE_ELSEWHERE;
	leave_others(h, q);
}

void ask_place(struct host *h, struct inquiry *q)
{
	struct caller *k = &q->testimony.trace.by[q->answer.caller];
	int64_t netns = known_netns(h, k->pid);

	k->place = place_of(h, q, k->pid,
			    netns > 0 ? netns : procfs_netns(h->procfs, k->pid, k->tid));
	leave_others(h, q);
}

void ask_user(struct host *h, struct inquiry *q)
{
	struct caller *k = &q->testimony.trace.by[q->answer.caller];

	k->uid = known_user(h, k->pid, q->packet.process.uid);
	k->uid_asked = true;
}
