/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which process started which.  Many connections in a row have the same parents, so an answer is
 * kept for a second.
 */
#include <stdlib.h>
#include <string.h>

#include "ancestry.h"
#include "clock.h"
#include "disguise.h"
#include "host.h"
#include "observe.h"
#include "policy.h"
#include "proc.h"
#include "procfs.h"
#include "proctable.h"
#include "tasks.h"

#define GENERATIONS 12
/* A policy asks for all; a process with more has unknown ones. */
#define FOREFATHERS 32
#define SETS 64
#define WAYS 4	/* one ancestry fills the table from end to end, and two of its processes may
		 * have the same set */
#define KEEP_US TIME_US_PER_S
#define EXE_CHARS 512
#define CHAIN_CHARS 2048
#define BETWEEN " < "
#define OTHER_CHARS (sizeof(EXE_OTHER_SUFFIX) - 1)

struct parent {
	int64_t pid, ppid;	/* ppid -1: unknown */
	int64_t start_ticks;	/* -1: unknown */
	int64_t asked_us, seen;	/* enum exe_seen */
	int64_t then_ns;	/* when it ran exe: by the monotonic clock; INT64_MIN: unknown */
	size_t len;		/* length of exe; 0: unknown */
	char exe[EXE_CHARS];
};

struct ancestry {
	struct procfs *procfs;
	struct parent slot[SETS][WAYS];
	char chain[CHAIN_CHARS], exe[EXE_CHARS];
	struct forefathers fathers;
	struct forefather father[FOREFATHERS];
	char father_exe[FOREFATHERS][EXE_CHARS];
};

struct ancestry *ancestry_new(const char *proc_path)
{
	struct ancestry *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	a->procfs = procfs_open(proc_path);
	if (a->procfs)
		return a;
	free(a);
	return NULL;
}

void ancestry_ask_lookers(struct ancestry *a, struct peek *peek)
{
	procfs_ask_lookers(a->procfs, peek);
}

void ancestry_free(struct ancestry *a)
{
	if (!a)
		return;
	procfs_close(a->procfs);
	free(a);
}

/* A part of a path could be another program's path. */
static void set_exe(struct parent *p, struct text exe, int64_t seen)
{
	p->seen = seen;
	p->len = exe.data && exe.len < sizeof(p->exe) ? exe.len : 0;
	memcpy(p->exe, exe.data ? exe.data : "", p->len);
}

static void ask_parent(struct ancestry *a, const struct host *h, struct parent *p, int64_t pid,
		       int64_t time_us)
{
	const struct known_process *known = observer_who(h->observer, pid);
	struct proc_texts texts;
	struct process now;

	*p = (struct parent){ .pid = pid, .ppid = -1, .start_ticks = -1, .asked_us = time_us,
			      .seen = EXE_TOLD, .then_ns = INT64_MIN };
	if (procfs_glance(a->procfs, pid, &now, &texts) && now.exe.data &&
	    procfs_start_us(a->procfs, now.start_ticks) < time_us + PROC_SLACK_US) {
		p->ppid = now.ppid;
		p->start_ticks = now.start_ticks;
		p->then_ns = clock_mono_ns();
		disguise_take_off(h, &now, INT64_MAX);
		set_exe(p, now.exe, now.exe_seen);
	} else if (known && known->time_us <= time_us + PROC_SLACK_US) {
		p->ppid = known->process.ppid;
		p->start_ticks = known->process.start_ticks;
		now = known->process;
		p->then_ns = known->mono_ns;
		disguise_take_off(h, &now, INT64_MAX);
		set_exe(p, now.exe, now.exe_seen);
	} else if (h->tracefs) {
		p->ppid = tasks_parent(h->tasks, pid, INT64_MAX);
		set_exe(p, tasks_exe(h->tasks, pid, INT64_MAX), EXE_TOLD);
	}
}

static const struct parent *find_parent(struct ancestry *a, const struct host *h, int64_t pid,
					int64_t time_us)
{
	struct parent *set = a->slot[pid % SETS], *oldest = set;

	for (int i = 0; i < WAYS; i++) {
		if (set[i].pid == pid && llabs(time_us - set[i].asked_us) <= KEEP_US)
			return &set[i];
		if (set[i].pid == pid || (oldest->pid != pid && set[i].asked_us < oldest->asked_us))
			oldest = &set[i];
	}
	ask_parent(a, h, oldest, pid, time_us);
	return oldest;
}

/*
 * The parent started the process, and was the program already that it was seen to be: it has
 * executed none since.  Where the trace does not tell how an exec begins, /proc may show the next
 * program before the trace does, but not one that it executed long before.
 */
static bool was_then(struct host *h, const struct connection *c, const struct parent *p)
{
	int64_t pid = c->process.pid, born_ns, when_ns;
	struct text told;

	if (!h->tracefs || !exe_is_ours(p->seen))
		return false;
	host_read_trace(h);
	when_ns = clock_mono_ns() - (clock_now_us() - c->time_us) * 1000;
	born_ns = tasks_born_ns(h->tasks, pid, when_ns);
	if (born_ns <= 0 || born_ns < h->complete_since_ns ||
	    tasks_parent(h->tasks, pid, when_ns) != p->pid || p->then_ns == INT64_MIN ||
	    tasks_may_have_changed(h->tasks, p->pid, born_ns < p->then_ns ? born_ns : p->then_ns))
		return false;
	told = tasks_exe(h->tasks, p->pid, born_ns);
	return h->sees_exec || (told.data && text_equal(told, (struct text){ p->exe, p->len }));
}

