/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sends datagrams whose destination stands behind a source route.  Any user may do that in IPv6; in
 * IPv4 it takes CAP_NET_RAW.
 *
 *   source_route PLACES VIA DESTINATION PORT [PLAIN]
 *
 * First PLAIN datagrams go to VIA without a route, then one goes to DESTINATION by way of VIA, all
 * of one socket.  PLACES: how many places the route has (IPv6); each is VIA, but the last.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "programs.h"

#define PLACES_MAX 127
#define LOOSE_ROUTE 131
#define SEGMENTS 4

static void route_four(int fd, const struct in_addr *via)
{
	uint8_t option[8] = { LOOSE_ROUTE, 7, 4 };

	memcpy(option + 3, via, sizeof(*via));
	if (setsockopt(fd, IPPROTO_IP, IP_OPTIONS, option, sizeof(option)))
		die("IP_OPTIONS");
}

static void route_six(int fd, int places, const struct in6_addr *via)
{
	struct {
		uint8_t next, len, type, left, last, flags, tag[2];
		struct in6_addr place[PLACES_MAX];
	} h = { .type = SEGMENTS };

	h.len = (uint8_t)(places * 2);
	h.left = h.last = (uint8_t)(places - 1);
	for (int i = 0; i < places; i++)
		h.place[i] = *via;
	if (setsockopt(fd, IPPROTO_IPV6, IPV6_RTHDR, &h, (socklen_t)(8 + 16 * places)))
		die("IPV6_RTHDR");
}

static void send_to(int fd, int family, const void *address, int port)
{
	struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port) };
	struct sockaddr_in four = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	ssize_t n;

	if (family == AF_INET)
		memcpy(&four.sin_addr, address, sizeof(four.sin_addr));
	else
		memcpy(&six.sin6_addr, address, sizeof(six.sin6_addr));
	n = family == AF_INET ? sendto(fd, "routed", 6, 0, (void *)&four, sizeof(four)) :
				sendto(fd, "routed", 6, 0, (void *)&six, sizeof(six));
	if (n < 0)
		perror("sendto");
	usleep(100000);
}

int main(int argc, char **argv)
{
	int family, fd, places, port;
	struct in6_addr via, to;

	if (argc < 5)
		return 2;
	places = atoi(argv[1]);
	port = atoi(argv[4]);
	family = strchr(argv[2], ':') ? AF_INET6 : AF_INET;
	if (places < 1 || places > PLACES_MAX || inet_pton(family, argv[2], &via) != 1 ||
	    inet_pton(family, argv[3], &to) != 1)
		return 2;
	fd = socket(family, SOCK_DGRAM, 0);
	if (fd < 0)
		die("socket");
	for (int n = argc > 5 ? atoi(argv[5]) : 0; n > 0; n--)
		send_to(fd, family, &via, port);
	if (family == AF_INET)
		route_four(fd, (const struct in_addr *)&via);
	else
		route_six(fd, places, &via);
	send_to(fd, family, &to, port);
	return 0;
}
