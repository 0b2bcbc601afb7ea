/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every way to open a connection, one each time it is run; what the ledger says of it is compared
 * with what this prints.
 *
 *   ways WAY ADDRESS PORT
 *
 * Prints the number of the process whose connection it is.  IPv6 goes to fd77::PORT.  Exit status
 * 77: this kernel does not have that way.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <netpacket/packet.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include "programs.h"
#include "ways.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif
/* For experiments (RFC 3692). */
#define OWN_PROTOCOL 253
/* More than one, which is still one flow. */
#define PACKETS 5

int way_is_missing(void)
{
	return errno == EPROTONOSUPPORT || errno == ESOCKTNOSUPPORT || errno == ENOSYS ||
	       errno == EAFNOSUPPORT || errno == ENOPROTOOPT || errno == EOPNOTSUPP ||
	       errno == EINVAL;
}

int way_socket(int family, int type, int protocol)
{
	int fd = socket(family, type, protocol);

	if (fd >= 0)
		return fd;
	if (way_is_missing())
		exit(WAY_NONE);
	die("socket");
}

void way_is_mine(void)
{
	printf("%d\n", (int)getpid());
	fflush(stdout);
}

static const struct sockaddr *any(const void *address)
{
	return address;
}

/* Nobody listens there, so each ends with a refusal. */
static int connect_by(int fd, const void *address, socklen_t len)
{
	way_is_mine();
	if (connect(fd, any(address), len) && errno != ECONNREFUSED)
		die("connect");
	return 0;
}

static int way_tcp(const struct target *t)
{
	return connect_by(way_socket(AF_INET, SOCK_STREAM, 0), &t->to, sizeof(t->to));
}

static int way_tcp6(const struct target *t)
{
	return connect_by(way_socket(AF_INET6, SOCK_STREAM, 0), &t->six, sizeof(t->six));
}

static int way_mptcp(const struct target *t)
{
	return connect_by(way_socket(AF_INET, SOCK_STREAM, IPPROTO_MPTCP), &t->to, sizeof(t->to));
}

static int way_sctp(const struct target *t)
{
	return connect_by(way_socket(AF_INET, SOCK_STREAM, IPPROTO_SCTP), &t->to, sizeof(t->to));
}

static int send_to(int fd, const void *address, socklen_t len)
{
	way_is_mine();
	for (int i = 0; i < PACKETS; i++)
		if (sendto(fd, WAY_BYTES, sizeof(WAY_BYTES), 0, any(address), len) < 0 &&
		    errno != ECONNREFUSED)
			die("sendto");
	return 0;
}

static int way_udp(const struct target *t)
{
	return send_to(way_socket(AF_INET, SOCK_DGRAM, 0), &t->to, sizeof(t->to));
}

static int way_udp6(const struct target *t)
{
	return send_to(way_socket(AF_INET6, SOCK_DGRAM, 0), &t->six, sizeof(t->six));
}

static int way_udplite(const struct target *t)
{
	return send_to(way_socket(AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE), &t->to, sizeof(t->to));
}

static int way_broadcast(const struct target *t)
{
	int fd = way_socket(AF_INET, SOCK_DGRAM, 0), on = 1;

	setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof(on));
	return send_to(fd, &t->to, sizeof(t->to));
}

static int way_raw_own(const struct target *t)
{
	return send_to(way_socket(AF_INET, SOCK_RAW, OWN_PROTOCOL), &t->to, sizeof(t->to));
}

static int way_raw_own6(const struct target *t)
{
	struct sockaddr_in6 to = t->six;

	to.sin6_port = 0;
	return send_to(way_socket(AF_INET6, SOCK_RAW, OWN_PROTOCOL), &to, sizeof(to));
}

static int way_raw_connected(const struct target *t)
{
	int fd = way_socket(AF_INET, SOCK_RAW, OWN_PROTOCOL);

	way_is_mine();
	if (connect(fd, any(&t->to), sizeof(t->to)))
		die("connect");
	for (int i = 0; i < PACKETS; i++)
		if (send(fd, WAY_BYTES, sizeof(WAY_BYTES), 0) < 0)
			die("send");
	return 0;
}

/* The sender writes TCP's header, as scanners do. */
static int way_raw_tcp(const struct target *t)
{
	struct tcphdr syn = { .source = htons(4000), .dest = t->to.sin_port, .doff = 5, .syn = 1 };
	struct sockaddr_in to = t->to;
	int fd = way_socket(AF_INET, SOCK_RAW, IPPROTO_TCP);

	to.sin_port = 0;
	way_is_mine();
	return sendto(fd, &syn, sizeof(syn), 0, any(&to), sizeof(to)) < 0;
}

