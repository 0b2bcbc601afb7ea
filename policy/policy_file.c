/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads a policy from its file, and its lists from theirs. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <linux/openat2.h>

#include "address_list.h"
#include "clock.h"
#include "diag.h"
#include "policy.h"
#include "policy_file.h"
#include "policy_rule.h"
#include "trusted.h"

#define POLICY_BYTES ((size_t)1024 * 1024)
#define LIST_BYTES (16 * POLICY_BYTES)

/* Reads to the end, whatever fstat() said: another program may be writing to the file. */
static int read_all(int fd, size_t most, char **text, size_t *len)
{
	char *buf = malloc(most + 1);

	if (!buf)
		return -ENOMEM;
	for (*len = 0; *len <= most;) {
		ssize_t n = read(fd, buf + *len, most + 1 - *len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			n = -errno;
			free(buf);
			return (int)n;
		}
		if (n == 0) {
			*text = buf;
			return 0;
		}
		*len += (size_t)n;
	}
	free(buf);
	return -EFBIG;
}

/* -ENOTSUP: neither a regular file nor a directory.  st: as it was before it was read. */
static int read_regular(const char *path, size_t most, struct stat *st, char **text, size_t *len)
{
	/* O_NONBLOCK, because open() on a pipe without a writer would block the daemon's reload. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), rc;

	if (fd < 0)
		return -errno;
	if (fstat(fd, st))
		rc = -errno;
	else if (!S_ISREG(st->st_mode))
		rc = S_ISDIR(st->st_mode) ? -EISDIR : -ENOTSUP;
	else
		rc = read_all(fd, most, text, len);
	close(fd);
	return rc;
}

static int64_t gid_of(const char *name)
{
	/* All its members' names are in there. */
	size_t size = (size_t)1024 * 1024;
	char *buf = malloc(size);
	struct group gr, *found = NULL;

	if (buf)
		getgrnam_r(name, &gr, buf, size, &found);
	free(buf);
	return found ? (int64_t)gr.gr_gid : -1;
}

static int64_t number_of(void *arg, const char *name, bool group)
{
	struct passwd pw, *found = NULL;
	char buf[16384];

	(void)arg;
	if (group)
		return gid_of(name);
	getpwnam_r(name, &pw, buf, sizeof(buf), &found);
	return found ? (int64_t)pw.pw_uid : -1;
}

/*
 * What a path is without symbolic links.  Below a mount that is not in memory yet nothing is asked:
 * that may be a user's file server, which never answers.  NULL: not to be had.
 */
