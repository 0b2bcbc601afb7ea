/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A socket that is connected to the kernel: it gets the kernel's messages, and no other process's.
 */
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include <libmnl/libmnl.h>
#include <linux/netlink.h>

#include "netlink.h"
#include "tap.h"

/* Sends nothing that means anything; the kernel says so (NLMSG_ERROR), which is its answer. */
static int ask(struct mnl_socket *nl, unsigned int seq)
{
	char buf[64] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);

	h->nlmsg_type = NLMSG_MIN_TYPE;
	h->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	h->nlmsg_seq = seq;
	return netlink_send(nl, h);
}

static void test_kernel(struct mnl_socket *nl)
{
	char buf[1024] __attribute__((aligned(NLMSG_ALIGNTO)));
	const struct nlmsghdr *h = (const struct nlmsghdr *)buf;
	ssize_t n;

	tap_ok(!ask(nl, 7), "the kernel is sent something");
	n = netlink_receive(nl, buf, sizeof(buf));
	tap_ok(n >= (ssize_t)sizeof(*h) && netlink_is_whole(buf, (size_t)n) && h->nlmsg_seq == 7 &&
	       h->nlmsg_type == NLMSG_ERROR, "and answers");
	tap_ok(!ask(nl, 8) && netlink_receive(nl, buf, sizeof(*h)) == -ENOSPC,
	       "an answer that has no room is an error");
	tap_ok(!ask(nl, 9) && netlink_receive(nl, buf, sizeof(buf)) == n && h->nlmsg_seq == 9,
	       "and the next one comes whole");
}

static void test_others(struct mnl_socket *nl)
{
	struct sockaddr_nl to = { .nl_family = AF_NETLINK, .nl_pid = mnl_socket_get_portid(nl) };
	int other = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	struct nlmsghdr h = { .nlmsg_len = sizeof(h), .nlmsg_type = NLMSG_DONE };
	char buf[64];

	/* Without the right to do so sendto() fails with EPERM before that. */
	tap_ok(sendto(other, &h, sizeof(h), 0, (const struct sockaddr *)&to, sizeof(to)) < 0 &&
	       (errno == ECONNREFUSED || errno == EPERM), "another socket's message is refused");
	tap_ok(recv(mnl_socket_get_fd(nl), buf, sizeof(buf), MSG_DONTWAIT) < 0 && errno == EAGAIN,
	       "and does not come");
	mnl_socket_close(nl);
	close(other);
}

int main(void)
{
	struct mnl_socket *nl = NULL;

	tap_ok(netlink_open(-1, &nl) < 0 && !nl, "no such bus");
	if (!tap_ok(!netlink_open(NETLINK_SOCK_DIAG, &nl), "the sockets' bus is opened"))
		return tap_done();
	test_kernel(nl);
	test_others(nl);
	return tap_done();
}
