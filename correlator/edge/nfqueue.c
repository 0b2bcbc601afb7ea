/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Netfilter queues, by libnetfilter_queue's nfq_nlmsg interface over libmnl. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <libmnl/libmnl.h>
#include <libnetfilter_queue/libnetfilter_queue.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink_queue.h>

#include "netlink.h"
#include "nfqueue.h"
#include "nfqueue_stats.h"

/* Of a packet the heads are enough: IPv6 with every extension header that packet.c goes through. */
#define COPY_BYTES 256
#define BUFFER_BYTES (COPY_BYTES + 4096)
/* A packet with its attributes, which take some 200 bytes. */
#define MESSAGE_BYTES (COPY_BYTES + 1792)
/* For bursts: each waiting message takes about a kilobyte of the socket's buffer. */
#define SOCKET_BYTES (4 * 1024 * 1024)

struct nfqueue {
	struct mnl_socket *nl;
	unsigned int port;
	FILE *stats;			/* NULL: the kernel's counters are not to be had */
	struct nfqueue_losses losses;
	uint16_t first;
	uint32_t last_id[NFQUEUE_MAX];	/* by queue, from the first one on */
	char in[BUFFER_BYTES], out[512];
	/* messages taken together */
	struct mmsghdr head[NFQUEUE_READ_MAX];
	struct iovec piece[NFQUEUE_READ_MAX];
	char batch[NFQUEUE_READ_MAX][MESSAGE_BYTES] __attribute__((aligned(8)));
};

static int send_message(struct nfqueue *q, struct nlmsghdr *h)
{
	return mnl_socket_sendto(q->nl, h, h->nlmsg_len) < 0 ? -errno : 0;
}

/* Sends a setting and waits for the kernel's word on it. */
static int settle(struct nfqueue *q, struct nlmsghdr *h)
{
	ssize_t n;
	int rc;

	h->nlmsg_flags |= NLM_F_ACK;
	rc = send_message(q, h);
	if (rc)
		return rc;
	n = mnl_socket_recvfrom(q->nl, q->in, sizeof(q->in));
	if (n < 0)
		return -errno;
	return mnl_cb_run(q->in, (size_t)n, 0, q->port, NULL, NULL) < 0 ? -errno : 0;
}

static int bind_queue(struct nfqueue *q, uint16_t number)
{
	struct nlmsghdr *h = nfq_nlmsg_put(q->out, NFQNL_MSG_CONFIG, number);

	nfq_nlmsg_cfg_put_cmd(h, AF_INET, NFQNL_CFG_CMD_BIND);
	return settle(q, h);
}

static int configure(struct nfqueue *q, uint16_t number, const struct nfqueue_settings *s)
{
	struct nlmsghdr *h = nfq_nlmsg_put(q->out, NFQNL_MSG_CONFIG, number);
	uint32_t mask = NFQA_CFG_F_UID_GID | NFQA_CFG_F_GSO | NFQA_CFG_F_FAIL_OPEN;
	uint32_t flags = mask & ~(s->fail_open ? 0u : NFQA_CFG_F_FAIL_OPEN);

	nfq_nlmsg_cfg_put_params(h, NFQNL_COPY_PACKET, COPY_BYTES);
	nfq_nlmsg_cfg_put_qmaxlen(h, s->max_packets);
	mnl_attr_put_u32(h, NFQA_CFG_FLAGS, htonl(flags));
	mnl_attr_put_u32(h, NFQA_CFG_MASK, htonl(mask));
	return settle(q, h);
}

int nfqueue_open(const struct nfqueue_settings *s, struct nfqueue **out)
{
	struct nfqueue *q = s->last - s->first < NFQUEUE_MAX ? calloc(1, sizeof(*q)) : NULL;
	int bytes = SOCKET_BYTES, rc = 0;

	if (!q)
		return s->last - s->first < NFQUEUE_MAX ? -ENOMEM : -E2BIG;
	for (int i = 0; i < NFQUEUE_READ_MAX; i++) {
		q->piece[i] = (struct iovec){ q->batch[i], sizeof(q->batch[i]) };
		q->head[i].msg_hdr = (struct msghdr){ .msg_iov = &q->piece[i], .msg_iovlen = 1 };
	}
	q->nl = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
	if (!q->nl || mnl_socket_bind(q->nl, 0, MNL_SOCKET_AUTOPID) < 0) {
		rc = -errno;
		nfqueue_close(q);
		return rc;
	}
	q->port = mnl_socket_get_portid(q->nl);
	q->first = s->first;
	/* This thread's namespace is the one that the socket is in. */
	q->stats = fopen("/proc/thread-self/net/netfilter/nfnetlink_queue", "re");
	/* Without the right to it the usual size has to do. */
	if (setsockopt(nfqueue_fd(q), SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)))
		setsockopt(nfqueue_fd(q), SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	for (unsigned int n = s->first; !rc && n <= s->last; n++) {
		rc = bind_queue(q, (uint16_t)n);
		if (!rc)
			rc = configure(q, (uint16_t)n, s);
	}
	if (rc) {
		nfqueue_close(q);
		return rc;
	}
	*out = q;
	return 0;
}

