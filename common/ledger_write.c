/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Changes to the ledger, in transactions. */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

#include "clock.h"
#include "db.h"
#include "failures.h"
#include "ledger.h"
#include "ledger_columns.h"
#include "ledger_count.h"
#include "ledger_intern.h"
#include "ledger_move.h"
#include "ledger_record.h"
#include "ledger_schema.h"
#include "ledger_trim.h"

#define MOVE_MOST 2048		/* rows of an older ledger in one transaction */

struct ledger_writer {
	int lock;			/* held for as long as the database is open */
	struct db_log log;
	sqlite3 *db;
	sqlite3_stmt *begin, *commit;
	sqlite3_stmt *add, *again, *confirm, *prove, *decide, *set_protocol, *set_flow;
	sqlite3_stmt *set_name, *forget_name, *set_position, *set_counter, *set_changes;
	uint64_t next_id;
	int64_t changes, committed_changes;	/* the number of the last one */
	struct ledger_count *count;
	struct ledger_move *move;
	struct ledger_trim *trim;
	struct ledger_intern *intern;
	struct ledger_records *records;
};

static int prepare_all(struct ledger_writer *w)
{
	const struct {
		sqlite3_stmt **stmt;
		const char *sql;
	} all[] = {
		{ &w->begin, "BEGIN IMMEDIATE"},
		{ &w->commit, "COMMIT"},
		{ &w->add, "INSERT INTO connection (id, time, direction, proto, src, sport, dst,"
			  " dport, process, node, evidence, certainty, reason, verdict, rule,"
			  " latency, audit_time, audit_serial, result, candidates, exe, changed)"
			  " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,"
			  " ?)"},
		{ &w->again, "UPDATE connection SET count = iif(?3 < 0, count + 1, max(count, ?3)),"
			    " result = ?1 WHERE id = ?2"},
		{ &w->confirm, "UPDATE connection SET process = iif(?9, process, ?2),"
			      " exe = iif(?9, exe, ?11), evidence = ?3, certainty = ?4,"
			      " reason = ?10, amended = max(amended, ?5), audit_time = ?6,"
			      " audit_serial = ?7, result = ?8, changed = ?12 WHERE id = ?1"},
		{ &w->prove, "UPDATE connection SET evidence = evidence | ?2, certainty = ?3,"
			    " changed = ?4 WHERE id = ?1"},
		{ &w->decide, "UPDATE connection SET proto = ?2, src = ?3, sport = ?4,"
			     " evidence = evidence | ?5, certainty = ?6,"
			     " verdict = ?7, rule = ?8, latency = ?9, changed = ?11,"
			     " direction = iif(?10, ?10, direction) WHERE id = ?1"},
		{ &w->set_protocol, "UPDATE connection SET proto = ?1, changed = ?2 WHERE id = ?3"
				   " AND proto IS NOT ?1"},
		{ &w->set_flow, "UPDATE connection SET packets = coalesce(?2, packets),"
				" bytes = coalesce(?3, bytes), end = coalesce(?4, end),"
				" changed = ?5 WHERE id = ?1"},
		{ &w->set_name, "INSERT OR REPLACE INTO dst_name VALUES (?, ?, ?, ?)"},
		{ &w->forget_name, "DELETE FROM dst_name WHERE connection = ?"},
		{ &w->set_position, "INSERT OR REPLACE INTO position VALUES (?, ?)"},
		{ &w->set_counter, "INSERT OR REPLACE INTO counter VALUES (?, ?)"},
		{ &w->set_changes, "UPDATE change SET last = ?"},
	};
	int rc = 0;

	for (size_t i = 0; !rc && i < sizeof(all) / sizeof(all[0]); i++)
		rc = db_prepare(w->db, all[i].sql, all[i].stmt);
	return rc;
}

