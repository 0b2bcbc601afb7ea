/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sockets that two processes hold: one opens them and goes into the call, the other one sends; each
 * line of the output is the truth about a connection: PORT PID of who has sent.  COUNT ports from
 * FIRST on, to 127.0.0.1:PORT.
 *
 *   sharer join FIRST COUNT PORT      the child begins to connect, its parent waits in connect();
 *                                     nobody answers at PORT
 *   sharer leave FIRST COUNT PORT     likewise, and the child exits at once
 *   sharer fastopen FIRST COUNT PORT  connect() with TCP_FASTOPEN_CONNECT; the child sends the data
 *   sharer empty FIRST COUNT PORT     likewise; what it sends, after a while, is nothing, and so
 *                                     the SYN has no data
 *   sharer blocked FIRST COUNT PORT   the child sends a datagram that fills the socket's buffer,
 *                                     its parent waits in send() for room
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "helper.h"

/* More than half of the smallest buffer, with what the kernel counts for it. */
#define FILLING 4096

enum how { JOIN, LEAVE, FASTOPEN, EMPTY, BLOCKED };

static struct sockaddr_in to;
static atomic_int *turn;	/* of both processes: 1 when the child has sent */

static void set(int fd, int level, int option, int value)
{
	if (setsockopt(fd, level, option, &value, sizeof(value)))
		die("setsockopt");
}

static int open_at(int type, int port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port),
				 .sin_addr = { htonl(INADDR_LOOPBACK) } };
	struct timeval patience = { .tv_usec = 300000 };
	int fd = socket(AF_INET, type, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)))
		die("socket");
	set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)))
		die("bind");
	return fd;
}

static int connect_it(int fd)
{
	return connect(fd, (struct sockaddr *)&to, sizeof(to));
}

/* What the child does with its parent's socket. */
static void send_first(int fd, enum how how)
{
	static const char data[FILLING];

	switch (how) {
	case JOIN:
	case LEAVE:
		fcntl(fd, F_SETFL, O_NONBLOCK);
		if (!connect_it(fd) || errno != EINPROGRESS)
			die("the child's connect");
		fcntl(fd, F_SETFL, 0);
		break;
	case FASTOPEN:
		if (send(fd, "given", 5, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 && errno != EINPROGRESS)
			die("the child's data");
		break;
	case EMPTY:
		nap_ms(150);
		if (send(fd, "", 0, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 && errno != EINPROGRESS)
			die("the child's nothing");
		break;
	case BLOCKED:
		if (send(fd, data, sizeof(data), MSG_NOSIGNAL) < 0)
			die("the child's datagram");
		break;
	}
	atomic_store(turn, 1);
	if (how != LEAVE)
		nap_ms(350);
	_exit(0);
}

static void share_one(int port, enum how how)
{
	int fd = open_at(how == BLOCKED ? SOCK_DGRAM : SOCK_STREAM, port);
	pid_t child;

	if (how == BLOCKED) {
		set(fd, SOL_SOCKET, SO_SNDBUF, 1);
		if (connect_it(fd))
			die("connect");
	}
	if (how == FASTOPEN || how == EMPTY) {
		set(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1);
		set(fd, IPPROTO_TCP, TCP_FASTOPEN_NO_COOKIE, 1);
		if (connect_it(fd))
			die("connect");
	}
	atomic_store(turn, 0);
	child = fork();
	if (child < 0)
		die("fork");
	if (!child)
		send_first(fd, how);
	printf("%d %d\n", port, (int)child);
	fflush(stdout);
	while (!atomic_load(turn))
		;
	/* It waits in the call until nobody answers, or there is room. */
	if (how == JOIN || how == LEAVE)
		connect_it(fd);
	else if (how == BLOCKED)
		send(fd, "x", 1, MSG_NOSIGNAL);
	waitpid(child, NULL, 0);
	close(fd);
}

int main(int argc, char **argv)
{
	static const char *const names[] = { "join", "leave", "fastopen", "empty",
					     "blocked" };
	int how = -1;

	for (int i = 0; argc == 5 && i < 5; i++)
		if (!strcmp(argv[1], names[i]))
			how = i;
	if (how < 0)
		return 2;
	to = (struct sockaddr_in){ .sin_family = AF_INET,
				   .sin_port = htons((uint16_t)atoi(argv[4])),
				   .sin_addr = { htonl(INADDR_LOOPBACK) } };
	turn = mmap(NULL, sizeof(*turn), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		    0);
	if (turn == MAP_FAILED)
		die("mmap");
	for (int i = 0; i < atoi(argv[3]); i++)
		share_one(atoi(argv[2]) + i, (enum how)how);
	return 0;
}
