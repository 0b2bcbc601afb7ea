/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading the ledger. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <sqlite3.h>

#include "clock.h"
#include "db.h"
#include "ledger.h"
#include "ledger_schema.h"
#include "network.h"
#include "progress.h"
#include "query.h"

struct query_db {
	sqlite3 *db;
	const char *path;
	int64_t steps;
	struct progress progress;
	int64_t first_us, last_us;	/* from where to where it goes */
};

static void in_net(sqlite3_context *context, int argc, sqlite3_value **argv)
{
	const char *text = (const char *)sqlite3_value_text(argv[0]);
	const char *wanted = (const char *)sqlite3_value_text(argv[1]);
	struct network net;
	struct address a;

	(void)argc;
	if (!wanted || network_parse(wanted, &net)) {
		sqlite3_result_error(context, "in_net() wants 'ADDR/BITS' as its second argument",
				     -1);
		return;
	}
	if (!text || address_parse(text, &a))
		return;		/* NULL: an unknown address is in no network */
	sqlite3_result_int(context, network_contains(&net, &a));
}

/* us('TIME') and hour('TIME'): a time as the views `timeline` and `hours` have it for
 * comparisons. */
static void time_number(sqlite3_context *context, int argc, sqlite3_value **argv)
{
	const char *text = (const char *)sqlite3_value_text(argv[0]);
	const int64_t *unit_us = sqlite3_user_data(context);
	int64_t at_us;

	(void)argc;
	if (!text || time_parse(text, clock_now_us(), &at_us))
		sqlite3_result_error(context, "us() and hour() want a time, as option --since", -1);
	else
		sqlite3_result_int64(context, at_us / *unit_us);
}

/* A condition that all rows fit: progress(c.time). */
static void note_progress(sqlite3_context *context, int argc, sqlite3_value **argv)
{
	struct query_db *q = sqlite3_user_data(context);

	(void)argc;
	if (q->progress.out)
		progress_show(&q->progress, clock_mono_ns(),
			      sqlite3_value_int64(argv[0]) - q->first_us,
			      q->last_us - q->first_us);
	sqlite3_result_int(context, 1);
}

/* A query may only read, and only this ledger. */
static int authorize(void *arg, int action, const char *a, const char *b, const char *c,
		     const char *d)
{
	(void)arg;
	(void)a;
	(void)b;
	(void)c;
	(void)d;
	return action == SQLITE_ATTACH || action == SQLITE_DETACH ? SQLITE_DENY : SQLITE_OK;
}

int query_try(const char *path, struct query_db **db)
{
	static const int64_t one_us = 1, hour_us = LEDGER_HOUR_US;
	struct query_db *q = calloc(1, sizeof(*q));
	int rc = q ? ledger_open_read(path, &q->db) : -ENOMEM;

	if (rc) {
		free(q);
		return rc;
	}
	q->path = path;
	sqlite3_create_function(q->db, "in_net", 2, SQLITE_UTF8 | SQLITE_DETERMINISTIC, NULL,
				in_net, NULL, NULL);
	sqlite3_create_function(q->db, "us", 1, SQLITE_UTF8, (void *)&one_us, time_number, NULL,
				NULL);
	sqlite3_create_function(q->db, "hour", 1, SQLITE_UTF8, (void *)&hour_us, time_number, NULL,
				NULL);
	sqlite3_create_function(q->db, "progress", 1, SQLITE_UTF8, q, note_progress, NULL, NULL);
	sqlite3_set_authorizer(q->db, authorize, NULL);
	*db = q;
	return 0;
}

void query_complain(const char *path, int rc)
{
	fprintf(stderr, "sockledger: cannot read the ledger '%s': %s\n", path, db_strerror(rc));
	if (rc == -ENOENT)
		fputs("It is made by sockledgerd when it runs; another one is named with "
		      "--ledger FILE.\n", stderr);
	if (rc == -EOPNOTSUPP)
		fputs("sockledgerd does that when it starts: systemctl restart sockledgerd\n",
		      stderr);
}

struct query_db *query_open(const char *path)
{
	struct query_db *q;
	int rc = query_try(path, &q);

