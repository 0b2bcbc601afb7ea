/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which file a process runs, and what its path is worth.
 *
 * /proc/PID/exe as a link is a text in the process's own root.  As a way to the file it leads to
 * the file itself, which is held open (O_PATH) while statx() tells which one it is and the kernel
 * its path.  Then the path is looked up in our root:
 *
 *   the file is on the very mount that is our root    the kernel's path is one of ours
 *   the path names the same device, inode and change  it is ours, whoever's mount it was seen in
 *   " (deleted)", and the process's directory of that path is ours, and the file's mount is that of
 *   this directory                                    its file was at that path
 *   otherwise                                         the path is another root's
 *
 * An overlay may show another file's inode number, so the change has to be the same as well.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <linux/openat2.h>

#include "proc_exe.h"
#include "process.h"
#include "text.h"

static const char suffix[] = " (deleted)";
#define SUFFIX_CHARS (sizeof(suffix) - 1)
/* A file in memory never had another path (memfd_create(2)). */
static const char memory[] = "/memfd:";

#define NAME_CHARS 64
/* Somebody renames files meanwhile: then a name that is in memory may not be found at once. */
#define TRIES 3

static bool has_suffix(struct text exe)
{
	if (!exe.data || exe.len >= PATH_MAX || !text_ends_with(exe, suffix))
		return false;
	return exe.len < sizeof(memory) - 1 || memcmp(exe.data, memory, sizeof(memory) - 1) != 0;
}

/* Asks no file server. */
static bool ask(int fd, const char *name, struct statx *st)
{
	int flags = AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT | (*name ? 0 : AT_EMPTY_PATH);

	return !statx(fd, name, flags, STATX_NLINK | STATX_INO | STATX_CTIME | STATX_MNT_ID, st);
}

static bool same_file(const struct statx *a, const struct statx *b)
{
	return a->stx_ino == b->stx_ino && a->stx_dev_major == b->stx_dev_major &&
	       a->stx_dev_minor == b->stx_dev_minor &&
	       a->stx_ctime.tv_sec == b->stx_ctime.tv_sec &&
	       a->stx_ctime.tv_nsec == b->stx_ctime.tv_nsec;
}

/* Never negative, which would be unknown. */
static int64_t inode_of(const struct statx *st)
{
	return (int64_t)(st->stx_ino & INT64_MAX);
}

static int64_t device_of(const struct statx *st)
{
	return (int64_t)(makedev(st->stx_dev_major, st->stx_dev_minor) & INT64_MAX);
}

static bool same_mount(const struct statx *a, const struct statx *b)
{
	return (a->stx_mask & b->stx_mask & STATX_MNT_ID) && a->stx_mnt_id == b->stx_mnt_id;
}

enum named { NOT_NAMED, NAMED, NOT_TOLD };

/*
 * The file of that name below a root, as far as the kernel has the name in memory: so nothing has
 * to be read, and nobody can make it wait.  A program that runs keeps the name of its file there.
 * A path that the kernel told has no symbolic links in its own root.  In ours, where somebody else
 * may have put some, it is another path: to follow forty, each to a path of thousands of names,
 * takes milliseconds.  Kernels before 5.12 cannot be asked so, and say EINVAL.
 */
static enum named find_cached(int root, struct text name, uint64_t flags, struct statx *st)
{
	struct open_how how = {
		.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC | flags,
		.resolve = RESOLVE_NO_SYMLINKS | RESOLVE_CACHED |
			   (root == AT_FDCWD ? 0 : RESOLVE_IN_ROOT),
	};
	char path[PATH_MAX];
	enum named named;
	int fd = -1;

