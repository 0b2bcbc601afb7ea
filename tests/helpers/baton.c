/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A program that connects to 127.0.0.1:PORT, or sends a datagram there, and leaves the socket in
 * the hands of another program before anybody can have looked: of TARGET, a copy of this one, which
 * says "KIND passes" or "KIND fails" when it sees what has become of that.
 *
 *   baton KIND PORT TARGET     KIND: see kinds[]; with "udp" before it, or "udpto" where the socket
 *                              is not connected, the same of a datagram, which is to be answered
 *
 * TARGET is started as: baton held KIND SOCKET BEGUN.  BEGUN is a pipe's end, which nobody writes
 * to any more when it has begun.  SOCKET -1: it comes by BEGUN, which is a Unix socket then.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "helper.h"

#define PATIENCE_MS 20000
#define INTERRUPT_US 150

static const char *kind, *target;
static bool datagram, connected;
static struct sockaddr_in to;
static atomic_bool returned;

static int open_socket(int flags)
{
	int s = socket(AF_INET, (datagram ? SOCK_DGRAM : SOCK_STREAM) | flags, 0), on = 1;

	/* That a datagram was refused is told. */
	if (s < 0 || (datagram && setsockopt(s, IPPROTO_IP, IP_RECVERR, &on, sizeof(on))))
		die("socket");
	return s;
}

static void send_it(int s)
{
	if (connected && connect(s, (struct sockaddr *)&to, sizeof(to)))
		die("connect");
	if (sendto(s, "hello", 5, 0, connected ? NULL : (struct sockaddr *)&to,
		   connected ? 0 : sizeof(to)) != 5)
		die("sendto");
}

static void connect_it(int s)
{
	if (datagram)
		send_it(s);
	else if (connect(s, (struct sockaddr *)&to, sizeof(to)))
		atomic_store(&returned, true);
}

__attribute__((noreturn)) static void become_target(int s, int begun)
{
	char fd[2][16];

	snprintf(fd[0], sizeof(fd[0]), "%d", s);
	snprintf(fd[1], sizeof(fd[1]), "%d", begun);
	execl(target, target, "held", kind, fd[0], fd[1], (char *)NULL);
	_exit(2);
}

static void make_pipe(int end[2])
{
	if (pipe(end) || fcntl(end[0], F_SETFD, FD_CLOEXEC) || fcntl(end[1], F_SETFD, FD_CLOEXEC))
		die("pipe");
}

/* A child that is the target by now, and holds the socket.  Returns what to close when the
 * connection has begun. */
static int start_target(int s)
{
	int begun[2], is_target[2];
	char byte;

	make_pipe(begun);
	make_pipe(is_target);
	if (!fork()) {
		fcntl(begun[0], F_SETFD, 0);
		become_target(s, begun[0]);
	}
	close(is_target[1]);
	close(begun[0]);
	if (read(is_target[0], &byte, 1))
		die("read");
	close(is_target[0]);
	return begun[1];
}

/* Until the connection is made, or the datagram answered, or either refused. */
static void await_end(int s)
{
	struct pollfd p = { .fd = s, .events = datagram ? POLLIN : POLLOUT };

	poll(&p, 1, PATIENCE_MS);
}

union passed {
	struct cmsghdr head;
	char room[CMSG_SPACE(sizeof(int))];
};

static int receive_socket(int from)
{
	union passed passed;
	char byte;
	struct iovec io = { &byte, 1 };
	struct msghdr m = { .msg_iov = &io, .msg_iovlen = 1, .msg_control = &passed,
			    .msg_controllen = sizeof(passed) };
	int s;

	if (recvmsg(from, &m, 0) != 1 || !CMSG_FIRSTHDR(&m))
		die("recvmsg");
	memcpy(&s, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(s));
	return s;
}

static void pass_socket(int by, int s)
{
	union passed passed = { .head = { CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS } };
	char byte = 0;
	struct iovec io = { &byte, 1 };
	struct msghdr m = { .msg_iov = &io, .msg_iovlen = 1, .msg_control = &passed,
			    .msg_controllen = sizeof(passed) };

	memcpy(CMSG_DATA(&passed.head), &s, sizeof(s));
	if (sendmsg(by, &m, 0) != 1)
		die("sendmsg");
}

