/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sockets that die, by the multicast groups of NETLINK_SOCK_DIAG. */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <libmnl/libmnl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>

#include "deaths.h"
#include "netlink.h"

/* A death of TCP, with its tcp_info, is less than half a kilobyte. */
#define MESSAGE_BYTES 4096
/* A burst of sockets that end: the kernel counts about a kilobyte for each. */
#define SOCKET_BYTES (4 * 1024 * 1024)
/* At once, so that packets do not wait for all of a burst. */
#define SHOWN_MAX 256
#define TRIAL_MS 100

struct deaths {
	struct mnl_socket *nl[DEATH_KINDS];
	char buf[MESSAGE_BYTES] __attribute__((aligned(8)));
};

/* UDP's are wanted at once; TCP's come by the thousand, and may wait. */
static int join(struct deaths *d, enum death_kind kind)
{
	static const int groups[DEATH_KINDS][2] = {
		[DEATHS_UDP] = { SKNLGRP_INET_UDP_DESTROY, SKNLGRP_INET6_UDP_DESTROY },
		[DEATHS_TCP] = { SKNLGRP_INET_TCP_DESTROY, SKNLGRP_INET6_TCP_DESTROY },
	};
	int bytes = SOCKET_BYTES, rc = netlink_open(NETLINK_SOCK_DIAG, &d->nl[kind]), fd;

	if (rc)
		return rc;
	fd = mnl_socket_get_fd(d->nl[kind]);
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	for (int i = 0; i < 2; i++) {
		int group = groups[kind][i];

		if (mnl_socket_setsockopt(d->nl[kind], NETLINK_ADD_MEMBERSHIP, &group,
					  sizeof(group)) < 0)
			return -errno;
	}
	return 0;
}

static void note_port(const struct death *death, void *arg)
{
	int *port = arg;

	if (death->local.port == *port)
		*port = -1;
}

/* A socket of our own dies: is that told? */
static int try_one(struct deaths *d)
{
	struct sockaddr_in own = { .sin_family = AF_INET,
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct pollfd p = { .fd = deaths_fd(d), .events = POLLIN };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), port, rc = 0;
	socklen_t len = sizeof(own);

	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&own, len) ||
	    getsockname(fd, (struct sockaddr *)&own, &len))
		rc = -errno;
	close(fd);
	port = ntohs(own.sin_port);
	while (!rc && port >= 0) {
		if (poll(&p, 1, TRIAL_MS) <= 0)
			return -EOPNOTSUPP;
		rc = deaths_show(d, DEATHS_UDP, note_port, &port);
		rc = rc == -ENOBUFS ? 0 : rc;
	}
	return rc;
}

int deaths_open(struct deaths **out)
{
	struct deaths *d = calloc(1, sizeof(*d));
	int rc = d ? join(d, DEATHS_UDP) : -ENOMEM;

	if (!rc)
		rc = join(d, DEATHS_TCP);
	if (!rc)
		rc = try_one(d);
	if (rc) {
		deaths_close(d);
		return rc;
	}
	*out = d;
	return 0;
}

void deaths_close(struct deaths *d)
{
	if (!d)
		return;
	for (int i = 0; i < DEATH_KINDS; i++)
		if (d->nl[i])
			mnl_socket_close(d->nl[i]);
	free(d);
}

int deaths_fd(const struct deaths *d)
{
	return mnl_socket_get_fd(d->nl[DEATHS_UDP]);
}

static void get_endpoint(struct endpoint *e, int family, const __be32 addr[4], __be16 port)
{
	memset(e, 0, sizeof(*e));
	e->addr.family = (uint8_t)family;
	memcpy(e->addr.bytes, addr, family == AF_INET ? 4 : 16);
	address_unmap(&e->addr);
	e->port = ntohs(port);
}

/* Older kernels have a shorter tcp_info: what lies behind its end is not known. */
static void read_tcp_info(const struct nlattr *a, struct death *death)
{
	struct tcp_info info;
	size_t len = mnl_attr_get_payload_len(a);

	if (len < offsetof(struct tcp_info, tcpi_segs_in) + sizeof(info.tcpi_segs_in))
		return;
	memset(&info, 0, sizeof(info));
	memcpy(&info, mnl_attr_get_payload(a), len < sizeof(info) ? len : sizeof(info));
	death->bytes = (int64_t)(info.tcpi_bytes_acked + info.tcpi_bytes_received);
	death->packets = (int64_t)info.tcpi_segs_out + info.tcpi_segs_in;
	/* The kernel counts an acknowledged SYN as a byte (tcp_snd_una_update()). */
	if (info.tcpi_bytes_acked)
		death->bytes--;
}

struct reading {
	void (*each)(const struct death *death, void *arg);
	void *arg;
};

static int on_message(const struct nlmsghdr *h, void *arg)
{
	const struct inet_diag_msg *m = mnl_nlmsg_get_payload(h);
	struct death death = { .protocol = -1, .bytes = -1, .packets = -1 };
	const struct reading *r = arg;
	const struct nlattr *a;

	if (h->nlmsg_type != SOCK_DIAG_BY_FAMILY || mnl_nlmsg_get_payload_len(h) < sizeof(*m) ||
	    (m->idiag_family != AF_INET && m->idiag_family != AF_INET6))
		return MNL_CB_OK;
	get_endpoint(&death.local, m->idiag_family, m->id.idiag_src, m->id.idiag_sport);
	get_endpoint(&death.peer, m->idiag_family, m->id.idiag_dst, m->id.idiag_dport);
	death.cookie = (uint64_t)m->id.idiag_cookie[1] << 32 | m->id.idiag_cookie[0];
	mnl_attr_for_each(a, h, sizeof(*m)) {
		if (mnl_attr_get_type(a) == INET_DIAG_PROTOCOL && mnl_attr_get_payload_len(a) >= 1)
			death.protocol = *(const uint8_t *)mnl_attr_get_payload(a);
		else if (mnl_attr_get_type(a) == INET_DIAG_INFO)
			read_tcp_info(a, &death);
	}
	if (death.protocol >= 0)
		r->each(&death, r->arg);
	return MNL_CB_OK;
}

int deaths_parse(const void *message, size_t len,
		 void (*each)(const struct death *death, void *arg), void *arg)
{
	struct reading reading = { each, arg };

	if (!netlink_is_whole(message, len))
		return -EBADMSG;
	mnl_cb_run(message, len, 0, 0, on_message, &reading);
	return 0;
}

int deaths_show(struct deaths *d, enum death_kind kind,
		void (*each)(const struct death *death, void *arg), void *arg)
{
	int fd = mnl_socket_get_fd(d->nl[kind]), lost = 0;

	for (int i = 0; i < SHOWN_MAX; i++) {
		ssize_t n = recv(fd, d->buf, sizeof(d->buf), MSG_DONTWAIT | MSG_TRUNC);

		if (n < 0 && errno == ENOBUFS) {
			lost = -ENOBUFS;
			continue;
		}
		if (n < 0)
			return errno == EAGAIN || errno == EINTR ? lost : -errno;
		/* One that is too long for its kind is none that we know. */
		if ((size_t)n <= sizeof(d->buf))
			deaths_parse(d->buf, (size_t)n, each, arg);
	}
	return lost;
}
