/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the process was that sent a packet: what is known of it if that is still true, else what
 * /proc says now, else, where it is gone or has changed, what its records and the trace said.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ancestry.h"
#include "ask.h"
#include "clock.h"
#include "describe.h"
#include "disguise.h"
#include "holders.h"
#include "host.h"
#include "known.h"
#include "names.h"
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

/* How many forefathers are looked at for a program's file. */
#define KIN_LOOKS 3

/* The call of the process that is named, also where another witness named it. */
static const struct caller *caller_of(const struct inquiry *q)
{
	const struct testimony *t = &q->testimony;

	if (q->answer.caller >= 0)
		return &t->trace.by[q->answer.caller];
	for (int i = 0; i < t->trace.count; i++)
		if (t->trace.by[i].pid == q->answer.pid)
			return &t->trace.by[i];
	return NULL;
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
	       known->process.netns > 0 && same_text(known->process.exe, glance->exe) &&
	       process_same_file(&known->process, glance);
}

static void fill(const struct host *h, struct connection *c, const struct process *p)
{
	int64_t uid = c->process.uid;

	observer_fill(h->observer, c, p);
	/* The socket's own user is what the packet was sent as. */
	if (c->process.uid < 0)
		c->process.uid = uid;
}

/* From what others own: its texts are the snapshot's own from here on. */
static void fill_kept(const struct host *h, struct connection *c, const struct process *from,
		      struct process_snapshot *s)
{
	struct process p = *from;

	/* What is known of a process never has more. */
	if (texts_size(p.text, PROCESS_TEXTS) > sizeof(s->kept))
		memset(p.text, 0, sizeof(p.text));
	texts_move(p.text, PROCESS_TEXTS, s->kept);
	fill(h, c, &p);
}

