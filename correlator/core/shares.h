/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_SHARES_H
#define SOCKLEDGER_SHARES_H

#include <stdint.h>

/*
 * Who holds how much of a table that has a fixed number of entries, so that where it is full the
 * user with the most makes room, and one user's flood costs that user.
 *
 * A user is a uid as the kernel says it.  From 100000 on, where /etc/subuid hands numbers to users
 * for their namespaces, 65536 numbers are one user: otherwise one person could be thousands.
 * Users are kept by a hash, so rarely two of them are one.
 */
struct shares;

#define SHARE_USERS 256

/* The user, of whom there may be many numbers. */
int64_t share_user(int64_t uid);

/* A number below SHARE_USERS: of that user, and rarely of another one as well. */
unsigned int share_of(int64_t uid);

/* For entries below `max`, which is at most 65534; NULL where memory is short. */
struct shares *shares_new(uint32_t max);
void shares_free(struct shares *s);

/* Entry n is the user's, and its newest; it must not be there yet. */
void shares_add(struct shares *s, uint32_t n, int64_t uid);
void shares_remove(struct shares *s, uint32_t n);
/* It is its user's newest, and the newest of all. */
void shares_renew(struct shares *s, uint32_t n);

/* The oldest entry of all; and that of the user with the most.  There must be one. */
uint32_t shares_oldest(const struct shares *s);
uint32_t shares_heaviest(const struct shares *s);

#endif
