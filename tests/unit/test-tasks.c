/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Threads, processes, programs. */
#include <stdlib.h>

#include "process.h"
#include "tap.h"
#include "tasks.h"
#include "trace.h"

static int64_t now;

static void make(struct tasks *t, int32_t maker, int32_t tid, bool thread)
{
	tasks_event(t, &(struct trace_event){ .kind = TRACE_TASK, .time_ns = ++now, .tid = maker,
					      .other = tid,
					      .thread = thread });
}

static void exec(struct tasks *t, int32_t tid, const char *name)
{
	tasks_event(t, &(struct trace_event){ .kind = TRACE_EXEC_DONE, .time_ns = ++now,
					      .tid = tid, .name = name });
}

static bool runs(const struct tasks *t, int64_t pid, const char *exe)
{
	return text_equal(tasks_exe(t, pid, now), text_of(exe));
}

static void disguise(struct tasks *t, int32_t tid, int64_t time_ns)
{
	tasks_event(t, &(struct trace_event){ .kind = TRACE_DISGUISE, .time_ns = time_ns,
					      .tid = tid });
}

static enum disguise is(const struct tasks *t, int64_t pid, int64_t time_ns)
{
	struct text seen;
	int64_t since_ns;

	return tasks_disguise(t, pid, time_ns, &since_ns, &seen);
}

static void test_disguise(struct tasks *t)
{
	struct text seen;
	int64_t before, since_ns;

	tasks_forget(t);
	exec(t, 70, "/usr/bin/true");
	tasks_event(t, &(struct trace_event){ .kind = TRACE_TASK, .time_ns = ++now, .tid = 70,
					      .other = 71, .same_memory = true });
	make(t, 70, 72, false);
	disguise(t, 71, ++now);
	tap_ok(is(t, 70, now) == DISGUISE_SURE && is(t, 71, now) == DISGUISE_SURE &&
	       !is(t, 72, now) && !is(t, 999, now), "who shares a memory is disguised with it");
	before = now;
	exec(t, 71, "/usr/bin/true");
	tap_ok(!is(t, 71, now) && is(t, 71, before) == DISGUISE_SURE &&
	       is(t, 70, now) == DISGUISE_SURE, "and is not any more in its next program");
	disguise(t, 71, before);
	tap_ok(!is(t, 71, now), "nor by what it did in the one before");
	make(t, 70, 73, false);
	exec(t, 73, "/usr/bin/one");
	before = now;
	make(t, 70, 73, false);
	exec(t, 73, "/usr/bin/two");
	tap_ok(!is(t, 73, before) && !is(t, 73, now) && is(t, 73, now - 1) == DISGUISE_SURE,
	       "nor by what others did who were given its number later");
	tasks_add(t, 80, 80, -1);
	tasks_set_exe(t, 80, text_of("/usr/bin/old"), true);
	tasks_add(t, 81, 81, -1);
	tasks_set_exe(t, 81, text_of("/usr/bin/old"), false);
	disguise(t, 998, ++now);
	before = now;
	tap_ok(tasks_disguise(t, 80, now, &since_ns, &seen) == DISGUISE_PERHAPS &&
	       since_ns == before && text_equal(seen, text_of("/usr/bin/old")),
	       "one of unknown descent: who was there before ran what it did");
	tap_ok(tasks_disguise(t, 81, now, &since_ns, &seen) == DISGUISE_PERHAPS && !seen.data &&
	       tasks_disguise(t, 997, now, &since_ns, &seen) == DISGUISE_PERHAPS && !seen.data,
	       "if its file was seen");
	exec(t, 997, "/usr/bin/true");
	tap_ok(is(t, 997, before) == DISGUISE_PERHAPS && !is(t, 997, now),
	       "and has its next program, but not for what was before");
}

