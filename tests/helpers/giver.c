/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sockets that one process opens and another one uses; each line of the output is the truth about a
 * connection: PORT PID, in the order of their packets.  COUNT ports from FIRST on, the loopback's
 * PORT.
 *
 *   giver fork FIRST COUNT PORT    connects a UDP socket; its child sends
 *   giver pass FIRST COUNT PORT    likewise; who it is passed to (SCM_RIGHTS) sends
 *   giver shared PORT COUNT        listens; two processes accept in turn: the first asks for no
 *                                  address, and so leaves no record, the second one does
 *   giver client ADDRESS PORT FIRST COUNT    connects from each port in turn, twice
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "helper.h"
#include "passing.h"

static struct sockaddr_in place(const char *address, int port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };

	inet_pton(AF_INET, address, &a.sin_addr);
	return a;
}

static int open_at(int type, const char *address, int port)
{
	struct sockaddr_in a = place(address, port);
	int fd = socket(AF_INET, type, 0), on = 1;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
	    bind(fd, (struct sockaddr *)&a, sizeof(a)))
		die("bind");
	return fd;
}

static void send_on(int fd, int port)
{
	printf("%d %d\n", port, getpid());
	fflush(stdout);
	if (send(fd, "given", 5, MSG_NOSIGNAL) < 0 && errno != ECONNREFUSED)
		die("send");
	nap_ms(20);
}

/* The giver goes on to other things: a send by another socket. */
static void give_all(int first, int count, int port, bool by_fork)
{
	struct sockaddr_in to = place("127.0.0.1", port), other = place("127.0.0.1", port + 1);
	int pair[2], elsewhere = socket(AF_INET, SOCK_DGRAM, 0), fd;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair))
		die("socketpair");
	if (!by_fork && !fork()) {
		close(pair[0]);
		for (int i = 0; (fd = take_fd(pair[1])) >= 0; i++)
			send_on(fd, first + i);
		_exit(0);
	}
	close(pair[1]);
	for (int i = 0; i < count; i++) {
		fd = open_at(SOCK_DGRAM, "127.0.0.1", first + i);
		if (connect(fd, (struct sockaddr *)&to, sizeof(to)))
			die("connect");
		if (by_fork && !fork()) {
			send_on(fd, first + i);
			_exit(0);
		}
		if (by_fork)
			sendto(elsewhere, "x", 1, 0, (struct sockaddr *)&other, sizeof(other));
		else if (pass_fd(pair[0], fd))
			die("pass");
		nap_ms(40);
		/* It keeps the socket. */
	}
	close(pair[0]);
	while (wait(NULL) > 0)
		;
}

static void accept_one(int listener, bool asks)
{
	struct sockaddr_in peer;
	socklen_t len = sizeof(peer);
	int fd = asks ? accept(listener, (struct sockaddr *)&peer, &len) :
			accept(listener, NULL, NULL);

	if (fd < 0 || getpeername(fd, (struct sockaddr *)&peer, &len))
		die("accept");
	printf("%d %d\n", ntohs(peer.sin_port), getpid());
	fflush(stdout);
	send(fd, "x", 1, MSG_NOSIGNAL);
	/* Until the other side is gone. */
	recv(fd, &peer, sizeof(peer), 0);
	close(fd);
}

/* In turn, by a byte in a pipe. */
static void accept_in_turn(int port, int count)
{
	int listener = open_at(SOCK_STREAM, "0.0.0.0", port), mine[2], yours[2];
	bool asks;
	char byte = 'x';

	if (listen(listener, 8) || pipe(mine) || pipe(yours))
		die("listen");
	asks = fork() == 0;
	for (int i = 0; i < count; i++) {
		if ((asks || i) && read(asks ? yours[0] : mine[0], &byte, 1) != 1)
			die("turn");
		accept_one(listener, asks);
		if (write(asks ? mine[1] : yours[1], &byte, 1) != 1)
			die("turn");
	}
	if (!asks)
		wait(NULL);
}

/* The first connection of a port ends by a reset, so that its tuple is free at once. */
static void connect_all(const char *address, int port, int first, int count)
{
	struct sockaddr_in to = place(address, port);
	struct linger now = { 1, 0 };
	char byte;

	for (int i = 0; i < 2 * count; i++) {
		int fd = open_at(SOCK_STREAM, "0.0.0.0", first + i / 2);

		setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
		if (connect(fd, (struct sockaddr *)&to, sizeof(to)))
			die("connect");
		recv(fd, &byte, 1, 0);
		nap_ms(i % 2 ? 50 : 5);
		close(fd);
	}
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (argc == 5 && (!strcmp(what, "fork") || !strcmp(what, "pass")))
		give_all(atoi(argv[2]), atoi(argv[3]), atoi(argv[4]), !strcmp(what, "fork"));
	else if (argc == 4 && !strcmp(what, "shared"))
		accept_in_turn(atoi(argv[2]), atoi(argv[3]));
	else if (argc == 6 && !strcmp(what, "client"))
		connect_all(argv[2], atoi(argv[3]), atoi(argv[4]), atoi(argv[5]));
	else
		return 2;
	return 0;
}
