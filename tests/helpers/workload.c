/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A load of short-lived processes that open connections, and an account of what they did.
 *
 *   workload [--count N] [--rate N] [--seed N] [--truth FILE] [--storm]
 *
 * The parent copies itself under sixteen names and starts N processes, RATE a second, each as one
 * of the sixteen programs and with one of the actions below; most exit at once.  Every process
 * writes a line of truth before it connects: "PID PROGRAM PROTO ADDRESS PORT".  With --storm there
 * is no pace: a few processes connect as fast as they can, N times in all.
 *
 * All goes to the loopback, where nobody need listen: a refused connection is one, too.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "programs.h"

#define FIRST_PORT 20000
#define PORTS 10000
#define STORM_PROCESSES 4

enum action { TCP4, TCP4_NONBLOCK, UDP4, TCP6, TCP6_NONBLOCK, UDP6, ACTIONS };

static const struct {
	int family, type, flags;
} actions[ACTIONS] = {
	[TCP4] = { AF_INET, SOCK_STREAM, 0 },
	[TCP4_NONBLOCK] = { AF_INET, SOCK_STREAM, SOCK_NONBLOCK },
	[UDP4] = { AF_INET, SOCK_DGRAM, 0 },
	[TCP6] = { AF_INET6, SOCK_STREAM, 0 },
	[TCP6_NONBLOCK] = { AF_INET6, SOCK_STREAM, SOCK_NONBLOCK },
	[UDP6] = { AF_INET6, SOCK_DGRAM, 0 },
};

static socklen_t address(enum action a, int port, struct sockaddr_storage *ss)
{
	struct sockaddr_in *in = (struct sockaddr_in *)ss;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ss;

	memset(ss, 0, sizeof(*ss));
	if (actions[a].family == AF_INET) {
		in->sin_family = AF_INET;
		in->sin_port = htons((uint16_t)port);
		in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		return sizeof(*in);
	}
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons((uint16_t)port);
	in6->sin6_addr = in6addr_loopback;
	return sizeof(*in6);
}

/* One line in one write: the file is opened for appending, so lines of many processes stay
 * whole. */
static void tell(int truth, const char *program, enum action a, int port)
{
	char line[512];
	int n = snprintf(line, sizeof(line), "%d %s %s %s %d\n", (int)getpid(), program,
			 actions[a].type == SOCK_STREAM ? "tcp" : "udp",
			 actions[a].family == AF_INET ? "127.0.0.1" : "::1", port);

	if (truth >= 0 && write(truth, line, (size_t)n) != n)
		die("cannot write the truth");
}

static void act(int truth, const char *program, enum action a, int port)
{
	struct sockaddr_storage ss;
	socklen_t len = address(a, port, &ss);
	int fd;

	tell(truth, program, a, port);
	fd = socket(actions[a].family, actions[a].type | actions[a].flags, 0);
	if (fd < 0)
		die("socket");
	/* It does not matter whether the connection succeeds. */
	if (!connect(fd, (struct sockaddr *)&ss, len) && actions[a].type == SOCK_DGRAM &&
	    send(fd, "x", 1, 0) < 0)
		return;
}

static void start(const char *dir, int truth, int program, enum action a, int port)
{
	char path[512], arg_truth[16], arg_action[16], arg_port[16];
	pid_t pid;

	programs_path(dir, program, path, sizeof(path));
	snprintf(arg_truth, sizeof(arg_truth), "%d", truth);
	snprintf(arg_action, sizeof(arg_action), "%d", a);
	snprintf(arg_port, sizeof(arg_port), "%d", port);
	pid = vfork();
	if (pid == 0) {
		execl(path, path, "--act", arg_truth, arg_action, arg_port, (char *)NULL);
		_exit(127);
	}
	if (pid < 0)
		die("vfork");
}

static void reap(int flags)
{
	int status;

	while (waitpid(-1, &status, flags) > 0)
		if (status)
			fprintf(stderr, "workload: a process ended with status %d\n", status);
}

static void paced(const char *dir, int truth, int count, int rate)
{
	struct timespec next;

	clock_gettime(CLOCK_MONOTONIC, &next);
	for (int i = 0; i < count; i++) {
		start(dir, truth, (int)(random() % PROGRAMS), (enum action)(random() % ACTIONS),
		      FIRST_PORT + i % PORTS);
		pace(&next, rate);
		reap(WNOHANG);
	}
	reap(0);
}

/* Without truth a line each: the number is all that counts, and writing would slow it down. */
static void storm(int count)
{
	for (int p = 0; p < STORM_PROCESSES; p++) {
		struct sockaddr_storage ss;
		socklen_t len = address(UDP4, FIRST_PORT + p, &ss);

		if (fork())
			continue;
		for (int i = p; i < count; i += STORM_PROCESSES) {
			int fd = socket(AF_INET, SOCK_DGRAM, 0);

			if (fd < 0 || connect(fd, (struct sockaddr *)&ss, len))
				die("storm");
			close(fd);
		}
		_exit(0);
	}
	reap(0);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "count", required_argument, NULL, 'c' }, { "rate", required_argument, NULL, 'r' },
		{ "seed", required_argument, NULL, 's' },
		{ "truth", required_argument, NULL, 't' },
		{ "storm", no_argument, NULL, 'S' },	   { NULL, 0, NULL, 0 },
	};
	char dir[] = "/tmp/sockledger-load.XXXXXX";
	int count = 600, rate = 300, truth = -1, option, is_storm = 0;
	unsigned int seed = 1;

	if (argc == 5 && !strcmp(argv[1], "--act")) {
		act(atoi(argv[2]), argv[0], (enum action)atoi(argv[3]), atoi(argv[4]));
		return 0;
	}
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'c')
			count = atoi(optarg);
		else if (option == 'r')
			rate = atoi(optarg);
		else if (option == 's')
			seed = (unsigned int)atoi(optarg);
		else if (option == 't')
			truth = open(optarg, O_WRONLY | O_CREAT | O_APPEND | O_TRUNC, 0644);
		else if (option == 'S')
			is_storm = 1;
		else
			return 2;
	}
	srandom(seed);
	if (is_storm) {
		storm(count);
		return 0;
	}
	if (!mkdtemp(dir))
		die("mkdtemp");
	programs_make(dir);
	paced(dir, truth, count, rate);
	programs_remove(dir);
	return 0;
}
