/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Looks at processes for the sockets that they hold, and at the calls that they are in. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "clock.h"
#include "holders.h"
#include "proc.h"

#define CALL_CHARS 256
/* Some 40 entries: the kernel makes an inode for each, so a full buffer of readdir() would take
 * milliseconds. */
#define LIST_BYTES 1024
/* "." and ".." are in each list. */
#define DOTS 2
/* Of who has more in such a list the rest is not looked at. */
#define OTHERS_FDS 1024

void call_files_init(struct call_files *c)
{
	for (int i = 0; i < CALL_FILES; i++)
		c->of[i].fd = -1;
}

void call_files_release(struct call_files *c)
{
	for (int i = 0; i < CALL_FILES; i++)
		if (c->of[i].fd >= 0)
			close(c->of[i].fd);
}

static int open_list(int proc, int64_t pid, const char *what)
{
	char name[64];

	snprintf(name, sizeof(name), "%lld/%s", (long long)pid, what);
	return openat(proc, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static int64_t socket_at(int proc, int64_t pid, int64_t fd)
{
	char name[64];

	snprintf(name, sizeof(name), "%lld/fd/%lld", (long long)pid, (long long)fd);
	return proc_link_number(proc, name, "socket:[");
}

/*
 * Shows the numbers in a process's list "task" or "fd" from *at on, until each() returns true: then
 * true.  *at: where it goes on after `looks` of them; -1: that was all, or it is gone.
 */
static bool show_list(int proc, int64_t pid, const char *what, int64_t *at, int looks,
		      bool (*each)(int dir, int64_t number, void *arg), void *arg)
{
	char buf[LIST_BYTES] __attribute__((aligned(8)));
	const struct dirent64 *entry;
	bool found = false;
	ssize_t n = 0;
	int dir;

	dir = open_list(proc, pid, what);
	if (dir >= 0 && *at && lseek(dir, *at, SEEK_SET) < 0)
		looks = 0;
	while (dir >= 0 && !found && looks > 0 && (n = getdents64(dir, buf, sizeof(buf))) > 0)
		for (ssize_t i = 0; !found && looks > 0 && i < n; i += entry->d_reclen) {
			entry = (const struct dirent64 *)(buf + i);
			*at = entry->d_off;
			if (entry->d_name[0] == '.')
				continue;
			looks--;
			found = each(dir, strtoll(entry->d_name, NULL, 10), arg);
		}
	if (dir < 0 || looks > 0)
		*at = -1;
	if (dir >= 0)
		close(dir);
	return found;
}

struct fd_search { int64_t inode, fd; };

static bool is_its_socket(int dir, int64_t fd, void *arg)
{
	struct fd_search *s = arg;
	char name[32];

	snprintf(name, sizeof(name), "%lld", (long long)fd);
	if (proc_link_number(dir, name, "socket:[") != s->inode)
		return false;
	s->fd = fd;
	return true;
}

/*
 * "NUMBER 0xARG0 ...", or "running", or "-1 ..." outside of a call.  It does not say by which
 * table: on x86 no 64-bit call has one of these 32-bit numbers.  The descriptor of socketcall(2)
 * stands in the process's memory, which who reads it may be made to wait for.
 */
static int64_t fd_of_call(const char *buf)
{
	static const long calls[] = {
		SYS_connect, SYS_sendto, SYS_sendmsg, SYS_sendmmsg,
#ifdef __x86_64__
		/* arch/x86/entry/syscalls/syscall_32.tbl, in the same order. */
		362, 369, 370, 345,
#endif
	};
	char *end;
	long nr;
	int fd;

	nr = strtol(buf, &end, 10);
	if (end == buf || *end != ' ')
		return -1;
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (calls[i] == nr) {
			fd = (int)strtoll(end, NULL, 16);
			return fd >= 0 ? fd : -1;
		}
	return -1;
}

static bool ends(char *buf, ssize_t n)
{
	buf[n > 0 ? n : 0] = '\0';
	return n > 0;
}

/*
 * Sleeps where connect() waits for its answer (inet_wait_for_connect()).  Linux 6.18 shows
 * wait_woken(), which that calls; one that counts it to the scheduler shows the caller, by the name
 * of what the compiler made one function of, perhaps with ".isra.0" and the like behind it.
 */
static bool waits_for_answer(int dir, int64_t id)
{
	static const char *const names[] = {
		"wait_woken", "inet_wait_for_connect", "__inet_stream_connect",
	};
	char name[48], buf[CALL_CHARS];

	snprintf(name, sizeof(name), "%lld/wchan", (long long)id);
	if (!ends(buf, proc_read(dir, name, buf, sizeof(buf) - 1)))
		return false;
	buf[strcspn(buf, ".")] = '\0';
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(buf, names[i]))
			return true;
	return false;
}

/* Reads the call of the process's first thread. */
static bool read_call(int proc, struct call_files *calls, int64_t pid, char buf[CALL_CHARS])
{
	int64_t *of = &calls->of[(uint64_t)pid % CALL_FILES].pid;
	int *fd = &calls->of[(uint64_t)pid % CALL_FILES].fd;
	char name[48];

	if (*fd >= 0 && *of == pid && ends(buf, pread(*fd, buf, CALL_CHARS - 1, 0)))
		return true;
	if (*fd >= 0)
		close(*fd);
	snprintf(name, sizeof(name), "%lld/syscall", (long long)pid);
	*fd = openat(proc, name, O_RDONLY | O_CLOEXEC);
	*of = pid;
	return *fd >= 0 && ends(buf, pread(*fd, buf, CALL_CHARS - 1, 0));
}

struct call_search { int64_t pid, fd; };

static bool is_in_call(int dir, int64_t tid, void *arg)
{
	const struct call_search *s = arg;
	char name[48], buf[CALL_CHARS];

	if (tid == s->pid)
		return false;
	snprintf(name, sizeof(name), "%lld/syscall", (long long)tid);
	return ends(buf, proc_read(dir, name, buf, sizeof(buf) - 1)) && fd_of_call(buf) == s->fd &&
	       waits_for_answer(dir, tid);
}

/* All but its first. */
static bool look_at_threads(int proc, struct procfs_holder *k)
{
	struct call_search s = { k->pid, k->fd };

	if (k->threads < 0)
		k->threads = 0;
	return show_list(proc, k->pid, "task", &k->threads, PROCFS_THREADS, is_in_call, &s);
}

/* Its number may be another process's since it was looked at, or its descriptor another file's. */
static void look_at_call(int proc, int64_t inode, struct procfs_holder *k)
{
	k->in_call = look_at_threads(proc, k);
	if (socket_at(proc, k->pid, k->fd) != inode)
		k->fd = -1;
	k->in_call &= k->fd >= 0;
}

static void look_at_holder(int proc, struct call_files *calls, int64_t inode,
			   struct procfs_holder *k)
{
	struct fd_search s = { .inode = inode, .fd = -1 };
	char buf[CALL_CHARS];
	int64_t at = 0, fd;

	/* Mostly it is in it, with its first thread. */
	fd = k->call && read_call(proc, calls, k->pid, buf) ? fd_of_call(buf) : -1;
	if (fd >= 0 && socket_at(proc, k->pid, fd) == inode && waits_for_answer(proc, k->pid)) {
		k->fd = fd;
		k->in_call = true;
		return;
	}
	if (k->fd < 0 || socket_at(proc, k->pid, k->fd) != inode) {
		if (k->looks > 0)
			show_list(proc, k->pid, "fd", &at, k->looks, is_its_socket, &s);
		k->fd = s.fd;
	}
	if (k->fd >= 0 && k->call)
		look_at_call(proc, inode, k);
}

void look_at_holders(int dir, struct call_files *calls, int64_t inode, struct procfs_holder *k,
		     int count, int64_t *at)
{
	bool found = false;

	for (int i = 0; i < count; i++) {
		*at = k[i].pid;
		k[i].in_call = false;
		if (found || k[i].pid <= 0)
			k[i].fd = -1;
		else
			look_at_holder(dir, calls, inode, &k[i]);
		found |= k[i].fd >= 0;
	}
}

static bool is_wanted(const struct procfs_walk *w, int64_t inode)
{
	for (int i = 0; i < w->wanted_count; i++)
		if (w->wanted[i] == inode)
			return true;
	return false;
}

static void note_found(struct procfs_walk *w, int32_t pid, int64_t fd, int64_t inode)
{
	if (inode <= 0 || !is_wanted(w, inode) || w->found_count == PROCFS_WALK)
		return;
	w->found[w->found_count].inode = inode;
	w->found[w->found_count].fd = fd;
	w->found[w->found_count++].pid = pid;
}

/* Where it sleeps in a call, on that socket. */
static void look_at_call_of(int proc, struct procfs_walk *w, int32_t pid)
{
	char name[48], buf[CALL_CHARS];
	int64_t fd;

	snprintf(name, sizeof(name), "%d/syscall", (int)pid);
	fd = ends(buf, proc_read(proc, name, buf, sizeof(buf) - 1)) ? fd_of_call(buf) : -1;
	if (fd >= 0)
		note_found(w, pid, fd, socket_at(proc, pid, fd));
}

/* Some entries of its list of descriptors. */
static void look_at_fds(int dir, struct procfs_walk *w, int32_t pid)
{
	char buf[LIST_BYTES] __attribute__((aligned(8)));
	const struct dirent64 *entry;
	ssize_t n = w->at && lseek(dir, w->at, SEEK_SET) < 0 ? -1 :
		getdents64(dir, buf, sizeof(buf));

	w->at = -1;
	for (ssize_t i = 0; i < n; i += entry->d_reclen) {
		entry = (const struct dirent64 *)(buf + i);
		w->at = entry->d_off;
		w->seen++;
		if (entry->d_name[0] == '.')
			continue;
		note_found(w, pid, strtoll(entry->d_name, NULL, 10),
			   proc_link_number(dir, entry->d_name, "socket:["));
	}
}

static bool is_other_thread(int dir, int64_t tid, void *arg)
{
	int64_t *own = arg;

	(void)dir;
	if (tid == *own)
		return false;
	*own = tid;
	return true;
}

static bool is_wanted_socket(int dir, int64_t fd, void *arg)
{
	char name[32];
	int64_t inode;

	snprintf(name, sizeof(name), "%lld", (long long)fd);
	inode = proc_link_number(dir, name, "socket:[");
	return inode > 0 && is_wanted(arg, inode);
}

/* It has no descriptors, or its first thread has ended: then another one's list has them, by which
 * nobody can ask for them later. */
static void look_at_others_list(int proc, struct procfs_walk *w, int32_t pid)
{
	int64_t thread = pid, at = 0;
	char name[48];

	if (!show_list(proc, pid, "task", &at, PROCFS_THREADS, is_other_thread, &thread))
		return;
	snprintf(name, sizeof(name), "task/%lld/fd", (long long)thread);
	at = 0;
	w->missed |= show_list(proc, pid, name, &at, OTHERS_FDS, is_wanted_socket, w) || at >= 0;
}

static void look_at_sockets_of(int proc, struct procfs_walk *w, int32_t pid)
{
	int list = open_list(proc, pid, "fd");

	if (list >= 0)
		look_at_fds(list, w, pid);
	else if (errno != ENOENT && errno != ESRCH)
		w->missed = true;
	if (list >= 0 && w->all && w->at < 0 && w->seen <= DOTS)
		look_at_others_list(proc, w, pid);
	if (list < 0 || w->at < 0 || w->seen >= w->seen_max) {
		bool cut = list >= 0 && w->at >= 0;

		w->cut |= cut;
		w->missed |= cut;
		w->at = w->seen = 0;
		w->left--;
	}
	if (list >= 0)
		close(list);
}

void look_at_many(int dir, struct procfs_walk *w, int64_t budget_ns, int64_t *at)
{
	int64_t until_ns = clock_mono_ns() + budget_ns;

	do {
		int32_t pid = w->pid[w->left - 1];

		*at = pid;
		if (w->calls) {
			look_at_call_of(dir, w, pid);
			w->left--;
		} else {
			look_at_sockets_of(dir, w, pid);
		}
	} while (w->left && !w->found_count && clock_mono_ns() < until_ns);
}
