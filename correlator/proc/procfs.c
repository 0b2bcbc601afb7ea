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
#include "proc.h"
#include "proc_exe.h"
#include "procfs.h"

#define CALLS 64

/*
 * /proc/PID/syscall, kept open: it stands for one process, so reading it fails once that is gone.
 */
struct call_file {
	int64_t pid;
	int fd;			/* -1: none */
};

struct procfs {
	int dir;
	struct call_file call[CALLS];	/* by pid */
	int64_t root_mount, tick_us;
	int64_t boot_us;	/* by the wall clock at the start of this program */
};

#define FDS_MAX 1024
#define CALL_CHARS 256

int procfs_dir(const struct procfs *p)
{
	return p->dir;
}

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
	for (int i = 0; i < CALLS; i++)
		p->call[i].fd = -1;
	p->root_mount = proc_exe_root_mount();
	p->tick_us = proc_tick_us();
	p->boot_us = proc_boot_us();
	return p;
}

void procfs_close(struct procfs *p)
{
	if (!p)
		return;
	for (int i = 0; i < CALLS; i++)
		if (p->call[i].fd >= 0)
			close(p->call[i].fd);
	close(p->dir);
	free(p);
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
	snprintf(name, sizeof(name), "%lld/fd/%lld", (long long)pid, (long long)fd);
	return proc_link_number(p->dir, name, "socket:[");
}

bool procfs_holds(struct procfs *p, int64_t pid, int64_t fd, int64_t inode)
{
	return inode > 0 && procfs_inode(p, pid, fd) == inode;
}

/* Opens a process's "task" or "fd" directory.  NULL where the process is gone. */
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

int64_t procfs_find_fd(struct procfs *p, int64_t pid, int64_t inode)
{
	DIR *fds = open_list(p, pid, "fd");
	struct dirent *entry;
	int64_t fd = -1;

	for (int looks = 0; fds && fd < 0 && looks < FDS_MAX && (entry = readdir(fds)); looks++)
		if (entry->d_name[0] != '.' &&
		    proc_link_number(dirfd(fds), entry->d_name, "socket:[") == inode)
			fd = strtoll(entry->d_name, NULL, 10);
	if (fds)
		closedir(fds);
	return fd;
}

/* "pos: 0", "flags: 02000002", the flags in octal (proc(5)). */
bool procfs_is_blocking(struct procfs *p, int64_t pid, int64_t fd)
{
	char name[64], buf[512], *flags;
	ssize_t n;

	snprintf(name, sizeof(name), "%lld/fdinfo/%lld", (long long)pid, (long long)fd);
	n = proc_read(p->dir, name, buf, sizeof(buf) - 1);
	if (n <= 0)
		return false;
	buf[n] = '\0';
	flags = strstr(buf, "flags:");
	return flags && !(strtol(flags + 6, NULL, 8) & O_NONBLOCK);
}

/* "NUMBER 0xARG0 ...", or "running", or "-1 ..." outside of a call. */
static int64_t fd_of_call(const char *buf)
{
	static const long calls[] = { SYS_connect, SYS_sendto, SYS_sendmsg, SYS_sendmmsg };
	char *end;
	long nr;
	int fd;

	nr = strtol(buf, &end, 10);
	if (end == buf || *end != ' ')
		return -1;
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (calls[i] == nr) {
			fd = (int)strtoll(end, NULL, 16);
			return fd >= 0 ? fd : -1;
		}
	return -1;
}

static bool ends(char *buf, ssize_t n)
{
	buf[n > 0 ? n : 0] = '\0';
	return n > 0;
}

/* Reads the call of the process's first thread. */
static bool read_call(struct procfs *p, int64_t pid, char buf[CALL_CHARS])
{
	struct call_file *c = &p->call[(uint64_t)pid % CALLS];
	char name[48];

	if (c->fd >= 0 && c->pid == pid && ends(buf, pread(c->fd, buf, CALL_CHARS - 1, 0)))
		return true;
	if (c->fd >= 0)
		close(c->fd);
	snprintf(name, sizeof(name), "%lld/syscall", (long long)pid);
	c->fd = openat(p->dir, name, O_RDONLY | O_CLOEXEC);
	c->pid = pid;
	return c->fd >= 0 && ends(buf, pread(c->fd, buf, CALL_CHARS - 1, 0));
}

