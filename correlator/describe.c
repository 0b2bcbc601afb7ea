/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the process was that sent a packet: what is known of it if that is still true, else what
 * /proc says now, else, where it is gone or has changed, what its records and the trace said.
 */
#include <stdio.h>
#include <stdlib.h>

#include "ancestry.h"
#include "clock.h"
#include "describe.h"
#include "host.h"
#include "known.h"
#include "observe.h"
#include "proc.h"
#include "procfs.h"
#include "proctable.h"
#include "tasks.h"
#include "user_names.h"

/* What a record said of a process that is gone is about this one if it is not older. */
#define GONE_US (10 * TIME_US_PER_S)

/* What is known of a process is taken for what it is that long, but that its file is there. */
#define LOOK_AGAIN_US TIME_US_PER_S

static const struct caller *caller_of(const struct inquiry *q)
{
	return q->answer.caller < 0 ? NULL : &q->testimony.trace.by[q->answer.caller];
}

static bool same_text(struct text a, struct text b)
{
	return (!a.data && !b.data) || (a.data && b.data && text_equal(a, b));
}

/* The same process, in the same program. */
static bool is_same_program(const struct known_process *known,
			    const struct process *glance)
{
	return known && known->process.start_ticks == glance->start_ticks &&
	       known->process.netns > 0 && same_text(known->process.exe, glance->exe);
}

static void fill(const struct host *h, struct connection *c, const struct process *p)
{
	int64_t uid = c->process.uid;

	observer_fill(h->observer, c, p);
	/* The socket's own user is what the packet was sent as. */
	if (c->process.uid < 0)
		c->process.uid = uid;
}

/* Since it looked the route up it has executed another program, or its number is another's. */
static bool has_changed(const struct host *h, const struct inquiry *q)
{
	const struct caller *k = caller_of(q);

	return k && tasks_changed_ns(h->tasks, k->pid) > k->time_ns;
}

/* What a record said is of the process that is gone: not of another one that had its number. */
static bool is_same_gone(const struct host *h, const struct inquiry *q,
			 const struct known_process *known, int64_t when_ns)
{
	struct text exe = h->tracefs ? tasks_exe(h->tasks, q->answer.pid, when_ns) : TEXT_NONE;

	if (!known || has_changed(h, q) || llabs(q->packet.time_us - known->time_us) > GONE_US)
		return false;
	return !h->tracefs || known_is_of_now(h, known, 0) ||
	       (known_is_of_now(h, known, -KNOWN_STEP_US) && exe.data &&
		same_text(exe, known->process.exe));
}

/* A process that is gone, or is just going, or is another by now, or was not looked at. */
static void describe_gone(const struct host *h, const struct inquiry *q, struct connection *c)
{
	int64_t pid = q->answer.pid, when_ns = caller_of(q) ? caller_of(q)->time_ns : INT64_MAX;
	const struct known_process *known = observer_who(h->observer, pid);

	c->process.pid = pid;
	if (is_same_gone(h, q, known, when_ns)) {
		fill(h, c, &known->process);
		return;
	}
	if (!h->tracefs)
		return;
	c->process.ppid = tasks_parent(h->tasks, pid, when_ns);
	c->process.exe = tasks_exe(h->tasks, pid, when_ns);
}

/* The living process that sent the packet, as /proc shows it; false where it is gone or has
 * changed. */
static bool glance(struct host *h, struct inquiry *q, struct process_snapshot *p)
{
	/* A process that is ending has no program any more, while it still has a number. */
	if (!procfs_glance(h->procfs, q->answer.pid, &p->process) || !p->process.exe.data ||
	    procfs_start_us(h->procfs, p->process.start_ticks) >= q->packet.time_us + PROC_SLACK_US)
		return false;
	if (!caller_of(q))
		return true;
	/* What was seen there now it may have become a moment ago. */
	host_read_trace(h);
	if (has_changed(h, q))
		return false;
	q->testimony.program_unsure |= clock_mono_ns() < h->lossy_until_ns;
	return true;
}

static void describe_process(struct host *h, struct inquiry *q, struct connection *c,
			     struct process_snapshot *p, enum proc_depth depth, bool early)
{
	const struct known_process *known = observer_who(h->observer, q->answer.pid);

