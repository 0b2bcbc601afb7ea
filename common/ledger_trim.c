/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Takes from the ledger what is beyond its limits. */
#include <errno.h>
#include <stdlib.h>

#include <sqlite3.h>

#include "db.h"
#include "ledger_columns.h"
#include "ledger_count.h"
#include "ledger_trim.h"

#define MOST 8192		/* connections of one step */
/* Rows of one step of a sweep. */
#define MARK_ROWS 4096
#define SWEEP_ROWS 1024
#define SWEEP_FROM_ROWS 1024	/* fewer are not worth a sweep */
#define SWEEP_PART 8
#define WINDOW (4 << 20)	/* texts of one sweep, a bit each */

enum phase { AT_REST, MARK_PROCESSES, MARK_CONNECTIONS, MARK_NAMES, SWEEP };

struct ledger_trim {
	sqlite3 *db;
	struct ledger_count *count;
	const struct ledger_forgetting *forgetting;
	void *arg;
	sqlite3_stmt *oldest, *remove, *remove_name, *remove_process, *remove_text;
	sqlite3_stmt *processes, *connections, *names, *texts;
	int64_t rows, committed_rows;	/* connections; -1: not counted yet */
	int64_t since_sweep;		/* connections that went */
	bool more;
	enum phase phase;
	int64_t at;			/* the sweep is behind this id of the phase's table */
	int64_t base, until;		/* texts from behind base up to until are looked for */
	uint8_t *mark;			/* a bit for each; NULL: no sweep goes on */
	/* Of the step under way: connections, or texts; and the processes of connections. */
	int64_t id[MOST], process[MOST];
};

int ledger_trim_new(sqlite3 *db, struct ledger_count *count,
		    const struct ledger_forgetting *forgetting, void *arg, struct ledger_trim **out)
{
	struct ledger_trim *t = calloc(1, sizeof(*t));
	int rc;

	if (!t)
		return -ENOMEM;
	t->db = db;
	t->count = count;
	t->forgetting = forgetting;
	t->arg = arg;
	t->rows = t->committed_rows = -1;
	*out = t;
	rc = db_prepare(db, "SELECT id, process FROM connection WHERE time < ? ORDER BY time"
			" LIMIT ?", &t->oldest);
	if (!rc)
		rc = db_prepare(db, "DELETE FROM connection WHERE id = ?", &t->remove);
	if (!rc)
		rc = db_prepare(db, "DELETE FROM dst_name WHERE connection = ?", &t->remove_name);
	if (!rc)
		rc = db_prepare(db, "DELETE FROM process WHERE id = ?1 AND NOT EXISTS"
				" (SELECT 1 FROM connection WHERE process = ?1)",
				&t->remove_process);
	if (!rc)
		rc = db_prepare(db, "DELETE FROM text WHERE id = ?", &t->remove_text);
	if (!rc)
		rc = db_prepare(db, "SELECT id" LEDGER_PROCESS_TEXTS " FROM process WHERE id > ?"
				" ORDER BY id LIMIT ?", &t->processes);
	if (!rc)
		rc = db_prepare(db, "SELECT id" LEDGER_CONNECTION_TEXTS " FROM connection"
				" WHERE id > ? ORDER BY id LIMIT ?", &t->connections);
	if (!rc)
		rc = db_prepare(db, "SELECT connection, name FROM dst_name WHERE connection > ?"
				" ORDER BY connection LIMIT ?", &t->names);
	if (!rc)
		rc = db_prepare(db, "SELECT id, text FROM text WHERE id > ? AND id <= ?"
				" ORDER BY id LIMIT ?", &t->texts);
	return rc;
}

/* The statements go with the database's others. */
void ledger_trim_free(struct ledger_trim *t)
{
	if (!t)
		return;
	free(t->mark);
	free(t);
}

