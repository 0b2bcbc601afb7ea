/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Counts of the ledger's rows. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "db.h"
#include "ledger_count.h"
#include "ledger_schema.h"
#include "text.h"

#define TALLY_SLOTS 1024
#define TOTAL_SLOTS 64

enum { TALLY_KEYS = 7, TOTAL_KEYS = 4 };

/* Of a key in a slot: what is not in the database yet. */
struct slot {
	int64_t key[TALLY_KEYS];
	int64_t more;		/* 0: the slot is free */
};

struct table {
	int keys, slots;
	sqlite3_stmt *add, *tidy;
	struct slot *slot;
};

struct ledger_count {
	sqlite3_stmt *find, *add_processes;
	int64_t processes;	/* more than the database has */
	struct table tally, total;
	struct slot tally_slots[TALLY_SLOTS], total_slots[TOTAL_SLOTS];
};

int ledger_count_new(sqlite3 *db, struct ledger_count **out)
{
	struct ledger_count *c = calloc(1, sizeof(*c));
	int rc;

	if (!c)
		return -ENOMEM;
	*out = c;
	c->tally = (struct table){ TALLY_KEYS, TALLY_SLOTS, .slot = c->tally_slots };
	c->total = (struct table){ TOTAL_KEYS, TOTAL_SLOTS, .slot = c->total_slots };
	rc = db_prepare(db, "SELECT " LEDGER_TALLY_KEY ", c.direction, c.evidence FROM connection c"
			" LEFT JOIN process p ON p.id = c.process WHERE c.id = ?", &c->find);
	if (!rc)
		rc = db_prepare(db, "INSERT INTO tally VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT"
				" DO UPDATE SET count = count + excluded.count", &c->tally.add);
	if (!rc)
		rc = db_prepare(db, "DELETE FROM tally WHERE hour = ? AND exe = ? AND uid = ?"
				" AND dst = ? AND dport = ? AND verdict = ? AND certainty = ?"
				" AND count <= 0", &c->tally.tidy);
	if (!rc)
		rc = db_prepare(db, "INSERT INTO total VALUES (?, ?, ?, ?, ?) ON CONFLICT"
				" DO UPDATE SET count = count + excluded.count", &c->total.add);
	if (!rc)
		rc = db_prepare(db, "DELETE FROM total WHERE direction = ? AND verdict = ?"
				" AND certainty = ? AND evidence = ? AND count <= 0",
				&c->total.tidy);
	if (!rc)
		rc = db_prepare(db, "UPDATE amount SET count = count + ? WHERE name = 'processes'",
				&c->add_processes);
	return rc;
}

/* The statements go with the database's others. */
void ledger_count_free(struct ledger_count *c)
{
	free(c);
}

static int run(sqlite3_stmt *stmt, const int64_t *key, int keys)
{
	for (int i = 0; i < keys; i++)
		sqlite3_bind_int64(stmt, i + 1, key[i]);
	return db_run(stmt);
}

static int flush_slot(const struct table *t, struct slot *s)
{
	int rc;

	if (!s->more)
		return 0;
	sqlite3_bind_int64(t->add, t->keys + 1, s->more);
	rc = run(t->add, s->key, t->keys);
	if (!rc && s->more < 0)
		rc = run(t->tidy, s->key, t->keys);
	if (!rc)
		s->more = 0;
	return rc;
}

static int add(const struct table *t, const int64_t *key, int64_t rows)
{
	size_t bytes = (size_t)t->keys * sizeof(*key);
	struct slot *s = &t->slot[text_hash(TEXT_HASH_SEED, key, bytes) % (size_t)t->slots];
	int rc = memcmp(s->key, key, bytes) ? flush_slot(t, s) : 0;

	if (rc)
		return rc;
	memcpy(s->key, key, bytes);
	s->more += rows;
	return 0;
}

int ledger_count_add(struct ledger_count *c, const struct ledger_counted *r, int64_t rows)
{
	const int64_t tally[TALLY_KEYS] = { r->hour, r->exe, r->uid, r->dst, r->dport, r->verdict,
					    r->certainty };
	const int64_t total[TOTAL_KEYS] = { r->direction, r->verdict, r->certainty, r->evidence };
	int rc = add(&c->tally, tally, rows);

	return rc ? rc : add(&c->total, total, rows);
}

void ledger_count_processes(struct ledger_count *c, int64_t rows)
{
	c->processes += rows;
}

int ledger_count_find(struct ledger_count *c, int64_t id, struct ledger_counted *row, bool *found)
{
	int64_t *const to[] = { &row->hour, &row->exe, &row->uid, &row->dst, &row->dport,
				&row->verdict, &row->certainty, &row->direction, &row->evidence };
	int rc;

	sqlite3_bind_int64(c->find, 1, id);
	rc = sqlite3_step(c->find);
	*found = rc == SQLITE_ROW;
	for (int i = 0; *found && i < (int)(sizeof(to) / sizeof(to[0])); i++)
		*to[i] = sqlite3_column_int64(c->find, i);
	sqlite3_reset(c->find);
	return db_errno(rc);
}

int ledger_count_amend(struct ledger_count *c, const struct ledger_counted *was,
		       const struct ledger_counted *is)
{
	int rc;

	if (!memcmp(was, is, sizeof(*was)))
		return 0;
	rc = ledger_count_add(c, was, -1);
	return rc ? rc : ledger_count_add(c, is, 1);
}

static int flush(const struct table *t)
{
	int rc = 0;

	for (int i = 0; !rc && i < t->slots; i++)
		rc = flush_slot(t, &t->slot[i]);
	return rc;
}

int ledger_count_flush(struct ledger_count *c)
{
	int rc = flush(&c->tally);

	if (!rc)
		rc = flush(&c->total);
	if (!rc && c->processes)
		rc = run(c->add_processes, &c->processes, 1);
	if (!rc)
		c->processes = 0;
	return rc;
}

void ledger_count_rollback(struct ledger_count *c)
{
	c->processes = 0;
	for (int i = 0; i < TALLY_SLOTS; i++)
		c->tally_slots[i].more = 0;
	for (int i = 0; i < TOTAL_SLOTS; i++)
		c->total_slots[i].more = 0;
}
