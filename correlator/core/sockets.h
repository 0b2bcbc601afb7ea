/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_SOCKETS_H
#define SOCKLEDGER_SOCKETS_H

#include <stdbool.h>
#include <stdint.h>

#include "socktable.h"

struct event;

/*
 * Which of the remembered sockets a record speaks of (socktable.h).  Those that they return are the
 * most recently used by then, and stay the table's.
 */

/* The event's descriptor, in that process. */
struct sock_key sockets_key(const struct event *e, int64_t pid);
/* As struct sock has it. */
uint64_t sockets_program(const struct event *e);

/* A new socket at the event's descriptor, in place of what was there. */
struct sock *sockets_put(struct socktable *t, const struct event *e);

/*
 * Finds the socket at the event's descriptor, as far as it is known.  *late: the plugin saw another
 * socket there than the records say.
 */
struct sock *sockets_find(struct socktable *t, const struct event *e, bool *late);

/* Likewise; the plugin saw its protocol when it was alive, which is better than what was
 * remembered. */
struct sock *sockets_find_seen(struct socktable *t, const struct event *e, bool *late);

/*
 * True for a socket() record with an earlier serial than the records that have come: those know the
 * descriptor better.  Serials start again with a boot; times do not.
 */
bool sockets_comes_late(const struct sock *s, const struct event *e);

/*
 * What accept() returned: a new socket, whatever had this number before, here or in the parent;
 * unless a later record of it has come before this one.  local: our end of it.
 */
struct sock *sockets_put_accepted(struct socktable *t, const struct event *e,
				  const struct endpoint *local);

#endif
