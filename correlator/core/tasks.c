/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Threads, their processes and programs: a ring of threads with a hash over it. */
#include <stdlib.h>
#include <string.h>

#include "process.h"
#include "programs.h"
#include "tasks.h"
#include "trace.h"

#ifndef TASKS
#define TASKS 8192u
#endif
#define NONE UINT32_MAX

/* The process and program that a thread's number stands for since then. */
struct role {
	int32_t pid, parent;		/* -1: not known */
	int64_t since_ns, born_ns;	/* born 0: not known */
	uint64_t program;		/* PROGRAM_NONE: not known */
	int64_t runs_ns;		/* since when it runs that: an execve() takes its time */
};

struct task {
	int32_t tid;			/* 0: not used */
	uint32_t next;			/* in the bucket */
	struct role now, before;	/* before: since -1 where there was nothing */
	bool exec_pending;		/* a program that is not known yet */
	int64_t made_ns;		/* when the process made another one the last time */
	uint32_t memory;
	enum disguise disguise_before;	/* of `before` */
};

struct tasks {
	struct task task[TASKS];
	uint32_t bucket[TASKS];
	uint32_t newest;
	struct memories *memories;
	struct programs *programs;
	/* The newest change of one that has made room since: of a thread that is not there nothing
	 * is known until then. */
	int64_t forgotten_ns;
};

void tasks_forget(struct tasks *t)
{
	struct memories *memories = t->memories;
	struct programs *programs = t->programs;

	memset(t, 0, sizeof(*t));
	t->memories = memories;
	t->programs = programs;
	memories_forget(memories);
	programs_forget(programs);
	for (uint32_t i = 0; i < TASKS; i++)
		t->bucket[i] = NONE;
}

struct tasks *tasks_new(void)
{
	struct tasks *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	/* While one gets another, it has both. */
	t->memories = memories_new(TASKS + 1);
	t->programs = programs_new();
	if (!t->memories || !t->programs) {
		tasks_free(t);
		return NULL;
	}
	tasks_forget(t);
	return t;
}

void tasks_free(struct tasks *t)
{
	if (!t)
		return;
	memories_free(t->memories);
	programs_free(t->programs);
	free(t);
}

static uint32_t *bucket_of(struct tasks *t, int32_t tid)
{
	/* The kernel numbers threads in sequence, which spreads them as well as any hash. */
	return &t->bucket[(uint32_t)tid % TASKS];
}

static struct task *find_task(const struct tasks *t, int64_t tid)
{
	uint32_t n = tid > 0 && tid <= INT32_MAX ?
		*bucket_of((struct tasks *)t, (int32_t)tid) : NONE;

	while (n != NONE && t->task[n].tid != tid)
		n = t->task[n].next;
	return n == NONE ? NULL : (struct task *)&t->task[n];
}

static void unlink_task(struct tasks *t, uint32_t n)
{
	uint32_t *at = bucket_of(t, t->task[n].tid);

	while (*at != NONE && *at != n)
		at = &t->task[*at].next;
	if (*at == n)
		*at = t->task[n].next;
}

static void make_room(struct tasks *t, uint32_t n)
{
	const struct task *k = &t->task[n];

	unlink_task(t, n);
	memories_leave(t->memories, k->memory, true);
	if (k->now.since_ns > t->forgotten_ns)
		t->forgotten_ns = k->now.since_ns;
}

/* Returns the thread's entry, and makes it where there is none. */
static struct task *put_task(struct tasks *t, int32_t tid)
{
	struct task *k = find_task(t, tid);
	uint32_t n, *bucket;

	if (k)
		return k;
	n = t->newest++ % TASKS;
	k = &t->task[n];
	if (k->tid)
		make_room(t, n);
	bucket = bucket_of(t, tid);
	*k = (struct task){ .tid = tid, .now = { .pid = tid, .parent = -1, .since_ns = -1 },
			    .before = { .pid = -1, .parent = -1, .since_ns = -1 },
			    .next = *bucket, .memory = MEMORY_NONE };
	*bucket = n;
	return k;
}

void tasks_add(struct tasks *t, int32_t tid, int32_t pid, int32_t parent)
{
	struct task *k;

	if (tid <= 0)
		return;
	k = put_task(t, tid);
	k->now.pid = pid;
	k->now.parent = parent;
	if (k->now.since_ns < 0)
		k->now.since_ns = t->forgotten_ns;
	if (k->memory == MEMORY_NONE)
		k->memory = memories_add_old(t->memories);
}

