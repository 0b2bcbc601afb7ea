/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_PROGRAMS_H
#define SOCKLEDGER_PROGRAMS_H

#include <stdbool.h>
#include <stdint.h>

#include "text.h"

struct process;

/*
 * Programs, each execution by itself: the path that was given to execve(), and the file that a
 * process which runs it was seen to run.  Whoever is forked from that process runs the same one, so
 * one look tells of all of them, also of those that were gone too soon to be looked at.
 *
 * A number stands for one execution; PROGRAM_NONE for one of which nothing is known.  A number is
 * good until some thousands of others were executed.
 */
struct programs;

#define PROGRAM_NONE 0

/* NULL where memory is short. */
struct programs *programs_new(void);
void programs_free(struct programs *p);
/* All numbers that were given are void. */
void programs_forget(struct programs *p);

/* told: kept where it is an absolute path that fits.  here: its file was seen at that path here
 * when the trace began. */
uint64_t programs_add(struct programs *p, struct text told, bool here);
bool programs_is_known(const struct programs *p, uint64_t program);
/* What was told; none: not known.  Good until the next one is added. */
struct text programs_told(const struct programs *p, uint64_t program);
/* Likewise, where its file was seen there when the trace began. */
struct text programs_here(const struct programs *p, uint64_t program);

/* A process that runs it runs the file that `seen` names.  Without a file, or with a path that does
 * not fit, nothing is kept. */
void programs_see(struct programs *p, uint64_t program, const struct process *seen);
/* That file and its path, into `process`: the path is good until the next is added.  False: nobody
 * saw it. */
bool programs_file(const struct programs *p, uint64_t program, struct process *process);

#endif
