/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_RELOAD_H
#define SOCKLEDGER_RELOAD_H

struct config;
struct parts;
struct policy;

/* The policy that the configuration names; NULL, with every mistake logged, where it cannot be
 * had. */
struct policy *reload_read_policy(const struct config *c);

/* After SIGHUP: takes over policy, mode and park from the configuration, unless there is a
 * mistake. */
void reload(struct parts *p, const char *config_path);

#endif
