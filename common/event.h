/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_EVENT_H
#define SOCKLEDGER_EVENT_H

#include <stddef.h>
#include <stdint.h>

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
	EVENT_FORK,		/* exit is the child's pid, or a thread's */
	EVENT_KINDS
};

/* The texts of an event, in the order of the cache's columns. */
enum event_text {
	EVENT_NODE,		/* the host whose kernel made the record; none: this one */
	EVENT_COMM,
	EVENT_EXE,
	EVENT_CMDLINE,		/* arguments separated by blanks */
	EVENT_LABEL,		/* the subject's security label (subj=) */
	EVENT_USER,		/* names of uid and auid as the record's own host resolved them */
	EVENT_LOGIN_USER,
	EVENT_CGROUP,		/* path as /proc/PID/cgroup has it */
	EVENT_CWD,
	EVENT_TEXTS
};

struct event {
	uint64_t seq;		/* order of arrival, from 1; given by the cache */
	int64_t arrival_us;	/* when its last record was read: clock_now_us() */
	int64_t time_us;	/* the record's stamp: entry of the call, on a coarse clock */
	uint32_t serial;	/* given at the call's exit; wraps */
	enum event_kind kind;
	/*
	 * The numbers below are -1 where the record does not have them; ids that are "unset" in
	 * the kernel (4294967295) as well.
	 */
	int64_t pid;		/* the thread group's, also where a thread made the call */
	int64_t ppid;
	int64_t fd;
	int64_t family;		/* AF_INET, AF_INET6 */
	int64_t type;		/* SOCK_STREAM, ... without flags */
	int64_t protocol;	/* IPPROTO_*; for socket(..., 0) the one it stands for */
	int64_t port;
	int64_t exit;		/* result of the call, or -errno; always there */
	int64_t uid, gid, euid, fsuid, auid, session;
	/* What the process still had to tell when the record was read; -1: gone, or not local. */
	int64_t inode;		/* of the socket that fd was then */
	int64_t start_ticks;	/* start of the process: clock ticks since boot, proc(5) */
	int64_t netns;		/* inode of its network namespace */
	struct address addr;	/* family 0: none */
	struct text text[EVENT_TEXTS];	/* owned by whoever made the event */
};

/* "socket", "bind", "connect", "send", "accept": not always the name of the call. */
const char *event_kind_name(enum event_kind kind);
/* EVENT_NONE where name is none of them. */
enum event_kind event_kind_parse(const char *name);

/* An event without anything known. */
void event_init(struct event *e);

/*
 * An event and its texts in one piece of memory: event_pack_size() bytes at to, aligned for a
 * pointer.  The copy's texts point into the same piece.
 */
size_t event_pack_size(const struct event *e);
struct event *event_pack(const struct event *e, void *to);

#endif