/* The sender writes the IP header as well. */
static int way_raw_header(const struct target *t)
{
	struct {
		struct iphdr ip;
		char bytes[sizeof(WAY_BYTES)];
	} p = { .ip = { .version = 4, .ihl = 5, .ttl = 64, .protocol = OWN_PROTOCOL,
			.daddr = t->to.sin_addr.s_addr }, .bytes = WAY_BYTES };
	int fd = way_socket(AF_INET, SOCK_RAW, IPPROTO_RAW);

	p.ip.tot_len = htons(sizeof(p));
	way_is_mine();
	for (int i = 0; i < PACKETS; i++)
		if (sendto(fd, &p, sizeof(p), 0, any(&t->to), sizeof(t->to)) < 0)
			die("sendto");
	return 0;
}

static uint16_t sum_of(const void *bytes, size_t len)
{
	const uint8_t *at = bytes;
	uint32_t sum = 0;

	for (size_t i = 0; i + 1 < len; i += 2)
		sum += (uint32_t)at[i] << 8 | at[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

static int echo(int fd, const struct target *t)
{
	struct icmphdr h = { .type = ICMP_ECHO };

	h.un.echo.id = htons((uint16_t)getpid());
	way_is_mine();
	for (int i = 0; i < PACKETS; i++) {
		h.un.echo.sequence = htons((uint16_t)i);
		h.checksum = 0;
		h.checksum = sum_of(&h, sizeof(h));
		if (sendto(fd, &h, sizeof(h), 0, any(&t->to), sizeof(t->to)) < 0)
			die("sendto");
	}
	return 0;
}

static int echo6(int fd, const struct target *t)
{
	struct icmp6_hdr h = { .icmp6_type = ICMP6_ECHO_REQUEST };
	struct sockaddr_in6 to = t->six;

	to.sin6_port = 0;
	h.icmp6_id = htons((uint16_t)getpid());
	way_is_mine();
	for (int i = 0; i < PACKETS; i++) {
		h.icmp6_seq = htons((uint16_t)i);
		if (sendto(fd, &h, sizeof(h), 0, any(&to), sizeof(to)) < 0)
			die("sendto");
	}
	return 0;
}

static int way_ping(const struct target *t)
{
	return echo(way_socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP), t);
}

static int way_raw_echo(const struct target *t)
{
	return echo(way_socket(AF_INET, SOCK_RAW, IPPROTO_ICMP), t);
}

static int way_ping6(const struct target *t)
{
	return echo6(way_socket(AF_INET6, SOCK_DGRAM, IPPROTO_ICMPV6), t);
}

static int way_raw_echo6(const struct target *t)
{
	return echo6(way_socket(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6), t);
}

static int way_sendmsg(const struct target *t)
{
	struct iovec iov = { (void *)WAY_BYTES, sizeof(WAY_BYTES) };
	struct msghdr m = { .msg_name = (void *)&t->to, .msg_namelen = sizeof(t->to),
			    .msg_iov = &iov, .msg_iovlen = 1 };

	way_is_mine();
	return sendmsg(way_socket(AF_INET, SOCK_DGRAM, 0), &m, 0) < 0;
}

static int way_sendmmsg(const struct target *t)
{
	struct iovec iov = { (void *)WAY_BYTES, sizeof(WAY_BYTES) };
	struct mmsghdr m[2] = { 0 };

	for (int i = 0; i < 2; i++)
		m[i].msg_hdr = (struct msghdr){ .msg_name = (void *)(i ? &t->other : &t->to),
						.msg_namelen = sizeof(t->to), .msg_iov = &iov,
						.msg_iovlen = 1 };
	way_is_mine();
	return sendmmsg(way_socket(AF_INET, SOCK_DGRAM, 0), m, 2, 0) != 2;
}

/* One socket, two peers. */
static int way_udp_again(const struct target *t)
{
	int fd = way_socket(AF_INET, SOCK_DGRAM, 0);

	way_is_mine();
	for (int i = 0; i < 2; i++)
		if (connect(fd, any(i ? &t->other : &t->to), sizeof(t->to)) ||
		    (send(fd, WAY_BYTES, sizeof(WAY_BYTES), 0) < 0 && errno != ECONNREFUSED))
			die("connect and send");
	return 0;
}

static int way_fastopen(const struct target *t)
{
	way_is_mine();
	if (sendto(way_socket(AF_INET, SOCK_STREAM, 0), WAY_BYTES, sizeof(WAY_BYTES), MSG_FASTOPEN,
		   any(&t->to), sizeof(t->to)) < 0 && errno != ECONNREFUSED)
		die("sendto");
	return 0;
}

static int way_sendfile(const struct target *t)
{
	int fd = way_socket(AF_INET, SOCK_DGRAM, 0), file = memfd_create("bytes", 0);

	if (write(file, WAY_BYTES, sizeof(WAY_BYTES)) < 0 ||
	    connect(fd, any(&t->to), sizeof(t->to)))
		die("connect");
	way_is_mine();
	return sendfile(fd, file, &(off_t){ 0 }, sizeof(WAY_BYTES)) < 0;
}

static int way_splice(const struct target *t)
{
	int fd = way_socket(AF_INET, SOCK_DGRAM, 0), ends[2];

	if (pipe(ends) || write(ends[1], WAY_BYTES, sizeof(WAY_BYTES)) < 0 ||
	    connect(fd, any(&t->to), sizeof(t->to)))
		die("connect");
	way_is_mine();
	return splice(ends[0], NULL, fd, NULL, sizeof(WAY_BYTES), 0) < 0;
}

static int way_mark(const struct target *t)
{
	int fd = way_socket(AF_INET, SOCK_STREAM, 0), mark = 0x77;

	if (setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof(mark)))
		die("SO_MARK");
	return connect_by(fd, &t->to, sizeof(t->to));
}

