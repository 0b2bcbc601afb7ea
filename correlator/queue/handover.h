/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_HANDOVER_H
#define SOCKLEDGER_HANDOVER_H

#include "nfqueue.h"

/*
 * The queues from one sockledgerd to the next, by way of the service manager, which keeps their
 * sockets meanwhile (notify.h): no packet is dropped by a restart, nor passes unseen.
 */
struct handover {
	struct nfqueue_kept kept[NFQUEUE_MAX];
	char name[NFQUEUE_MAX][64];
	int count;
};

/* What an earlier sockledgerd has left. */
void handover_take(struct handover *h);
/* It is in use, or is of no use: the manager forgets it, and our copies are closed. */
void handover_end(struct handover *h);
/* Leaves the queues to the next one.  0 also without a manager; else -errno: they are not kept. */
int handover_give(const struct nfqueue *q);

/* Names: "queue-NUMBER-LAST-GLUE-DROPPED-USERDROPPED".  False where it is none. */
bool handover_parse(const char *name, struct nfqueue_kept *k);
void handover_format(const struct nfqueue_kept *k, char *buf, size_t size);

#endif
