/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads a policy from its file. */
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
#include <unistd.h>

#include <linux/openat2.h>

#include "diag.h"
#include "policy.h"
#include "policy_file.h"

#define SIZE_MAX_BYTES ((size_t)1024 * 1024)

/* Reads to the end, whatever fstat() said: another program may be writing to the file. */
static int read_all(int fd, char **text, size_t *len)
{
	char *buf = malloc(SIZE_MAX_BYTES + 1);

	if (!buf)
		return -ENOMEM;
	for (*len = 0; *len <= SIZE_MAX_BYTES;) {
		ssize_t n = read(fd, buf + *len, SIZE_MAX_BYTES + 1 - *len);

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

/* -ENOTSUP: neither a regular file nor a directory. */
static int read_regular(const char *path, char **text, size_t *len)
{
	/* O_NONBLOCK, because open() on a pipe without a writer would block the daemon's reload. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), rc;
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st))
		rc = -errno;
	else if (!S_ISREG(st.st_mode))
		rc = S_ISDIR(st.st_mode) ? -EISDIR : -ENOTSUP;
	else
		rc = read_all(fd, text, len);
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

int policy_read(const char *path, struct diags *d, struct policy **out)
{
	char *text = NULL;
	size_t len = 0;
	int rc = read_regular(path, &text, &len);

	*out = NULL;
	if (rc) {
		diag_at(d, path, 1, 1, "cannot read it: %s",
			rc == -EFBIG ? "larger than 1 MiB" :
			rc == -ENOTSUP ? "not a regular file" : strerror(-rc));
		return rc;
	}
	rc = policy_parse(path, text, len, d, out);
	free(text);
	if (!rc)
		policy_resolve_paths(*out, real_path);
	return rc;
}

int policy_load(const char *path, struct diags *d, struct policy **out)
{
	int rc = policy_read(path, d, out);

	if (!rc)
		policy_number_users(*out, number_of, NULL);
	return rc;
}
