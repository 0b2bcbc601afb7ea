/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a call's result says of the connection. */
#include <errno.h>
#include <string.h>

#include "call_result.h"
#include "protocol.h"

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

struct text call_reason(int protocol, const struct endpoint *dst, int result)
{
	static const uint8_t any[sizeof(dst->addr.bytes)];

	if (call_sent_nothing(result))
		return text_of(strerrorname_np(-result));
	if (protocol_is(protocol, PROTOCOL_DATAGRAMS) &&
	    (!dst->port || !memcmp(dst->addr.bytes, any, sizeof(any))))
		return text_of("route");
	return TEXT_NONE;
}
