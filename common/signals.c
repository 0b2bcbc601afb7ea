/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A daemon's signals as descriptors. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "signals.h"

static int open_set(const sigset_t *set)
{
	int fd = signalfd(-1, set, SFD_CLOEXEC | SFD_NONBLOCK);

	return fd < 0 ? -errno : fd;
}

int signals_open(struct signals *s)
{
	sigset_t end, reload, all;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&end);
	sigaddset(&end, SIGTERM);
	sigaddset(&end, SIGINT);
	sigemptyset(&reload);
	sigaddset(&reload, SIGHUP);
	all = end;
	sigaddset(&all, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &all, NULL);
	s->end = open_set(&end);
	s->reload = s->end < 0 ? -1 : open_set(&reload);
	if (s->end >= 0 && s->reload >= 0)
		return 0;
	return s->end < 0 ? s->end : s->reload;
}

void signals_close(struct signals *s)
{
	close(s->end);
	close(s->reload);
}

void signals_reload(struct signals *s)
{
	struct signalfd_siginfo info;

	while (read(s->reload, &info, sizeof(info)) == sizeof(info))
		;
}
