/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_USER_NAMES_H
#define SOCKLEDGER_USER_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Names of users, and of groups, for those who may not wait: a thread of its own asks the user
 * database, and answers from here are what it has heard so far.  Its connection to a directory
 * server may wait in our own queue, so nobody who answers packets waits for it.
 *
 * All is asked again when the files change, and every minute.  Until there is a new answer the old
 * one stays, also where the database cannot be asked.
 */
struct user_names;

/* directory: of the files that are watched: "/etc".  NULL with errno set. */
struct user_names *user_names_start(const char *directory);
/* Where the user database keeps the thread waiting it is left to itself: the program ends. */
void user_names_stop(struct user_names *u);

/* The number of a user or group that a policy names; -1: there is none, or it is not known yet. */
int64_t user_names_number(struct user_names *u, const char *name, bool group);
/* Copies the name of a user; false: there is none, or it is not known yet. */
bool user_names_of(struct user_names *u, int64_t uid, char *name, size_t size);
/* Patterns of names are asked about: all users that the database lists are to be known. */
void user_names_want_all(struct user_names *u);

/* Whether all is known that user_names_number() and user_names_want_all() asked for. */
bool user_names_settled(struct user_names *u);
/* Readable when a number has changed, or become known, since user_names_changed(). */
int user_names_fd(const struct user_names *u);
void user_names_changed(struct user_names *u);

#endif