/* What it was until now has this one's place. */
static void keep_before(struct tasks *t, struct task *k)
{
	k->before = k->now;
	k->disguise_before = memories_ask(t->memories, k->memory);
}

static void take_memory(struct tasks *t, struct task *k, uint32_t memory)
{
	memories_leave(t->memories, k->memory, false);
	k->memory = memory;
}

void tasks_set_exe(struct tasks *t, int32_t pid, struct text exe, bool seen)
{
	struct task *k = find_task(t, pid);

	if (k)
		k->now.program = programs_add(t->programs, exe, seen);
}

/* Which program a process ran then that had this role. */
static uint64_t program_at(const struct role *r, int64_t time_ns)
{
	return r && r->runs_ns <= time_ns ? r->program : PROGRAM_NONE;
}

/* NULL: not known. */
static const struct role *role_at(const struct tasks *t, int64_t tid, int64_t time_ns)
{
	const struct task *k = find_task(t, tid);

	if (!k || k->now.since_ns <= time_ns)
		return k ? &k->now : NULL;
	return k->before.since_ns >= 0 && k->before.since_ns <= time_ns ? &k->before : NULL;
}

/* The program that the process of a thread's maker ran when it made it. */
static uint64_t inherit_program(struct tasks *t, const struct trace_event *e, int32_t pid)
{
	/* The program belongs to the process, whose entry is that of its first thread. */
	struct task *process = find_task(t, pid) ? find_task(t, pid) : find_task(t, e->tid);

	if (!process)
		return PROGRAM_NONE;
	if (process->made_ns < e->time_ns)
		process->made_ns = e->time_ns;
	return program_at(role_at(t, process->tid, e->time_ns), e->time_ns);
}

/*
 * The processors' buffers are read in turn, so what a process made may have come before the
 * execve() that went before it, and was taken for its last program's.
 */
static void distrust_heirs(struct tasks *t, const struct task *k, int64_t time_ns)
{
	uint64_t program = k->now.program;

	if (k->made_ns <= time_ns || program == PROGRAM_NONE)
		return;
	for (uint32_t i = 0; i < TASKS; i++)
		if (t->task[i].now.program == program && t->task[i].now.born_ns > time_ns)
			t->task[i].now.program = PROGRAM_NONE;
}

static void new_task(struct tasks *t, const struct trace_event *e)
{
	const struct task *maker = find_task(t, e->tid);
	uint32_t memory;
	/* Without the maker's entry only /proc can say which process the thread belongs to. */
	int32_t pid = maker ? maker->now.pid : -1;
	struct role role = { .pid = e->thread ? pid : e->other, .parent = e->thread ? -1 : pid,
			     .since_ns = e->time_ns, .born_ns = e->time_ns };
	struct task *k;

	role.program = inherit_program(t, e, pid);
	k = put_task(t, e->other);
	/* A later event may have been read first. */
	if (k->now.since_ns > e->time_ns) {
		k->before = role;
		return;
	}
	keep_before(t, k);
	k->now = role;
	k->exec_pending = false;
	k->made_ns = 0;
	/* The maker may just have made room. */
	maker = find_task(t, e->tid);
	memory = maker && k != maker ? maker->memory : MEMORY_NONE;
	if (!e->same_memory)
		memory = memories_add_copy(t->memories, memory, e->time_ns);
	else if (memory != MEMORY_NONE)
		memory = memories_share(t->memories, memory);
	else
		memory = memories_add_old(t->memories);
	take_memory(t, k, memory);
}

/* It may be disguised from now on. */
static void disguise(struct tasks *t, const struct trace_event *e)
{
	const struct task *k = find_task(t, e->tid);

	if (k && k->now.since_ns > e->time_ns)
		return;
	memories_disguise(t->memories, k ? k->memory : MEMORY_NONE, e->time_ns);
}

/* /proc may show the new program from now on. */
static void begin_exec(struct tasks *t, const struct trace_event *e)
{
	const struct task *thread = find_task(t, e->tid);
	struct task *k = put_task(t, thread && thread->now.pid > 0 ? thread->now.pid : e->tid);

	if (k->now.since_ns > e->time_ns)
		return;
	keep_before(t, k);
	distrust_heirs(t, k, e->time_ns);
	k->now.since_ns = e->time_ns;
	k->now.program = PROGRAM_NONE;
	k->exec_pending = true;
}