int ledger_writer_open(const char *path, struct ledger_writer **out)
{
	struct ledger_writer *w = calloc(1, sizeof(*w));
	int64_t last = 0;
	int rc;

	if (!w)
		return -ENOMEM;
	w->lock = db_lock_writer(path);
	rc = w->lock < 0 ? w->lock : db_open_write(path, &ledger_schema, &w->db);
	/*
	 * A committed row may be lost with the power, but the file stays whole: and the position in
	 * the cache goes back with it.  A row is in indexes by destination, source and program,
	 * whose pages are written again and again unless there is room for them, and they are
	 * seldom copied from the log.  The room is part of the correlator's 16 MiB
	 * (tests/slow/memory).
	 */
	if (!rc)
		rc = db_exec(w->db, "PRAGMA synchronous = NORMAL; PRAGMA cache_size = -1152;"
				    "PRAGMA wal_autocheckpoint = 2000;"
				    "PRAGMA journal_size_limit = 16777216");
	if (!rc)
		rc = db_number(w->db, "SELECT ifnull(max(id), 0) FROM connection", &last);
	if (!rc)
		rc = db_number(w->db, "SELECT last FROM change", &w->changes);
	if (!rc)
		rc = ledger_count_new(w->db, &w->count);
	if (!rc)
		rc = ledger_move_new(w->db, &w->move);
	if (!rc)
		rc = ledger_intern_new(w->db, w->count, &w->intern);
	if (!rc)
		rc = ledger_trim_new(w->db, w->count, &ledger_intern_forgetting, w->intern,
				     &w->trim);
	if (!rc)
		rc = ledger_records_new(w->db, &w->records);
	if (!rc && (last < 0 || last > LEDGER_ID_MAX))
		rc = -EUCLEAN;
	if (!rc)
		rc = prepare_all(w);
	if (rc) {
		ledger_writer_close(w);
		return rc;
	}
	ledger_intern_tell(w->intern, w->trim);
	w->next_id = (uint64_t)last + 1;
	w->committed_changes = w->changes;
	w->log = db_log_of(path);
	*out = w;
	return 0;
}

int ledger_writer_take_room(struct ledger_writer *w)
{
	return db_exec(w->db, "PRAGMA cache_size = -32768");
}

void ledger_writer_close(struct ledger_writer *w)
{
	sqlite3_stmt *stmt;

	if (!w)
		return;
	ledger_records_free(w->records);
	ledger_trim_free(w->trim);
	ledger_intern_free(w->intern);
	ledger_move_free(w->move);
	ledger_count_free(w->count);
	while (w->db && (stmt = sqlite3_next_stmt(w->db, NULL)) != NULL)
		sqlite3_finalize(stmt);
	db_close_written(w->db, w->lock, w->log);
	free(w);
}

bool ledger_writer_moved(const struct ledger_writer *w)
{
	return db_moved(w->lock, sqlite3_db_filename(w->db, NULL));
}

int ledger_writer_begin(struct ledger_writer *w)
{
	return db_run(w->begin);
}

int ledger_writer_commit(struct ledger_writer *w)
{
	int rc = ledger_count_flush(w->count);

	if (!rc && w->changes != w->committed_changes) {
		sqlite3_bind_int64(w->set_changes, 1, w->changes);
		rc = db_run(w->set_changes);
	}
	if (!rc)
		rc = db_run(w->commit);
	if (rc)
		return rc;
	w->committed_changes = w->changes;
	ledger_trim_committed(w->trim);
	return 0;
}

void ledger_writer_rollback(struct ledger_writer *w)
{
	if (!sqlite3_get_autocommit(w->db))
		db_exec(w->db, "ROLLBACK");
	ledger_intern_rollback(w->intern);
	w->changes = w->committed_changes;
	ledger_count_rollback(w->count);
	ledger_move_rollback(w->move);
	ledger_trim_rollback(w->trim);
	ledger_records_rollback(w->records);
}

int ledger_writer_trim(struct ledger_writer *w, const struct ledger_limits *limits, int64_t now_us,
		       int most, int64_t *removed)
{
	*removed = 0;
	if (ledger_move_goes_on(w->move))
		return ledger_move_step(w->move, most < MOVE_MOST / 2 ? 2 * most : MOVE_MOST);
	return ledger_trim_step(w->trim, limits, now_us, most, removed);
}

int64_t ledger_writer_to_move(struct ledger_writer *w)
{
	int64_t rows = 0;

	if (ledger_move_goes_on(w->move))
		db_number(w->db, "SELECT " LEDGER_TO_MOVE, &rows);
	return rows;
}

bool ledger_writer_trims(const struct ledger_writer *w)
{
	return ledger_move_goes_on(w->move) || ledger_trim_goes_on(w->trim);
}

