/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Adds to an event what /proc says of its process.  /proc/PID is opened once and kept for the next
 * records, and all reads go below it: the directory stands for one process, so all reads are of
 * that process even if its pid is given to another one meanwhile (reads then fail with ESRCH).  Two
 * facts show that it is the record's process, and not a later one with the same pid: its start,
 * which may not be after the record's time, and its program, which must be the record's.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "clock.h"
#include "event.h"
#include "question.h"
#include "peek.h"
#include "proc.h"
#include "proc_exe.h"
#include "proc_enrich.h"
#include "protocol.h"

/* Older records are history (an import, a long backlog): /proc is not read for them. */
#define FRESH_US (5 * TIME_US_PER_S)
/* The kernel cuts PROCTITLE at this length (MAX_PROCTITLE_AUDIT_LEN in kernel/auditsc.c). */
#define PROCTITLE_MAX 128
/* What the kernel writes in place of a path that has no room (kernel/audit.c). */
#define TOO_LONG "<too_long>"

static void forget(struct proc_enrich_process *p)
{
	if (p->dir >= 0)
		close(p->dir);
	if (p->cgroup >= 0)
		close(p->cgroup);
	*p = (struct proc_enrich_process){ .dir = -1, .cgroup = -1 };
}

/* Returns the process's directory, kept or opened now; NULL: the process is gone. */
static struct proc_enrich_process *find_process(struct proc_enrich *w, int64_t pid, bool *again)
{
	struct proc_enrich_process *p = &w->process[(uint64_t)pid % PROC_ENRICH_PROCESSES];
	char name[32];