static int way_device(const struct target *t)
{
	int fd = way_socket(AF_INET, SOCK_STREAM, 0);

	if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3))
		die("SO_BINDTODEVICE");
	return connect_by(fd, &t->to, sizeof(t->to));
}

/* What it sends is no packet of ours for netfilter. */
static int way_packet(const struct target *t)
{
	struct {
		struct iphdr ip;
		char bytes[sizeof(WAY_BYTES)];
	} p = { .ip = { .version = 4, .ihl = 5, .ttl = 64, .protocol = OWN_PROTOCOL,
			.saddr = htonl(INADDR_LOOPBACK), .daddr = t->to.sin_addr.s_addr },
		.bytes = WAY_BYTES };
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_protocol = htons(0x0800),
				  .sll_ifindex = (int)if_nametoindex("lo"), .sll_halen = 6 };
	int fd = way_socket(AF_PACKET, SOCK_DGRAM, htons(0x0800));

	p.ip.tot_len = htons(sizeof(p));
	return send_to(fd, &to, sizeof(to)) || write(fd, &p, 0) > 0;
}

/* Nothing is sent: it asks which address it would have. */
static int route_only(const struct target *t, bool port)
{
	struct sockaddr_in to = t->to, own;
	socklen_t len = sizeof(own);
	int fd = way_socket(AF_INET, SOCK_DGRAM, 0);

	if (!port)
		to.sin_port = 0;
	way_is_mine();
	return connect(fd, any(&to), sizeof(to)) || getsockname(fd, (struct sockaddr *)&own, &len);
}

static int way_route_only(const struct target *t)
{
	return route_only(t, true);
}

static int way_route_only0(const struct target *t)
{
	return route_only(t, false);
}

/* The kernel says to the group's routers that somebody is in it (IGMP). */
static int way_igmp(const struct target *t)
{
	struct ip_mreqn group = { .imr_multiaddr = t->to.sin_addr };
	int fd = way_socket(AF_INET, SOCK_DGRAM, 0);

	way_is_mine();
	if (setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &group, sizeof(group)))
		die("IP_ADD_MEMBERSHIP");
	return 0;
}

#ifdef __x86_64__
/* Where 32-bit calls can point to. */
static struct low {
	struct sockaddr_in to;
	uint32_t args[3];
} *low;

static void no_int80(int signal)
{
	(void)signal;
	_exit(WAY_NONE);
}

static long int80(long nr, long a, long b, long c)
{
	long result;

	__asm__ volatile("int $0x80" : "=a"(result) : "a"(nr), "b"(a), "c"(b), "d"(c)
			 : "memory", "r8", "r9", "r10", "r11");
	return (int)result;
}

