/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Questions to /proc that may take as long as somebody likes: answered by lookers, which are killed
 * where they do not come back.  The /proc is the test's own, and a pipe in it is what keeps a
 * looker waiting.
 */
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "holders.h"
#include "question.h"
#include "looker.h"
#include "looks.h"
#include "peek.h"
#include "procfs.h"
#include "scratch.h"
#include "tap.h"

#define OTHER_USER 1000
#define SOON_NS 100000000LL

static struct peek *peek;
static struct procfs *procfs;
static struct proc_texts texts;

static void put(const char *name, const char *text)
{
	FILE *f = fopen(scratch_way(name), "we");

	if (!f || fputs(text, f) < 0 || fclose(f))
		abort();
}

/* A process in connect() on descriptor 3, the socket 7000 and its pid.  Frozen: who reads its call,
 * or its command line, waits. */
static void put_process(int pid, int uid, bool frozen)
{
	char name[64], text[256];

	snprintf(name, sizeof(name), "%d/syscall", pid);
	snprintf(text, sizeof(text), "%ld 0x3 0x7ffd0000 0x10 0x0 0x0 0x0 0x7ffd0000 0x401000\n",
		 (long)SYS_connect);
	if (!frozen)
		put(name, text);
	else if (mkfifo(scratch_way(name), 0600))
		abort();
	snprintf(name, sizeof(name), "%d/wchan", pid);
	put(name, "wait_woken");
	snprintf(name, sizeof(name), "%d/cmdline", pid);
	if (!frozen)
		put(name, "a command line");
	else if (mkfifo(scratch_way(name), 0600))
		abort();
	snprintf(name, sizeof(name), "%d/task/%d/stat", pid, pid);
	snprintf(text, sizeof(text), "%d (x) S 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 "
		 "2200 23 24\n", pid);
	put(name, text);
	snprintf(name, sizeof(name), "%d/status", pid);
	snprintf(text, sizeof(text), "Name:\tx\nUid:\t%d\t%d\t%d\t%d\n", uid, uid, uid, uid);
	put(name, text);
	snprintf(name, sizeof(name), "%d/fd/3", pid);
	snprintf(text, sizeof(text), "socket:[%d]", 7000 + pid);
	if (symlink(text, scratch_way(name)))
		abort();
}

static bool in_call(int pid)
{
	struct procfs_holder k = { .pid = pid, .fd = 3, .call = true };

	procfs_holders(procfs, 7000 + pid, &k, 1);
	return k.fd == 3 && k.in_call;
}

static int64_t overdue(void)
{
	return peek_counts(peek).overdue;
}

static void test_answers(void)
{
	struct process process;

	put_process(10, 7, false);
	tap_ok(procfs_glance(procfs, 10, &process, &texts) && process.start_ticks == 2200 &&
	       text_equal(process.comm, text_of("x")) &&
	       !procfs_glance(procfs, 11, &process, &texts), "which process it is");
	procfs_glance(procfs, 10, &process, &texts);
	procfs_rest(procfs, &process, &texts);
	tap_ok(process.uid == 7 && process.ppid == 4 && text_equal(process.comm, text_of("x")) &&
	       text_equal(process.cmdline, text_of("a command line")), "all else");
	tap_ok(procfs_inode(procfs, 10, 3) == 7010 && procfs_find_fd(procfs, 10, 7010, 9) == 3 &&
	       procfs_inode(procfs, 10, 4) == -1, "its sockets");
	tap_ok(in_call(10) && !in_call(11), "its call");
	tap_ok(!overdue() && peek_counts(peek).asked == 9, "each in one question");
}

static void test_frozen(void)
{
	int64_t before_ns = clock_mono_ns(), took_ns;
	struct process process;

	put_process(20, 0, true);
	tap_ok(!in_call(20) && overdue() == 1, "who does not answer");
	took_ns = clock_mono_ns() - before_ns;
	/* Six milliseconds where a processor is free; else it would be for ever. */
	tap_ok(took_ns < 20 * SOON_NS, "is waited for %lld us", (long long)took_ns / 1000);
	tap_ok(!procfs_glance(procfs, 20, &process, &texts) && overdue() == 1 &&
	       peek_counts(peek).refused == 1, "and is not asked again");
	tap_ok(peek_is_shunned(peek, 20) && !peek_is_shunned(peek, 10) &&
	       peek_counts(peek).refused == 2, "nor by who asks before");
	tap_ok(in_call(10), "others are");
	put_process(21, 0, true);
	tap_ok(procfs_glance(procfs, 21, &process, &texts), "one that hides its command line");
	procfs_rest(procfs, &process, &texts);
	tap_ok(process.uid == 0 && !process.cmdline.data && overdue() == 2,
	       "tells all else of itself");
}

