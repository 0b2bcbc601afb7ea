/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Does one process alone hold a socket? */
#include <stdlib.h>

#include "clock.h"
#include "procfs.h"
#include "procscan.h"
#include "sole.h"

/* Sockets that are asked for at a time; the next one waits until a search has ended. */
#define SOCKETS_MAX 8
#define TOLD_NS 10000000000LL

struct sole {
	struct procfs *procfs;
	struct procscan *procscan;
	bool runs;
	int count;
	struct { int64_t inode; struct sole_answer answer; } socket[SOCKETS_MAX];
	int64_t began_ns, newest_pid;	/* of the last search of all */
};

struct sole *sole_new(struct procfs *p)
{
	struct sole *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->procfs = p;
	s->procscan = procscan_new(p);
	if (s->procscan)
		return s;
	free(s);
	return NULL;
}

void sole_free(struct sole *s)
{
	if (!s)
		return;
	procscan_free(s->procscan);
	free(s);
}

static struct sole_answer *find(struct sole *s, int64_t inode)
{
	for (int i = 0; i < s->count; i++)
		if (s->socket[i].inode == inode)
			return &s->socket[i].answer;
	return NULL;
}

static bool on_found(int64_t inode, int64_t id, int64_t fd, void *arg)
{
	struct sole *s = arg;
	struct sole_answer *a = find(s, inode);
	int64_t pid = a ? procfs_process(s->procfs, id) : -1;

	if (pid < 0)
		return false;
	for (int i = 0; i < a->count; i++)
		if (a->holder[i].pid == pid)
			return false;
	if (a->count == SOLE_HOLDERS_MAX) {
		a->sure = false;
		return false;
	}
	a->holder[a->count].pid = pid;
	a->holder[a->count++].fd = fd;
	return false;
}

static void begin(struct sole *s)
{
	procscan_begin_thorough(s->procscan);
	s->began_ns = clock_mono_ns();
	s->runs = true;
}

/* Who held a socket, and does not now, was a child between fork() and exec(). */
static void drop_gone(struct sole *s, int64_t inode, struct sole_answer *a)
{
	int kept = 0;

	for (int i = 0; i < a->count; i++)
		if (procfs_holds(s->procfs, a->holder[i].pid, a->holder[i].fd, inode))
			a->holder[kept++] = a->holder[i];
	a->count = kept;
}

static void end(struct sole *s)
{
	bool all = procscan_saw_all(s->procscan, &s->newest_pid);

	for (int i = 0; i < s->count; i++) {
		struct sole_answer *a = &s->socket[i].answer;

		drop_gone(s, s->socket[i].inode, a);
		a->sure &= all;
		a->over = true;
	}
	s->runs = false;
}

/* What the last search found still counts, once those are looked at that began after it. */
static void go_on(struct sole *s)
{
	if (clock_mono_ns() - s->began_ns > TOLD_NS) {
		s->count = 0;
	} else if (s->count && procscan_newest_pid(s->procfs) != s->newest_pid) {
		procscan_go_on(s->procscan);
		s->runs = true;
	}
	for (int i = 0; i < s->count; i++)
		s->socket[i].answer.over = !s->runs;
}

void sole_ask(struct sole *s, int64_t inode, int64_t budget_us, struct sole_answer *a)
{
	int64_t inodes[SOCKETS_MAX];
	struct procscan_wanted wanted = { inodes, 0 };
	struct sole_answer *kept;

	*a = (struct sole_answer){ .over = false };
	if (!s->runs)
		go_on(s);
	kept = find(s, inode);
	if (!kept && !s->runs && s->count < SOCKETS_MAX) {
		/* Another search, for those of the last one as well. */
		for (int i = 0; i < s->count; i++)
			s->socket[i].answer = (struct sole_answer){ .sure = true };
		s->socket[s->count].inode = inode;
		kept = &s->socket[s->count++].answer;
		*kept = (struct sole_answer){ .sure = true };
		begin(s);
	}
	for (int i = 0; i < s->count; i++)
		inodes[wanted.count++] = s->socket[i].inode;
	if (s->runs && !procscan_step(s->procscan, budget_us, &wanted, on_found, s))
		end(s);
	if (kept && kept->over)
		drop_gone(s, inode, kept);
	if (kept)
		*a = *kept;
}