int ledger_writer_shrink(struct ledger_writer *w)
{
	return db_shrink(w->db);
}

/* Counts a row that was added. */
static int count(struct ledger_writer *w, const struct connection *c, int64_t exe, int64_t dst)
{
	const struct ledger_counted row = {
		.hour = c->time_us / LEDGER_HOUR_US, .exe = exe < 0 ? 0 : exe,
		.uid = c->process.pid < 0 ? -1 : c->process.uid, .dst = dst < 0 ? 0 : dst,
		.dport = c->dst.port, .verdict = c->verdict, .certainty = c->certainty,
		.direction = c->direction, .evidence = c->evidence,
	};

	return ledger_count_add(w->count, &row, 1);
}

/* Changes a row that readers may have seen, and gives it the next number, which stands in this
 * column. */
static int run_change(struct ledger_writer *w, sqlite3_stmt *stmt, int column)
{
	int rc;

	sqlite3_bind_int64(stmt, column, w->changes + 1);
	rc = db_run(stmt);
	w->changes += !rc && sqlite3_changes(w->db);
	return rc;
}

/* What dst is called; forget: where it has no name now, none of before stays. */
static int set_name(struct ledger_writer *w, const struct connection *c, bool forget)
{
	int64_t name;
	int rc;

	if (!c->text[CONNECTION_DST_NAME].data) {
		sqlite3_bind_int64(w->forget_name, 1, (sqlite3_int64)c->id);
		return forget ? db_run(w->forget_name) : 0;
	}
	rc = ledger_intern_text(w->intern, c->text[CONNECTION_DST_NAME], &name);
	if (rc)
		return rc;
	sqlite3_bind_int64(w->set_name, 1, (sqlite3_int64)c->id);
	sqlite3_bind_int64(w->set_name, 2, name);
	sqlite3_bind_int(w->set_name, 3, c->dst_name_by);
	sqlite3_bind_int(w->set_name, 4, c->dst_names);
	return db_run(w->set_name);
}

static int add(struct ledger_writer *w, const struct connection *c)
{
	int64_t src, dst, process, exe, node, reason, rule, candidates;
	sqlite3_stmt *s = w->add;
	int i = 1, rc = ledger_intern_address(w->intern, &c->src.addr, &src);

	if (!rc)
		rc = ledger_intern_address(w->intern, &c->dst.addr, &dst);
	if (!rc)
		rc = ledger_intern_text(w->intern, c->text[CONNECTION_NODE], &node);
	if (!rc)
		rc = ledger_intern_text(w->intern, c->text[CONNECTION_REASON], &reason);
	if (!rc)
		rc = ledger_intern_text(w->intern, c->text[CONNECTION_RULE], &rule);
	if (!rc)
		rc = ledger_intern_text(w->intern, c->text[CONNECTION_CANDIDATES], &candidates);
	if (!rc)
		rc = ledger_intern_process(w->intern, c, &process, &exe);
	if (rc)
		return rc;
	sqlite3_bind_int64(s, i++, (sqlite3_int64)c->id);
	sqlite3_bind_int64(s, i++, c->time_us);
	sqlite3_bind_int(s, i++, c->direction);
	db_bind_known(s, i++, c->protocol);
	db_bind_known(s, i++, src);
	db_bind_known(s, i++, c->src.port);
	db_bind_known(s, i++, dst);
	db_bind_known(s, i++, c->dst.port);
	db_bind_known(s, i++, process);
	db_bind_known(s, i++, node);
	sqlite3_bind_int(s, i++, (int)c->evidence);
	sqlite3_bind_int(s, i++, c->certainty);
	db_bind_known(s, i++, reason);
	sqlite3_bind_int(s, i++, c->verdict);
	db_bind_known(s, i++, rule);
	db_bind_known(s, i++, c->latency_us);
	db_bind_known(s, i++, c->audit_us);
	if (c->audit_us < 0)
		sqlite3_bind_null(s, i++);
	else
		sqlite3_bind_int64(s, i++, c->audit_serial);
	sqlite3_bind_int64(s, i++, c->result);
	db_bind_known(s, i++, candidates);
	db_bind_known(s, i++, exe);
	/* Who follows the numbers of rows may have gone past this one. */
	sqlite3_bind_null(s, i);
	rc = c->id < w->next_id ? run_change(w, s, i) : db_run(s);
	if (!rc)
		rc = count(w, c, exe, dst);
	if (!rc)
		ledger_trim_added(w->trim);
	if (!rc && c->id >= w->next_id)
		w->next_id = c->id + 1;
	if (!rc)
		ledger_records_added(w->records, c);
	return rc ? rc : set_name(w, c, false);
}

