/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_NOTIFY_H
#define SOCKLEDGER_NOTIFY_H

/*
 * Tells a service manager that waits for it (Type=notify of systemd.service(5)) what this program does.
 * The protocol is that of sd_notify(3): a datagram of lines "NAME=VALUE" to the socket of which
 * $NOTIFY_SOCKET is the path, or with a leading '@' the abstract name.
 *
 * 0, also where nobody waits; else -errno.
 */
int notify_ready(void);
int notify_reloading(void);	/* to be followed by notify_ready() */
int notify_stopping(void);

#endif
