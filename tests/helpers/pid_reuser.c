/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Numbers that are used again: processes one after the other that are given the same pid
 * (clone3(2), set_tid), run two programs in turn, and connect from the same few local ports.
 *
 *   reuser DIR ROUNDS TRUTH    DIR: where its programs are: a and b, copies of this one
 *   reuser step MS FOR_MS      no process: the clock is put forward, and back again
 *
 * Each call adds a line to TRUTH: KIND PID EXE PROTO SRC SPORT DST DPORT TIME, between tabs.
 * Rounds go to port 20000 + round, those of kind "again" all to one.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "helper.h"

#define FIRST_PORT 42000
#define PORTS 6
#define TO_PORT 20000
#define AGAIN_PORT 19000
#define PIDS 3

enum { EXECS_BEFORE = 1, EXECS_BEHIND = 2, AGAIN = 4, IS_AUTO = 8 };

static const struct kind {
	const char *name;
	int family, type, how;
	bool connects;
} kinds[] = {
	{ "tcp", AF_INET, SOCK_STREAM, 0, true },
	{ "tcp-nonblock", AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0, true },
	{ "tcp6", AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, 0, true },
	{ "tcp-auto", AF_INET, SOCK_STREAM | SOCK_NONBLOCK, IS_AUTO, true },
	{ "tcp6-auto", AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, IS_AUTO, true },
	{ "udp", AF_INET, SOCK_DGRAM, 0, true },
	{ "udp-sendto", AF_INET, SOCK_DGRAM, 0, false },
	{ "udp6-sendto", AF_INET6, SOCK_DGRAM, 0, false },
	{ "exec", AF_INET, SOCK_STREAM | SOCK_NONBLOCK, EXECS_BEFORE, true },
	{ "become", AF_INET, SOCK_STREAM | SOCK_NONBLOCK, EXECS_BEHIND, true },
	{ "become-udp", AF_INET, SOCK_DGRAM, EXECS_BEHIND, false },
	{ "again", AF_INET, SOCK_STREAM | SOCK_NONBLOCK, AGAIN, true },
};
#define KINDS (int)(sizeof(kinds) / sizeof(kinds[0]))

static socklen_t loopback(struct sockaddr_storage *s, int family, int port)
{
	struct sockaddr_in *four = (struct sockaddr_in *)s;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)s;

	memset(s, 0, sizeof(*s));
	s->ss_family = (sa_family_t)family;
	four->sin_port = htons((uint16_t)port);		/* at the same place in both */
	if (family == AF_INET)
		four->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	else
		six->sin6_addr = in6addr_loopback;
	return family == AF_INET ? sizeof(*four) : sizeof(*six);
}

static int open_socket(const struct kind *k, int round)
{
	struct sockaddr_storage from;
	int from_port = k->how & AGAIN ? FIRST_PORT + PORTS : FIRST_PORT + round / KINDS % PORTS,
		on = 1;
	socklen_t len = loopback(&from, k->family, from_port);
	int fd = socket(k->family, k->type, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
	    (!(k->how & IS_AUTO) && bind(fd, (struct sockaddr *)&from, len)))
		die("socket");
	return fd;
}

static void tell(const struct kind *k, int fd, int to_port, int truth, const char *self,
		 int64_t time_us)
{
	struct sockaddr_storage from;
	socklen_t len = sizeof(from);
	const char *host = k->family == AF_INET ? "127.0.0.1" : "::1";
	char line[600];
	int n;

	if (getsockname(fd, (struct sockaddr *)&from, &len))
		die("getsockname");
	n = snprintf(line, sizeof(line), "%s\t%d\t%s\t%s\t%s\t%d\t%s\t%d\t%lld\n", k->name,
		     getpid(), self,
		     k->type & SOCK_NONBLOCK || k->type == SOCK_STREAM ? "tcp" : "udp", host,
		     ntohs(((struct sockaddr_in *)&from)->sin_port), host, to_port,
		     (long long)time_us);
	if (write(truth, line, (size_t)n) != n)
		die("the truth");
}

