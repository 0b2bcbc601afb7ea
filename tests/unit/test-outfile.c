/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A file that is there as a whole or not at all, also where a signal ends the program. */
#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "outfile.h"
#include "scratch.h"
#include "tap.h"

static const char *path;

/* What the file has; "" where there is none. */
static const char *content(void)
{
	static char text[64];
	FILE *in = fopen(path, "re");
	size_t n = in ? fread(text, 1, sizeof(text) - 1, in) : 0;

	text[n] = '\0';
	if (in)
		fclose(in);
	return text;
}

/* How many files the directory has. */
static int files(void)
{
	DIR *dir = opendir(scratch_dir);
	int n = 0;

	while (dir && readdir(dir))
		n++;
	if (dir)
		closedir(dir);
	return n - 2;
}

/* Writes it, with a signal in the middle; 0: all was done. */
static int write_it(const char *text, int number, bool commits)
{
	struct outfile f;

	if (outfile_begin(&f, path, 0640))
		return 1;
	fputs(text, f.out);
	fflush(f.out);
	if (number)
		raise(number);
	if (commits)
		return outfile_commit(&f) != 0;
	outfile_abandon(&f);
	return 0;
}

static void test_signal(int number, bool commits)
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		signal(number, SIG_DFL);
		_exit(write_it(commits ? "new" : "other", number, commits));
	}
	if (waitpid(child, &status, 0) != child)
		status = 0;
	tap_ok(WIFSIGNALED(status) && WTERMSIG(status) == number && files() == 1 &&
	       !strcmp(content(), "new"), "signal %d ends who %s the file, and leaves it whole",
	       number, commits ? "writes" : "abandons");
}

int main(void)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };
	static sigset_t before, behind;
	struct outfile f;
	struct stat st;

	scratch_make();
	path = scratch_path("file");
	sigprocmask(SIG_SETMASK, NULL, &before);
	tap_ok(!write_it("old", 0, true) && !strcmp(content(), "old") && files() == 1 &&
	       !stat(path, &st) && (st.st_mode & 0777) == 0640, "a file, and its mode");
	tap_ok(!write_it("new", 0, false) && !strcmp(content(), "old") && files() == 1,
	       "what is abandoned leaves the former one, and nothing else");
	tap_ok(outfile_begin(&f, scratch_path("none/file"), 0600) == -ENOENT,
	       "where there is no directory there is no file");
	path = scratch_dir;
	tap_ok(write_it("new", 0, true) && files() == 1, "a directory is none");
	path = scratch_path("pipe");
	tap_ok(!mkfifo(path, 0600) && outfile_begin(&f, path, 0600) == OUTFILE_NO_FILE &&
	       !lstat(path, &st) && S_ISFIFO(st.st_mode), "a pipe stays one");
	unlink(path);
	path = scratch_path("link");
	tap_ok(!symlink("file", path) && outfile_begin(&f, path, 0600) == OUTFILE_NO_FILE &&
	       !lstat(path, &st) && S_ISLNK(st.st_mode), "a link, which /dev/stdout is, too");
	unlink(path);
	path = scratch_path("file");
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		test_signal(numbers[i], true);
		test_signal(numbers[i], false);
	}
	sigprocmask(SIG_SETMASK, NULL, &behind);
	tap_ok(!memcmp(&before, &behind, sizeof(before)), "signals are as they were");
	return tap_done();
}