void ledger_trim_uses(struct ledger_trim *t, int64_t text)
{
	int64_t n = text - t->base;

	if (t->mark && n > 0 && text <= t->until)
		t->mark[n >> 3] |= (uint8_t)(1 << (n & 7));
}

static bool is_used(const struct ledger_trim *t, int64_t text)
{
	int64_t n = text - t->base;

	return t->mark[n >> 3] >> (n & 7) & 1;
}

static void rest(struct ledger_trim *t)
{
	free(t->mark);
	t->mark = NULL;
	t->phase = AT_REST;
}

/* What one transaction marked or passed over may come back; a mark too many does no harm, a text
 * that was passed over waits for the next sweep. */
void ledger_trim_rollback(struct ledger_trim *t)
{
	t->rows = t->committed_rows;
}

void ledger_trim_committed(struct ledger_trim *t)
{
	t->committed_rows = t->rows;
}

/* Begins with the texts behind base; at rest where there are none. */
static int begin_sweep(struct ledger_trim *t, int64_t base)
{
	int64_t last = 0;
	int rc = db_number(t->db, "SELECT ifnull(max(id), 0) FROM text", &last);

	rest(t);
	if (rc || base >= last)
		return rc;
	t->base = base;
	t->until = last - base < WINDOW ? last : base + WINDOW - 1;
	t->mark = calloc(1, WINDOW / 8);
	if (!t->mark)
		return 0;		/* the next one may have memory */
	t->at = 0;
	t->phase = MARK_PROCESSES;
	return 0;
}

/* Marks what the next rows of a table name. */
static int mark_some(struct ledger_trim *t, sqlite3_stmt *rows, enum phase next)
{
	int columns = sqlite3_column_count(rows), count = 0, rc;

	sqlite3_bind_int64(rows, 1, t->at);
	sqlite3_bind_int(rows, 2, MARK_ROWS);
	while ((rc = sqlite3_step(rows)) == SQLITE_ROW) {
		for (int i = 1; i < columns; i++)
			ledger_trim_uses(t, sqlite3_column_int64(rows, i));
		t->at = sqlite3_column_int64(rows, 0);
		count++;
	}
	sqlite3_reset(rows);
	if (rc == SQLITE_DONE && count < MARK_ROWS) {
		t->phase = next;
		t->at = next == SWEEP ? t->base : 0;
	}
	return db_errno(rc);
}

static int run(sqlite3_stmt *stmt, int64_t id)
{
	sqlite3_bind_int64(stmt, 1, id);
	return db_run(stmt);
}

static int sweep_some(struct ledger_trim *t)
{
	int seen = 0, count = 0, rc;

	sqlite3_bind_int64(t->texts, 1, t->at);
	sqlite3_bind_int64(t->texts, 2, t->until);
	sqlite3_bind_int(t->texts, 3, SWEEP_ROWS);
	while ((rc = sqlite3_step(t->texts)) == SQLITE_ROW) {
		t->at = sqlite3_column_int64(t->texts, 0);
		seen++;
		if (is_used(t, t->at))
			continue;
		t->forgetting->text(t->arg, t->at, db_column_text(t->texts, 1));
		t->id[count++] = t->at;
	}
	sqlite3_reset(t->texts);
	rc = db_errno(rc);
	for (int i = 0; !rc && i < count; i++)
		rc = run(t->remove_text, t->id[i]);
	if (!rc && seen < SWEEP_ROWS)
		rc = begin_sweep(t, t->until);
	return rc;
}

static int sweep_step(struct ledger_trim *t)
{
	switch (t->phase) {
	case MARK_PROCESSES:
		return mark_some(t, t->processes, MARK_CONNECTIONS);
	case MARK_CONNECTIONS:
		return mark_some(t, t->connections, MARK_NAMES);
	case MARK_NAMES:
		return mark_some(t, t->names, SWEEP);
	case SWEEP:
		return sweep_some(t);
	case AT_REST:
		break;
	}
	return 0;
}

