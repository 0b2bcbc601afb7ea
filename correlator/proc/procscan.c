/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Looks through the processes for sockets.
 *
 *   begin --> LIST:     /proc is listed, in pieces as well, because with thousands of processes
 *                       that takes longer than a packet may wait
 *         --> CALLS:    the list from its end (higher pids are newer, until they wrap): the call
 *                       that each process is in, because a process that waits for an answer mostly
 *                       sleeps in that call
 *         --> SOCKETS:  once more, with all descriptors of each --> DONE
 *   thorough -> LIST --> SOCKETS --> SOCKETS of those that began meanwhile --> DONE
 *   newest --> CALLS:   the last pids that were given, without a list of all
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "holders.h"
#include "proc.h"
#include "procfs.h"
#include "procscan.h"

#define PIDS_MAX 65536
#define NEWEST_PIDS 64
/* PROC_PID_INIT_INO in the kernel's include/linux/proc_ns.h. */
#define FIRST_PID_NAMESPACE 0xEFFFFFFCLL
/* Some 30 entries: the kernel makes an inode for each, so a full buffer of readdir() would take
 * milliseconds. */
#define LIST_BYTES 1024
/* Of who has more descriptors the rest is not looked at, because others wait. */
#define FDS_MAX 1024
#define FDS_MAX_THOROUGH 16384

enum stage { LIST, CALLS, SOCKETS, DONE };

struct procscan {
	struct procfs *procfs;
	enum stage stage;
	int list;		/* /proc, while it is listed; -1 */
	size_t count;		/* in pids */
	bool thorough;
	bool missed;		/* a process could not be looked at, or had no room in pids */
	int64_t newest;		/* thorough: up to this pid all have been listed */
	size_t left;		/* processes that this stage has not looked at yet: the first
				 * ones of pids */
	struct procfs_walk walk;	/* those that are being looked at */
	int32_t pids[PIDS_MAX];
};

static void close_list(struct procscan *s)
{
	if (s->list >= 0)
		close(s->list);
	s->list = -1;
}

struct procscan *procscan_new(struct procfs *p)
{
	struct procscan *s = calloc(1, sizeof(*s));

	if (s) {
		s->procfs = p;
		s->stage = DONE;
		s->list = -1;
	}
	return s;
}

void procscan_free(struct procscan *s)
{
	if (!s)
		return;
	close_list(s);
	free(s);
}

/* "0.12 0.04 0.01 2/345 6789": the last is the newest pid of this pid namespace (proc(5)). */
int64_t procscan_newest_pid(const struct procfs *p)
{
	char buf[128], *at;
	ssize_t n = proc_read(procfs_dir(p), "loadavg", buf, sizeof(buf) - 1);

	if (n <= 0)
		return -1;
	buf[n] = '\0';
	at = strrchr(buf, ' ');
	return at ? strtoll(at, NULL, 10) : -1;
}

static DIR *open_at(int dir, const char *name)
{
	int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *list = fd < 0 ? NULL : fdopendir(fd);

	if (!list && fd >= 0)
		close(fd);
	return list;
}

