/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_LOOK_H
#define SOCKLEDGER_LOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Looking at a host below `root`, which is put before every path ("" for this host): files, the
 * output of programs, processes.  Nothing here is trusted, and everything is bounded.
 */

/* root and path; false where they do not fit. */
bool look_path(const char *root, const char *path, char *buf, size_t size);

/* The file's first MiB, with a 0 behind it, to be freed; NULL and *rc = -errno where there is none.
 */
char *look_file(const char *root, const char *path, int *rc);
/* The file is there, and begins with that character, as a setting of the kernel's does. */
bool look_setting(const char *root, const char *path, char first);

/*
 * What a program of the administrator's directories prints (argv[0]: its name), to be freed, with
 * *rc = 0.  NULL and *rc = -ENOENT where it is not installed, -EPERM where it failed and we are not
 * root, -ETIME where it did not come to an end, -EIO where it failed otherwise; then `why` has the
 * first line of what it said.
 */
char *look_run(const char *root, const char *const argv[], int *rc, char *why, size_t why_size);

/* The value of a line "key = value" or "key value", without regard to case; false: there is none.
 */
bool look_value(const char *text, const char *key, char *buf, size_t size);
/* Its number; -1: there is none. */
int64_t look_number(const char *text, const char *key);

/* The next word of *at in buf, cut where it is too long; false at the end of the line. */
bool look_word(const char **at, char *buf, size_t size);
/* Where the next line begins; NULL behind the last one. */
const char *look_next_line(const char *line);

struct look_process {
	int pid, parent;
	int64_t uid; /* the real one; -1: unknown */
	char comm[16];
};

/* Goes through all processes until each() gives true back; false: it never did. */
bool look_processes(const char *root, bool (*each)(const struct look_process *p, void *arg),
		    void *arg);
/* One process; false: there is none. */
bool look_process(const char *root, int pid, struct look_process *p);

#endif
