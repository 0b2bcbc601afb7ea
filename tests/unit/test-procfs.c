/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What /proc says of processes, and the search through it: on a made-up /proc, with all that names
 * may hold and files may lack. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "clock.h"
#include "event.h"
#include "holders.h"
#include "procfs.h"
#include "procscan.h"
#include "scratch.h"
#include "tap.h"
#include "text.h"

static struct procfs *procfs;
static struct proc_texts texts;

static void put(const char *name, const char *data, size_t len)
{
	FILE *f = fopen(scratch_way(name), "we");

	if (!f || fwrite(data, 1, len, f) != len || fclose(f))
		abort();
}

static void put_text(const char *name, const char *text)
{
	put(name, text, strlen(text));
}

static void put_link(const char *name, const char *target)
{
	const char *path = scratch_way(name);

	unlink(path);
	if (symlink(target, path))
		abort();
}

static void take(const char *name)
{
	if (unlink(scratch_path(name)))
		abort();
}

/* The 22 fields of a stat that are looked at: all after the name are numbers of their place. */
static void put_stat(const char *name, const char *comm)
{
	char text[2048];

	snprintf(text, sizeof(text),
		 "101 (%s) S 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 2200 23 24\n", comm);
	put_text(name, text);
}

static bool is(struct text t, const char *wanted)
{
	if (wanted ? text_equal(t, text_of(wanted)) : !t.data)
		return true;
	tap_note("'%.*s'", (int)t.len, t.data ? t.data : "none");
	return false;
}

static void test_names(void)
{
	static const char *const names[] = {
		"curl", "a b", ")", "(", ")(", ") S 1 2", "new\nline", "((deep)", "",
		"a name of 63 bytes 89 123456789 123456789 123456789 123456789 1",
	};
	struct process e;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		put_stat("101/task/101/stat", names[i]);
		tap_ok(procfs_glance(procfs, 101, &e, &texts) && is(e.comm, names[i]) &&
		       e.ppid == 4 && e.start_ticks == 2200, "name %zu", i);
	}
}

static void test_broken_stats(void)
{
	static const char *const stats[] = {
		"", "101", "101 (curl", "101 curl) S 4", ") 101 (", "101 (curl) S 4 5 6",
		"101 (curl)",
		"101 (a name of 64 bytes 89 123456789 123456789 123456789 123456789 12345) S 4 5 6"
		" 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 2200\n",
	};
	struct process e;

	for (size_t i = 0; i < sizeof(stats) / sizeof(stats[0]); i++) {
		put_text("101/task/101/stat", stats[i]);
		tap_ok(!procfs_glance(procfs, 101, &e, &texts), "no process: '%.20s'", stats[i]);
	}
	put_stat("101/task/101/stat", "curl");
	take("101/task/101/stat");
	tap_ok(!procfs_glance(procfs, 101, &e, &texts), "nor without a stat");
	tap_ok(!procfs_glance(procfs, 4711, &e, &texts) &&
	       !procfs_glance(procfs, -1, &e, &texts) &&
	       !procfs_glance(procfs, 0, &e, &texts), "nor where there is none");
}

