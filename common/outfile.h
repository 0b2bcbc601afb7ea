/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_OUTFILE_H
#define SOCKLEDGER_OUTFILE_H

#include <limits.h>
#include <stdio.h>
#include <sys/types.h>

/*
 * A file that others read while it is written anew: they see the former one or the whole new one,
 * also after the power failed.
 */
struct outfile {
	FILE *out;		/* write here */
	char path[PATH_MAX], temporary[PATH_MAX];
};

/* Begins a file of this mode beside `path`.  0 or -errno. */
int outfile_begin(struct outfile *f, const char *path, mode_t mode);
/* Puts it into its place.  0; or -errno, and the former one stays. */
int outfile_commit(struct outfile *f);
void outfile_abandon(struct outfile *f);

#endif
