/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_ANCESTRY_H
#define SOCKLEDGER_ANCESTRY_H

#include "connection.h"

struct ancestry;
struct witnesses;

/* Who started whom: /proc for those who live, records and the trace for those who are gone. */
/* proc_path: "/proc", or a test's stand-in.  NULL with errno set. */
struct ancestry *ancestry_new(const char *proc_path);
void ancestry_free(struct ancestry *a);

/* The programs of c's process's parent and of theirs, into c; good until the next call.  What nobody
 * knows is left out, and the chain ends there. */
void ancestry_tell(struct ancestry *a, const struct witnesses *w, struct connection *c);

#endif
