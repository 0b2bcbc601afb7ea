/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_GROUPS_H
#define SOCKLEDGER_GROUPS_H

#include <stdbool.h>
#include <stdint.h>

#include "text.h"

/*
 * Whose a control group is: whoever owns its directory can make groups of any name in it.  An
 * answer is kept for a second, so that most rows cost no system call.
 */
#define GROUPS_KEPT 64
#define GROUPS_PATH_MAX 512
struct groups {
	const char *top;	/* where control groups are mounted: "/sys/fs/cgroup" */
	struct {
		int64_t asked_ns;	/* 0: not used */
		bool roots;
		size_t len;
		char path[GROUPS_PATH_MAX];
	} kept[GROUPS_KEPT];
};

/*
 * Whether the group and all above it are root's, and nobody else may write there.  path: as in
 * /proc/PID/cgroup, without a slash at its end.  Of any hierarchy: where there are several groups
 * of that path, all of them.  False where there is none.  A group_owner_fn; arg is a struct groups.
 */
bool groups_are_roots(void *arg, struct text path);

#endif