	p->whole = known_is_current(h, known) && !has_changed(h, q);
	p->alive = false;
	p->known_us = p->whole ? known->time_us : 0;
	if (p->whole) {
		fill(h, c, &known->process);
		return;
	}
	p->alive = depth != PROC_NOTHING && glance(h, q, p);
	if (!p->alive) {
		describe_gone(h, q, c);
		return;
	}
	p->whole = is_same_program(known, &p->process);
	q->testimony.program_unsure |= early && !caller_of(q) && !p->whole;
	/* Its record says what it was in the call; by now it may be another program. */
	if ((q->answer.evidence & EVIDENCE_AUDIT) && known && known->process.exe.data &&
	    !same_text(known->process.exe, p->process.exe)) {
		p->alive = false;
		p->whole = false;
		fill(h, c, &known->process);
		return;
	}
	fill(h, c, p->whole ? &known->process : &p->process);
	/* That can become true of the same program at any time. */
	c->process.replaced = p->process.replaced;
}

void describe(struct host *h, struct inquiry *q, struct connection *c, struct process_snapshot *p,
	      enum proc_depth depth, bool early)
{
	describe_process(h, q, c, p, depth, early);
	inquiry_weigh(q);
	if (depth == PROC_WHOLE)
		describe_rest(h, c, p);
}

/* The trace tells all changes of a process but this one, which is its file's. */
static void look_for_file(struct host *h, struct connection *c)
{
	struct process now;

	if (procfs_glance(h->procfs, c->process.pid, &now) &&
	    now.start_ticks == c->process.start_ticks && same_text(now.exe, c->process.exe))
		c->process.replaced = now.replaced;
}

void describe_rest(struct host *h, struct connection *c, struct process_snapshot *p)
{
	if (p->known_us && c->time_us - p->known_us > LOOK_AGAIN_US)
		look_for_file(h, c);
	if (p->alive && !p->whole) {
		procfs_rest(h->procfs, &p->process);
		/* One that is ending has no command line any more: its record may know it. */
		p->whole = p->process.netns > 0 && p->process.cmdline.data;
		if (p->whole)
			observer_know(h->observer, &p->process, c->time_us);
		fill(h, c, &p->process);
	}
	if (h->ancestry && !c->text[CONNECTION_ANCESTORS].data)
		ancestry_fill(h->ancestry, h, c);
}

bool describe_can_wait(const struct host *h, const struct inquiry *q)
{
	const struct known_process *known;

	if (caller_of(q))
		return h->sees_exec;
	known = observer_who(h->observer, q->answer.pid);
	return known && known->process.netns > 0 && known->process.exe.data;
}

int64_t describe_age_us(const struct host *h, const struct inquiry *q, const struct connection *c)
{
	int64_t changed_ns = h->tracefs ? tasks_changed_ns(h->tasks, q->answer.pid) : -1, start_us;

	if (changed_ns > 0)
		return (clock_mono_ns() - changed_ns) / 1000;
	start_us = procfs_start_us(h->procfs, c->process.start_ticks);
	return start_us < 0 ? -1 : c->time_us - start_us;
}

const char *describe_candidates(struct host *h, const struct attribution *a, char *buf, size_t size)
{
	size_t used = 0;

	buf[0] = '\0';
	for (int i = 0; i < a->candidate_count && used < size; i++) {
		struct process other;
		struct text exe = TEXT_NONE;

		if (procfs_glance(h->procfs, a->candidates[i], &other))
			exe = other.exe;
		used += (size_t)snprintf(buf + used, size - used, "%s%lld %.*s", used ? ", " : "",
					 (long long)a->candidates[i], exe.data ? (int)exe.len : 1,
					 exe.data ? exe.data : "?");
	}
	return used ? buf : NULL;
}

void describe_users(struct user_names *u, struct connection *c, char user[DESCRIBE_USER_CHARS])
{
	char *login_user = user + DESCRIBE_USER_CHARS / 2;
	size_t size = DESCRIBE_USER_CHARS / 2;

	if (!c->process.user.data && user_names_of(u, c->process.uid, user, size))
		c->process.user = text_of(user);
	if (!c->process.login_user.data && user_names_of(u, c->process.auid, login_user, size))
		c->process.login_user = text_of(login_user);
}
