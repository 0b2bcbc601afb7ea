/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The queues from one sockledgerd to the next. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "handover.h"
#include "notify.h"

#define FORMAT "queue-%u-%" PRIu32 "-%d-%" PRId64 "-%" PRId64

void handover_format(const struct nfqueue_kept *k, char *buf, size_t size)
{
	snprintf(buf, size, FORMAT, k->number, k->last_id, k->glue, k->dropped, k->user_dropped);
}

bool handover_parse(const char *name, struct nfqueue_kept *k)
{
	struct nfqueue_kept read = { .fd = -1 };
	unsigned int number;
	char again[64];
	int glue;

	if (sscanf(name, "queue-%u-%" SCNu32 "-%d-%" SCNd64 "-%" SCNd64, &number, &read.last_id,
		   &glue, &read.dropped, &read.user_dropped) != 5 ||
	    number > UINT16_MAX)
		return false;
	read.number = (uint16_t)number;
	read.glue = glue == 1;
	/* Nothing else is ours: sscanf() takes more than handover_format() writes. */
	handover_format(&read, again, sizeof(again));
	if (strcmp(name, again) != 0)
		return false;
	*k = read;
	return true;
}

static bool on_kept(const char *name, int fd, void *arg)
{
	struct handover *h = arg;

	if (h->count == NFQUEUE_MAX || !handover_parse(name, &h->kept[h->count]))
		return false;
	h->kept[h->count].fd = fd;
	snprintf(h->name[h->count], sizeof(h->name[0]), "%s", name);
	h->count++;
	return true;
}

void handover_take(struct handover *h)
{
	h->count = 0;
	notify_kept(on_kept, h);
}

void handover_end(struct handover *h)
{
	for (int i = 0; i < h->count; i++) {
		close(h->kept[i].fd);
		/* Kept for ever the queue would stay bound when nobody reads it any more. */
		(void)notify_leave(h->name[i]);
	}
	h->count = 0;
}

static void give(const struct nfqueue_kept *k, void *arg)
{
	char name[64];
	int rc;

	handover_format(k, name, sizeof(name));
	rc = notify_keep(name, k->fd);
	if (rc)
		*(int *)arg = rc;
}

int handover_give(const struct nfqueue *q)
{
	int rc = 0;

	if (notify_has_manager())
		nfqueue_each_kept(q, give, &rc);
	return rc;
}
