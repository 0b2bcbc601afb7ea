/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's word of sockets that have died, live: which, how soon, and what TCP tells. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "deaths.h"
#include "tap.h"

static struct death found;
static int wanted_port;

static void see(const struct death *d, void *arg)
{
	(void)arg;
	if (d->local.port == wanted_port)
		found = *d;
}

static int make_socket(int family, int type, struct sockaddr_storage *own, int *port)
{
	struct sockaddr_in *four = (struct sockaddr_in *)own;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)own;
	socklen_t len = family == AF_INET ? sizeof(*four) : sizeof(*six);
	int fd = socket(family, type, 0);

	memset(own, 0, sizeof(*own));
	own->ss_family = (sa_family_t)family;
	if (family == AF_INET)
		four->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	else
		six->sin6_addr = in6addr_loopback;
	if (fd < 0 || bind(fd, (struct sockaddr *)own, len) ||
	    getsockname(fd, (struct sockaddr *)own, &len))
		return -1;
	*port = ntohs(four->sin_port);
	return fd;
}

/* Waits for a second at most. */
static bool await(struct deaths *d, enum death_kind kind)
{
	found = (struct death){ .protocol = -1 };
	for (int i = 0; i < 100 && found.protocol < 0; i++) {
		usleep(10000);
		if (deaths_show(d, kind, see, NULL))
			return false;
	}
	return found.protocol >= 0;
}

static void test_udp(struct deaths *d, int family)
{
	struct sockaddr_storage own;
	struct pollfd p = { .fd = deaths_fd(d), .events = POLLIN };
	int fd = make_socket(family, SOCK_DGRAM, &own, &wanted_port);

	if (!tap_ok(fd >= 0, "a socket"))
		return;
	found.protocol = -1;
	deaths_show(d, DEATHS_UDP, see, NULL);
	tap_ok(found.protocol < 0, "that lives is not announced");
	close(fd);
	tap_ok(poll(&p, 1, 1000) == 1 && await(d, DEATHS_UDP) && found.protocol == IPPROTO_UDP &&
	       !found.peer.port && found.cookie && found.bytes < 0 &&
	       found.local.addr.family == family, "that has died is, as UDP without a peer");
}

static void test_tcp(struct deaths *d)
{
	struct sockaddr_storage own;
	int server = make_socket(AF_INET, SOCK_STREAM, &own, &wanted_port), client, accepted;
	struct sockaddr_in local;
	socklen_t len = sizeof(local);
	char buf[8];

	client = socket(AF_INET, SOCK_STREAM, 0);
	if (listen(server, 1) || connect(client, (struct sockaddr *)&own, sizeof(local)) ||
	    getsockname(client, (struct sockaddr *)&local, &len)) {
		tap_ok(false, "a connection");
		return;
	}
	accepted = accept(server, NULL, NULL);
	if (send(client, "12345", 5, 0) != 5 || recv(accepted, buf, 5, MSG_WAITALL) != 5 ||
	    send(accepted, "123", 3, 0) != 3 || recv(client, buf, 3, MSG_WAITALL) != 3)
		tap_ok(false, "bytes");
	wanted_port = ntohs(local.sin_port);
	close(client);
	close(accepted);
	close(server);
	if (!tap_ok(await(d, DEATHS_TCP) && found.protocol == IPPROTO_TCP && found.bytes >= 8 &&
		    found.bytes <= 10 && found.packets >= 4,
		    "TCP's says how many bytes went both ways"))
		tap_note("%lld bytes, %lld packets", (long long)found.bytes,
			 (long long)found.packets);
	tap_ok(found.peer.port == ntohs(((struct sockaddr_in *)&own)->sin_port),
	       "and who was the peer");
}

int main(void)
{
	struct deaths *d;
	int rc = deaths_open(&d);

	if (rc == -EOPNOTSUPP) {
		tap_note("this kernel does not announce sockets that die");
		return tap_done();
	}
	if (!tap_ok(!rc, "the kernel announces them"))
		return tap_done();
	test_udp(d, AF_INET);
	test_udp(d, AF_INET6);
	test_tcp(d);
	tap_ok(deaths_parse("\x10\0\0\0", 4, see, NULL) == 0 &&
	       deaths_parse("\x20\0\0\0\x14\0\0\0\0\0\0\0\0\0\0\0", 16, see,
			    NULL) == -EBADMSG,
	       "what is cut off is refused");
	deaths_close(d);
	return tap_done();
}
