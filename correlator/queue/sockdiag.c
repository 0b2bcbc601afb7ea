/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's own sockets, by NETLINK_SOCK_DIAG.
 *
 * For TCP the exact request names local and remote as the socket has them; for UDP the kernel looks
 * for the socket that a packet *from* idiag_src *to* idiag_dst would reach, so both are given the
 * other way round (udp_dump_one() in net/ipv4/udp_diag.c).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include <libmnl/libmnl.h>

#include "netlink.h"
#include "sockdiag.h"

#define ANSWER_BYTES 16384
/* Of every network namespace.  By it goes what is to an address of the host's own, from a socket
 * that is bound to another interface as well. */
#define LOOPBACK 1

struct sockdiag {
	struct mnl_socket *nl;
	unsigned int seq, port;
	struct sockdiag_answer answer;		/* to the request that was sent last */
	char buf[ANSWER_BYTES];
};

struct sockdiag *sockdiag_open(void)
{
	struct sockdiag *d = calloc(1, sizeof(*d));
	int rc = d ? netlink_open(NETLINK_SOCK_DIAG, &d->nl) : -ENOMEM;

	if (rc) {
		sockdiag_close(d);
		errno = -rc;
		return NULL;
	}
	d->port = mnl_socket_get_portid(d->nl);
	d->seq = (unsigned int)time(NULL);
	return d;
}

void sockdiag_close(struct sockdiag *d)
{
	if (!d)
		return;
	if (d->nl)
		mnl_socket_close(d->nl);
	free(d);
}

static void get_endpoint(struct endpoint *e, int family, const __be32 addr[4], __be16 port)
{
	memset(e, 0, sizeof(*e));
	e->addr.family = (uint8_t)family;
	memcpy(e->addr.bytes, addr, family == AF_INET ? 4 : 16);
	e->port = ntohs(port);
}

static int on_message(const struct nlmsghdr *h, void *arg)
{
	const struct inet_diag_msg *m = mnl_nlmsg_get_payload(h);
	struct sockdiag_answer *a = arg;
	struct sock_entry *s;

	if (h->nlmsg_type != SOCK_DIAG_BY_FAMILY || mnl_nlmsg_get_payload_len(h) < sizeof(*m) ||
	    (m->idiag_family != AF_INET && m->idiag_family != AF_INET6))
		return MNL_CB_OK;
	/* An older kernel may ignore the filter. */
	if (a->port >= 0 && ntohs(m->id.idiag_sport) != a->port)
		return MNL_CB_OK;
	if (a->device > LOOPBACK && m->id.idiag_if && m->id.idiag_if != a->device)
		return MNL_CB_OK;
	if (a->count == SOCKDIAG_FOUND_MAX)
		return MNL_CB_OK;
	s = &a->found[a->each ? 0 : a->count++];
	get_endpoint(&s->local, m->idiag_family, m->id.idiag_src, m->id.idiag_sport);
	get_endpoint(&s->peer, m->idiag_family, m->id.idiag_dst, m->id.idiag_dport);
	s->inode = m->idiag_inode;
	s->uid = m->idiag_uid;
	s->cookie = (uint64_t)m->id.idiag_cookie[1] << 32 | m->id.idiag_cookie[0];
	/* 1: the timer of a packet that has no answer yet (tcp_diag(7)) */
	s->resent = m->idiag_timer == 1 && m->idiag_retrans > 0;
	if (a->each)
		a->each(s, a->arg);
	return MNL_CB_OK;
}

int sockdiag_parse(const void *message, size_t len, unsigned int seq, unsigned int port,
		   struct sockdiag_answer *a)
{
	int rc;

	if (!netlink_is_whole(message, len))
		return -EBADMSG;
	/* Answers to an earlier request that was given up may still come: skip them. */
	if (len >= sizeof(struct nlmsghdr) && ((const struct nlmsghdr *)message)->nlmsg_seq != seq)
		return -EAGAIN;
	rc = mnl_cb_run(message, len, seq, port, on_message, a);
	if (rc < 0)
		return errno == EAGAIN ? -EIO : -errno;	/* also from within NLMSG_DONE */
	return rc != MNL_CB_STOP;
}

/* Sends the request and reads the answer to its end. */
static int ask(struct sockdiag *d, struct nlmsghdr *h)
{
	bool dump = h->nlmsg_flags & NLM_F_DUMP;
	unsigned int seq = h->nlmsg_seq = ++d->seq;
	int rc;

	rc = netlink_send(d->nl, h);
	if (rc)
		return rc;
	do {
		ssize_t n = netlink_receive(d->nl, d->buf, sizeof(d->buf));

		if (n < 0)
			return (int)n;
		rc = sockdiag_parse(d->buf, (size_t)n, seq, d->port, &d->answer);
	} while (rc == -EAGAIN || (rc > 0 && dump));
	return rc < 0 ? rc : 0;
}

static struct inet_diag_req_v2 *request(char *buf, int family, int protocol, int flags)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
	struct inet_diag_req_v2 *r;

	h->nlmsg_type = SOCK_DIAG_BY_FAMILY;
	h->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	r = mnl_nlmsg_put_extra_header(h, sizeof(*r));
	r->sdiag_family = (uint8_t)family;
	r->sdiag_protocol = (uint8_t)protocol;
	r->idiag_states = ~0u;
	r->id.idiag_cookie[0] = r->id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
	return r;
}

