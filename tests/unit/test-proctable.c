/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the newest event said of a process: which event that is, and that it is a copy. */
#include <string.h>

#include "clock.h"
#include "proctable.h"
#include "tap.h"

#define S TIME_US_PER_S
#define T (1000 * S)
#define SLOTS 2048

static struct proctable *t;

/* What was said of /bin/sh, child of 1, that was seen in /proc, or not: start -1. */
static struct known_process make(int64_t pid, int64_t start, int64_t time_us)
{
	struct known_process k = { .time_us = time_us };

	process_init(&k.process);
	k.process.pid = pid;
	k.process.ppid = 1;
	k.process.start_ticks = start;
	k.process.exe = text_of("/bin/sh");
	k.process.comm = text_of("sh");
	return k;
}

static int64_t start_of(int64_t pid)
{
	const struct known_process *e = proctable_get(t, pid);

	return e ? e->process.start_ticks : -2;
}

static void put(struct known_process e)
{
	proctable_put(t, &e.process, e.time_us);
}

static void test_places(void)
{
	struct known_process e;
	char exe[] = "/bin/sh";

	tap_ok(start_of(7) == -2 && start_of(0) == -2 && start_of(-1) == -2,
	       "at first nobody is known");
	e = make(7, 70, T);
	e.process.exe = text_of(exe);
	put(e);
	strcpy(exe, "/xxx/xx");
	tap_ok(start_of(7) == 70 &&
		       text_equal(proctable_get(t, 7)->process.exe, text_of("/bin/sh")),
	       "an event is kept with a copy of its texts");
	tap_ok(start_of(7 + SLOTS) == -2 && start_of(8) == -2, "of that process alone");
	put(make(7 + SLOTS, 71, T));
	tap_ok(start_of(7 + SLOTS) == 71 && start_of(7) == -2,
	       "the newer one of two that share a place");
	put(make(0, 1, T));
	put(make(SLOTS - 1, 2, T));
	tap_ok(start_of(0) == 1 && start_of(SLOTS - 1) == 2, "the first place and the last");
	put(make(-1, 3, T));
	tap_ok(start_of(-1) == -2, "what has no process is nobody's");
}

static void test_others(void)
{
	static char longest[9000];
	struct known_process e = make(20, 200, T);

	memset(longest, 'x', sizeof(longest));
	e.process.cmdline = (struct text){ longest, sizeof(longest) };
	put(e);
	tap_ok(start_of(20) == -2, "what is too large is left out");
	put(make(20, 199, T));
	put(e);
	tap_ok(start_of(20) == -2, "and what was known of that number before with it");
	put(make(20 + SLOTS, 1, T));
	put(e);
	tap_ok(start_of(20 + SLOTS) == 1, "but nothing of another one");
	e.process.cmdline.len = 7000;
	put(e);
	put(make(20, 201, T));
	put(e);
	tap_ok(start_of(20) == 200 && text_equal(proctable_get(t, 20)->process.cmdline,
						 e.process.cmdline),
	       "a long one after a short one, and the other way round");
}

/* An event that nobody looked at in /proc, after one that somebody did. */
static void test_says_less(void)
{
	static const struct {
		const char *what;
		int64_t start, after_us, ppid;
		const char *exe, *comm;
		bool kept;	/* the first event */
	} table[] = {
		{ "a moment later", -1, 1, 1, "/bin/sh", "sh", true },
		{ "just within a second", -1, S - 1, 1, "/bin/sh", "sh", true },
		{ "a second later", -1, S, 1, "/bin/sh", "sh", false },
		{ "with another parent", -1, 1, 2, "/bin/sh", "sh", false },
		{ "with another program", -1, 1, 1, "/bin/ls", "sh", false },
		{ "with another name", -1, 1, 1, "/bin/sh", "worker", false },
		{ "one that was looked at", 101, 1, 1, "/bin/sh", "sh", false },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		int64_t pid = 100 + (int64_t)i;
		struct known_process e = make(pid, table[i].start, T + table[i].after_us);

		put(make(pid, 100, T));
		e.process.ppid = table[i].ppid;
		e.process.exe = text_of(table[i].exe);
		e.process.comm = text_of(table[i].comm);
		put(e);
		tap_ok(start_of(pid) == (table[i].kept ? 100 : table[i].start),
		       "%s: the %s one stays", table[i].what, table[i].kept ? "first" : "newer");
	}
	put(make(300, -1, T));
	put(make(300, -1, T + 1));
	tap_ok(proctable_get(t, 300)->time_us == T + 1,
	       "of two that say as little the newer one stays");
	put(make(302, 0, T));
	put(make(302, -1, T + 1));
	tap_ok(start_of(302) == 0, "one that began with the host has a start, too");
	put(make(301, 100, T));
	put(make(301 + SLOTS, -1, T + 1));
	tap_ok(start_of(301 + SLOTS) == -1, "nor is another process kept for it");
}

/* Another program sets the wall clock forward for a moment, and back. */
static void test_clock(void)
{
	const int64_t ns = 1000000000, step = 5 * TIME_US_PER_S;

	proctable_clock(t, T + 10, ns);
	put(make(400, 100, T));
	tap_ok(proctable_get(t, 400)->mono_ns == ns - 10000, "a stamp is a time of both");
	proctable_clock(t, T + step + 20, ns + 10000);
	put(make(400, 100, T + step + 10));
	tap_ok(proctable_get(t, 400)->mono_ns == ns,
	       "the wall clock is put forward: no time has passed");
	proctable_clock(t, T + 40, ns + 30000);
	put(make(400, 100, T + 35));
	tap_ok(proctable_get(t, 400)->mono_ns == ns + 25000, "nor has it, where it is put back");
	put(make(400, 100, T + step + 30));
	tap_ok(proctable_get(t, 400)->mono_ns == INT64_MIN, "a stamp from before says nothing");
}

int main(void)
{
	t = proctable_new();
	test_places();
	test_others();
	test_says_less();
	test_clock();
	proctable_free(t);
	proctable_free(NULL);
	return tap_done();
}
