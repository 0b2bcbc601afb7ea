/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Marks of conntrack entries, by ctnetlink. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>

#include "ctmark.h"
#include "netlink.h"

#define DUMP_BYTES 32768

struct ctmarks {
	struct mnl_socket *nl, *dump;	/* dump: only while ctmarks_clear() runs */
	char out[512] __attribute__((aligned(8)));
	char in[DUMP_BYTES] __attribute__((aligned(8)));
};

static struct nlmsghdr *put_header(void *to, int family, int type, int flags)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(to);
	struct nfgenmsg *g = mnl_nlmsg_put_extra_header(h, sizeof(*g));

	h->nlmsg_type = (uint16_t)(NFNL_SUBSYS_CTNETLINK << 8 | type);
	h->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	g->nfgen_family = (uint8_t)family;
	g->version = NFNETLINK_V0;
	return h;
}

static void put_tuple(struct nlmsghdr *h, int what, int protocol, const struct endpoint *src,
		      const struct endpoint *dst)
{
	struct nlattr *tuple = mnl_attr_nest_start(h, (uint16_t)what), *part;
	bool four = src->addr.family == AF_INET;

	part = mnl_attr_nest_start(h, CTA_TUPLE_IP);
	mnl_attr_put(h, four ? CTA_IP_V4_SRC : CTA_IP_V6_SRC, four ? 4 : 16, src->addr.bytes);
	mnl_attr_put(h, four ? CTA_IP_V4_DST : CTA_IP_V6_DST, four ? 4 : 16, dst->addr.bytes);
	mnl_attr_nest_end(h, part);
	part = mnl_attr_nest_start(h, CTA_TUPLE_PROTO);
	mnl_attr_put_u8(h, CTA_PROTO_NUM, (uint8_t)protocol);
	mnl_attr_put_u16(h, CTA_PROTO_SRC_PORT, htons((uint16_t)src->port));
	mnl_attr_put_u16(h, CTA_PROTO_DST_PORT, htons((uint16_t)dst->port));
	mnl_attr_nest_end(h, part);
	mnl_attr_nest_end(h, tuple);
}

size_t ctmark_put(void *to, const struct ctmark *m)
{
	/* Without NLM_F_CREATE: an entry that is not there is not made. */
	struct nlmsghdr *h = put_header(to, m->src.addr.family, IPCTNL_MSG_CT_NEW, 0);

	if (m->by_answer)
		put_tuple(h, CTA_TUPLE_REPLY, m->protocol, &m->dst, &m->src);
	else
		put_tuple(h, CTA_TUPLE_ORIG, m->protocol, &m->src, &m->dst);
	mnl_attr_put_u32(h, CTA_MARK, htonl(m->mark));
	mnl_attr_put_u32(h, CTA_MARK_MASK, htonl(m->mask));
	return MNL_ALIGN(h->nlmsg_len);
}

int ctmarks_open(struct ctmarks **out)
{
	struct ctmarks *c = calloc(1, sizeof(*c));
	int rc = c ? netlink_open(NETLINK_NETFILTER, &c->nl) : -ENOMEM;

	if (rc) {
		free(c);
		return rc;
	}
	*out = c;
	return 0;
}

void ctmarks_close(struct ctmarks *c)
{
	if (!c)
		return;
	mnl_socket_close(c->nl);
	free(c);
}

/* Errors about entries that are gone; nothing else is ever said to us. */
static void drop_answers(struct ctmarks *c)
{
	while (recv(mnl_socket_get_fd(c->nl), c->in, sizeof(c->in), MSG_DONTWAIT) > 0)
		;
}

void ctmarks_set(struct ctmarks *c, const struct ctmark *m)
{
	memset(c->out, 0, CTMARK_BYTES);
	ctmark_put(c->out, m);
	drop_answers(c);
	netlink_send(c->nl, (struct nlmsghdr *)c->out);
}

struct clearing {
	struct ctmarks *c;
	uint32_t bit;
	int count;
};

/* One entry of the dump: the same tuple goes back, without the bits. */
static int on_entry(const struct nlmsghdr *h, void *arg)
{
	const struct nfgenmsg *g = mnl_nlmsg_get_payload(h);
	struct clearing *clearing = arg;
	struct nlmsghdr *out;
	const struct nlattr *a;
	uint32_t mark = 0;

	if (mnl_nlmsg_get_payload_len(h) < sizeof(*g))
		return MNL_CB_OK;
	memset(clearing->c->out, 0, sizeof(clearing->c->out));
	out = put_header(clearing->c->out, g->nfgen_family, IPCTNL_MSG_CT_NEW, 0);
	mnl_attr_for_each(a, h, sizeof(*g)) {
		if (mnl_attr_get_type(a) == CTA_MARK && mnl_attr_get_payload_len(a) >= 4)
			mark = ntohl(mnl_attr_get_u32(a));
		/* tuple and zone name the entry */
		if ((mnl_attr_get_type(a) == CTA_TUPLE_ORIG || mnl_attr_get_type(a) == CTA_ZONE) &&
		    out->nlmsg_len + MNL_ALIGN(a->nla_len) + 16 <= sizeof(clearing->c->out))
			mnl_attr_put(out, (uint16_t)(a->nla_type), mnl_attr_get_payload_len(a),
				     mnl_attr_get_payload(a));
	}
	/* An older kernel may ignore the filter. */
	if (!(mark & clearing->bit))
		return MNL_CB_OK;
	mnl_attr_put_u32(out, CTA_MARK, 0);
	mnl_attr_put_u32(out, CTA_MARK_MASK, htonl(clearing->bit));
	drop_answers(clearing->c);
	clearing->count += !netlink_send(clearing->c->nl, out);
	return MNL_CB_OK;
}

/* All entries that have this bit. */
static int ask_for_all(struct ctmarks *c, uint32_t bit)
{
	struct nlmsghdr *h;

	memset(c->out, 0, sizeof(c->out));
	h = put_header(c->out, AF_UNSPEC, IPCTNL_MSG_CT_GET, NLM_F_DUMP);
	mnl_attr_put_u32(h, CTA_MARK, htonl(bit));
	mnl_attr_put_u32(h, CTA_MARK_MASK, htonl(bit));
	return netlink_send(c->dump, h);
}

int ctmarks_clear(struct ctmarks *c, uint32_t bit)
{
	static char dumped[DUMP_BYTES] __attribute__((aligned(8)));
	struct clearing clearing = { c, bit, 0 };
	int rc = netlink_open(NETLINK_NETFILTER, &c->dump), more = MNL_CB_OK;

	if (rc)
		return rc;
	rc = ask_for_all(c, bit);
	while (!rc && more > MNL_CB_STOP) {
		ssize_t n = netlink_receive(c->dump, dumped, sizeof(dumped));

		if (n < 0 || !netlink_is_whole(dumped, (size_t)n)) {
			rc = n < 0 ? (int)n : -EBADMSG;
			break;
		}
		more = mnl_cb_run(dumped, (size_t)n, 0, mnl_socket_get_portid(c->dump), on_entry,
				  &clearing);
		rc = more < 0 ? -errno : 0;
	}
	mnl_socket_close(c->dump);
	c->dump = NULL;
	return rc ? rc : clearing.count;
}