static void exec(struct tasks *t, const struct trace_event *e)
{
	struct task *k = put_task(t, e->tid);

	if (k->now.since_ns > e->time_ns)
		return;
	if (!k->exec_pending) {
		keep_before(t, k);
		distrust_heirs(t, k, e->time_ns);
		k->now.since_ns = e->time_ns;
	}
	k->exec_pending = false;
	/* The thread that executed is the process's first thread from now on. */
	k->now.pid = e->tid;
	k->now.program = programs_add(t->programs, text_of(e->name), false);
	k->now.runs_ns = e->time_ns;
	take_memory(t, k, memories_add_new(t->memories));
}

void tasks_event(struct tasks *t, const struct trace_event *e)
{
	if (e->kind == TRACE_TASK && e->other > 0)
		new_task(t, e);
	else if (e->kind == TRACE_EXEC_BEGIN && e->tid > 0)
		begin_exec(t, e);
	else if (e->kind == TRACE_EXEC_DONE && e->tid > 0)
		exec(t, e);
	else if (e->kind == TRACE_DISGUISE && e->tid > 0 && !e->interrupt)
		disguise(t, e);
}

int64_t tasks_process(const struct tasks *t, int32_t tid, int64_t time_ns)
{
	const struct role *r = role_at(t, tid, time_ns);

	return r ? r->pid : -1;
}

int64_t tasks_parent(const struct tasks *t, int64_t pid, int64_t time_ns)
{
	const struct role *r = role_at(t, pid, time_ns);

	return r ? r->parent : -1;
}

int64_t tasks_changed_ns(const struct tasks *t, int64_t pid)
{
	const struct task *k = find_task(t, pid);

	return k ? k->now.since_ns : -1;
}

bool tasks_may_have_changed(const struct tasks *t, int64_t pid, int64_t since_ns)
{
	const struct task *k = find_task(t, pid);

	return (k ? k->now.since_ns : t->forgotten_ns) > since_ns;
}

int64_t tasks_born_ns(const struct tasks *t, int64_t pid, int64_t time_ns)
{
	const struct role *r = role_at(t, pid, time_ns);

	return r ? r->born_ns : 0;
}

struct text tasks_exe(const struct tasks *t, int64_t pid, int64_t time_ns)
{
	const struct role *r = role_at(t, pid, time_ns);

	return programs_told(t->programs, program_at(r, time_ns));
}

int64_t tasks_kin(const struct tasks *t, int64_t pid, int64_t time_ns, int generation)
{
	const struct role *r = role_at(t, pid, time_ns);
	uint64_t program = program_at(r, time_ns);
	int64_t parent = -1;

	for (int i = 0; i < generation && r; i++) {
		const struct task *k;

		parent = r->parent;
		k = find_task(t, parent);
		r = k ? &k->now : NULL;
	}
	return program != PROGRAM_NONE && r && r->program == program ? parent : -1;
}

void tasks_see_program(struct tasks *t, int64_t pid, const struct process *seen)
{
	struct task *k;

	if (pid <= 0 || pid > INT32_MAX)
		return;
	if (!find_task(t, pid))
		tasks_add(t, (int32_t)pid, (int32_t)pid, (int32_t)seen->ppid);
	k = find_task(t, pid);
	if (k->exec_pending)
		return;
	/* One that runs for long may be forgotten, as many others were executed since. */
	if (!programs_is_known(t->programs, k->now.program))
		k->now.program = programs_add(t->programs, seen->exe, false);
	programs_see(t->programs, k->now.program, seen);
}

bool tasks_file(const struct tasks *t, int64_t pid, int64_t time_ns, struct process *process)
{
	const struct role *r = role_at(t, pid, time_ns);

	return programs_file(t->programs, program_at(r, time_ns), process);
}

enum disguise tasks_disguise(const struct tasks *t, int64_t pid, int64_t time_ns,
			     int64_t *since_ns, struct text *seen)
{
	const struct task *k = find_task(t, pid);
	enum disguise now = memories_ask(t->memories, k ? k->memory : MEMORY_NONE);

	*seen = programs_here(t->programs, k ? k->now.program : PROGRAM_NONE);
	*since_ns = memories_doubtful_since_ns(t->memories);
	if (!k || k->now.since_ns <= time_ns)
		return now;
	/* Both are of others, who were given its number since. */
	if (k->before.since_ns > time_ns)
		return memories_ask(t->memories, MEMORY_NONE);
	if (k->before.since_ns >= 0)
		return k->disguise_before;
	return now > k->disguise_before ? now : k->disguise_before;
}
