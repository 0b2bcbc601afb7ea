/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ways of sockets from one process, program, user or namespace to another: see ways.c. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "passing.h"
#include "programs.h"
#include "ways.h"

static int connect_to(int fd, const struct target *t)
{
	way_is_mine();
	if (connect(fd, (const struct sockaddr *)&t->to, sizeof(t->to)) && errno != ECONNREFUSED)
		die("connect");
	return 0;
}

static int wait_for(pid_t child)
{
	int status;

	return waitpid(child, &status, 0) != child || status;
}

static int taken(int over)
{
	int fd = take_fd(over);

	if (fd < 0)
		die("no socket came");
	return fd;
}

/* The parent opens it and keeps it; the child, which was there before, connects it. */
int way_passed(const struct target *t)
{
	int pair[2];
	pid_t child;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		die("socketpair");
	child = fork();
	if (!child)
		_exit(connect_to(taken(pair[1]), t));
	if (pass_fd(pair[0], way_socket(AF_INET, SOCK_STREAM, 0)))
		die("sendmsg");
	return wait_for(child);
}

/* A pair has no address, and opens no connection: what is connected beside it is. */
int way_socketpair(const struct target *t)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		die("socketpair");
	close(pair[0]);
	if (dup2(way_socket(AF_INET, SOCK_STREAM, 0), pair[1]) < 0)
		die("dup2");
	return connect_to(pair[1], t);
}

int way_over_exec(const struct target *t)
{
	char fd[16];

	snprintf(fd, sizeof(fd), "%d", way_socket(AF_INET, SOCK_STREAM, 0));
	execl(t->self, t->self, "exec", t->address, t->port, fd, NULL);
	die("exec");
}

int way_setuid(const struct target *t)
{
	int fd = way_socket(AF_INET, SOCK_STREAM, 0);

	if (setresgid(65534, 65534, 65534) || setresuid(65534, 65534, 65534))
		die("setresuid");
	return connect_to(fd, t);
}

/* Its child has a network namespace of its own, and comes back into this one. */
int way_setns(const struct target *t)
{
	int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	pid_t child = fork();

	if (!child) {
		if (unshare(CLONE_NEWNET) || setns(home, CLONE_NEWNET))
			die("setns");
		_exit(connect_to(way_socket(AF_INET, SOCK_STREAM, 0), t));
	}
	return wait_for(child);
}

/* The child is number 1 to itself; what is printed is its number here. */
int way_pid_namespace(const struct target *t)
{
	pid_t child;

	if (unshare(CLONE_NEWPID))
		die("unshare");
	child = fork();
	if (!child) {
		int fd = way_socket(AF_INET, SOCK_STREAM, 0);

		connect(fd, (const struct sockaddr *)&t->to, sizeof(t->to));
		_exit(0);
	}
	printf("%d\n", (int)child);
	return wait_for(child);
}
