/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every way to open a socket that the audit rules must see, and those that they must not.
 *
 *   calls MODE PORT      MODE: b64, direct32, socketcall32, other
 *
 * The 32-bit calls are made from 64-bit code (int 0x80), as a program could to walk around rules
 * for 64-bit calls alone.  Each mode binds a TCP socket to PORT, connects one to PORT over IPv4
 * and over IPv6 (PORT + 1), all on the loopback.  Exit status 77: not on this machine.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/net.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { CALL_SOCKET, CALL_BIND, CALL_CONNECT };

/* Where 32-bit calls can point to. */
static struct low {
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	unsigned int args[3];
} *low;

static long b64(int call, long a, long b, long c)
{
	switch (call) {
	case CALL_SOCKET:
		return socket((int)a, (int)b, (int)c);
	case CALL_BIND:
		return bind((int)a, (struct sockaddr *)b, (socklen_t)c);
	default:
		return connect((int)a, (struct sockaddr *)b, (socklen_t)c);
	}
}

#ifdef __x86_64__
static long int80(long nr, long a, long b, long c)
{
	long result;

	__asm__ volatile("int $0x80" : "=a"(result) : "a"(nr), "b"(a), "c"(b), "d"(c)
			 : "memory", "r8", "r9", "r10", "r11");
	return (int)result;
}

/* arch/x86/entry/syscalls/syscall_32.tbl */
static long direct32(int call, long a, long b, long c)
{
	static const long numbers[] = { [CALL_SOCKET] = 359, [CALL_BIND] = 361,
					[CALL_CONNECT] = 362 };

	return int80(numbers[call], a, b, c);
}

static long socketcall32(int call, long a, long b, long c)
{
	static const long numbers[] = { [CALL_SOCKET] = SYS_SOCKET, [CALL_BIND] = SYS_BIND,
					[CALL_CONNECT] = SYS_CONNECT };

	low->args[0] = (unsigned int)a;
	low->args[1] = (unsigned int)b;
	low->args[2] = (unsigned int)c;
	return int80(102, numbers[call], (long)low->args, 0);
}
#endif

static int open_all(long (*call)(int, long, long, long), int port)
{
	long fd;

	low->in = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons((uint16_t)port),
					.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	low->in6 = (struct sockaddr_in6){ .sin6_family = AF_INET6,
					  .sin6_port = htons((uint16_t)(port + 1)),
					  .sin6_addr = in6addr_loopback };
	fd = call(CALL_SOCKET, AF_INET, SOCK_STREAM, 0);
	if (fd < 0)
		return 77;
	if (call(CALL_BIND, fd, (long)&low->in, sizeof(low->in)) < 0)
		return 1;
	close((int)fd);
	fd = call(CALL_SOCKET, AF_INET, SOCK_STREAM, 0);
	call(CALL_CONNECT, fd, (long)&low->in, sizeof(low->in));
	close((int)fd);
	fd = call(CALL_SOCKET, AF_INET6, SOCK_DGRAM, 0);
	if (call(CALL_CONNECT, fd, (long)&low->in6, sizeof(low->in6)))
		return 1;
	close((int)fd);
	return 0;
}

/* Local and netlink sockets, and sending over what is connected already. */
static int other(int port)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX, .sun_path = "/nonexistent/socket" };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), pair[2];

	if (!connect(fd, (struct sockaddr *)&un, sizeof(un)))
		return 1;
	un.sun_path[0] = '\0';
	if (bind(fd, (struct sockaddr *)&un, sizeof(un.sun_family) + 8))
		return 1;
	close(fd);
	fd = socket(AF_NETLINK, SOCK_RAW, 0);
	close(fd);
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) || send(pair[0], &port, sizeof(port), 0) < 0)
		return 1;
	return 0;
}

#ifdef __x86_64__
/* Without 32-bit emulation the processor refuses int 0x80. */
static void no_int80(int signal)
{
	(void)signal;
	_exit(77);
}
#endif

int main(int argc, char **argv)
{
	int port = argc == 3 ? atoi(argv[2]) : 0;

	if (!port)
		return 2;
#ifdef MAP_32BIT
	low = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1,
		   0);
#else
	low = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
#endif
	if (low == MAP_FAILED)
		return 1;
	if (!strcmp(argv[1], "b64"))
		return open_all(b64, port);
	if (!strcmp(argv[1], "other"))
		return other(port);
#ifdef __x86_64__
	signal(SIGSEGV, no_int80);
	if (!strcmp(argv[1], "direct32"))
		return open_all(direct32, port);
	if (!strcmp(argv[1], "socketcall32"))
		return open_all(socketcall32, port);
#endif
	return 77;
}
