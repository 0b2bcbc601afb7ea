/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "clock.h"
#include "db.h"
#include "ledger_columns.h"
#include "ledger_count.h"
#include "ledger_intern.h"
#include "ledger_schema.h"
#include "ledger_trim.h"

/* The columns of a process behind id and start, which do not tell one from another. */
#define NONE(field)
#define PROCESS_COLUMNS                                                                          \
	PROCESS_EACH_NUMBER(LEDGER_COLUMN) LEDGER_PROCESS_TEXTS
#define ONE_MORE(...) ", ?"
#define PROCESS_PARAMETERS                                                                       \
	PROCESS_EACH_NUMBER(ONE_MORE) PROCESS_EACH_TEXT(ONE_MORE, NONE)                          \
	LEDGER_EACH_OTHER_TEXT(ONE_MORE)
#define ONE(...) + 1
enum { P_COLUMNS = PROCESS_NUMBERS PROCESS_EACH_TEXT(ONE, NONE) LEDGER_EACH_OTHER_TEXT(ONE) };
/* Where each text stands among them: P_exe. */
#define COLUMN_OF(field) P_##field,
enum { P_BEFORE = PROCESS_NUMBERS - 1, PROCESS_EACH_TEXT(COLUMN_OF, NONE) };

#define TEXT_SLOTS 2048
#define TEXT_SLOT_BYTES 120	/* longer ones are looked up in the database */
#define PROCESS_SLOTS 2048
/* Without a start time the same pid with the same everything is the same process only for as
 * long as pids do not come round. */
#define SAME_PID_US (10 * TIME_US_PER_S)

struct text_slot {
	int64_t id;		/* 0: empty */
	uint8_t len;
	char data[TEXT_SLOT_BYTES];
};

struct process_slot {
	int64_t id;		/* 0: empty */
	int64_t last_us;
	int64_t column[P_COLUMNS];
};

struct ledger_intern {
	sqlite3 *db;
	struct ledger_count *count;
	struct ledger_trim *trim;
	sqlite3_stmt *find_text, *add_text, *find_process, *add_process, *known;
	struct text_slot texts[TEXT_SLOTS];
	struct process_slot processes[PROCESS_SLOTS];
};

static struct text_slot *text_slot(struct ledger_intern *in, struct text t)
{
	return &in->texts[text_hash(TEXT_HASH_SEED, t.data, t.len) % TEXT_SLOTS];
}

static struct process_slot *process_slot(struct ledger_intern *in, const int64_t column[P_COLUMNS])
{
	return &in->processes[text_hash(TEXT_HASH_SEED, column, P_COLUMNS * sizeof(*column)) %
			      PROCESS_SLOTS];
}

static void remember(struct process_slot *slot, int64_t id, const int64_t *column)
{
	slot->id = id;
	memcpy(slot->column, column, sizeof(slot->column));
}

static void forget_text(void *arg, int64_t id, struct text t)
{
	struct text_slot *slot = text_slot(arg, t);

	if (slot->id == id)
		slot->id = 0;
}

static void forget_process(void *arg, int64_t id)
{
	struct ledger_intern *in = arg;

	for (int i = 0; i < PROCESS_SLOTS; i++)
		if (in->processes[i].id == id)
			in->processes[i].id = 0;
}

const struct ledger_forgetting ledger_intern_forgetting = { forget_text, forget_process };

static int prepare_all(struct ledger_intern *in)
{
	int rc = db_prepare(in->db, "SELECT id FROM text WHERE text = ?", &in->find_text);

	if (!rc)
		rc = db_prepare(in->db, "INSERT INTO text (text) VALUES (?)", &in->add_text);
	if (!rc)
		rc = db_prepare(in->db,
				"SELECT id" PROCESS_COLUMNS " FROM process WHERE pid = ?"
				" AND start_ticks = ? ORDER BY id DESC LIMIT 16",
				&in->find_process);
	if (!rc)
		rc = db_prepare(in->db,
				"INSERT INTO process (start" PROCESS_COLUMNS ") VALUES (?"
				PROCESS_PARAMETERS ")",
				&in->add_process);
	if (!rc)
		rc = db_prepare(in->db,
				"SELECT c.proto, c.process" PROCESS_COLUMNS " FROM (SELECT"
				" proto, process FROM connection WHERE id = ?) c LEFT JOIN process"
				" p ON p.id = c.process",
				&in->known);
	return rc;
}

