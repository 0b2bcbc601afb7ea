/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A ledger's rows as JSON lines. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "community_id.h"
#include "db.h"
#include "ledger.h"
#include "ledger_schema.h"
#include "protocol.h"
#include "rows.h"
#include "text.h"

/* Versions of rows that were sent before the ledger went back are below those that come after. */
#define RESTART_BITS 48
#define RESTARTS_MAX 32767

const char *const rows_more[] = { "us", "host", "ledger", "id", "version", "community_id" };
const int rows_more_count = sizeof(rows_more) / sizeof(rows_more[0]);

/* Behind the columns of the view. */
enum { AT_US, AT_ID, AT_CHANGED, AT_PROTO };
#define MORE_COLUMNS ", c.time, c.id, ifnull(c.changed, 0), c.proto"

struct rows {
	sqlite3 *db;
	const char *node;
	sqlite3_stmt *amended, *new;
	int column_node, column_src, column_dst, column_sport, column_dport;
};

static int column_of(const char *name)
{
	for (int i = 0; i < ledger_column_count; i++)
		if (!strcmp(ledger_columns[i], name))
			return i;
	abort();
}

static int prepare(struct rows *r)
{
	char sql[8192];
	int n, rc;

	n = snprintf(sql, sizeof(sql), "%s" MORE_COLUMNS "%s WHERE c.changed > ?1 AND c.id <= ?2"
		     " ORDER BY c.changed LIMIT ?3", ledger_select_columns, ledger_select_from);
	rc = n < 0 || (size_t)n >= sizeof(sql) ? -ENOMEM : db_prepare(r->db, sql, &r->amended);
	if (rc)
		return rc;
	n = snprintf(sql, sizeof(sql), "%s" MORE_COLUMNS "%s WHERE c.id > ?1 AND c.id <= ?2"
		     " ORDER BY c.id LIMIT ?3", ledger_select_columns, ledger_select_from);
	return n < 0 || (size_t)n >= sizeof(sql) ? -ENOMEM : db_prepare(r->db, sql, &r->new);
}

int rows_open(const char *ledger, const char *node, struct rows **out)
{
	struct rows *r = calloc(1, sizeof(*r));
	int64_t moving = 0;
	int rc = r ? ledger_open_read(ledger, &r->db) : -ENOMEM;

	if (!rc)
		rc = db_number(r->db, LEDGER_IS_MOVING, &moving);
	if (!rc && moving)
		rc = -EAGAIN;
	if (!rc)
		rc = prepare(r);
	if (rc) {
		rows_close(r);
		return rc;
	}
	r->node = node;
	r->column_node = column_of("node");
	r->column_src = column_of("src");
	r->column_dst = column_of("dst");
	r->column_sport = column_of("sport");
	r->column_dport = column_of("dport");
	*out = r;
	return 0;
}

void rows_close(struct rows *r)
{
	if (!r)
		return;
	sqlite3_finalize(r->amended);
	sqlite3_finalize(r->new);
	db_close(r->db);
	free(r);
}

void batch_release(struct batch *b)
{
	free(b->text);
	*b = (struct batch){ .text = NULL };
}

int rows_look(struct rows *r, struct rows_ends *ends)
{
	int rc = db_number(r->db, "SELECT ledger FROM change", &ends->ledger);

	if (!rc)
		rc = db_number(r->db, "SELECT last FROM change", &ends->change);
	if (!rc)
		rc = db_number(r->db, "SELECT ifnull(max(id), 0) FROM connection", &ends->id);
	if (!rc)
		rc = db_number(r->db, "SELECT ifnull((SELECT value FROM counter WHERE name ="
			       " 'trimmed'), 0)", &ends->trimmed);
	return rc;
}

/* The row that was the last one is another by now. */
static int is_other_row(struct rows *r, const struct position *p, bool *other)
{
	char sql[96];
	int64_t time_us;
	int rc;

	snprintf(sql, sizeof(sql), "SELECT time FROM connection WHERE id = %" PRId64, p->id);
	rc = db_number(r->db, sql, &time_us);
	*other = !rc && time_us != p->time_us;
	return rc == -ENOENT ? 0 : rc;
}