static int again(struct ledger_writer *w, const struct ledger_change *change)
{
	const struct connection *c = &change->connection;

	sqlite3_bind_int64(w->again, 1, c->result);
	sqlite3_bind_int64(w->again, 2, (sqlite3_int64)c->id);
	sqlite3_bind_int64(w->again, 3, change->count);
	return db_run(w->again);
}

static int confirm(struct ledger_writer *w, const struct ledger_change *change)
{
	const struct connection *c = &change->connection;
	bool described = change->described;
	sqlite3_stmt *s = w->confirm;
	int64_t process = -1, exe = -1, reason;
	int rc = described ? 0 : ledger_intern_process(w->intern, c, &process, &exe);

	if (!rc)
		rc = ledger_intern_text(w->intern, c->text[CONNECTION_REASON], &reason);
	if (rc)
		return rc;
	sqlite3_bind_int64(s, 1, (sqlite3_int64)c->id);
	db_bind_known(s, 2, process);
	sqlite3_bind_int(s, 3, (int)c->evidence);
	sqlite3_bind_int(s, 4, c->certainty);
	sqlite3_bind_int(s, 5, change->amended);
	sqlite3_bind_int64(s, 6, c->audit_us);
	sqlite3_bind_int64(s, 7, c->audit_serial);
	sqlite3_bind_int64(s, 8, c->result);
	sqlite3_bind_int(s, 9, described);
	db_bind_known(s, 10, reason);
	db_bind_known(s, 11, exe);
	return run_change(w, s, 12);
}

/* The row may have been dropped for want of room, or be in a file that was set aside: its record
 * has all that a row needs. */
static int confirm_or_add(struct ledger_writer *w, const struct ledger_change *change)
{
	int rc = confirm(w, change);

	if (rc)
		return rc;
	if (sqlite3_changes(w->db))
		return set_name(w, &change->connection, change->amended);
	FAILS(ROW_MISSING);
	return add(w, &change->connection);
}

static int prove(struct ledger_writer *w, const struct connection *c)
{
	sqlite3_bind_int64(w->prove, 1, (sqlite3_int64)c->id);
	sqlite3_bind_int64(w->prove, 2, c->evidence);
	sqlite3_bind_int64(w->prove, 3, c->certainty);
	return run_change(w, w->prove, 4);
}

static int decide(struct ledger_writer *w, const struct connection *c)
{
	sqlite3_stmt *s = w->decide;
	int64_t src, rule;
	int rc = ledger_intern_address(w->intern, &c->src.addr, &src);

	if (!rc)
		rc = ledger_intern_text(w->intern, c->text[CONNECTION_RULE], &rule);
	if (rc)
		return rc;
	sqlite3_bind_int64(s, 1, (sqlite3_int64)c->id);
	db_bind_known(s, 2, c->protocol);
	db_bind_known(s, 3, src);
	db_bind_known(s, 4, c->src.port);
	sqlite3_bind_int(s, 5, (int)c->evidence);
	sqlite3_bind_int(s, 6, c->certainty);
	sqlite3_bind_int(s, 7, c->verdict);
	db_bind_known(s, 8, rule);
	db_bind_known(s, 9, c->latency_us);
	/* Of a record alone it is not known that its packets are forwarded. */
	sqlite3_bind_int(s, 10, c->direction);
	rc = run_change(w, s, 11);
	return rc ? rc : set_name(w, c, false);
}

static int set_protocol(struct ledger_writer *w, const struct connection *c)
{
	sqlite3_bind_int(w->set_protocol, 1, c->protocol);
	sqlite3_bind_int64(w->set_protocol, 3, (sqlite3_int64)c->id);
	return run_change(w, w->set_protocol, 2);
}

