/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two ends that tell whether packets pass:
 *
 *   talker listen PORT...   answers "ok" at these ports, over TCP and UDP, IPv4 and IPv6; says
 *                           "ready" when it does
 *   talker ask PROTO ADDRESS PORT [FROM]
 *                           says "passes", "rejected", or "denied" after 0.7 s
 *   talker ping ADDRESS     the same, by an ICMP echo request
 *   talker join GROUP       joins that multicast group for a second
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "helper.h"

#define PORTS 32
#define WAIT_MS 1000

static int open_at(int type, const char *port)
{
	struct sockaddr_in6 at = { .sin6_family = AF_INET6,
				   .sin6_port = htons((uint16_t)atoi(port)) };
	int fd = socket(AF_INET6, type, 0), on = 1, off = 0;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
	    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) ||
	    setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on)) ||
	    bind(fd, (struct sockaddr *)&at, sizeof(at)) ||
	    (type == SOCK_STREAM && listen(fd, 16)))
		die(port);
	return fd;
}

static void answer(int fd, bool stream)
{
	struct sockaddr_storage from;
	char buf[64], control[128];
	struct iovec io = { buf, sizeof(buf) };
	struct msghdr m = { .msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &io,
			    .msg_iovlen = 1, .msg_control = control,
			    .msg_controllen = sizeof(control) };

	if (stream) {
		int peer = accept(fd, NULL, NULL);

		if (write(peer, "ok", 2) != 2)
			perror("talker: write");
		close(peer);
	} else if (recvmsg(fd, &m, 0) >= 0) {
		/* From the address that was asked: which one that was comes with the question. */
		memcpy(buf, "ok", 2);
		io.iov_len = 2;
		sendmsg(fd, &m, 0);
	}
}

static void listens(int count, char **ports)
{
	struct pollfd all[2 * PORTS];

	for (int i = 0; i < 2 * count; i++)
		all[i] = (struct pollfd){ .fd = open_at(i & 1 ? SOCK_DGRAM : SOCK_STREAM,
							ports[i / 2]), .events = POLLIN };
	puts("ready");
	fflush(stdout);
	while (poll(all, 2 * (nfds_t)count, -1) >= 0)
		for (int i = 0; i < 2 * count; i++)
			if (all[i].revents)
				answer(all[i].fd, !(i & 1));
}

static socklen_t place(struct sockaddr_storage *s, const char *address, const char *port)
{
	struct sockaddr_in *four = (struct sockaddr_in *)s;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)s;

	memset(s, 0, sizeof(*s));
	four->sin_port = htons((uint16_t)atoi(port));
	s->ss_family = strchr(address, ':') ? AF_INET6 : AF_INET;
	if (inet_pton(s->ss_family, address, s->ss_family == AF_INET ?
		      (void *)&four->sin_addr : (void *)&six->sin6_addr) != 1)
		die(address);
	return s->ss_family == AF_INET ? sizeof(*four) : sizeof(*six);
}

static bool waits_for(int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events };

	return poll(&p, 1, WAIT_MS) == 1;
}

static const char *asks(const char *protocol, const char *address, const char *port,
			const char *from)
{
	bool stream = !strcmp(protocol, "tcp");
	struct sockaddr_storage to, at;
	socklen_t len = place(&to, address, port), size = sizeof(int);
	int fd = socket(to.ss_family, (stream ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK, 0);
	int error = 0;
	char buf[8];

	if (fd < 0)
		die("socket");
	if (from && bind(fd, (struct sockaddr *)&at, place(&at, from, "0")))
		die(from);
	if (connect(fd, (struct sockaddr *)&to, len) && errno != EINPROGRESS)
		return "rejected";
	if (stream) {
		if (!waits_for(fd, POLLOUT))
			return "denied";
		getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
		if (error)
			return "rejected";
	} else if (send(fd, "?", 1, MSG_NOSIGNAL) != 1) {
		return "rejected";
	}
	if (!waits_for(fd, POLLIN))
		return "denied";
	return recv(fd, buf, sizeof(buf), 0) == 2 ? "passes" : "rejected";
}

static const char *pings(const char *address)
{
	static const unsigned char request[] = { 8, 0, 0xf7, 0xfe, 0, 0, 0, 1 };
	unsigned char answer[256];
	struct sockaddr_storage to;
	socklen_t len = place(&to, address, "0");
	int fd = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);

	if (fd < 0)
		die("socket");
	if (sendto(fd, request, sizeof(request), 0, (struct sockaddr *)&to, len) < 0)
		return "rejected";
	while (waits_for(fd, POLLIN))
		if (recv(fd, answer, sizeof(answer), 0) >= 28 && answer[20] == 0)
			return "passes";
	return "denied";
}

static void joins(const char *group)
{
	struct ip_mreq m = { .imr_interface.s_addr = INADDR_ANY };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (inet_pton(AF_INET, group, &m.imr_multiaddr) != 1 || fd < 0 ||
	    setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &m, sizeof(m)))
		die(group);
	sleep(1);
}

int main(int argc, char **argv)
{
	if (argc > 2 && argc - 2 <= PORTS && !strcmp(argv[1], "listen"))
		listens(argc - 2, argv + 2);
	else if ((argc == 5 || argc == 6) && !strcmp(argv[1], "ask"))
		puts(asks(argv[2], argv[3], argv[4], argv[5]));
	else if (argc == 3 && !strcmp(argv[1], "ping"))
		puts(pings(argv[2]));
	else if (argc == 3 && !strcmp(argv[1], "join"))
		joins(argv[2]);
	else
		return 2;
	return 0;
}
