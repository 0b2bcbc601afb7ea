/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads a policy from its file. */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

static int64_t uid_of(void *arg, const char *name)
{
	struct passwd pw, *found = NULL;
	char buf[16384];

	(void)arg;
	getpwnam_r(name, &pw, buf, sizeof(buf), &found);
	return found ? (int64_t)pw.pw_uid : -1;
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
	return rc;
}

int policy_load(const char *path, struct diags *d, struct policy **out)
{
	int rc = policy_read(path, d, out);

	if (!rc)
		policy_number_users(*out, uid_of, NULL);
	return rc;
}
