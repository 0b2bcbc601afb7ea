/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_NETLINK_H
#define SOCKLEDGER_NETLINK_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct mnl_socket;
struct nlmsghdr;

/*
 * A socket that is connected to the kernel: messages of other processes are refused, and no message
 * carries an address, which saves time while a packet waits (netlink_sendmsg(),
 * net/netlink/af_netlink.c).  bus: NETLINK_...  The caller closes it (mnl_socket_close()).
 * Negative: -errno.
 */
int netlink_open(int bus, struct mnl_socket **out);

/* One that another process has opened so.  -EBADF where fd is none of this bus; else fd is the
 * socket's, and closed with it. */
int netlink_adopt(int bus, int fd, struct mnl_socket **out);

/* Sends a message: 0 or -errno. */
int netlink_send(struct mnl_socket *nl, const struct nlmsghdr *h);
/* Likewise, several at once, each padded to NLMSG_ALIGNTO: the kernel reads one after the other. */
int netlink_send_all(struct mnl_socket *nl, const void *messages, size_t len);

/* Waits for the next message: its length, or -errno; -ENOSPC: it was too long, and is lost. */
ssize_t netlink_receive(struct mnl_socket *nl, void *buf, size_t size);

/*
 * True if each message of one read lies within it.  Call this before libmnl, which takes a length
 * beyond INT_MAX for a small one and reads behind the end.
 */
bool netlink_is_whole(const void *messages, size_t len);

#endif