	if (!name.len || name.data[0] != '/' || name.len >= sizeof(path))
		return NOT_NAMED;
	memcpy(path, name.data, name.len);
	path[name.len] = '\0';
	for (int i = 0; fd < 0 && i < TRIES; i++) {
		fd = (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
		if (fd < 0 && errno != EAGAIN)
			break;
	}
	if (fd < 0)
		return errno == EINVAL || errno == ENOSYS ? NOT_TOLD : NOT_NAMED;
	named = ask(fd, "", st) ? NAMED : NOT_TOLD;
	close(fd);
	return named;
}

/* In our root, or in a process's. */
static enum named find_in_root(int dir, const char *process, struct text name, uint64_t flags,
			       struct statx *st)
{
	char root_name[NAME_CHARS];
	enum named named;
	int root;

	if (!process)
		return find_cached(AT_FDCWD, name, flags, st);
	snprintf(root_name, sizeof(root_name), "%s/root", process);
	root = openat(dir, root_name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return NOT_TOLD;
	named = find_cached(root, name, flags, st);
	close(root);
	return named;
}

/* Whether the file has that name there; without a file: whether any has. */
static enum named is_named(int dir, const char *process, struct text exe, const struct statx *file)
{
	struct statx st;
	enum named named = find_in_root(dir, process, exe, 0, &st);

	return named == NAMED && file && !same_file(&st, file) ? NOT_NAMED : named;
}

/*
 * A file that has no name any more cannot be called so.  One that has may have lost this name and
 * kept another: dpkg links a second one to the old file before it renames the new one over it.  The
 * path is one of our root's, or, in another mount namespace, of the process's.
 */
static bool is_kernels(int dir, const char *process, struct text exe, const struct statx *file)
{
	if (!file->stx_nlink)
		return true;
	return is_named(dir, NULL, exe, file) == NOT_NAMED &&
	       is_named(dir, process, exe, file) == NOT_NAMED;
}

/* The file that was removed had that path in our root: only who may write to that directory of ours
 * can have taken it from there. */
static bool was_here(int dir, const char *process, struct text exe, const struct statx *file)
{
	const char *slash = exe.len ? memrchr(exe.data, '/', exe.len) : NULL;
	struct text parent = exe;
	struct statx ours, its;

	if (!slash)
		return false;
	parent.len = slash > exe.data ? (size_t)(slash - exe.data) : 1;
	if (find_in_root(dir, NULL, parent, O_DIRECTORY, &ours) != NAMED)
		return false;
	if (same_mount(&ours, file))
		return true;
	return find_in_root(dir, process, parent, O_DIRECTORY, &its) == NAMED &&
	       ours.stx_ino == its.stx_ino && ours.stx_dev_major == its.stx_dev_major &&
	       ours.stx_dev_minor == its.stx_dev_minor && same_mount(&its, file);
}

int64_t proc_exe_root_mount(void)
{
	struct statx root;

	return ask(AT_FDCWD, "/", &root) && (root.stx_mask & STATX_MNT_ID) &&
	       (root.stx_attributes & STATX_ATTR_MOUNT_ROOT) ? (int64_t)root.stx_mnt_id : -1;
}

/* The kernel tells a path from the reader's root, so of a file on that mount it is the reader's. */
static bool is_on_mount(const struct statx *file, int64_t mount)
{
	return (file->stx_mask & STATX_MNT_ID) && (int64_t)file->stx_mnt_id == mount;
}

bool proc_exe_has_our_users(int dir, const char *process)
{
	char name[NAME_CHARS], its[NAME_CHARS], ours[NAME_CHARS];
	ssize_t its_len, our_len = readlink("/proc/self/ns/user", ours, sizeof(ours));

	snprintf(name, sizeof(name), "%s/ns/user", process);
	its_len = readlinkat(dir, name, its, sizeof(its));
	return our_len > 0 && its_len == our_len && !memcmp(its, ours, (size_t)our_len);
}

static enum exe_seen see(int dir, const char *process, int64_t root_mount, struct process *p,
			 const struct statx *file)
{
	if (!p->exe.data)
		return EXE_UNREADABLE;
	if (has_suffix(p->exe) && is_kernels(dir, process, p->exe, file)) {
		p->exe.len -= SUFFIX_CHARS;
		p->replaced = 1;
		if (was_here(dir, process, p->exe, file))
			return EXE_REPLACED;
	} else if (file->stx_nlink && (is_on_mount(file, root_mount) ||
				       is_named(dir, NULL, p->exe, file) == NAMED)) {
		return EXE_HERE;
	}
	return proc_exe_has_our_users(dir, process) ? EXE_OTHER : EXE_USERS;
}

struct dirent64_head {
	uint64_t inode;
	int64_t next;
	unsigned short len;
	unsigned char type;
	char name[];
};

/* A thread of the process besides its first, as "PROCESS/task/TID/exe".  All of them run the same
 * program, and those that have ended are not listed. */
static bool find_thread(int dir, const char *process, char name[NAME_CHARS])
{
	_Alignas(struct dirent64_head) char list[512];
	long n = -1;
	int tasks;

	snprintf(name, NAME_CHARS, "%.24s/task", process);
	tasks = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (tasks < 0)
		return false;
	n = syscall(SYS_getdents64, tasks, list, sizeof(list));
	close(tasks);
	for (long at = 0, others = 0; at < n;) {
		const struct dirent64_head *entry = (const void *)(list + at);

		/* The first thread is the first that is listed, also where it has ended. */
		if (entry->name[0] != '.' && others++) {
			snprintf(name, NAME_CHARS, "%.24s/task/%.20s/exe", process, entry->name);
			return true;
		}
		at += entry->len;
	}
	return false;
}

/* The file itself, to be closed; -1: there is none. */
static int open_file(int dir, const char *process)
{
	char name[NAME_CHARS];
	int fd;

	snprintf(name, sizeof(name), "%s/exe", process);
	fd = openat(dir, name, O_PATH | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT && find_thread(dir, process, name))
		fd = openat(dir, name, O_PATH | O_CLOEXEC);
	return fd;
}

/* The text of a link; a path that is too long has none. */
static struct text read_link(int dir, const char *name, char buf[PATH_MAX])
{
	ssize_t n = readlinkat(dir, name, buf, PATH_MAX);