int ledger_intern_new(sqlite3 *db, struct ledger_count *count, struct ledger_intern **out)
{
	struct ledger_intern *in = calloc(1, sizeof(*in));
	int rc;

	if (!in)
		return -ENOMEM;
	in->db = db;
	in->count = count;
	rc = prepare_all(in);
	if (rc) {
		ledger_intern_free(in);
		return rc;
	}
	*out = in;
	return 0;
}

void ledger_intern_free(struct ledger_intern *in)
{
	if (!in)
		return;
	sqlite3_finalize(in->find_text);
	sqlite3_finalize(in->add_text);
	sqlite3_finalize(in->find_process);
	sqlite3_finalize(in->add_process);
	sqlite3_finalize(in->known);
	free(in);
}

void ledger_intern_tell(struct ledger_intern *in, struct ledger_trim *trim)
{
	in->trim = trim;
}

void ledger_intern_rollback(struct ledger_intern *in)
{
	memset(in->texts, 0, sizeof(in->texts));
	memset(in->processes, 0, sizeof(in->processes));
}

int ledger_intern_text(struct ledger_intern *in, struct text t, int64_t *id)
{
	struct text_slot *slot = text_slot(in, t);
	int rc;

	*id = -1;
	if (!t.data)
		return 0;
	if (slot->id && slot->len == t.len && !memcmp(slot->data, t.data, t.len)) {
		*id = slot->id;
		ledger_trim_uses(in->trim, *id);
		return 0;
	}
	db_bind_text(in->find_text, 1, t);
	rc = sqlite3_step(in->find_text);
	if (rc == SQLITE_ROW)
		*id = sqlite3_column_int64(in->find_text, 0);
	sqlite3_reset(in->find_text);
	if (rc == SQLITE_DONE) {
		db_bind_text(in->add_text, 1, t);
		rc = sqlite3_step(in->add_text);
		sqlite3_reset(in->add_text);
		*id = sqlite3_last_insert_rowid(in->db);
	}
	if (db_errno(rc))
		return db_errno(rc);
	ledger_trim_uses(in->trim, *id);
	if (t.len <= TEXT_SLOT_BYTES) {
		slot->id = *id;
		slot->len = (uint8_t)t.len;
		memcpy(slot->data, t.data, t.len);
	}
	return 0;
}

static bool same_process(const int64_t *a, const int64_t *b)
{
	return !memcmp(a, b, P_COLUMNS * sizeof(*a));
}

/* A row of the same process in the database: only a start time makes sure that it is.  One process
 * may have several, where its name or user changes (each thread has a name of its own). */
static int find_process(struct ledger_intern *in, const struct process *p, const int64_t *column,
			int64_t *id)
{
	int64_t found[P_COLUMNS];
	int rc = SQLITE_DONE;

	*id = 0;
	if (p->start_ticks < 0)
		return 0;
	sqlite3_bind_int64(in->find_process, 1, p->pid);
	sqlite3_bind_int64(in->find_process, 2, p->start_ticks);
	while (!*id && (rc = sqlite3_step(in->find_process)) == SQLITE_ROW) {
		for (int i = 0; i < P_COLUMNS; i++)
			found[i] = db_column_known(in->find_process, i + 1);
		if (same_process(found, column))
			*id = sqlite3_column_int64(in->find_process, 0);
	}
	sqlite3_reset(in->find_process);
	return db_errno(rc);
}

static int add_process(struct ledger_intern *in, const struct connection *c, const int64_t *column,
		       int64_t *id)
{
	int rc;

	db_bind_known(in->add_process, 1, c->start_us);
	for (int i = 0; i < P_COLUMNS; i++)
		db_bind_known(in->add_process, i + 2, column[i]);
	rc = db_run(in->add_process);
	*id = sqlite3_last_insert_rowid(in->db);
	if (!rc)
		ledger_count_processes(in->count, 1);
	return rc;
}