static void test_rest(void)
{
	static char big[20000], status[20000];
	struct process e;

	put_stat("101/task/101/stat", "curl");
	tap_ok(procfs_glance(procfs, 101, &e, &texts) && is(e.exe, NULL),
	       "a zombie has no program");
	procfs_rest(procfs, &e, &texts);
	tap_ok(e.uid == -1 && e.netns == -1 && is(e.cmdline, NULL),
	       "without a status nothing more is said");
	put_link("101/exe", "/usr/bin/curl");
	put_text("101/status", "Name:\tUid: 9\nUmask:\t0022\nTgid:\t101\nPPid:\t4\n"
				 "Uid:\t1\t2\t3\t5\nGid:\t6\t7\t8\t9\n");
	put_text("101/loginuid", "1000");
	put_text("101/sessionid", "4294967295");
	put_link("101/ns/net", "net:[4026531840]");
	put("101/cmdline", "curl\0-v\0two words\0", 18);
	put_link("101/cwd", "/tmp");
	put_text("101/cgroup", "1:name=systemd:/x\n0::/system.slice/x.service\n");
	tap_ok(procfs_glance(procfs, 101, &e, &texts) && is(e.exe, "/usr/bin/curl") &&
		       e.uid == -1 &&
	       is(e.cwd, NULL), "a glance is no more than that");
	procfs_rest(procfs, &e, &texts);
	tap_ok(e.uid == 1 && e.euid == 2 && e.fsuid == 5 && e.gid == 6, "users and group");
	tap_ok(e.auid == 1000 && e.session == -1 && e.netns == 4026531840,
	       "login, session, namespace");
	tap_ok(is(e.cmdline, "curl -v two words") && is(e.cwd, "/tmp") &&
	       is(e.cgroup, "/system.slice/x.service"), "texts");
	memset(big, 'x', sizeof(big));
	put("101/cmdline", big, sizeof(big));
	snprintf(status, sizeof(status), "Name:\tx\nUid:\t1\t2\t3\t5\nGid:\t6\t7\t8\t9\nX:\t%.*s\n",
		 9000, big);
	put_text("101/status", status);
	put("101/cgroup", "", 0);
	tap_ok(procfs_glance(procfs, 101, &e, &texts), "files that are larger than ours");
	procfs_rest(procfs, &e, &texts);
	tap_ok(e.uid == 1 && e.cmdline.len == 4096 && is(e.cgroup, NULL),
	       "are cut off");
	/* It goes between glance and rest: the number may be another's. */
	tap_ok(procfs_glance(procfs, 101, &e, &texts), "one that goes");
	if (rename(scratch_path("101"), scratch_path("was-101")))
		abort();
	put_text("101/status", "Uid:\t77\t77\t77\t77\n");
	procfs_rest(procfs, &e, &texts);
	tap_ok(e.uid == -1, "the next of its number is not asked");
	if (unlink(scratch_path("101/status")) || rmdir(scratch_path("101")) ||
	    rename(scratch_path("was-101"), scratch_path("101")))
		abort();
	put_text("101/status", "Name:\tx\nTgid:\t101\nPPid:\t4\n");
	tap_ok(procfs_process(procfs, 101) == 101 &&
	       procfs_process(procfs, 9) == -1 && procfs_netns(procfs, 101, 101) == 4026531840 &&
	       procfs_netns(procfs, 9, 9) == -1, "process and namespace of a thread");
	tap_ok(procfs_netns(procfs, 101, 9) == 4026531840,
	       "of one that is gone, the namespace of its process");
}

static void test_groups(void)
{
	static char status[70000];
	uint32_t groups[16];
	size_t len;

	put_stat("151/task/151/stat", "x");
	put_text("151/status", "Name:\tx\\nGroups:\t3\nGid:\t6\t7\t6\t9\nFDSize:\t64\n"
				 "Groups:\t20 4294967294 \nNStgid:\t5\n");
	tap_ok(procfs_groups(procfs, 151, 2200, groups, 16) == 6 && groups[0] == 6 &&
	       groups[1] == 7 && groups[3] == 9 && groups[4] == 20 && groups[5] == UINT32_MAX - 1,
	       "all groups of a process");
	tap_ok(procfs_groups(procfs, 151, 2200, groups, 6) == 6 &&
	       procfs_groups(procfs, 151, 2200, groups, 5) == -1, "not some of them");
	tap_ok(procfs_groups(procfs, 151, 2201, groups, 16) == -1 &&
	       procfs_groups(procfs, 151, -1, groups, 16) == -1 &&
	       procfs_groups(procfs, 9, 2200, groups, 16) == -1, "of another there are none");
	put_text("151/status", "Name:\tx\nGid:\t6\t7\t6\t9\nGroups:\t \n");
	tap_ok(procfs_groups(procfs, 151, 2200, groups, 16) == 4, "one without others");
	put_text("151/status", "Name:\tx\nGid:\t6\t7\t6\t9\nGroups:\t20 x\n");
	tap_ok(procfs_groups(procfs, 151, 2200, groups, 16) == -1, "what is no number");
	len = (size_t)snprintf(status, sizeof(status), "Name:\tx\nGid:\t6\t7\t6\t9\nGroups:\t");
	while (len + 3 < sizeof(status))
		len += (size_t)snprintf(status + len, sizeof(status) - len, "8 ");
	put_text("151/status", status);
	tap_ok(procfs_groups(procfs, 151, 2200, groups, 16) == -1, "more than there is room for");
}