int rows_meet(struct rows *r, const struct rows_ends *ends, struct position *p,
	      enum rows_met *met)
{
	bool back = ends->id < p->id || ends->change < p->change || ends->trimmed < p->trimmed;
	int rc;

	*met = !p->ledger ? ROWS_FIRST : p->ledger != ends->ledger ? ROWS_OTHER : ROWS_SAME;
	if (*met == ROWS_SAME && !back) {
		rc = p->id ? is_other_row(r, p, &back) : 0;
		if (rc || !back)
			return rc;
	}
	if (*met == ROWS_SAME) {
		*met = ROWS_BACK;
		p->restarts++;
	} else {
		p->restarts = 0;
	}
	p->ledger = ends->ledger;
	p->id = p->time_us = p->change = 0;
	p->trimmed = ends->trimmed;
	return 0;
}

/* No collector has room for a byte 0 in a text: PostgreSQL refuses the whole of what it is in. */
static void replace_zeros(char *line, size_t len)
{
	static const char instead[] = { '\\', 'u', 'f', 'f', 'f', 'd' };

	for (size_t i = 0; i + 1 < len; i++) {
		if (line[i] != '\\')
			continue;
		if (i + 6 <= len && !memcmp(line + i, "\\u0000", 6))
			memcpy(line + i, instead, sizeof(instead));
		i++;
	}
}

static void put_name(FILE *out, const char *name)
{
	fprintf(out, ",\"%s\":", name);
}

static void put_column(FILE *out, sqlite3_stmt *s, int column)
{
	switch (sqlite3_column_type(s, column)) {
	case SQLITE_NULL:
		fputs("null", out);
		break;
	case SQLITE_INTEGER:
		fprintf(out, "%" PRId64, (int64_t)sqlite3_column_int64(s, column));
		break;
	default:
		text_print_json(out, db_column_text(s, column));
		break;
	}
}

static void get_endpoint(sqlite3_stmt *s, int address, int port, struct endpoint *e)
{
	char buf[ADDRESS_TEXT_MAX];
	struct text t = db_column_text(s, address);

	*e = (struct endpoint){ .port = (int32_t)db_column_known(s, port) };
	if (!t.data || t.len >= sizeof(buf) || memchr(t.data, '\0', t.len))
		return;
	memcpy(buf, t.data, t.len);
	buf[t.len] = '\0';
	if (address_parse(buf, &e->addr))
		e->addr.family = 0;
}

static void put_row(FILE *out, const struct rows *r, sqlite3_stmt *s, const struct position *p)
{
	int more = ledger_column_count;
	char community[COMMUNITY_ID_MAX];
	struct endpoint src, dst;

	for (int i = 0; i < ledger_column_count; i++) {
		fprintf(out, "%c\"%s\":", i ? ',' : '{', ledger_columns[i]);
		if (i == r->column_node && sqlite3_column_type(s, i) == SQLITE_NULL)
			text_print_json(out, text_of(r->node));
		else
			put_column(out, s, i);
	}
	put_name(out, "us");
	put_column(out, s, more + AT_US);
	put_name(out, "host");
	text_print_json(out, text_of(r->node));
	fprintf(out, ",\"ledger\":\"%016" PRIx64 "\",\"id\":%" PRId64 ",\"version\":%" PRId64,
		(uint64_t)p->ledger, (int64_t)sqlite3_column_int64(s, more + AT_ID),
		(int64_t)sqlite3_column_int64(s, more + AT_CHANGED) +
			((p->restarts & RESTARTS_MAX) << RESTART_BITS));
	put_name(out, "community_id");
	get_endpoint(s, r->column_src, r->column_sport, &src);
	get_endpoint(s, r->column_dst, r->column_dport, &dst);
	if (community_id((int)db_column_known(s, more + AT_PROTO), &src, &dst, community))
		fputs("null", out);
	else
		fprintf(out, "\"%s\"", community);
	fputs("}\n", out);
}

