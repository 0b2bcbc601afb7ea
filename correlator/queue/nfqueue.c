/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Netfilter queues, by libnetfilter_queue's nfq_nlmsg interface over libmnl. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <libmnl/libmnl.h>
#include <libnetfilter_queue/libnetfilter_queue.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netfilter/nfnetlink_queue.h>

#include "clock.h"
#include "ctmark.h"
#include "failures.h"
#include "netlink.h"
#include "nfqueue.h"
#include "nfqueue_stats.h"

/*
 * A packet's headers are enough.  Of the extension headers of IPv6 a process without CAP_NET_RAW
 * can set a routing header alone, of 2048 bytes at most; behind it must be room for the ports.  A
 * SYN is no longer for that, because the kernel copies what the packet has.
 */
#define COPY_BYTES 2304
/* A packet with its attributes, which take some 200 bytes. */
#define MESSAGE_BYTES (COPY_BYTES + 1792)
/* A read that returns sooner than this did not have to wait for a packet. */
#define AT_ONCE_NS 10000
/* One that takes as long has slept, because the queue was empty; and so long, at most, a thread of
 * the highest priority takes to wake up. */
#define SLEEP_NS 1000000
#define WAKE_NS 10000000
/* For bursts: each waiting message takes about a kilobyte of the socket's buffer, and of a long
 * datagram four. */
#define SOCKET_BYTES (8 * 1024 * 1024)

/* A queue, and the socket that it is read by. */
struct channel {
	struct mnl_socket *nl;
	unsigned int port;
	uint16_t number;
	uint32_t last_id;
	int taken;			/* of batch, not shown yet */
	bool had_batch;			/* the last packets were there before the wait for them */
	int64_t taken_ns;
	int64_t since_ns;		/* the queue was empty then */
	int64_t overruns;		/* since packets were last shown */
	/* messages that were taken together */
	struct mmsghdr head[NFQUEUE_READ_MAX];
	struct iovec piece[NFQUEUE_READ_MAX];
	char batch[NFQUEUE_READ_MAX][MESSAGE_BYTES] __attribute__((aligned(8)));
};

struct nfqueue {
	FILE *stats;			/* NULL: the kernel's counters cannot be read */
	struct nfqueue_losses losses;
	struct nfqueue_stats before;	/* what the kernel counted for an earlier program */
	int adopted;			/* so many are an earlier program's */
	uint16_t first;
	int count;
	bool glue;			/* a verdict may carry a mark for the conntrack entry */
	char out[512] __attribute__((aligned(8)));
	struct channel *channel[NFQUEUE_MAX];
};

/* Sends a setting and waits for the kernel's acknowledgement; packets may come before that. */
static int config_with_ack(struct channel *c, struct nlmsghdr *h)
{
	int rc;

	h->nlmsg_flags |= NLM_F_ACK;
	rc = netlink_send(c->nl, h);
	while (!rc && c->taken < NFQUEUE_READ_MAX) {
		char *in = c->batch[c->taken];
		ssize_t n = netlink_receive(c->nl, in, MESSAGE_BYTES);

		if (n < 0)
			return (int)n;
		if (n < (ssize_t)sizeof(*h) || ((struct nlmsghdr *)in)->nlmsg_type == NLMSG_ERROR)
			return mnl_cb_run(in, (size_t)n, 0, c->port, NULL, NULL) < 0 ? -errno : 0;
		c->head[c->taken++].msg_len = (unsigned int)n;
	}
	return rc ? rc : -EBUSY;
}

static int bind_queue(struct channel *c, char out[512])
{
	struct nlmsghdr *h = nfq_nlmsg_put(out, NFQNL_MSG_CONFIG, c->number);

	nfq_nlmsg_cfg_put_cmd(h, AF_INET, NFQNL_CFG_CMD_BIND);
	return config_with_ack(c, h);
}

static struct nlmsghdr *put_settings(struct channel *c, char out[512],
				     const struct nfqueue_settings *s)
{
	struct nlmsghdr *h = nfq_nlmsg_put(out, NFQNL_MSG_CONFIG, c->number);
	uint32_t mask = NFQA_CFG_F_UID_GID | NFQA_CFG_F_GSO | NFQA_CFG_F_FAIL_OPEN;
	uint32_t flags = mask & ~(s->fail_open ? 0u : NFQA_CFG_F_FAIL_OPEN);

	FAILS(QUEUE_FULL);
	nfq_nlmsg_cfg_put_params(h, NFQNL_COPY_PACKET, COPY_BYTES);
	nfq_nlmsg_cfg_put_qmaxlen(h, s->max_packets);
	mnl_attr_put_u32(h, NFQA_CFG_FLAGS, htonl(flags));
	mnl_attr_put_u32(h, NFQA_CFG_MASK, htonl(mask));
	return h;
}

