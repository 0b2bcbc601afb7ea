/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a process can still tell about itself.
 *
 * /proc/PID is opened once and everything is read below it: the directory stands for that very
 * process, so what is read belongs together even if the pid is given to another one meanwhile
 * (reads then fail with ESRCH).  That it is the process of the record, and not a later one under
 * the same pid, follows from its start, which may not be after the record's time, and from its
 * program, which must be the record's.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "clock.h"
#include "proc.h"
#include "witness.h"

/* Older records are history (an import, a long backlog): their processes are not asked for. */
#define FRESH_US (5 * TIME_US_PER_S)
/* The kernel cuts PROCTITLE at this length (MAX_PROCTITLE_AUDIT_LEN in kernel/auditsc.c). */
#define PROCTITLE_MAX 128

int witness_init(struct witness *w, const char *proc_path)
{
	w->proc = open(proc_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	w->tick_us = proc_tick_us();
	return w->proc < 0 ? -errno : 0;
}

void witness_release(struct witness *w)
{
	if (w->proc >= 0)
		close(w->proc);
	w->proc = -1;
}

static bool same_program(int dir, const struct event *e)
{
	static const char deleted[] = " (deleted)";
	char exe[4096 + sizeof(deleted)];
	ssize_t n = readlinkat(dir, "exe", exe, sizeof(exe));
	struct text t = { exe, n > 0 ? (size_t)n : 0 };

	if (n <= 0 || !e->text[EVENT_EXE].data)
		return false;
	if (text_equal(t, e->text[EVENT_EXE]))
		return true;
	if (t.len < sizeof(deleted) - 1 || memcmp(exe + t.len - sizeof(deleted) + 1, deleted,
						  sizeof(deleted) - 1))
		return false;
	t.len -= sizeof(deleted) - 1;
	return text_equal(t, e->text[EVENT_EXE]);
}

/* PROCTITLE is cut short: where /proc's own begins alike, it is the same and whole. */
static void whole_cmdline(struct event *e, int dir, char *buf, size_t size)
{
	struct text cut = e->text[EVENT_CMDLINE];
	ssize_t n;

	if (!cut.data || cut.len < PROCTITLE_MAX - 1)
		return;
	n = proc_read(dir, "cmdline", buf, size);
	for (ssize_t i = 0; i < n; i++)
		if (buf[i] == '\0')
			buf[i] = ' ';
	while (n > 0 && buf[n - 1] == ' ')
		n--;
	if (n > 0 && (size_t)n > cut.len && !memcmp(buf, cut.data, cut.len))
		e->text[EVENT_CMDLINE] = (struct text){ buf, (size_t)n };
}

/* What kind of socket a descriptor is: sockfs tells the protocol's name as an extended attribute
 * (system.sockprotoname, net/socket.c). */
static int64_t socket_protocol(const char *path)
{
	static const struct {
		const char *name;
		int protocol;
	} names[] = {
		{ "TCP", IPPROTO_TCP },		{ "TCPv6", IPPROTO_TCP },
		{ "UDP", IPPROTO_UDP },		{ "UDPv6", IPPROTO_UDP },
		{ "UDP-Lite", IPPROTO_UDPLITE }, { "UDPLITEv6", IPPROTO_UDPLITE },
		{ "SCTP", IPPROTO_SCTP },	{ "SCTPv6", IPPROTO_SCTP },
		{ "MPTCP", 262 },		{ "MPTCPv6", 262 },
		{ "PING", IPPROTO_ICMP },	{ "PINGv6", IPPROTO_ICMPV6 },
	};
	char name[32];
	ssize_t n = getxattr(path, "system.sockprotoname", name, sizeof(name) - 1);

	if (n <= 0)
		return -1;
	name[n] = '\0';
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(names[i].name, name))
			return names[i].protocol;
	return -1;
}

enum witness_result witness_read(struct witness *w, struct event *e, int64_t now_us)
{
	char name[64], *cwd = w->scratch, *cgroup = cwd + 4096, *cmdline = cgroup + 4096;
	int64_t protocol = -1;
	int dir;
	ssize_t n;

	if (e->time_us > now_us + TIME_US_PER_S || now_us - e->time_us > FRESH_US)
		return WITNESS_OLD;
	snprintf(name, sizeof(name), "%lld", (long long)e->pid);
	dir = openat(w->proc, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return WITNESS_GONE;
	/* The socket first: it is what goes first. */
	if (e->fd >= 0) {
		snprintf(name, sizeof(name), "fd/%lld", (long long)e->fd);
		e->inode = proc_link_number(dir, name, "socket:[");
		snprintf(name, sizeof(name), "/proc/self/fd/%d/fd/%lld", dir, (long long)e->fd);
		if (e->inode >= 0 && e->protocol < 0)
			protocol = socket_protocol(name);
	}
	e->start_ticks = proc_start_ticks(dir);
	if (e->start_ticks < 0 || !same_program(dir, e) ||
	    proc_boot_us() + e->start_ticks * w->tick_us > e->time_us + PROC_SLACK_US) {
		e->inode = e->start_ticks = -1;
		close(dir);
		return WITNESS_GONE;
	}
	if (protocol >= 0)
		e->protocol = protocol;
	e->netns = proc_link_number(dir, "ns/net", "net:[");
	n = proc_read(dir, "cgroup", cgroup, 4096);
	if (n > 0)
		e->text[EVENT_CGROUP] = proc_pick_cgroup(cgroup, (size_t)n);
	n = readlinkat(dir, "cwd", cwd, 4096);
	if (n > 0)
		e->text[EVENT_CWD] = (struct text){ cwd, (size_t)n };
	whole_cmdline(e, dir, cmdline, sizeof(w->scratch) - 8192);
	close(dir);
	return WITNESS_READ;
}
