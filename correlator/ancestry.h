/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_ANCESTRY_H
#define SOCKLEDGER_ANCESTRY_H

struct ancestry;
struct connection;
struct forefathers;
struct host;
struct peek;

/*
 * Which process started which: /proc knows living processes; records and the trace know those that
 * are gone.
 */
/* proc_path: "/proc", or a test's stand-in.  NULL with errno set. */
struct ancestry *ancestry_new(const char *proc_path);
/* See procfs.h; NULL: it looks itself. */
void ancestry_ask_lookers(struct ancestry *a, struct peek *peek);
void ancestry_free(struct ancestry *a);

/*
 * Writes the programs of c's process's parent, grandparent and so on into c; good until the next
 * call.  An unknown program is left out, and the chain ends at an unknown process.
 *
 * A process may have become another program since it started a child, and a child whose parent has
 * ended has another one.  parent_then: the trace has seen that neither is so.
 */
void ancestry_fill(struct ancestry *a, struct host *h, struct connection *c);

/*
 * All of c's process's forefathers for a policy, as far as they are known: by whom the trace saw it
 * started, also where that has ended, else by whom /proc calls its parent.  Good until the next
 * call.
 */
const struct forefathers *ancestry_ask(struct ancestry *a, struct host *h,
				       const struct connection *c);

#endif
