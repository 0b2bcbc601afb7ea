/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_TRACEPROBE_H
#define SOCKLEDGER_TRACEPROBE_H

struct endpoint;

/*
 * Our own probe where the kernel lacks a tracepoint: at tcp_connect(), which every TCP connect()
 * calls, in the caller's context, when both ends of the socket are known and before its SYN is sent
 * (net/ipv4/tcp_output.c).  Its event TRACEPROBE_SYSTEM/TRACEPROBE_NAME is like any other, and
 * exists for all instances (Documentation/trace/kprobetrace.rst).
 *
 * The fields' offsets in struct sock_common (include/net/sock.h) are those of Linux 6.18 on x86-64
 * (its BTF).  No other kernel promises them, so the probe must be tried before it is believed.
 */
#define TRACEPROBE_SYSTEM "sockledger"
#define TRACEPROBE_NAME "connect"

struct traceprobe {
	const char *file;	/* the file of tracefs that defines it: kprobe_events */
	const char *where;	/* tcp_connect */
};

extern const struct traceprobe traceprobe_connect;

/*
 * Defines the probe below `tracing`.  0, also where it exists already; -ENOENT where the kernel has
 * no such probes, or the processor is unknown; another -errno.
 */
int traceprobe_add(const struct traceprobe *p, const char *tracing);
/* Leaves the probe where another process uses it. */
void traceprobe_remove(const struct traceprobe *p, const char *tracing);

/*
 * Makes a connection of our own over the loopback to try the probe with, and closes it at once.
 * src and dst are its ends as the connecting side has them.  0, or -errno where this family cannot
 * connect here.
 */
int traceprobe_trial(int family, struct endpoint *src, struct endpoint *dst);

#endif
