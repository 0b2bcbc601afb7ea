/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Processes in network namespaces of their own, which connect all at once.
 *
 *   boxes all COUNT ADDRESS ADDRESS6 PORT     prints "N PID" of each; with the first line of stdin
 *                                             they set their eth0 up (10.88.0.0/16, fd88::/64, by
 *                                             N), which is said by "up"; with the second one each
 *                                             connects over TCP, and sends a datagram, to
 *                                             the first, to PORT + N, and the first 20 over
 *                                             IPv6 to PORT; with the third they exit
 *   boxes knock ADDRESS PORT FIRST COUNT      prints its PID, and begins to connect from each port
 *                                             from FIRST on, which the kernel chooses; says "done",
 *                                             and exits with the end of stdin
 *   boxes raw SOURCE ADDRESS PORT FIRST COUNT sends the SYNs of such connections, which are none
 */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <net/route.h>
#include <netinet/ip.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "helper.h"

/* Of IPv6 each namespace takes several of the kernel's 1024 neighbours for all (gc_thresh3). */
#define SIX 20

static void check(int rc, const char *what)
{
	if (rc < 0)
		die(what);
}

static void set(const char *path, const char *value)
{
	FILE *f = fopen(path, "we");

	if (!f || fputs(value, f) < 0 || fclose(f))
		die(path);
}

static struct sockaddr_in four(const char *address, int port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };

	if (inet_pton(AF_INET, address, &a.sin_addr) != 1)
		die(address);
	return a;
}

static struct sockaddr_in6 six(const char *address, int port)
{
	struct sockaddr_in6 a = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port) };

	if (inet_pton(AF_INET6, address, &a.sin6_addr) != 1)
		die(address);
	return a;
}

static void set_up_four(int n)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq r = { .ifr_name = "eth0" };
	struct rtentry route = { .rt_flags = RTF_UP | RTF_GATEWAY };
	struct sockaddr_in a = four("10.88.1.0", 0);

	a.sin_addr.s_addr = htonl(ntohl(a.sin_addr.s_addr) + (uint32_t)n);
	memcpy(&r.ifr_addr, &a, sizeof(a));
	check(ioctl(fd, SIOCSIFADDR, &r), "address");
	a = four("255.255.0.0", 0);
	memcpy(&r.ifr_netmask, &a, sizeof(a));
	check(ioctl(fd, SIOCSIFNETMASK, &r), "mask");
	r.ifr_flags = IFF_UP | IFF_RUNNING;
	check(ioctl(fd, SIOCSIFFLAGS, &r), "up");
	a = four("0.0.0.0", 0);
	memcpy(&route.rt_dst, &a, sizeof(a));
	memcpy(&route.rt_genmask, &a, sizeof(a));
	a = four("10.88.0.1", 0);
	memcpy(&route.rt_gateway, &a, sizeof(a));
	check(ioctl(fd, SIOCADDRT, &route), "route");
	close(fd);
}

/* struct in6_ifreq, whose header cannot stand beside that of struct ifreq. */
struct address_of_link {
	struct in6_addr address;
	uint32_t prefix;
	int link;
};

/* The kernel lets nobody use it until it has asked the link for another one like it. */
static void wait_for_six(const struct in6_addr *address)
{
	struct sockaddr_in6 own = { .sin6_family = AF_INET6, .sin6_addr = *address };
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	for (int tries = 0; bind(fd, (struct sockaddr *)&own, sizeof(own)); tries++) {
		if (errno != EADDRNOTAVAIL || tries == 1000)
			die("bind");
		usleep(10000);
	}
	close(fd);
}

static void set_up_six(int n)
{
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int link = (int)if_nametoindex("eth0");
	struct sockaddr_in6 own = six("fd88::", 0), gateway = six("fd88::ffff", 0);
	struct address_of_link a = { .prefix = 64, .link = link };
	struct in6_rtmsg route = {
		.rtmsg_gateway = gateway.sin6_addr, .rtmsg_flags = RTF_UP | RTF_GATEWAY,
		.rtmsg_metric = 1, .rtmsg_ifindex = link,
	};

	a.address = own.sin6_addr;
	a.address.s6_addr[14] = (uint8_t)(n >> 8);
	a.address.s6_addr[15] = (uint8_t)n;
	check(ioctl(fd, SIOCSIFADDR, &a), "address of IPv6");
	check(ioctl(fd, SIOCADDRT, &route), "route of IPv6");
	close(fd);
	wait_for_six(&a.address);
}

static void connect_to(int family, const void *to, socklen_t len)
{
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	/* Nobody listens. */
	if (fd < 0 || (connect(fd, to, len) && errno != ECONNREFUSED))
		die("connect");
	close(fd);
}

static void wait_at(int gate)
{
	char c;

	if (read(gate, &c, 1) != 1)
		exit(1);
}

/* The gates that all wait at, one after another. */
enum { SET_UP, CONNECT, LEAVE, GATES };

