/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The actions of one process of the mixed load.  It restarts with an exec, for a fresh
 * /proc/PID/exe.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "mixed_load.h"
#include "passing.h"
#include "programs.h"

#define FIRST_PORT 20000
#define PORTS 40000
#define PORTS_BELOW_LOCAL 12768	/* local ports are 32768 to 60999 */
#define BOUND_PORT 10000
#define BURST 20
#define LONG_S 2
#define TIMEOUT_S 3

struct act {
	const struct mixed_kind *kind;
	const char *self, *other;	/* programs */
	const char *arg_truth, *arg_kind, *arg_index;
	unsigned int index;
	int truth, given_fd;
	char lines[BURST * 256];	/* the account, written at the end */
	size_t len;
};

socklen_t mixed_destination(const struct mixed_kind *k, unsigned int index,
			    struct sockaddr_storage *to)
{
	struct sockaddr_in *in = (struct sockaddr_in *)to;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)to;
	unsigned int port = index % PORTS, round = index / PORTS * 2 + (port >= PORTS_BELOW_LOCAL);
	uint32_t address = htonl(INADDR_LOOPBACK + (round % 256 << 16));

	memset(to, 0, sizeof(*to));
	if (k->family == AF_INET) {
		in->sin_family = AF_INET;
		in->sin_port = htons((uint16_t)(FIRST_PORT + port));
		in->sin_addr.s_addr = address;
		return sizeof(*in);
	}
	in6->sin6_family = AF_INET6;
	if (k->is_mapped) {
		in6->sin6_addr.s6_addr[10] = in6->sin6_addr.s6_addr[11] = 0xff;
		memcpy(&in6->sin6_addr.s6_addr[12], &address, sizeof(address));
	} else {
		in6->sin6_addr = in6addr_loopback;
		port = index % PORTS_BELOW_LOCAL;
	}
	in6->sin6_port = htons((uint16_t)(FIRST_PORT + port));
	return sizeof(*in6);
}

/* The address on the wire; a socket that was refused has forgotten its own. */
static const char *address_text(const struct sockaddr_storage *ss, char *out, socklen_t size)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)ss;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)ss;
	struct in_addr v4 = in->sin_addr;

	if (ss->ss_family == AF_INET6) {
		if (!IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr))
			return inet_ntop(AF_INET6, &in6->sin6_addr, out, size);
		memcpy(&v4, &in6->sin6_addr.s6_addr[12], sizeof(v4));
	}
	return inet_ntop(AF_INET, &v4, out, size);
}

static void tell(struct act *a, int fd, const struct sockaddr_storage *to, int64_t time_us)
{
	struct sockaddr_storage from;
	socklen_t len = sizeof(from);
	/* The port is at the same place in both families. */
	const struct sockaddr_in *f = (struct sockaddr_in *)&from,
		*t = (const struct sockaddr_in *)to;
	bool is_six = a->kind->family == AF_INET6 && !a->kind->is_mapped;
	char dst[INET6_ADDRSTRLEN];
	int n;

	if (getsockname(fd, (struct sockaddr *)&from, &len))
		die("getsockname");
	/* All local ports were in use (EAGAIN), so nothing was sent. */
	if (!f->sin_port)
		return;
	n = snprintf(a->lines + a->len, sizeof(a->lines) - a->len,
		     "%s\t%d\t%s\t%s\t%s\t%d\t%s\t%d\t%lld\n", a->kind->name, getpid(), a->self,
		     a->kind->type & SOCK_DGRAM ? "udp" : "tcp", is_six ? "::1" : "127.0.0.1",
		     ntohs(f->sin_port), address_text(to, dst, sizeof(dst)), ntohs(t->sin_port),
		     (long long)time_us);
	if (n < 0 || (size_t)n >= sizeof(a->lines) - a->len) {
		errno = ENOBUFS;
		die("the account");
	}
	a->len += (size_t)n;
}

/* One write: the file is opened for appending, so lines of many processes stay whole. */
static void write_truth(struct act *a)
{
	if (a->truth >= 0 && a->len && write(a->truth, a->lines, a->len) != (ssize_t)a->len)
		die("cannot write the truth");
}

static int open_socket(const struct mixed_kind *k)
{
	struct timeval limit = { .tv_sec = TIMEOUT_S };
	int fd = socket(k->family, k->type, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)))
		die("socket");
	return fd;
}

static int64_t wall_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * 1000000LL + now.tv_nsec / 1000;
}

/* A connection made, or on its way, or refused by the peer or by a firewall: all the same here. */
static void check(int rc, const char *what)
{
	if (rc < 0 && errno != ECONNREFUSED && errno != EINPROGRESS && errno != ETIMEDOUT &&
	    errno != EPERM && errno != EAGAIN)
		die(what);
}

static void connect_fd(struct act *a, int fd, unsigned int index)
{
	struct sockaddr_storage to;
	socklen_t len = mixed_destination(a->kind, index, &to);
	int64_t time_us = wall_us();
	int rc = connect(fd, (struct sockaddr *)&to, len);

	check(rc, "connect");
	if (!rc && a->kind->type & SOCK_DGRAM)
		check((int)send(fd, "x", 1, 0), "send");
	tell(a, fd, &to, time_us);
}

