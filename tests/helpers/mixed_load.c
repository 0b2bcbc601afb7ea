/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The mixed load: short-lived processes that open connections in every usual way, and an account
 * of what they did.
 *
 *   mixed [--count N] [--rate N] [--seed N] [--truth FILE] [--only KIND[,KIND]...]
 *         [--programs DIR] [--linger MS]
 *
 * N processes, RATE a second, each as one of sixteen programs and of one of the kinds below; DIR
 * keeps the programs for another run; each process lives on for MS after its last connection.
 * Every connection adds a line to FILE when its call has returned, so that the account delays no
 * packet:
 *
 *   KIND PID EXE PROTO SRC SPORT DST DPORT TIME
 *
 * between tabs; PID is the process's (never a thread's), addresses are those on the wire, and TIME
 * is that of the call in microseconds since the epoch.
 *
 * The Nth connection of a run goes to port 20000 + N % 40000.  Where such a port could be another
 * connection's local one it goes to 127.odd.0.1, which no connection comes from; to ::1, the only
 * one of its kind, only the ports below.  Mostly nobody listens: a refused connection is one, too.
 */
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mixed_load.h"
#include "programs.h"

#define LISTENERS 1024
/* In the environment of the processes. */
#define LINGER "MIXED_LOAD_LINGER_MS"

/* Start no more processes; clean those up that run. */
static volatile sig_atomic_t is_stopped;

/* A process with a port that the parent listens at until the process is gone. */
struct listener {
	pid_t pid;		/* 0: free */
	int fd;
};

struct load {
	const char *dir;
	int truth, count, rate;
	bool chosen[MIXED_KINDS_MAX];
	struct listener listeners[LISTENERS];
};

static void stop(int signal)
{
	(void)signal;
	is_stopped = 1;
}

static int listen_at(const struct mixed_kind *k, unsigned int index)
{
	struct sockaddr_storage to;
	socklen_t len = mixed_destination(k, index, &to);
	int fd = socket(k->family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1;

	if (fd < 0)
		die("socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	/* If a local port took it, the connection is refused, as most are. */
	if (bind(fd, (struct sockaddr *)&to, len) || listen(fd, 1)) {
		close(fd);
		return -1;
	}
	return fd;
}

/* The kernel has completed the connection by itself; here it is only accepted and closed. */
static void stop_listening(struct load *l, pid_t pid)
{
	struct sockaddr_storage from;
	socklen_t len = sizeof(from);

	for (int i = 0; i < LISTENERS; i++) {
		struct listener *at = &l->listeners[i];
		int fd;

		if (at->pid != pid)
			continue;
		fd = accept4(at->fd, (struct sockaddr *)&from, &len, SOCK_CLOEXEC);
		if (fd >= 0)
			close(fd);
		close(at->fd);
		at->pid = 0;
	}
}

static void remember(struct load *l, pid_t pid, int fd)
{
	for (int i = 0; i < LISTENERS; i++) {
		if (!l->listeners[i].pid) {
			l->listeners[i] = (struct listener){ pid, fd };
			return;
		}
	}
	close(fd);
}

static void reap(struct load *l, int flags)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, flags)) > 0) {
		if (status)
			fprintf(stderr, "mixed: process %d ended with status %#x\n", pid, status);
		stop_listening(l, pid);
	}
}

static pid_t spawn(const struct load *l, int kind, unsigned int index)
{
	char path[512], other[512], arg_truth[16], arg_kind[16], arg_index[16];
	int program = (int)(random() % PROGRAMS);
	pid_t pid;

	programs_path(l->dir, program, path, sizeof(path));
	programs_path(l->dir, (program + 1 + (int)(random() % (PROGRAMS - 1))) % PROGRAMS, other,
		      sizeof(other));
	snprintf(arg_truth, sizeof(arg_truth), "%d", l->truth);
	snprintf(arg_kind, sizeof(arg_kind), "%d", kind);
	snprintf(arg_index, sizeof(arg_index), "%u", index);
	pid = vfork();
	if (pid == 0) {
		execl(path, path, "--act", arg_truth, arg_kind, arg_index, other, (char *)NULL);
		_exit(127);
	}
	if (pid < 0)
		die("vfork");
	return pid;
}