/* Others have its place. */
static void test_forgotten(struct tasks *t)
{
	int64_t before;

	exec(t, 60, "/usr/bin/true");
	before = now - 1;
	tap_ok(tasks_may_have_changed(t, 60, before) && !tasks_may_have_changed(t, 60, now),
	       "it has executed a program since then, and not since now");
	for (int32_t i = 1000; i < 1000 + 8192; i++)
		make(t, 1, i, true);
	tap_ok(tasks_changed_ns(t, 60) == -1 && tasks_may_have_changed(t, 60, before) &&
	       !tasks_may_have_changed(t, 60, before + 1),
	       "which others do not make forgotten");
	tasks_add(t, 60, 60, -1);
	tap_ok(tasks_may_have_changed(t, 60, before) && tasks_process(t, 60, before) == -1 &&
	       tasks_process(t, 60, now) == 60, "nor that it is added again");
	make(t, 60, 61, false);
	before = now;
	exec(t, 61, "/usr/bin/true");
	tap_ok(tasks_born_ns(t, 61, now) == before && tasks_born_ns(t, 61, before) == before &&
	       !tasks_born_ns(t, 60, now) && !tasks_born_ns(t, 62, now),
	       "when it was born, whatever it executed since");
}

static void begin(struct tasks *t, int32_t tid, int64_t time_ns)
{
	tasks_event(t, &(struct trace_event){ .kind = TRACE_EXEC_BEGIN, .time_ns = time_ns,
					      .tid = tid });
}

static bool runs_inode(const struct tasks *t, int64_t pid, int64_t time_ns, int64_t inode)
{
	struct process p;

	process_init(&p);
	return tasks_file(t, pid, time_ns, &p) ? p.exe_inode == inode : inode < 0;
}

/* One look tells of all that were forked since. */
static void test_files(struct tasks *t)
{
	struct process file, again;
	int64_t before, late;

	process_init(&file);
	file.exe = text_of("/usr/bin/true");
	file.exe_inode = 5;
	file.exe_dev = 6;
	file.exe_ctime = 7;
	file.exe_seen = EXE_REPLACED;
	file.replaced = 1;
	exec(t, 90, "true");
	make(t, 90, 91, false);
	make(t, 91, 92, false);
	tap_ok(runs_inode(t, 92, now, -1), "a program that nobody saw has no file");
	tap_ok(tasks_kin(t, 92, now, 1) == 91 && tasks_kin(t, 92, now, 2) == 90 &&
	       tasks_kin(t, 92, now, 3) == -1 && tasks_kin(t, 90, now, 1) == -1,
	       "who runs the same one");
	tasks_see_program(t, 91, &file);
	tap_ok(runs_inode(t, 92, now, 5) && runs_inode(t, 90, now, 5),
	       "seen with one process it is seen for all of them");
	process_init(&again);
	tap_ok(tasks_file(t, 92, now, &again) && again.exe_dev == 6 && again.exe_ctime == 7 &&
	       again.exe_seen == EXE_REPLACED && again.replaced == 1 &&
	       text_equal(again.exe, file.exe), "with all that was seen of it");
	before = now;
	begin(t, 91, ++now);
	make(t, 91, 93, false);
	tap_ok(runs_inode(t, 91, now, -1) && runs_inode(t, 91, before, 5) &&
	       runs_inode(t, 93, now, -1) && tasks_kin(t, 92, now, 1) == -1 &&
	       tasks_kin(t, 92, now, 2) == 90,
	       "who is about to execute another may run either, and so may what it makes");
	exec(t, 91, "/usr/bin/other");
	tap_ok(runs_inode(t, 93, now, -1) && runs_inode(t, 91, now, -1) &&
	       runs_inode(t, 91, now - 1, -1) && runs_inode(t, 92, now, 5),
	       "then it runs that");
	/* The buffers of two processors. */
	late = now + 1;
	now += 10;
	make(t, 90, 94, false);
	make(t, 94, 95, false);
	tap_ok(runs_inode(t, 95, now, 5), "made by it");
	begin(t, 90, late);
	tasks_event(t, &(struct trace_event){ .kind = TRACE_EXEC_DONE, .time_ns = late + 1,
					      .tid = 90, .name = "/usr/bin/other" });
	tap_ok(runs_inode(t, 94, now, -1) && runs_inode(t, 95, now, -1) &&
	       runs_inode(t, 92, now, 5),
	       "but for an execve() before it, of which the trace tells later");
	make(t, 90, 96, false);
	tap_ok(tasks_kin(t, 96, now, 1) == 90, "what it makes from then on runs its new one");
	tasks_event(t, &(struct trace_event){ .kind = TRACE_TASK, .time_ns = late - 1, .tid = 90,
					      .other = 97 });
	tap_ok(runs_inode(t, 97, now, 5), "and what it made before it runs the old one");
	file.exe_inode = -1;
	tasks_see_program(t, 96, &file);
	tap_ok(runs_inode(t, 96, now, -1), "without a file nothing was seen");
	file.exe_inode = 6;
	for (int i = 0; i < 5000; i++)
		exec(t, 98, "/usr/bin/other");
	tap_ok(runs_inode(t, 92, now, -1), "after thousands of others it is forgotten");
	tasks_see_program(t, 92, &file);
	make(t, 92, 99, false);
	tap_ok(runs_inode(t, 92, now, 6) && runs_inode(t, 99, now, 6), "until it is seen again");
	tap_ok(runs_inode(t, 40, now, -1), "of one that is not known nothing is");
	tasks_see_program(t, 40, &file);
	tap_ok(runs_inode(t, 40, now, 6), "until it is seen");
	begin(t, 40, ++now);
	tasks_see_program(t, 40, &file);
	tap_ok(runs_inode(t, 40, now, -1), "but for one that is about to execute another");
}

