/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Connections that were denied a moment ago. */
#include <string.h>

#include "denials.h"
#include "packet.h"

#define KEEP_NS 30000000000LL

void denials_add(struct denials *d, const struct connection *c, int64_t inode, int64_t now_ns,
		 enum verdict verdict)
{
	uint64_t tuple = packet_hash_tuple(c->protocol, &c->src, &c->dst);

	d->slot[tuple % DENIALS].tuple = tuple;
	d->slot[tuple % DENIALS].inode = inode;
	d->slot[tuple % DENIALS].until_ns = now_ns + KEEP_NS;
	d->slot[tuple % DENIALS].verdict = verdict;
}

enum verdict denials_find(const struct denials *d, const struct connection *c, int64_t inode,
			  int64_t now_ns)
{
	uint64_t tuple = packet_hash_tuple(c->protocol, &c->src, &c->dst), n = tuple % DENIALS;

	if (d->slot[n].tuple != tuple || d->slot[n].inode != inode || now_ns >= d->slot[n].until_ns)
		return 0;
	return d->slot[n].verdict;
}

void denials_forget(struct denials *d)
{
	memset(d, 0, sizeof(*d));
}
