/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What /proc says of this host's processes.  Each is opened once and read below its directory,
 * which stands for that very process. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

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