/* Looked at, also for its call. */
static struct procfs_holder holder(int64_t pid, int64_t fd, int64_t inode)
{
	struct procfs_holder k = { .pid = pid, .fd = fd, .call = true };

	procfs_holders(procfs, inode, &k, 1);
	return k;
}

static bool in_call(int64_t pid)
{
	return holder(pid, 3, 7000).in_call;
}

static void test_fds(void)
{
	char name[64], target[64];

	put_link("101/fd/3", "socket:[7000]");
	put_link("101/fd/4", "/dev/null");
	put_link("101/fd/5", "socket:[70001]");
	tap_ok(procfs_inode(procfs, 101, 3) == 7000 && procfs_inode(procfs, 101, 4) == -1 &&
	       procfs_inode(procfs, 101, 6) == -1 && procfs_inode(procfs, 9, 3) == -1, "inodes");
	tap_ok(procfs_holds(procfs, 101, 3, 7000) && !procfs_holds(procfs, 101, 5, 7000) &&
	       !procfs_holds(procfs, 101, 4, -1), "the process that holds a socket");
	tap_ok(procfs_find_fd(procfs, 101, 70001, PROCFS_LOOKS) == 5 &&
	       procfs_find_fd(procfs, 101, 1, PROCFS_LOOKS) == -1 &&
	       procfs_find_fd(procfs, 9, 7000, PROCFS_LOOKS) == -1, "by which descriptor");
	for (int i = 0; i < 1500; i++) {
		snprintf(name, sizeof(name), "103/fd/%d", i);
		snprintf(target, sizeof(target), "socket:[%d]", 100000 + i);
		put_link(name, target);
	}
	tap_ok(procfs_find_fd(procfs, 103, 1, PROCFS_LOOKS) == -1,
	       "very many are not all looked at");
	tap_ok(holder(101, 9, 7000).fd == -1, "at another descriptor it is not");
}

/* Of several the first that holds it, by whichever descriptor. */
static void test_first(void)
{
	struct procfs_holder k[] = {
		{ .pid = 9, .fd = 3, .call = true }, { .pid = 101, .fd = 3, .call = true },
		{ .pid = 104, .fd = 9, .call = true }, { .pid = 105, .fd = 3, .call = true },
	};

	put_text("104/syscall", "42 0x3 0x7ffd 0x10 0x0 0x0 0x0 0x7ffc 0x7f00\n");
	put_text("104/wchan", "inet_wait_for_connect");
	put_link("104/fd/3", "socket:[7000]");
	put_link("105/fd/3", "socket:[7000]");
	procfs_holders(procfs, 7000, k, 4);
	tap_ok(k[0].fd == -1 && k[1].fd == 3 && !k[1].in_call, "one is gone, one holds it");
	tap_ok(k[2].fd == -1 && k[3].fd == -1, "which is enough");
	procfs_holders(procfs, 7000, k + 2, 2);
	tap_ok(k[2].fd == 3 && k[2].in_call && k[3].fd == -1, "one is in the call");
	take("105/fd/3");
	take("104/fd/3");
}