static void box(int n, const int gate[GATES], int said, char **argv)
{
	int port = atoi(argv[2]), fd;
	struct sockaddr_in to = four(argv[0], port + n);
	struct sockaddr_in6 to6 = six(argv[1], port);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	check(unshare(CLONE_NEWNET), "unshare");
	check((int)write(said, "n", 1), "said");
	wait_at(gate[SET_UP]);
	/* Both, or the address may not be used for a second. */
	set("/proc/sys/net/ipv6/conf/all/accept_dad", "0");
	set("/proc/sys/net/ipv6/conf/eth0/accept_dad", "0");
	set_up_four(n);
	if (n <= SIX)
		set_up_six(n);
	check((int)write(said, "u", 1), "said");
	wait_at(gate[CONNECT]);
	connect_to(AF_INET, &to, sizeof(to));
	if (n <= SIX)
		connect_to(AF_INET6, &to6, sizeof(to6));
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	check((int)sendto(fd, "x", 1, 0, (struct sockaddr *)&to, sizeof(to)), "sendto");
	check((int)write(said, "c", 1), "said");
	wait_at(gate[LEAVE]);
	exit(0);
}

static void hear(int said, int count)
{
	char c;

	while (count-- > 0)
		if (read(said, &c, 1) != 1)
			die("a box has gone");
}

static void open_gate(int gate, int count)
{
	if (getchar() == EOF)
		exit(1);
	while (count-- > 0)
		check((int)write(gate, "g", 1), "gate");
}

static int all(char **argv)
{
	int count = atoi(argv[0]), in[GATES], out[GATES], said[2], ends[2];

	if (pipe(said))
		die("pipe");
	for (int i = 0; i < GATES; i++) {
		if (pipe(ends))
			die("pipe");
		in[i] = ends[0];
		out[i] = ends[1];
	}
	for (int n = 1; n <= count; n++) {
		pid_t pid = fork();

		check(pid, "fork");
		if (!pid) {
			for (int i = 0; i < GATES; i++)
				close(out[i]);
			close(said[0]);
			box(n, in, said[1], argv + 1);
		}
		printf("%d %d\n", n, pid);
		fflush(stdout);
	}
	close(said[1]);
	hear(said[0], count);
	puts("born");
	fflush(stdout);
	open_gate(out[SET_UP], count);
	hear(said[0], count);
	puts("up");
	fflush(stdout);
	open_gate(out[CONNECT], count);
	hear(said[0], count);
	puts("done");
	fflush(stdout);
	open_gate(out[LEAVE], count);
	while (wait(NULL) > 0)
		;
	return 0;
}

static int knock(char **argv)
{
	struct sockaddr_in to = four(argv[0], atoi(argv[1]));
	int first = atoi(argv[2]), count = atoi(argv[3]);

	printf("%d\n", getpid());
	fflush(stdout);
	for (int port = first; port < first + count; port++) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		char range[32];

		snprintf(range, sizeof(range), "%d %d", port, port);
		set("/proc/sys/net/ipv4/ip_local_port_range", range);
		if (fd < 0 || (connect(fd, (struct sockaddr *)&to, sizeof(to)) &&
			       errno != EINPROGRESS))
			die("connect");
	}
	puts("done");
	fflush(stdout);
	while (getchar() != EOF)
		;
	return 0;
}

static uint16_t checksum(uint32_t sum, const void *bytes, size_t len)
{
	const uint16_t *at = bytes;

	for (; len > 1; len -= 2)
		sum += *at++;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static int raw(char **argv)
{
	struct sockaddr_in from = four(argv[0], 0), to = four(argv[1], atoi(argv[2]));
	int first = atoi(argv[3]), count = atoi(argv[4]);
	int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
	struct {
		struct iphdr ip;
		struct tcphdr tcp;
	} p;
	uint32_t pseudo = (from.sin_addr.s_addr >> 16) + (from.sin_addr.s_addr & 0xffff) +
			  (to.sin_addr.s_addr >> 16) + (to.sin_addr.s_addr & 0xffff) +
			  htons(IPPROTO_TCP) + htons(sizeof(p.tcp));

	for (int port = first; port < first + count; port++) {
		memset(&p, 0, sizeof(p));
		p.ip = (struct iphdr){ .version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_TCP,
				       .tot_len = htons(sizeof(p)), .saddr = from.sin_addr.s_addr,
				       .daddr = to.sin_addr.s_addr };
		p.tcp = (struct tcphdr){ .source = htons((uint16_t)port), .dest = to.sin_port,
					 .doff = 5, .syn = 1, .window = htons(1000) };
		p.tcp.check = checksum(pseudo, &p.tcp, sizeof(p.tcp));
		check((int)sendto(fd, &p, sizeof(p), 0, (struct sockaddr *)&to, sizeof(to)),
		      "sendto");
	}
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 6 && !strcmp(argv[1], "all"))
		return all(argv + 2);
	if (argc == 6 && !strcmp(argv[1], "knock"))
		return knock(argv + 2);
	if (argc == 7 && !strcmp(argv[1], "raw"))
		return raw(argv + 2);
	fprintf(stderr, "usage: boxes all|knock|raw ...\n");
	return 2;
}
