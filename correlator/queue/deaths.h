/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_DEATHS_H
#define SOCKLEDGER_DEATHS_H

#include <stddef.h>
#include <stdint.h>

#include "tuple.h"

/*
 * Sockets that die: the kernel announces each TCP and UDP socket of this network namespace that
 * nothing holds any more (SKNLGRP_INET_TCP_DESTROY and its like, linux/sock_diag.h;
 * sock_diag_bind() in net/core/sock_diag.c).  Measured on Linux 6.18: 11 to 600 us after close(),
 * and never before the verdict of a packet that the socket sent.
 */
struct deaths;

struct death {
	int protocol;
	struct endpoint local, peer;	/* as the socket had them; 0.0.0.0, :: and port 0: any */
	uint64_t cookie;		/* as sock_diag names the socket */
	/* TCP, both ways; -1: not known.  bytes is the payload, and one for each FIN that was
	 * acknowledged (tcp_info(7) cannot tell). */
	int64_t bytes, packets;
};

/*
 * 0; -EOPNOTSUPP where this kernel does not announce them, which is tried with a socket of our own
 * and takes as long as deaths_open() waits for it (a tenth of a second at most); or another -errno.
 */
int deaths_open(struct deaths **d);
void deaths_close(struct deaths *d);
enum death_kind { DEATHS_UDP, DEATHS_TCP, DEATH_KINDS };

/* For poll(): readable where UDP has a death to show. */
int deaths_fd(const struct deaths *d);

/*
 * Shows the deaths of that kind that have been announced, without waiting.  0; -ENOBUFS where some
 * were lost since the last call; or another -errno.
 */
int deaths_show(struct deaths *d, enum death_kind kind,
		void (*each)(const struct death *death, void *arg), void *arg);

/* What deaths_show() does with one read; `message` is aligned as malloc() does.  0, or -EBADMSG. */
int deaths_parse(const void *message, size_t len,
		 void (*each)(const struct death *death, void *arg), void *arg);

#endif