int64_t procfs_call_fd(struct procfs *p, int64_t pid)
{
	char buf[CALL_CHARS];

	return read_call(p, pid, buf) ? fd_of_call(buf) : -1;
}

int64_t procfs_glance_call_fd(struct procfs *p, int64_t pid)
{
	char name[48], buf[CALL_CHARS];

	snprintf(name, sizeof(name), "%lld/syscall", (long long)pid);
	return ends(buf, proc_read(p->dir, name, buf, sizeof(buf) - 1)) ? fd_of_call(buf) : -1;
}

bool procfs_in_call(struct procfs *p, int64_t pid, int64_t fd)
{
	char name[48], buf[CALL_CHARS];
	DIR *tasks;
	struct dirent *entry;
	bool found;

	if (fd < 0)
		return false;
	/* Most processes have one thread. */
	if (read_call(p, pid, buf) && fd_of_call(buf) == fd)
		return true;
	tasks = open_list(p, pid, "task");
	found = false;
	while (tasks && !found && (entry = readdir(tasks)) != NULL) {
		if (entry->d_name[0] == '.' || strtoll(entry->d_name, NULL, 10) == pid)
			continue;
		snprintf(name, sizeof(name), "%.20s/syscall", entry->d_name);
		found = ends(buf, proc_read(dirfd(tasks), name, buf, sizeof(buf) - 1)) &&
			fd_of_call(buf) == fd;
	}
	if (tasks)
		closedir(tasks);
	return found;
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

bool procfs_glance(struct procfs *p, int64_t pid, struct process *process,
		   struct proc_texts *texts)
{
	char name[48];

	process_init(process);
	snprintf(name, sizeof(name), "%lld/stat", (long long)pid);
	if (pid <= 0 || !read_stat(p, name, process, texts))
		return false;
	process->pid = pid;
	snprintf(name, sizeof(name), "%lld", (long long)pid);
	proc_exe_read(p->dir, name, p->root_mount, texts->exe, process);
	return true;
}

bool procfs_has_our_users(const struct procfs *p, int64_t pid)
{
	char name[48];

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

void procfs_rest(struct procfs *p, struct process *process, struct proc_texts *texts)
{
	int dir = open_process(p, process->pid);
	char status[4096];
	struct text cgroup;
	ssize_t n;

	/* By now its number may be another's. */
	if (dir >= 0 && proc_start_ticks(dir) != process->start_ticks) {
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
	process->cmdline = read_text(dir, "cmdline", texts->cmdline, sizeof(texts->cmdline));
	process->cwd = read_link(dir, "cwd", texts->cwd, sizeof(texts->cwd));
	cgroup = read_text(dir, "cgroup", texts->cgroup, sizeof(texts->cgroup));
	process->cgroup = proc_pick_cgroup(texts->cgroup, cgroup.len);
	close(dir);
}

int64_t procfs_process(struct procfs *p, int64_t tid)
{
	char name[48], status[4096];
	ssize_t n;

	snprintf(name, sizeof(name), "%lld/status", (long long)tid);
	n = proc_read(p->dir, name, status, sizeof(status) - 1);
	if (n <= 0)
		return -1;
	status[n] = '\0';
	return status_number(status, "\nTgid:", 0);
}

int64_t procfs_netns(struct procfs *p, int64_t pid)
{
	char name[48];

	snprintf(name, sizeof(name), "%lld/ns/net", (long long)pid);
	return proc_link_number(p->dir, name, "net:[");
}

int64_t procfs_user(struct procfs *p, int64_t pid, int64_t likely)
{
	char name[48], status[4096];
	struct stat owner;
	ssize_t n;

	snprintf(name, sizeof(name), "%lld", (long long)pid);
	if (fstatat(p->dir, name, &owner, 0))
		return -1;
	/*
	 * Root also owns the /proc/PID of any user's process that is not dumpable
	 * (PR_SET_DUMPABLE).
	 */
	if (owner.st_uid && owner.st_uid == likely)
		return likely;
	snprintf(name, sizeof(name), "%lld/status", (long long)pid);
	n = proc_read(p->dir, name, status, sizeof(status) - 1);
	if (n <= 0)
		return -1;
	status[n] = '\0';
	return status_number(status, "\nUid:", 3);
}
