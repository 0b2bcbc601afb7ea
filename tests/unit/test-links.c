/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Interfaces as the kernel tells of them, and where they lead. */
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "links.h"
#include "tap.h"

static struct link_table table;
static struct {
	uint8_t bytes[512];
	size_t len;
} now __attribute__((aligned(8)));

static void *add(size_t len)
{
	void *at = now.bytes + now.len;

	now.len += NLMSG_ALIGN(len);
	((struct nlmsghdr *)(void *)now.bytes)->nlmsg_len = (uint32_t)now.len;
	return at;
}

static void begin(uint16_t type, uint8_t family, int index)
{
	struct nlmsghdr *h = (struct nlmsghdr *)(void *)now.bytes;
	struct ifinfomsg *m;

	memset(&now, 0, sizeof(now));
	add(sizeof(*h));
	h->nlmsg_type = type;
	m = add(sizeof(*m));
	m->ifi_family = family;
	m->ifi_index = index;
}

static struct rtattr *attribute(uint16_t type, const void *value, size_t len)
{
	struct rtattr *a = add(RTA_LENGTH(len));

	a->rta_type = type;
	a->rta_len = (uint16_t)RTA_LENGTH(len);
	if (len)
		memcpy(RTA_DATA(a), value, len);
	return a;
}

static void show(void)
{
	links_parse(now.bytes, now.len, &table);
}

/* An interface that somebody asked for; master 0, other_end -1: none. */
static void tell(int index, const char *kind, uint32_t master, int32_t other_end)
{
	size_t from;
	struct rtattr *a;

	begin(RTM_NEWLINK, AF_UNSPEC, index);
	attribute(IFLA_IFNAME, "name", 5);
	if (master)
		attribute(IFLA_MASTER, &master, sizeof(master));
	if (other_end >= 0)
		attribute(IFLA_LINK_NETNSID, &other_end, sizeof(other_end));
	if (kind) {
		from = now.len;
		a = attribute(IFLA_LINKINFO, NULL, 0);
		attribute(IFLA_INFO_KIND, kind, strlen(kind) + 1);
		a->rta_len = (uint16_t)(now.len - from);
	}
	show();
}

static void test_links(void)
{
	tell(2, NULL, 0, -1);
	tell(3, "veth", 0, 7);
	tell(4, "bridge", 0, -1);
	tell(5, "veth", 4, 8);
	tell(6, "veth", 4, 9);
	tell(7, "tun", 0, -1);
	tap_ok(table.count == 6 && !table.full, "six interfaces");
	tap_ok(link_table_ask(&table, 2, 7) == LINK_LEADS_AWAY, "a device leads out of the host");
	tap_ok(link_table_ask(&table, 3, 7) == LINK_LEADS_THERE, "a pair to its other end");
	tap_ok(link_table_ask(&table, 3, 8) == LINK_UNSURE &&
	       link_table_ask(&table, 3, -1) == LINK_UNSURE, "and to no other namespace");
	tap_ok(link_table_ask(&table, 4, 8) == LINK_LEADS_THERE &&
	       link_table_ask(&table, 4, 9) == LINK_LEADS_THERE, "a bridge to those of its ports");
	tap_ok(link_table_ask(&table, 4, 7) == LINK_UNSURE &&
	       link_table_ask(&table, 4, -1) == LINK_UNSURE, "and to no other");
	tap_ok(link_table_ask(&table, 7, 7) == LINK_UNSURE, "of a tunnel it is not known");
	tap_ok(link_table_ask(&table, 9, 7) == LINK_UNSURE, "nor of an interface that nobody told");
	tell(5, "veth", 0, 8);
	tap_ok(link_table_ask(&table, 4, 8) == LINK_UNSURE, "a port that has left its bridge");
	tell(3, "veth", 0, 9);
	tap_ok(table.count == 6 && link_table_ask(&table, 3, 7) == LINK_UNSURE &&
	       link_table_ask(&table, 3, 9) == LINK_LEADS_THERE, "an end that was moved");
}