/* Whether the kernel knows conntrack entries of queued packets: only then it takes this flag
 * (nfqnl_recv_config()).  It is taken back, because each packet would bring its entry along. */
static bool probe_glue(struct channel *c, char out[512])
{
	struct nlmsghdr *h = nfq_nlmsg_put(out, NFQNL_MSG_CONFIG, c->number);
	int rc;

	mnl_attr_put_u32(h, NFQA_CFG_FLAGS, htonl(NFQA_CFG_F_CONNTRACK));
	mnl_attr_put_u32(h, NFQA_CFG_MASK, htonl(NFQA_CFG_F_CONNTRACK));
	rc = config_with_ack(c, h);
	if (rc)
		return false;
	h = nfq_nlmsg_put(out, NFQNL_MSG_CONFIG, c->number);
	mnl_attr_put_u32(h, NFQA_CFG_FLAGS, 0);
	mnl_attr_put_u32(h, NFQA_CFG_MASK, htonl(NFQA_CFG_F_CONNTRACK));
	return !config_with_ack(c, h);
}

/* Packets wait in the socket, so no acknowledgement is waited for: it would come behind them. */
static bool adopt(struct nfqueue *q, struct channel *c, const struct nfqueue_settings *s)
{
	const struct nfqueue_kept *k = NULL;
	int fd;

	for (int i = 0; i < s->kept_count && !k; i++)
		if (s->kept[i].number == c->number)
			k = &s->kept[i];
	fd = k && q->stats ? fcntl(k->fd, F_DUPFD_CLOEXEC, 0) : -1;
	if (fd < 0)
		return false;
	if (netlink_adopt(NETLINK_NETFILTER, fd, &c->nl)) {
		close(fd);
		return false;
	}
	c->port = mnl_socket_get_portid(c->nl);
	if (nfqueue_stats_port(q->stats, c->number) == c->port &&
	    !netlink_send(c->nl, put_settings(c, q->out, s))) {
		c->last_id = k->last_id;
		q->glue = k->glue;
		q->before = (struct nfqueue_stats){ k->dropped, k->user_dropped };
		q->adopted++;
		return true;
	}
	mnl_socket_close(c->nl);
	c->nl = NULL;
	return false;
}

static int open_channel(struct nfqueue *q, uint16_t number, const struct nfqueue_settings *s)
{
	struct channel *c = calloc(1, sizeof(*c));
	int bytes = SOCKET_BYTES, rc;

	if (!c)
		return -ENOMEM;
	q->channel[q->count++] = c;
	c->number = number;
	for (int i = 0; i < NFQUEUE_READ_MAX; i++) {
		c->piece[i] = (struct iovec){ c->batch[i], sizeof(c->batch[i]) };
		c->head[i].msg_hdr = (struct msghdr){ .msg_iov = &c->piece[i], .msg_iovlen = 1 };
	}
	if (adopt(q, c, s))
		return 0;
	rc = netlink_open(NETLINK_NETFILTER, &c->nl);
	if (rc)
		return rc;
	c->port = mnl_socket_get_portid(c->nl);
	/* Without CAP_NET_ADMIN the size is limited by net.core.rmem_max. */
	if (setsockopt(mnl_socket_get_fd(c->nl), SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)))
		setsockopt(mnl_socket_get_fd(c->nl), SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	rc = bind_queue(c, q->out);
	if (!rc)
		rc = config_with_ack(c, put_settings(c, q->out, s));
	if (!rc)
		q->glue = probe_glue(c, q->out);
	return rc;
}

