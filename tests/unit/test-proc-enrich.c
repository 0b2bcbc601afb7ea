/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a process still tells of itself: from a made-up /proc, and from the real one. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "event.h"
#include "proc.h"
#include "tap.h"
#include "proc_enrich.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define EXE "/usr/bin/made-up"

static char root[] = "/tmp/sockledger-witness.XXXXXX";
static struct proc_enrich w = { .proc = -1 };

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st, (void)type, (void)at;
	return remove(path);
}

static void write_file(const char *name, const void *data, size_t len)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/101/%s", root, name);
	f = fopen(path, "we");
	if (!f || fwrite(data, 1, len, f) != len || fclose(f))
		abort();
}

static void write_text(const char *name, const char *text)
{
	write_file(name, text, strlen(text));
}

static void link_to(const char *name, const char *target)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/101/%s", root, name);
	unlink(path);
	if (symlink(target, path))
		abort();
}

static void make_dir(const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", root, name);
	if (mkdir(path, 0700))
		abort();
}

/* A start in clock ticks since boot, by the wall clock. */
static int64_t ticks_at(int64_t time_us)
{
	return (time_us - proc_boot_us()) / proc_tick_us();
}

/* Of another process, then: what is remembered of the one before goes. */
static void set_start(int64_t ticks)
{
	char stat[512];

	/* The name is the process's own choice; fields 4 to 21 are of no interest. */
	snprintf(stat, sizeof(stat), "101 (a) b) 22 (c) R 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 "
		 "17 18 %" PRId64 " 23 24\n", ticks);
	write_text("task/101/stat", stat);
	proc_enrich_release(&w);
	proc_enrich_init(&w, root);
}

/* A process that started a minute ago, pid 101, with a socket at fd 3. */
static void make_process(void)
{
	make_dir("101");
	make_dir("101/fd");
	make_dir("101/task");
	make_dir("101/task/101");
	make_dir("101/ns");
	set_start(ticks_at(clock_now_us() - 60 * TIME_US_PER_S));
	link_to("exe", EXE);
	link_to("fd/3", "socket:[4711]");
	link_to("fd/4", "/dev/null");
	link_to("fd/5", "pipe:[99]");
	link_to("ns/net", "net:[4026531840]");
	link_to("cwd", "/home/x");
	write_text("cgroup", "0::/system.slice/made-up.service\n");
	write_file("cmdline", "made-up\0-v\0", 11);
}

static void make_event(struct event *e, int64_t pid, int64_t fd)
{
	event_init(e);
	e->kind = EVENT_CONNECT;
	e->time_us = clock_now_us();
	e->process.pid = pid;
	e->fd = fd;
	e->process.exe = text_of(EXE);
	e->process.cmdline = text_of("made-up -v");
}

static enum proc_enrich_result ask(struct event *e)
{
	return proc_enrich_read(&w, e, clock_now_us());
}

static bool untouched(const struct event *e)
{
	return e->inode == -1 && e->listener_inode == -1 && e->process.start_ticks == -1 &&
	       e->process.netns == -1 &&
	       e->protocol == -1 && !e->process.cgroup.data && !e->process.cwd.data;
}

static void test_all(void)
{
	struct event e;

	make_event(&e, 101, 3);
	tap_ok(ask(&e) == PROC_ENRICH_READ, "the process is there");
	tap_ok(e.inode == 4711 && e.process.netns == 4026531840,
	       "its socket and its network namespace");
	tap_ok(e.process.start_ticks > 0 &&
	       llabs(e.process.start_ticks - ticks_at(clock_now_us() - 60 * TIME_US_PER_S)) <= 200,
	       "its start, behind a name with brackets");
	tap_ok(text_equal(e.process.cgroup, text_of("/system.slice/made-up.service")) &&
	       text_equal(e.process.cwd, text_of("/home/x")), "control group and directory");
	tap_ok(text_equal(e.process.cmdline, text_of("made-up -v")),
	       "a short command line stays the record's");
	tap_ok(e.protocol == -1, "no protocol of a socket that is none");
}

