/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Processes whose connect() leaves the SYN to a send of nothing, seconds later.  Before that
 * another process connects by the same tuple in a network namespace of its own, and is gone; behind
 * it the socket is closed at once.  COUNT ports from FIRST on, to 127.0.0.1:PORT, where nobody
 * answers.  Each line of the output is the truth about one: PORT PID of who has sent.
 *
 *   latecomer bound|free FIRST COUNT PORT       free: the other one's port is chosen by its kernel
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "helper.h"

#define LATE_US 2300000		/* longer than a call's SYN takes (lookups.c) */
#define LINGER_US 120000	/* until the records have come */

static struct sockaddr_in to;

static int open_at(int flags, int port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port),
				 .sin_addr = { htonl(INADDR_LOOPBACK) } };
	int fd = socket(AF_INET, SOCK_STREAM | flags, 0);

	if (fd < 0 || (port && bind(fd, (struct sockaddr *)&a, sizeof(a))))
		die("its socket");
	return fd;
}

/* That namespace's kernel has this one port to choose. */
static void offer(int port)
{
	char text[32];
	int fd = open("/proc/sys/net/ipv4/ip_local_port_range", O_WRONLY | O_CLOEXEC);

	snprintf(text, sizeof(text), "%d %d", port, port);
	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		die("ip_local_port_range");
	close(fd);
}

static void connect_elsewhere(int port, bool bound)
{
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd;

	if (unshare(CLONE_NEWUSER | CLONE_NEWNET))
		die("unshare");
	if (!bound)
		offer(port);
	fd = open_at(SOCK_NONBLOCK, bound ? port : 0);
	if (ioctl(fd, SIOCSIFFLAGS, &lo))
		die("lo");
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) && errno != EINPROGRESS)
		die("the other's connect");
	_exit(0);
}

static bool is_connecting(int fd)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);

	return !getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) &&
		info.tcpi_state == TCP_SYN_SENT;
}

static void come_late(int port, bool bound)
{
	int fd = open_at(0, port), on = 1, status;
	pid_t pid;

	if (setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &on, sizeof(on)) ||
	    setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN_NO_COOKIE, &on, sizeof(on)))
		die("Fast Open");
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) || !is_connecting(fd))
		die("connect");
	usleep(LATE_US);
	pid = fork();
	if (!pid)
		connect_elsewhere(port, bound);
	if (waitpid(pid, &status, 0) != pid || status)
		die("the other process failed");
	send(fd, "", 0, MSG_DONTWAIT | MSG_NOSIGNAL);
	close(fd);
	usleep(LINGER_US);
	_exit(0);
}

int main(int argc, char **argv)
{
	int first = argc == 5 ? atoi(argv[2]) : 0, status;

	if (!first)
		return 2;
	to = (struct sockaddr_in){ .sin_family = AF_INET,
				   .sin_port = htons((uint16_t)atoi(argv[4])),
				   .sin_addr = { htonl(INADDR_LOOPBACK) } };
	for (int i = 0; i < atoi(argv[3]); i++) {
		pid_t pid;

		fflush(stdout);
		pid = fork();
		if (pid < 0)
			die("fork");
		if (!pid)
			come_late(first + i, !strcmp(argv[1], "bound"));
		printf("%d %d\n", first + i, (int)pid);
	}
	while (wait(&status) > 0)
		if (status)
			return 1;
	return 0;
}
