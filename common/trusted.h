/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_TRUSTED_H
#define SOCKLEDGER_TRUSTED_H

#include <stdbool.h>

struct config;
struct diags;

/*
 * Whether only root and our own user can put something else at `path`: neither the file, nor a
 * directory or a link on the way there is another user's, or can be written by others.  In a sticky
 * directory (/tmp) one's own entry is one's own.  What is not there yet is no mistake.  Complaints
 * carry the path that they are about, and say how to change it.
 */
bool trusted_path(const char *path, struct diags *d);

/* The same for a configuration's file (NULL: the default one) and for all files that it names. */
bool trusted_config(const struct config *c, const char *path, struct diags *d);

#endif
