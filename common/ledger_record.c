/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rows of some stamps, as the ledger has them. */
#include <errno.h>
#include <stdlib.h>

#include <sqlite3.h>

#include "connection.h"
#include "db.h"
#include "ledger_record.h"

#define STAMPS 16	/* that are kept: more than hosts whose records come in turns */
/* The first packet of a row comes behind the call's entry, which is the record's time. */
#define PACKET_US "20000"

struct entry {
	uint64_t node, id;
	uint32_t serial;
};

struct rows {
	int64_t time_us;	/* 0: nothing is kept */
	struct entry *entry;
	size_t count, size;
};

struct ledger_records {
	sqlite3 *db;
	sqlite3_stmt *find;	/* NULL until the first question: who only writes has none */
	struct rows rows[STAMPS];
};

int ledger_records_new(struct sqlite3 *db, struct ledger_records **out)
{
	struct ledger_records *r = calloc(1, sizeof(*r));

	if (!r)
		return -ENOMEM;
	r->db = db;
	*out = r;
	return 0;
}

void ledger_records_free(struct ledger_records *r)
{
	if (!r)
		return;
	sqlite3_finalize(r->find);
	for (int i = 0; i < STAMPS; i++)
		free(r->rows[i].entry);
	free(r);
}

static struct rows *rows_of(struct ledger_records *r, int64_t time_us)
{
	return &r->rows[(uint64_t)time_us / 1000 % STAMPS];
}

static int add(struct rows *rows, uint64_t node, uint32_t serial, uint64_t id)
{
	if (rows->count == rows->size) {
		size_t size = rows->size ? 2 * rows->size : 64;
		struct entry *more = reallocarray(rows->entry, size, sizeof(*more));

		if (!more)
			return -ENOMEM;
		rows->entry = more;
		rows->size = size;
	}
	rows->entry[rows->count++] = (struct entry){ node, id, serial };
	return 0;
}

static int load(struct ledger_records *r, struct rows *rows, int64_t time_us)
{
	int rc = 0, step = SQLITE_DONE;

	if (!r->find)
		rc = db_prepare(r->db, "SELECT c.id, c.audit_serial, t.text FROM connection c"
				       " LEFT JOIN text t ON t.id = c.node WHERE c.time BETWEEN ?1"
				       " AND ?1 + " PACKET_US " AND c.audit_time = ?1", &r->find);
	if (rc)
		return rc;
	rows->time_us = 0;
	rows->count = 0;
	sqlite3_bind_int64(r->find, 1, time_us);
	while (!rc && (step = sqlite3_step(r->find)) == SQLITE_ROW)
		rc = add(rows, text_hash_of(db_column_text(r->find, 2)),
			 (uint32_t)sqlite3_column_int64(r->find, 1),
			 (uint64_t)sqlite3_column_int64(r->find, 0));
	sqlite3_reset(r->find);
	if (!rc)
		rc = db_errno(step);
	if (!rc)
		rows->time_us = time_us;
	return rc;
}

int ledger_records_find(struct ledger_records *r, struct text node, int64_t time_us,
			uint32_t serial, uint64_t *id)
{
	struct rows *rows = rows_of(r, time_us);
	uint64_t name = text_hash_of(node);
	int rc = rows->time_us == time_us ? 0 : load(r, rows, time_us);

	*id = 0;
	for (size_t i = 0; !rc && i < rows->count; i++)
		if (rows->entry[i].serial == serial && rows->entry[i].node == name)
			*id = rows->entry[i].id;
	return rc;
}

void ledger_records_added(struct ledger_records *r, const struct connection *c)
{
	struct rows *rows = rows_of(r, c->audit_us);

	if (c->audit_us <= 0 || rows->time_us != c->audit_us)
		return;
	/* Without room they are asked for again. */
	if (add(rows, text_hash_of(c->text[CONNECTION_NODE]), c->audit_serial, c->id))
		rows->time_us = 0;
}

void ledger_records_rollback(struct ledger_records *r)
{
	for (int i = 0; i < STAMPS; i++)
		r->rows[i].time_us = 0;
}
