/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_NFLOG_H
#define SOCKLEDGER_NFLOG_H

#include <stddef.h>
#include <stdint.h>

/*
 * Copies of packets that a rule sends to a group (linux/netfilter/nfnetlink_log.h), of the network
 * namespace that it is opened in.  The packets themselves go their way.
 */
struct nflog;

struct nflog_packet {
	uint8_t hook;		/* NF_INET_LOCAL_OUT, ... */
	int64_t uid;		/* of the socket's opener; -1: it has no socket here */
	const uint8_t *data;	/* from the IP header on; borrowed */
	size_t len;
};

/* 0 or -errno: -EPERM without CAP_NET_ADMIN, -EBUSY where another program has this group. */
int nflog_open(uint16_t group, struct nflog **n);
void nflog_close(struct nflog *n);
/* For poll(). */
int nflog_fd(const struct nflog *n);

/* Shows what has come, without waiting, NFLOG_READ_MAX at most.  0; -ENOBUFS where some were lost
 * since the last call; or another -errno. */
#define NFLOG_READ_MAX 64
int nflog_show(struct nflog *n, void (*each)(const struct nflog_packet *p, void *arg), void *arg);

/* What nflog_show() does with one read; `message` is aligned as malloc() does.  0, or -EBADMSG. */
int nflog_parse(const void *message, size_t len,
		void (*each)(const struct nflog_packet *p, void *arg), void *arg);

#endif
