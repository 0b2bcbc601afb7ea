/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_TRUSTED_H
#define SOCKLEDGER_TRUSTED_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

struct config;
struct diags;
struct statfs;

/* Why a path is not trusted. */
struct distrust {
	char path[2 * PATH_MAX]; /* the file, directory or link that is to be changed */
	const char *what;	 /* "every user can write it, ..."; static */
	const char *how;	 /* "chmod o-w": what to do with that path; static */
};

/*
 * Whether only root and the user `ours` can put something else at `path`: neither the file, nor a
 * directory or a link on the way there is another user's, or can be written by others.  In a sticky
 * directory (/tmp) one's own entry is one's own.  What is not there yet is no mistake.  `why` is
 * set where it is not so.
 */
bool trusted_path(const char *path, uid_t ours, struct distrust *why);

/* The same for a database and the files beside it, which SQLite reads as parts of it. */
bool trusted_database(const char *path, uid_t ours, struct distrust *why);

/*
 * For a configuration's file (NULL: the default one) and for all files that it names; ours is the
 * user that we run as.  Complaints carry the path that they are about, and say how to change it.
 */
bool trusted_config(const struct config *c, const char *path, struct diags *d);

/* Another host, or a process of some user's, answers for that file system: whoever reads from it
 * may wait for ever. */
bool served_by_others(const struct statfs *fs);

#endif