static void test_fds(void)
{
	struct event e;
	bool good;

	make_event(&e, 101, 4);
	good = ask(&e) == PROC_ENRICH_READ && e.inode == -1;
	make_event(&e, 101, 5);
	good = ask(&e) == PROC_ENRICH_READ && e.inode == -1 && good;
	make_event(&e, 101, 6);
	good = ask(&e) == PROC_ENRICH_READ && e.inode == -1 && good;
	make_event(&e, 101, -1);
	good = ask(&e) == PROC_ENRICH_READ && e.inode == -1 && e.process.start_ticks > 0 && good;
	tap_ok(good, "a file, a pipe, a closed fd and none have no inode");
	make_event(&e, 101, 4);
	e.listener = 3;
	tap_ok(ask(&e) == PROC_ENRICH_READ && e.inode == -1 && e.listener_inode == 4711,
	       "the socket that was listened on");
	e.listener = 4;
	e.fd = 3;
	tap_ok(ask(&e) == PROC_ENRICH_READ && e.inode == 4711 && e.listener_inode == -1,
	       "is not the one that came out");
}

static void test_other_process(void)
{
	struct event e;
	int64_t now = clock_now_us();

	make_event(&e, 102, 3);
	tap_ok(ask(&e) == PROC_ENRICH_GONE && untouched(&e), "gone");

	/* More than the clocks' slack after the record. */
	set_start(ticks_at(now));
	make_event(&e, 101, 3);
	e.time_us = now - 500000;
	tap_ok(ask(&e) == PROC_ENRICH_GONE &&
	       untouched(&e), "started after the record: another one");
	e.time_us = now + 50000;
	tap_ok(ask(&e) == PROC_ENRICH_READ && e.inode == 4711, "started just before it: the same");
	set_start(ticks_at(now - 60 * TIME_US_PER_S));

	make_event(&e, 101, 3);
	e.process.exe = text_of("/usr/bin/other");
	tap_ok(ask(&e) == PROC_ENRICH_GONE && untouched(&e), "another program");
	e.process.exe = text_of(EXE "x");
	tap_ok(ask(&e) == PROC_ENRICH_GONE && untouched(&e), "one whose name goes on");
	e.process.exe = TEXT_NONE;
	e.process.comm = text_of("a");
	tap_ok(ask(&e) == PROC_ENRICH_GONE && untouched(&e), "a record without a program");
	make_event(&e, 101, -1);
	e.process.comm = e.process.exe = TEXT_NONE;
	write_text("comm", "made-up\n");
	tap_ok(ask(&e) == PROC_ENRICH_READ && text_equal(e.process.exe, text_of(EXE)) &&
	       text_equal(e.process.comm, text_of("made-up")) &&
	       e.process.exe_seen == EXE_TOLD && e.process.start_ticks >= 0,
	       "a ring's record has no names: those of the process, which may have changed");
	set_start(ticks_at(now));
	make_event(&e, 101, -1);
	e.process.comm = e.process.exe = TEXT_NONE;
	e.time_us = now - 500000;
	tap_ok(ask(&e) == PROC_ENRICH_GONE && !e.process.comm.data, "not of a later process");
	set_start(ticks_at(now - 60 * TIME_US_PER_S));

	link_to("exe", EXE " (deleted)");
	make_event(&e, 101, 3);
	tap_ok(ask(&e) == PROC_ENRICH_READ && e.inode == 4711 && e.process.replaced < 0,
	       "the same program, deleted since the call");
	/* No process of this made-up /proc has a file: what cannot be looked at stays. */
	e.process.exe = text_of(EXE " (deleted)");
	tap_ok(ask(&e) == PROC_ENRICH_READ && e.process.replaced < 0 &&
	       text_equal(e.process.exe, text_of(EXE " (deleted)")),
	       "deleted before it, and not to be looked at");
	e.process.exe = text_of(EXE "s (deleted)");
	tap_ok(ask(&e) == PROC_ENRICH_GONE && text_equal(e.process.exe, text_of(EXE "s")) &&
	       e.process.replaced == 1, "deleted before it, and the process is gone");
	e.process.exe = text_of("/usr/bin/made-u");
	e.inode = e.process.start_ticks = -1;
	tap_ok(ask(&e) == PROC_ENRICH_GONE, "another one beside a deleted one");
	link_to("exe", EXE);
}