	if (!rc)
		return q;
	query_complain(path, rc);
	return NULL;
}

void query_close(struct query_db *q)
{
	if (!q)
		return;
	sqlite3_close(q->db);
	free(q);
}

void sql_release(struct sql *s)
{
	free(s->text);
	s->text = NULL;
}

void sql_add(struct sql *s, const char *text)
{
	size_t len = strlen(text);

	if (s->len + len + 1 > s->size) {
		size_t size = 2 * (s->len + len + 1) + 4096;
		char *grown = realloc(s->text, size);

		if (!grown) {
			s->failed = true;
			return;
		}
		s->text = grown;
		s->size = size;
	}
	memcpy(s->text + s->len, text, len + 1);
	s->len += len;
}

static struct cell *add_value(struct sql *s, const char *text)
{
	static struct cell overflow;

	sql_add(s, text);
	if (s->count < (int)(sizeof(s->values) / sizeof(s->values[0])))
		return &s->values[s->count++];
	s->failed = true;
	return &overflow;
}

void sql_add_text(struct sql *s, const char *text, const char *value)
{
	*add_value(s, text) = (struct cell){ .kind = CELL_TEXT, .text = text_of(value) };
}

void sql_add_number(struct sql *s, const char *text, int64_t value)
{
	*add_value(s, text) = (struct cell){ .kind = CELL_INTEGER, .integer = value };
}

static struct cell read_cell(sqlite3_stmt *stmt, int i)
{
	struct cell c = { .kind = CELL_NULL };

	switch (sqlite3_column_type(stmt, i)) {
	case SQLITE_INTEGER:
		c.kind = CELL_INTEGER;
		c.integer = sqlite3_column_int64(stmt, i);
		break;
	case SQLITE_FLOAT:
		c.kind = CELL_REAL;
		c.real = sqlite3_column_double(stmt, i);
		break;
	case SQLITE_TEXT:
	case SQLITE_BLOB:
		c.kind = CELL_TEXT;
		c.text.data = sqlite3_column_blob(stmt, i);
		c.text.len = (size_t)sqlite3_column_bytes(stmt, i);
		if (!c.text.data)
			c.text.data = "";
		break;
	default:
		break;
	}
	return c;
}

/* Steps through all rows of a prepared statement; *code gets the last result code. */
static int64_t step_all(sqlite3_stmt *stmt, query_row_fn *row, void *arg, int *code)
{
	int columns = sqlite3_column_count(stmt);
	struct cell *cells = calloc((size_t)columns + 1, sizeof(*cells));
	int64_t rows = 0;

	if (!cells) {
		*code = SQLITE_NOMEM;
		return 0;
	}
	while ((*code = sqlite3_step(stmt)) == SQLITE_ROW) {
		for (int i = 0; i < columns; i++)
			cells[i] = read_cell(stmt, i);
		rows++;
		if (row(cells, columns, arg)) {
			*code = SQLITE_DONE;
			break;
		}
	}
	free(cells);
	return rows;
}

/* SQLite's message may quote bytes from the file. */
static void print_error(const struct query_db *q)
{
	text_print(stderr, text_of(sqlite3_errmsg(q->db)), 0);
	fputc('\n', stderr);
}

int64_t query_run(struct query_db *q, const struct sql *s, query_row_fn *row, void *arg)
{
	sqlite3_stmt *stmt = NULL;
	int64_t rows = 0;
	int code;

	if (s->failed) {
		fputs("sockledger: the query is too long\n", stderr);
		return -1;
	}
	code = sqlite3_prepare_v2(q->db, s->text, -1, &stmt, NULL);
	for (int i = 0; code == SQLITE_OK && i < s->count; i++) {
		if (s->values[i].kind == CELL_TEXT)
			db_bind_text(stmt, i + 1, s->values[i].text);
		else
			sqlite3_bind_int64(stmt, i + 1, s->values[i].integer);
	}
	if (code == SQLITE_OK)
		rows = step_all(stmt, row, arg, &code);
	if (code != SQLITE_OK && code != SQLITE_DONE) {
		fprintf(stderr, "sockledger: cannot read the ledger '%s': ", q->path);
		print_error(q);
		rows = -1;
	}
	progress_end(&q->progress);
	q->steps += stmt ? sqlite3_stmt_status(stmt, SQLITE_STMTSTATUS_VM_STEP, 0) : 0;
	sqlite3_finalize(stmt);
	return rows;
}

