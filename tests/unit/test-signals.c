/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Signals as descriptors, and what a service manager is told. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "clock.h"
#include "notify.h"
#include "scratch.h"
#include "signals.h"
#include "tap.h"

static bool is_readable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}

static int next_signal(int fd)
{
	struct signalfd_siginfo info;

	return read(fd, &info, sizeof(info)) == sizeof(info) ? (int)info.ssi_signo : 0;
}

static void test_signals(void)
{
	struct signals s;

	tap_ok(signals_open(&s) == 0 && !is_readable(s.end) && !is_readable(s.reload),
	       "no signal has come");
	tap_ok((fcntl(s.end, F_GETFD) & FD_CLOEXEC) && (fcntl(s.reload, F_GETFD) & FD_CLOEXEC),
	       "nothing is left to a program that is executed");
	raise(SIGPIPE);
	tap_ok(!is_readable(s.end), "a pipe that breaks is no reason to end");
	raise(SIGHUP);
	tap_ok(is_readable(s.reload) && !is_readable(s.end), "SIGHUP: read anew");
	signals_reload(&s);
	tap_ok(!is_readable(s.reload), "once");
	signals_reload(&s);
	raise(SIGTERM);
	tap_ok(!is_readable(s.reload) && next_signal(s.end) == SIGTERM, "SIGTERM: an end");
	signals_close(&s);
	tap_ok(fcntl(s.end, F_GETFD) == -1 && fcntl(s.reload, F_GETFD) == -1, "both are closed");
	signals_open(&s);
	raise(SIGINT);
	tap_ok(!is_readable(s.reload) && next_signal(s.end) == SIGINT, "SIGINT, too");
	signals_close(&s);
}

static char got[256];

static const char *receive(int fd)
{
	ssize_t n = recv(fd, got, sizeof(got) - 1, MSG_DONTWAIT);

	got[n < 0 ? 0 : n] = '\0';
	return got;
}

/* A service manager that listens there; name: as NOTIFY_SOCKET has it. */
static void test_notify_at(const char *name)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	long long before, after, told = 0;

	memcpy(to.sun_path, name, strlen(name));
	if (name[0] == '@')
		to.sun_path[0] = '\0';
	if (bind(fd, (const struct sockaddr *)&to,
		 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name))))
		abort();
	setenv("NOTIFY_SOCKET", name, 1);
	tap_ok(!notify_ready() && !strcmp(receive(fd), "READY=1"), "ready, at %c", name[0]);
	before = clock_mono_ns() / 1000;
	tap_ok(!notify_reloading() && !strncmp(receive(fd), "RELOADING=1\nMONOTONIC_USEC=", 27),
	       "it reads its configuration anew");
	after = clock_mono_ns() / 1000;
	sscanf(got, "RELOADING=1\nMONOTONIC_USEC=%lld", &told);
	tap_ok(before <= told && told <= after, "and when it began that");
	tap_ok(!notify_stopping() && !strcmp(receive(fd), "STOPPING=1"), "it ends");
	close(fd);
	tap_ok(notify_ready() == -ECONNREFUSED, "nobody listens any more: why");
}

static void test_notify(void)
{
	struct sockaddr_un to;
	char name[sizeof(to.sun_path) + 2] = "";
	int spare;

	unsetenv("NOTIFY_SOCKET");
	tap_ok(notify_ready() == 0, "without a service manager there is nothing to tell");
	test_notify_at(scratch_path("notify"));
	snprintf(name, sizeof(name), "@sockledger-test-%d", (int)getpid());
	test_notify_at(name);
	memset(name, 'x', sizeof(name) - 1);
	name[0] = '@';
	setenv("NOTIFY_SOCKET", name, 1);
	tap_ok(notify_ready() == -EINVAL, "a name that is too long");
	name[sizeof(to.sun_path)] = '\0';
	setenv("NOTIFY_SOCKET", name, 1);
	tap_ok(notify_ready() == -ECONNREFUSED, "but not the longest");
	setenv("NOTIFY_SOCKET", "/", 1);
	tap_ok(notify_ready() == -EINVAL, "one of a single byte");
	setenv("NOTIFY_SOCKET", "vsock:2:1", 1);
	tap_ok(notify_ready() == -EINVAL, "and one of no kind that is known");
	setenv("NOTIFY_SOCKET", "@sockledger-test-nobody", 1);
	spare = open("/dev/null", O_RDONLY);
	close(spare);
	for (int i = 0; i < 10; i++)
		notify_ready();
	tap_ok(open("/dev/null", O_RDONLY) == spare, "no descriptor is left open");
}

int main(void)
{
	scratch_make();
	test_signals();
	test_notify();
	return tap_done();
}
