/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_ANCESTRY_H
#define SOCKLEDGER_ANCESTRY_H

#include "connection.h"

struct ancestry;
struct host;

/* Who started whom: /proc tells of processes that live, records and the trace of those that are gone. */
/* proc_path: "/proc", or a test's stand-in.  NULL with errno set. */
struct ancestry *ancestry_new(const char *proc_path);
void ancestry_free(struct ancestry *a);

/* The programs of c's process's parent and of theirs, into c; good until the next call.  What is not
 * known is left out, and the chain ends there. */
void ancestry_fill(struct ancestry *a, const struct host *h, struct connection *c);

#endif