void procscan_begin(struct procscan *s)
{
	close_list(s);
	s->count = 0;
	s->thorough = s->missed = false;
	s->list = openat(procfs_dir(s->procfs), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	s->stage = LIST;
}

void procscan_begin_thorough(struct procscan *s)
{
	int64_t newest = procscan_newest_pid(s->procfs);

	procscan_begin(s);
	s->thorough = true;
	s->newest = newest;
	s->missed = newest < 0 || s->list < 0;
}

bool procscan_saw_all(const struct procscan *s, int64_t *newest)
{
	int64_t here = proc_link_number(procfs_dir(s->procfs), "self/ns/pid", "pid:[");

	*newest = s->newest;
	return s->thorough && s->stage == DONE && !s->missed && here == FIRST_PID_NAMESPACE;
}

/* Lists those that began meanwhile; false where there are none. */
static bool list_new(struct procscan *s)
{
	int64_t newest = procscan_newest_pid(s->procfs), from = s->newest;

	if (newest == from)
		return false;
	s->newest = newest;
	/* Numbers begin anew behind the highest. */
	if (newest < from || newest - from > PIDS_MAX) {
		s->missed = true;
		return false;
	}
	for (s->count = 0; from < newest; from++)
		s->pids[s->count++] = (int32_t)(from + 1);
	s->left = s->count;
	return true;
}

void procscan_go_on(struct procscan *s)
{
	if (s->thorough && s->stage == DONE && list_new(s))
		s->stage = SOCKETS;
}

static void begin_walk(struct procscan *s, enum stage stage)
{
	s->walk.left = 0;
	s->walk.calls = stage == CALLS;
	s->left = s->count;
	s->stage = stage;
}

void procscan_newest(struct procscan *s)
{
	int64_t newest = procscan_newest_pid(s->procfs);

	close_list(s);
	s->count = 0;
	s->thorough = false;
	for (int64_t pid = newest - NEWEST_PIDS + 1; pid <= newest; pid++)
		if (pid > 0)
			s->pids[s->count++] = (int32_t)pid;
	begin_walk(s, CALLS);
}

/* The next ones; false: there are none. */
static bool take_some(struct procscan *s)
{
	size_t count = s->left < PROCFS_WALK ? s->left : PROCFS_WALK;

	s->left -= count;
	memcpy(s->walk.pid, s->pids + s->left, count * sizeof(s->pids[0]));
	s->walk.left = (int)count;
	s->walk.at = s->walk.seen = 0;
	s->walk.seen_max = s->thorough ? FDS_MAX_THOROUGH : FDS_MAX;
	s->walk.missed = false;
	s->walk.all = s->thorough;
	return count > 0;
}

/* Goes on looking at them.  True: each() has enough. */
static bool show_some(struct procscan *s, int64_t budget_ns, const struct procscan_wanted *wanted,
		      bool (*each)(int64_t inode, int64_t id, int64_t fd, void *arg), void *arg)
{
	struct procfs_walk *w = &s->walk;
	bool enough = false;

	w->wanted_count = wanted->count < PROCFS_WANTED ? wanted->count : PROCFS_WANTED;
	memcpy(w->wanted, wanted->inode, (size_t)w->wanted_count * sizeof(w->wanted[0]));
	procfs_walk(s->procfs, w, budget_ns);
	s->missed |= w->missed;
	for (int i = 0; !enough && i < w->found_count; i++)
		enough = each(w->found[i].inode, w->found[i].pid, w->found[i].fd, arg);
	return enough;
}

/* Reads some more entries of the list of processes; false at its end. */
static bool list_some(struct procscan *s)
{
	char buf[LIST_BYTES] __attribute__((aligned(8)));
	const struct dirent64 *entry;
	ssize_t n = s->list < 0 ? 0 : getdents64(s->list, buf, sizeof(buf));

	for (ssize_t at = 0; at < n; at += entry->d_reclen) {
		entry = (const struct dirent64 *)(buf + at);
		if (s->count == PIDS_MAX) {
			s->missed = true;
			return false;
		}
		if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9')
			s->pids[s->count++] = (int32_t)strtol(entry->d_name, NULL, 10);
	}
	return n > 0;
}

bool procscan_step(struct procscan *s, int64_t budget_us, const struct procscan_wanted *wanted,
		   bool (*each)(int64_t inode, int64_t id, int64_t fd, void *arg), void *arg)
{
	int64_t now_ns = clock_mono_ns(), until_ns = now_ns + budget_us * 1000;
	bool enough = false;

	do {
		switch (s->stage) {
		case LIST:
			if (list_some(s))
				break;
			close_list(s);
			begin_walk(s, s->thorough ? SOCKETS : CALLS);
			break;
		case CALLS:
		case SOCKETS:
			if (s->walk.left || take_some(s)) {
				enough = show_some(s, until_ns - now_ns, wanted, each, arg);
				break;
			}
			if (s->stage == CALLS)
				begin_walk(s, SOCKETS);
			else if (!s->thorough || !list_new(s))
				s->stage = DONE;
			break;
		case DONE:
			return false;
		}
		now_ns = clock_mono_ns();
	} while (!enough && now_ns < until_ns);
	return s->stage != DONE;
}

void procscan_threads(struct procfs *p, void (*each)(int64_t tid, int64_t pid, void *arg),
		      void *arg)
{
	DIR *all = open_at(procfs_dir(p), "."), *tasks;
	struct dirent *entry, *task;
	char name[300];

	while (all && (entry = readdir(all)) != NULL) {
		if (entry->d_name[0] < '1' || entry->d_name[0] > '9')
			continue;
		snprintf(name, sizeof(name), "%s/task", entry->d_name);
		tasks = open_at(procfs_dir(p), name);
		while (tasks && (task = readdir(tasks)) != NULL)
			if (task->d_name[0] != '.')
				each(strtoll(task->d_name, NULL, 10),
				     strtoll(entry->d_name, NULL, 10), arg);
		if (tasks)
			closedir(tasks);
	}
	if (all)
		closedir(all);
}
