/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Victims, whose connections come from known ports, and a forger, which tries to pass for them, or
 * to make them pass for it.  All from FIRST and COUNT ports on, to the loopback's PORT:
 *
 *   forger victim FIRST COUNT PORT MS      processes, one for each port and way to send, that exit
 *                                          at once
 *   forger connected FIRST COUNT PORT MS   UDP sockets that send, and again MS later, and again
 *   forger idle FIRST COUNT PORT MS        UDP sockets that are connected and never send
 *   forger ask FIRST COUNT PORT MS         asks for the routes of all those, with three threads
 *   forger cork FIRST COUNT PORT MS        sends in their name that are never finished (MSG_MORE)
 *   forger spoof FIRST COUNT PORT MS       sends in their name
 *   forger real FIRST COUNT PORT MS        the same ports, in a network namespace of its own; exits
 *                                          at once
 *   forger become PROGRAM COUNT PORT       connects, and executes PROGRAM meanwhile
 *   forger listen PORT MS                  reports what came
 *   forger nothing
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "helper.h"

static int first, count, port, ms;
static const char *self;

/* 127.0.0.LAST, ::1, or ::ffff:127.0.0.LAST */
static socklen_t place(struct sockaddr_storage *s, int family, bool mapped, int last, int at)
{
	struct sockaddr_in *four = (struct sockaddr_in *)s;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)s;
	uint32_t address = htonl(0x7f000000u + (uint32_t)last);

	memset(s, 0, sizeof(*s));
	if (family == AF_INET) {
		*four = (struct sockaddr_in){ .sin_family = AF_INET,
					      .sin_port = htons((uint16_t)at),
					      .sin_addr.s_addr = address };
		return sizeof(*four);
	}
	six->sin6_family = AF_INET6;
	six->sin6_port = htons((uint16_t)at);
	six->sin6_addr = in6addr_loopback;
	if (mapped) {
		six->sin6_addr.s6_addr[10] = six->sin6_addr.s6_addr[11] = 0xff;
		six->sin6_addr.s6_addr[15] = 0;
		memcpy(&six->sin6_addr.s6_addr[12], &address, sizeof(address));
	}
	return sizeof(*six);
}

static int open_at(int family, int type, bool mapped, int last, int at)
{
	struct sockaddr_storage from;
	socklen_t len = place(&from, family, mapped, last, at);
	int fd = socket(family, type, 0), on = 1;

	if (fd < 0)
		die("socket");
	if (type & SOCK_STREAM)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&from, len)) {
		close(fd);
		return -1;
	}
	return fd;
}

struct way {
	int family, type;
	bool mapped, connects;
};

static const struct way ways[] = {
	{ AF_INET, SOCK_STREAM, false, true },	 { AF_INET6, SOCK_STREAM, false, true },
	{ AF_INET, SOCK_DGRAM, false, true },	 { AF_INET, SOCK_DGRAM, false, false },
	{ AF_INET6, SOCK_DGRAM, false, true },	 { AF_INET6, SOCK_DGRAM, false, false },
	{ AF_INET6, SOCK_DGRAM, true, false },	 { AF_INET, SOCK_STREAM | SOCK_NONBLOCK, false,
						   true },
};
#define WAYS (int)(sizeof(ways) / sizeof(ways[0]))

/* Each way has destinations of its own: a UDP flow is one flow for half a minute. */
static void send_once(const struct way *w, int at, int to_port)
{
	struct sockaddr_storage to;
	socklen_t len = place(&to, w->family, w->mapped, 1, to_port);
	int fd = open_at(w->family, w->type, w->mapped, 1, at);

	if (fd < 0)
		die("bind");
	if (w->connects)
		connect(fd, (struct sockaddr *)&to, len);
	if (w->type == SOCK_DGRAM)
		sendto(fd, self, strlen(self), MSG_NOSIGNAL,
		       w->connects ? NULL : (struct sockaddr *)&to, w->connects ? 0 : len);
}

static void victims(void)
{
	for (int i = 0; i < count; i++) {
		for (int w = 0; w < WAYS; w++) {
			pid_t pid;

			fflush(stdout);
			pid = fork();
			if (pid < 0)
				die("fork");
			if (!pid) {
				send_once(&ways[w], first + i, port + w);
				_exit(0);
			}
			printf("%d\n", pid);
			waitpid(pid, NULL, 0);
			nap_us(ms * 1000 / count / WAYS);
		}
	}
}

static void connected(int times)
{
	int *fd = calloc((size_t)count, sizeof(int));
	struct sockaddr_storage to;
	socklen_t len = place(&to, AF_INET, false, 1, port);

	printf("%d\n", getpid());
	for (int i = 0; fd && i < count; i++) {
		fd[i] = open_at(AF_INET, SOCK_DGRAM, false, 1, first + i);
		if (fd[i] < 0 || connect(fd[i], (struct sockaddr *)&to, len))
			die("connect");
	}
	for (int n = 0; n < times; n++) {
		for (int i = 0; fd && i < count; i++) {
			send(fd[i], self, strlen(self), MSG_NOSIGNAL);
			nap_us(500);
		}
		if (n < times - 1)
			nap_ms(ms);
	}
	if (!times)
		nap_ms(ms);
	free(fd);
}