	*again = p->dir >= 0 && p->pid == pid;
	if (*again)
		return p;
	forget(p);
	snprintf(name, sizeof(name), "%lld", (long long)pid);
	p->dir = openat(w->proc, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (p->dir < 0)
		return NULL;
	p->pid = pid;
	p->start_ticks = proc_start_ticks(p->dir, pid);
	p->cgroup = openat(p->dir, "cgroup", O_RDONLY | O_CLOEXEC);
	return p;
}

int proc_enrich_init(struct proc_enrich *w, const char *proc_path)
{
	for (int i = 0; i < PROC_ENRICH_PROCESSES; i++)
		w->process[i] = (struct proc_enrich_process){ .dir = -1, .cgroup = -1 };
	w->proc = open(proc_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	w->tick_us = proc_tick_us();
	w->peek = NULL;
	w->pidns = w->proc < 0 ? -1 : proc_link_number(w->proc, "self/ns/pid", "pid:[");
	w->root_mount = proc_exe_root_mount();
	return w->proc < 0 ? -errno : 0;
}

void proc_enrich_release(struct proc_enrich *w)
{
	peek_stop(w->peek);
	w->peek = NULL;
	for (int i = 0; i < PROC_ENRICH_PROCESSES; i++)
		forget(&w->process[i]);
	if (w->proc >= 0)
		close(w->proc);
	w->proc = -1;
}

/* The same path, but for what the kernel writes behind it where the file is gone. */
static bool same_path(struct text a, struct text b)
{
	static const char deleted[] = " (deleted)";

	if (text_ends_with(a, deleted) && a.len > b.len)
		a.len -= sizeof(deleted) - 1;
	else if (text_ends_with(b, deleted) && b.len > a.len)
		b.len -= sizeof(deleted) - 1;
	return text_equal(a, b);
}

/*
 * The process runs the record's program.  The record's path is of the process's own root, and that
 * of /proc of ours, so they may differ for the same file.
 */
static bool same_program(int dir, const struct event *e, const struct process *now)
{
	if (!e->process.exe.data)
		return false;
	if (!now->exe.data)
		return text_equal(e->process.exe, text_of(TOO_LONG));
	return same_path(now->exe, e->process.exe) ||
	       proc_exe_is_called(dir, ".", e->process.exe, now);
}

/* A record of io_uring's poller, which has no name of the program.  Its process is the record's, by
 * the start; it may have become another program since. */
static bool names_no_program(const struct event *e)
{
	return !e->process.comm.data && !e->process.exe.data;
}

static void take_names(int dir, struct event *e, const struct process *now, char *buf, size_t size)
{
	ssize_t n = proc_read(dir, "comm", buf, size);

	e->process.exe = now->exe;
	e->process.exe_seen = EXE_TOLD;
	if (n > 1)
		e->process.comm = (struct text){ buf, (size_t)n - 1 };
}

/*
 * What was seen of the program's file.  In a user namespace of its own the process may have had
 * another root in the call, and in that the same path for another program.
 */
static void take_program(int dir, struct event *e, const struct process *now)
{
	if (now->exe_seen == EXE_TOLD ||
	    (exe_is_ours(now->exe_seen) && !proc_exe_has_our_users(dir, ".")))
		return;
	process_take_exe(&e->process, now);
}

/* PROCTITLE is cut short: if /proc's command line begins alike, it is the same and whole. */
static void whole_cmdline(struct event *e, int dir, char *buf, size_t size)
{
	struct text cut = e->process.cmdline;
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
		e->process.cmdline = (struct text){ buf, (size_t)n };
}

/*
 * The kind of socket at a descriptor: sockfs tells the protocol's name as an extended attribute
 * (system.sockprotoname, net/socket.c).  Another file may be there by now, and that of a FUSE file
 * system would make who asks wait, also one who is killed; so what is asked is held (O_PATH), and
 * seen to be a socket.
 */
static int64_t socket_protocol(int dir, int64_t number)
{
	char path[64], name[32];
	int64_t protocol = -1;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "fd/%lld", (long long)number);
	fd = openat(dir, path, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return -1;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (proc_link_number(AT_FDCWD, path, "socket:[") >= 0) {
		n = getxattr(path, "system.sockprotoname", name, sizeof(name) - 1);
		if (n > 0) {
			name[n] = '\0';
			protocol = protocol_of_socket(name);
		}
	}
	close(fd);
	return protocol;
}

/* Reads what /proc says of the process; false: it is gone, or another than the record's. */
static bool read_process(struct proc_enrich *w, const struct proc_enrich_process *p,
			 struct event *e)
{
	char name[64], *cwd = w->scratch, *cgroup = cwd + 4096, *cmdline = cgroup + 4096;
	int64_t inode = -1, listener_inode = -1, protocol = -1;
	struct process now;
	ssize_t n;

	/* The socket first, because a process closes it before it ends. */
	if (e->fd >= 0) {
		snprintf(name, sizeof(name), "fd/%lld", (long long)e->fd);
		inode = proc_link_number(p->dir, name, "socket:[");
		if (inode >= 0 && e->protocol < 0)
			protocol = socket_protocol(p->dir, e->fd);
	}
	if (e->listener >= 0) {
		snprintf(name, sizeof(name), "fd/%lld", (long long)e->listener);
		listener_inode = proc_link_number(p->dir, name, "socket:[");
	}
	process_init(&now);
	if (p->start_ticks < 0 || !proc_exe_read(p->dir, ".", w->root_mount, w->exe, &now) ||
	    (!names_no_program(e) && !same_program(p->dir, e, &now)) ||
	    proc_boot_us() + p->start_ticks * w->tick_us > e->time_us + PROC_SLACK_US)
		return false;
	if (names_no_program(e))
		take_names(p->dir, e, &now, w->comm, sizeof(w->comm));
	else
		take_program(p->dir, e, &now);
	e->process.start_ticks = p->start_ticks;
	e->inode = inode;
	e->listener_inode = listener_inode;
	if (protocol >= 0)
		e->protocol = protocol;
	e->process.netns = proc_link_number(p->dir, "ns/net", "net:[");
	n = pread(p->cgroup, cgroup, 4096, 0);
	if (n > 0)
		e->process.cgroup = proc_pick_cgroup(cgroup, (size_t)n);
	n = readlinkat(p->dir, "cwd", cwd, 4096);
	if (n > 0)
		e->process.cwd = (struct text){ cwd, (size_t)n };
	whole_cmdline(e, p->dir, cmdline, sizeof(w->scratch) - 8192);
	return true;
}

/* A pid namespace is for life, so it was this one when the process forked. */
static bool counts_as_we_do(const struct proc_enrich *w, const struct proc_enrich_process *p)
{
	return w->pidns > 0 && proc_link_number(p->dir, "ns/pid", "pid:[") == w->pidns;
}

void proc_enrich_name(struct event *e)
{
	struct text *exe = &e->process.exe;

	if (e->kind == EVENT_FORK)
		e->exit = 0;
	if (proc_exe_strip_gone(exe))
		e->process.replaced = 1;
	if (exe->data && text_equal(*exe, text_of(TOO_LONG)))
		*exe = TEXT_NONE;
}

/* False: it is gone.  child: what a fork returned. */
static bool look_at(struct proc_enrich *w, struct event *e, int64_t child)
{
	struct proc_enrich_process *p;
	bool again;

	do {
		p = find_process(w, e->process.pid, &again);
		if (!p)
			break;
		if (read_process(w, p, e)) {
			if (e->kind == EVENT_FORK && counts_as_we_do(w, p))
				e->exit = child;
			return true;
		}
		/* Another process may have its pid now. */
		forget(p);
	} while (again);
	return false;
}

/* In a looker: text is the event. */
static void look(void *opened, const struct look *q, struct seen *a, char text[LOOK_TEXT_MAX])
{
	a->found = look_at(opened, (void *)text, q->number);
}

static bool open_own(void *opened, const char *path)
{
	return !proc_enrich_init(opened, path);
}

int proc_enrich_start_lookers(struct proc_enrich *w)
{
	const struct looks looks = { .path = "/proc", .size = sizeof(*w), .open = open_own,
				     .look = look };

	return peek_start(&looks, true, &w->peek);
}

void proc_enrich_renew_lookers(struct proc_enrich *w)
{
	peek_renew(w->peek);
}

static enum proc_enrich_result ask(struct proc_enrich *w, struct event *e, int64_t child)
{
	const struct look q = { .kind = LOOK_RECORD, .pid = e->process.pid, .number = child,
				.uid = e->process.uid, .data = e, .len = sizeof(*e) };
	struct seen a;

	if (peek_now(w->peek, &q, &a) != PEEK_TOLD)
		return PROC_ENRICH_UNREADABLE;
	if (!a.found)
		return PROC_ENRICH_GONE;
	memcpy(e, a.text, sizeof(*e));
	return PROC_ENRICH_READ;
}

enum proc_enrich_result proc_enrich_read(struct proc_enrich *w, struct event *e, int64_t now_us)
{
	enum proc_enrich_result result;
	int64_t child = e->exit;

	if (e->kind == EVENT_FORK)
		e->exit = 0;
	if (e->time_us > now_us + TIME_US_PER_S || now_us - e->time_us > FRESH_US)
		return PROC_ENRICH_OLD;
	result = w->peek ? ask(w, e, child) :
		 look_at(w, e, child) ? PROC_ENRICH_READ : PROC_ENRICH_GONE;
	if (result != PROC_ENRICH_READ)
		proc_enrich_name(e);
	return result;
}
