/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_USERS_H
#define SOCKLEDGER_USERS_H

#include <stdbool.h>
#include <stdint.h>

#include "text.h"

/*
 * Names of this host's users, for one thread, which may have to wait for a directory server.  What
 * was asked is remembered for a minute, and until /etc/passwd or /etc/nsswitch.conf changes: so a
 * number that was given to another has its new name at once, or after a minute at most where only
 * a server knows it.
 */
struct users;

#define USERS_NAME_CHARS 256

/* directory: where passwd and nsswitch.conf are: "/etc".  NULL with errno set. */
struct users *users_new(const char *directory);
void users_free(struct users *u);

/*
 * No text where no user has this uid; nor where look-ups of its user's numbers (shares.h) have
 * taken more than a fifth of a second, and then a tenth of the time: whoever comes with numbers
 * without end, at a server's pace, would keep this thread waiting.  Good until the next call.
 */
struct text users_name(struct users *u, int64_t uid, int64_t now_ns);

/*
 * These ask at once, and remember nothing.  0, with number -1 or an empty name where there is no
 * such user, or group; -errno where the database cannot be asked.
 */
int users_ask_number(const char *name, int64_t *number);
int users_ask_group(const char *name, int64_t *number);
int users_ask_name(int64_t uid, char name[USERS_NAME_CHARS]);

/*
 * The watch of the files that say which user and group has which number: an inotify descriptor,
 * readable when something in their directory has changed; -1: there is none.
 */
int users_watch_open(const char *directory);
/* Whether one of the files has changed since the last call. */
bool users_watch_changed(int fd);

#endif
