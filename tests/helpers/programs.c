/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "programs.h"

void programs_path(const char *dir, int program, char *path, size_t size)
{
	snprintf(path, size, "%s/prog-%02d", dir, program);
}

void programs_make(const char *dir)
{
	char path[512], buf[65536];

	for (int i = 0; i < PROGRAMS; i++) {
		int in = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), out;
		ssize_t n;

		programs_path(dir, i, path, sizeof(path));
		out = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
		if (in < 0 || out < 0)
			die(path);
		while ((n = read(in, buf, sizeof(buf))) > 0)
			if (write(out, buf, (size_t)n) != n)
				die(path);
		close(in);
		close(out);
	}
}

void programs_remove(const char *dir)
{
	char path[512];

	for (int i = 0; i < PROGRAMS; i++) {
		programs_path(dir, i, path, sizeof(path));
		unlink(path);
	}
	rmdir(dir);
}

void pace(struct timespec *next, int rate)
{
	next->tv_nsec += 1000000000L / rate;
	while (next->tv_nsec >= 1000000000L) {
		next->tv_nsec -= 1000000000L;
		next->tv_sec++;
	}
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, next, NULL);
}