static int set_flow(struct ledger_writer *w, const struct ledger_change *change)
{
	sqlite3_bind_int64(w->set_flow, 1, (sqlite3_int64)change->connection.id);
	db_bind_known(w->set_flow, 2, change->packets);
	db_bind_known(w->set_flow, 3, change->bytes);
	db_bind_known(w->set_flow, 4, change->end_us);
	return run_change(w, w->set_flow, 5);
}

static int known(struct ledger_writer *w, const struct connection *c)
{
	int64_t protocol = -1;
	bool found;
	int rc = ledger_intern_resume(w->intern, c, &found, &protocol);

	if (rc || !found || protocol >= 0 || c->protocol < 0)
		return rc;
	return set_protocol(w, c);
}

static int apply(struct ledger_writer *w, const struct ledger_change *change)
{
	switch (change->kind) {
	case CHANGE_ADD:
		return add(w, &change->connection);
	case CHANGE_AGAIN:
		return again(w, change);
	case CHANGE_KNOWN:
		return known(w, &change->connection);
	case CHANGE_PROTOCOL:
		return set_protocol(w, &change->connection);
	case CHANGE_CONFIRM:
		return confirm_or_add(w, change);
	case CHANGE_DECIDE:
		return decide(w, &change->connection);
	case CHANGE_PROVE:
		return prove(w, &change->connection);
	case CHANGE_FLOW:
		return set_flow(w, change);
	case CHANGE_NONE:
		break;
	}
	return 0;
}

int ledger_apply(struct ledger_writer *w, const struct ledger_change *change)
{
	enum change_kind kind = change->kind;
	int64_t id = (int64_t)change->connection.id;
	struct ledger_counted was, is;
	bool found = false;
	int rc = 0;

	/* A row that is new is counted when it is added. */
	if (kind != CHANGE_NONE && kind != CHANGE_ADD)
		rc = ledger_move_row(w->move, id);
	if (!rc && (kind == CHANGE_CONFIRM || kind == CHANGE_DECIDE || kind == CHANGE_PROVE))
		rc = ledger_count_find(w->count, id, &was, &found);
	if (!rc)
		rc = apply(w, change);
	if (!rc && found)
		rc = ledger_count_find(w->count, id, &is, &found);
	if (!rc && found)
		rc = ledger_count_amend(w->count, &was, &is);
	return rc;
}

int ledger_writer_find_record(struct ledger_writer *w, struct text node, int64_t time_us,
			      uint32_t serial, uint64_t *id)
{
	return ledger_records_find(w->records, node, time_us, serial, id);
}

int ledger_writer_set_position(struct ledger_writer *w, const char *generation, uint64_t seq)
{
	sqlite3_bind_text(w->set_position, 1, generation, -1, SQLITE_STATIC);
	sqlite3_bind_int64(w->set_position, 2, (sqlite3_int64)seq);
	return db_run(w->set_position);
}

int ledger_writer_set_counter(struct ledger_writer *w, const char *name, int64_t value)
{
	sqlite3_bind_text(w->set_counter, 1, name, -1, SQLITE_STATIC);
	sqlite3_bind_int64(w->set_counter, 2, value);
	return db_run(w->set_counter);
}

uint64_t ledger_writer_next_id(const struct ledger_writer *w)
{
	return w->next_id;
}

int ledger_writer_last_id(struct ledger_writer *w, int64_t *id)
{
	return db_number(w->db, "SELECT ifnull(max(id), 0) FROM connection", id);
}

static int read_number(sqlite3 *db, const char *sql, const char *name, int64_t *value)
{
	sqlite3_stmt *stmt;
	int rc = db_prepare(db, sql, &stmt);

	*value = 0;
	if (rc)
		return rc;
	sqlite3_bind_text(stmt, 1, name, -1, SQLITE_STATIC);
	rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW)
		*value = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return db_errno(rc);
}

uint64_t ledger_writer_position(struct ledger_writer *w, const char *generation)
{
	int64_t seq;

	return read_number(w->db, "SELECT seq FROM position WHERE epoch = ?", generation, &seq) ?
		       0 : (uint64_t)seq;
}

int ledger_writer_counter(struct ledger_writer *w, const char *name, int64_t *value)
{
	return read_number(w->db, "SELECT value FROM counter WHERE name = ?", name, value);
}