int main(void)
{
	char longest[300] = "/";
	struct tasks *t = tasks_new();
	int64_t before;

	tap_ok(tasks_process(t, 5, now) == -1 && tasks_process(t, -1, now) == -1 &&
	       !tasks_exe(t, 5, now).data,
	       "nothing is known of one that was never heard of");
	tasks_add(t, 10, 10, 1);
	tasks_add(t, 11, 10, -1);
	tap_ok(tasks_process(t, 11, now) == 10 && tasks_parent(t, 10, now) == 1,
	       "one that was there before");
	tasks_set_exe(t, 10, text_of("/usr/bin/old"), true);
	make(t, 10, 13, false);
	tap_ok(runs(t, 10, "/usr/bin/old") &&
	       runs(t, 13, "/usr/bin/old"), "and its program, also its child's");
	make(t, 11, 12, true);
	tap_ok(tasks_process(t, 12, now) == 10,
	       "a thread that a thread makes is of the same process");
	tap_ok(tasks_parent(t, 12, now) == -1, "and its maker is no parent of its");
	make(t, 12, 20, false);
	tap_ok(tasks_process(t, 20, now) == 20 && tasks_parent(t, 20, now) == 10,
	       "a process that a thread makes is the process's child");
	exec(t, 20, "/usr/bin/true");
	make(t, 20, 21, false);
	make(t, 20, 22, true);
	make(t, 22, 23, false);
	tap_ok(runs(t, 20, "/usr/bin/true") && runs(t, 21, "/usr/bin/true") &&
		       runs(t, 23, "/usr/bin/true"), "a child runs its parent's program");
	exec(t, 21, "/usr/bin/false");
	tap_ok(runs(t, 21, "/usr/bin/false") &&
	       runs(t, 20, "/usr/bin/true"), "until it runs another");
	tasks_event(t, &(struct trace_event){ .kind = TRACE_EXEC_DONE, .time_ns = now - 1,
					      .tid = 21, .name = "/usr/bin/true" });
	tap_ok(runs(t, 21, "/usr/bin/false"), "what is heard of late was before");
	exec(t, 21, "true");
	tap_ok(!tasks_exe(t, 21, now).data, "a name that is no absolute path tells nothing");
	for (int i = 1; i < 250; i++)
		longest[i] = 'a';
	exec(t, 20, longest);
	tap_ok(!tasks_exe(t, 20, now).data, "one that is too long neither");
	make(t, 10, 21, true);
	tap_ok(tasks_process(t, 21, now) == 10, "a number that is given again is the new one's");
	make(t, 99, 21, true);
	make(t, 99, 24, false);
	tap_ok(tasks_process(t, 21, now) == -1 && tasks_process(t, 24, now) == 24 &&
	       tasks_parent(t, 24, now) == -1,
	       "a thread that is not known may be any process's");
	exec(t, 30, "/usr/bin/true");
	make(t, 10, 31, true);
	before = now;
	exec(t, 30, "/usr/bin/false");
	make(t, 20, 31, false);
	tap_ok(runs(t, 30, "/usr/bin/false") &&
	       text_equal(tasks_exe(t, 30, before), text_of("/usr/bin/true")),
	       "the program of then, where another was executed since");
	tap_ok(tasks_process(t, 31, now) == 31 && tasks_process(t, 31, before) == 10 &&
	       tasks_process(t, 31, before - 1) == -1,
	       "the process of then, where the number was given again");
	make(t, 30, 32, true);
	before = now;
	tasks_event(t, &(struct trace_event){ .kind = TRACE_EXEC_BEGIN, .time_ns = ++now,
					      .tid = 32 });
	tap_ok(tasks_changed_ns(t, 30) == now && !tasks_exe(t, 30, now).data &&
	       text_equal(tasks_exe(t, 30, before), text_of("/usr/bin/false")),
	       "about to execute: by whichever thread, the process's program is not known");
	exec(t, 30, "/usr/bin/true");
	tap_ok(tasks_changed_ns(t, 30) == now - 1 && runs(t, 30, "/usr/bin/true") &&
		       text_equal(tasks_exe(t, 30, before), text_of("/usr/bin/false")),
	       "until it has: one change");
	before = now;
	exec(t, 30, "/usr/bin/false");
	tap_ok(tasks_changed_ns(t, 30) == now && runs(t, 30, "/usr/bin/false") &&
	       text_equal(tasks_exe(t, 30, before), text_of("/usr/bin/true")),
	       "the next one, of which the beginning was missed, is another change");
	exec(t, 33, "/usr/bin/true");
	make(t, 33, 34, false);
	for (int i = 0; i < 2000; i++)
		exec(t, 35, "/usr/bin/false");
	tap_ok(runs(t, 34, "/usr/bin/true") &&
	       runs(t, 35, "/usr/bin/false"), "after thousands of other programs");
	for (int i = 0; i < 2000; i++)
		exec(t, 35, "/usr/bin/false");
	tap_ok(!tasks_exe(t, 33, now).data && !tasks_exe(t, 34, now).data &&
		       runs(t, 35, "/usr/bin/false") && tasks_parent(t, 34, now) == 33,
	       "but not after any number: then it is not known");
	exec(t, 36, "/usr/bin/first");
	for (int i = 0; i < 2047; i++)
		exec(t, 35, "/usr/bin/false");
	tap_ok(runs(t, 36, "/usr/bin/first"), "of the last 2048 programs each is known");
	exec(t, 35, "/usr/bin/false");
	tap_ok(!tasks_exe(t, 36, now).data, "and not as the one that has taken its place");
	for (int32_t i = 1000; i < 1000 + 16384; i++)
		make(t, 1, i, false);
	tap_ok(tasks_process(t, 10, now) == -1 && tasks_process(t, 17000, now) == 17000,
	       "when it is full the oldest have gone");
	test_forgotten(t);
	test_disguise(t);
	test_files(t);
	srandom(3);
	for (int i = 0; i < 200000; i++)
		make(t, (int32_t)(random() % 40000), (int32_t)(random() % 40000), random() % 2);
	tap_ok(tasks_process(t, 40001, now) == -1, "any number of them");
	exec(t, 50, "/usr/bin/true");
	tasks_forget(t);
	tap_ok(tasks_process(t, 50, now) == -1 && !tasks_exe(t, 50, now).data &&
	       tasks_changed_ns(t, 50) == -1,
	       "what was forgotten is not known");
	tasks_event(t, &(struct trace_event){ .kind = TRACE_EXEC_BEGIN, .tid = 701,
					      .time_ns = 900 });
	tasks_event(t, &(struct trace_event){
			       .kind = TRACE_TASK, .tid = 700, .other = 701, .time_ns = 800});
	tap_ok(tasks_changed_ns(t, 701) == 900 && tasks_process(t, 701, 850) == 701,
	       "a beginning that is read after what followed it does not hide that");
	tasks_free(t);
	return tap_done();
}
