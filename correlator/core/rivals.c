/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Calls of several processes to one place: two rings, each with a hash by place over it.  The Nth
 * entry of a ring has the number N, from 1 on; a number so old that its place in the ring is
 * another's ends its chain.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "rivals.h"
#include "text.h"
#include "tuple.h"

#define CALLS 2048
#define ROWS 4096
/* From here on a number may be one of a namespace that any user may have made (/etc/subuid). */
#define SUBUIDS 100000

struct call {
	struct rival_call of;
	struct endpoint to;
	uint64_t older;
	int64_t last_us;	/* when the last of it and those before it in its chain returned */
};

struct row {
	struct endpoint to;
	uint64_t id, older;
	int64_t time_us, uid;
	int64_t last_us;	/* the latest time of it and those before it in its chain */
	int64_t latest_us;	/* and of all before it */
	int64_t told;		/* the first process that was shown for it; -1: none */
	bool told_two;		/* so whoever it names, another one's call is known */
};

struct rivals {
	uint64_t calls, rows;	/* so many have come */
	uint64_t newest_call[CALLS], newest_row[ROWS];
	struct call call[CALLS];
	struct row row[ROWS];
};

struct rivals *rivals_new(void)
{
	return calloc(1, sizeof(struct rivals));
}

void rivals_free(struct rivals *r)
{
	free(r);
}

/* A call to no address goes to one of the host's own: to that which the socket is bound to, or to
 * the loopback's (ip_route_output_key_hash_rcu(), tcp_v6_connect()). */
static bool is_to_any(const struct endpoint *to)
{
	static const uint8_t any[sizeof(to->addr.bytes)];

	return !memcmp(to->addr.bytes, any, sizeof(any));
}

static uint32_t hash_of(const uint8_t bytes[16], int32_t port)
{
	uint64_t h = text_hash(TEXT_HASH_SEED, bytes, 16);

	return (uint32_t)text_hash(h, &port, sizeof(port));
}

static uint32_t place_of(const struct endpoint *to)
{
	return hash_of(to->addr.bytes, to->port);
}

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static bool may_lead_to(const struct endpoint *call, const struct endpoint *packet)
{
	return call->port == packet->port &&
	       (address_equal(&call->addr, &packet->addr) || is_to_any(call));
}

/* NULL: the chain ends. */
static struct row *row_at(struct rivals *r, uint64_t n)
{
	return n && r->rows - n < ROWS ? &r->row[n % ROWS] : NULL;
}

static const struct call *call_at(const struct rivals *r, uint64_t n)
{
	return n && r->calls - n < CALLS ? &r->call[n % CALLS] : NULL;
}

/* The process may hold a socket of that user's.  What a login's processes open in namespaces has
 * numbers of its own, and the login's user stays. */
static bool may_hold(const struct rival_call *call, int64_t uid)
{
	return uid < 0 || uid >= SUBUIDS || call->uid == uid || call->auid == uid;
}

static bool is_new_to(struct row *k, int64_t pid)
{
	if (k->told_two || k->told == pid)
		return false;
	k->told_two = k->told >= 0;
	k->told = pid;
	return true;
}

static void look_at_row(struct row *k, const struct endpoint *to, const struct rival_call *call,
			void (*each)(uint64_t row, void *arg), void *arg)
{
	if (may_lead_to(to, &k->to) && k->time_us >= call->entry_us && may_hold(call, k->uid) &&
	    is_new_to(k, call->pid))
		each(k->id, arg);
}

void rivals_call(struct rivals *r, const struct endpoint *to, const struct rival_call *call,
		 void (*each)(uint64_t row, void *arg), void *arg)
{
	uint64_t *newest = &r->newest_call[place_of(to) % CALLS], n = ++r->calls;
	const struct call *older = call_at(r, *newest);
	struct row *k;

	r->call[n % CALLS] = (struct call){
		.of = *call, .to = *to, .older = *newest,
		.last_us = older ? later(older->last_us, call->returned_us) : call->returned_us,
	};
	*newest = n;
	if (is_to_any(to)) {
		for (n = r->rows; (k = row_at(r, n)) && k->latest_us >= call->entry_us; n--)
			look_at_row(k, to, call, each, arg);
		return;
	}
	n = r->newest_row[place_of(to) % ROWS];
	for (; (k = row_at(r, n)) != NULL && k->last_us >= call->entry_us; n = k->older)
		look_at_row(k, to, call, each, arg);
}

static void look_at_calls(const struct rivals *r, uint32_t place, const struct endpoint *to,
			  int64_t since_us, int64_t uid, void (*each)(int64_t pid, void *arg),
			  void *arg)
{
	uint64_t n = r->newest_call[place % CALLS];
	const struct call *k;

	for (; (k = call_at(r, n)) != NULL && k->last_us >= since_us; n = k->older)
		if (may_lead_to(&k->to, to) && k->of.returned_us >= since_us &&
		    may_hold(&k->of, uid))
			each(k->of.pid, arg);
}

void rivals_so_far(const struct rivals *r, const struct endpoint *to, int64_t since_us,
		   int64_t uid, void (*each)(int64_t pid, void *arg), void *arg)
{
	static const uint8_t any[16];

	look_at_calls(r, place_of(to), to, since_us, uid, each, arg);
	if (!is_to_any(to))
		look_at_calls(r, hash_of(any, to->port), to, since_us, uid, each, arg);
}

void rivals_row(struct rivals *r, const struct endpoint *to, uint64_t row, int64_t time_us,
		int64_t uid)
{
	uint64_t *newest = &r->newest_row[place_of(to) % ROWS], n = ++r->rows;
	const struct row *older = row_at(r, *newest), *last = row_at(r, n - 1);
	int64_t latest_us = last ? later(last->latest_us, time_us) : time_us;

	r->row[n % ROWS] = (struct row){
		.id = row, .to = *to, .older = *newest, .time_us = time_us, .uid = uid, .told = -1,
		.last_us = older ? later(older->last_us, time_us) : time_us,
		.latest_us = latest_us,
	};
	*newest = n;
}
