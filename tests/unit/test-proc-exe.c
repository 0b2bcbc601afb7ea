/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Programs whose files are removed, replaced and renamed while they run, and files with names that
 * look like that. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <linux/openat2.h>

#include "proc_exe.h"
#include "process.h"
#include "scratch.h"
#include "tap.h"
#include "text.h"

static void copy_program(int to)
{
	char buf[65536];
	int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	ssize_t n;

	while ((n = read(from, buf, sizeof(buf))) > 0)
		if (write(to, buf, (size_t)n) != n)
			abort();
	if (from < 0 || n < 0 || close(from) || close(to))
		abort();
}

static void put_program(const char *name)
{
	int fd = open(scratch_path(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);

	if (fd < 0)
		abort();
	copy_program(fd);
}

/* Has mounts of its own from here on.  over: what its path "away" is there; NULL: what it is. */
static bool go_away(const char *over)
{
	if (unshare(CLONE_NEWNS) && unshare(CLONE_NEWUSER | CLONE_NEWNS))
		return false;
	return !mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) &&
	       (!over || !mount(over, scratch_path("away"), NULL, MS_BIND, NULL));
}

/* Runs this program's copy there; it says when it is that.  away: with mounts of its own, which it
 * may not have: -1. */
static pid_t start_in(const char *file, bool away, const char *over)
{
	char *const argv[] = { (char *)"waits", NULL };
	int out[2];
	char byte;
	pid_t pid;

	if (pipe(out))
		abort();
	pid = fork();
	if (pid < 0)
		abort();
	if (!pid) {
		if (away && !go_away(over))
			_exit(1);
		dup2(out[1], STDOUT_FILENO);
		close(out[0]);
		close(out[1]);
		execv(file, argv);
		_exit(1);
	}
	close(out[1]);
	if (read(out[0], &byte, 1) != 1) {
		if (!away)
			abort();
		waitpid(pid, NULL, 0);
		pid = -1;
	}
	close(out[0]);
	return pid;
}

static pid_t start(const char *file)
{
	return start_in(file, false, NULL);
}

