/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tuple of a socket that accept() returned, by sock_diag. */
#include <ifaddrs.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "clock.h"
#include "own_tuple.h"
#include "sockdiag.h"

/* An address that is newer is not tried. */
#define ADDRESSES_NS 10000000000LL

static void add_address(struct own_tuples *o, const struct sockaddr *name)
{
	struct address *to = &o->address[o->count];

	if (!name || o->count == OWN_ADDRESSES_MAX ||
	    (name->sa_family != AF_INET && name->sa_family != AF_INET6))
		return;
	memset(to, 0, sizeof(*to));
	to->family = (uint8_t)name->sa_family;
	if (name->sa_family == AF_INET)
		memcpy(to->bytes, &((const struct sockaddr_in *)(const void *)name)->sin_addr, 4);
	else
		memcpy(to->bytes, &((const struct sockaddr_in6 *)(const void *)name)->sin6_addr,
		       16);
	o->count++;
}

static void read_addresses(struct own_tuples *o)
{
	int64_t now_ns = clock_mono_ns();
	struct ifaddrs *all;

	if (o->read_ns && now_ns - o->read_ns < ADDRESSES_NS)
		return;
	o->read_ns = now_ns;
	o->count = 0;
	if (getifaddrs(&all))
		return;
	for (const struct ifaddrs *a = all; a; a = a->ifa_next)
		add_address(o, a->ifa_addr);
	freeifaddrs(all);
}

static bool is_its(const struct own_tuples *o, int protocol, int64_t inode,
		   const struct endpoint *peer, const struct endpoint *local)
{
	struct sock_entry found;

	return !sockdiag_ask(o->sockdiag, protocol, local, peer, 0, SOCK_FIT_EXACT, &found) &&
	       found.inode == inode;
}

bool own_tuple_ask(void *arg, int protocol, int64_t inode, const struct endpoint *peer,
		   struct endpoint *local)
{
	struct own_tuples *o = arg;
	struct endpoint at = { .addr = peer->addr, .port = local->port };

	if (!o->sockdiag || inode <= 0 || local->port <= 0)
		return false;
	if (local->addr.family)
		return is_its(o, protocol, inode, peer, local);
	/* First as if a process of this host had connected to its own address. */
	read_addresses(o);
	for (int i = 0; i <= o->count; i++) {
		if (at.addr.family == peer->addr.family &&
		    is_its(o, protocol, inode, peer, &at)) {
			*local = at;
			return true;
		}
		if (i < o->count)
			at.addr = o->address[i];
	}
	return false;
}
