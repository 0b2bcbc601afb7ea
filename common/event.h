/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_EVENT_H
#define SOCKLEDGER_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "process.h"
#include "text.h"
#include "tuple.h"

/* One audit event of ours: a socket call, as the kernel recorded it when the call returned. */

enum event_kind {
	EVENT_NONE,
	EVENT_SOCKET,
	EVENT_BIND,
	EVENT_CONNECT,
	EVENT_SEND,		/* to an address: sendto(), sendmsg(), sendmmsg() */
	EVENT_ACCEPT,		/* with the peer's address; fd is the new descriptor */
	EVENT_EXEC,		/* the process has become exe */
	EVENT_FORK,		/* exit is the child's pid, or a thread's; 0: not known */
	EVENT_KINDS
};

struct event {
	uint64_t seq;		/* order of arrival, from 1; given by the cache */
	int64_t arrival_us;	/* when its last record was read: clock_now_us() */
	int64_t time_us;	/* the record's stamp: entry of the call, on a coarse clock */
	uint32_t serial;	/* given at the call's exit; wraps */
	enum event_kind kind;
	/*
	 * The process that made the call.  What the record does not say, the plugin asks of /proc
	 * when it reads the record: that is unknown where the process was gone, or is another
	 * host's.
	 */
	struct process process;
	struct text node;	/* the host whose kernel made the record; none: this one */
	/* The numbers below are -1 where the record does not have them. */
	int64_t fd;
	int64_t family;		/* AF_INET, AF_INET6 */
	int64_t type;		/* SOCK_STREAM, ... without flags */
	int64_t protocol;	/* IPPROTO_*; for socket(..., 0) the one it stands for */
	int64_t port;
	int64_t exit;		/* result of the call, or -errno; always there */
	int64_t inode;		/* of the socket that fd was when the plugin read the record */
	int64_t listener;	/* accept: the descriptor that was listened on */
	int64_t listener_inode;	/* and the socket that it was then */
	struct address addr;	/* family 0: none */
};

/* "socket", "bind", "connect", "send", "accept": not always the name of the call. */
const char *event_kind_name(enum event_kind kind);
/* False for what tells of processes alone. */
static inline bool event_is_of_socket(enum event_kind kind)
{
	return kind != EVENT_NONE && kind != EVENT_EXEC && kind != EVENT_FORK;
}

/* EVENT_NONE where name is none of them. */
enum event_kind event_kind_parse(const char *name);

/* An event without anything known. */
void event_init(struct event *e);

/* A call to that address and port; an address of IPv4 in IPv6 is one of IPv4. */
bool event_is_to(const struct event *e, const struct endpoint *dst);

/*
 * An event and its texts in one piece of memory: event_pack_size() bytes at to, aligned for a
 * pointer.  The copy's texts point into the same piece.
 */
size_t event_pack_size(const struct event *e);
struct event *event_pack(const struct event *e, void *to);

#endif