/* Since it looked the route up it has executed another program, or its number is another's. */
static bool has_changed(const struct host *h, const struct inquiry *q)
{
	const struct caller *k = caller_of(q);

	return k && tasks_may_have_changed(h->tasks, k->pid, k->time_ns);
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

/* A forefather that lives runs the same program: what that is its file says. */
static bool look_at_kin(struct host *h, int64_t pid, int64_t when_ns, struct process *seen,
			struct proc_texts *texts)
{
	for (int i = 1; i <= KIN_LOOKS; i++) {
		int64_t kin = tasks_kin(h->tasks, pid, when_ns, i);

		if (kin < 0)
			return false;
		if (!procfs_glance(h->procfs, kin, seen, texts))
			continue;
		/* It may have become another one while it was looked at. */
		host_read_trace(h);
		if (tasks_kin(h->tasks, pid, when_ns, i) != kin ||
		    disguise_take_off(h, seen, INT64_MAX) || seen->exe_inode < 0)
			return false;
		tasks_see_program(h->tasks, kin, seen);
		return true;
	}
	return false;
}

/*
 * Of a process that is gone the trace tells which program it ran, by whichever process executed
 * that.  Who of them was seen with its file is seen for all.
 */
static void take_file(struct host *h, const struct inquiry *q, struct connection *c,
		      struct process_snapshot *s, bool by_record)
{
	const struct caller *k = caller_of(q);
	struct process file;

	if (!k || !h->sees_exec || c->process.exe_seen != EXE_TOLD)
		return;
	process_init(&file);
	if (!tasks_file(h->tasks, c->process.pid, k->time_ns, &file) &&
	    !look_at_kin(h, c->process.pid, k->time_ns, &file, &s->texts))
		return;
	/* A record that tells of another path may be of another program. */
	if (by_record && !same_text(c->process.exe, file.exe))
		return;
	process_take_exe(&c->process, &file);
	if (c->process.exe.data != s->texts.exe)
		texts_move(&c->process.exe, 1, s->texts.exe);
}

/* A process that is gone, or is just going, or is another by now, or was not looked at. */
static void describe_gone(struct host *h, const struct inquiry *q, struct connection *c,
			  struct process_snapshot *s)
{
	int64_t pid = q->answer.pid, when_ns = caller_of(q) ? caller_of(q)->time_ns : INT64_MAX;
	const struct known_process *known = observer_who(h->observer, pid);
	bool by_record;

	/* The buffers are read in turn: an execve() before the call may not have come with it. */
	host_read_trace(h);
	by_record = is_same_gone(h, q, known, when_ns);
	c->process.pid = pid;
	if (by_record) {
		fill_kept(h, c, &known->process, s);
	} else if (h->tracefs) {
		c->process.ppid = tasks_parent(h->tasks, pid, when_ns);
		c->process.exe = tasks_exe(h->tasks, pid, when_ns);
		texts_move(&c->process.exe, 1, s->kept);
	}
	take_file(h, q, c, s, by_record);
}

/* Whether it ran that program before the call already.  Without a trace of how an exec begins,
 * /proc may show the next program before the trace does. */
static bool is_settled(const struct host *h, const struct inquiry *q, const struct process *now)
{
	const struct known_process *known = observer_who(h->observer, q->answer.pid);
	const struct caller *k = caller_of(q);
	struct text told = tasks_exe(h->tasks, k->pid, k->time_ns);

	if (h->sees_exec)
		return true;
	if (known_is_of_now(h, known, PROC_SLACK_US) && known->mono_ns < k->time_ns &&
	    known->process.exe_seen != EXE_TOLD && is_same_program(known, now))
		return true;
	/* The path that was given to execve() is the program's, unless it was one of another
	 * root. */
	return exe_is_ours(now->exe_seen) && told.data && text_equal(told, now->exe) &&
	       procfs_has_our_users(h->procfs, k->pid);
}

/*
 * Without the trace: the record of the call has a path to compare with, which says something where
 * the process cannot have had another root then.  Or else a process that was seen in a call that
 * blocks is in it still, so it has become no other program before it was looked at.
 */
static bool is_as_in_call(const struct host *h, const struct inquiry *q)
{
	const struct attribution *a = &q->answer;
	struct procfs_holder k = { .pid = a->pid, .fd = a->fd, .call = true };
	bool seen = a->evidence & EVIDENCE_PROC_SYSCALL;

	if (!seen || (a->evidence & EVIDENCE_AUDIT))
		if (procfs_has_our_users(h->procfs, a->pid))
			return true;
	if (seen)
		procfs_holders(h->procfs, q->testimony.socket.inode, &k, 1);
	return k.in_call && k.fd == a->fd;
}

static bool take_off(const struct host *h, const struct inquiry *q, struct process *p)
{
	return disguise_take_off(h, p, caller_of(q) ? caller_of(q)->time_ns : INT64_MAX);
}

/* The living process that sent the packet, as /proc shows it; false where it is gone or has
 * changed. */
static bool glance(struct host *h, struct inquiry *q, struct process_snapshot *p)
{
	struct process *now = &p->process;
	int64_t start_us;
	bool unsure;

	if (caller_of(q) && caller_of(q)->place == PLACE_GONE)
		return false;
	if (!procfs_glance(h->procfs, q->answer.pid, now, &p->texts))
		return false;
	/* A process that is ending has no program any more, while it still has a number. */
	start_us = procfs_start_us(h->procfs, now->start_ticks);
	if ((!now->exe.data && now->exe_seen == EXE_TOLD) ||
	    start_us >= q->packet.time_us + PROC_SLACK_US)
		return false;
	if (!caller_of(q)) {
		q->testimony.program_unsure |= take_off(h, q, now) || !is_as_in_call(h, q);
		return true;
	}
	/* What was seen there now it may have become a moment ago. */
	host_read_trace(h);
	if (has_changed(h, q))
		return false;
	unsure = take_off(h, q, now) || clock_mono_ns() < h->lossy_until_ns ||
		 !is_settled(h, q, now);
	if (h->sees_exec && !unsure)
		tasks_see_program(h->tasks, now->pid, now);
	q->testimony.program_unsure |= unsure;
	return true;
}

static void describe_process(struct host *h, struct inquiry *q, struct connection *c,
			     struct process_snapshot *p, enum proc_depth depth, bool early)
{
	const struct known_process *known = observer_who(h->observer, q->answer.pid);
	bool same;

	p->whole = known_is_current(h, known) && !has_changed(h, q);
	p->alive = false;
	p->known_us = p->whole ? known->time_us : 0;
	if (p->whole) {
		fill_kept(h, c, &known->process, p);
		return;
	}
	p->alive = depth != PROC_NOTHING && glance(h, q, p);
	if (!p->alive) {
		describe_gone(h, q, c, p);
		return;
	}
	same = is_same_program(known, &p->process);
	q->testimony.program_unsure |= early && !caller_of(q) && !same;
	/* Where it was read too early to be known from then on, it is read once more. */
	p->whole = same && !known_would_last(h, q->answer.pid);
	q->testimony.our_root = q->testimony.program_unsure &&
				procfs_has_our_users(h->procfs, q->answer.pid);
	/* Its record says what it was in the call; by now it may be another program. */
	if ((q->answer.evidence & EVIDENCE_AUDIT) && known && known->process.exe.data &&
	    (!same_text(known->process.exe, p->process.exe) ||
	     !process_same_file(&known->process, &p->process))) {
		p->alive = false;
		p->whole = false;
		fill_kept(h, c, &known->process, p);
		return;
	}
	if (p->whole)
		fill_kept(h, c, &known->process, p);
	else
		fill(h, c, &p->process);
	/* Its file may be removed, and so seen otherwise, at any time. */
	process_take_exe(&c->process, &p->process);
}

/* Of a program that nobody has seen there is a text at most, which may be anything: that the
 * process sent the packet may be proven, what it was is not. */
static bool is_told(const struct connection *c)
{
	return c->process.exe_seen == EXE_TOLD;
}

static void describe_sender(struct host *h, struct inquiry *q, struct connection *c,
			    struct process_snapshot *p, enum proc_depth depth, bool early)
{
	describe_process(h, q, c, p, depth, early);
	q->testimony.program_unsure |= is_told(c);
	/* Of what is known of it from before as well. */
	q->testimony.program_unsure |= take_off(h, q, &c->process);
	if (q->facts.asks_maker)
		q->testimony.socket.made = ask_maker(h, q, &c->process);
	inquiry_weigh(q);
	if (depth == PROC_WHOLE)
		describe_rest(h, c, p);
}

void describe(struct host *h, struct inquiry *q, struct connection *c, struct process_snapshot *p,
	      enum proc_depth depth, bool early)
{
	p->alive = p->whole = false;
	p->known_us = 0;
	c->text[CONNECTION_REASON] = text_of(inquiry_reason(q));
	if (q->answer.pid >= 0)
		describe_sender(h, q, c, p, depth, early);
	if (h->names)
		names_find(h->names, c, q->facts.uid, clock_mono_ns());
}

/* The trace tells all changes of a process but this one, which is its file's. */
static void look_for_file(struct host *h, struct connection *c)
{
	struct proc_texts texts;
	struct process now;

	if (!procfs_glance(h->procfs, c->process.pid, &now, &texts) ||
	    now.start_ticks != c->process.start_ticks || !same_text(now.exe, c->process.exe))
		return;
	now.exe = c->process.exe;
	process_take_exe(&c->process, &now);
}

void describe_rest(struct host *h, struct connection *c, struct process_snapshot *p)
{
	if (p->known_us && c->time_us - p->known_us > LOOK_AGAIN_US)
		look_for_file(h, c);
	if (p->alive && !p->whole) {
		procfs_rest(h->procfs, &p->process, &p->texts);
		/* One that is ending has no command line any more: its record may know it. */
		p->whole = p->process.netns > 0 && p->process.cmdline.data;
		if (p->whole) {
			observer_clock(h->observer, clock_now_us(), clock_mono_ns());
			observer_know(h->observer, &p->process, c->time_us);
		}
		fill(h, c, &p->process);
	}
	if (h->ancestry && !c->text[CONNECTION_ANCESTORS].data)
		ancestry_fill(h->ancestry, h, c);
}

bool describe_can_wait(const struct host *h, const struct inquiry *q)
{
	const struct caller *k = caller_of(q);
	const struct known_process *known;
	struct process file;

	/* Once it is let go it may be gone at once.  Its program's file need be seen once only. */
	if (k)
		return h->sees_exec && tasks_file(h->tasks, q->answer.pid, k->time_ns, &file);
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
		struct proc_texts texts;
		struct text exe = TEXT_NONE;

		if (procfs_glance(h->procfs, a->candidates[i], &other, &texts))
			exe = disguise_take_off(h, &other, INT64_MAX) ? TEXT_NONE : other.exe;
		used += (size_t)snprintf(buf + used, size - used, "%s%lld %.*s%s", used ? ", " : "",
					 (long long)a->candidates[i], exe.data ? (int)exe.len : 1,
					 exe.data ? exe.data : "?",
					 exe.data && exe_is_other(other.exe_seen) ?
						 EXE_OTHER_SUFFIX : "");
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
