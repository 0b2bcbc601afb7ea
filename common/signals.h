/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_SIGNALS_H
#define SOCKLEDGER_SIGNALS_H

/*
 * A daemon's signals as descriptors.  Open them before anything else, because auditd may send
 * SIGHUP to a plugin as soon as it has started it.
 */
struct signals {
	int end;	/* readable, and for good, once SIGTERM or SIGINT came: it is never read */
	int reload;	/* readable after SIGHUP, until signals_reload() */
};

/* 0 or -errno.  All threads that are started later have the signals blocked, too. */
int signals_open(struct signals *s);
void signals_close(struct signals *s);

/* Consumes the SIGHUPs that have come. */
void signals_reload(struct signals *s);

#endif