static bool has_program(const struct event *e, const char *exe, int64_t seen)
{
	return text_equal(e->process.exe, text_of(exe)) && e->process.exe_seen == seen &&
	       (e->process.exe_inode > 0) == (seen != EXE_TOLD);
}

/* A program whose file is there, in a root of the process's own. */
static void test_file(void)
{
	char ours[64], file[400], box[300];
	struct event e;
	ssize_t n = readlink("/proc/self/ns/user", ours, sizeof(ours) - 1);
	FILE *f;

	ours[n > 0 ? n : 0] = '\0';
	make_dir("101/box");
	make_dir("101/box/bin");
	snprintf(box, sizeof(box), "%s/101/box", root);
	snprintf(file, sizeof(file), "%s/bin/program", box);
	f = fopen(file, "we");
	if (!f || fclose(f))
		abort();
	link_to("exe", file);
	link_to("root", box);
	link_to("ns/user", ours);
	make_event(&e, 101, 3);
	e.process.exe = text_of(file);
	tap_ok(ask(&e) == PROC_ENRICH_READ && has_program(&e, file, EXE_HERE),
	       "a program whose file is at its path");
	make_event(&e, 101, 3);
	e.process.exe = text_of("/bin/program");
	tap_ok(ask(&e) == PROC_ENRICH_READ && has_program(&e, file, EXE_HERE),
	       "a record has the path that it has in the process's own root");
	make_event(&e, 101, 3);
	e.process.exe = text_of("/bin/programs");
	tap_ok(ask(&e) == PROC_ENRICH_GONE && has_program(&e, "/bin/programs", EXE_TOLD),
	       "and not another one");
	link_to("ns/user", "user:[1]");
	make_event(&e, 101, 3);
	e.process.exe = text_of(file);
	tap_ok(ask(&e) == PROC_ENRICH_READ && e.inode == 4711 && has_program(&e, file, EXE_TOLD),
	       "in a user namespace of its own it may have had another root");
	make_event(&e, 101, 3);
	e.process.exe = text_of("<too_long>");
	tap_ok(ask(&e) == PROC_ENRICH_GONE && !e.process.exe.data, "no path at all");
	link_to("exe", EXE);
}

static void test_bad_stat(void)
{
	static const char *const stats[] = { "", "101", "101 (x) R 1 2 3", "101 (x R 1 2 3 4\n" };
	bool good = true;

	for (size_t i = 0; i < sizeof(stats) / sizeof(stats[0]); i++) {
		struct event e;

		write_text("task/101/stat", stats[i]);
		make_event(&e, 101, 3);
		good = ask(&e) == PROC_ENRICH_GONE && untouched(&e) && good;
	}
	set_start(ticks_at(clock_now_us() - 60 * TIME_US_PER_S));
	tap_ok(good, "a stat without a start");
}

static void test_time(void)
{
	int64_t now = clock_now_us();
	struct event e;

	make_event(&e, 101, 3);
	e.time_us = now - 4 * TIME_US_PER_S;
	tap_ok(proc_enrich_read(&w, &e, now) == PROC_ENRICH_READ,
	       "a record of four seconds ago is asked");
	make_event(&e, 101, 3);
	e.time_us = now - 6 * TIME_US_PER_S;
	tap_ok(proc_enrich_read(&w, &e, now) == PROC_ENRICH_OLD && untouched(&e),
	       "one of six seconds ago is not");
	e.time_us = now + 2 * TIME_US_PER_S;
	tap_ok(proc_enrich_read(&w, &e, now) == PROC_ENRICH_OLD && untouched(&e),
	       "nor one of a time to come");
}

