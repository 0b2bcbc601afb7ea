/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sends datagrams of one socket, or counts and answers those that come.
 *
 *   datagrams [--from ADDRESS:PORT] [--source ADDRESS] [--device NAME] [--mark N] [--connect]
 *             [--every MS] [--stay MS] [--lite | --raw PROTOCOL] [--pairs] ADDRESS PORT COUNT
 *   datagrams [--lite] --serve ADDRESS PORT...
 *
 * Without --pairs it sends COUNT datagrams as fast as it goes, or one --every MS, and lives on for
 * MS.  --source: of that IPv4 address, whatever the socket is bound to (IP_PKTINFO).  --device: by
 * that interface alone, also a broadcast.  --mark: with that mark (SO_MARK).  --raw: four bytes of
 * that protocol, from a raw socket: of ICMP too few to make sense.  With --pairs,
 * COUNT times, a socket is connected, two datagrams go by one sendmmsg() (as a resolver asks for A
 * and AAAA), and both answers are waited for, for a second: "both N" says how often they came.
 *
 * --serve answers each datagram to where it came from, until SIGTERM, and then says how many there
 * were of each port: "PORT N".
 */
#include <arpa/inet.h>
#include <getopt.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "programs.h"

#define PORTS 8
#define ANSWER_MS 1000
#define BUFFER_BYTES (64 << 20)

static volatile sig_atomic_t ended;
static int protocol;	/* --lite: UDP-Lite's; 0: UDP's */
static int type = SOCK_DGRAM;
static const char *device;	/* NULL: any */
static int mark;

static void end(int sig)
{
	(void)sig;
	ended = 1;
}

static socklen_t parse(const char *address, const char *port, struct sockaddr_storage *to)
{
	struct sockaddr_in *four = (struct sockaddr_in *)to;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)to;

	memset(to, 0, sizeof(*to));
	if (inet_pton(AF_INET, address, &four->sin_addr) == 1) {
		to->ss_family = AF_INET;
		four->sin_port = htons((uint16_t)atoi(port));
		return sizeof(*four);
	}
	if (inet_pton(AF_INET6, address, &six->sin6_addr) != 1)
		die("address");
	to->ss_family = AF_INET6;
	six->sin6_port = htons((uint16_t)atoi(port));
	return sizeof(*six);
}

static int open_socket(int family)
{
	int fd = socket(family, type, protocol), on = 1;

	if (fd < 0)
		die("socket");
	if (device && (setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof(on)) ||
		       setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device,
				  (socklen_t)strlen(device))))
		die("device");
	if (mark && setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof(mark)))
		die("mark");
	return fd;
}

/* False where none is there. */
static bool answer_one(int fd)
{
	struct sockaddr_storage from;
	socklen_t len = sizeof(from);
	char buf[64];
	ssize_t n = recvfrom(fd, buf, sizeof(buf), MSG_DONTWAIT, (struct sockaddr *)&from, &len);

	if (n < 0)
		return false;
	sendto(fd, buf, (size_t)n, MSG_DONTWAIT, (struct sockaddr *)&from, len);
	return true;
}

static int serve(int count, char **ports, const char *address)
{
	static long got[PORTS];
	struct pollfd p[PORTS];
	struct sigaction a = { .sa_handler = end };

	sigaction(SIGTERM, &a, NULL);
	for (int i = 0; i < count; i++) {
		struct sockaddr_storage own;
		socklen_t len = parse(address, ports[i], &own);
		int bytes = BUFFER_BYTES;

		p[i] = (struct pollfd){ .fd = open_socket(own.ss_family), .events = POLLIN };
		setsockopt(p[i].fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes));
		if (bind(p[i].fd, (struct sockaddr *)&own, len))
			die("bind");
	}
	puts("ready");
	fflush(stdout);
	while (!ended) {
		if (poll(p, (nfds_t)count, -1) < 0)
			continue;
		for (int i = 0; i < count; i++)
			got[i] += answer_one(p[i].fd);
	}
	/* What has arrived counts, also where this process did not come to its turn before. */
	for (int i = 0; i < count; i++)
		while (answer_one(p[i].fd))
			got[i]++;
	for (int i = 0; i < count; i++)
		printf("%s %ld\n", ports[i], got[i]);
	return 0;
}

