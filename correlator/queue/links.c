/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Interfaces and the network namespaces behind them, by rtnetlink. */
#include <errno.h>
#include <linux/if_link.h>
#include <linux/net_namespace.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <libmnl/libmnl.h>

#include "links.h"
#include "netlink.h"

/* A message of a list; the kernel makes none longer. */
#define MESSAGE_BYTES 32768
/* A message takes two kilobytes: some thousand changes between two forwarded packets. */
#define SOCKET_BYTES (2 * 1024 * 1024)
/* At once, so that packets do not wait for all of a burst. */
#define READS_MAX 4096

struct links {
	struct mnl_socket *changes;	/* and lists of all */
	struct mnl_socket *questions;
	bool listed;		/* what is there has been asked for since messages were lost */
	struct link_table table;
	char buf[MESSAGE_BYTES] __attribute__((aligned(8)));
};

/* The kernel lists what is there, by the socket that tells of changes. */
static int ask_for_all(struct links *l)
{
	char buf[64] __attribute__((aligned(8)));
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);

	h->nlmsg_type = RTM_GETLINK;
	h->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	mnl_nlmsg_put_extra_header(h, sizeof(struct ifinfomsg));
	l->table.count = 0;
	l->table.full = false;
	return netlink_send(l->changes, h);
}

int links_open(struct links **out)
{
	struct links *l = calloc(1, sizeof(*l));
	int bytes = SOCKET_BYTES, group = RTNLGRP_LINK, rc = l ? 0 : -ENOMEM, fd;

	if (!rc)
		rc = netlink_open(NETLINK_ROUTE, &l->questions);
	if (!rc)
		rc = netlink_open(NETLINK_ROUTE, &l->changes);
	if (!rc) {
		fd = mnl_socket_get_fd(l->changes);
		if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)))
			setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
		if (mnl_socket_setsockopt(l->changes, NETLINK_ADD_MEMBERSHIP, &group,
					  sizeof(group)) < 0)
			rc = -errno;
	}
	if (rc) {
		links_close(l);
		return rc;
	}
	*out = l;
	return 0;
}

void links_close(struct links *l)
{
	if (!l)
		return;
	if (l->changes)
		mnl_socket_close(l->changes);
	if (l->questions)
		mnl_socket_close(l->questions);
	free(l);
}

static struct link *find(const struct link_table *t, uint32_t index)
{
	for (int i = 0; i < t->count; i++)
		if (t->link[i].index == index)
			return (struct link *)&t->link[i];
	return NULL;
}

static void forget(struct link_table *t, uint32_t index)
{
	struct link *k = find(t, index);

	if (k)
		*k = t->link[--t->count];
}

static void put(struct link_table *t, const struct link *new)
{
	struct link *k = find(t, new->index);

	if (!k && t->count == LINKS_MAX) {
		t->full = true;
		return;
	}
	*(k ? k : &t->link[t->count++]) = *new;
}

static bool is_kind(const struct nlattr *info, bool *is_bridge)
{
	const struct nlattr *a;

	mnl_attr_for_each_nested(a, info) {
		if (mnl_attr_get_type(a) != IFLA_INFO_KIND)
			continue;
		*is_bridge = mnl_attr_get_payload_len(a) >= sizeof("bridge") - 1 &&
			     !memcmp(mnl_attr_get_payload(a), "bridge", sizeof("bridge") - 1);
		return true;
	}
	return false;
}

/* The kernel's names have a terminator and are shorter. */
static bool take_name(const struct nlattr *a, char name[LINK_NAME_MAX])
{
	size_t len = strnlen(mnl_attr_get_payload(a), mnl_attr_get_payload_len(a));

	if (!len || len >= LINK_NAME_MAX)
		return false;
	memcpy(name, mnl_attr_get_payload(a), len);
	name[len] = '\0';
	return true;
}

static uint32_t number(const struct nlattr *a)
{
	return mnl_attr_get_payload_len(a) >= sizeof(uint32_t) ? mnl_attr_get_u32(a) : 0;
}

