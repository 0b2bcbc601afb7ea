/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_OUTFILE_H
#define SOCKLEDGER_OUTFILE_H

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <sys/types.h>

/*
 * A file that others read while it is written anew: they see the former one or the whole new one,
 * also after the power failed.  Signals that end the program wait until it is in its place, or
 * abandoned: no piece of it is left behind.
 */
struct outfile {
	FILE *out;		/* write here */
	char path[PATH_MAX], temporary[PATH_MAX];
	sigset_t before;	/* the signals that waited already */
};

/* What is at that path is a device, a pipe, a link or a directory: it stays. */
#define OUTFILE_NO_FILE (-EMEDIUMTYPE)
const char *outfile_strerror(int rc);

/* Begins a file of this mode beside `path`.  0 or -errno. */
int outfile_begin(struct outfile *f, const char *path, mode_t mode);
/* Puts it into its place.  0; or -errno, and the former one stays. */
int outfile_commit(struct outfile *f);
void outfile_abandon(struct outfile *f);

#endif
