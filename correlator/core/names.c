/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of addresses, and who looked them up. */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "dns.h"
#include "failures.h"
#include "names.h"
#include "shares.h"
#include "slots.h"

/* A few of each: small in memory, and more than one host asks within a day. */
#ifndef NAMES_MAX
#define NAMES_MAX 8192
#endif
#define QUESTIONS_MAX 1024
#define ROWS_MAX 2048
/* Programs ask again after five seconds, and take no answer to the first question then. */
#define ANSWER_NS 10000000000LL
/* Names of one address that are told apart. */
#define DISTINCT_MAX 64

_Static_assert(DNS_NAME_MAX == CONNECTION_NAME_BYTES + 1, "a name is kept whole, or not at all");

struct asker {
	uint64_t row;			/* 0: not known, and no process is */
	int64_t pid, start_ticks, uid;
	bool certain;			/* it is that process, and no other */
};

struct question {
	struct endpoint local, server;
	uint16_t id, type;
	struct name_asker asker;
	int64_t time_ns;
	char name[DNS_NAME_MAX];
};

struct name {
	struct address addr;
	struct asker by;
	int64_t seen_ns, until_ns;
	uint64_t hash;			/* of the name */
	char name[DNS_NAME_MAX];
};

struct names {
	uint64_t seed;
	struct slots *row_slots, *question_slots, *name_slots;
	struct asker row[ROWS_MAX];
	struct question question[QUESTIONS_MAX];
	struct name name[NAMES_MAX];
	uint64_t row_of[NAMES_MAX];	/* of who looked up each name: apart, to be run through */
};

struct names *names_new(uint64_t seed)
{
	struct names *n = calloc(1, sizeof(*n));

	if (!n)
		return NULL;
	n->seed = text_hash(TEXT_HASH_SEED, &seed, sizeof(seed));
	n->row_slots = slots_new(ROWS_MAX);
	n->question_slots = slots_new(QUESTIONS_MAX);
	n->name_slots = slots_new(NAMES_MAX);
	if (n->row_slots && n->question_slots && n->name_slots)
		return n;
	names_free(n);
	return NULL;
}

void names_free(struct names *n)
{
	if (!n)
		return;
	slots_free(n->row_slots);
	slots_free(n->question_slots);
	slots_free(n->name_slots);
	free(n);
}

static uint64_t hash(const struct names *n, const void *data, size_t len)
{
	return text_hash(n->seed, data, len);
}

static uint64_t hash_address(const struct names *n, const struct address *a)
{
	return text_hash(hash(n, &a->family, sizeof(a->family)), a->bytes, sizeof(a->bytes));
}

static struct asker *find_row(struct names *n, uint64_t row)
{
	uint32_t at = slots_first(n->row_slots, hash(n, &row, sizeof(row)));

	while (at != SLOT_NONE && n->row[at].row != row)
		at = slots_next(n->row_slots, at);
	return at == SLOT_NONE ? NULL : &n->row[at];
}

/* The names that were looked up by a row's process are another's, or surer, by now. */
static void pass_on(struct names *n, const struct asker *by)
{
	for (uint32_t at = 0; at < NAMES_MAX; at++)
		if (n->row_of[at] == by->row)
			n->name[at].by = *by;
}

void names_row(struct names *n, const struct connection *c, int64_t uid)
{
	struct asker *known, by = {
		.row = c->id, .pid = c->process.pid, .start_ticks = c->process.start_ticks,
		.uid = uid, .certain = c->certainty == CERTAINTY_CERTAIN,
	};

	known = n ? find_row(n, c->id) : NULL;
	if (!n || (!known && (c->protocol != IPPROTO_UDP || c->direction != DIRECTION_OUT ||
			      c->dst.port != DNS_PORT)))
		return;
	if (!known) {
		n->row[slots_add(n->row_slots, hash(n, &by.row, sizeof(by.row)), uid)] = by;
		return;
	}
	if (known->pid == by.pid && known->start_ticks == by.start_ticks &&
	    known->certain == by.certain)
		return;
	*known = by;
	pass_on(n, known);
}

