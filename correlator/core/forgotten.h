/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_FORGOTTEN_H
#define SOCKLEDGER_FORGOTTEN_H

#include <stdbool.h>
#include <stdint.h>

struct endpoint;

/*
 * Packets that had to make room before their record came: how many, of which process to which
 * destination.  A record of theirs that comes later is no connection of its own.  The number of
 * entries is fixed; where two have the same place, the newer one has it.
 */
struct forgotten;

#define FORGOTTEN_MAX 4096

/* NULL where memory is short. */
struct forgotten *forgotten_new(void);
void forgotten_free(struct forgotten *f);

/* A packet of process pid, at time_us (wall clock). */
void forgotten_add(struct forgotten *f, int64_t pid, const struct endpoint *peer, int64_t time_us);
/* Whether a call of process pid to there, that it made at time_us, may be one of theirs.  Each
 * answers for one call. */
bool forgotten_take(struct forgotten *f, int64_t pid, const struct endpoint *peer, int64_t time_us);

#endif
