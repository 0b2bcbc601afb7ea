/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_SLOTS_H
#define SOCKLEDGER_SLOTS_H

#include <stdint.h>

/*
 * Numbers of a fixed table, found by a hash; where it is full the oldest of the user with the most
 * makes room (shares.h).  What stands in each place is the caller's.
 */
struct slots;

#define SLOT_NONE UINT32_MAX

/* For `max` places, 65534 at most; NULL where memory is short. */
struct slots *slots_new(uint32_t max);
void slots_free(struct slots *s);

/* A place for something of that hash and user; what was there has made room. */
uint32_t slots_add(struct slots *s, uint64_t hash, int64_t uid);
void slots_remove(struct slots *s, uint32_t n);
/* It is the newest of its user. */
void slots_renew(struct slots *s, uint32_t n);

/* Places whose hash may be that one; SLOT_NONE behind the last.  Nothing is to be added or removed
 * between the two. */
uint32_t slots_first(const struct slots *s, uint64_t hash);
uint32_t slots_next(const struct slots *s, uint32_t n);
/* How many had to make room. */
int64_t slots_evicted(const struct slots *s);

#endif
