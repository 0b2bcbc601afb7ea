/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_NOTIFY_H
#define SOCKLEDGER_NOTIFY_H

#include <stdbool.h>

/*
 * Tells the service manager (Type=notify of systemd.service(5)) what this program does.  The
 * protocol is that of sd_notify(3): a datagram of lines "NAME=VALUE" to the socket at
 * $NOTIFY_SOCKET, a path, or with a leading '@' an abstract name.  Returns 0, also without
 * $NOTIFY_SOCKET; or -errno.
 */
int notify_ready(void);
int notify_reloading(void);	/* the caller calls notify_ready() afterwards */
int notify_stopping(void);
int notify_alive(void);

/*
 * Descriptors that the manager keeps beyond the end of this program (FileDescriptorStoreMax=), and
 * hands to the next one.  It closes them when the service is stopped.  name: without ':'.
 */
#define NOTIFY_NAME_CHARS 128
bool notify_has_manager(void);
int notify_keep(const char *name, int fd);
int notify_leave(const char *name);	/* it shall not keep that any more */
/* Shows each one that was kept, once; where each() gives false back it is closed. */
void notify_kept(bool (*each)(const char *name, int fd, void *arg), void *arg);

/* How often the manager wants notify_alive() (WatchdogSec=), in milliseconds; -1: never. */
int notify_alive_ms(void);

#endif
