/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_CALL_RESULT_H
#define SOCKLEDGER_CALL_RESULT_H

#include <stdbool.h>
#include <stdint.h>

#include "text.h"
#include "tuple.h"

/* By what connect() returned, or -errno: it goes on, and its end is another result. */
bool call_is_pending(int64_t result);
/* It got nowhere near the network: the row's reason is the error's name. */
bool call_sent_nothing(int result);
/* The reason of a row that a record alone has: that error's name; "route" where the connect() of a
 * socket of datagrams went to no address or no port, which only asks for a route; else none. */
struct text call_reason(int protocol, const struct endpoint *dst, int result);

#endif