static void test_many_threads(void)
{
	struct procfs_holder k = { .pid = 106, .fd = 3, .call = true };
	char name[64];
	int times = 0;

	put_link("106/fd/3", "socket:[7006]");
	for (int i = 0; i < 150; i++) {
		snprintf(name, sizeof(name), "106/task/%d/syscall", 2000 + i);
		put_text(name, "0 0x5\n");
	}
	do {
		procfs_holders(procfs, 7006, &k, 1);
		times++;
	} while (k.threads >= 0 && times < 9);
	tap_ok(times == 3 && !k.in_call, "many threads are looked at in turn: %d", times);
	put_text("106/task/2100/syscall", "42 0x3 0x7ffd 0x10 0x0 0x0 0x0 0x7ffc 0x7f00\n");
	put_text("106/task/2100/wchan", "__inet_stream_connect");
	for (times = 0; !k.in_call && times < 9; times++)
		procfs_holders(procfs, 7006, &k, 1);
	tap_ok(k.in_call && times <= 3, "until one is in the call");
	take("106/fd/3");
}

static void test_calls(void)
{
	static const struct {
		const char *what, *rest;
		long nr;
		bool yes;
	} calls[] = {
		{ "connect()", "0x3 0x7ffd 0x10 0x0 0x0 0x0 0x7ffc 0x7f00", SYS_connect, true },
		{ "sendto()", "0x3 0x0", SYS_sendto, true },
		{ "sendmsg()", "0x3 0x0", SYS_sendmsg, true },
		{ "sendmmsg()", "0x3 0x0", SYS_sendmmsg, true },
		{ "above 32 bits there may be anything", "0x500000003 0x0", SYS_connect, true },
		{ "another descriptor", "0x33 0x0", SYS_connect, false },
		{ "another call", "0x3 0x0", SYS_read, false },
		{ "outside of a call", "0x3 0x0", -1, false },
#ifdef __x86_64__
		{ "a 32-bit connect()", "0x3 0x4175a000 0x10", 362, true },
		{ "a 32-bit sendmmsg()", "0x3 0x4175a000 0x1", 345, true },
		{ "a 32-bit connect() of another", "0x4 0x4175a000 0x10", 362, false },
		{ "socketcall(), whose descriptor is not told", "0x3 0x40653010 0x0", 102, false },
#endif
		{ "no argument", "", SYS_connect, false },
	};
	static const struct {
		const char *where, *what;
		bool yes;
	} waits[] = {
		{ "wait_woken", "it waits for the answer", true },
		{ "inet_wait_for_connect", "likewise", true },
		{ "__inet_stream_connect", "likewise", true },
		{ "seccomp_do_user_notification", "its call has not begun", false },
		{ "inet_wait_for_connection", "that is another function", false },
		{ "0", "who looks may not know", false },
	};
	char text[256];

	put_text("101/task/101/syscall", "running\n");
	tap_ok(!in_call(101), "one that runs does not tell");
	put_text("101/task/107/wchan", "inet_wait_for_connect.isra.0");
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		snprintf(text, sizeof(text), "%ld %s\n", calls[i].nr, calls[i].rest);
		put_text("101/task/107/syscall", text);
		tap_ok(in_call(101) == calls[i].yes, "%s", calls[i].what);
	}
	snprintf(text, sizeof(text), "%d 0x3 0x0\n", SYS_connect);
	put_text("101/task/107/syscall", text);
	for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
		put_text("101/task/107/wchan", waits[i].where);
		tap_ok(in_call(101) == waits[i].yes, "it sleeps in %s: %s", waits[i].where,
		       waits[i].what);
	}
	put_text("101/task/107/syscall", "");
	tap_ok(!in_call(101) && !in_call(9), "nothing is said");
	put_text("101/task/x", "a file");
	tap_ok(!in_call(101), "a thread that is going");
	take("101/task/x");
	test_first();
	test_many_threads();
}

