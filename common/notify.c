/* SPDX-License-Identifier: GPL-2.0-or-later */
/* State messages for the service manager, and descriptors that it keeps. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "clock.h"
#include "notify.h"

/* The first descriptor that a manager hands over (sd_listen_fds(3)). */
#define FIRST_FD 3

/* fd: goes with it; -1: none does. */
static int send_with(const char *state, int fd_along)
{
	const char *name = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	size_t len = name ? strlen(name) : 0;
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { .room = { 0 } };
	struct iovec text = { (void *)(uintptr_t)state, strlen(state) };
	struct msghdr message = { .msg_name = &to, .msg_iov = &text, .msg_iovlen = 1 };
	int fd, rc = 0;

	if (!name)
		return 0;
	/* The length delimits both kinds of name, so neither needs a terminator. */
	if ((name[0] != '/' && name[0] != '@') || len < 2 || len > sizeof(to.sun_path))
		return -EINVAL;
	memcpy(to.sun_path, name, len);
	if (name[0] == '@')
		to.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	message.msg_namelen = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
	if (fd_along >= 0) {
		control.head = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(int)),
						 .cmsg_level = SOL_SOCKET,
						 .cmsg_type = SCM_RIGHTS };
		memcpy(CMSG_DATA(&control.head), &fd_along, sizeof(int));
		message.msg_control = &control;
		message.msg_controllen = sizeof(control);
	}
	if (sendmsg(fd, &message, MSG_NOSIGNAL) < 0)
		rc = -errno;
	close(fd);
	return rc;
}

static int send_state(const char *state)
{
	return send_with(state, -1);
}

int notify_ready(void)
{
	return send_state("READY=1");
}

int notify_reloading(void)
{
	char state[64];

	/* Type=notify-reload compares this time with the time of the manager's own SIGHUP. */
	snprintf(state, sizeof(state), "RELOADING=1\nMONOTONIC_USEC=%lld",
		 (long long)(clock_mono_ns() / 1000));
	return send_state(state);
}

int notify_stopping(void)
{
	return send_state("STOPPING=1");
}

int notify_alive(void)
{
	return send_state("WATCHDOG=1");
}

int notify_alive_ms(void)
{
	const char *usec = getenv("WATCHDOG_USEC");
	const char *pid = getenv("WATCHDOG_PID");
	char *end;
	long long us;

	if (!usec || (pid && strtoll(pid, NULL, 10) != getpid()))
		return -1;
	us = strtoll(usec, &end, 10);
	if (end == usec || *end || us <= 0)
		return -1;
	/* Half of it, as sd_watchdog_enabled(3) advises. */
	us /= 2000;
	return us > INT_MAX ? INT_MAX : us > 0 ? (int)us : 1;
}

bool notify_has_manager(void)
{
	return getenv("NOTIFY_SOCKET") != NULL;
}

int notify_keep(const char *name, int fd)
{
	char state[NOTIFY_NAME_CHARS + 64];

	/* It would close a descriptor that has an error waiting, as a queue that overran has. */
	snprintf(state, sizeof(state), "FDSTORE=1\nFDPOLL=0\nFDNAME=%s", name);
	return send_with(state, fd);
}

int notify_leave(const char *name)
{
	char state[NOTIFY_NAME_CHARS + 64];

	snprintf(state, sizeof(state), "FDSTOREREMOVE=1\nFDNAME=%s", name);
	return send_state(state);
}

/* How many descriptors are for this process. */
static int count_kept(void)
{
	const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");
	char *end;
	long n;

	if (!pid || !count || strtoll(pid, NULL, 10) != getpid())
		return 0;
	n = strtol(count, &end, 10);
	return end == count || *end || n < 0 || n > INT_MAX - FIRST_FD ? 0 : (int)n;
}

void notify_kept(bool (*each)(const char *name, int fd, void *arg), void *arg)
{
	const char *names = getenv("LISTEN_FDNAMES");
	int count = count_kept();

	for (int i = 0; i < count; i++) {
		size_t len = names ? strcspn(names, ":") : 0;
		char name[NOTIFY_NAME_CHARS];

		snprintf(name, sizeof(name), "%.*s", len < sizeof(name) ? (int)len : 0,
			 names ? names : "");
		if (names)
			names += len + (names[len] == ':');
		if (fcntl(FIRST_FD + i, F_SETFD, FD_CLOEXEC) < 0)
			continue;
		if (!each(name, FIRST_FD + i, arg))
			close(FIRST_FD + i);
	}
	/* Only once: the numbers may be others' afterwards. */
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
}