/*
 * Takes rows from a statement into the batch until that is full.  each() hears of each.  *whole: it
 * had no more.
 */
static int take(struct rows *r, sqlite3_stmt *s, FILE *out, int most, size_t bytes,
		struct batch *b, void (*each)(struct batch *b, int64_t id, int64_t us, int64_t n),
		bool *whole)
{
	int taken = 0, rc;

	*whole = false;
	while (b->rows < most && (size_t)ftell(out) < bytes) {
		rc = sqlite3_step(s);
		if (rc != SQLITE_ROW) {
			*whole = rc == SQLITE_DONE;
			return db_errno(rc);
		}
		put_row(out, r, s, &b->next);
		each(b, sqlite3_column_int64(s, ledger_column_count + AT_ID),
		     sqlite3_column_int64(s, ledger_column_count + AT_US),
		     sqlite3_column_int64(s, ledger_column_count + AT_CHANGED));
		b->rows++;
		taken++;
	}
	return 0;
}

static void on_amended(struct batch *b, int64_t id, int64_t us, int64_t changed)
{
	(void)id;
	(void)us;
	b->next.change = changed;
	b->next.amended++;
}

/* Rows between this one and the last went, or were never written: told apart by read_new(). */
static void pass(struct batch *b, int64_t id)
{
	if (b->next.id)
		b->next.missed += id - b->next.id;
}

static void on_new(struct batch *b, int64_t id, int64_t us, int64_t changed)
{
	(void)changed;
	pass(b, id - 1);
	b->next.id = id;
	b->next.time_us = us;
	b->next.sent++;
}

static int read_new(struct rows *r, const struct position *p, int64_t until, FILE *out, int most,
		    size_t bytes, struct batch *b, const struct rows_ends *ends)
{
	int64_t gone = ends->trimmed - p->trimmed;
	bool whole;
	int rc;

	sqlite3_bind_int64(r->new, 1, p->id);
	sqlite3_bind_int64(r->new, 2, until);
	sqlite3_bind_int(r->new, 3, most);
	rc = take(r, r->new, out, most, bytes, b, on_new, &whole);
	sqlite3_reset(r->new);
	b->more = !whole && b->next.id < until;
	/* The limits took no more rows than they did; other numbers never became rows. */
	if (b->next.missed - p->missed > gone)
		b->next.missed = p->missed + (gone > 0 ? gone : 0);
	b->next.trimmed = ends->trimmed;
	return rc;
}

static int read_all(struct rows *r, const struct position *p, int64_t until, FILE *out, int most,
		    size_t bytes, struct batch *b)
{
	struct rows_ends ends;
	bool whole;
	int rc = rows_look(r, &ends);

	if (rc)
		return rc;
	if (p->id) {
		sqlite3_bind_int64(r->amended, 1, p->change);
		sqlite3_bind_int64(r->amended, 2, p->id);
		sqlite3_bind_int(r->amended, 3, most);
		rc = take(r, r->amended, out, most, bytes, b, on_amended, &whole);
		sqlite3_reset(r->amended);
		b->more = !whole;
		if (rc || !whole)
			return rc;
	}
	/* What was amended up to here comes with the new rows. */
	b->next.change = ends.change;
	return read_new(r, p, until, out, most, bytes, b, &ends);
}

int rows_read(struct rows *r, const struct position *p, int64_t until, int most, size_t bytes,
	      struct batch *b)
{
	FILE *out;
	int rc;

	free(b->text);
	*b = (struct batch){ .next = *p };
	out = open_memstream(&b->text, &b->len);
	if (!out)
		return -ENOMEM;
	/* All is read as it stood at one time. */
	rc = db_exec(r->db, "BEGIN");
	if (!rc)
		rc = read_all(r, p, until, out, most, bytes, b);
	db_exec(r->db, "ROLLBACK");
	if (fclose(out) && !rc)
		rc = -ENOMEM;
	if (!rc)
		replace_zeros(b->text, b->len);
	return rc;
}