/* Its file, and its users.  What was told stays when the next question is asked. */
static void test_program(void)
{
	char ours[64];
	ssize_t n = readlink("/proc/self/ns/user", ours, sizeof(ours) - 1);
	struct process process;

	if (n <= 0)
		abort();
	ours[n] = '\0';
	put_process(90, 0, false);
	put_process(91, 0, false);
	if (symlink("/proc/self/exe", scratch_way("90/exe")) ||
	    symlink(ours, scratch_way("90/ns/user")) ||
	    symlink("user:[1]", scratch_way("91/ns/user")))
		abort();
	tap_ok(procfs_glance(procfs, 90, &process, &texts), "one that has a program");
	for (int i = 0; i < 9; i++)
		tap_ok(procfs_has_our_users(procfs, i % 2 ? 90 : 91) == i % 2, "whose users: %d",
		       i);
	tap_ok(process.exe.len && process.exe.data[0] == '/' && process.exe_inode > 0 &&
	       process.exe_seen != EXE_TOLD, "its file");
	in_call(20);
	tap_ok(!procfs_has_our_users(procfs, 20), "who lets nobody look has none of ours");
}

/* One looker looks at all of them, and another goes on behind who makes it wait. */
static void test_among_others(void)
{
	struct procfs_holder k[] = {
		{ .pid = 10, .fd = 4, .looks = 9, .call = true },
		{ .pid = 30, .fd = 3, .call = true }, { .pid = 31, .fd = 3, .call = true },
	};
	struct procfs_walk walk = {
		.pid = { 10, 32, 31 }, .left = 3, .seen_max = 99, .wanted_count = 1,
		.wanted = { 7010 }, .calls = true,
	};

	put_process(30, 0, true);
	put_process(31, 0, false);
	put_process(32, 0, true);
	procfs_holders(procfs, 7031, k, 3);
	tap_ok(k[0].fd == -1 && k[1].fd == -1 && k[2].fd == 3 && k[2].in_call,
	       "behind one that does not answer others do");
	procfs_walk(procfs, &walk, SOON_NS);
	tap_ok(walk.left == 1 && walk.missed && !walk.found_count, "a search leaves it out");
	procfs_walk(procfs, &walk, SOON_NS);
	tap_ok(!walk.left && walk.found_count == 1 && walk.found[0].pid == 10 &&
	       walk.found[0].fd == 3, "and goes on behind it");
}

/* Its descriptor may become one of epoll, whose fdinfo keeps a looker until after it is killed. */
static void test_fdinfo(void)
{
	struct procfs_holder k = { .pid = 35, .fd = 3, .call = true };
	int64_t before = overdue();

	put_process(35, 0, false);
	put("35/syscall", "running\n");
	if (mkfifo(scratch_way("35/fdinfo/3"), 0600))
		abort();
	procfs_holders(procfs, 7035, &k, 1);
	tap_ok(k.fd == 3 && !k.in_call && overdue() == before,
	       "one that is in no call is not asked whether its calls wait");
}

/* Its number is another process's. */
static void test_reborn(void)
{
	put_process(40, 0, true);
	in_call(40);
	if (rename(scratch_path("40"), scratch_path("was-40")) ||
	    unlink(scratch_path("was-40/status")))
		abort();
	put_process(40, 0, false);
	tap_ok(in_call(40), "another process of that number is asked");
}

static void test_users(void)
{
	int64_t before = overdue(), took_ns = clock_mono_ns();

	for (int i = 0; i < 20; i++) {
		put_process(50 + i, OTHER_USER, true);
		in_call(50 + i);
	}
	took_ns = clock_mono_ns() - took_ns;
	/* The eighth, or a later one where no looker was free in time for one of them. */
	tap_ok(peek_counts(peek).last_pid >= 57 && peek_counts(peek).last_pid < 70 &&
	       peek_counts(peek).last_uid == OTHER_USER, "who was the last is known");
	tap_ok(overdue() - before == 8,
	       "a user of whose processes eight were overdue has had enough: %lld, %lld us",
	       (long long)(overdue() - before), (long long)took_ns / 1000);
	put_process(80, OTHER_USER, false);
	put_process(81, OTHER_USER + 1, false);
	tap_ok(!in_call(80) && in_call(81), "others have not");
}

/* The lookers, which somebody kills. */
static void test_killed(void)
{
	char name[64], line[1024];
	int pid, killed = 0, at = 0, more;
	FILE *f;

	for (int round = 0; round < 2; round++) {
		snprintf(name, sizeof(name), "/proc/%d/task", getpid());
		snprintf(line, sizeof(line), "cat /proc/%d/task/*/children", getpid());
		f = popen(line, "r");
		while (f && fgets(line, sizeof(line), f))
			for (at = 0; sscanf(line + at, "%d%n", &pid, &more) == 1; at += more)
				killed += !kill(pid, SIGKILL);
		if (f)
			pclose(f);
		usleep(200000);
	}
	tap_ok(killed >= 6, "somebody kills them: %d", killed);
	tap_ok(in_call(10), "others take their places");
}