static void attribute(struct nlmsghdr *h, unsigned short type, const void *data, size_t len)
{
	struct rtattr *a = (struct rtattr *)((char *)h + NLMSG_ALIGN(h->nlmsg_len));

	a->rta_type = type;
	a->rta_len = (unsigned short)RTA_LENGTH(len);
	memcpy(RTA_DATA(a), data, len);
	h->nlmsg_len = NLMSG_ALIGN(h->nlmsg_len) + RTA_ALIGN(a->rta_len);
}

static size_t question(char *at, const struct way *w, int from_port, int to_port)
{
	bool six = w->family == AF_INET6 && !w->mapped;
	struct nlmsghdr *h = (struct nlmsghdr *)at;
	struct rtmsg *m = NLMSG_DATA(h);
	uint8_t protocol = w->type & SOCK_STREAM &&
		!(w->type & SOCK_DGRAM) ? IPPROTO_TCP : IPPROTO_UDP;
	uint16_t sport = htons((uint16_t)from_port), dport = htons((uint16_t)to_port);
	uint32_t four = htonl(INADDR_LOOPBACK);
	size_t len = six ? 16 : 4;
	const void *address = six ? (const void *)&in6addr_loopback : (const void *)&four;

	memset(at, 0, 256);
	h->nlmsg_len = NLMSG_LENGTH(sizeof(*m));
	h->nlmsg_type = RTM_GETROUTE;
	h->nlmsg_flags = NLM_F_REQUEST;
	*m = (struct rtmsg){ .rtm_family = six ? AF_INET6 : AF_INET,
			     .rtm_dst_len = (unsigned char)(len * 8),
			     .rtm_src_len = (unsigned char)(len * 8) };
	attribute(h, RTA_DST, address, len);
	attribute(h, RTA_SRC, address, len);
	attribute(h, RTA_IP_PROTO, &protocol, 1);
	attribute(h, RTA_SPORT, &sport, 2);
	attribute(h, RTA_DPORT, &dport, 2);
	return NLMSG_ALIGN(h->nlmsg_len);
}

static uint64_t asked, refused;

/* The kernel answers every request; answers that find the buffer full are dropped. */
static void *ask(void *arg)
{
	int way_of_writing = (int)(intptr_t)arg;
	int64_t end = now_ms() + ms;
	int nl = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK, NETLINK_ROUTE);
	char *buf = malloc(65536), answer[8192];
	struct mmsghdr two[2] = { 0 };
	struct iovec io;
	size_t len = 0;

	if (nl < 0 || !buf)
		die("rtnetlink");
	for (int round = 0; now_ms() < end; round++) {
		/* A flow at a time, often enough to hide another's lookup behind them; then all. */
		int at = first + round % count, w = round / count % WAYS;

		len = 0;
		for (int n = 0; n < 96; n++)
			len += question(buf + len, &ways[w], round & 1 ? at : first + n % count,
					port + (round & 2 ? 0 : w));
		io = (struct iovec){ buf, len };
		two[0].msg_hdr = two[1].msg_hdr =
			(struct msghdr){ .msg_iov = &io, .msg_iovlen = 1 };
		if (way_of_writing == 0 ? sendmsg(nl, &two[0].msg_hdr, 0) < 0 :
		    way_of_writing == 1 ? sendmmsg(nl, two, 2, 0) < 0 :
					  write(nl, buf, len) < 0)
			__atomic_add_fetch(&refused, 1, __ATOMIC_RELAXED);
		__atomic_add_fetch(&asked, 96, __ATOMIC_RELAXED);
		for (int n = 0; n < 4; n++) {
			ssize_t got = recv(nl, answer, sizeof(answer), 0);
			const struct nlmsghdr *h = (struct nlmsghdr *)answer;

			if (got >= (ssize_t)NLMSG_LENGTH(sizeof(int)) &&
			    h->nlmsg_type == NLMSG_ERROR)
				__atomic_add_fetch(&refused, 1, __ATOMIC_RELAXED);
		}
		/* A send of its own right after, and a record of its own for the destination. */
		if (round % 16 == 0)
			send_once(&ways[3], 0, port + w);
		if (round % 64 == 0)
			send_once(&ways[2], 0, port + w);
		nap_us(200);
	}
	free(buf);
	close(nl);
	return NULL;
}

static void ask_all(void)
{
	pthread_t thread[3];

	for (intptr_t i = 0; i < 3; i++)
		if (pthread_create(&thread[i], NULL, ask, (void *)i))
			die("thread");
	for (int i = 0; i < 3; i++)
		pthread_join(thread[i], NULL);
	printf("asked %llu refused %llu\n", (unsigned long long)asked, (unsigned long long)refused);
}