int nfqueue_open(const struct nfqueue_settings *s, struct nfqueue **out)
{
	struct nfqueue *q = s->last - s->first < NFQUEUE_MAX ? calloc(1, sizeof(*q)) : NULL;
	int rc = 0;

	if (!q)
		return s->last - s->first < NFQUEUE_MAX ? -ENOMEM : -E2BIG;
	q->first = s->first;
	/* The sockets are in this thread's network namespace, so read that one's counters. */
	q->stats = fopen("/proc/thread-self/net/netfilter/nfnetlink_queue", "re");
	for (unsigned int n = s->first; !rc && n <= s->last; n++)
		rc = open_channel(q, (uint16_t)n, s);
	/* Of other queues than those what the kernel counted is not known. */
	if (!rc && q->stats && (q->adopted < q->count || s->kept_count != q->count) &&
	    nfqueue_stats_read(q->stats, q->first, q->count, &q->before))
		q->before = (struct nfqueue_stats){ 0 };
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
	FAILS(QUEUE_CLOSED);
	for (int i = 0; i < q->count; i++) {
		if (q->channel[i]->nl)
			mnl_socket_close(q->channel[i]->nl);
		free(q->channel[i]);
	}
	if (q->stats)
		fclose(q->stats);
	free(q);
}

int nfqueue_count(const struct nfqueue *q)
{
	return q->count;
}

bool nfqueue_goes_on(const struct nfqueue *q)
{
	return q->adopted > 0;
}

void nfqueue_each_kept(const struct nfqueue *q,
		       void (*each)(const struct nfqueue_kept *k, void *arg), void *arg)
{
	for (int i = 0; i < q->count; i++) {
		const struct channel *c = q->channel[i];
		const struct nfqueue_kept kept = {
			.fd = mnl_socket_get_fd(c->nl), .number = c->number, .last_id = c->last_id,
			.glue = q->glue, .dropped = q->before.dropped + q->losses.dropped,
			.user_dropped = q->before.user_dropped + q->losses.user_dropped,
		};

		each(&kept, arg);
	}
}

void nfqueue_losses(struct nfqueue *q, struct nfqueue_losses *l)
{
	struct nfqueue_stats s;

	if (q->stats && !nfqueue_stats_read(q->stats, q->first, q->count, &s)) {
		q->losses.dropped = s.dropped - q->before.dropped;
		q->losses.user_dropped = s.user_dropped - q->before.user_dropped;
	}
	*l = q->losses;
}

static int64_t id_attribute(const struct nlattr *a)
{
	return a && mnl_attr_get_payload_len(a) >= sizeof(uint32_t) ?
		       (int64_t)ntohl(mnl_attr_get_u32(a)) : -1;
}

static uint32_t index_attribute(const struct nlattr *a)
{
	return a && mnl_attr_get_payload_len(a) >= sizeof(uint32_t) ?
		       ntohl(mnl_attr_get_u32(a)) : 0;
}

/* Where the packet of a message goes. */
struct packet_sink {
	void (*each)(const struct nfqueue_packet *p, void *arg);
	void *arg;
};

static int on_message(const struct nlmsghdr *h, void *arg)
{
	struct nlattr *attr[NFQA_MAX + 1] = { NULL };
	const struct nfqnl_msg_packet_hdr *head;
	const struct packet_sink *r = arg;
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
	p.in = index_attribute(attr[NFQA_IFINDEX_INDEV]);
	p.out = index_attribute(attr[NFQA_IFINDEX_OUTDEV]);
	p.link = index_attribute(attr[NFQA_IFINDEX_PHYSINDEV]);
	if (!p.link)
		p.link = p.in;
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
	struct packet_sink sink = { each, arg };

	/* An error message is about a verdict on a packet that is gone: nothing to do. */
	if (netlink_is_whole(message, len))
		mnl_cb_run(message, len, 0, port, on_message, &sink);
}

/* A look for a second message delays the first one, so take several only where there were several
 * before. */
static int take_packets(struct channel *c)
{
	int64_t from_ns = clock_mono_ns();
	int fd = mnl_socket_get_fd(c->nl), n;

	if (c->had_batch) {
		n = recvmmsg(fd, c->head, NFQUEUE_READ_MAX, MSG_WAITFORONE, NULL);
	} else {
		ssize_t len = recv(fd, c->batch[0], MESSAGE_BYTES, 0);

		c->head[0].msg_len = len < 0 ? 0 : (unsigned int)len;
		n = len < 0 ? -1 : 1;
	}
	c->taken_ns = clock_mono_ns();
	c->had_batch = n > 1 || c->taken_ns - from_ns < AT_ONCE_NS;
	if (c->taken_ns - from_ns >= SLEEP_NS)
		c->since_ns = from_ns > c->taken_ns - WAKE_NS ? from_ns : c->taken_ns - WAKE_NS;
	return n;
}

