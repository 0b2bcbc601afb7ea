/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A file that is there as a whole or not at all. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "outfile.h"

static void hold_signals(struct outfile *f)
{
	static const int ends[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	sigset_t mine;

	sigemptyset(&mine);
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		sigaddset(&mine, ends[i]);
	pthread_sigmask(SIG_BLOCK, &mine, &f->before);
}

static void let_signals(const struct outfile *f)
{
	pthread_sigmask(SIG_SETMASK, &f->before, NULL);
}

const char *outfile_strerror(int rc)
{
	return rc == OUTFILE_NO_FILE ? "what is there is no file" : strerror(-rc);
}

int outfile_begin(struct outfile *f, const char *path, mode_t mode)
{
	size_t len = strlen(path);
	struct stat st;
	int fd, rc;

	f->out = NULL;
	/* In the place of /dev/null or of /dev/stdout a file would be all programs' loss. */
	if (!lstat(path, &st) && !S_ISREG(st.st_mode))
		return OUTFILE_NO_FILE;
	if (len + sizeof(".XXXXXX") > sizeof(f->temporary))
		return -ENAMETOOLONG;
	memcpy(f->path, path, len + 1);
	memcpy(f->temporary, path, len);
	memcpy(f->temporary + len, ".XXXXXX", sizeof(".XXXXXX"));
	hold_signals(f);
	fd = mkostemp(f->temporary, O_CLOEXEC);
	if (fd < 0) {
		rc = -errno;
		let_signals(f);
		return rc;
	}
	/* Whoever collects it is another user mostly; the umask says nothing of that. */
	if (!fchmod(fd, mode))
		f->out = fdopen(fd, "w");
	if (f->out)
		return 0;
	rc = -errno;
	close(fd);
	unlink(f->temporary);
	let_signals(f);
	return rc;
}

/* The directory knows the new name, also after the power failed. */
static int sync_directory(const char *path)
{
	char directory[PATH_MAX] = ".";
	const char *slash = strrchr(path, '/');
	int fd, rc = 0;

	/* With its last slash: the root has no name without it. */
	if (slash) {
		memcpy(directory, path, (size_t)(slash - path) + 1);
		directory[slash - path + 1] = '\0';
	}
	fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	/* There are file systems that have no such thing. */
	if (fsync(fd) && errno != EINVAL)
		rc = -errno;
	close(fd);
	return rc;
}

int outfile_commit(struct outfile *f)
{
	int rc = 0;

	errno = EIO;
	if (fflush(f->out) || ferror(f->out) || fsync(fileno(f->out)))
		rc = -errno;
	if (fclose(f->out) && !rc)
		rc = -errno;
	f->out = NULL;
	if (!rc && rename(f->temporary, f->path))
		rc = -errno;
	if (rc)
		unlink(f->temporary);
	else
		rc = sync_directory(f->path);
	let_signals(f);
	return rc;
}

void outfile_abandon(struct outfile *f)
{
	if (!f->out)
		return;
	fclose(f->out);
	f->out = NULL;
	unlink(f->temporary);
	let_signals(f);
}