void ancestry_fill(struct ancestry *a, struct host *h, struct connection *c)
{
	size_t len = 0, gap = sizeof(BETWEEN) - 1;
	int64_t pid = c->process.ppid;

	for (int i = 0; i < GENERATIONS && pid > 0; i++) {
		const struct parent *p = find_parent(a, h, pid, c->time_us);

		if (!p->len || len + gap + p->len > sizeof(a->chain))
			break;
		if (i) {
			memcpy(a->chain + len, BETWEEN, gap);
			len += gap;
		} else {
			memcpy(a->exe, p->exe, p->len);
			c->text[CONNECTION_PARENT_EXE] = (struct text){ a->exe, p->len };
			c->parent_seen = p->seen;
			c->parent_then = was_then(h, c, p);
		}
		memcpy(a->chain + len, p->exe, p->len);
		len += p->len;
		if (exe_is_other(p->seen) && len + OTHER_CHARS <= sizeof(a->chain)) {
			memcpy(a->chain + len, EXE_OTHER_SUFFIX, OTHER_CHARS);
			len += OTHER_CHARS;
		}
		pid = p->ppid;
	}
	if (len)
		c->text[CONNECTION_ANCESTORS] = (struct text){ a->chain, len };
}

/* A process on the way up, as its child has it. */
struct step {
	int64_t pid, ppid, start_ticks;	/* -1: not known */
	int64_t when_ns;		/* when it was that process */
	bool proven;			/* the trace has seen each start so far */
};

/* Since it was seen to run that, or started its child, it has executed nothing else, and its number
 * is no other process's. */
static bool is_still(const struct host *h, const struct parent *p, int64_t born_ns)
{
	struct text told;

	if (p->then_ns == INT64_MIN ||
	    tasks_may_have_changed(h->tasks, p->pid, born_ns < p->then_ns ? born_ns : p->then_ns))
		return false;
	told = tasks_exe(h->tasks, p->pid, born_ns);
	return h->sees_exec || (told.data && text_equal(told, (struct text){ p->exe, p->len }));
}

static void add(struct ancestry *a, struct text exe, int64_t seen, bool then)
{
	size_t n = a->fathers.count++;
	struct forefather *k = &a->father[n];

	*k = (struct forefather){ .seen = seen, .then = then };
	if (!exe.data || exe.len > EXE_CHARS)
		return;
	memcpy(a->father_exe[n], exe.data, exe.len);
	k->exe = (struct text){ a->father_exe[n], exe.len };
}

static struct text exe_of(const struct parent *p)
{
	return p->len ? (struct text){ p->exe, p->len } : TEXT_NONE;
}

/* The trace saw the child's start: who that was, and what it ran then. */
static void go_up_by_trace(struct ancestry *a, const struct host *h, struct step *s, int64_t pid,
			   int64_t born_ns, int64_t time_us)
{
	const struct parent *p = find_parent(a, h, pid, time_us);
	bool still = is_still(h, p, born_ns);
	struct process file;

	process_init(&file);
	if (tasks_file(h->tasks, pid, born_ns, &file))
		add(a, file.exe, file.exe_seen, s->proven);
	else if (still)
		add(a, exe_of(p), p->seen, s->proven);
	else
		add(a, tasks_exe(h->tasks, pid, born_ns), EXE_TOLD, false);
	*s = (struct step){ pid, still ? p->ppid : tasks_parent(h->tasks, pid, born_ns),
			    still ? p->start_ticks : -1, born_ns, s->proven };
}

/* False: the number is another's by now, or nobody's.  A child that its parent left is another
 * process's, so it says little. */
static bool go_up_by_look(struct ancestry *a, const struct host *h, struct step *s, int64_t pid,
			  int64_t time_us)
{
	const struct parent *p = find_parent(a, h, pid, time_us);

	if (p->start_ticks < 0 || s->start_ticks < 0 || p->start_ticks > s->start_ticks)
		return false;
	add(a, exe_of(p), p->seen, false);
	*s = (struct step){ pid, p->ppid, p->start_ticks, s->when_ns, false };
	return true;
}

const struct forefathers *ancestry_ask(struct ancestry *a, struct host *h,
				       const struct connection *c)
{
	struct step s = { c->process.pid, c->process.ppid, c->process.start_ticks,
			  clock_mono_ns() - (clock_now_us() - c->time_us) * 1000, h->tracefs };

	a->fathers = (struct forefathers){ .by = a->father };
	host_read_trace(h);
	while (a->fathers.count < FOREFATHERS) {
		int64_t born_ns = h->tracefs ? tasks_born_ns(h->tasks, s.pid, s.when_ns) : 0;
		int64_t maker = born_ns > 0 ? tasks_parent(h->tasks, s.pid, s.when_ns) : -1;

		s.proven &= maker > 0 && born_ns >= h->complete_since_ns;
		if (maker > 0)
			go_up_by_trace(a, h, &s, maker, born_ns, c->time_us);
		else if (s.ppid <= 0 || !go_up_by_look(a, h, &s, s.ppid, c->time_us))
			break;
	}
	a->fathers.whole = s.ppid == 0;
	return &a->fathers;
}
