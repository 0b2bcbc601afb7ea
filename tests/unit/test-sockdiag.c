/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's own sockets: this test's, asked for in every way. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sockdiag.h"
#include "tap.h"

static struct sockdiag *diag;

static struct endpoint to_endpoint(const struct sockaddr_storage *ss)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)ss;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)ss;
	struct endpoint e;

	memset(&e, 0, sizeof(e));
	e.addr.family = (uint8_t)ss->ss_family;
	if (ss->ss_family == AF_INET) {
		memcpy(e.addr.bytes, &in->sin_addr, 4);
		e.port = ntohs(in->sin_port);
	} else {
		memcpy(e.addr.bytes, &in6->sin6_addr, 16);
		e.port = ntohs(in6->sin6_port);
		address_unmap(&e.addr);
	}
	return e;
}

static int open_bound(int family, int type, const char *addr)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	int fd = socket(family, type | SOCK_CLOEXEC, 0);

	if (family == AF_INET) {
		inet_pton(AF_INET, addr, &in.sin_addr);
		if (bind(fd, (struct sockaddr *)&in, sizeof(in)))
			return -1;
	} else {
		inet_pton(AF_INET6, addr, &in6.sin6_addr);
		if (bind(fd, (struct sockaddr *)&in6, sizeof(in6)))
			return -1;
	}
	return fd;
}

static struct endpoint local_of(int fd)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);

	getsockname(fd, (struct sockaddr *)&ss, &len);
	return to_endpoint(&ss);
}

static int64_t inode_of(int fd)
{
	struct stat st;

	return fstat(fd, &st) ? -1 : (int64_t)st.st_ino;
}

/* A socket connected to a listener (TCP) or to another socket (UDP), found by its exact tuple. */
static void exact(const char *what, int family, int type, const char *addr, const char *peer_addr)
{
	int protocol = type == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP;
	int peer = open_bound(family, type, addr), fd = socket(family, type | SOCK_CLOEXEC, 0);
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	struct endpoint local, remote, wrong;
	struct sock_entry found;

	if (peer < 0 || getsockname(peer, (struct sockaddr *)&ss, &len)) {
		tap_ok(true, "%s # SKIP this host has no such address", what);
		return;
	}
	if (type == SOCK_STREAM)
		listen(peer, 1);
	if (peer_addr)
		inet_pton(AF_INET6, peer_addr, &((struct sockaddr_in6 *)&ss)->sin6_addr);
	if (connect(fd, (struct sockaddr *)&ss, len)) {
		tap_ok(false, "%s: cannot connect: %s", what, strerror(errno));
		return;
	}
	remote = to_endpoint(&ss);
	local = local_of(fd);
	tap_ok(!sockdiag_ask(diag, protocol, &local, &remote, 0, SOCK_FIT_EXACT, &found) &&
	       found.inode == inode_of(fd) && found.uid == getuid(), "%s", what);
	wrong = remote;
	wrong.port ^= 1;
	tap_ok(sockdiag_ask(diag, protocol, &local, &wrong, 0, SOCK_FIT_EXACT, &found) == -ENOENT,
	       "%s: not for another peer", what);
	close(fd);
	close(peer);
}

/* An unconnected UDP socket, found by its port. */
static void by_port(const char *what, int family, const char *addr, const char *from,
		    const char *to)
{
	int fd = open_bound(family, SOCK_DGRAM, addr);
	struct endpoint local = local_of(fd), peer;
	struct sock_entry found;
	struct sock_choice choice;
	int32_t port = local.port;

	endpoint_parse(from, &local);
	endpoint_parse(to, &peer);
	local.port = port;
	tap_ok(!sockdiag_by_port(diag, IPPROTO_UDP, &local, &peer, 0, &found, &choice) &&
	       found.inode == inode_of(fd) && choice.alike == 1, "%s", what);
	close(fd);
	tap_ok(sockdiag_by_port(diag, IPPROTO_UDP, &local, &peer, 0, &found, &choice) == -ENOENT,
	       "%s: gone when it is closed", what);
}

static bool is_there(const struct sock_entry *found, int count, int fd)
{
	for (int i = 0; i < count; i++)
		if (found[i].inode == inode_of(fd))
			return true;
	return false;
}