/* From 127.0.0.2's port, in the name of 127.0.0.1 (ip(7), IP_PKTINFO). */
static void pretend(int at, int flags)
{
	union { char bytes[CMSG_SPACE(sizeof(struct in_pktinfo))]; struct cmsghdr align; } control;
	struct sockaddr_storage to;
	struct iovec io = { (void *)(uintptr_t)self, strlen(self) };
	struct msghdr m = { .msg_name = &to, .msg_iov = &io, .msg_iovlen = 1,
			    .msg_control = &control,
			    .msg_controllen = sizeof(control) };
	struct in_pktinfo info = { .ipi_spec_dst.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = open_at(AF_INET, SOCK_DGRAM, false, 2, at);

	m.msg_namelen = place(&to, AF_INET, false, 1, port);
	memset(&control, 0, sizeof(control));
	*CMSG_FIRSTHDR(&m) = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(info)),
					       .cmsg_level = IPPROTO_IP, .cmsg_type = IP_PKTINFO };
	memcpy(CMSG_DATA(CMSG_FIRSTHDR(&m)), &info, sizeof(info));
	if (fd < 0)
		return;
	if (sendmsg(fd, &m, flags) > 0)
		asked++;
	close(fd);
}

static void pretend_all(int flags)
{
	int64_t end = now_ms() + ms;

	for (int round = 0; now_ms() < end; round++) {
		/* From a living process, and from one that is gone. */
		pid_t pid = round % 8 == 7 ? fork() : -1;

		for (int i = 0; i < count; i++)
			pretend(first + i, flags);
		if (!pid)
			_exit(0);
		if (pid > 0)
			waitpid(pid, NULL, 0);
		nap_us(300);
	}
	printf("sent %llu\n", (unsigned long long)asked);
}

static void real(void)
{
	int64_t end = now_ms() + ms;

	while (now_ms() < end) {
		pid_t pid = fork();

		if (!pid) {
			for (int i = 0; i < count; i++)
				send_once(&ways[3], first + i, port);
			_exit(0);
		}
		waitpid(pid, NULL, 0);
		nap_us(300);
	}
}

/* The child keeps the socket while its parent becomes another program. */
static void become(const char *program)
{
	int through = 0;

	for (int i = 0; i < first; i++) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), error = 0;
		struct sockaddr_storage to;
		socklen_t len = place(&to, AF_INET, false, 1, port), size = sizeof(error);
		struct pollfd wait = { fd, POLLOUT, 0 };
		pid_t pid = fork();

		if (!pid) {
			connect(fd, (struct sockaddr *)&to, len);
			execl(program, program, "nothing", (char *)NULL);
			_exit(127);
		}
		if (poll(&wait, 1, 60) > 0 && !getsockopt(fd, SOL_SOCKET, SO_ERROR, &error,
							  &size) &&
		    !error && (wait.revents & POLLOUT) && !(wait.revents & POLLHUP))
			through++;
		waitpid(pid, NULL, 0);
		close(fd);
	}
	printf("through %d\n", through);
}

static void listen_all(void)
{
	int tcp = open_at(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, false, 1, port), victim = 0,
		other = 0;
	int udp = open_at(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, false, 1, port), accepted = 0;
	int64_t end = now_ms() + ms;
	struct pollfd fds[] = { { tcp, POLLIN, 0 }, { udp, POLLIN, 0 } };
	char buf[512];

	if (tcp < 0 || udp < 0 || listen(tcp, 128))
		die("listen");
	puts("ready");
	fflush(stdout);
	while (now_ms() < end) {
		int fd = poll(fds, 2, 20) > 0 ? accept(tcp, NULL, NULL) : -1;
		ssize_t n;

		if (fd >= 0) {
			accepted++;
			close(fd);
		}
		while ((n = recv(udp, buf, sizeof(buf) - 1, 0)) > 0) {
			buf[n] = '\0';
			*(strstr(buf, "victim") ? &victim : &other) += 1;
		}
	}
	printf("victim %d other %d accepted %d\n", victim, other, accepted);
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	self = argv[0];
	if (!strcmp(what, "nothing"))
		return 0;
	if (!strcmp(what, "listen") && argc == 4) {
		port = atoi(argv[2]);
		ms = atoi(argv[3]);
		listen_all();
		return 0;
	}
	if (!strcmp(what, "become") && argc == 5) {
		first = atoi(argv[3]);
		port = atoi(argv[4]);
		become(argv[2]);
		return 0;
	}
	if (argc != 6)
		return 2;
	first = atoi(argv[2]);
	count = atoi(argv[3]);
	port = atoi(argv[4]);
	ms = atoi(argv[5]);
	if (!strcmp(what, "victim"))
		victims();
	else if (!strcmp(what, "connected"))
		connected(3);
	else if (!strcmp(what, "idle"))
		connected(0);
	else if (!strcmp(what, "ask"))
		ask_all();
	else if (!strcmp(what, "cork"))
		pretend_all(MSG_MORE);
	else if (!strcmp(what, "spoof"))
		pretend_all(0);
	else if (!strcmp(what, "real"))
		real();
	else
		return 2;
	return 0;
}
