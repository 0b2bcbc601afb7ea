/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Connections that a packet told of and whose audit record has not come yet. */
#include <stdlib.h>

#include "clock.h"
#include "flows.h"

#define FLOWS 4096
/* A record's time is the call's entry by a clock of 4 to 10 ms steps; its packet comes after that,
 * at once on an idle machine, later where the process had to wait for a processor. */
#define BEFORE_US 12000
#define AFTER_US (2 * TIME_US_PER_S)

struct flows {
	struct flow flow[FLOWS];
	unsigned int next;
	unsigned int open;	/* how many are */
};

struct flows *flows_new(void)
{
	return calloc(1, sizeof(struct flows));
}

void flows_free(struct flows *f)
{
	free(f);
}

void flows_add(struct flows *f, const struct flow *flow)
{
	struct flow *slot = &f->flow[f->next++ % FLOWS];

	f->open -= slot->open;
	*slot = *flow;
	f->open += slot->open;
}

/* 3: its socket; 2: its process; 1: it may be; 0: it is not. */
static int fit(const struct flow *f, const struct event *e, int protocol, const struct endpoint *dst)
{
	int64_t after = f->time_us - e->time_us;

	if (!f->open || f->peer.port != dst->port || (protocol >= 0 && f->protocol != protocol) ||
	    !address_equal(&f->peer.addr, &dst->addr))
		return 0;
	if (after < -BEFORE_US || after > AFTER_US)
		return 0;
	if (f->inode > 0 && e->inode > 0)
		return f->inode == e->inode ? 3 : 0;
	/* A socket that is held by a parent may be used by its child. */
	if (f->pid >= 0)
		return f->pid == e->pid ? 2 : f->pid == e->ppid ? 1 : 0;
	return f->uid < 0 || f->uid == e->uid || f->uid == e->euid || f->uid == e->fsuid;
}

struct flow *flows_match(struct flows *f, const struct event *e, int protocol,
			 const struct endpoint *dst)
{
	struct flow *best = NULL;
	int best_fit = 0;

	/* From the oldest on: of those alike the first record is the first packet's. */
	for (unsigned int i = 0; f->open && i < FLOWS && best_fit < 3; i++) {
		struct flow *flow = &f->flow[(f->next + i) % FLOWS];
		int how = fit(flow, e, protocol, dst);

		if (how <= best_fit)
			continue;
		best = flow;
		best_fit = how;
	}
	if (best) {
		best->open = false;
		f->open--;
	}
	return best;
}

void flows_close(struct flows *f, uint64_t id)
{
	/* From the newest on: that is where it is. */
	for (unsigned int i = 1; f->open && i <= FLOWS; i++) {
		struct flow *flow = &f->flow[(f->next - i) % FLOWS];

		if (flow->id != id || !flow->open)
			continue;
		flow->open = false;
		f->open--;
		return;
	}
}

struct flow *flows_take(struct flows *f, int protocol, const struct endpoint *dst, int64_t uid,
			int64_t time_us)
{
	for (unsigned int i = 0; f->open && i < FLOWS; i++) {
		struct flow *flow = &f->flow[(f->next + i) % FLOWS];
		int64_t after = time_us - flow->time_us;

		if (!flow->open || flow->peer.port != dst->port ||
		    (flow->protocol >= 0 && flow->protocol != protocol) ||
		    !address_equal(&flow->peer.addr, &dst->addr) ||
		    (uid >= 0 && flow->uid >= 0 && uid != flow->uid) || after < -BEFORE_US ||
		    after > AFTER_US)
			continue;
		flow->open = false;
		f->open--;
		return flow;
	}
	return NULL;
}
