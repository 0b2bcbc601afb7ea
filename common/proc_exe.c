/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether " (deleted)" behind a program's path is the kernel's. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/openat2.h>

#include "proc_exe.h"
#include "text.h"

static const char suffix[] = " (deleted)";
#define SUFFIX_CHARS (sizeof(suffix) - 1)
/* A file in memory never had another path (memfd_create(2)). */
static const char memory[] = "/memfd:";

static bool has_suffix(struct text exe)
{
	if (!exe.data || exe.len >= PATH_MAX || !text_ends_with(exe, suffix))
		return false;
	return exe.len < sizeof(memory) - 1 || memcmp(exe.data, memory, sizeof(memory) - 1) != 0;
}

/* Asks no file server, which may never answer. */
static bool ask(int fd, struct statx *st)
{
	return !statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_NLINK | STATX_INO, st);
}

/*
 * The file of that name below a root, as far as the kernel has the name in memory: so nothing has
 * to be read, and nobody can make it wait.  A program that runs keeps the name of its file there.
 * Kernels before 5.12 cannot be asked so, and say EINVAL.  A descriptor, or -1 with errno.
 */
static int find_cached(int root, struct text exe)
{
	struct open_how how = {
		.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | RESOLVE_CACHED,
	};
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%.*s", (int)exe.len, exe.data);
	return (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
}

enum named { NOT_NAMED, NAMED, NOT_TOLD };

/* Whether the file has that name below the root; without a file: whether any has. */
static enum named is_named(int dir, const char *root_name, struct text exe,
			   const struct statx *file)
{
	int root = openat(dir, root_name, O_PATH | O_DIRECTORY | O_CLOEXEC), fd;
	enum named named = NOT_NAMED;
	struct statx st;

	if (root < 0)
		return NOT_TOLD;
	fd = find_cached(root, exe);
	if (fd < 0 && (errno == EINVAL || errno == ENOSYS))
		named = NOT_TOLD;
	else if (fd >= 0 && (!file || !ask(fd, &st) ||
			     (st.stx_ino == file->stx_ino &&
			      st.stx_dev_major == file->stx_dev_major &&
			      st.stx_dev_minor == file->stx_dev_minor)))
		named = NAMED;
	if (fd >= 0)
		close(fd);
	close(root);
	return named;
}

/*
 * A file that has no name any more cannot be called so.  One that has may have lost this name and
 * kept another: dpkg links a second one to the old file before it renames the new one over it.  The
 * path is one of our root's, or, in another mount namespace, of the process's.
 */
static bool is_kernels(int dir, const char *process, struct text exe)
{
	char name[64];
	struct statx st;
	bool asked;
	int fd;

	snprintf(name, sizeof(name), "%s/exe", process);
	fd = openat(dir, name, O_PATH | O_CLOEXEC);
	asked = fd >= 0 && ask(fd, &st);
	if (fd >= 0)
		close(fd);
	if (!asked)
		return false;
	if (!st.stx_nlink)
		return true;
	snprintf(name, sizeof(name), "%s/root", process);
	return is_named(AT_FDCWD, "/", exe, &st) == NOT_NAMED &&
	       is_named(dir, name, exe, &st) == NOT_NAMED;
}

bool proc_exe_strip(int dir, const char *process, struct text *exe)
{
	if (!has_suffix(*exe) || !is_kernels(dir, process, *exe))
		return false;
	exe->len -= SUFFIX_CHARS;
	return true;
}

bool proc_exe_strip_gone(struct text *exe)
{
	if (!has_suffix(*exe) || is_named(AT_FDCWD, "/", *exe, NULL) != NOT_NAMED)
		return false;
	exe->len -= SUFFIX_CHARS;
	return true;
}