static void put_address(__be32 to[4], int family, const struct address *a)
{
	memset(to, 0, 16);
	if (family == AF_INET6 && a->family == AF_INET) {
		/* An IPv6 socket that talks IPv4 has ::ffff:a.b.c.d. */
		to[2] = htonl(0xffff);
		memcpy(&to[3], a->bytes, 4);
	} else {
		memcpy(to, a->bytes, a->family == AF_INET ? 4 : 16);
	}
}

static int ask_exact(struct sockdiag *d, int family, int protocol, const struct endpoint *local,
		     const struct endpoint *peer, uint32_t device)
{
	bool turned = protocol == IPPROTO_UDP || protocol == IPPROTO_UDPLITE;
	const struct endpoint *src = turned ? peer : local, *dst = turned ? local : peer;
	char buf[256] __attribute__((aligned(NLMSG_ALIGNTO))) = { 0 };
	struct inet_diag_req_v2 *r = request(buf, family, protocol, 0);

	r->id.idiag_sport = htons((uint16_t)src->port);
	r->id.idiag_dport = htons((uint16_t)dst->port);
	put_address(r->id.idiag_src, family, &src->addr);
	put_address(r->id.idiag_dst, family, &dst->addr);
	r->id.idiag_if = device;
	d->answer.count = 0;
	d->answer.port = -1;
	d->answer.device = 0;
	return ask(d, (struct nlmsghdr *)buf);
}

int sockdiag_ask(struct sockdiag *d, int protocol, const struct endpoint *local,
		 const struct endpoint *peer, uint32_t device, enum sock_fit least,
		 struct sock_entry *found)
{
	int rc = ask_exact(d, local->addr.family, protocol, local, peer, device);

	/* The socket may be an IPv6 one that talks IPv4. */
	if ((rc == -ENOENT || (!rc && sock_fit(&d->answer.found[0], local, peer) < least)) &&
	    local->addr.family == AF_INET)
		rc = ask_exact(d, AF_INET6, protocol, local, peer, device);
	if (rc)
		return rc;
	if (!d->answer.count || sock_fit(&d->answer.found[0], local, peer) < least)
		return -ENOENT;
	*found = d->answer.found[0];
	return 0;
}

static int ask_dump(struct sockdiag *d, int family, int protocol, int port)
{
	char buf[512] __attribute__((aligned(NLMSG_ALIGNTO))) = { 0 };
	struct inet_diag_req_v2 *r = request(buf, family, protocol, NLM_F_DUMP);
	/* "sport >= port && sport <= port", the one filter that every kernel has */
	const struct inet_diag_bc_op filter[] = {
		{ INET_DIAG_BC_S_GE, sizeof(filter[0]) * 2, sizeof(filter[0]) * 4 + 4 },
		{ 0, 0, (uint16_t)port },
		{ INET_DIAG_BC_S_LE, sizeof(filter[0]) * 2, sizeof(filter[0]) * 2 + 4 },
		{ 0, 0, (uint16_t)port },
	};
	struct nlmsghdr *h = (struct nlmsghdr *)buf;

	r->id.idiag_sport = 0;
	/* Of TCP's, only a listener is asked for without its peer. */
	if (protocol == IPPROTO_TCP)
		r->idiag_states = 1u << TCP_LISTEN;
	mnl_attr_put(h, INET_DIAG_REQ_BYTECODE, sizeof(filter), filter);
	d->answer.port = port;
	return ask(d, h);
}

/* A dump of IPv4 does not list IPv6 sockets that talk IPv4. */
static int ask_dumps(struct sockdiag *d, const struct endpoint *local, int protocol,
		     uint32_t device)
{
	int rc;

	d->answer.count = 0;
	d->answer.device = device;
	rc = ask_dump(d, local->addr.family, protocol, local->port);
	if (!rc && local->addr.family == AF_INET)
		rc = ask_dump(d, AF_INET6, protocol, local->port);
	return rc;
}

int sockdiag_sharers(struct sockdiag *d, int protocol, const struct endpoint *local,
		     const struct sock_entry **found)
{
	int rc = ask_dumps(d, local, protocol, 0);

	*found = d->answer.found;
	return rc ? rc : d->answer.count;
}

int sockdiag_by_port(struct sockdiag *d, int protocol, const struct endpoint *local,
		     const struct endpoint *peer, uint32_t device, struct sock_entry *found,
		     struct sock_choice *choice)
{
	int rc = ask_dumps(d, local, protocol, device);

	if (rc)
		return rc;
	*choice = sock_choose(d->answer.found, d->answer.count, local, peer);
	if (choice->best < 0)
		return -ENOENT;
	*found = d->answer.found[choice->best];
	return 0;
}

int sockdiag_each(struct sockdiag *d, int protocol,
		  void (*each)(const struct sock_entry *s, void *arg), void *arg)
{
	char buf[256] __attribute__((aligned(NLMSG_ALIGNTO)));
	const int families[] = { AF_INET, AF_INET6 };
	int rc = 0;

	d->answer = (struct sockdiag_answer){ .port = -1, .each = each, .arg = arg };
	for (int i = 0; !rc && i < 2; i++) {
		memset(buf, 0, sizeof(buf));
		request(buf, families[i], protocol, NLM_F_DUMP);
		rc = ask(d, (struct nlmsghdr *)buf);
	}
	d->answer.each = NULL;
	return rc;
}