static void make_low(const struct target *t)
{
	low = mmap(NULL, sizeof(*low), PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	if (low == MAP_FAILED)
		die("mmap");
	low->to = t->to;
	signal(SIGSEGV, no_int80);
}

/* arch/x86/entry/syscalls/syscall_32.tbl: 359 socket, 362 connect. */
static int way_direct32(const struct target *t)
{
	make_low(t);
	way_is_mine();
	int80(362, int80(359, AF_INET, SOCK_STREAM, 0), (long)&low->to, sizeof(low->to));
	return 0;
}

/* 102 socketcall: 1 socket, 3 connect (linux/net.h). */
static int way_socketcall32(const struct target *t)
{
	make_low(t);
	low->args[0] = AF_INET;
	low->args[1] = SOCK_STREAM;
	low->args[2] = 0;
	way_is_mine();
	low->args[0] = (uint32_t)int80(102, 1, (long)low->args, 0);
	low->args[1] = (uint32_t)(uintptr_t)&low->to;
	low->args[2] = sizeof(low->to);
	int80(102, 3, (long)low->args, 0);
	return 0;
}
#else
static int way_direct32(const struct target *t)
{
	(void)t;
	return WAY_NONE;
}
#define way_socketcall32 way_direct32
#endif

static const struct {
	const char *name;
	way_fn *fn;
} ways[] = {
	{ "tcp", way_tcp }, { "tcp6", way_tcp6 }, { "udp", way_udp }, { "udp6", way_udp6 },
	{ "udplite", way_udplite }, { "mptcp", way_mptcp }, { "sctp", way_sctp },
	{ "sendmsg", way_sendmsg }, { "sendmmsg", way_sendmmsg }, { "udp-again", way_udp_again },
	{ "multicast", way_udp }, { "broadcast", way_broadcast }, { "fastopen", way_fastopen },
	{ "sendfile", way_sendfile }, { "splice", way_splice }, { "mark", way_mark },
	{ "tun", way_tun }, { "vrf", way_vrf }, { "wireguard", way_wireguard },
	{ "forwarded", way_forwarded }, { "translated", way_forwarded },
	{ "device", way_device }, { "ping", way_ping }, { "ping6", way_ping6 },
	{ "raw-echo", way_raw_echo }, { "raw-echo6", way_raw_echo6 }, { "raw-own", way_raw_own },
	{ "raw-own6", way_raw_own6 }, { "raw-connected", way_raw_connected },
	{ "raw-header", way_raw_header }, { "raw-tcp", way_raw_tcp }, { "packet", way_packet },
	{ "any", way_tcp },
	{ "route-only", way_route_only }, { "route-only0", way_route_only0 },
	{ "igmp", way_igmp }, { "direct32", way_direct32 }, { "socketcall32", way_socketcall32 },
	{ "passed", way_passed }, { "exec", way_over_exec }, { "setuid", way_setuid },
	{ "setns", way_setns }, { "pidns", way_pid_namespace }, { "socketpair", way_socketpair },
	{ "ring-connect", way_ring_connect }, { "ring-async", way_ring_async },
	{ "ring-polled", way_ring_polled }, { "ring-late", way_ring_late },
	{ "ring-sendmsg", way_ring_sendmsg }, { "ring-send", way_ring_send },
	{ "ring-bind", way_ring_bind }, { "ring-accept", way_ring_accept },
	{ "fragments", way_fragments }, { "burst", way_burst }, { "no-address", way_no_address },
	{ "bound", way_bound }, { "mapped", way_mapped },
	{ "accept", way_accept }, { "accept-null", way_accept_null },
	{ "prefork", way_prefork }, { "reuseport", way_reuseport },
	{ "activation", way_activation }, { "activated", way_activated },
	{ "datagram-in", way_datagram_in },
};

int main(int argc, char **argv)
{
	struct target t = { .to.sin_family = AF_INET, .six.sin6_family = AF_INET6,
			    .six.sin6_addr.s6_addr = { 0xfd, 0x77 }, .self = argv[0] };
	uint8_t *other;

	if (argc < 4 || inet_pton(AF_INET, argv[2], &t.to.sin_addr) != 1)
		return 2;
	t.address = argv[2];
	t.port = argv[3];
	t.to.sin_port = t.six.sin6_port = htons((uint16_t)atoi(argv[3]));
	memcpy(t.six.sin6_addr.s6_addr + 14, &t.six.sin6_port, sizeof(t.six.sin6_port));
	t.other = t.to;
	other = (uint8_t *)&t.other.sin_addr;
	other[2]++;
	if (argc == 5)		/* exec: the descriptor that was kept */
		return connect_by(atoi(argv[4]), &t.to, sizeof(t.to));
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		if (!strcmp(ways[i].name, argv[1]))
			return ways[i].fn(&t);
	return 2;
}
