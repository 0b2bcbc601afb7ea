/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_POLICY_FILE_H
#define SOCKLEDGER_POLICY_FILE_H

#include <stdint.h>

struct diags;
struct policy;

/*
 * Reads the policy in a regular file of at most 1 MiB, and the lists that it names, and reports all
 * mistakes with their places.  0, -EINVAL where there are mistakes, or another -errno where the
 * file could not be read; *out is NULL on failure.
 */
int policy_read(const char *path, struct diags *d, struct policy **out);
/* And asks for the numbers of the users and groups that it names, which may take a directory
 * server's time. */
int policy_load(const char *path, struct diags *d, struct policy **out);

/* What the files of a policy's lists hold. */
struct list_files;

/*
 * Reads them, each of at most 16 MiB.  Complaints about what a file holds carry its path, those
 * about the file the rule that names it (`name`: the policy's file).  0, or -errno with *out NULL:
 * -EINVAL where there were complaints.
 */
int list_files_read(const struct policy *p, const char *name, struct diags *d,
		    struct list_files **out);
/* The policy has them from here on, and they have what the policy had. */
void list_files_swap(struct list_files *f, struct policy *p);
void list_files_free(struct list_files *f);

/* A number that changes with any of the files; and that of the files as they were read. */
uint64_t list_files_stamp(const struct policy *p);
uint64_t list_files_stamp_read(const struct policy *p);

#endif
