/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_CGROUP_H
#define SOCKLEDGER_CGROUP_H

#include <stdbool.h>
#include <stdint.h>

#include "text.h"

/*
 * What a control group's path names: systemd unit, container, pod.  Texts borrow from the path.
 *
 * Whoever a control group is handed to makes groups of any name below it: a user below
 * user@UID.service, a container's root below the container's.  So a name counts only up to the
 * first group that was handed to somebody.  What is named below stands behind the name of that
 * group and a slash, and is its owner's word: "user@1000.service/app.slice/emacs.service".  No
 * name of the system's own has a slash.
 */
struct cgroup_names {
	struct text unit;	/* .service, .scope, or slice; a slash: see above */
	struct text slice;	/* the innermost one above the unit */
	struct text container;	/* an id, or a name where the runtime has names */
	/*
	 * A container that somebody named in a group of its own: the id, and the same behind the
	 * group's name.  It is the system's if the group `decides` is root's, which the path does
	 * not show; never where there is no such group.
	 */
	struct text named_id, named, decides;
	const char *runtime;	/* of either; NULL: none, or it cannot be told */
	char pod[65];		/* uid of Kubernetes' pod, or id of podman's; "": none */
};

struct cgroup_names cgroup_parse(struct text path);

/*
 * The group is one of those that systemd's login manager makes for this user alone, and into which
 * only root puts the first process of a login.  So the login user is no choice of the process: one
 * that has none may take any, once, by writing to /proc/self/loginuid.
 */
bool cgroup_is_of_login(struct text path, int64_t auid);

/* The container.  is_roots: only root can make groups in the group `decides`. */
struct text cgroup_container(const struct cgroup_names *names, bool is_roots);

#endif