void nfqueue_close(struct nfqueue *q)
{
	if (!q)
		return;
	if (q->nl)
		mnl_socket_close(q->nl);
	if (q->stats)
		fclose(q->stats);
	free(q);
}

int nfqueue_fd(const struct nfqueue *q)
{
	return mnl_socket_get_fd(q->nl);
}

void nfqueue_losses(struct nfqueue *q, struct nfqueue_losses *l)
{
	struct nfqueue_stats s;

	if (q->stats && !nfqueue_stats_read(q->stats, q->port, &s)) {
		q->losses.dropped = s.dropped;
		q->losses.user_dropped = s.user_dropped;
	}
	*l = q->losses;
}

/* The kernel counts a queue's packets from 1, also those that it then cannot hand over. */
static void count_missed(struct nfqueue *q, struct nfqueue_id id)
{
	unsigned int i = (unsigned int)(id.queue - q->first);

	if (i >= NFQUEUE_MAX)
		return;
	q->losses.missed += (uint32_t)(id.id - q->last_id[i] - 1);
	q->last_id[i] = id.id;
}

static int64_t id_attribute(const struct nlattr *a)
{
	return a && mnl_attr_get_payload_len(a) >= sizeof(uint32_t) ?
		       (int64_t)ntohl(mnl_attr_get_u32(a)) : -1;
}

/* Who gets the packet of the message at hand. */
struct reader {
	void (*each)(const struct nfqueue_packet *p, void *arg);
	void *arg;
};

static int on_message(const struct nlmsghdr *h, void *arg)
{
	struct nlattr *attr[NFQA_MAX + 1] = { NULL };
	const struct nfqnl_msg_packet_hdr *head;
	const struct reader *r = arg;
	struct nfqueue_packet p = { .mark = 0 };

	if (h->nlmsg_type != (NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_PACKET) ||
	    nfq_nlmsg_parse(h, attr) < 0 || !attr[NFQA_PACKET_HDR] ||
	    mnl_attr_get_payload_len(attr[NFQA_PACKET_HDR]) < sizeof(*head))
		return MNL_CB_OK;
	head = mnl_attr_get_payload(attr[NFQA_PACKET_HDR]);
	p.id.id = ntohl(head->packet_id);
	p.id.queue = ntohs(((const struct nfgenmsg *)mnl_nlmsg_get_payload(h))->res_id);
	p.hook = head->hook;
	p.uid = id_attribute(attr[NFQA_UID]);
	p.gid = id_attribute(attr[NFQA_GID]);
	if (attr[NFQA_MARK])
		p.mark = ntohl(mnl_attr_get_u32(attr[NFQA_MARK]));
	if (attr[NFQA_PAYLOAD]) {
		p.data = mnl_attr_get_payload(attr[NFQA_PAYLOAD]);
		p.len = mnl_attr_get_payload_len(attr[NFQA_PAYLOAD]);
	}
	r->each(&p, r->arg);
	return MNL_CB_OK;
}

void nfqueue_parse(const void *message, size_t len, unsigned int port,
		   void (*each)(const struct nfqueue_packet *p, void *arg), void *arg)
{
	struct reader r = { each, arg };

	/* An error message is about a verdict on a packet that is gone: nothing to do. */
	if (netlink_is_whole(message, len))
		mnl_cb_run(message, len, 0, port, on_message, &r);
}

/* As many messages as there are, without waiting; or -errno. */
static int receive(struct nfqueue *q)
{
	int n = recvmmsg(nfqueue_fd(q), q->head, NFQUEUE_READ_MAX, MSG_DONTWAIT, NULL);

	return n >= 0 ? n : errno == EAGAIN || errno == EINTR ? 0 : -errno;
}

/* A packet on its way to who reads. */
struct reading {
	struct nfqueue *queue;
	void (*each)(const struct nfqueue_packet *p, void *arg);
	void *arg;
};

static void on_packet(const struct nfqueue_packet *p, void *arg)
{
	const struct reading *r = arg;

	count_missed(r->queue, p->id);
	r->each(p, r->arg);
}

int nfqueue_read(struct nfqueue *q, void (*first)(void *arg),
		 void (*each)(const struct nfqueue_packet *p, void *arg), void *arg)
{
	struct reading reading = { q, each, arg };
	int n;

	while ((n = receive(q)) == -ENOBUFS)
		q->losses.overruns++;
	if (n > 0)
		first(arg);
	for (int i = 0; i < n; i++)
		nfqueue_parse(q->batch[i], q->head[i].msg_len, q->port, on_packet, &reading);
	return n;
}

static int verdict(struct nfqueue *q, struct nfqueue_id id, int what, const uint32_t *mark)
{
	struct nlmsghdr *h = nfq_nlmsg_put(q->out, NFQNL_MSG_VERDICT, id.queue);

	nfq_nlmsg_verdict_put(h, (int)id.id, what);
	if (mark)
		nfq_nlmsg_verdict_put_mark(h, *mark);
	return send_message(q, h);
}

int nfqueue_accept(struct nfqueue *q, struct nfqueue_id id, uint32_t mark)
{
	return verdict(q, id, NF_ACCEPT, &mark);
}

int nfqueue_drop(struct nfqueue *q, struct nfqueue_id id)
{
	return verdict(q, id, NF_DROP, NULL);
}
