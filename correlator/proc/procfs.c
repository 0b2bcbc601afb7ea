/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads what /proc says of this host's processes.  Each is opened once and read below its
 * directory, which stands for that very process.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "event.h"
#include "holders.h"
#include "question.h"
#include "peek.h"
#include "proc.h"
#include "proc_exe.h"
#include "procfs.h"

struct procfs {
	int dir;
	struct call_files calls;
	int64_t root_mount, tick_us;
	int64_t boot_us;	/* by the wall clock at the start of this program */
	struct peek *peek;	/* who asks what can wait; NULL: nobody else */
};

int procfs_dir(const struct procfs *p)
{
	return p->dir;
}

struct call_files *procfs_calls(struct procfs *p)
{
	return &p->calls;
}

size_t procfs_size(void)
{
	return sizeof(struct procfs);
}

bool procfs_open_in(void *room, const char *path)
{
	struct procfs *p = room;

	memset(p, 0, sizeof(*p));
	p->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	call_files_init(&p->calls);
	p->root_mount = proc_exe_root_mount();
	p->tick_us = proc_tick_us();
	p->boot_us = proc_boot_us();
	return p->dir >= 0;
}

struct procfs *procfs_open(const char *path)
{
	struct procfs *p = malloc(sizeof(*p));

	if (p && procfs_open_in(p, path))
		return p;
	free(p);
	return NULL;
}

void procfs_close(struct procfs *p)
{
	if (!p)
		return;
	call_files_release(&p->calls);
	close(p->dir);
	free(p);
}

void procfs_ask_lookers(struct procfs *p, struct peek *peek)
{
	p->peek = peek;
}

static bool ask(struct procfs *p, enum look_kind kind, int64_t pid, int64_t fd, int64_t number,
		struct seen *a)
{
	return peek_now(p->peek, &(struct look){ .kind = kind, .pid = pid, .fd = fd,
						 .number = number, .uid = -1 }, a) == PEEK_TOLD;
}

/* What is asked for has one number for an answer. */
static int64_t ask_number(struct procfs *p, enum look_kind kind, int64_t pid, int64_t fd)
{
	struct seen a;

	return ask(p, kind, pid, fd, -1, &a) ? a.number : -1;
}

int64_t procfs_start_us(const struct procfs *p, int64_t start_ticks)
{
	return start_ticks < 0 ? -1 : p->boot_us + start_ticks * p->tick_us;
}

