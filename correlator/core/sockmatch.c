/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which socket a packet belongs to.  Packet and socket differ in these known cases (an NTP client,
 * SSDP, a printer's broadcasts, BitTorrent's one port for all):
 *
 *   packet                                    socket                          fit
 *   192.168.1.106:47344 -> 151.101.65.140:443 the same                        EXACT
 *   192.168.1.105:8612 -> 192.168.1.255:8612  192.168.1.105:8612 -> any       LOCAL
 *   127.0.0.1:45015 -> 239.255.255.250:1900   127.0.0.1:45015 -> any          LOCAL
 *   192.168.1.5:123 -> 217.144.138.234:123    any:123 -> any                  WILDCARD
 */
#include <string.h>
#include <sys/socket.h>

#include "sockmatch.h"

/* The wire has IPv4 for an IPv4-mapped address. */
static bool same_host(struct address a, struct address b)
{
	address_unmap(&a);
	address_unmap(&b);
	return address_equal(&a, &b);
}

/*
 * A wildcard of IPv6 takes IPv4 packets as well, unless IPV6_V6ONLY forbids it; never the reverse.
 */
static bool may_be_local(const struct sock_entry *s, const struct endpoint *local)
{
	return s->local.addr.family == local->addr.family || s->local.addr.family == AF_INET6;
}

enum sock_fit sock_fit(const struct sock_entry *s, const struct endpoint *local,
		       const struct endpoint *peer)
{
	bool any_peer = address_is_any(&s->peer.addr) && s->peer.port <= 0;

	if (s->local.port != local->port)
		return SOCK_FIT_NONE;
	if (!any_peer) {
		if (s->peer.port != peer->port || !same_host(s->peer.addr, peer->addr) ||
		    !same_host(s->local.addr, local->addr))
			return SOCK_FIT_NONE;
		return SOCK_FIT_EXACT;
	}
	if (address_is_any(&s->local.addr))
		return may_be_local(s, local) ? SOCK_FIT_WILDCARD : SOCK_FIT_NONE;
	return same_host(s->local.addr, local->addr) ? SOCK_FIT_LOCAL : SOCK_FIT_NONE;
}

struct sock_choice sock_choose(const struct sock_entry *socks, int count,
			       const struct endpoint *local, const struct endpoint *peer)
{
	struct sock_choice choice = { SOCK_FIT_NONE, -1, 0 };

	for (int i = 0; i < count; i++) {
		enum sock_fit fit = sock_fit(&socks[i], local, peer);

		if (fit == SOCK_FIT_NONE || fit < choice.fit)
			continue;
		if (fit == choice.fit) {
			choice.alike++;
			continue;
		}
		choice = (struct sock_choice){ fit, i, 1 };
	}
	return choice;
}
