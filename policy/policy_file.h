/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_POLICY_FILE_H
#define SOCKLEDGER_POLICY_FILE_H

struct diags;
struct policy;

/*
 * Reads the policy in a regular file of at most 1 MiB, and reports all mistakes with their places.
 * 0, -EINVAL where the text has mistakes, or another -errno where the file could not be read; *out
 * is NULL on failure.
 */
int policy_read(const char *path, struct diags *d, struct policy **out);
/* And asks for the numbers of the users and groups that it names, which may take a directory
 * server's time. */
int policy_load(const char *path, struct diags *d, struct policy **out);

#endif