void names_proven(struct names *n, uint64_t row, enum certainty certainty)
{
	struct asker *known = n ? find_row(n, row) : NULL;
	bool certain = certainty == CERTAINTY_CERTAIN;

	if (!known || known->certain == certain)
		return;
	known->certain = certain;
	pass_on(n, known);
}

static uint64_t hash_question(const struct names *n, const struct endpoint *local,
			      const struct endpoint *server, const struct dns_message *m)
{
	uint64_t h = hash_address(n, &local->addr);

	h = text_hash(h, &local->port, sizeof(local->port));
	h = text_hash(h, &server->addr, sizeof(server->addr));
	h = text_hash(h, &m->id, sizeof(m->id));
	/* Or whoever asks for many names with one number makes one long chain of them. */
	h = text_hash(h, &m->type, sizeof(m->type));
	return text_hash(h, m->name, strlen(m->name));
}

/* The question that waits with that number, name and type; SLOT_NONE: there is none. */
static uint32_t find_question(const struct names *n, const struct endpoint *local,
			      const struct endpoint *server, const struct dns_message *m)
{
	uint32_t at = slots_first(n->question_slots, hash_question(n, local, server, m));

	for (; at != SLOT_NONE; at = slots_next(n->question_slots, at)) {
		const struct question *q = &n->question[at];

		if (q->id == m->id && q->type == m->type && endpoint_equal(&q->local, local) &&
		    endpoint_equal(&q->server, server) && !strcmp(q->name, m->name))
			break;
	}
	return at;
}

void names_question(struct names *n, const struct endpoint *local, const struct endpoint *server,
		    const struct name_asker *asker, const struct dns_message *m, int64_t now_ns)
{
	uint32_t at = find_question(n, local, server, m);
	struct question *q;

	if (m->answer)
		return;
	/* Asked again, maybe by another socket that has the port by now. */
	if (at != SLOT_NONE)
		slots_remove(n->question_slots, at);
	at = slots_add(n->question_slots, hash_question(n, local, server, m), asker->uid);
	q = &n->question[at];
	q->local = *local;
	q->server = *server;
	q->id = m->id;
	q->type = m->type;
	q->asker = *asker;
	q->time_ns = now_ns;
	memcpy(q->name, m->name, sizeof(q->name));
}

/* Never names loopback, or what is no address of one host: a name that is told to be there would
 * be one of everything that is. */
static bool can_have_name(const struct address *a)
{
	static const uint8_t loopback[16] = { [15] = 1 }, none[16];

	if (a->family == AF_INET)
		return a->bytes[0] != 0 && a->bytes[0] != 127 && a->bytes[0] < 224;
	return memcmp(a->bytes, loopback, 16) != 0 && memcmp(a->bytes, none, 16) != 0 &&
	       a->bytes[0] != 0xff;
}

static bool same_asker(const struct asker *a, const struct asker *b)
{
	return a->pid == b->pid && a->start_ticks == b->start_ticks && a->uid == b->uid;
}

/* Where the address has that name by that process already; else, where that user has as many names
 * there as it may, the oldest of them goes, and SLOT_NONE comes back. */
static uint32_t find_place(struct names *n, uint64_t hashed, const struct address *addr,
			   const struct asker *by, const char *name)
{
	uint32_t at = slots_first(n->name_slots, hashed), oldest = SLOT_NONE;
	int64_t user = share_user(by->uid);
	int count = 0;

	for (; at != SLOT_NONE; at = slots_next(n->name_slots, at)) {
		const struct name *k = &n->name[at];

		if (!address_equal(&k->addr, addr) || share_user(k->by.uid) != user)
			continue;
		if (same_asker(&k->by, by) && !strcmp(k->name, name))
			return at;
		count++;
		if (oldest == SLOT_NONE || k->seen_ns < n->name[oldest].seen_ns)
			oldest = at;
	}
	if (count >= NAMES_AT_MOST)
		slots_remove(n->name_slots, oldest);
	return SLOT_NONE;
}

