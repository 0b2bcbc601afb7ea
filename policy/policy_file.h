/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_POLICY_FILE_H
#define SOCKLEDGER_POLICY_FILE_H

struct diags;
struct policy;

/*
 * Reads the policy in a regular file of at most 1 MiB.  All that is wrong is told, located.
 * 0, -EINVAL where the text has mistakes, or another -errno where it could not be had; *out is
 * NULL where it fails.
 */
int policy_load(const char *path, struct diags *d, struct policy **out);

#endif
