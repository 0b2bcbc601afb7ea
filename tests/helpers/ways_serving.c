/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ways to be connected to: see ways.c.  Who takes the connection, or the datagram, prints its
 * number then.  All are at 0.0.0.0, and end with the first that comes. */
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "programs.h"
#include "ways.h"

#define ACTIVATED_FD 3	/* sd_listen_fds(3) */
#define WORKERS 3

static int at_port(const struct target *t, int type)
{
	struct sockaddr_in own = { .sin_family = AF_INET, .sin_port = t->to.sin_port };
	int fd = way_socket(AF_INET, type, 0), on = 1;

	if (setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) ||
	    bind(fd, (const struct sockaddr *)&own, sizeof(own)) ||
	    (type == SOCK_STREAM && listen(fd, 4)))
		die("listen");
	return fd;
}

/* What the client, talker.c, waits for. */
static int take(int fd, int peer)
{
	if (peer < 0)
		die("accept");
	way_is_mine();
	close(fd);
	return write(peer, "ok", 2) < 0;
}

static int take_with_address(int fd)
{
	struct sockaddr_in peer;
	socklen_t len = sizeof(peer);

	return take(fd, accept(fd, (struct sockaddr *)&peer, &len));
}

int way_accept(const struct target *t)
{
	return take_with_address(at_port(t, SOCK_STREAM));
}

int way_accept_null(const struct target *t)
{
	int fd = at_port(t, SOCK_STREAM);

	return take(fd, accept4(fd, NULL, NULL, SOCK_CLOEXEC));
}

/* The first of them ends, and its parent ends the others. */
static int wait_for_one(const pid_t *child)
{
	int status = 1;

	if (wait(&status) < 0)
		die("wait");
	for (int i = 0; i < WORKERS; i++)
		kill(child[i], SIGKILL);
	while (wait(NULL) > 0)
		;
	return status;
}

static int serve_by_workers(const struct target *t, int shared)
{
	pid_t child[WORKERS];

	for (int i = 0; i < WORKERS; i++) {
		child[i] = fork();
		if (!child[i])
			_exit(take_with_address(shared >= 0 ? shared : at_port(t, SOCK_STREAM)));
	}
	return wait_for_one(child);
}

/* One listener, which several processes accept from. */
int way_prefork(const struct target *t)
{
	return serve_by_workers(t, at_port(t, SOCK_STREAM));
}

/* A listener each, at one port; the kernel chooses. */
int way_reuseport(const struct target *t)
{
	return serve_by_workers(t, -1);
}

/* A manager listens, and the program that it starts for it accepts. */
int way_activation(const struct target *t)
{
	int fd = at_port(t, SOCK_STREAM), status;
	pid_t child = fork();

	if (!child) {
		if (fd != ACTIVATED_FD && dup2(fd, ACTIVATED_FD) < 0)
			die("dup2");
		execl(t->self, t->self, "activated", t->address, t->port, NULL);
		die("exec");
	}
	return waitpid(child, &status, 0) != child || status;
}

int way_activated(const struct target *t)
{
	(void)t;
	return take_with_address(ACTIVATED_FD);
}

int way_datagram_in(const struct target *t)
{
	struct sockaddr_in peer;
	socklen_t len = sizeof(peer);
	int fd = at_port(t, SOCK_DGRAM);
	char byte;

	if (recvfrom(fd, &byte, 1, 0, (struct sockaddr *)&peer, &len) < 0)
		die("recvfrom");
	way_is_mine();
	return sendto(fd, "ok", 2, 0, (const struct sockaddr *)&peer, len) < 0;
}