static void keep(struct names *n, const struct dns_address *a, const struct asker *by,
		 const char *name, int64_t now_ns)
{
	int64_t keep_ns = (int64_t)a->ttl_s * 1000000000LL;
	uint64_t hashed = hash_address(n, &a->addr);
	uint32_t at = find_place(n, hashed, &a->addr, by, name);
	struct name *k;

	FAILS(NAMES_MANY);
	if (at == SLOT_NONE)
		at = slots_add(n->name_slots, hashed, by->uid);
	else
		slots_renew(n->name_slots, at);
	if (keep_ns < NAMES_SHORTEST_NS)
		keep_ns = NAMES_SHORTEST_NS;
	if (keep_ns > NAMES_LONGEST_NS)
		keep_ns = NAMES_LONGEST_NS;
	k = &n->name[at];
	k->addr = a->addr;
	k->by = *by;
	n->row_of[at] = by->row;
	k->seen_ns = now_ns;
	k->until_ns = now_ns + keep_ns;
	k->hash = text_identity(text_of(name));
	memcpy(k->name, name, strlen(name) + 1);
}

bool names_answer(struct names *n, const struct endpoint *local, const struct endpoint *server,
		  const struct dns_message *m, int64_t now_ns)
{
	uint32_t at = m->answer ? find_question(n, local, server, m) : SLOT_NONE;
	const struct question *q;
	const struct asker *known;
	struct asker by = { .pid = -1, .start_ticks = -1 };
	bool late;

	if (at == SLOT_NONE)
		return false;
	q = &n->question[at];
	known = q->asker.row ? find_row(n, q->asker.row) : NULL;
	by.uid = q->asker.uid;
	late = now_ns - q->time_ns > ANSWER_NS;
	slots_remove(n->question_slots, at);
	if (known)
		by = *known;
	for (int i = 0; i < m->count && !late; i++)
		if (can_have_name(&m->found[i].addr))
			keep(n, &m->found[i], &by, m->name, now_ns);
	return !late;
}

/* Whose look-up it was, for this process or user. */
static enum name_by by_whom(const struct asker *by, const struct process *p, int64_t uid)
{
	if (by->certain && by->pid >= 0 && by->pid == p->pid && by->start_ticks >= 0 &&
	    by->start_ticks == p->start_ticks)
		return NAME_BY_PROCESS;
	return by->uid >= 0 && by->uid == uid ? NAME_BY_USER : NAME_BY_HOST;
}

/* The nearest to the process; of equally near ones the newest. */
static bool is_better(const struct name *k, enum name_by by, const struct name *best,
		      enum name_by best_by)
{
	return !best || by < best_by || (by == best_by && k->seen_ns > best->seen_ns);
}

void names_find(const struct names *n, struct connection *c, int64_t uid, int64_t now_ns)
{
	uint32_t at = n && c->direction == DIRECTION_OUT ?
			      slots_first(n->name_slots, hash_address(n, &c->dst.addr)) : SLOT_NONE;
	const struct name *best = NULL;
	enum name_by best_by = NAME_BY_NOBODY;
	uint64_t distinct[DISTINCT_MAX];
	int count = 0;

	for (; at != SLOT_NONE; at = slots_next(n->name_slots, at)) {
		const struct name *k = &n->name[at];
		enum name_by by;
		int i = 0;

		if (!address_equal(&k->addr, &c->dst.addr) || k->until_ns < now_ns)
			continue;
		by = by_whom(&k->by, &c->process, uid);
		if (is_better(k, by, best, best_by)) {
			best = k;
			best_by = by;
		}
		while (i < count && distinct[i] != k->hash)
			i++;
		if (i == count && count < DISTINCT_MAX)
			distinct[count++] = k->hash;
	}
	c->text[CONNECTION_DST_NAME] = best ? text_of(best->name) : TEXT_NONE;
	c->dst_name_by = best_by;
	c->dst_names = count;
}

int64_t names_evicted(const struct names *n)
{
	return slots_evicted(n->name_slots);
}
