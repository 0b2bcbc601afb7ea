/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What /proc says of this host's processes.  Each is opened once and read below its directory,
 * which stands for that very process. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "cgroup.h"
#include "clock.h"
#include "proc.h"
#include "procfs.h"

struct procfs {
	int dir;
	int64_t tick_us;
	int64_t boot_us;	/* by the wall clock at the start of this program */
	/* the last answer: many events in a row have the same parent */
	int64_t last_pid, last_ns;
	int64_t last_start_us;
	char exe[PATH_MAX];
	size_t exe_len;
	/* what procfs_describe() has found */
	char comm[64], name[PATH_MAX], cmdline[4096], cwd[PATH_MAX], cgroup[4096];
};

#define KEEP_NS 1000000000LL

struct procfs *procfs_open(const char *path)
{
	struct procfs *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (p->dir < 0) {
		free(p);
		return NULL;
	}
	p->tick_us = proc_tick_us();
	p->boot_us = proc_boot_us();
	p->last_pid = -1;
	return p;
}

void procfs_close(struct procfs *p)
{
	if (!p)
		return;
	close(p->dir);
	free(p);
}

int64_t procfs_start_us(const struct procfs *p, int64_t start_ticks)
{
	return start_ticks < 0 ? -1 : p->boot_us + start_ticks * p->tick_us;
}

