/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A verdict, as the kernel is told. */
#include "config.h"
#include "nfqueue.h"
#include "verdict.h"

bool verdict_passes(const struct config *c, enum verdict verdict)
{
	return !c->enforce || verdict == VERDICT_ACCEPT;
}

int verdict_send(const struct config *c, struct nfqueue *q, struct packet_id id, uint32_t mark,
		 enum verdict verdict, const struct ctmark *decided)
{
	uint32_t mask = (uint32_t)c->mark, reject = mask & ~(mask & -mask);

	if (verdict_passes(c, verdict))
		return decided ? nfqueue_accept_decided(q, id, decided) : nfqueue_accept(q, id);
	if (verdict == VERDICT_REJECT)
		return nfqueue_accept_marked(q, id, (mark & ~mask) | reject);
	return nfqueue_drop(q, id);
}
