/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_RELOAD_H
#define SOCKLEDGER_RELOAD_H

struct config;
struct parts;
struct policy;

/* The policy that the configuration names; NULL, with every mistake logged, where it cannot be
 * had. */
struct policy *reload_read_policy(const struct config *c);

/*
 * Gives the users that the policy names their numbers, as far as these become known in a second:
 * the thread that asks may wait for a directory server, and that for us.  Later ones come by
 * reload_users().
 */
void reload_number_users(struct parts *p, struct policy *policy);
/* A user's number has changed, or become known. */
void reload_users(struct parts *p);

/* Looks now and then whether a list of the policy has changed, and reads all of them again if so;
 * with a mistake the old ones stay.  Milliseconds until the next look; -1: there are none. */
int reload_lists(struct parts *p);

/* After SIGHUP: takes over policy, mode and park from the configuration, unless there is a
 * mistake. */
void reload(struct parts *p, const char *config_path);

#endif