static void start(struct load *l, int kind, unsigned int index)
{
	const struct mixed_kind *k = &mixed_kinds[kind];
	int fd = -1;
	pid_t pid;

	if (k->listen && random() % k->listen == 0)
		fd = listen_at(k, index);
	pid = spawn(l, kind, index);
	if (fd >= 0)
		remember(l, pid, fd);
}

static void run(struct load *l)
{
	unsigned int index = 0;
	struct timespec next;

	clock_gettime(CLOCK_MONOTONIC, &next);
	for (int i = 0; i < l->count && !is_stopped; i++) {
		int kind;

		do
			kind = (int)(random() % mixed_kind_count);
		while (!l->chosen[kind]);
		start(l, kind, index);
		index += (unsigned int)mixed_kinds[kind].count;
		pace(&next, l->rate);
		reap(l, WNOHANG);
	}
	reap(l, 0);
}

/* false: one of them is no kind */
static bool choose(struct load *l, char *names)
{
	for (char *name = strtok(names, ","); name; name = strtok(NULL, ",")) {
		int kind = 0;

		while (kind < mixed_kind_count && strcmp(mixed_kinds[kind].name, name))
			kind++;
		if (kind == mixed_kind_count) {
			fprintf(stderr, "mixed: no kind '%s'\n", name);
			return false;
		}
		l->chosen[kind] = true;
	}
	return true;
}

static int usage(void)
{
	fprintf(stderr, "Usage: mixed [--count N] [--rate N] [--seed N] [--truth FILE]"
			" [--only KIND[,KIND]...]\nKinds:");
	for (int i = 0; i < mixed_kind_count; i++)
		fprintf(stderr, " %s", mixed_kinds[i].name);
	fprintf(stderr, "\n");
	return 2;
}

static bool read_options(struct load *l, int argc, char **argv)
{
	static const struct option options[] = {
		{ "count", required_argument, NULL, 'c' }, { "rate", required_argument, NULL, 'r' },
		{ "seed", required_argument, NULL, 's' },
		{ "truth", required_argument, NULL, 't' },
		{ "only", required_argument, NULL, 'o' },
		{ "programs", required_argument, NULL, 'p' },
		{ "linger", required_argument, NULL, 'l' },
		{ NULL, 0, NULL, 0 },
	};
	bool is_chosen = false;
	int option;

	srandom(1);
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'c') {
			l->count = atoi(optarg);
		} else if (option == 'r') {
			l->rate = atoi(optarg);
		} else if (option == 's') {
			srandom((unsigned int)atoi(optarg));
		} else if (option == 't') {
			l->truth = open(optarg, O_WRONLY | O_CREAT | O_APPEND | O_TRUNC, 0644);
			if (l->truth < 0)
				die(optarg);
		} else if (option == 'p') {
			l->dir = optarg;
		} else if (option == 'l') {
			if (setenv(LINGER, optarg, 1))
				die("setenv");
		} else if (option == 'o' && choose(l, optarg)) {
			is_chosen = true;
		} else {
			return false;
		}
	}
	for (int i = 0; !is_chosen && i < mixed_kind_count; i++)
		l->chosen[i] = true;
	return l->count > 0 && l->rate > 0 && optind == argc;
}

static int act(char **argv)
{
	const char *linger = getenv(LINGER);
	int rc = mixed_act(argv);

	if (linger)
		usleep((useconds_t)atoi(linger) * 1000);
	return rc;
}

int main(int argc, char **argv)
{
	static struct load load = { .truth = -1, .count = 600, .rate = 300 };
	char dir[] = "/tmp/sockledger-load.XXXXXX", first[512];
	const char *kept;

	if (argc > 5 && (!strcmp(argv[1], "--act") || !strcmp(argv[1], "--with")))
		return act(argv);
	if (!read_options(&load, argc, argv))
		return usage();
	kept = load.dir;
	if (!kept && !mkdtemp(dir))
		die("mkdtemp");
	load.dir = kept ? kept : dir;
	signal(SIGTERM, stop);
	signal(SIGINT, stop);
	programs_path(load.dir, 0, first, sizeof(first));
	if (!kept || access(first, X_OK))
		programs_make(load.dir);
	run(&load);
	if (!kept)
		programs_remove(dir);
	return is_stopped ? 1 : 0;
}
