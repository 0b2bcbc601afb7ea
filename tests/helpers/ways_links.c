/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ways through interfaces that are no devices: what goes into them is who sends it, and what comes
 * out of them on the other side is a packet of its own. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "programs.h"
#include "ways.h"

/* Nobody answers there, and nobody waits for it. */
static int connect_through(const struct target *t, const char *link)
{
	int fd = way_socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, link, (socklen_t)strlen(link)))
		die("SO_BINDTODEVICE");
	way_is_mine();
	if (connect(fd, (const struct sockaddr *)&t->to, sizeof(t->to)) && errno != EINPROGRESS &&
	    errno != ECONNREFUSED)
		die("connect");
	return 0;
}

static void put(struct sockaddr *to, uint32_t address)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(address) };

	memcpy(to, &in, sizeof(in));
}

/* A tunnel of its own, as programs have that carry packets themselves (OpenVPN): it reads what it
 * has sent. */
int way_tun(const struct target *t)
{
	struct ifreq r = { .ifr_name = "way-tun", .ifr_flags = IFF_TUN | IFF_NO_PI };
	int tun = open("/dev/net/tun", O_RDWR | O_CLOEXEC), fd;
	char packet[256];

	if (tun < 0)
		return WAY_NONE;
	fd = way_socket(AF_INET, SOCK_DGRAM, 0);
	if (ioctl(tun, TUNSETIFF, &r))
		die("TUNSETIFF");
	put(&r.ifr_addr, ntohl(t->to.sin_addr.s_addr) - 1);
	if (ioctl(fd, SIOCSIFADDR, &r))
		die("SIOCSIFADDR");
	put(&r.ifr_netmask, 0xffffff00);
	if (ioctl(fd, SIOCSIFNETMASK, &r))
		die("SIOCSIFNETMASK");
	r.ifr_flags = IFF_UP | IFF_RUNNING;
	if (ioctl(fd, SIOCSIFFLAGS, &r))
		die("SIOCSIFFLAGS");
	if (connect_through(t, "way-tun"))
		return 1;
	/* One that was refused does not come. */
	fcntl(tun, F_SETFL, O_NONBLOCK);
	while (read(tun, packet, sizeof(packet)) > 0)
		;
	return 0;
}

/* The test has made the interface, where the kernel has any of its kind. */
int way_vrf(const struct target *t)
{
	return if_nametoindex("way-vrf") ? connect_through(t, "way-vrf") : WAY_NONE;
}

int way_wireguard(const struct target *t)
{
	return if_nametoindex("way-wg") ? connect_through(t, "way-wg") : WAY_NONE;
}

/* From another network namespace, by way of the queue's: it lives until somebody has looked where
 * it is. */
int way_forwarded(const struct target *t)
{
	int fd = way_socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	struct pollfd p = { .fd = fd, .events = POLLOUT };

	way_is_mine();
	if (connect(fd, (const struct sockaddr *)&t->to, sizeof(t->to)) && errno != EINPROGRESS)
		die("connect");
	poll(&p, 1, 150);
	return 0;
}