/* Both answers came. */
static bool ask_pair(const struct sockaddr_storage *to, socklen_t len)
{
	char text[2][2] = { "A", "B" }, buf[64];
	struct iovec piece[2] = { { text[0], 1 }, { text[1], 1 } };
	struct mmsghdr both[2] = {
		{ .msg_hdr = { .msg_iov = &piece[0], .msg_iovlen = 1 } },
		{ .msg_hdr = { .msg_iov = &piece[1], .msg_iovlen = 1 } },
	};
	struct pollfd p = { .fd = open_socket(to->ss_family), .events = POLLIN };
	int answers = 0;

	if (!connect(p.fd, (const struct sockaddr *)to, len) && sendmmsg(p.fd, both, 2, 0) == 2)
		while (answers < 2 && poll(&p, 1, ANSWER_MS) == 1 &&
		       recv(p.fd, buf, sizeof(buf), 0) > 0)
			answers++;
	close(p.fd);
	return answers == 2;
}

static void bind_to(int fd, char *from)
{
	char *port = strrchr(from, ':');
	struct sockaddr_storage own;
	socklen_t len;
	int on = 1;

	*port = '\0';
	len = parse(from, port + 1, &own);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&own, len))
		die("bind");
}

static void send_from(int fd, const struct in_addr *source, const struct sockaddr_storage *to,
		      socklen_t len, int n)
{
	union {
		char room[CMSG_SPACE(sizeof(struct in_pktinfo))];
		struct cmsghdr align;
	} control = { { 0 } };
	struct iovec piece = { &n, sizeof(n) };
	struct sockaddr_storage peer = *to;
	struct msghdr m = {
		.msg_name = &peer, .msg_namelen = len, .msg_iov = &piece, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = IPPROTO_IP;
	c->cmsg_type = IP_PKTINFO;
	c->cmsg_len = CMSG_LEN(sizeof(struct in_pktinfo));
	memcpy(CMSG_DATA(c), &(struct in_pktinfo){ .ipi_spec_dst = *source },
	       sizeof(struct in_pktinfo));
	sendmsg(fd, &m, 0);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "from", required_argument, NULL, 'f' }, { "connect", no_argument, NULL, 'c' },
		{ "source", required_argument, NULL, 'a' },
		{ "device", required_argument, NULL, 'd' },
		{ "mark", required_argument, NULL, 'm' },
		{ "raw", required_argument, NULL, 'r' },
		{ "every", required_argument, NULL, 'e' },
		{ "stay", required_argument, NULL, 's' }, { "pairs", no_argument, NULL, 'p' },
		{ "serve", no_argument, NULL, 'S' },
		{ "lite", no_argument, NULL, 'l' }, { NULL, 0, NULL, 0 },
	};
	bool connected = false, pairs = false, serves = false;
	struct sockaddr_storage to;
	char *from = NULL;
	struct in_addr source = { 0 };
	int stay_ms = 0, every_ms = 0, count, both = 0, opt, fd;
	socklen_t len;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (opt == 'f')
			from = optarg;
		else if (opt == 'd')
			device = optarg;
		else if (opt == 'm')
			mark = atoi(optarg);
		else if (opt == 'r') {
			type = SOCK_RAW;
			protocol = atoi(optarg);
		}
		else if (opt == 's')
			stay_ms = atoi(optarg);
		else if (opt == 'e')
			every_ms = atoi(optarg);
		else if (opt == 'a' && inet_pton(AF_INET, optarg, &source) != 1)
			die("source");
		else if (opt == 'l')
			protocol = IPPROTO_UDPLITE;
		connected |= opt == 'c';
		pairs |= opt == 'p';
		serves |= opt == 'S';
	}
	if (argc - optind < (serves ? 2 : 3) || argc - optind > PORTS)
		return 2;
	if (serves)
		return serve(argc - optind - 1, argv + optind + 1, argv[optind]);
	len = parse(argv[optind], argv[optind + 1], &to);
	count = atoi(argv[optind + 2]);
	if (pairs) {
		for (int i = 0; i < count; i++)
			both += ask_pair(&to, len);
		printf("both %d\n", both);
		return 0;
	}
	fd = open_socket(to.ss_family);
	if (from)
		bind_to(fd, from);
	if (connected && connect(fd, (struct sockaddr *)&to, len))
		die("connect");
	for (int i = 0; i < count; i++) {
		if (source.s_addr)
			send_from(fd, &source, &to, len, i);
		else if (connected)
			send(fd, &i, sizeof(i), 0);
		else
			sendto(fd, &i, sizeof(i), 0, (struct sockaddr *)&to, len);
		usleep((useconds_t)every_ms * 1000);
	}
	usleep((useconds_t)stay_ms * 1000);
	return 0;
}
