/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Threads, processes, programs. */
#include <stdlib.h>

#include "tap.h"
#include "tasks.h"

static void make(struct tasks *t, int32_t maker, int32_t tid, bool thread)
{
	tasks_event(t, &(struct trace_event){ .kind = TRACE_TASK, .tid = maker, .other = tid,
					      .thread = thread });
}

static void exec(struct tasks *t, int32_t tid, const char *name)
{
	tasks_event(t, &(struct trace_event){ .kind = TRACE_EXEC, .tid = tid, .name = name });
}

static bool runs(const struct tasks *t, int64_t pid, const char *exe)
{
	return text_equal(tasks_exe(t, pid), text_of(exe));
}

int main(void)
{
	char longest[300] = "/";
	struct tasks *t = tasks_new();

	tap_ok(tasks_process(t, 5) == -1 && tasks_process(t, -1) == -1 && !tasks_exe(t, 5).data,
	       "nothing is known of one that was never heard of");
	tasks_add(t, 10, 10, 1);
	tasks_add(t, 11, 10, -1);
	tap_ok(tasks_process(t, 11) == 10 && tasks_parent(t, 10) == 1, "one that was there before");
	make(t, 11, 12, true);
	tap_ok(tasks_process(t, 12) == 10, "a thread that a thread makes is of the same process");
	make(t, 12, 20, false);
	tap_ok(tasks_process(t, 20) == 20 && tasks_parent(t, 20) == 10,
	       "a process that a thread makes is the process's child");
	exec(t, 20, "/usr/bin/true");
	make(t, 20, 21, false);
	make(t, 20, 22, true);
	make(t, 22, 23, false);
	tap_ok(runs(t, 20, "/usr/bin/true") && runs(t, 21, "/usr/bin/true") &&
		       runs(t, 23, "/usr/bin/true"), "a child runs its parent's program");
	exec(t, 21, "/usr/bin/false");
	tap_ok(runs(t, 21, "/usr/bin/false") && runs(t, 20, "/usr/bin/true"), "until it runs another");
	exec(t, 21, "true");
	tap_ok(!tasks_exe(t, 21).data, "a name that is no absolute path tells nothing");
	for (int i = 1; i < 250; i++)
		longest[i] = 'a';
	exec(t, 20, longest);
	tap_ok(!tasks_exe(t, 20).data, "one that is too long neither");
	make(t, 99, 21, true);
	tap_ok(tasks_process(t, 21) == 99, "a number that is given again is the new one's");
	for (int32_t i = 1000; i < 1000 + 16384; i++)
		make(t, 1, i, false);
	tap_ok(tasks_process(t, 10) == -1 && tasks_process(t, 17000) == 17000,
	       "when it is full the oldest have gone");
	srandom(3);
	for (int i = 0; i < 200000; i++)
		make(t, (int32_t)(random() % 40000), (int32_t)(random() % 40000), random() % 2);
	tap_ok(tasks_process(t, 40001) == -1, "any number of them");
	exec(t, 50, "/usr/bin/true");
	tasks_forget(t);
	tap_ok(tasks_process(t, 50) == -1 && !tasks_exe(t, 50).data && tasks_changed_ns(t, 50) == -1,
	       "what was forgotten is not known");
	tasks_free(t);
	return tap_done();
}
