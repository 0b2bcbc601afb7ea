/* SPDX-License-Identifier: GPL-2.0-or-later */
/* State messages for the service manager. */
#include <errno.h>
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

static int send_state(const char *state)
{
	const char *name = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	size_t len = name ? strlen(name) : 0;
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
	if (sendto(fd, state, strlen(state), MSG_NOSIGNAL, (const struct sockaddr *)&to,
		   (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) < 0)
		rc = -errno;
	close(fd);
	return rc;
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