static bool has_passed(int s)
{
	struct sockaddr_in peer;
	socklen_t len = sizeof(peer);
	char buf[16];

	return datagram ? recv(s, buf, sizeof(buf), MSG_DONTWAIT) > 0 :
			  !getpeername(s, (struct sockaddr *)&peer, &len);
}

static int held(int s, int begun)
{
	char byte;

	if (s < 0)
		s = receive_socket(begun);
	else if (begun >= 0 && read(begun, &byte, 1))
		die("read");
	await_end(s);
	printf("%s %s\n", kind, has_passed(s) ? "passes" : "fails");
	return 0;
}

/* It becomes the target itself. */
static void do_exec(void)
{
	int s = open_socket(SOCK_NONBLOCK);

	connect_it(s);
	become_target(s, -1);
}

/* Its child is the target, and it lets go of the socket. */
static void do_close(void)
{
	int s = open_socket(SOCK_NONBLOCK), begun = start_target(s);

	connect_it(s);
	close(s);
	close(begun);
}

/* Likewise, and it is gone. */
static void do_exit(void)
{
	int s = open_socket(SOCK_NONBLOCK);

	start_target(s);
	connect_it(s);
	_exit(0);
}

/* Likewise, but it keeps the socket. */
static void do_keep(void)
{
	int s = open_socket(SOCK_NONBLOCK), begun = start_target(s);

	connect_it(s);
	close(begun);
	await_end(s);
}

/* Its child, which is the target already, gets the socket as soon as it has begun. */
static void do_pass(void)
{
	int end[2], is_target[2], s;
	char byte;

	make_pipe(is_target);
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, end))
		die("socketpair");
	if (!fork())
		become_target(-1, end[1]);
	close(is_target[1]);
	if (read(is_target[0], &byte, 1))
		die("read");
	s = open_socket(SOCK_NONBLOCK);
	connect_it(s);
	pass_socket(end[0], s);
}

static void on_alarm(int number) { (void)number; }

/* A call that waits, until a signal comes. */
static void connect_interrupted(int s)
{
	struct sigaction on = { .sa_handler = on_alarm };
	struct itimerval soon = { .it_value.tv_usec = INTERRUPT_US };

	sigaction(SIGALRM, &on, NULL);
	setitimer(ITIMER_REAL, &soon, NULL);
	connect_it(s);
}

static void do_signalexec(void)
{
	int s = open_socket(0);

	connect_interrupted(s);
	become_target(s, -1);
}

static void do_signalclose(void)
{
	int s = open_socket(0), begun = start_target(s);

	connect_interrupted(s);
	close(s);
	close(begun);
}

static void *connect_thread(void *arg)
{
	connect_it(*(int *)arg);
	return NULL;
}

static bool has_begun(int s)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);

	if (getsockopt(s, IPPROTO_TCP, TCP_INFO, &info, &len))
		die("TCP_INFO");
	return info.tcpi_state != TCP_CLOSE || atomic_load(&returned);
}

/* One thread waits in connect(), until another one executes the target. */
static void do_thread(void)
{
	int s = open_socket(0);
	pthread_t thread;

	pthread_create(&thread, NULL, connect_thread, &s);
	while (!has_begun(s))
		;
	become_target(s, -1);
}

static const struct {
	const char *name;
	void (*run)(void);
} kinds[] = {
	{ "exec", do_exec }, { "close", do_close }, { "exit", do_exit }, { "keep", do_keep },
	{ "pass", do_pass }, { "signalexec", do_signalexec }, { "signalclose", do_signalclose },
	{ "thread", do_thread },
};

/* The way is behind what it says of the socket. */
static const char *read_kind(const char *name)
{
	datagram = !strncmp(name, "udp", 3);
	connected = datagram && strncmp(name, "udpto", 5) != 0;
	return name + (connected ? 3 : datagram ? 5 : 0);
}

int main(int argc, char **argv)
{
	const char *way;

	if (argc < 4)
		return 2;
	kind = argv[1];
	if (argc == 5 && !strcmp(kind, "held")) {
		kind = argv[2];
		read_kind(kind);
		return held(atoi(argv[3]), atoi(argv[4]));
	}
	target = argv[3];
	way = read_kind(kind);
	to.sin_family = AF_INET;
	to.sin_port = htons((uint16_t)atoi(argv[2]));
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(way, kinds[i].name)) {
			kinds[i].run();
			return 0;
		}
	return 2;
}
