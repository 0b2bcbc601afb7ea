/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who is not looked at, and for how long, over a /proc of the test's own. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "scratch.h"
#include "shunned.h"
#include "tap.h"

#define NOW 5000000000LL
#define END (NOW + SHUNNED_NS)

static struct shunned s;

static const char *status_of(int64_t pid)
{
	char name[32];

	snprintf(name, sizeof(name), "%lld/status", (long long)pid);
	return scratch_way(name);
}

static void make(int64_t pid, int64_t uid)
{
	FILE *f = fopen(status_of(pid), "we");

	if (!f || fprintf(f, "Name:\tx\nUid:\t%lld\t0\t0\t0\n", (long long)uid) < 0 || fclose(f))
		abort();
}

static void end(int64_t pid)
{
	char name[32];

	unlink(status_of(pid));
	snprintf(name, sizeof(name), "%lld", (long long)pid);
	rmdir(scratch_path(name));
}

static void begin(void)
{
	shunned_release(&s);
	shunned_init(&s, scratch_dir);
}

static void test_process(void)
{
	begin();
	make(100, 1000);
	make(101, 1000);
	tap_ok(!shunned_is(&s, 100, 1000, NOW), "nobody at first");
	tap_ok(shunned_add(&s, 100, -1, NOW) == 1000, "its user is charged");
	tap_ok(shunned_is(&s, 100, 1000, NOW) && shunned_is(&s, 100, -1, END - 1),
	       "who made a looker wait is not looked at");
	tap_ok(!shunned_is(&s, 101, 1000, NOW), "another process of that user is");
	tap_ok(!shunned_is(&s, 100, 1000, END), "for ten seconds");
	shunned_add(&s, 101, -1, END - 1);
	tap_ok(!shunned_is(&s, 100, 1000, END) && shunned_is(&s, 101, 1000, END), "each its own");
	shunned_add(&s, 100, -1, NOW);
	end(100);
	tap_ok(!shunned_is(&s, 100, 1000, NOW), "not what is gone");
	make(100, 1001);
	tap_ok(!shunned_is(&s, 100, 1001, NOW), "nor who has its number then");
	tap_ok(shunned_add(&s, 102, -1, NOW) == -1, "of one that is gone nobody is charged");
	end(101);
	end(100);
}

static void test_many_processes(void)
{
	begin();
	for (int64_t pid = 1; pid <= SHUNNED_PROCESSES + 1; pid++) {
		make(pid, pid + 1000);
		shunned_add(&s, pid, -1, NOW);
	}
	tap_ok(!shunned_is(&s, 1, 1001, NOW) && shunned_is(&s, 2, 1002, NOW) &&
	       shunned_is(&s, SHUNNED_PROCESSES + 1, -1, NOW),
	       "of too many the oldest is forgotten");
}

/* So many of its processes made one wait, the last of them so much later. */
static void charge(int64_t uid, int times, int64_t later_ns)
{
	for (int i = 1; i <= times; i++)
		shunned_add(&s, 300, uid, i < times ? NOW : NOW + later_ns);
}

static void test_users(void)
{
	make(400, 1000);
	make(401, 1001);
	begin();
	charge(1000, SHUNNED_USER_MAX - 1, 0);
	tap_ok(!shunned_is(&s, 400, 1000, NOW), "seven are not enough");
	charge(1000, 1, 0);
	tap_ok(shunned_is(&s, 400, 1000, NOW) && shunned_is(&s, 400, -1, NOW),
	       "after eight none of that user's is looked at, which is asked where nobody knows");
	tap_ok(!shunned_is(&s, 401, 1001, NOW) && !shunned_is(&s, 401, -1, NOW) &&
	       !shunned_is(&s, 402, -1, NOW), "others' are");
	tap_ok(!shunned_is(&s, 400, 1000, END), "for ten seconds");
	begin();
	charge(1000, SHUNNED_USER_MAX, SHUNNED_NS - 1);
	tap_ok(shunned_is(&s, 400, 1000, END - 1), "eight within ten seconds");
	begin();
	charge(1000, SHUNNED_USER_MAX, SHUNNED_NS);
	tap_ok(!shunned_is(&s, 400, 1000, END), "not in more");
	begin();
	charge(0, 2 * SHUNNED_USER_MAX, 0);
	tap_ok(!shunned_is(&s, 400, 0, NOW), "root needs no such ways");
	begin();
	for (int64_t uid = 1; uid <= SHUNNED_USERS + 1; uid++)
		charge(uid, SHUNNED_USER_MAX, 0);
	tap_ok(!shunned_is(&s, 400, 1, NOW) && shunned_is(&s, 400, 2, NOW) &&
	       shunned_is(&s, 400, SHUNNED_USERS + 1, NOW),
	       "of too many users the first is let go");
}

/* Any descriptor is closed, also the lowest, when another process has its place. */
static void test_descriptors(void)
{
	int kept = dup(0);

	begin();
	make(100, 1000);
	close(0);
	shunned_add(&s, 100, -1, NOW);
	tap_ok(fcntl(0, F_GETFD) >= 0, "what is open may have the lowest number");
	for (int64_t pid = 500; pid < 500 + SHUNNED_PROCESSES; pid++)
		shunned_add(&s, pid, -1, NOW);
	tap_ok(fcntl(0, F_GETFD) < 0, "which is closed for the next one");
	begin();
	shunned_add(&s, 100, -1, NOW);
	begin();
	tap_ok(fcntl(0, F_GETFD) < 0, "and at the end");
	if (kept >= 0) {
		dup2(kept, 0);
		close(kept);
	}
}

int main(void)
{
	scratch_make();
	shunned_init(&s, scratch_dir);
	test_process();
	test_many_processes();
	test_users();
	test_descriptors();
	shunned_release(&s);
	return tap_done();
}
