/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_TRACEPROBE_H
#define SOCKLEDGER_TRACEPROBE_H

#include "tuple.h"

/*
 * A probe of our own where the kernel lacks a tracepoint: at tcp_connect(), which every TCP connect()
 * comes through, in the caller's context, when both ends of the socket are known and before its SYN
 * is sent (net/ipv4/tcp_output.c).  It is an event like any other, TRACEPROBE_SYSTEM/TRACEPROBE_NAME,
 * that stands for all instances (Documentation/trace/kprobetrace.rst).
 *
 * Where the fields lie in struct sock_common (include/net/sock.h) was read off Linux 6.18 on x86-64 (its
 * BTF).  Nothing promises it for any other kernel: it has to be tried before it is believed.
 */
#define TRACEPROBE_SYSTEM "sockledger"
#define TRACEPROBE_NAME "connect"

struct traceprobe {
	const char *file;	/* of tracefs, that defines it: kprobe_events */
	const char *where;	/* tcp_connect */
};

extern const struct traceprobe traceprobe_connect;

/* Below `tracing`.  0, also where it is there already; -ENOENT where the kernel has no such probes, or
 * the processor is none that is known; another -errno. */
int traceprobe_add(const struct traceprobe *p, const char *tracing);
/* Left where another process uses it. */
void traceprobe_remove(const struct traceprobe *p, const char *tracing);

/*
 * A connection of our own over the loopback, which is closed at once, to try the probe with: its ends
 * as the one who connects has them.  0, or -errno, where this family cannot connect here.
 */
int traceprobe_trial(int family, struct endpoint *src, struct endpoint *dst);

#endif