/* A program's path as it is shown, because one that names another file here must not pass for the
 * one that it names; buf holds it where that is not the text itself. */
static struct text shown_path(struct text t, int64_t seen, char *buf, size_t size)
{
	int len;

	if (!t.data || !exe_is_other(seen))
		return t;
	len = snprintf(buf, size, "%.*s%s", (int)t.len, t.data, EXE_OTHER_SUFFIX);
	return (struct text){ buf, (size_t)len < size ? (size_t)len : size - 1 };
}

/* The process's row as numbers: texts by their ids, unknown ones -1. */
static int process_columns(struct ledger_intern *in, const struct connection *c, int64_t *column)
{
	const struct text texts[] = {
#define FIELD(field) c->process.field,
#define OTHER(name, text_) c->text[text_],
		PROCESS_EACH_TEXT(FIELD, NONE) LEDGER_EACH_OTHER_TEXT(OTHER)
#undef FIELD
#undef OTHER
	};
	char exe[4200], parent[4200];
	int rc = 0;

	memcpy(column, c->process.number, sizeof(c->process.number));
	for (int i = PROCESS_NUMBERS; !rc && i < P_COLUMNS; i++) {
		struct text t = texts[i - PROCESS_NUMBERS];

		if (t.data && t.data == c->text[CONNECTION_PARENT_EXE].data)
			t = shown_path(t, c->parent_seen, parent, sizeof(parent));
		else if (i == P_exe)
			t = shown_path(t, c->process.exe_seen, exe, sizeof(exe));
		rc = ledger_intern_text(in, t, &column[i]);
	}
	return rc;
}

int ledger_intern_process(struct ledger_intern *in, const struct connection *c, int64_t *id,
			  int64_t *exe)
{
	int64_t column[P_COLUMNS];
	struct process_slot *slot;
	int rc;

	*id = *exe = -1;
	if (c->process.pid < 0)
		return 0;
	rc = process_columns(in, c, column);
	if (rc)
		return rc;
	*exe = column[P_exe];
	slot = process_slot(in, column);
	if (!slot->id || !same_process(slot->column, column) ||
	    (c->process.start_ticks < 0 && c->time_us - slot->last_us > SAME_PID_US)) {
		rc = find_process(in, &c->process, column, id);
		if (!rc && !*id)
			rc = add_process(in, c, column, id);
		if (rc)
			return rc;
		remember(slot, *id, column);
	}
	slot->last_us = c->time_us;
	*id = slot->id;
	return 0;
}

int ledger_intern_address(struct ledger_intern *in, const struct address *a, int64_t *id)
{
	char buf[ADDRESS_TEXT_MAX];

	if (a->family)
		return ledger_intern_text(in, text_of(address_format(a, buf)), id);
	*id = -1;
	return 0;
}

int ledger_intern_resume(struct ledger_intern *in, const struct connection *c, bool *found,
			 int64_t *protocol)
{
	int64_t column[P_COLUMNS], process;
	struct process_slot *slot;
	bool same = c->process.pid >= 0;
	int rc = same ? process_columns(in, c, column) : 0;

	*found = false;
	if (rc)
		return rc;
	sqlite3_bind_int64(in->known, 1, (sqlite3_int64)c->id);
	rc = sqlite3_step(in->known);
	*found = rc == SQLITE_ROW;
	if (*found) {
		*protocol = db_column_known(in->known, 0);
		process = db_column_known(in->known, 1);
		same = same && process >= 0;
		for (int i = 0; i < P_COLUMNS && same; i++)
			same = db_column_known(in->known, i + 2) == column[i];
		if (same) {
			slot = process_slot(in, column);
			remember(slot, process, column);
			slot->last_us = c->time_us;
		}
	}
	sqlite3_reset(in->known);
	return db_errno(rc);
}
