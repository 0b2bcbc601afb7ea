/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_VERDICT_H
#define SOCKLEDGER_VERDICT_H

#include <stdbool.h>
#include <stdint.h>

#include "connection.h"
#include "packet.h"

struct config;
struct ctmark;
struct nfqueue;

/* Whether a packet with this verdict goes on; while observing all do. */
bool verdict_passes(const struct config *c, enum verdict verdict);

/*
 * Tells the kernel.  mark: the packet's.  A packet that passes goes as it came, with `decided` as
 * the mark of its conntrack entry (NULL: none); one that is rejected gets our mark for the rule
 * behind the queue, which answers it with a reset or an ICMP error.  0 or -errno.
 */
int verdict_send(const struct config *c, struct nfqueue *q, struct packet_id id, uint32_t mark,
		 enum verdict verdict, const struct ctmark *decided);

#endif