int64_t query_steps(const struct query_db *q)
{
	return q->steps;
}

static int print_row(const struct cell *cells, int columns, void *arg)
{
	(void)columns;
	output_row(arg, cells);
	return 0;
}

static int64_t print_statement(sqlite3_stmt *stmt, enum format format,
			       const struct style *style, FILE *out, int *code)
{
	int columns = sqlite3_column_count(stmt);
	const char **names = calloc((size_t)columns + 1, sizeof(*names));
	struct output *o;
	int64_t rows;

	*code = SQLITE_NOMEM;
	if (!names)
		return 0;
	for (int i = 0; i < columns; i++)
		names[i] = sqlite3_column_name(stmt, i);
	o = output_new(out, format, names, columns);
	free(names);
	if (!o)
		return 0;
	output_set_style(o, style);
	rows = step_all(stmt, print_row, o, code);
	output_end(o);
	return rows;
}

/* Errors in the SQL, not in the file. */
static bool is_sql_error(int code)
{
	switch (code & 0xff) {
	case SQLITE_ERROR:
	case SQLITE_AUTH:
	case SQLITE_READONLY:
	case SQLITE_MISUSE:
	case SQLITE_RANGE:
	case SQLITE_TOOBIG:
	case SQLITE_MISMATCH:
		return true;
	default:
		return false;
	}
}

int64_t query_script(struct query_db *q, const char *text, enum format format,
		     const struct style *style, FILE *out)
{
	int64_t rows = 0;
	int statements = 0;

	for (const char *rest = text; *rest;) {
		sqlite3_stmt *stmt = NULL;
		int code = sqlite3_prepare_v2(q->db, rest, -1, &stmt, &rest);

		if (code == SQLITE_OK && !stmt) {
			/* Blanks or a comment. */
			if (!*rest)
				break;
			continue;
		}
		if (code == SQLITE_OK) {
			if (statements++ && format == FORMAT_TABLE)
				fputc('\n', out);
			rows += print_statement(stmt, format, style, out, &code);
		}
		if (code != SQLITE_OK && code != SQLITE_DONE) {
			fflush(out);
			fputs("sockledger sql: ", stderr);
			print_error(q);
			sqlite3_finalize(stmt);
			return is_sql_error(code) ? -1 : -2;
		}
		sqlite3_finalize(stmt);
	}
	if (!statements) {
		fputs("sockledger sql: there is no query\n", stderr);
		return -1;
	}
	return rows;
}

int64_t query_version(struct query_db *q)
{
	int64_t version = -1;

	db_number(q->db, "PRAGMA data_version", &version);
	return version;
}

int query_is_moving(struct query_db *q)
{
	int64_t there = 0;

	if (!db_number(q->db, LEDGER_IS_MOVING, &there))
		return there != 0;
	print_error(q);
	return -1;
}

void query_show_progress(struct query_db *q, int64_t since_us, int64_t until_us)
{
	db_number(q->db, "SELECT ifnull(min(time), 0) FROM " LEDGER_ALL, &q->first_us);
	db_number(q->db, "SELECT ifnull(max(time), 0) FROM " LEDGER_ALL, &q->last_us);
	if (since_us > q->first_us)
		q->first_us = since_us;
	if (until_us < q->last_us)
		q->last_us = until_us;
	/* Without a time to go there is no part of it. */
	if (q->first_us < q->last_us)
		progress_begin(&q->progress, progress_terminal(), clock_mono_ns());
}

int64_t query_last_id(struct query_db *q)
{
	int64_t id = 0;

	db_number(q->db, "SELECT ifnull(max(id), 0) FROM connection", &id);
	return id;
}

int64_t query_last_time(struct query_db *q)
{
	int64_t us = 0;

	db_number(q->db, "SELECT ifnull(max(time), 0) FROM connection", &us);
	return us;
}