static int open_process(const struct procfs *p, int64_t pid)
{
	char name[32];

	snprintf(name, sizeof(name), "%lld", (long long)pid);
	return openat(p->dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

int64_t procfs_inode(struct procfs *p, int64_t pid, int64_t fd)
{
	char name[64];

	if (fd < 0)
		return -1;
	if (p->peek)
		return ask_number(p, LOOK_INODE, pid, fd);
	snprintf(name, sizeof(name), "%lld/fd/%lld", (long long)pid, (long long)fd);
	return proc_link_number(p->dir, name, "socket:[");
}

bool procfs_holds(struct procfs *p, int64_t pid, int64_t fd, int64_t inode)
{
	return inode > 0 && procfs_inode(p, pid, fd) == inode;
}

/* Of those from `from` on; how many have been looked at: who is overdue is among them. */
static int ask_holders(struct procfs *p, int64_t inode, struct procfs_holder *k, int count)
{
	struct look q = { .kind = LOOK_HOLDERS, .number = inode, .uid = -1, .data = k,
			  .len = (size_t)count * sizeof(*k) };
	enum peek_word word;
	struct seen a;

	for (int i = 0; i < count; i++)
		if (peek_is_shunned(p->peek, k[i].pid))
			k[i].pid = 0;
	word = peek_now(p->peek, &q, &a);
	if (word == PEEK_TOLD || word == PEEK_OVERDUE)
		memcpy(k, a.text, q.len);
	if (word == PEEK_TOLD)
		return count;
	for (int i = 0; i < count; i++)
		if (word != PEEK_OVERDUE || k[i].pid == a.at) {
			k[i].fd = -1;
			if (word == PEEK_OVERDUE)
				return i + 1;
		}
	return count;
}

void procfs_holders(struct procfs *p, int64_t inode, struct procfs_holder *k, int count)
{
	int64_t at;
	int done = 0;

	if (!p->peek)
		look_at_holders(p->dir, &p->calls, inode, k, count, &at);
	while (p->peek && done < count)
		done += ask_holders(p, inode, k + done, count - done);
}

int64_t procfs_find_fd(struct procfs *p, int64_t pid, int64_t inode, int looks)
{
	struct procfs_holder k = { .pid = pid, .fd = -1, .looks = looks };

	procfs_holders(p, inode, &k, 1);
	return k.fd;
}

/* Goes on behind the one that is overdue. */
static void ask_walk(struct procfs *p, struct procfs_walk *w, int64_t budget_ns)
{
	struct seen a;
	enum peek_word word;

	while (w->left && peek_is_shunned(p->peek, w->pid[w->left - 1])) {
		w->left--;
		w->at = w->seen = 0;
		w->missed = true;
	}
	if (!w->left)
		return;
	word = peek_now(p->peek, &(struct look){ .kind = LOOK_WALK, .number = budget_ns, .uid = -1,
						 .data = w, .len = sizeof(*w) }, &a);
	if (word == PEEK_TOLD || word == PEEK_OVERDUE)
		memcpy(w, a.text, sizeof(*w));
	if (word == PEEK_TOLD || !w->left)
		return;
	w->left--;
	w->at = w->seen = 0;
	w->missed = true;
}

void procfs_walk(struct procfs *p, struct procfs_walk *w, int64_t budget_ns)
{
	int64_t at;

	w->found_count = 0;
	if (p->peek)
		ask_walk(p, w, budget_ns);
	else
		look_at_many(p->dir, w, budget_ns, &at);
}

static struct text read_link(int dir, const char *name, char *buf, size_t size)
{
	ssize_t n = readlinkat(dir, name, buf, size);

	return n > 0 ? (struct text){ buf, (size_t)n } : TEXT_NONE;
}

static struct text read_text(int dir, const char *name, char *buf, size_t size)
{
	ssize_t n = proc_read(dir, name, buf, size);

	while (n > 0 && (buf[n - 1] == '\n' || buf[n - 1] == '\0'))
		n--;
	for (ssize_t i = 0; i < n; i++)
		if (buf[i] == '\0')
			buf[i] = ' ';
	return n > 0 ? (struct text){ buf, (size_t)n } : TEXT_NONE;
}

/* "PID (NAME) STATE PPID ..." with the start as field 22; the name may hold blanks and brackets. */
static bool read_stat(struct procfs *p, const char *name, struct process *process,
		      struct proc_texts *texts)
{
	char buf[1024], *from, *to;
	ssize_t n = proc_read(p->dir, name, buf, sizeof(buf) - 1);

	if (n <= 0)
		return false;
	buf[n] = '\0';
	from = strchr(buf, '(');
	to = strrchr(buf, ')');
	if (!from || !to || to < from || to - from - 1 >= (ptrdiff_t)sizeof(texts->comm))
		return false;
	memcpy(texts->comm, from + 1, (size_t)(to - from - 1));
	process->comm = (struct text){ texts->comm, (size_t)(to - from - 1) };
	for (int field = 2; to && field < 22; field++) {
		to = strchr(to + 1, ' ');
		if (to && field == 3)
			process->ppid = strtoll(to + 1, NULL, 10);
	}
	process->start_ticks = to ? strtoll(to + 1, NULL, 10) : -1;
	return process->start_ticks >= 0;
}

/* What a looker has told, where it does not change with the next question. */
static struct text keep(struct text t, char *buf, size_t size)
{
	if (!t.data)
		return TEXT_NONE;
	if (t.len > size)
		t.len = size;
	memcpy(buf, t.data, t.len);
	return (struct text){ buf, t.len };
}

static bool ask_glance(struct procfs *p, int64_t pid, struct process *process,
		       struct proc_texts *texts)
{
	struct seen a;

	if (!ask(p, LOOK_GLANCE, pid, -1, -1, &a) || !a.found)
		return false;
	*process = a.process;
	process->comm = keep(a.process.comm, texts->comm, sizeof(texts->comm));
	process->exe = keep(a.process.exe, texts->exe, sizeof(texts->exe));
	return true;
}

bool procfs_glance(struct procfs *p, int64_t pid, struct process *process,
		   struct proc_texts *texts)
{
	char name[64];

	process_init(process);
	if (p->peek)
		return ask_glance(p, pid, process, texts);
	snprintf(name, sizeof(name), "%lld/task/%lld/stat", (long long)pid, (long long)pid);
	if (pid <= 0 || !read_stat(p, name, process, texts))
		return false;
	process->pid = pid;
	snprintf(name, sizeof(name), "%lld", (long long)pid);
	proc_exe_read(p->dir, name, p->root_mount, texts->exe, process);
	return true;
}

bool procfs_has_our_users(struct procfs *p, int64_t pid)
{
	char name[48];
	struct seen a;

	if (p->peek)
		return ask(p, LOOK_USERS, pid, -1, -1, &a) && a.found;
	snprintf(name, sizeof(name), "%lld", (long long)pid);
	return proc_exe_has_our_users(p->dir, name);
}

/* A number behind "Name:" in /proc/PID/status: the n-th, from 0. */
static int64_t status_number(const char *status, const char *name, int n)
{
	const char *at = strstr(status, name);
	char *end;
	int64_t number = -1;

	if (!at)
		return -1;
	for (at += strlen(name); n >= 0; n--, at = end)
		number = strtoll(at, &end, 10);
	return number >= 0 ? number : -1;
}

static int64_t read_id(int dir, const char *name)
{
	char buf[32];
	ssize_t n = proc_read(dir, name, buf, sizeof(buf) - 1);
	int64_t id;

	if (n <= 0)
		return -1;
	buf[n] = '\0';
	id = strtoll(buf, NULL, 10);
	return id == UINT32_MAX ? -1 : id;
}

/* What is told of it is added, also where one part of it could not be told in time. */
static void ask_rest(struct procfs *p, struct process *process, struct proc_texts *texts)
{
	const struct look q = { .kind = LOOK_REST, .pid = process->pid,
				.number = process->start_ticks, .uid = -1 };
	struct seen a;

	if (peek_now(p->peek, &q, &a) == PEEK_UNREADABLE)
		return;
	a.process.cwd = keep(a.process.cwd, texts->cwd, sizeof(texts->cwd));
	a.process.cgroup = keep(a.process.cgroup, texts->cgroup, sizeof(texts->cgroup));
	a.process.cmdline = keep(a.process.cmdline, texts->cmdline, sizeof(texts->cmdline));
	for (int i = 0; i < PROCESS_NUMBERS; i++)
		if (a.process.number[i] != -1)
			process->number[i] = a.process.number[i];
	for (int i = 0; i < PROCESS_TEXTS; i++)
		if (a.process.text[i].data)
			process->text[i] = a.process.text[i];
}

void procfs_rest(struct procfs *p, struct process *process, struct proc_texts *texts)
{
	int dir;
	char status[4096];
	struct text cgroup;
	ssize_t n;

	if (p->peek) {
		ask_rest(p, process, texts);
		return;
	}
	dir = open_process(p, process->pid);
	/* By now its number may be another's. */
	if (dir >= 0 && proc_start_ticks(dir, process->pid) != process->start_ticks) {
		close(dir);
		dir = -1;
	}
	if (dir < 0)
		return;
	n = proc_read(dir, "status", status, sizeof(status) - 1);
	status[n > 0 ? n : 0] = '\0';
	process->uid = status_number(status, "\nUid:", 0);
	process->euid = status_number(status, "\nUid:", 1);
	process->fsuid = status_number(status, "\nUid:", 3);
	process->gid = status_number(status, "\nGid:", 0);
	process->auid = read_id(dir, "loginuid");
	process->session = read_id(dir, "sessionid");
	process->netns = proc_link_number(dir, "ns/net", "net:[");
	process->cwd = read_link(dir, "cwd", texts->cwd, sizeof(texts->cwd));
	cgroup = read_text(dir, "cgroup", texts->cgroup, sizeof(texts->cgroup));
	process->cgroup = proc_pick_cgroup(texts->cgroup, cgroup.len);
	/* Last, because a process can make who reads it wait while all else can be read. */
	process->cmdline = read_text(dir, "cmdline", texts->cmdline, sizeof(texts->cmdline));
	close(dir);
}

/* Adds the numbers of a line of /proc/PID/status; -1: it is not there, or not all of it. */
static int add_numbers(const char *status, const char *name, uint32_t *numbers, int count, int most)
{
	const char *at = strstr(status, name), *end = at ? strchr(at + 1, '\n') : NULL;

	if (!end)
		return -1;
	for (at += strlen(name); at < end; at += strspn(at, " \t")) {
		char *behind;
		unsigned long n;

		at += strspn(at, " \t");
		if (at >= end)
			break;
		n = strtoul(at, &behind, 10);
		if (behind == at || count == most)
			return -1;
		numbers[count++] = (uint32_t)n;
		at = behind;
	}
	return count;
}

int procfs_groups(struct procfs *p, int64_t pid, int64_t start_ticks, uint32_t *groups, int most)
{
	/* A group takes at most eleven bytes; the rest of the file is some 1,500. */
	size_t size = 4096 + 11 * (size_t)most;
	char *status = start_ticks >= 0 ? malloc(size) : NULL;
	int dir = status ? open_process(p, pid) : -1, count = -1;
	ssize_t n = dir >= 0 ? proc_read(dir, "status", status, size - 1) : -1;

	if (n > 0) {
		status[n] = '\0';
		count = add_numbers(status, "\nGid:", groups, 0, most);
		if (count >= 0)
			count = add_numbers(status, "\nGroups:", groups, count, most);
		/* By now its number may be another's. */
		if (proc_start_ticks(dir, pid) != start_ticks)
			count = -1;
	}
	if (dir >= 0)
		close(dir);
	free(status);
	return count;
}

/* The number behind that many others of a line of /proc/PID/status. */
static int64_t status_of(struct procfs *p, int64_t pid, const char *line, int skip)
{
	char name[48], status[4096];
	ssize_t n;

	snprintf(name, sizeof(name), "%lld/status", (long long)pid);
	n = proc_read(p->dir, name, status, sizeof(status) - 1);
	if (n <= 0)
		return -1;
	status[n] = '\0';
	return status_number(status, line, skip);
}

int64_t procfs_process(struct procfs *p, int64_t tid)
{
	return status_of(p, tid, "\nTgid:", 0);
}

static int64_t netns_of(const struct procfs *p, int64_t id)
{
	char name[48];

	snprintf(name, sizeof(name), "%lld/ns/net", (long long)id);
	return proc_link_number(p->dir, name, "net:[");
}

int64_t procfs_netns(struct procfs *p, int64_t pid, int64_t tid)
{
	struct seen a;
	int64_t netns;

	if (p->peek)
		return ask(p, LOOK_NETNS, pid, -1, tid, &a) ? a.number : -1;
	netns = netns_of(p, tid);
	return netns < 0 && tid != pid ? netns_of(p, pid) : netns;
}

int64_t procfs_user(struct procfs *p, int64_t pid, int64_t likely)
{
	char name[48];
	struct stat owner;

	snprintf(name, sizeof(name), "%lld", (long long)pid);
	if (fstatat(p->dir, name, &owner, 0))
		return -1;
	/*
	 * Root also owns the /proc/PID of any user's process that is not dumpable
	 * (PR_SET_DUMPABLE).
	 */
	if (owner.st_uid && owner.st_uid == likely)
		return likely;
	return status_of(p, pid, "\nUid:", 3);
}
