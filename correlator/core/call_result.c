/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a call's result says of the connection. */
#include <errno.h>

#include "call_result.h"

/* A non-blocking connect() gives several results: in progress, then how it ended. */
bool call_is_pending(int64_t result)
{
	return result == -EINPROGRESS || result == -EALREADY || result == -EINTR ||
	       result == -512 /* ERESTARTSYS: a signal interrupted it, and it goes on */;
}

bool call_sent_nothing(int result)
{
	switch (-result) {
	case EISCONN:
	case ENOTSOCK:
	case EBADF:
	case EFAULT:
	case EINVAL:
	case EAFNOSUPPORT:
	case EPROTOTYPE:
	case EACCES:
	case EALREADY:
	case EPERM:
	case ENETUNREACH:
	case EADDRNOTAVAIL:
	case EADDRINUSE:
	case EAGAIN:
		return true;
	default:
		return false;
	}
}