static int remove_connection(struct ledger_trim *t, int64_t id)
{
	struct ledger_counted was;
	bool found;
	int rc = ledger_count_find(t->count, id, &was, &found);

	if (!rc && found)
		rc = ledger_count_add(t->count, &was, -1);
	if (!rc)
		rc = run(t->remove_name, id);
	return rc ? rc : run(t->remove, id);
}

/* Removes the oldest connections before a time, and processes that had no other. */
static int remove_some(struct ledger_trim *t, int64_t before_us, int most, int64_t *removed)
{
	int count = 0, rc;

	sqlite3_bind_int64(t->oldest, 1, before_us);
	sqlite3_bind_int(t->oldest, 2, most < MOST ? most : MOST);
	while ((rc = sqlite3_step(t->oldest)) == SQLITE_ROW) {
		t->id[count] = sqlite3_column_int64(t->oldest, 0);
		t->process[count++] = sqlite3_column_int64(t->oldest, 1);
	}
	sqlite3_reset(t->oldest);
	rc = db_errno(rc);
	for (int i = 0; !rc && i < count; i++)
		rc = remove_connection(t, t->id[i]);
	/* Several in a row are often of one process. */
	for (int i = 0; !rc && i < count; i++) {
		if (!t->process[i] || (i + 1 < count && t->process[i + 1] == t->process[i]))
			continue;
		rc = run(t->remove_process, t->process[i]);
		if (rc || !sqlite3_changes(t->db))
			continue;
		ledger_count_processes(t->count, -1);
		t->forgetting->process(t->arg, t->process[i]);
	}
	*removed += rc ? 0 : count;
	return rc;
}

/* Begins a sweep after so many rows that it is worth going through all.  The numbers of rows have
 * gaps, but tell at once about how many there are. */
static int sweep_if_due(struct ledger_trim *t)
{
	int64_t about = 0;
	int rc;

	if (t->phase != AT_REST || t->since_sweep <= SWEEP_FROM_ROWS)
		return 0;
	rc = db_number(t->db, "SELECT ifnull((SELECT max(id) FROM connection)"
			      " - (SELECT min(id) FROM connection), 0)", &about);
	if (rc || t->since_sweep <= about / SWEEP_PART)
		return rc;
	t->since_sweep = 0;
	return begin_sweep(t, 0);
}

int ledger_trim_step(struct ledger_trim *t, const struct ledger_limits *limits, int64_t now_us,
		     int most, int64_t *removed)
{
	int64_t bytes = 0, excess;
	int rc = sweep_step(t);

	*removed = 0;
	if (!rc && limits->rows && t->rows < 0)
		rc = ledger_count_flush(t->count);
	if (!rc && limits->rows && t->rows < 0)
		rc = db_number(t->db, "SELECT ifnull(sum(count), 0) FROM total", &t->rows);
	if (!rc && limits->bytes)
		rc = db_used_bytes(t->db, &bytes);
	if (!rc && limits->age_us)
		rc = remove_some(t, now_us - limits->age_us, most, removed);
	excess = limits->rows ? t->rows - *removed - limits->rows : 0;
	if (!rc && excess > 0 && *removed < most)
		rc = remove_some(t, INT64_MAX, excess < most - *removed ? (int)excess :
				 most - (int)*removed, removed);
	/* Texts of rows that went take their room until they are swept. */
	if (!rc && limits->bytes && bytes > limits->bytes && t->phase == AT_REST && *removed < most)
		rc = remove_some(t, INT64_MAX, most - (int)*removed, removed);
	t->rows -= t->rows < 0 ? 0 : *removed;
	t->since_sweep += *removed;
	if (!rc)
		rc = sweep_if_due(t);
	t->more = t->phase != AT_REST || *removed >= (most < MOST ? most : MOST);
	return rc;
}

void ledger_trim_added(struct ledger_trim *t)
{
	t->rows += t->rows >= 0;
}

bool ledger_trim_goes_on(const struct ledger_trim *t)
{
	return t->more;
}