/* self, "act", KIND, ROUND, TRUTH, OTHER[, FD] */
static int act(char **argv, bool has_fd)
{
	const struct kind *k = &kinds[atoi(argv[2])];
	int round = atoi(argv[3]), truth = atoi(argv[4]),
		fd = has_fd ? atoi(argv[6]) : open_socket(k, round);
	int to_port = k->how & AGAIN ? AGAIN_PORT : TO_PORT + round;
	struct sockaddr_storage to;
	socklen_t len = loopback(&to, k->family, to_port);
	struct timespec now;
	char number[16];

	if (k->how & EXECS_BEFORE && !has_fd) {
		snprintf(number, sizeof(number), "%d", fd);
		execl(argv[5], argv[5], "act", argv[2], argv[3], argv[4], argv[0], number,
		      (char *)NULL);
		die("exec");
	}
	clock_gettime(CLOCK_REALTIME, &now);
	if (k->connects)
		connect(fd, (struct sockaddr *)&to, len);
	if (k->type == SOCK_DGRAM)
		sendto(fd, "x", 1, 0, k->connects ? NULL : (struct sockaddr *)&to,
		       k->connects ? 0 : len);
	if (k->how & EXECS_BEHIND) {
		snprintf(number, sizeof(number), "%d", fd);
		/* The other program writes the account, so that no process comes between. */
		execl(argv[5], argv[5], "tell", argv[2], argv[3], argv[4], argv[0], number,
		      (char *)NULL);
		die("exec");
	}
	tell(k, fd, to_port, truth, argv[0], now.tv_sec * 1000000LL + now.tv_nsec / 1000);
	return 0;
}

/* A pid that is free, and not near those to come. */
static pid_t start(pid_t pid)
{
	pid_t tids[] = { pid };
	struct clone_args args = { .exit_signal = SIGCHLD, .set_tid = (uint64_t)(uintptr_t)tids,
				   .set_tid_size = 1 };

	return (pid_t)syscall(SYS_clone3, &args, sizeof(args));
}

static pid_t free_pid(pid_t pid)
{
	while (!kill(pid, 0))
		pid++;
	return pid;
}

static int step(int64_t ms)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	now.tv_sec += ms / 1000;
	return clock_settime(CLOCK_REALTIME, &now);
}

static int step_and_back(int ms, int for_ms)
{
	if (step(ms))
		return 1;
	nap_ms(for_ms);
	return step(-ms) ? 1 : 0;
}

int main(int argc, char **argv)
{
	char path[2][300], kind[16], number[16], truth[16];
	pid_t pids[PIDS], at = (getpid() + 12000) % 20000 + 2000;
	int rounds, file, kept = 0;

	if (argc >= 7 && !strcmp(argv[1], "tell")) {
		tell(&kinds[atoi(argv[2])], atoi(argv[6]), TO_PORT + atoi(argv[3]), atoi(argv[4]),
		     argv[5], 0);
		return 0;
	}
	if (argc >= 6 && !strcmp(argv[1], "act"))
		return act(argv, argc > 6);
	if (argc != 4)
		return 2;
	if (!strcmp(argv[1], "step"))
		return step_and_back(atoi(argv[2]), atoi(argv[3]));
	rounds = atoi(argv[2]);
	file = open(argv[3], O_WRONLY | O_CREAT | O_APPEND | O_TRUNC, 0644);
	if (file < 0)
		die(argv[3]);
	snprintf(path[0], sizeof(path[0]), "%s/a", argv[1]);
	snprintf(path[1], sizeof(path[1]), "%s/b", argv[1]);
	snprintf(truth, sizeof(truth), "%d", file);
	for (int i = 0; i < PIDS; i++)
		pids[i] = at = free_pid(at + 1);
	for (int round = 0; round < rounds; round++) {
		/* So that each kind comes with each pid, and from each program to the other. */
		int mine = (round / KINDS + round) & 1;
		pid_t want = pids[round / 2 % PIDS], pid = start(want);

		if (pid < 0 && errno == EEXIST)
			pid = fork();
		if (pid < 0)
			die("clone3");
		if (!pid) {
			snprintf(kind, sizeof(kind), "%d", round % KINDS);
			snprintf(number, sizeof(number), "%d", round);
			execl(path[mine], path[mine], "act", kind, number, truth, path[!mine],
			      (char *)NULL);
			die("exec");
		}
		kept += pid == want;
		waitpid(pid, NULL, 0);
	}
	printf("%d of %d rounds had one of %d pids\n", kept, rounds, PIDS);
	return 0;
}
