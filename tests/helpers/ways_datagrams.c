/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ways of datagrams that are no plain ones: see ways.c. */
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "programs.h"
#include "ways.h"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

static const struct sockaddr *any(const void *address)
{
	return address;
}

/* Larger than the path takes: its parts are one datagram, and one row. */
int way_fragments(const struct target *t)
{
	static char bytes[4000];
	int fd = way_socket(AF_INET, SOCK_DGRAM, 0), never = IP_PMTUDISC_DONT;

	if (setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &never, sizeof(never)))
		die("IP_MTU_DISCOVER");
	way_is_mine();
	return sendto(fd, bytes, sizeof(bytes), 0, any(&t->to), sizeof(t->to)) < 0;
}

/* Many at once, which the kernel cuts apart, as QUIC sends them. */
int way_burst(const struct target *t)
{
	static char bytes[20000];
	int fd = way_socket(AF_INET, SOCK_DGRAM, 0), size = 1200;

	if (setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &size, sizeof(size)))
		return way_is_missing() ? WAY_NONE : 1;
	way_is_mine();
	if (connect(fd, any(&t->to), sizeof(t->to)))
		die("connect");
	for (int i = 0; i < 5; i++)
		if (send(fd, bytes, sizeof(bytes), 0) < 0 && errno != ECONNREFUSED)
			die("send");
	return 0;
}

/* A host has no address yet (DHCP): the interface is all that there is to go by. */
int way_no_address(const struct target *t)
{
	struct sockaddr_in own = { .sin_family = AF_INET, .sin_port = htons(68) };
	const struct timeval wait = { .tv_usec = 200000 };
	int fd = way_socket(AF_INET, SOCK_DGRAM, 0), on = 1;
	char byte;

	if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "veth1", 6) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) ||
	    setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof(on)) ||
	    bind(fd, any(&own), sizeof(own)))
		die("veth1");
	way_is_mine();
	if (sendto(fd, WAY_BYTES, sizeof(WAY_BYTES), 0, any(&t->to), sizeof(t->to)) < 0)
		die("sendto");
	/* It waits for an answer: there is no lookup of a route to go by, but the socket. */
	recv(fd, &byte, 1, 0);
	return 0;
}

/* From one of several addresses, and two questions before any answer, as libc's resolver asks for
 * A and AAAA. */
int way_bound(const struct target *t)
{
	struct sockaddr_in own = t->other;
	int fd = way_socket(AF_INET, SOCK_DGRAM, 0);

	own.sin_port = 0;
	way_is_mine();
	if (bind(fd, any(&own), sizeof(own)) || connect(fd, any(&t->to), sizeof(t->to)))
		die("bind and connect");
	for (int i = 0; i < 2; i++)
		if (send(fd, WAY_BYTES, sizeof(WAY_BYTES), 0) < 0 && errno != ECONNREFUSED)
			die("send");
	return 0;
}

/* An IPv6 socket to an IPv4 address. */
int way_mapped(const struct target *t)
{
	struct sockaddr_in6 to = { .sin6_family = AF_INET6, .sin6_port = t->to.sin_port };
	int fd = way_socket(AF_INET6, SOCK_STREAM, 0);

	to.sin6_addr.s6_addr[10] = to.sin6_addr.s6_addr[11] = 0xff;
	memcpy(to.sin6_addr.s6_addr + 12, &t->to.sin_addr, sizeof(t->to.sin_addr));
	way_is_mine();
	if (connect(fd, any(&to), sizeof(to)) && errno != ECONNREFUSED)
		die("connect");
	return 0;
}
