/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_TASKS_H
#define SOCKLEDGER_TASKS_H

#include <stdbool.h>
#include <stdint.h>

#include "memories.h"
#include "text.h"

struct process;
struct trace_event;

/*
 * Tells from the trace which process a thread belongs to and which program that runs, also after it
 * is gone.  The number of threads is fixed; the one whose last event is oldest makes room.
 */
struct tasks;

struct tasks *tasks_new(void);
void tasks_free(struct tasks *t);

/* Events were lost: what is known may be wrong. */
void tasks_forget(struct tasks *t);

/* Adds a thread that was there before the trace. */
void tasks_add(struct tasks *t, int32_t tid, int32_t pid, int32_t parent);
/* Sets the program of a process that was added: its children may run it without a traced exec.
 * seen: its file was seen at that path here. */
void tasks_set_exe(struct tasks *t, int32_t pid, struct text exe, bool seen);
/* TRACE_TASK, TRACE_EXEC_BEGIN, TRACE_EXEC_DONE and TRACE_DISGUISE. */
void tasks_event(struct tasks *t, const struct trace_event *e);

/*
 * All questions are about a time: the kernel may have given a number to another thread since, and a
 * process may have executed another program.  One change is remembered.
 */

/* The process's pid; -1: not known. */
int64_t tasks_process(const struct tasks *t, int32_t tid, int64_t time_ns);
/* Its parent when it began; -1: not known. */
int64_t tasks_parent(const struct tasks *t, int64_t pid, int64_t time_ns);
/* When it began or last executed a program: CLOCK_MONOTONIC; 0: before the trace; -1: not known.
 * Of one that was forgotten and added again: at the latest. */
int64_t tasks_changed_ns(const struct tasks *t, int64_t pid);
/* It has begun or executed a program since then, or that may have been forgotten.  So a flood of
 * new threads, in which others' changes are forgotten, hides none. */
bool tasks_may_have_changed(const struct tasks *t, int64_t pid, int64_t since_ns);
/* When the process began that has the number at that time; 0: before the trace, or not known. */
int64_t tasks_born_ns(const struct tasks *t, int64_t pid, int64_t time_ns);
/*
 * The program that the process, or the one it was forked from, executed since the trace began or
 * ran at that time.  Only an absolute path that fits, and until too many others were executed;
 * otherwise none.  Good until the next event.
 */
struct text tasks_exe(const struct tasks *t, int64_t pid, int64_t time_ns);
/*
 * Its forefather, so many generations back (1: its parent), which runs that same program still, by
 * no execve() of its own; -1: that is not known.  So its file is that of the process.
 */
int64_t tasks_kin(const struct tasks *t, int64_t pid, int64_t time_ns, int generation);
/* The file of the program that the process runs now was seen: no change of it may be unread. */
void tasks_see_program(struct tasks *t, int64_t pid, const struct process *seen);
/* The file of the program that the process ran at that time, as for programs_file(). */
bool tasks_file(const struct tasks *t, int64_t pid, int64_t time_ns, struct process *process);

/*
 * Whether the kernel says that the process runs another file than it does.  DISGUISE_PERHAPS: not
 * if it ran the same file before *since_ns, nor if that is at the path `seen`, where there is one.
 */
enum disguise tasks_disguise(const struct tasks *t, int64_t pid, int64_t time_ns,
			     int64_t *since_ns, struct text *seen);

#endif