static const int64_t inodes[] = { 7000, 70001, 101499, 90, 9000, 4300, 4400, 10900, 11000,
				  11100, 11200 };
static const struct procscan_wanted wanted = { inodes, sizeof(inodes) / sizeof(inodes[0]) };

static struct {
	int64_t inode, pid, fd;
} seen[4096];
static int seen_count;

/* arg: true when so many have been seen; NULL: never. */
static bool on_socket(int64_t inode, int64_t pid, int64_t fd, void *arg)
{
	if (seen_count == 4096)
		abort();
	seen[seen_count].inode = inode;
	seen[seen_count].pid = pid;
	seen[seen_count++].fd = fd;
	return arg && seen_count >= *(int *)arg;
}

static bool was_seen(int64_t inode, int64_t pid, int64_t fd)
{
	for (int i = 0; i < seen_count; i++)
		if (seen[i].inode == inode && seen[i].pid == pid && seen[i].fd == fd)
			return true;
	return false;
}

/* To its end, in pieces of one step each; how many. */
static int search(struct procscan *s)
{
	int pieces = 1;

	seen_count = 0;
	while (procscan_step(s, 0, &wanted, on_socket, NULL) && pieces < 1000)
		pieces++;
	return pieces;
}

static void on_thread(int64_t tid, int64_t pid, void *arg)
{
	*(int64_t *)arg += tid * 1000 + pid;
}