/* All at a port, whatever the address. */
static void sharers(void)
{
	int one = open_bound(AF_INET, SOCK_DGRAM, "127.0.0.1"), six;
	int other = socket(AF_INET, SOCK_DGRAM, 0);
	struct endpoint local = local_of(one);
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons((uint16_t)local.port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = in.sin_port,
				    .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	const struct sock_entry *found;

	tap_ok(sockdiag_sharers(diag, IPPROTO_UDP, &local, &found) == 1 && is_there(found, 1, one),
	       "one is alone at its port");
	six = socket(AF_INET6, SOCK_DGRAM, 0);
	tap_ok(!bind(other, (struct sockaddr *)&in, sizeof(in)) &&
		       !bind(six, (struct sockaddr *)&in6, sizeof(in6)) &&
		       sockdiag_sharers(diag, IPPROTO_UDP, &local, &found) == 3 &&
		       is_there(found, 3, one) && is_there(found, 3, other) &&
		       is_there(found, 3, six),
	       "until others are bound to it, at other addresses");
	close(one);
	close(other);
	close(six);
}

static void note_one(const struct sock_entry *s, void *arg)
{
	int64_t *inode = arg;

	for (int i = 0; i < 3; i++)
		if (inode[i] == s->inode)
			inode[i] = 0;
}

static void each(void)
{
	int fd[] = { open_bound(AF_INET, SOCK_DGRAM, "127.0.0.1"),
		     open_bound(AF_INET6, SOCK_DGRAM, "::1"),
		     open_bound(AF_INET, SOCK_STREAM, "127.0.0.1") };
	int64_t inode[3];

	for (int i = 0; i < 3; i++)
		inode[i] = inode_of(fd[i]);
	tap_ok(!sockdiag_each(diag, IPPROTO_UDP, note_one, inode) && !inode[0] && !inode[1] &&
	       inode[2], "all sockets of a protocol, and no other's");
	for (int i = 0; i < 3; i++)
		close(fd[i]);
}

/* A socket that is bound to an interface: only a packet of that one is its. */
static void of_device(void)
{
	int fd = open_bound(AF_INET, SOCK_DGRAM, "0.0.0.0");
	struct endpoint local = local_of(fd), peer;
	struct sock_choice choice;
	struct sock_entry found;

	endpoint_parse("127.0.0.1:9", &peer);
	if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "lo", 2)) {
		tap_ok(true, "a socket of one interface # SKIP it cannot be bound here");
		return;
	}
	tap_ok(!sockdiag_ask(diag, IPPROTO_UDP, &local, &peer, 1, SOCK_FIT_WILDCARD, &found) &&
	       found.inode == inode_of(fd), "a socket of one interface");
	tap_ok(sockdiag_ask(diag, IPPROTO_UDP, &local, &peer, 2, SOCK_FIT_WILDCARD, &found) ==
	       -ENOENT, "not for a packet of another one");
	tap_ok(!sockdiag_by_port(diag, IPPROTO_UDP, &local, &peer, 1, &found, &choice) &&
	       found.inode == inode_of(fd), "by its port as well");
	tap_ok(sockdiag_by_port(diag, IPPROTO_UDP, &local, &peer, 2, &found, &choice) == -ENOENT,
	       "where it is not another's either");
	close(fd);
}

int main(void)
{
	diag = sockdiag_open();
	if (!tap_ok(diag != NULL, "sock_diag is there"))
		return tap_done();
	exact("TCP over IPv4", AF_INET, SOCK_STREAM, "127.0.0.1", NULL);
	exact("UDP over IPv4", AF_INET, SOCK_DGRAM, "127.0.0.1", NULL);
	exact("TCP over IPv6", AF_INET6, SOCK_STREAM, "::1", NULL);
	exact("UDP over IPv6", AF_INET6, SOCK_DGRAM, "::1", NULL);
	exact("TCP over IPv4 by an IPv6 socket", AF_INET6, SOCK_STREAM, "::", "::ffff:127.0.0.1");
	exact("UDP over IPv4 by an IPv6 socket", AF_INET6, SOCK_DGRAM, "::", "::ffff:127.0.0.1");
	by_port("a UDP socket of all addresses", AF_INET, "0.0.0.0", "127.0.0.1:1", "127.0.0.9:9");
	by_port("a UDP socket of one address, to a multicast group", AF_INET, "127.0.0.1",
		"127.0.0.1:1", "239.255.255.250:1900");
	by_port("an IPv6 UDP socket of all addresses, over IPv4", AF_INET6, "::", "127.0.0.1:1",
		"127.0.0.9:9");
	sharers();
	each();
	of_device();
	sockdiag_close(diag);
	return tap_done();
}
