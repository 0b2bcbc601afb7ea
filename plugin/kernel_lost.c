/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's own count of lost audit records, by AUDIT_GET. */
#include <errno.h>
#include <poll.h>

#include <libaudit.h>

#include "kernel_lost.h"

#define ANSWER_MS 200

int64_t kernel_lost(void)
{
	struct audit_reply reply;
	int64_t lost = -ETIMEDOUT;
	int fd = audit_open();

	if (fd < 0)
		return -errno;
	if (audit_request_status(fd) <= 0) {
		audit_close(fd);
		return -EPERM;
	}
	/* The acknowledgement and the status, in either order. */
	for (int i = 0; i < 3 && lost < 0; i++) {
		struct pollfd p = { .fd = fd, .events = POLLIN };

		if (poll(&p, 1, ANSWER_MS) <= 0)
			break;
		if (audit_get_reply(fd, &reply, GET_REPLY_NONBLOCKING, 0) > 0 &&
		    reply.type == AUDIT_GET)
			lost = reply.status->lost;
	}
	audit_close(fd);
	return lost;
}