	return n > 0 ? (struct text){ buf, (size_t)n } : TEXT_NONE;
}

/*
 * The path is asked of the open file, as /proc/PID/exe would tell it: so text and file are of one
 * program, also where the process becomes another one meanwhile.
 */
bool proc_exe_read(int dir, const char *process, int64_t root_mount, char buf[PATH_MAX],
		   struct process *p)
{
	int fd = open_file(dir, process);
	char name[NAME_CHARS];
	struct statx file;
	bool seen = false;

	p->exe_seen = EXE_TOLD;
	if (fd < 0) {
		snprintf(name, sizeof(name), "%s/exe", process);
		p->exe = read_link(dir, name, buf);
		return p->exe.data;
	}
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	p->exe = read_link(AT_FDCWD, name, buf);
	if (ask(fd, "", &file)) {
		seen = true;
		p->exe_dev = device_of(&file);
		p->exe_inode = inode_of(&file);
		p->exe_ctime = file.stx_ctime.tv_sec * 1000000000LL + file.stx_ctime.tv_nsec;
		p->exe_seen = see(dir, process, root_mount, p, &file);
	}
	close(fd);
	return seen || p->exe.data;
}

bool proc_exe_is_called(int dir, const char *process, struct text exe, const struct process *p)
{
	struct statx st;

	return exe.len && exe.data[0] == '/' &&
	       find_in_root(dir, process, exe, 0, &st) == NAMED &&
	       inode_of(&st) == p->exe_inode && device_of(&st) == p->exe_dev;
}

bool proc_exe_strip_gone(struct text *exe)
{
	if (!has_suffix(*exe) || is_named(AT_FDCWD, NULL, *exe, NULL) != NOT_NAMED)
		return false;
	exe->len -= SUFFIX_CHARS;
	return true;
}
