/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What sock_diag and the netfilter queues both need of netlink. */
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include <libmnl/libmnl.h>
#include <linux/netlink.h>

#include "netlink.h"

int netlink_open(int bus, struct mnl_socket **out)
{
	const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	struct mnl_socket *nl = mnl_socket_open2(bus, SOCK_CLOEXEC);
	int rc;

	if (!nl)
		return -errno;
	if (mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) < 0 ||
	    connect(mnl_socket_get_fd(nl), (const struct sockaddr *)&kernel, sizeof(kernel))) {
		rc = -errno;
		mnl_socket_close(nl);
		return rc;
	}
	*out = nl;
	return 0;
}

int netlink_adopt(int bus, int fd, struct mnl_socket **out)
{
	int domain, protocol;
	socklen_t len = sizeof(domain);

	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) || domain != AF_NETLINK ||
	    getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &len) || protocol != bus)
		return -EBADF;
	*out = mnl_socket_fdopen(fd);
	return *out ? 0 : -EBADF;
}

int netlink_send(struct mnl_socket *nl, const struct nlmsghdr *h)
{
	return send(mnl_socket_get_fd(nl), h, h->nlmsg_len, 0) < 0 ? -errno : 0;
}

int netlink_send_all(struct mnl_socket *nl, const void *messages, size_t len)
{
	return send(mnl_socket_get_fd(nl), messages, len, 0) < 0 ? -errno : 0;
}

ssize_t netlink_receive(struct mnl_socket *nl, void *buf, size_t size)
{
	ssize_t n = recv(mnl_socket_get_fd(nl), buf, size, MSG_TRUNC);

	if (n < 0)
		return -errno;
	return (size_t)n > size ? -ENOSPC : n;
}

bool netlink_is_whole(const void *messages, size_t len)
{
	const uint8_t *at = messages;

	while (len >= sizeof(struct nlmsghdr)) {
		struct nlmsghdr h;

		memcpy(&h, at, sizeof(h));
		if (h.nlmsg_len < sizeof(h) || h.nlmsg_len > len)
			return false;
		/* The last one need not be padded. */
		if (len - h.nlmsg_len < NLMSG_ALIGNTO)
			return true;
		at += NLMSG_ALIGN(h.nlmsg_len);
		len -= NLMSG_ALIGN(h.nlmsg_len);
	}
	return true;
}
