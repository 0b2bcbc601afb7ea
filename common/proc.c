/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading below an open /proc/PID. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cgroup.h"
#include "clock.h"
#include "proc.h"

ssize_t proc_read(int dir, const char *name, char *buf, size_t size)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -1;
	n = read(fd, buf, size);
	close(fd);
	return n;
}

int64_t proc_start_ticks(int dir, int64_t pid)
{
	char name[48], buf[1024], *p;
	int64_t ticks;
	ssize_t n;

	snprintf(name, sizeof(name), "task/%lld/stat", (long long)pid);
	n = proc_read(dir, name, buf, sizeof(buf) - 1);
	if (n <= 0)
		return -1;
	buf[n] = '\0';
	/* The name, the second field, may hold blanks and brackets. */
	p = strrchr(buf, ')');
	for (int field = 2; p && field < 22; field++)
		p = strchr(p + 1, ' ');
	ticks = p ? strtoll(p + 1, NULL, 10) : -1;
	return ticks >= 0 ? ticks : -1;
}

int64_t proc_link_number(int dir, const char *name, const char *prefix)
{
	char link[64];
	ssize_t n = readlinkat(dir, name, link, sizeof(link) - 1);
	size_t len = strlen(prefix);

	if (n <= 0)
		return -1;
	link[n] = '\0';
	return strncmp(link, prefix, len) ? -1 : strtoll(link + len, NULL, 10);
}

int64_t proc_tick_us(void)
{
	return TIME_US_PER_S / sysconf(_SC_CLK_TCK);
}

int64_t proc_boot_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return clock_now_us() - (ts.tv_sec * TIME_US_PER_S + ts.tv_nsec / 1000);
}

struct text proc_pick_cgroup(char *buf, size_t len)
{
	struct text best = TEXT_NONE;
	int best_rank = 0;

	for (char *line = buf, *end; line < buf + len; line = end + 1) {
		char *path;
		int rank;

		end = memchr(line, '\n', (size_t)(buf + len - line));
		if (!end)
			end = buf + len;
		path = memmem(line, (size_t)(end - line), ":/", 2);
		if (!path)
			continue;
		path++;
		rank = end - path <= 1 ? 1 : !strncmp(line, "0::", 3) ? 4 :
		       memmem(line, (size_t)(path - line), ":name=systemd:", 14) ? 3 : 2;
		/* With both versions a container may be in version 1's alone. */
		if (cgroup_parse((struct text){ path, (size_t)(end - path) }).container.data)
			rank += 4;
		if (rank <= best_rank)
			continue;
		best = (struct text){ path, (size_t)(end - path) };
		best_rank = rank;
	}
	return best;
}