static void test_cgroups(void)
{
	static const struct {
		const char *lines, *path;
	} of[] = {
		{ "0::/a.slice/b.service\n", "/a.slice/b.service" },
		{ "0::/a.slice/b.service", "/a.slice/b.service" },
		{ "0::/\n", "/" },
		{ "12:pids:/p\n1:name=systemd:/s.service\n0::/u.service\n", "/u.service" },
		{ "12:pids:/p\n1:name=systemd:/s.service\n0::/\n", "/s.service" },
		{ "1:name=systemd:/s.service\n12:pids:/p\n", "/s.service" },
		{ "12:pids:/p\n11:cpu,cpuacct:/c\n1:name=systemd:/\n", "/p" },
		{ "12:pids:/\n11:cpu,cpuacct:/c:/d\n", "/c:/d" },
		{ "12:pids:/\n11:cpu:/\n", "/" },
		{ "garbage\n\n:\n0::/x\n", "/x" },
		/* docker without systemd, where version 1 has all controllers */
		{ "4:cpu:/docker/" ID "\n1:name=systemd:/docker/" ID "/x\n"
		  "0::/system.slice/containerd.service\n", "/docker/" ID "/x" },
		{ "4:cpu:/docker/" ID "\n1:name=systemd:/system.slice/a.service\n0::/\n",
		  "/docker/" ID },
		{ "4:cpu:/lxc/web\n0::/system.slice/docker-" ID ".scope\n",
		  "/system.slice/docker-" ID ".scope" },
		/* what a user makes is none */
		{ "4:cpu:/user.slice/user-1.slice/user@1.service/docker-" ID ".scope\n"
		  "0::/user.slice/user-1.slice/user@1.service/x\n",
		  "/user.slice/user-1.slice/user@1.service/x" },
		{ "garbage", NULL },
		{ "", NULL },
	};

	for (size_t i = 0; i < sizeof(of) / sizeof(of[0]); i++) {
		struct event e;

		write_text("cgroup", of[i].lines);
		make_event(&e, 101, 3);
		if (!tap_ok(ask(&e) == PROC_ENRICH_READ &&
			    text_equal(e.process.cgroup, text_of(of[i].path)), "cgroup %zu", i))
			tap_note("'%.*s' of %s", (int)e.process.cgroup.len,
				 e.process.cgroup.data, of[i].lines);
	}
}

static void test_cmdline(void)
{
	char whole[400], cut[129];
	struct event e;

	for (size_t i = 0; i < sizeof(whole); i++)
		whole[i] = i % 10 == 9 ? '\0' : (char)('a' + i % 10);
	write_file("cmdline", whole, sizeof(whole));
	for (size_t i = 0; i < sizeof(whole); i++)
		if (!whole[i])
			whole[i] = ' ';
	memcpy(cut, whole, 128);
	cut[128] = '\0';

	make_event(&e, 101, 3);
	e.process.cmdline = text_of(cut);
	tap_ok(ask(&e) == PROC_ENRICH_READ && e.process.cmdline.len == sizeof(whole) - 1 &&
	       !memcmp(e.process.cmdline.data, whole, sizeof(whole) - 1),
	       "a command line that was cut is completed");
	cut[5] = '!';
	make_event(&e, 101, 3);
	e.process.cmdline = text_of(cut);
	tap_ok(ask(&e) == PROC_ENRICH_READ && text_equal(e.process.cmdline, text_of(cut)),
	       "not by one that begins otherwise");
	make_event(&e, 101, 3);
	e.process.cmdline = (struct text){ whole, 20 };
	tap_ok(ask(&e) == PROC_ENRICH_READ && e.process.cmdline.len == 20,
	       "a short one is the whole of what the process was then");
	make_event(&e, 101, 3);
	e.process.cmdline = TEXT_NONE;
	tap_ok(ask(&e) == PROC_ENRICH_READ && !e.process.cmdline.data, "none stays none");
}