int nfqueue_wait(struct nfqueue *q, int which)
{
	struct channel *c = q->channel[which];
	int n;

	if (!c->taken) {
		n = take_packets(c);
		if (n < 0 && errno == ENOBUFS) {
			FAILS(QUEUE_SOCKET_FULL);
			c->overruns++;
		}
		if (n < 0)
			return errno == ENOBUFS || errno == EINTR ? 0 : -errno;
		c->taken = n;
	} else {
		c->taken_ns = clock_mono_ns();
	}
	return c->taken;
}

int nfqueue_interrupt(struct nfqueue *q, int which)
{
	struct channel *c = q->channel[which];
	char out[512];
	struct nlmsghdr *h = nfq_nlmsg_put(out, NFQNL_MSG_CONFIG, c->number);

	/* An empty setting changes nothing, and its answer ends the other thread's wait. */
	h->nlmsg_flags |= NLM_F_ACK;
	return netlink_send(c->nl, h);
}

/* One nfqueue_show(): adds to each packet what the kernel's message does not say. */
struct reading {
	struct nfqueue *queue;
	struct channel *channel;
	void (*each)(const struct nfqueue_packet *p, void *arg);
	void *arg;
};

static void on_packet(const struct nfqueue_packet *p, void *arg)
{
	const struct reading *r = arg;
	struct nfqueue_packet dated = *p;

	dated.taken_ns = r->channel->taken_ns;
	dated.since_ns = r->channel->since_ns;
	/* The kernel counts a queue's packets from 1, also those that it then cannot hand over. */
	r->queue->losses.missed += (uint32_t)(p->id.id - r->channel->last_id - 1);
	r->channel->last_id = p->id.id;
	r->each(&dated, r->arg);
}

void nfqueue_show(struct nfqueue *q, int which,
		  void (*each)(const struct nfqueue_packet *p, void *arg), void *arg)
{
	struct channel *c = q->channel[which];
	struct reading reading = { q, c, each, arg };

	q->losses.overruns += c->overruns;
	c->overruns = 0;
	for (int i = 0; i < c->taken; i++)
		nfqueue_parse(c->batch[i], c->head[i].msg_len, c->port, on_packet, &reading);
	c->taken = 0;
}

static struct nlmsghdr *put_verdict(struct nfqueue *q, struct packet_id id, int what)
{
	struct nlmsghdr *h = nfq_nlmsg_put(q->out, NFQNL_MSG_VERDICT, id.queue);

	nfq_nlmsg_verdict_put(h, (int)id.id, what);
	return h;
}

static struct mnl_socket *socket_of(const struct nfqueue *q, struct packet_id id)
{
	return q->channel[id.queue - q->first]->nl;
}

int nfqueue_accept(struct nfqueue *q, struct packet_id id)
{
	return netlink_send(socket_of(q, id), put_verdict(q, id, NF_ACCEPT));
}

int nfqueue_drop(struct nfqueue *q, struct packet_id id)
{
	return netlink_send(socket_of(q, id), put_verdict(q, id, NF_DROP));
}

int nfqueue_accept_marked(struct nfqueue *q, struct packet_id id, uint32_t mark)
{
	struct nlmsghdr *h = put_verdict(q, id, NF_ACCEPT);

	nfq_nlmsg_verdict_put_mark(h, mark);
	return netlink_send(socket_of(q, id), h);
}

int nfqueue_accept_decided(struct nfqueue *q, struct packet_id id, const struct ctmark *m)
{
	struct nlmsghdr *h = put_verdict(q, id, NF_ACCEPT);
	size_t len = MNL_ALIGN(h->nlmsg_len);
	struct nlattr *ct;

	if (q->glue) {
		ct = mnl_attr_nest_start(h, NFQA_CT);
		mnl_attr_put_u32(h, CTA_MARK, htonl(m->mark));
		mnl_attr_put_u32(h, CTA_MARK_MASK, htonl(m->mask));
		mnl_attr_nest_end(h, ct);
		return netlink_send(socket_of(q, id), h);
	}
	memset(q->out + len, 0, CTMARK_BYTES);
	len += ctmark_put(q->out + len, m);
	return netlink_send_all(socket_of(q, id), q->out, len);
}

bool nfqueue_has_glue(const struct nfqueue *q)
{
	return q->glue;
}
