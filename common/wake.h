/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_WAKE_H
#define SOCKLEDGER_WAKE_H

#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* A descriptor by which one thread wakes another one that polls it; -1 with errno. */
static inline int wake_open(void)
{
	return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}

static inline void wake_tell(int fd)
{
	uint64_t one = 1;

	/* It fails only where the counter is full: then the other one has been told. */
	if (write(fd, &one, sizeof(one)) < 0)
		return;
}

/* It is readable again with the next wake_tell(). */
static inline void wake_hear(int fd)
{
	uint64_t count;

	if (read(fd, &count, sizeof(count)) < 0)
		return;		/* nothing was told */
}

#endif
