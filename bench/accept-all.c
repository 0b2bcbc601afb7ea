/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The floor under any reader of a netfilter queue: accepts every packet at once.
 *
 *   bench/accept-all QUEUE [MARK]
 *
 * Two system calls a packet, no look at it.  MARK (default 0x10000, `decided` of sockledger-queue)
 * lets the flow's other packets pass the same firewall rules as behind sockledgerd.  Says "ready"
 * on stdout; ends on SIGTERM, and says on stderr how many packets it answered.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <libmnl/libmnl.h>
#include <libnetfilter_queue/libnetfilter_queue.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink_queue.h>

/* As much as a reader needs to see the connection. */
#define COPY_BYTES 128
#define QUEUE_PACKETS 65536
#define SOCKET_BYTES (16 * 1024 * 1024)

struct reader {
	struct mnl_socket *nl;
	uint16_t queue;
	uint32_t mark;
	long answered, errors, overruns;
	char in[COPY_BYTES + 4096], out[512];
};

static volatile sig_atomic_t over;

static void on_term(int signal)
{
	(void)signal;
	over = 1;
}

static int ask(struct reader *r, struct nlmsghdr *h)
{
	ssize_t n;

	h->nlmsg_flags |= NLM_F_ACK;
	if (mnl_socket_sendto(r->nl, h, h->nlmsg_len) < 0)
		return -1;
	n = mnl_socket_recvfrom(r->nl, r->in, sizeof(r->in));
	return n < 0 ? -1 : mnl_cb_run(r->in, (size_t)n, 0, 0, NULL, NULL);
}

static int open_queue(struct reader *r)
{
	struct timeval look = { .tv_usec = 100000 };	/* for a signal that came before recv() */
	int bytes = SOCKET_BYTES, fd;
	struct nlmsghdr *h;

	r->nl = mnl_socket_open(NETLINK_NETFILTER);
	if (!r->nl || mnl_socket_bind(r->nl, 0, MNL_SOCKET_AUTOPID) < 0)
		return -1;
	fd = mnl_socket_get_fd(r->nl);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &look, sizeof(look));
	h = nfq_nlmsg_put(r->out, NFQNL_MSG_CONFIG, r->queue);
	nfq_nlmsg_cfg_put_cmd(h, AF_INET, NFQNL_CFG_CMD_BIND);
	if (ask(r, h) < 0)
		return -1;
	h = nfq_nlmsg_put(r->out, NFQNL_MSG_CONFIG, r->queue);
	nfq_nlmsg_cfg_put_params(h, NFQNL_COPY_PACKET, COPY_BYTES);
	nfq_nlmsg_cfg_put_qmaxlen(h, QUEUE_PACKETS);
	/* With it the kernel need not segment a large packet for us. */
	mnl_attr_put_u32(h, NFQA_CFG_FLAGS, htonl(NFQA_CFG_F_GSO));
	mnl_attr_put_u32(h, NFQA_CFG_MASK, htonl(NFQA_CFG_F_GSO));
	return ask(r, h);
}

static int on_packet(const struct nlmsghdr *in, void *arg)
{
	struct nlattr *attr[NFQA_MAX + 1] = { NULL };
	const struct nfqnl_msg_packet_hdr *head;
	struct reader *r = arg;
	struct nlmsghdr *h;

	if (nfq_nlmsg_parse(in, attr) < 0 || !attr[NFQA_PACKET_HDR])
		return MNL_CB_OK;
	head = mnl_attr_get_payload(attr[NFQA_PACKET_HDR]);
	h = nfq_nlmsg_put(r->out, NFQNL_MSG_VERDICT, r->queue);
	nfq_nlmsg_verdict_put(h, (int)ntohl(head->packet_id), NF_ACCEPT);
	nfq_nlmsg_verdict_put_mark(h, r->mark);
	if (mnl_socket_sendto(r->nl, h, h->nlmsg_len) < 0)
		r->errors++;
	else
		r->answered++;
	return MNL_CB_OK;
}

int main(int argc, char **argv)
{
	static struct reader r;
	struct sigaction term = { .sa_handler = on_term };

	if (argc < 2 || argc > 3) {
		fputs("Usage: bench/accept-all QUEUE [MARK]\n", stderr);
		return 2;
	}
	r.queue = (uint16_t)strtoul(argv[1], NULL, 10);
	r.mark = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 0) : 0x10000;
	sigaction(SIGTERM, &term, NULL);
	sigaction(SIGINT, &term, NULL);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (open_queue(&r) < 0) {
		perror("accept-all: cannot open the queue");
		return 1;
	}
	puts("ready");
	fflush(stdout);
	while (!over) {
		ssize_t n = mnl_socket_recvfrom(r.nl, r.in, sizeof(r.in));

		if (n > 0)
			r.errors += mnl_cb_run(r.in, (size_t)n, 0, 0, on_packet, &r) < 0;
		else if (errno == ENOBUFS)
			r.overruns++;
		else if (errno != EINTR && errno != EAGAIN)
			break;
	}
	fprintf(stderr, "accept-all: answered %ld packets, %ld errors, %ld overruns\n", r.answered,
		r.errors, r.overruns);
	mnl_socket_close(r.nl);
	return 0;
}