static bool has_looker(int pid)
{
	char line[1024], name[32];
	FILE *f;

	snprintf(name, sizeof(name), "/proc/%d/comm", pid);
	f = fopen(name, "re");
	name[0] = '\0';
	if (f && fgets(line, sizeof(line), f))
		snprintf(name, sizeof(name), "%.31s", line);
	if (f)
		fclose(f);
	return !strcmp(name, "sockledger-look\n");
}

/* The lookers that there are. */
static int list_lookers(int pids[16])
{
	char line[1024];
	int pid, count = 0, at, more;
	FILE *f;

	snprintf(line, sizeof(line), "cat /proc/%d/task/*/children", getpid());
	f = popen(line, "r");
	while (f && fgets(line, sizeof(line), f))
		for (at = 0; sscanf(line + at, "%d%n", &pid, &more) == 1; at += more)
			if (has_looker(pid) && count < 16)
				pids[count++] = pid;
	if (f)
		pclose(f);
	return count;
}

static void test_renewed(void)
{
	int before[16], after[16], count = list_lookers(before), same = 0;

	peek_renew(peek);
	tap_ok(list_lookers(after) == count && count == 6, "all have been renewed: %d", count);
	for (int i = 0; i < count * count; i++)
		same += before[i / count] == after[i % count];
	tap_ok(!same && in_call(10), "and none is left of before");
}

/* Who looks is killed while it does, and another one would answer. */
static _Atomic int looks_begun;

static bool open_nothing(void *opened, const char *path)
{
	(void)opened;
	(void)path;
	return true;
}

static void die_first(void *opened, const struct look *q, struct seen *a, char text[LOOK_TEXT_MAX])
{
	(void)opened;
	(void)text;
	if (!looks_begun++)
		kill(getpid(), SIGKILL);
	a->number = q->number;
}

static bool becomes_free(struct looker *l)
{
	int64_t until_ns = clock_mono_ns() + 100 * SOON_NS;

	while (!looker_is_free(l))
		if (clock_mono_ns() > until_ns || usleep(200))
			return false;
	return true;
}

static void test_lost_question(void)
{
	const struct looks looks = { .path = "", .size = 1, .open = open_nothing,
				     .look = die_first };
	struct looker *l = looker_start(&looks, false);
	struct look q = { .number = 7 };

	tap_ok(l && becomes_free(l), "a looker");
	looker_ask(l, &q);
	tap_ok(!looker_await(l, clock_mono_ns() + 100 * SOON_NS),
	       "who asked one that is killed learns it");
	tap_ok(becomes_free(l) && looks_begun == 1, "and nobody is left with the question");
	looker_ask(l, &q);
	tap_ok(looker_await(l, clock_mono_ns() + 100 * SOON_NS) && l->a.number == 7,
	       "the next one can be asked");
	looker_take(l);
	looker_stop(l);
}

/* A thread in real time stays where it is while it asks, and only then. */
static void test_realtime(void)
{
	const struct sched_param lowest = { .sched_priority = 1 }, none = { .sched_priority = 0 };
	cpu_set_t before, behind;

	if (sched_getaffinity(0, sizeof(before), &before) ||
	    sched_setscheduler(0, SCHED_FIFO, &lowest)) {
		tap_note("a thread in real time: not tried, it may not be one");
		return;
	}
	tap_ok(in_call(10), "a thread in real time asks");
	tap_ok(!sched_getaffinity(0, sizeof(behind), &behind) && CPU_EQUAL(&before, &behind),
	       "and may go where it could before");
	sched_setscheduler(0, SCHED_OTHER, &none);
}

int main(void)
{
	struct looks looks;

	scratch_make();
	looks_of_procfs(&looks, scratch_dir);
	if (peek_start(&looks, false, &peek))
		abort();
	procfs = procfs_open(scratch_dir);
	procfs_ask_lookers(procfs, peek);
	test_answers();
	test_frozen();
	test_program();
	test_among_others();
	test_fdinfo();
	test_reborn();
	test_realtime();
	test_users();
	test_killed();
	test_renewed();
	test_lost_question();
	tap_ok(!peek_counts(peek).left, "none is left");
	procfs_close(procfs);
	peek_stop(peek);
	tap_ok(waitpid(-1, NULL, WNOHANG) == -1, "nothing is left behind");
	return tap_done();
}