static void test_search(void)
{
	struct procscan *s = procscan_new(procfs);
	int64_t sum = 0, newest = 0;
	int two = 2;

	tap_ok(!procscan_step(s, 1000, &wanted, on_socket, NULL) && !seen_count,
	       "not begun: at its end");
	put_text("not-a-process/fd/x", "");
	put_link("90000/fd/7", "socket:[90]");
	procscan_begin(s);
	tap_ok(search(s) > 4 && was_seen(7000, 101, 3) && was_seen(70001, 101, 5) &&
	       was_seen(90, 90000, 7), "everybody's sockets");
	tap_ok(seen_count == 3 + was_seen(101499, 103, 1499), "each once, and no others");
	put_text("loadavg", "0.12 0.04 0.01 2/345 107\n");
	put_text("107/status", "Name:\tx\nTgid:\t101\n");
	put_link("107/fd/3", "socket:[7000]");
	put_text("90/status", "Name:\tx\nTgid:\t90\n");
	put_link("90/fd/3", "socket:[9000]");
	put_text("43/status", "Name:\tx\nTgid:\t43\n");
	put_link("43/fd/3", "socket:[4300]");
	put_text("44/status", "Name:\tx\nTgid:\t44\n");
	put_text("44/syscall", "42 0x3 0x7ffd0000 0x10 0x0 0x0 0x0 0x7ffd0000 0x401000\n");
	put_link("44/fd/3", "socket:[4400]");
	procscan_newest(s);
	tap_ok(search(s) > 64 &&
	       was_seen(7000, 107, 3), "the newest, a thread's number among them");
	tap_ok(was_seen(9000, 90, 3) && was_seen(4400, 44, 3) && !was_seen(4300, 43, 3) &&
		       !was_seen(90, 90000, 7), "64 and no more");
	tap_ok(seen[0].inode == 4400 && seen[1].pid == 107,
	       "a process that waits in a call first, then the newest");
	procscan_newest(s);
	seen_count = 0;
	tap_ok(procscan_step(s, 1000000, &wanted, on_socket, &two) && seen_count == 2,
	       "until it is enough");
	put_text("loadavg", "0.12 0.04 0.01 2/345 2\n");
	procscan_newest(s);
	tap_ok(search(s) < 9 && !seen_count, "down to the first");
	put_text("loadavg", "nonsense");
	procscan_newest(s);
	tap_ok(search(s) < 9 && !seen_count, "a loadavg that is none");
	take("loadavg");
	procscan_newest(s);
	tap_ok(search(s) < 9 && !seen_count, "or is not there");
	procscan_begin(s);
	procscan_step(s, 0, &wanted, on_socket, NULL);
	procscan_begin(s);
	tap_ok(search(s) > 4 && was_seen(7000, 101, 3), "begun anew in the middle");
	/* This tree has a pid namespace only where it says so. */
	put_text("loadavg", "0.12 0.04 0.01 2/345 107\n");
	put_link("self/ns/pid", "pid:[4026531836]");
	procscan_begin_thorough(s);
	tap_ok(search(s) > 4 && was_seen(7000, 101, 3) && procscan_saw_all(s, &newest) &&
	       newest == 107, "a thorough search sees all");
	procscan_begin_thorough(s);
	procscan_step(s, 0, &wanted, on_socket, NULL);
	tap_ok(!procscan_saw_all(s, &newest), "not before its end");
	put_text("loadavg", "0.12 0.04 0.01 2/345 109\n");
	put_link("109/fd/3", "socket:[10900]");
	tap_ok(search(s) > 4 && was_seen(10900, 109, 3) && procscan_saw_all(s, &newest) &&
	       newest == 109, "those that began meanwhile as well");
	put_text("loadavg", "0.12 0.04 0.01 2/345 110\n");
	put_link("110/fd/3", "socket:[11000]");
	procscan_go_on(s);
	tap_ok(search(s) < 4 && seen_count == 1 && was_seen(11000, 110, 3) &&
	       procscan_saw_all(s, &newest) && newest == 110, "and later those alone");
	procscan_begin_thorough(s);
	procscan_step(s, 0, &wanted, on_socket, NULL);
	put_text("loadavg", "0.12 0.04 0.01 2/345 5\n");
	search(s);
	tap_ok(!procscan_saw_all(s, &newest), "but not where numbers began anew");
	put_text("111/fd", "no directory");
	procscan_begin_thorough(s);
	search(s);
	tap_ok(!procscan_saw_all(s, &newest), "nor where one cannot be looked at");
	take("111/fd");
	put_link("112/fd/3", "/dev/null");
	take("112/fd/3");
	put_stat("112/task/112/stat", "x");
	put_link("112/task/2900/fd/3", "socket:[7999]");
	procscan_begin_thorough(s);
	search(s);
	tap_ok(procscan_saw_all(s, &newest), "one without its first thread holds another socket");
	put_link("112/task/2900/fd/4", "socket:[7000]");
	procscan_begin_thorough(s);
	search(s);
	tap_ok(!procscan_saw_all(s, &newest), "nor where such a one holds this one");
	put_link("112/fd/3", "/dev/null");
	procscan_begin_thorough(s);
	search(s);
	tap_ok(procscan_saw_all(s, &newest), "a thread of one that has descriptors has the same");
	take("112/fd/3");
	take("112/task/2900/fd/4");
	put_link("self/ns/pid", "pid:[4026532000]");
	procscan_begin_thorough(s);
	search(s);
	tap_ok(!procscan_saw_all(s, &newest), "nor in a pid namespace that others are not in");
	procscan_begin(s);
	search(s);
	tap_ok(!procscan_saw_all(s, &newest), "nor after any other search");
	take("loadavg");
	procscan_free(s);
	procscan_threads(procfs, on_thread, &sum);
	tap_ok(sum > 101101 + 107101, "threads and their processes");
}

int main(void)
{
	scratch_make();
	procfs = procfs_open(scratch_dir);
	if (!procfs)
		abort();
	put_text("101/x", "");
	test_names();
	test_broken_stats();
	test_rest();
	test_groups();
	test_fds();
	test_calls();
	test_search();
	procfs_close(procfs);
	tap_ok(!procfs_open(scratch_path("none")), "no /proc");
	return tap_done();
}
