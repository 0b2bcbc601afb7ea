/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_PRIVILEGES_H
#define SOCKLEDGER_PRIVILEGES_H

#include <linux/capability.h>
#include <stdint.h>

#define PRIVILEGE(capability) ((uint64_t)1 << (capability))

/*
 * Gives up, for this thread and all that it starts, every capability that is not in `kept`; none
 * comes back, because nothing that is executed from here on gets any (empty bounding set, no new
 * privileges).  What we do not have is not missed.  0 or -errno.
 */
int privileges_keep(uint64_t kept);

#endif