static char *real_path(const char *path)
{
	/* In our root the path is the same, and a link's ".." ends there. */
	struct open_how how = { .flags = O_PATH | O_CLOEXEC,
				.resolve = RESOLVE_NO_MAGICLINKS | RESOLVE_IN_ROOT |
					   RESOLVE_NO_XDEV };
	char name[32], buf[PATH_MAX];
	int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC), fd;
	ssize_t n = -1;

	fd = (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
	if (fd < 0 && errno == EXDEV) {
		how.resolve = RESOLVE_NO_MAGICLINKS | RESOLVE_IN_ROOT | RESOLVE_CACHED;
		fd = (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
	}
	if (root >= 0)
		close(root);
	if (fd < 0)
		return errno == ENOSYS ? realpath(path, NULL) : NULL;
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	n = readlink(name, buf, sizeof(buf));
	close(fd);
	return n > 0 && (size_t)n < sizeof(buf) ? strndup(buf, (size_t)n) : NULL;
}

/* --- Lists */

struct list_files {
	size_t count;
	uint64_t stamp;
	struct address_list *list[];
};

static const char *why_not(int rc)
{
	return rc == -EFBIG ? "larger than 16 MiB" :
	       rc == -ENOTSUP ? "not a regular file" : strerror(-rc);
}

/* FNV-1a.  rc: why it could not be asked. */
static uint64_t add_stamp(uint64_t stamp, const struct stat *st, int rc)
{
	const uint64_t of[] = { (uint64_t)-rc, st->st_dev, st->st_ino, (uint64_t)st->st_size,
				(uint64_t)st->st_mtim.tv_sec, (uint64_t)st->st_mtim.tv_nsec,
				(uint64_t)st->st_ctim.tv_sec, (uint64_t)st->st_ctim.tv_nsec };

	for (size_t i = 0; i < sizeof(of) / sizeof(of[0]); i++)
		for (int byte = 0; byte < 64; byte += 8)
			stamp = (stamp ^ (of[i] >> byte & 0xff)) * 0x100000001b3ULL;
	return stamp;
}

#define STAMP_BEGIN 0xcbf29ce484222325ULL

static int read_list(const struct list_file *f, const char *name, struct diags *d, struct stat *st,
		     struct address_list **out)
{
	unsigned int line = (unsigned int)f->line;
	struct distrust why;
	struct statfs fs;
	char *text = NULL;
	size_t len = 0;
	int rc;

	if (!trusted_path(f->path, geteuid(), &why)) {
		diag_at(d, name, line, 1, "the list '%s': %s: %s '%s'", f->path, why.what, why.how,
			why.path);
		return -EINVAL;
	}
	/* It is looked at once a second from here on, by who has no time to wait. */
	if (!statfs(f->path, &fs) && served_by_others(&fs)) {
		diag_at(d, name, line, 1, "the list '%s' is on a file system of another host's, or "
			"of a process's, which may not answer: copy it", f->path);
		return -EINVAL;
	}
	rc = read_regular(f->path, LIST_BYTES, st, &text, &len);
	if (rc == -ENOMEM)
		return rc;
	if (rc) {
		diag_at(d, name, line, 1, "cannot read the list '%s': %s", f->path, why_not(rc));
		return -EINVAL;
	}
	rc = address_list_parse(f->path, text, len, d, out);
	free(text);
	return rc;
}

int list_files_read(const struct policy *p, const char *name, struct diags *d,
		    struct list_files **out)
{
	struct list_files *f = calloc(1, sizeof(*f) +
				      p->list_count * sizeof(struct address_list *));
	int rc = f ? 0 : -ENOMEM;

	*out = NULL;
	if (f) {
		f->count = p->list_count;
		f->stamp = STAMP_BEGIN;
	}
	for (size_t i = 0; i < p->list_count && rc != -ENOMEM; i++) {
		struct stat st = { .st_ino = 0 };
		int one = read_list(&p->lists[i], name, d, &st, &f->list[i]);

		f->stamp = add_stamp(f->stamp, &st, 0);
		rc = one ? one : rc;
	}
	if (rc)
		list_files_free(f);
	else
		*out = f;
	return rc;
}

void list_files_swap(struct list_files *f, struct policy *p)
{
	uint64_t stamp = p->lists_stamp;

	p->lists_stamp = f->stamp;
	f->stamp = stamp;
	for (size_t i = 0; i < f->count; i++) {
		struct address_list *old = p->lists[i].list;

		p->lists[i].list = f->list[i];
		f->list[i] = old;
	}
}

void list_files_free(struct list_files *f)
{
	for (size_t i = 0; f && i < f->count; i++)
		address_list_free(f->list[i]);
	free(f);
}

uint64_t list_files_stamp(const struct policy *p)
{
	uint64_t stamp = STAMP_BEGIN;

	for (size_t i = 0; i < p->list_count; i++) {
		struct stat st = { .st_ino = 0 };
		int rc = stat(p->lists[i].path, &st) ? -errno : 0;

		stamp = add_stamp(stamp, &st, rc);
	}
	return stamp;
}

uint64_t list_files_stamp_read(const struct policy *p)
{
	return p->lists_stamp;
}

static int read_lists(struct policy *p, const char *name, struct diags *d)
{
	struct list_files *f;
	int rc = list_files_read(p, name, d, &f);

	if (!rc)
		list_files_swap(f, p);
	list_files_free(f);
	return rc;
}

int policy_read(const char *path, struct diags *d, struct policy **out)
{
	char *text = NULL;
	size_t len = 0;
	struct stat st = { .st_ino = 0 };
	int rc = read_regular(path, POLICY_BYTES, &st, &text, &len);

	*out = NULL;
	if (rc) {
		diag_at(d, path, 1, 1, "cannot read it: %s",
			rc == -EFBIG ? "larger than 1 MiB" :
			rc == -ENOTSUP ? "not a regular file" : strerror(-rc));
		return rc;
	}
	rc = policy_parse(path, text, len, d, out);
	free(text);
	if (rc)
		return rc;
	rc = read_lists(*out, path, d);
	if (rc) {
		policy_free(*out);
		*out = NULL;
		return rc;
	}
	policy_resolve_paths(*out, real_path);
	policy_written(*out, st.st_mtim.tv_sec * TIME_US_PER_S + st.st_mtim.tv_nsec / 1000);
	policy_pass_time(*out, clock_now_us(), clock_boot_ns() / 1000);
	return 0;
}

int policy_load(const char *path, struct diags *d, struct policy **out)
{
	int rc = policy_read(path, d, out);

	if (!rc)
		policy_number_users(*out, number_of, NULL);
	return rc;
}
