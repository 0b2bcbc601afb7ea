/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every way to send to an address and to accept, which the rules for them must see.
 *
 *   sends MODE PORT      MODE: b64, direct32, socketcall32, several, unspec, silent
 *
 * Prints what the cache must have for it: "pid|kind|fd|address|port|exit", in order.  The 32-bit
 * calls are made from 64-bit code (int 0x80).  All of it stays on the loopback, on the ports PORT
 * to PORT + 17.  Exit status 77: not on this machine.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/net.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum call { CALL_SENDTO, CALL_SENDMSG, CALL_SENDMMSG, CALL_ACCEPT, CALL_ACCEPT4, CALLS };

union name {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

/* As 32-bit programs lay them out (compat.h). */
struct iovec32 {
	uint32_t base, len;
};
struct msghdr32 {
	uint32_t name, namelen, iov, iovlen, control, controllen, flags;
};

/* Where 32-bit calls can point to. */
static struct low {
	union name name;
	socklen_t len;
	uint32_t args[6];
	struct iovec32 iov32;
	struct {
		struct msghdr32 head;
		uint32_t sent;
	} message32;
	struct iovec iov;
	struct mmsghdr message;
	char bytes[4];
} *low;

/* The call made in one way; -ENOSYS where that way does not have it. */
typedef long call_fn(enum call call, int fd, int flags);

static long b64(enum call call, int fd, int flags)
{
	long result;

	low->iov = (struct iovec){ low->bytes, sizeof(low->bytes) };
	low->message.msg_hdr = (struct msghdr){ .msg_name = &low->name, .msg_namelen = low->len,
						.msg_iov = &low->iov, .msg_iovlen = 1 };
	switch (call) {
	case CALL_SENDTO:
		result = sendto(fd, low->bytes, sizeof(low->bytes), flags, &low->name.any,
				low->len);
		break;
	case CALL_SENDMSG:
		result = sendmsg(fd, &low->message.msg_hdr, flags);
		break;
	case CALL_SENDMMSG:
		result = sendmmsg(fd, &low->message, 1, flags);
		break;
	case CALL_ACCEPT:
		result = accept(fd, &low->name.any, &low->len);
		break;
	default:
		result = accept4(fd, &low->name.any, &low->len, flags);
		break;
	}
	return result < 0 ? -errno : result;
}

#ifdef __x86_64__
static long int80(long nr, const uint32_t *a)
{
	register long sixth __asm__("r12") = a[5];
	long result;

	__asm__ volatile("xchg %%rbp, %%r12; int $0x80; xchg %%rbp, %%r12"
			 : "=a"(result), "+r"(sixth)
			 : "a"(nr), "b"((long)a[0]), "c"((long)a[1]), "d"((long)a[2]),
			   "S"((long)a[3]), "D"((long)a[4])
			 : "memory", "r8", "r9", "r10", "r11");
	return (int)result;
}

static uint32_t address32(const void *p)
{
	return (uint32_t)(uintptr_t)p;
}

static void arguments32(enum call call, int fd, int flags)
{
	uint32_t *a = low->args;

	low->iov32 = (struct iovec32){ address32(low->bytes), sizeof(low->bytes) };
	low->message32.head = (struct msghdr32){ .name = address32(&low->name), .namelen = low->len,
						 .iov = address32(&low->iov32), .iovlen = 1 };
	memset(a, 0, sizeof(low->args));
	a[0] = (uint32_t)fd;
	if (call == CALL_SENDTO) {
		a[1] = address32(low->bytes);
		a[2] = sizeof(low->bytes);
		a[3] = (uint32_t)flags;
		a[4] = address32(&low->name);
		a[5] = low->len;
	} else if (call == CALL_SENDMSG) {
		a[1] = address32(&low->message32);
		a[2] = (uint32_t)flags;
	} else if (call == CALL_SENDMMSG) {
		a[1] = address32(&low->message32);
		a[2] = 1;
		a[3] = (uint32_t)flags;
	} else {
		a[1] = address32(&low->name);
		a[2] = address32(&low->len);
		a[3] = (uint32_t)flags;
	}
}

/* arch/x86/entry/syscalls/syscall_32.tbl, which has no accept. */
static long direct32(enum call call, int fd, int flags)
{
	static const int numbers[CALLS] = { [CALL_SENDTO] = 369, [CALL_SENDMSG] = 370,
					    [CALL_SENDMMSG] = 345, [CALL_ACCEPT4] = 364 };

	if (!numbers[call])
		return -ENOSYS;
	arguments32(call, fd, flags);
	return int80(numbers[call], low->args);
}

static long socketcall32(enum call call, int fd, int flags)
{
	static const uint32_t numbers[CALLS] = {
		[CALL_SENDTO] = SYS_SENDTO, [CALL_SENDMSG] = SYS_SENDMSG,
		[CALL_SENDMMSG] = SYS_SENDMMSG, [CALL_ACCEPT] = SYS_ACCEPT,
		[CALL_ACCEPT4] = SYS_ACCEPT4,
	};
	uint32_t call_and_args[6] = { numbers[call], address32(low->args) };

	arguments32(call, fd, flags);
	return int80(102, call_and_args);
}
#endif

static void set_name(const char *address, int port)
{
	memset(&low->name, 0, sizeof(low->name));
	if (strchr(address, ':')) {
		low->name.in6.sin6_family = AF_INET6;
		low->name.in6.sin6_port = htons((uint16_t)port);
		inet_pton(AF_INET6, address, &low->name.in6.sin6_addr);
		low->len = sizeof(low->name.in6);
	} else {
		low->name.in.sin_family = AF_INET;
		low->name.in.sin_port = htons((uint16_t)port);
		inet_pton(AF_INET, address, &low->name.in.sin_addr);
		low->len = sizeof(low->name.in);
	}
}

static void expect(const char *kind, int fd, const char *address, int port, long exit_value)
{
	printf("%d|%s|%d|%s|%d|%ld\n", (int)getpid(), kind, fd, address, port, exit_value);
}

/* Not blocking: a send that would fill the queue must not hang the test. */
static int send_all(call_fn *call, int port)
{
	static const char *const addresses[] = { "127.0.0.1", "::1", "::ffff:127.0.0.2" };

	for (enum call c = CALL_SENDTO; c <= CALL_SENDMMSG; c++) {
		for (int i = 0; i < 3; i++, port++) {
			int fd = socket(i ? AF_INET6 : AF_INET, SOCK_DGRAM, 0);
			long result;

			set_name(addresses[i], port);
			result = call(c, fd, MSG_DONTWAIT);
			if (result < 0)
				return result == -ENOSYS ? 77 : 1;
			expect("send", fd, addresses[i], port, result);
			close(fd);
		}
	}
	return 0;
}

/* A connection to a listener on port, from the port behind it. */
static int accept_one(call_fn *call, enum call c, const char *address, int port)
{
	int family = strchr(address, ':') ? AF_INET6 : AF_INET, one = 1;
	int listener = socket(family, SOCK_STREAM, 0), client = socket(family, SOCK_STREAM, 0);
	long fd;

	setsockopt(client, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	set_name(address, port);
	if (bind(listener, &low->name.any, low->len) || listen(listener, 1))
		return 1;
	set_name(address, port + 1);
	if (bind(client, &low->name.any, low->len))
		return 1;
	set_name(address, port);
	if (connect(client, &low->name.any, low->len))
		return 1;
	low->len = sizeof(low->name);
	fd = call(c, listener, 0);
	if (fd >= 0) {
		expect("accept", (int)fd, address, port + 1, fd);
		close((int)fd);
	}
	close(client);
	close(listener);
	return fd >= 0 || fd == -ENOSYS ? 0 : 1;
}

static int run_all(call_fn *call, int port)
{
	int status = send_all(call, port);

	port += 10;
	for (enum call c = CALL_ACCEPT; !status && c <= CALL_ACCEPT4; c++) {
		status = accept_one(call, c, "127.0.0.1", port);
		if (!status)
			status = accept_one(call, c, "::1", port + 2);
		port += 4;
	}
	return status;
}

/* One sendmmsg() to three places: the kernel keeps one address a call, the last it looked at. */
static int several(int port)
{
	struct mmsghdr messages[3] = { 0 };
	union name names[3];
	struct iovec iov = { low->bytes, sizeof(low->bytes) };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	for (int i = 0; i < 3; i++) {
		set_name("127.0.0.1", port + i);
		names[i] = low->name;
		messages[i].msg_hdr = (struct msghdr){ .msg_name = &names[i],
						       .msg_namelen = low->len,
						       .msg_iov = &iov, .msg_iovlen = 1 };
	}
	if (sendmmsg(fd, messages, 3, MSG_DONTWAIT) != 3)
		return 1;
	expect("send", fd, "127.0.0.1", port + 2, 3);
	/* The last one fails, and hides the first. */
	names[1].any.sa_family = AF_UNIX;
	if (sendmmsg(fd, messages, 2, MSG_DONTWAIT) != 1)
		return 1;
	close(fd);
	return 0;
}

/* An IPv4 socket takes AF_UNSPEC for AF_INET (udp_sendmsg()). */
static int unspec(int port)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	set_name("127.0.0.1", port);
	low->name.any.sa_family = AF_UNSPEC;
	if (b64(CALL_SENDTO, fd, MSG_DONTWAIT) != sizeof(low->bytes))
		return 1;
	expect("send", fd, "127.0.0.1", port, sizeof(low->bytes));
	close(fd);
	return 0;
}

/* Sends without an address, or with one of another family. */
static int silent(int port)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX, .sun_path = "/nonexistent/socket" };
	int fd = socket(AF_INET, SOCK_DGRAM, 0), local = socket(AF_UNIX, SOCK_DGRAM, 0);
	int listener = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0);
	struct iovec iov = { low->bytes, sizeof(low->bytes) };
	struct msghdr head = { .msg_iov = &iov, .msg_iovlen = 1 };

	set_name("127.0.0.1", port);
	if (connect(fd, &low->name.any, low->len) ||
	    sendto(fd, low->bytes, sizeof(low->bytes), MSG_DONTWAIT, NULL, 0) < 0)
		return 1;
	/* The first send's error is pending, and the next call gets it. */
	sendmsg(fd, &head, MSG_DONTWAIT);
	if (sendto(local, "", 1, MSG_DONTWAIT, (struct sockaddr *)&un, sizeof(un)) >= 0)
		return 1;
	if (bind(listener, &low->name.any, low->len) || listen(listener, 1) ||
	    connect(client, &low->name.any, low->len) || accept(listener, NULL, NULL) < 0)
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
	int port = argc == 3 ? atoi(argv[2]) : 0, flags = MAP_PRIVATE | MAP_ANONYMOUS;

	if (!port)
		return 2;
#ifdef MAP_32BIT
	flags |= MAP_32BIT;
#endif
	low = mmap(NULL, sizeof(*low), PROT_READ | PROT_WRITE, flags, -1, 0);
	if (low == MAP_FAILED)
		return 1;
	if (!strcmp(argv[1], "b64"))
		return run_all(b64, port);
	if (!strcmp(argv[1], "several"))
		return several(port);
	if (!strcmp(argv[1], "unspec"))
		return unspec(port);
	if (!strcmp(argv[1], "silent"))
		return silent(port);
#ifdef __x86_64__
	signal(SIGSEGV, no_int80);
	if (!strcmp(argv[1], "direct32"))
		return run_all(direct32, port);
	if (!strcmp(argv[1], "socketcall32"))
		return run_all(socketcall32, port);
#endif
	return 77;
}