static void look_up(struct procfs *p, int64_t pid)
{
	char name[32];
	int dir;
	ssize_t n;

	p->last_pid = pid;
	p->last_ns = clock_mono_ns();
	p->exe_len = 0;
	snprintf(name, sizeof(name), "%lld", (long long)pid);
	dir = openat(p->dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return;
	p->last_start_us = procfs_start_us(p, proc_start_ticks(dir));
	n = readlinkat(dir, "exe", p->exe, sizeof(p->exe));
	if (n > 0)
		p->exe_len = (size_t)n;
	close(dir);
}

struct text procfs_exe(struct procfs *p, int64_t pid, int64_t time_us)
{
	if (pid <= 0)
		return TEXT_NONE;
	if (pid != p->last_pid || clock_mono_ns() - p->last_ns > KEEP_NS)
		look_up(p, pid);
	if (!p->exe_len || p->last_start_us < 0 || p->last_start_us > time_us + PROC_SLACK_US)
		return TEXT_NONE;
	return (struct text){ p->exe, p->exe_len };
}

static int open_process(const struct procfs *p, int64_t pid)
{
	char name[32];

	snprintf(name, sizeof(name), "%lld", (long long)pid);
	return openat(p->dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

bool procfs_holds(struct procfs *p, int64_t pid, int64_t fd, int64_t inode)
{
	char name[64];

	snprintf(name, sizeof(name), "%lld/fd/%lld", (long long)pid, (long long)fd);
	return inode > 0 && proc_link_number(p->dir, name, "socket:[") == inode;
}

/* A list of a process's: its "task" or its "fd".  NULL where it is gone. */
static DIR *open_list(const struct procfs *p, int64_t pid, const char *what)
{
	char name[64];
	DIR *list;
	int dir;

	snprintf(name, sizeof(name), "%lld/%s", (long long)pid, what);
	dir = openat(p->dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	list = dir < 0 ? NULL : fdopendir(dir);
	if (!list && dir >= 0)
		close(dir);
	return list;
}

/* "NUMBER 0xARG0 ...", or "running", or "-1 ..." outside of a call. */
static bool is_call_on(int task, int64_t fd)
{
	static const long calls[] = { SYS_connect, SYS_sendto, SYS_sendmsg, SYS_sendmmsg };
	char buf[256], *end;
	ssize_t n = proc_read(task, "syscall", buf, sizeof(buf) - 1);
	long nr;

	if (n <= 0)
		return false;
	buf[n] = '\0';
	nr = strtol(buf, &end, 10);
	if (end == buf || *end != ' ' || (int64_t)(int)strtoll(end, NULL, 16) != fd)
		return false;
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (calls[i] == nr)
			return true;
	return false;
}

bool procfs_in_call(struct procfs *p, int64_t pid, int64_t fd)
{
	DIR *tasks = open_list(p, pid, "task");
	struct dirent *entry;
	bool found = false;

	if (!tasks)
		return false;
	while (!found && (entry = readdir(tasks)) != NULL) {
		int task = entry->d_name[0] == '.' ? -1 :
			   openat(dirfd(tasks), entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (task < 0)
			continue;
		found = is_call_on(task, fd);
		close(task);
	}
	closedir(tasks);
	return found;
}

/* The descriptor by which one process holds the socket; -1: it does not. */
static int64_t find_in_process(const struct procfs *p, int64_t pid, int64_t inode)
{
	DIR *fds = open_list(p, pid, "fd");
	struct dirent *entry;
	int64_t fd = -1;

	if (!fds)
		return -1;
	while (fd < 0 && (entry = readdir(fds)) != NULL)
		if (entry->d_name[0] != '.' &&
		    proc_link_number(dirfd(fds), entry->d_name, "socket:[") == inode)
			fd = strtoll(entry->d_name, NULL, 10);
	closedir(fds);
	return fd;
}

static int newest_first(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x < y) - (x > y);
}

int procfs_find(struct procfs *p, int64_t inode, int64_t budget_us, int64_t *pid, int64_t *fd)
{
	static int64_t pids[32768];
	int64_t until = clock_mono_ns() + budget_us * 1000;
	size_t count = 0;
	struct dirent *entry;
	int again = openat(p->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *all = again < 0 ? NULL : fdopendir(again);

	if (!all) {
		if (again >= 0)
			close(again);
		return -errno;
	}
	while ((entry = readdir(all)) != NULL && count < sizeof(pids) / sizeof(pids[0]))
		if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9')
			pids[count++] = strtoll(entry->d_name, NULL, 10);
	closedir(all);
	/* A higher number is a newer process, until they come round. */
	qsort(pids, count, sizeof(pids[0]), newest_first);
	for (size_t i = 0; i < count; i++) {
		if (clock_mono_ns() > until)
			return -ETIME;
		*fd = find_in_process(p, pids[i], inode);
		if (*fd < 0)
			continue;
		*pid = pids[i];
		return 0;
	}
	return -ENOENT;
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

/* A number behind "Name:" in /proc/PID/status. */
static int64_t status_number(const char *status, const char *name)
{
	const char *at = strstr(status, name);

	return at ? strtoll(at + strlen(name), NULL, 10) : -1;
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

bool procfs_describe(struct procfs *p, int64_t pid, struct connection *c)
{
	char status[4096];
	struct text cgroup;
	struct cgroup_names names;
	int dir = open_process(p, pid);
	ssize_t n;

	if (dir < 0)
		return false;
	n = proc_read(dir, "status", status, sizeof(status) - 1);
	c->start_ticks = proc_start_ticks(dir);
	if (n <= 0 || c->start_ticks < 0) {
		close(dir);
		return false;
	}
	status[n] = '\0';
	c->pid = pid;
	c->ppid = status_number(status, "\nPPid:");
	c->uid = status_number(status, "\nUid:");
	c->gid = status_number(status, "\nGid:");
	c->auid = read_id(dir, "loginuid");
	c->session = read_id(dir, "sessionid");
	c->netns = proc_link_number(dir, "ns/net", "net:[");
	c->text[CONNECTION_COMM] = read_text(dir, "comm", p->comm, sizeof(p->comm));
	c->text[CONNECTION_EXE] = read_link(dir, "exe", p->name, sizeof(p->name));
	c->text[CONNECTION_CMDLINE] = read_text(dir, "cmdline", p->cmdline, sizeof(p->cmdline));
	c->text[CONNECTION_CWD] = read_link(dir, "cwd", p->cwd, sizeof(p->cwd));
	cgroup = read_text(dir, "cgroup", p->cgroup, sizeof(p->cgroup));
	cgroup = proc_pick_cgroup(p->cgroup, cgroup.len);
	names = cgroup_parse(cgroup);
	c->text[CONNECTION_UNIT] = names.unit;
	c->text[CONNECTION_CONTAINER] = names.container;
	close(dir);
	return true;
}
