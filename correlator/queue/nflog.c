/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copies of packets, by nfnetlink_log over libmnl. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_log.h>

#include "netlink.h"
#include "nflog.h"

/* Longer answers of the name service are rare, and lack their end then. */
#define COPY_BYTES 16384
#define MESSAGE_BYTES (COPY_BYTES + 1024)
/* For bursts: a copy takes about a kilobyte of it. */
#define SOCKET_BYTES (2 * 1024 * 1024)

struct nflog {
	struct mnl_socket *nl;
	char buf[MESSAGE_BYTES] __attribute__((aligned(8)));
};

static struct nlmsghdr *begin(char *buf, uint16_t group)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
	struct nfgenmsg *m;

	h->nlmsg_type = NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_CONFIG;
	h->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	m = mnl_nlmsg_put_extra_header(h, sizeof(*m));
	m->nfgen_family = AF_UNSPEC;
	m->version = NFNETLINK_V0;
	m->res_id = htons(group);
	return h;
}

/* Copies of the group may come before the answer: they are left out. */
static int tell(struct nflog *n, const struct nlmsghdr *h)
{
	int rc = netlink_send(n->nl, h);

	while (!rc) {
		ssize_t len = netlink_receive(n->nl, n->buf, sizeof(n->buf));
		const struct nlmsghdr *in = (const struct nlmsghdr *)n->buf;

		if (len < 0 && len != -ENOSPC && len != -ENOBUFS)
			return (int)len;
		if (len >= (ssize_t)(sizeof(*in) + sizeof(int)) && in->nlmsg_type == NLMSG_ERROR)
			return *(const int *)mnl_nlmsg_get_payload(in);
	}
	return rc;
}

static int bind_group(struct nflog *n, uint16_t group)
{
	const struct nfulnl_msg_config_cmd bind = { NFULNL_CFG_CMD_BIND };
	const struct nfulnl_msg_config_mode mode = {
		.copy_range = htonl(COPY_BYTES), .copy_mode = NFULNL_COPY_PACKET,
	};
	char out[256] __attribute__((aligned(8)));
	struct nlmsghdr *h = begin(out, group);
	int rc;

	mnl_attr_put(h, NFULA_CFG_CMD, sizeof(bind), &bind);
	rc = tell(n, h);
	if (rc)
		return rc;
	h = begin(out, group);
	mnl_attr_put(h, NFULA_CFG_MODE, sizeof(mode), &mode);
	/* Each at once: what an answer says is wanted when its reader connects. */
	mnl_attr_put_u32(h, NFULA_CFG_QTHRESH, htonl(1));
	return tell(n, h);
}

int nflog_open(uint16_t group, struct nflog **out)
{
	struct nflog *n = calloc(1, sizeof(*n));
	int rc = n ? netlink_open(NETLINK_NETFILTER, &n->nl) : -ENOMEM, bytes = SOCKET_BYTES;

	if (!rc && setsockopt(nflog_fd(n), SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)))
		setsockopt(nflog_fd(n), SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	if (!rc)
		rc = bind_group(n, group);
	if (rc) {
		nflog_close(n);
		return rc;
	}
	*out = n;
	return 0;
}

void nflog_close(struct nflog *n)
{
	if (!n)
		return;
	if (n->nl)
		mnl_socket_close(n->nl);
	free(n);
}

int nflog_fd(const struct nflog *n)
{
	return mnl_socket_get_fd(n->nl);
}

struct reading {
	void (*each)(const struct nflog_packet *p, void *arg);
	void *arg;
};

static int on_message(const struct nlmsghdr *h, void *arg)
{
	struct nflog_packet p = { .uid = -1 };
	const struct reading *r = arg;
	const struct nlattr *a;

	if (h->nlmsg_type != (NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_PACKET) ||
	    mnl_nlmsg_get_payload_len(h) < sizeof(struct nfgenmsg))
		return MNL_CB_OK;
	mnl_attr_for_each(a, h, sizeof(struct nfgenmsg)) {
		size_t len = mnl_attr_get_payload_len(a);

		if (mnl_attr_get_type(a) == NFULA_PACKET_HDR &&
		    len >= sizeof(struct nfulnl_msg_packet_hdr)) {
			p.hook = ((struct nfulnl_msg_packet_hdr *)mnl_attr_get_payload(a))->hook;
		} else if (mnl_attr_get_type(a) == NFULA_UID && len >= sizeof(uint32_t)) {
			p.uid = ntohl(mnl_attr_get_u32(a));
		} else if (mnl_attr_get_type(a) == NFULA_PAYLOAD) {
			p.data = mnl_attr_get_payload(a);
			p.len = len;
		}
	}
	if (p.data)
		r->each(&p, r->arg);
	return MNL_CB_OK;
}

int nflog_parse(const void *message, size_t len,
		void (*each)(const struct nflog_packet *p, void *arg), void *arg)
{
	struct reading reading = { each, arg };

	if (!netlink_is_whole(message, len))
		return -EBADMSG;
	mnl_cb_run(message, len, 0, 0, on_message, &reading);
	return 0;
}

int nflog_show(struct nflog *n, void (*each)(const struct nflog_packet *p, void *arg), void *arg)
{
	int lost = 0;

	for (int i = 0; i < NFLOG_READ_MAX; i++) {
		ssize_t len = recv(nflog_fd(n), n->buf, sizeof(n->buf), MSG_DONTWAIT | MSG_TRUNC);

		if (len < 0 && errno == ENOBUFS) {
			lost = -ENOBUFS;
			continue;
		}
		if (len < 0)
			return errno == EAGAIN || errno == EINTR ? lost : -errno;
		if ((size_t)len <= sizeof(n->buf))
			nflog_parse(n->buf, (size_t)len, each, arg);
	}
	return lost;
}
