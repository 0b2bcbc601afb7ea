/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_TASKS_H
#define SOCKLEDGER_TASKS_H

#include "text.h"
#include "trace.h"

/*
 * Which process a thread is of, and which program that is, also when it is gone: from the trace.  A
 * fixed number of threads; the one that was heard of longest ago makes room.
 */
struct tasks;

struct tasks *tasks_new(void);
void tasks_free(struct tasks *t);

/* Events are missing: what is known may be wrong. */
void tasks_forget(struct tasks *t);

/* A thread that was there before the trace. */
void tasks_add(struct tasks *t, int32_t tid, int32_t pid, int32_t parent);
/* The program of a process that was added: its children may run it without an exec that is traced. */
void tasks_run(struct tasks *t, int32_t pid, struct text exe);
/* TRACE_TASK, TRACE_EXECS and TRACE_EXEC. */
void tasks_event(struct tasks *t, const struct trace_event *e);

/* What is asked for is asked of a time: a number may have been given to another since, and a process
 * have executed another program.  One change is remembered. */

/* The process's pid; -1: not known. */
int64_t tasks_process(const struct tasks *t, int32_t tid, int64_t time_ns);
/* Its parent when it began; -1: not known. */
int64_t tasks_parent(const struct tasks *t, int64_t pid, int64_t time_ns);
/* When it began or executed a program: CLOCK_MONOTONIC; 0: before the trace; -1: not known. */
int64_t tasks_changed_ns(const struct tasks *t, int64_t pid);
/* The program that it, or the process it came from, executed since the trace began or had then: by an
 * absolute path that fits, and not too many others ago; else none.  Good until the next event. */
struct text tasks_exe(const struct tasks *t, int64_t pid, int64_t time_ns);

#endif
