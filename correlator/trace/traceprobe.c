/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A probe at tcp_connect(), for kernels whose tracepoints say too little. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "traceprobe.h"
#include "tuple.h"

/* The register of a function's first argument, by the name that probes use. */
#if defined(__x86_64__)
#define FIRST "%%di"	/* for printf() */
#elif defined(__aarch64__)
#define FIRST "%%x0"
#endif

const struct traceprobe traceprobe_connect = { "kprobe_events", "tcp_connect" };

static int write_line(const char *tracing, const char *file, const char *line)
{
	char path[PATH_MAX];
	int fd, rc;

	snprintf(path, sizeof(path), "%s/%s", tracing, file);
	/* O_APPEND, because opening without it removes the probes of all programs. */
	fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	rc = write(fd, line, strlen(line)) < 0 ? -errno : 0;
	close(fd);
	return rc;
}

#ifdef FIRST
int traceprobe_add(const struct traceprobe *p, const char *tracing)
{
	char line[PATH_MAX + 512];
	int rc;

	/*
	 * skc_daddr, skc_rcv_saddr, skc_dport (network order), skc_num, skc_family, skc_v6_daddr
	 * and skc_v6_rcv_saddr.
	 */
	snprintf(line, sizeof(line),
		 "p:" TRACEPROBE_SYSTEM "/" TRACEPROBE_NAME " %s"
		 " daddr=+0(" FIRST "):u32 saddr=+4(" FIRST "):u32 dport=+12(" FIRST "):u16"
		 " sport=+14(" FIRST "):u16 family=+16(" FIRST "):u16"
		 " daddr6=+56(" FIRST "):u64 daddr6b=+64(" FIRST "):u64"
		 " saddr6=+72(" FIRST "):u64 saddr6b=+80(" FIRST "):u64\n", p->where);
	rc = write_line(tracing, p->file, line);
	return rc == -EEXIST || rc == -EBUSY ? 0 : rc;
}
#else
int traceprobe_add(const struct traceprobe *p, const char *tracing)
{
	(void)p;
	(void)tracing;
	return -ENOENT;
}
#endif

void traceprobe_remove(const struct traceprobe *p, const char *tracing)
{
	write_line(tracing, p->file, "-:" TRACEPROBE_SYSTEM "/" TRACEPROBE_NAME "\n");
}

union ends {
	struct sockaddr any;
	struct sockaddr_in four;
	struct sockaddr_in6 six;
};

static int end_of(int fd, struct endpoint *e)
{
	union ends end = { .any = { .sa_family = AF_UNSPEC } };
	socklen_t len = sizeof(end);

	if (getsockname(fd, &end.any, &len))
		return -errno;
	memset(e, 0, sizeof(*e));
	e->addr.family = (uint8_t)end.any.sa_family;
	if (end.any.sa_family == AF_INET6) {
		memcpy(e->addr.bytes, &end.six.sin6_addr, 16);
		e->port = ntohs(end.six.sin6_port);
	} else {
		memcpy(e->addr.bytes, &end.four.sin_addr, 4);
		e->port = ntohs(end.four.sin_port);
	}
	return 0;
}

int traceprobe_trial(int family, struct endpoint *src, struct endpoint *dst)
{
	union ends to = { .any = { .sa_family = (sa_family_t)family } };
	socklen_t len = family == AF_INET6 ? sizeof(to.six) : sizeof(to.four);
	int listener = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int client = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int rc = 0;

	if (family == AF_INET6)
		to.six.sin6_addr = in6addr_loopback;
	else
		to.four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (listener < 0 || client < 0 || bind(listener, &to.any, len) || listen(listener, 1) ||
	    getsockname(listener, &to.any, &len) ||
	    /* Do not wait: the answer may be waiting in our own queue. */
	    (connect(client, &to.any, len) && errno != EINPROGRESS))
		rc = -errno;
	if (!rc)
		rc = end_of(client, src);
	if (!rc)
		rc = end_of(listener, dst);
	if (client >= 0)
		close(client);
	if (listener >= 0)
		close(listener);
	return rc;
}
