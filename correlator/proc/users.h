/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_USERS_H
#define SOCKLEDGER_USERS_H

#include <stdint.h>

#include "text.h"

/*
 * Names of this host's users, remembered for a minute, because asking for one may wait for a
 * directory server.
 */
struct users;

struct users *users_new(void);
void users_free(struct users *u);

/* No text where no user has this uid.  Good until the next call. */
struct text users_name(struct users *u, int64_t uid, int64_t now_ns);

#endif
