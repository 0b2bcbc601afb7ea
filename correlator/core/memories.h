/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_MEMORIES_H
#define SOCKLEDGER_MEMORIES_H

#include <stdbool.h>
#include <stdint.h>

/*
 * The memories of processes, and in which of them the kernel was told that it runs another file
 * than it does (PR_SET_MM_MAP in prctl(2), which any user may do in a user namespace):
 * /proc/PID/exe and audit records have that file from then on.  Threads share a memory, and so does
 * a child that was made with CLONE_VM; any other child begins with a copy.  execve() begins a new
 * one.
 *
 * A number stands for a memory; MEMORY_NONE for one of which nothing is known.
 */
struct memories;

#define MEMORY_NONE UINT32_MAX

enum disguise {
	DISGUISE_NONE,
	/* one of unknown descent was told so, which this one may be shared with or copied from */
	DISGUISE_PERHAPS,
	DISGUISE_SURE,
};

/* At most so many at a time. */
struct memories *memories_new(uint32_t max);
void memories_free(struct memories *m);
/* Nothing is known of any any more, but that there were some that are disguised. */
void memories_forget(struct memories *m);

/* One that somebody has who was there before the trace, or was forgotten. */
uint32_t memories_add_old(struct memories *m);
/* A program's own. */
uint32_t memories_add_new(struct memories *m);
/* A copy that was made of `from` at that time. */
uint32_t memories_add_copy(struct memories *m, uint32_t from, int64_t time_ns);
/* One more shares it. */
uint32_t memories_share(struct memories *m, uint32_t memory);
/* One less.  forgotten: who shared it may still do. */
void memories_leave(struct memories *m, uint32_t memory, bool forgotten);

/* Who has that memory asked for what only a disguise needs. */
void memories_disguise(struct memories *m, uint32_t memory, int64_t time_ns);
enum disguise memories_ask(const struct memories *m, uint32_t memory);
/* Since when there has been one of unknown descent; 0: never. */
int64_t memories_doubtful_since_ns(const struct memories *m);

#endif