static void stop(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static int64_t root_mount;

static void look(pid_t pid, char buf[PATH_MAX], struct process *p)
{
	char process[32];

	snprintf(process, sizeof(process), "/proc/%d", pid);
	process_init(p);
	if (!proc_exe_read(AT_FDCWD, process, root_mount, buf, p))
		p->exe_seen = 0;
}

/* What the process's program is called, and what that is worth. */
static bool is_seen(pid_t pid, const char *wanted, enum exe_seen seen)
{
	char buf[PATH_MAX];
	struct process p;

	look(pid, buf, &p);
	if (p.exe_seen == seen && text_equal(p.exe, text_of(wanted)) &&
	    (p.exe_inode > 0) == (seen > 0))
		return true;
	tap_note("'%.*s', %s", (int)p.exe.len, p.exe.data, exe_seen_name(p.exe_seen));
	return false;
}

/* Whether the kernel can be asked for a name that it has in memory (5.12, and not under valgrind):
 * else nobody knows that a file which is gone was ours. */
static bool asks_for_names(void)
{
	struct open_how how = { .flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_CACHED };
	long fd = syscall(SYS_openat2, AT_FDCWD, "/", &how, sizeof(how));

	if (fd >= 0)
		close((int)fd);
	return fd >= 0;
}

static bool is_called(pid_t pid, const char *wanted, bool replaced)
{
	char buf[PATH_MAX];
	struct process p;

	look(pid, buf, &p);
	return is_seen(pid, wanted, !replaced ? EXE_HERE :
				    asks_for_names() ? EXE_REPLACED : EXE_OTHER) &&
	       (p.replaced == 1) == replaced;
}

static void test_update(void)
{
	pid_t pid;

	put_program("one");
	pid = start(scratch_path("one"));
	tap_ok(is_called(pid, scratch_path("one"), false), "a program whose file is there");
	put_program("one.new");
	if (rename(scratch_path("one.new"), scratch_path("one")))
		abort();
	tap_ok(is_called(pid, scratch_path("one"), true), "another file was renamed over it");
	stop(pid);

	pid = start(scratch_path("one"));
	tap_ok(is_called(pid, scratch_path("one"), false), "the new file's own program");
	unlink(scratch_path("one"));
	tap_ok(is_called(pid, scratch_path("one"), true), "its file was removed");
	stop(pid);

	mkdir(scratch_path("where"), 0755);
	put_program("where/nine");
	pid = start(scratch_path("where/nine"));
	unlink(scratch_path("where/nine"));
	rmdir(scratch_path("where"));
	put_program("where");
	tap_ok(is_seen(pid, scratch_path("where/nine"), EXE_OTHER),
	       "not where a file is in its directory's place: it may never have been there");
	stop(pid);
}

/* As dpkg does it: the old file has a second name until the new one is in place. */
static void test_backup(void)
{
	pid_t pid;

	put_program("two");
	pid = start(scratch_path("two"));
	if (link(scratch_path("two"), scratch_path("two.dpkg-tmp")))
		abort();
	put_program("two.dpkg-new");
	tap_ok(is_called(pid, scratch_path("two"), false), "a second name was linked to its file");
	if (rename(scratch_path("two.dpkg-new"), scratch_path("two")))
		abort();
	if (asks_for_names())
		tap_ok(is_called(pid, scratch_path("two"), true),
		       "and the first given to another file");
	else
		tap_ok(true, "# SKIP the kernel cannot be asked for a name");
	unlink(scratch_path("two.dpkg-tmp"));
	tap_ok(is_called(pid, scratch_path("two"), true), "and the second removed");
	stop(pid);
}

static void test_names(void)
{
	pid_t pid;

	put_program("three (deleted)");
	pid = start(scratch_path("three (deleted)"));
	tap_ok(is_called(pid, scratch_path("three (deleted)"), false), "a file may be called so");
	if (link(scratch_path("three (deleted)"), scratch_path("another")))
		abort();
	put_program("three");
	tap_ok(is_called(pid, scratch_path("three (deleted)"), false),
	       "with a second name, and beside one without the suffix");
	unlink(scratch_path("another"));
	unlink(scratch_path("three (deleted)"));
	tap_ok(is_called(pid, scratch_path("three (deleted)"), true), "it loses one suffix of two");
	stop(pid);

	put_program("four");
	pid = start(scratch_path("four"));
	if (rename(scratch_path("four"), scratch_path("five")))
		abort();
	tap_ok(is_called(pid, scratch_path("five"), false),
	       "a file that was renamed has its new name");
	stop(pid);
}

static void test_memory(void)
{
	char file[64];
	int fd = memfd_create("six", 0), reader;
	pid_t pid;

	snprintf(file, sizeof(file), "/proc/self/fd/%d", fd);
	reader = open(file, O_RDONLY);
	if (fd < 0 || reader < 0)
		abort();
	/* Open for writing it could not be executed. */
	copy_program(fd);
	snprintf(file, sizeof(file), "/proc/self/fd/%d", reader);
	pid = start(file);
	tap_ok(is_seen(pid, "/memfd:six (deleted)", EXE_OTHER),
	       "a file in memory was never anywhere else");
	stop(pid);
	close(reader);
}

/* By who has mounts of its own: its path is ours only if its directory is. */
static void test_away(void)
{
	char buf[PATH_MAX];
	struct process p;
	pid_t pid;

	mkdir(scratch_path("away"), 0755);
	mkdir(scratch_path("other"), 0755);
	put_program("away/eight");
	put_program("other/eight");
	pid = start_in(scratch_path("away/eight"), true, NULL);
	if (pid < 0) {
		tap_note("mounts of its own: not tried, it may not have any");
		return;
	}
	unlink(scratch_path("away/eight"));
	tap_ok(is_called(pid, scratch_path("away/eight"), true), "its file was removed from ours");
	stop(pid);
	pid = start_in(scratch_path("away/eight"), true, scratch_path("other"));
	unlink(scratch_path("other/eight"));
	look(pid, buf, &p);
	tap_ok(pid > 0 && exe_is_other(p.exe_seen),
	       "or from another one that it has in that place");
	stop(pid);
}

static bool is_gone(const char *name, const char *wanted)
{
	struct text exe = text_of(name);
	bool said = proc_exe_strip_gone(&exe);

	return text_equal(exe, text_of(wanted)) && said == (strcmp(name, wanted) != 0);
}

static const char *without_suffix(const char *path)
{
	static char buf[PATH_MAX];

	snprintf(buf, sizeof(buf), "%.*s", (int)(strlen(path) - strlen(" (deleted)")), path);
	return buf;
}

static void test_nobody(void)
{
	char buf[PATH_MAX];
	struct process p;

	process_init(&p);
	p.exe_seen = EXE_HERE;
	tap_ok(!proc_exe_read(AT_FDCWD, "/proc/self/nobody", root_mount, buf, &p) &&
	       p.exe_seen == EXE_TOLD, "nobody has seen the program of a process that is gone");
}

static void test_gone(void)
{
	char buf[PATH_MAX];

	if (!asks_for_names()) {
		tap_ok(true, "# SKIP the kernel cannot be asked for a name");
		return;
	}
	snprintf(buf, sizeof(buf), "%s (deleted)", scratch_path("seven"));
	tap_ok(is_gone(buf, scratch_path("seven")), "a record's, and no file is called so");
	put_program("seven (deleted)");
	tap_ok(is_gone(buf, buf), "a record's, and a file is called so");
	tap_ok(is_gone(scratch_path("seven"), scratch_path("seven")),
	       "a record's without the suffix");
	tap_ok(is_gone(" (deleted)", " (deleted)"), "the suffix alone");
	if (symlink(".", scratch_path("here")))
		abort();
	snprintf(buf, sizeof(buf), "%s/seven (deleted)", scratch_path("here"));
	tap_ok(is_gone(buf, without_suffix(buf)), "a symbolic link is not followed");
}

/* It becomes the other of two programs, again and again, while it is looked at. */
static void test_turns(void)
{
	char *const argv[] = { (char *)"turns", strdup(scratch_path("one")),
			       strdup(scratch_path("two")), NULL };
	char buf[PATH_MAX], process[32];
	int dir = open("/proc", O_PATH | O_CLOEXEC), status;
	int looks[2] = { 0, 0 }, told = 0, mixed = 0;
	struct stat file[2];
	pid_t pid;

	put_program("one");
	put_program("two");
	if (stat(argv[1], &file[0]) || stat(argv[2], &file[1]) || dir < 0 || (pid = fork()) < 0)
		abort();
	if (!pid) {
		execv(argv[1], argv);
		_exit(1);
	}
	snprintf(process, sizeof(process), "%d", (int)pid);
	for (int i = 0; i < 20000; i++) {
		struct process p;
		int which;

		process_init(&p);
		if (!proc_exe_read(dir, process, -1, buf, &p) || !p.exe.data)
			continue;
		which = text_equal(p.exe, text_of(argv[2]));
		if (!which && !text_equal(p.exe, text_of(argv[1])))
			continue;	/* it has not begun */
		looks[which]++;
		told += p.exe_seen == EXE_TOLD;
		mixed += p.exe_seen != EXE_TOLD && (p.exe_seen != EXE_HERE ||
						    p.exe_inode != (int64_t)file[which].st_ino);
	}
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	close(dir);
	tap_ok(looks[0] > 0 && looks[1] > 0 && told < looks[0] + looks[1],
	       "a process that becomes two programs in turn was seen in both: %d, %d, untold %d",
	       looks[0], looks[1], told);
	tap_ok(!mixed, "never one with the other's file: %d", mixed);
	free(argv[1]);
	free(argv[2]);
}

/* So deep that the kernel has no room to tell its path. */
static void test_deep(void)
{
	enum { DIRECTORIES = 24, NAME = 200 };
	char name[NAME + 1], process[32], buf[PATH_MAX];
	int back = open(".", O_PATH | O_CLOEXEC), to;
	struct process p;
	pid_t pid;
	bool known;

	memset(name, 'd', NAME);
	name[NAME] = '\0';
	if (back < 0 || chdir(scratch_path(".")))
		abort();
	for (int i = 0; i < DIRECTORIES; i++)
		if (mkdir(name, 0755) || chdir(name))
			abort();
	to = open("deep", O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
	if (to < 0)
		abort();
	copy_program(to);
	pid = start("./deep");
	if (fchdir(back))
		abort();
	close(back);
	snprintf(process, sizeof(process), "/proc/%d", pid);
	process_init(&p);
	known = proc_exe_read(AT_FDCWD, process, root_mount, buf, &p);
	stop(pid);
	tap_ok(known && !p.exe.data && p.exe_inode > 0,
	       "a program whose path is too long is known by its file");
}

int main(int argc, char **argv)
{
	if (!strcmp(argv[0], "turns") && argc == 3) {
		execv(argv[2], (char *const[]){ argv[0], argv[2], argv[1], NULL });
		return 1;
	}
	if (!strcmp(argv[0], "waits")) {
		if (write(STDOUT_FILENO, "x", 1) == 1)
			pause();
		return 1;
	}
	scratch_make();
	root_mount = proc_exe_root_mount();
	test_update();
	test_backup();
	test_names();
	test_memory();
	test_away();
	test_nobody();
	test_gone();
	test_deep();
	if (asks_for_names())
		test_turns();
	return tap_done();
}
