/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_TRACE_H
#define SOCKLEDGER_TRACE_H

#include <stdbool.h>
#include <stdint.h>

#include "tuple.h"

/* An event of the kernel's tracepoints, as it happened in the context of the thread `tid`. */
enum trace_kind {
	TRACE_LOOKUP,	  /* fib_table_lookup, fib6_table_lookup: a route for a packet to come */
	TRACE_STATE,	  /* inet_sock_set_state */
	TRACE_SEND,	  /* sock_send_length: a send() or the like has come to its end */
	TRACE_TASK,	  /* task_newtask: `tid` made `other` */
	TRACE_EXEC_BEGIN, /* sched_prepare_exec: `tid` is about to become another program */
	TRACE_EXEC_DONE,  /* sched_process_exec: `tid` became `name`, as /proc shows */
	/* cap_capable: `tid` asked for CAP_CHECKPOINT_RESTORE, of whatever user namespace, as who
	 * tells the kernel that it runs another file has to (prctl_set_mm_map()) */
	TRACE_DISGUISE,
};

struct trace_event {
	enum trace_kind kind;
	int64_t time_ns;	/* CLOCK_MONOTONIC */
	int order;		/* among events of the same time */
	int32_t tid;		/* 0: an idle processor */
	bool interrupt;		/* in an interrupt, so the event is not the thread's */
	/* TRACE_LOOKUP, TRACE_STATE */
	int protocol;
	struct endpoint src, dst;	/* src: 0.0.0.0, :: or port 0 until it is chosen */
	/* TRACE_LOOKUP: the interface that the packet must leave by (SO_BINDTODEVICE, IP_PKTINFO,
	 * the scope of a link-local address); 0: any */
	uint32_t link;
	/* TRACE_STATE, TRACE_SEND: the address of the kernel's struct sock */
	uint64_t socket;
	int old_state, new_state;	/* TCP_CLOSE, ... of netinet/tcp.h */
	/* TRACE_SEND, with the protocol */
	int family;
	int64_t result;			/* bytes, or -errno */
	/* TRACE_TASK */
	int32_t other;
	bool thread;		/* of the same process */
	bool same_memory;	/* not a copy of the maker's (CLONE_VM) */
	/* TRACE_EXEC_DONE: as it was given to execve(); borrowed */
	const char *name;
};

#endif
