/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_PROCTABLE_H
#define SOCKLEDGER_PROCTABLE_H

#include <stdint.h>

struct event;

/* The newest event of each of this host's processes, for a fixed number of them. */
struct proctable;

struct proctable *proctable_new(void);
void proctable_free(struct proctable *t);

/* Keeps a copy.  Ignores an event of another host. */
void proctable_put(struct proctable *t, const struct event *e);
/* NULL where the process is unknown; good until the next put. */
const struct event *proctable_get(const struct proctable *t, int64_t pid);

#endif
