/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Knocks at a port many times, each time from a socket of its own, and says what came of it.
 *
 *   knock [--udp] [--count N] [--rate N] [--wait MS] [--ports N] [--stay MS] ADDRESS PORT
 *
 * The ports are PORT and the N - 1 behind it, in turn.
 *
 * A line for each, in the order of their start:
 *
 *   SPORT RESULT MICROSECONDS
 *
 * RESULT of TCP: answered (open, or refused), silent (nothing within MS), forbidden (EPERM) or
 * failed.  RESULT of UDP, which waits for nothing: sent, forbidden or failed.  All sockets stay
 * open to the end, and MS longer.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "programs.h"

struct try {
	const char *result;	/* NULL: still waiting */
	int64_t began_us, took_us;
	unsigned int port;
};

struct knock {
	struct sockaddr_storage to;
	in_port_t *port;	/* of it, in network order */
	int first_port;
	socklen_t len;
	bool udp;
	int count, rate, wait_ms, stay_ms, ports, begun, ended;
	struct try *tries;
	struct pollfd *fds;	/* of the same indices; -1: not waiting any more */
	int *open;
	char payload[300];	/* of a datagram: more than is copied of a packet */
};

static void end(struct knock *k, int i, const char *result)
{
	k->tries[i].result = result;
	k->tries[i].took_us = now_us() - k->tries[i].began_us;
	k->fds[i].fd = -1;
	k->ended++;
}

static const char *word(const struct knock *k, int error)
{
	if (error == EPERM)
		return "forbidden";
	if (k->udp)
		return error ? "failed" : "sent";
	return error == 0 || error == ECONNREFUSED ? "answered" : "failed";
}

static void start(struct knock *k)
{
	int i = k->begun++, type = k->udp ? SOCK_DGRAM : SOCK_STREAM, rc;
	int fd = socket(k->to.ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct sockaddr_storage own;
	socklen_t len = sizeof(own);

	if (fd < 0)
		die("socket");
	k->open[i] = fd;
	*k->port = htons((uint16_t)(k->first_port + i % k->ports));
	k->tries[i].began_us = now_us();
	rc = connect(fd, (struct sockaddr *)&k->to, k->len);
	if (!rc && k->udp)
		rc = send(fd, k->payload, sizeof(k->payload), 0) < 0 ? -1 : 0;
	k->fds[i] = (struct pollfd){ .fd = fd, .events = POLLOUT };
	if (k->udp || !rc || errno != EINPROGRESS)
		end(k, i, word(k, rc ? errno : 0));
	if (!getsockname(fd, (struct sockaddr *)&own, &len))
		k->tries[i].port = ntohs(own.ss_family == AF_INET6 ?
					 ((struct sockaddr_in6 *)&own)->sin6_port :
					 ((struct sockaddr_in *)&own)->sin_port);
}

/* Collects the results of those that wait, until the next one is due. */
static void look(struct knock *k, int timeout_ms)
{
	int64_t now;

	if (poll(k->fds, (nfds_t)k->begun, timeout_ms) < 0)
		die("poll");
	now = now_us();
	for (int i = 0; i < k->begun; i++) {
		socklen_t len = sizeof(int);
		int error = 0;

		if (k->tries[i].result)
			continue;
		if (k->fds[i].revents) {
			getsockopt(k->open[i], SOL_SOCKET, SO_ERROR, &error, &len);
			end(k, i, word(k, error));
		} else if (now - k->tries[i].began_us > k->wait_ms * 1000LL) {
			end(k, i, "silent");
		}
	}
}

static void run(struct knock *k)
{
	int64_t first_us = now_us();

	while (k->ended < k->count) {
		int64_t due_us = first_us + k->begun * 1000000LL / k->rate,
			left_us = due_us - now_us();

		if (k->begun < k->count && left_us <= 0) {
			start(k);
			continue;
		}
		look(k, k->begun == k->count || left_us > 10000 ? 10 : (int)(left_us / 1000) + 1);
	}
}

static void read_address(struct knock *k, const char *address)
{
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)&k->to;
	struct sockaddr_in *four = (struct sockaddr_in *)&k->to;

	if (inet_pton(AF_INET6, address, &six->sin6_addr) == 1) {
		six->sin6_family = AF_INET6;
		k->port = &six->sin6_port;
		k->len = sizeof(*six);
	} else if (inet_pton(AF_INET, address, &four->sin_addr) == 1) {
		four->sin_family = AF_INET;
		k->port = &four->sin_port;
		k->len = sizeof(*four);
	} else {
		die(address);
	}
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "stay", required_argument, NULL, 's' },
		{ "udp", no_argument, NULL, 'u' },	  { "count", required_argument, NULL, 'c' },
		{ "rate", required_argument, NULL, 'r' }, { "wait", required_argument, NULL, 'w' },
		{ "ports", required_argument, NULL, 'p' }, { NULL, 0, NULL, 0 },
	};
	static struct knock k = {
		.count = 1, .rate = 1000, .wait_ms = 1000, .ports = 1,
	};
	struct rlimit limit = { 65536, 65536 };
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		int number = optarg ? atoi(optarg) : 0;

		if (option == 'u')
			k.udp = true;
		else if (option == '?')
			return 2;
		else
			*(option == 'c' ? &k.count : option == 'r' ? &k.rate :
			  option == 'w' ? &k.wait_ms : option == 's' ? &k.stay_ms :
			  &k.ports) = number;
	}
	if (argc - optind != 2 || k.count < 1 || k.rate < 1 || k.ports < 1)
		return 2;
	read_address(&k, argv[optind]);
	k.first_port = atoi(argv[optind + 1]);
	setrlimit(RLIMIT_NOFILE, &limit);
	k.tries = calloc((size_t)k.count, sizeof(*k.tries));
	k.fds = calloc((size_t)k.count, sizeof(*k.fds));
	k.open = calloc((size_t)k.count, sizeof(*k.open));
	if (!k.tries || !k.fds || !k.open)
		die("calloc");
	run(&k);
	for (int i = 0; i < k.count; i++)
		printf("%u %s %lld\n", k.tries[i].port, k.tries[i].result,
		       (long long)k.tries[i].took_us);
	fflush(stdout);
	usleep((useconds_t)k.stay_ms * 1000);
	return 0;
}