static void sendto_fd(struct act *a, int fd, unsigned int index)
{
	struct sockaddr_storage to;
	socklen_t len = mixed_destination(a->kind, index, &to);
	int64_t time_us = wall_us();

	check((int)sendto(fd, "x", 1, 0, (struct sockaddr *)&to, len), "sendto");
	tell(a, fd, &to, time_us);
}

static void by_connect(struct act *a)
{
	for (int i = 0; i < a->kind->count; i++)
		connect_fd(a, open_socket(a->kind), a->index + (unsigned int)i);
}

static void by_sendto(struct act *a)
{
	for (int i = 0; i < a->kind->count; i++)
		sendto_fd(a, open_socket(a->kind), a->index + (unsigned int)i);
}

static void held_open(struct act *a)
{
	by_connect(a);
	/* Write the account now, so that no reader waits until the end. */
	write_truth(a);
	a->len = 0;
	sleep(LONG_S);
}

static void wait_for(pid_t pid)
{
	int status;

	if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
		die("a child failed");
}

static void in_child(struct act *a)
{
	int fd = open_socket(a->kind);
	pid_t pid = fork();

	if (pid)
		wait_for(pid);
	else
		connect_fd(a, fd, a->index);
}

static void become_other(struct act *a, int fd)
{
	char arg_fd[16];

	snprintf(arg_fd, sizeof(arg_fd), "%d", fd);
	execl(a->other, a->other, "--with", a->arg_truth, a->arg_kind, a->arg_index, arg_fd,
	      (char *)NULL);
	die(a->other);
}

static void over_exec(struct act *a)
{
	if (a->given_fd < 0)
		become_other(a, open_socket(a->kind));
	connect_fd(a, a->given_fd, a->index);
}

static void passed(struct act *a)
{
	int pair[2], fd;
	pid_t pid;

	if (a->given_fd >= 0) {
		fd = take_fd(a->given_fd);
		if (fd < 0)
			die("no socket came");
		connect_fd(a, fd, a->index);
		return;
	}
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		die("socketpair");
	pid = fork();
	if (!pid) {
		close(pair[0]);
		become_other(a, pair[1]);
	}
	if (pass_fd(pair[0], open_socket(a->kind)))
		die("sendmsg");
	wait_for(pid);
}

static void bound(struct act *a)
{
	int port = BOUND_PORT + a->index % BOUND_PORT;
	struct sockaddr_in own = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	int fd = open_socket(a->kind), on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&own, sizeof(own)))
		die("bind");
	connect_fd(a, fd, a->index);
}

static void *work(void *arg)
{
	by_connect(arg);
	return NULL;
}

static void in_thread(struct act *a)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, work, a) || pthread_join(thread, NULL))
		die("pthread");
}

const struct mixed_kind mixed_kinds[] = {
	{ "tcp", AF_INET, SOCK_STREAM, false, 1, 4, by_connect },
	{ "tcp-nonblock", AF_INET, SOCK_STREAM | SOCK_NONBLOCK, false, 1, 0, by_connect },
	{ "udp", AF_INET, SOCK_DGRAM, false, 1, 0, by_connect },
	{ "udp-sendto", AF_INET, SOCK_DGRAM, false, 1, 0, by_sendto },
	{ "tcp-long", AF_INET, SOCK_STREAM, false, 1, 1, held_open },
	{ "child", AF_INET, SOCK_STREAM, false, 1, 4, in_child },
	{ "exec", AF_INET, SOCK_STREAM, false, 1, 4, over_exec },
	{ "passed", AF_INET, SOCK_STREAM, false, 1, 4, passed },
	{ "bound", AF_INET, SOCK_STREAM, false, 1, 4, bound },
	{ "burst-tcp", AF_INET, SOCK_STREAM | SOCK_NONBLOCK, false, BURST, 0, by_connect },
	{ "burst-udp", AF_INET, SOCK_DGRAM, false, BURST, 0, by_sendto },
	{ "thread", AF_INET, SOCK_STREAM, false, 1, 4, in_thread },
	{ "thread-gone", AF_INET, SOCK_DGRAM, false, 1, 0, in_thread },
	{ "tcp6", AF_INET6, SOCK_STREAM, false, 1, 4, by_connect },
	{ "udp6", AF_INET6, SOCK_DGRAM, false, 1, 0, by_sendto },
	{ "mapped", AF_INET6, SOCK_STREAM, true, 1, 4, by_connect },
	{ "mapped-udp", AF_INET6, SOCK_DGRAM, true, 1, 0, by_sendto },
};
const int mixed_kind_count = sizeof(mixed_kinds) / sizeof(mixed_kinds[0]);

int mixed_act(char **argv)
{
	bool is_second = !strcmp(argv[1], "--with");
	int kind = atoi(argv[3]);
	static struct act a;

	if (kind < 0 || kind >= mixed_kind_count)
		return 2;
	a.kind = &mixed_kinds[kind];
	a.self = argv[0];
	a.other = argv[5];
	a.arg_truth = argv[2];
	a.arg_kind = argv[3];
	a.arg_index = argv[4];
	a.truth = atoi(a.arg_truth);
	a.index = (unsigned int)strtoul(a.arg_index, NULL, 10);
	a.given_fd = is_second ? atoi(argv[5]) : -1;
	a.kind->act(&a);
	write_truth(&a);
	return 0;
}
