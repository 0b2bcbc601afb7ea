/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_CGROUP_H
#define SOCKLEDGER_CGROUP_H

#include "text.h"

/* Finds the systemd unit and the container in a control group's path.  Both borrow from path. */
struct cgroup_names {
	struct text unit;	/* the innermost .service, .scope or .slice */
	struct text container;	/* an id of 12 or more hex digits, or a name from lxc or nspawn */
};

struct cgroup_names cgroup_parse(struct text path);

#endif
