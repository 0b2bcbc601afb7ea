/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_NETLINK_H
#define SOCKLEDGER_NETLINK_H

#include <stdbool.h>
#include <stddef.h>

/*
 * True where the messages of one read, one behind the other, end where it does or before.  libmnl
 * takes a length beyond INT_MAX for a small one, and goes where it leads.
 */
bool netlink_is_whole(const void *messages, size_t len);

#endif