static int on_message(const struct nlmsghdr *h, void *arg)
{
	const struct ifinfomsg *m = mnl_nlmsg_get_payload(h);
	struct link k = { .other_end = -1, .is_hardware = true };
	struct link_table *t = arg;
	const struct nlattr *a;
	bool named = false;

	/* A bridge tells of its ports in messages of its own. */
	if ((h->nlmsg_type != RTM_NEWLINK && h->nlmsg_type != RTM_DELLINK) ||
	    mnl_nlmsg_get_payload_len(h) < sizeof(*m) || m->ifi_family != AF_UNSPEC ||
	    m->ifi_index <= 0)
		return MNL_CB_OK;
	k.index = (uint32_t)m->ifi_index;
	mnl_attr_for_each(a, h, sizeof(*m)) {
		switch (mnl_attr_get_type(a)) {
		case IFLA_IFNAME:
			named = take_name(a, k.name);
			break;
		case IFLA_MASTER:
			k.bridge = number(a);
			break;
		case IFLA_LINK_NETNSID:
			if (mnl_attr_get_payload_len(a) >= sizeof(uint32_t))
				k.other_end = (int32_t)mnl_attr_get_u32(a);
			break;
		case IFLA_LINKINFO:
			k.is_hardware &= !is_kind(a, &k.is_bridge);
			break;
		default:
			break;
		}
	}
	if (h->nlmsg_type == RTM_DELLINK)
		forget(t, k.index);
	else if (named)		/* a wireless event tells nothing else */
		put(t, &k);
	return MNL_CB_OK;
}

void links_parse(const void *messages, size_t len, struct link_table *t)
{
	if (netlink_is_whole(messages, len))
		mnl_cb_run(messages, len, 0, 0, on_message, t);
}

enum link_word link_table_ask(const struct link_table *t, uint32_t index, int32_t other_end)
{
	const struct link *k = find(t, index);

	if (!k)
		return LINK_UNSURE;
	if (k->is_hardware)
		return LINK_LEADS_AWAY;
	if (other_end < 0)
		return LINK_UNSURE;
	if (!k->is_bridge)
		return k->other_end == other_end ? LINK_LEADS_THERE : LINK_UNSURE;
	for (int i = 0; i < t->count; i++)
		if (t->link[i].bridge == index && t->link[i].other_end == other_end)
			return LINK_LEADS_THERE;
	return LINK_UNSURE;
}

struct text link_table_name(const struct link_table *t, uint32_t index)
{
	const struct link *k = find(t, index);

	return text_of(k ? k->name : NULL);
}

/* What has changed since.  False: not all of it is known. */
static bool take_changes(struct links *l)
{
	int fd = mnl_socket_get_fd(l->changes);

	for (int i = 0; i < READS_MAX; i++) {
		ssize_t n;

		if (!l->listed && ask_for_all(l))
			return false;
		l->listed = true;
		n = recv(fd, l->buf, sizeof(l->buf), MSG_DONTWAIT | MSG_TRUNC);
		if (n < 0 && errno == EAGAIN)
			return true;
		if (n < 0 && errno == EINTR)
			continue;
		/* Messages were lost: all is listed anew, behind what is still there. */
		if (n < 0 || (size_t)n > sizeof(l->buf))
			l->listed = false;
		else
			links_parse(l->buf, (size_t)n, &l->table);
	}
	return false;
}

static int on_id(const struct nlmsghdr *h, void *arg)
{
	const struct nlattr *a;
	int32_t *id = arg;

	if (h->nlmsg_type != RTM_NEWNSID)
		return MNL_CB_OK;
	mnl_attr_for_each(a, h, sizeof(struct rtgenmsg))
		if (mnl_attr_get_type(a) == NETNSA_NSID &&
		    mnl_attr_get_payload_len(a) >= sizeof(uint32_t))
			*id = (int32_t)mnl_attr_get_u32(a);
	return MNL_CB_OK;
}

/* The id of a process's namespace; -1: the process is gone, or its namespace has none.  The kernel
 * answers without the lock of the interfaces (RTNL_FLAG_DOIT_UNLOCKED). */
static int32_t id_of(struct links *l, int64_t pid)
{
	char buf[64] __attribute__((aligned(8)));
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
	int32_t id = -1;
	ssize_t n;

	h->nlmsg_type = RTM_GETNSID;
	h->nlmsg_flags = NLM_F_REQUEST;
	mnl_nlmsg_put_extra_header(h, sizeof(struct rtgenmsg));
	mnl_attr_put_u32(h, NETNSA_PID, (uint32_t)pid);
	if (netlink_send(l->questions, h))
		return -1;
	n = netlink_receive(l->questions, l->buf, sizeof(l->buf));
	if (n > 0 && netlink_is_whole(l->buf, (size_t)n))
		mnl_cb_run(l->buf, (size_t)n, 0, 0, on_id, &id);
	return id;
}

enum link_word links_ask(struct links *l, uint32_t index, int64_t pid)
{
	if (!index || pid <= 0 || !take_changes(l))
		return LINK_UNSURE;
	return link_table_ask(&l->table, index, id_of(l, pid));
}

struct text links_name(struct links *l, uint32_t index, char name[LINK_NAME_MAX])
{
	struct text t = index && take_changes(l) ? link_table_name(&l->table, index) : TEXT_NONE;

	if (!t.data)
		return TEXT_NONE;
	memcpy(name, t.data, t.len + 1);
	return (struct text){ name, t.len };
}
