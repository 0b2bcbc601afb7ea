/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What netlink messages have in common. */
#include <stdint.h>
#include <string.h>

#include <linux/netlink.h>

#include "netlink.h"

bool netlink_is_whole(const void *messages, size_t len)
{
	const uint8_t *at = messages;

	while (len >= sizeof(struct nlmsghdr)) {
		struct nlmsghdr h;

		memcpy(&h, at, sizeof(h));
		if (h.nlmsg_len < sizeof(h) || h.nlmsg_len > len)
			return false;
		/* The last one need not be filled up. */
		if (len - h.nlmsg_len < NLMSG_ALIGNTO)
			return true;
		at += NLMSG_ALIGN(h.nlmsg_len);
		len -= NLMSG_ALIGN(h.nlmsg_len);
	}
	return true;
}
