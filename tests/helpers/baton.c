/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A program that connects to 127.0.0.1:PORT, and leaves the socket in the hands of another program
 * before anybody can have looked: of TARGET, a copy of this one, which says "KIND passes" or "KIND
 * fails" when it sees what has become of the connection.
 *
 *   baton KIND PORT TARGET     KIND: see kinds[]
 *
 * TARGET is started as: baton held KIND SOCKET BEGUN.  BEGUN is a pipe's end, which nobody writes
 * to any more when the connection has begun.
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
static struct sockaddr_in to;
static atomic_bool returned;

static int open_socket(int flags)
{
	int s = socket(AF_INET, SOCK_STREAM | flags, 0);

	if (s < 0)
		die("socket");
	return s;
}

static void connect_it(int s)
{
	if (connect(s, (struct sockaddr *)&to, sizeof(to)))
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

/* Until the connection is made, or refused. */
static void await_end(int s)
{
	struct pollfd p = { .fd = s, .events = POLLOUT };

	poll(&p, 1, PATIENCE_MS);
}

static int held(int s, int begun)
{
	struct sockaddr_in peer;
	socklen_t len = sizeof(peer);
	char byte;

	if (begun >= 0 && read(begun, &byte, 1))
		die("read");
	await_end(s);
	printf("%s %s\n", kind, getpeername(s, (struct sockaddr *)&peer, &len) ? "fails" :
	       "passes");
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
	{ "signalexec", do_signalexec }, { "signalclose", do_signalclose },
	{ "thread", do_thread },
};

int main(int argc, char **argv)
{
	if (argc < 4)
		return 2;
	kind = argv[1];
	if (argc == 5 && !strcmp(kind, "held")) {
		kind = argv[2];
		return held(atoi(argv[3]), atoi(argv[4]));
	}
	target = argv[3];
	to.sin_family = AF_INET;
	to.sin_port = htons((uint16_t)atoi(argv[2]));
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(kind, kinds[i].name)) {
			kinds[i].run();
			return 0;
		}
	return 2;
}
