/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which socket a packet belongs to: the cases that are known to differ, one by one. */
#include <string.h>

#include "sockmatch.h"
#include "tap.h"

struct row {
	const char *what;
	const char *local, *peer;		/* of the packet */
	const char *sock_local, *sock_peer;	/* of the socket */
	enum sock_fit fit;
};

static const struct row rows[] = {
	/* The six of the reference; in the second the packet's address is .105, as the socket's
	 * is. */
	{ "a connected TCP socket", "192.168.1.106:47344", "151.101.65.140:443",
	  "192.168.1.106:47344", "151.101.65.140:443", SOCK_FIT_EXACT },
	{ "broadcast from a bound socket", "192.168.1.105:8612", "192.168.1.255:8612",
	  "192.168.1.105:8612", "0.0.0.0:0", SOCK_FIT_LOCAL },
	{ "NTP from a socket of all addresses", "192.168.1.5:123", "217.144.138.234:123",
	  "0.0.0.0:123", "0.0.0.0:0", SOCK_FIT_WILDCARD },
	{ "SSDP to a multicast group", "127.0.0.1:45015", "239.255.255.250:1900",
	  "127.0.0.1:45015", "0.0.0.0:0", SOCK_FIT_LOCAL },
	{ "link-local IPv6", "[fe80::9fc2:ddcf:df22:aa50]:50416", "[fe80::1]:53",
	  "[fe80::9fc2:ddcf:df22:aa50]:50416", "[fe80::1]:53", SOCK_FIT_EXACT },
	{ "one UDP port for all peers", "192.168.1.106:51413", "103.224.182.250:1337",
	  "0.0.0.0:51413", "0.0.0.0:0", SOCK_FIT_WILDCARD },
	/* And what must not fit. */
	{ "another local port", "192.168.1.5:124", "1.2.3.4:80", "0.0.0.0:123", "0.0.0.0:0",
	  SOCK_FIT_NONE },
	{ "connected to another peer", "192.168.1.5:123", "1.2.3.4:80", "192.168.1.5:123",
	  "1.2.3.5:80", SOCK_FIT_NONE },
	{ "connected to another port", "192.168.1.5:123", "1.2.3.4:80", "192.168.1.5:123",
	  "1.2.3.4:81", SOCK_FIT_NONE },
	{ "bound to another address", "192.168.1.5:123", "1.2.3.4:80", "192.168.1.6:123",
	  "0.0.0.0:0", SOCK_FIT_NONE },
	{ "IPv6 talking IPv4", "127.0.0.1:4000", "127.0.0.1:80", "[::ffff:127.0.0.1]:4000",
	  "[::ffff:127.0.0.1]:80", SOCK_FIT_EXACT },
	{ "and IPv4 that is written as IPv6", "[::ffff:127.0.0.1]:4000", "[::ffff:127.0.0.1]:80",
	  "127.0.0.1:4000", "127.0.0.1:80", SOCK_FIT_EXACT },
	{ "a wildcard of IPv6 takes IPv4", "127.0.0.1:4000", "127.0.0.1:80", "[::]:4000", "[::]:0",
	  SOCK_FIT_WILDCARD },
	{ "a wildcard of IPv4 takes no IPv6", "[::1]:4000", "[::1]:80", "0.0.0.0:4000",
	  "0.0.0.0:0", SOCK_FIT_NONE },
};

static struct sock_entry entry(const char *local, const char *peer, int64_t inode)
{
	struct sock_entry s = { .inode = inode };

	if (endpoint_parse(local, &s.local) || endpoint_parse(peer, &s.peer))
		printf("Bail out! %s or %s is no endpoint\n", local, peer);
	return s;
}

int main(void)
{
	struct sock_entry packet, socks[4];
	struct sock_choice choice;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		packet = entry(rows[i].local, rows[i].peer, 0);
		socks[0] = entry(rows[i].sock_local, rows[i].sock_peer, 1);
		tap_ok(sock_fit(&socks[0], &packet.local, &packet.peer) == rows[i].fit, "%s",
		       rows[i].what);
	}

	packet = entry("10.0.0.1:53", "10.0.0.2:4000", 0);
	socks[0] = entry("0.0.0.0:53", "0.0.0.0:0", 1);
	socks[1] = entry("10.0.0.1:53", "0.0.0.0:0", 2);
	socks[2] = entry("10.0.0.1:53", "10.0.0.2:4000", 3);
	socks[3] = entry("10.0.0.1:53", "10.0.0.3:4000", 4);
	choice = sock_choose(socks, 4, &packet.local, &packet.peer);
	tap_ok(choice.best == 2 && choice.alike == 1 && choice.fit == SOCK_FIT_EXACT,
	       "the exact one of four");
	choice = sock_choose(socks, 2, &packet.local, &packet.peer);
	tap_ok(choice.best == 1 && choice.fit == SOCK_FIT_LOCAL, "the nearer one of two");
	socks[1] = socks[0];
	choice = sock_choose(socks, 2, &packet.local, &packet.peer);
	tap_ok(choice.best == 0 && choice.alike == 2, "two that share a port are told to be alike");
	/* The others of the same port come in any order. */
	socks[0] = socks[3];
	socks[1] = entry("10.0.0.1:53", "0.0.0.0:0", 2);
	socks[2] = entry("0.0.0.0:53", "0.0.0.0:0", 1);
	choice = sock_choose(socks, 4, &packet.local, &packet.peer);
	tap_ok(choice.best == 1 && choice.alike == 1 && choice.fit == SOCK_FIT_LOCAL,
	       "the nearest one, behind one that does not fit and before one that fits less");
	socks[2] = entry("0.0.0.0:53", "0.0.0.0:0", 1);
	socks[3] = socks[1];
	choice = sock_choose(socks, 4, &packet.local, &packet.peer);
	tap_ok(choice.best == 1 && choice.alike == 2, "and one that is alike behind that");
	socks[0] = socks[1];
	socks[3] = entry("10.0.0.1:53", "10.0.0.2:4000", 3);
	choice = sock_choose(socks, 4, &packet.local, &packet.peer);
	tap_ok(choice.best == 3 && choice.alike == 1, "the exact one behind two that are alike");
	socks[3] = entry("10.0.0.1:53", "10.0.0.3:4000", 4);
	choice = sock_choose(&socks[3], 1, &packet.local, &packet.peer);
	tap_ok(choice.best == -1 && choice.alike == 0, "none where none fits");
	return tap_done();
}