/* This very process in the real /proc. */
static void test_self(void)
{
	static const struct {
		int family, type;
		int64_t protocol;
	} kinds[] = {
		{ AF_INET, SOCK_STREAM, IPPROTO_TCP },
		{ AF_INET6, SOCK_STREAM, IPPROTO_TCP },
		{ AF_INET, SOCK_DGRAM, IPPROTO_UDP },
		{ AF_INET6, SOCK_DGRAM, IPPROTO_UDP },
	};
	char exe[4096], cwd[4096];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	struct stat ns, sock;
	struct event e;

	if (n < 0 || !getcwd(cwd, sizeof(cwd)) || stat("/proc/self/ns/net", &ns))
		abort();
	exe[n] = '\0';
	tap_ok(!proc_enrich_init(&w, "/proc"), "the real /proc");
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		int fd = socket(kinds[i].family, kinds[i].type | SOCK_CLOEXEC, 0);
		bool good;

		if (fd < 0 || fstat(fd, &sock)) {
			tap_ok(true, "socket kind %zu # SKIP %s", i, strerror(errno));
			continue;
		}
		make_event(&e, getpid(), fd);
		e.process.exe = text_of(exe);
		good = ask(&e) == PROC_ENRICH_READ && e.inode == (int64_t)sock.st_ino &&
		       e.process.netns == (int64_t)ns.st_ino && e.process.start_ticks > 0 &&
		       text_equal(e.process.cwd, text_of(cwd));
		tap_ok(good, "this process: socket %zu, namespace, start, directory", i);
		tap_ok(e.protocol == kinds[i].protocol, "this process: protocol of socket %zu", i);
		e.protocol = 99;
		ask(&e);
		tap_ok(e.protocol == 99, "a protocol that is known stays");
		close(fd);
	}
	make_event(&e, getpid(), -1);
	e.process.exe = text_of(exe);
	if (ask(&e) == PROC_ENRICH_READ) {
		int64_t started_us = proc_boot_us() + e.process.start_ticks * proc_tick_us();

		make_event(&e, getpid(), -1);
		e.process.exe = text_of(exe);
		e.time_us = started_us - 100000;
		/* As if read at once: this test may have run for longer than records stay fresh. */
		tap_ok(proc_enrich_read(&w, &e, started_us + 100000) == PROC_ENRICH_GONE &&
		       untouched(&e),
		       "a record from before this process began is another's");
	}
	proc_enrich_release(&w);
}

static int64_t child_of(int64_t time_us)
{
	struct event e;

	make_event(&e, 101, -1);
	e.kind = EVENT_FORK;
	e.time_us = time_us;
	e.exit = 4000;
	ask(&e);
	return e.exit;
}

/* A child's number counts where it is one of ours: whoever made it is in our pid namespace. */
static void test_forks(void)
{
	int64_t now_us = clock_now_us();
	struct event e;

	link_to("ns/pid", "pid:[4026531836]");
	tap_ok(child_of(now_us) == 0, "a child, and our own pid namespace is not known");
	make_dir("self");
	make_dir("self/ns");
	link_to("../self/ns/pid", "pid:[4026531836]");
	set_start(ticks_at(now_us - 60 * TIME_US_PER_S));
	tap_ok(child_of(now_us) == 4000, "a child of a process in our pid namespace");
	tap_ok(child_of(now_us - 60 * TIME_US_PER_S) == 0, "of a process that was not looked at");
	link_to("ns/pid", "pid:[4026532000]");
	tap_ok(child_of(now_us) == 0, "of one in another pid namespace");
	make_event(&e, 101, -1);
	e.exit = 4000;
	ask(&e);
	tap_ok(e.exit == 4000, "which changes no other call's result");
	link_to("ns/pid", "pid:[4026531836]");
	make_event(&e, 102, -1);
	e.kind = EVENT_FORK;
	e.exit = 4000;
	ask(&e);
	tap_ok(e.exit == 0, "of one that is gone");
	e.exit = 4000;
	proc_enrich_name(&e);
	tap_ok(e.exit == 0, "of one that nobody had time to look at");
}

int main(void)
{
	if (!mkdtemp(root)) {
		printf("1..0 # SKIP no temporary directory: %s\n", strerror(errno));
		return 77;
	}
	proc_enrich_init(&w, "/");
	make_process();
	proc_enrich_release(&w);
	tap_ok(!proc_enrich_init(&w, root), "a made-up /proc");
	test_all();
	test_fds();
	test_other_process();
	test_file();
	test_bad_stat();
	test_time();
	test_cgroups();
	test_cmdline();
	test_forks();
	proc_enrich_release(&w);
	test_self();
	tap_ok(proc_enrich_init(&w, "/nonexistent") == -ENOENT, "no /proc");
	nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	return tap_done();
}