static void test_names(void)
{
	const char *const bad[] = { "", "sixteen-letters-" };

	tap_ok(text_equal(link_table_name(&table, 3), text_of("name")), "an interface has a name");
	tap_ok(!link_table_name(&table, 99).data && !link_table_name(&table, 0).data,
	       "none that there is not");
	begin(RTM_NEWLINK, AF_UNSPEC, 3);
	attribute(IFLA_IFNAME, "fifteen-letters", 16);
	show();
	tap_ok(text_equal(link_table_name(&table, 3), text_of("fifteen-letters")), "another one");
	for (size_t i = 0; i < 2; i++) {
		begin(RTM_NEWLINK, AF_UNSPEC, 3);
		attribute(IFLA_IFNAME, bad[i], strlen(bad[i]));
		show();
		tap_ok(text_equal(link_table_name(&table, 3), text_of("fifteen-letters")),
		       "'%s' is no name", bad[i]);
	}
	tell(3, "veth", 0, 9);
}

static void test_messages(void)
{
	int32_t id = 9;

	begin(RTM_NEWLINK, AF_BRIDGE, 3);
	attribute(IFLA_IFNAME, "name", 5);
	show();
	tap_ok(link_table_ask(&table, 3, 9) == LINK_LEADS_THERE, "a bridge's own one is another");
	begin(RTM_NEWLINK, AF_UNSPEC, 3);
	show();
	tap_ok(link_table_ask(&table, 3, 9) == LINK_LEADS_THERE, "as is one without a name");
	begin(RTM_NEWLINK, AF_UNSPEC, 0);
	attribute(IFLA_IFNAME, "name", 5);
	show();
	begin(RTM_NEWLINK, AF_UNSPEC, -1);
	attribute(IFLA_IFNAME, "name", 5);
	show();
	tap_ok(table.count == 6, "an index that none has");
	begin(RTM_NEWLINK, AF_UNSPEC, 3);
	attribute(IFLA_IFNAME, "name", 5);
	attribute(IFLA_LINK_NETNSID, &id, 2);
	attribute(IFLA_MASTER, &id, 1);
	show();
	tap_ok(link_table_ask(&table, 3, 9) != LINK_LEADS_THERE, "numbers that are cut off");
	tell(3, "veth", 0, 9);
	for (size_t len = 0; len < now.len; len++)
		links_parse(now.bytes, len, &table);
	tap_ok(table.count == 6, "a message that is cut off anywhere");
	begin(RTM_DELLINK, AF_UNSPEC, 3);
	show();
	tap_ok(table.count == 5 && link_table_ask(&table, 3, 9) == LINK_UNSURE, "one that is gone");
	show();
	tap_ok(table.count == 5, "twice");
}

static void test_many(void)
{
	for (int i = 0; i < 2 * LINKS_MAX; i++)
		tell(1000 + i, "veth", 0, i);
	tap_ok(table.count == LINKS_MAX && table.full, "more than have room");
	tap_ok(link_table_ask(&table, 1000, 0) == LINK_LEADS_THERE &&
	       link_table_ask(&table, 1000 + LINKS_MAX, LINKS_MAX) == LINK_UNSURE,
	       "of those that have none it is not known where they lead");
}

static void test_kernel(void)
{
	struct links *l = NULL;

	if (!tap_ok(!links_open(&l), "the kernel lists them"))
		return;
	tap_ok(links_ask(l, if_nametoindex("lo"), getpid()) == LINK_LEADS_AWAY,
	       "the loopback among them, which nobody asked for");
	tap_ok(links_ask(l, 0, getpid()) == LINK_UNSURE && links_ask(l, 1, 0) == LINK_UNSURE,
	       "no interface, or no process");
	links_close(l);
}

int main(void)
{
	test_links();
	test_names();
	test_messages();
	test_many();
	test_kernel();
	return tap_done();
}
