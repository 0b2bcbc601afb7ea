/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>
#include <sys/socket.h>

#include "passing.h"

/* One byte, which the descriptor goes along with. */
struct parcel {
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	char byte;
	struct iovec part;
	struct msghdr message;
};

static struct msghdr *wrap(struct parcel *p)
{
	memset(p, 0, sizeof(*p));
	p->part = (struct iovec){ &p->byte, 1 };
	p->message = (struct msghdr){ .msg_iov = &p->part, .msg_iovlen = 1,
				      .msg_control = p->control.bytes,
				      .msg_controllen = sizeof(p->control.bytes) };
	return &p->message;
}

int pass_fd(int pair, int fd)
{
	struct parcel p;
	struct msghdr *m = wrap(&p);
	struct cmsghdr *c = CMSG_FIRSTHDR(m);

	*c = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET,
			       .cmsg_type = SCM_RIGHTS };
	memcpy(CMSG_DATA(c), &fd, sizeof(int));
	return sendmsg(pair, m, 0) == 1 ? 0 : -1;
}

int take_fd(int pair)
{
	struct parcel p;
	struct msghdr *m = wrap(&p);
	struct cmsghdr *c;
	int fd;

	if (recvmsg(pair, m, 0) != 1)
		return -1;
	c = CMSG_FIRSTHDR(m);
	if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
		return -1;
	memcpy(&fd, CMSG_DATA(c), sizeof(int));
	return fd;
}
