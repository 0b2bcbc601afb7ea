/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finding connections in a large ledger. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "find.h"
#include "ledger_schema.h"

/* Of two conditions the rows are counted up to this: which of them has fewer does not matter where
 * both have more, for then the newest rows soon have enough that fit. */
#define COUNT_FIRST 1000
#define COUNT_MOST 64000
/* Rows from the newest back, before the processes are looked for that a condition is about. */
#define GLANCE_ROWS 5000
#define PROCESSES_MOST 20000
#define PROCESSES_FEW 200

enum { NO_DRIVER = -1, PROGRAM = FIND_CONDITIONS };

/* What the query goes by. */
struct plan {
	bool moving;		/* an older ledger's rows are on their way */
	int driver;		/* a condition's number, PROGRAM or NO_DRIVER */
	int64_t exe[FIND_PROGRAMS];
	int exes;		/* FIND_PROGRAMS + 1: more than that */
	bool by_process;	/* conditions on processes are asked first */
	int64_t from_id;	/* only rows with higher ids; 0: all */
};

void find_release(struct find *f)
{
	for (int i = 0; i < f->count; i++)
		free(f->condition[i].sql);
	free(f->exe);
	sql_release(&f->values);
}

static int value(struct find *f, struct cell c)
{
	struct sql *v = &f->values;

	if (v->count == sizeof(v->values) / sizeof(v->values[0])) {
		f->failed = true;
		return v->count;
	}
	v->values[v->count++] = c;
	return v->count;
}

int find_text(struct find *f, const char *text)
{
	return value(f, (struct cell){ .kind = CELL_TEXT, .text = text_of(text) });
}

void find_add(struct find *f, enum find_index index, const char *fmt, ...)
{
	va_list ap;

	if (f->count == FIND_CONDITIONS) {
		f->failed = true;
		return;
	}
	va_start(ap, fmt);
	if (vasprintf(&f->condition[f->count].sql, fmt, ap) < 0)
		f->failed = true;
	else
		f->condition[f->count++].index = index;
	va_end(ap);
}

void find_exe(struct find *f, const char *fmt, ...)
{
	char *condition, *both;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&condition, fmt, ap) < 0)
		condition = NULL;
	va_end(ap);
	if (condition && f->exe) {
		if (asprintf(&both, "%s AND %s", f->exe, condition) < 0)
			both = NULL;
		free(condition);
		condition = both;
	}
	free(f->exe);
	f->exe = condition;
	f->failed = f->failed || !condition;
}

static void add_number(struct sql *s, const char *before, int64_t n, const char *behind)
{
	char text[32];

	snprintf(text, sizeof(text), "%" PRId64, n);
	sql_add(s, before);
	sql_add(s, text);
	sql_add(s, behind);
}

/* Runs what stands in s, with the values of the conditions. */
static int64_t run(const struct find *f, struct query_db *db, struct sql *s, query_row_fn *row,
		   void *arg)
{
	int64_t rows;

	memcpy(s->values, f->values.values, sizeof(s->values));
	s->count = f->values.count;
	s->failed = s->failed || f->failed;
	rows = query_run(db, s, row, arg);
	sql_release(s);
	return rows;
}

static int take_number(const struct cell *cells, int columns, void *arg)
{
	(void)columns;
	*(int64_t *)arg = cells[0].kind == CELL_INTEGER ? cells[0].integer : 0;
	return 0;
}

static int64_t ask(const struct find *f, struct query_db *db, struct sql *s)
{
	int64_t n = 0;

	return run(f, db, s, take_number, &n) < 0 ? -1 : n;
}

static int take_exe(const struct cell *cells, int columns, void *arg)
{
	struct plan *p = arg;

	(void)columns;
	if (p->exes < FIND_PROGRAMS)
		p->exe[p->exes] = cells[0].integer;
	return p->exes++ >= FIND_PROGRAMS;
}

/* The programs that fit, from the index, which has each of them: a step for each, not for each
 * row. */
static int64_t find_programs(const struct find *f, struct query_db *db, struct plan *p)
{
	struct sql s = { .failed = false };

	sql_add(&s, p->moving ?
		"WITH e AS (SELECT DISTINCT exe AS id FROM process)" :
		"WITH RECURSIVE e(id) AS (SELECT min(exe) FROM connection UNION ALL SELECT (SELECT"
		" min(exe) FROM connection WHERE exe > e.id) FROM e WHERE e.id IS NOT NULL)");
	sql_add(&s, " SELECT t.id FROM e CROSS JOIN text t ON t.id = e.id WHERE ");
	sql_add(&s, f->exe);
	return run(f, db, &s, take_exe, p);
}

/* The condition on the program's number; where there are too many, on its text. */
static void add_programs(struct sql *s, const struct find *f, const struct plan *p, bool driver)
{
	if (p->exes > FIND_PROGRAMS) {
		sql_add(s, " AND EXISTS (SELECT 1 FROM text t WHERE t.id = c.exe AND ");
		sql_add(s, f->exe);
		sql_add(s, ")");
		return;
	}
	sql_add(s, driver ? " AND c.exe IN (" : " AND +c.exe IN (");
	for (int i = 0; i < p->exes; i++)
		add_number(s, i ? ", " : "", p->exe[i], "");
	sql_add(s, ")");
}

/* Of the processes that fit the conditions on them, `what`. */
static void add_processes(struct sql *s, const struct find *f, const char *what)
{
	sql_add(s, what);
	sql_add(s, " FROM process p LEFT JOIN text tcomm ON tcomm.id = p.comm"
		" LEFT JOIN text tuser ON tuser.id = p.user"
		" LEFT JOIN text tlogin ON tlogin.id = p.login_user WHERE 1");
	for (int i = 0; i < f->count; i++) {
		if (f->condition[i].index != FIND_PROCESS)
			continue;
		sql_add(s, " AND ");
		sql_add(s, f->condition[i].sql);
	}
}

/* All conditions; those on processes alone as the plan has it. */
static void add_conditions(struct sql *s, const struct find *f, const struct plan *p,
			   bool programs)
{
	for (int i = 0; i < f->count; i++) {
		if (p->by_process && f->condition[i].index == FIND_PROCESS)
			continue;
		sql_add(s, f->condition[i].index == FIND_INDEX && i != p->driver ? " AND +" :
			   " AND ");
		sql_add(s, f->condition[i].sql);
	}
	if (programs && f->exe)
		add_programs(s, f, p, p->driver == PROGRAM);
	if (p->from_id)
		add_number(s, " AND c.id > ", p->from_id, "");
	if (p->by_process) {
		sql_add(s, " AND c.process IN (");
		add_processes(s, f, "SELECT p.id");
		sql_add(s, ")");
	}
}

/* How many rows fit a condition, up to `most`. */
static int64_t count_rows(const struct find *f, struct query_db *db, const struct plan *p,
			  int condition, int64_t most)
{
	struct sql s = { .failed = false };

	sql_add(&s, "SELECT count(*) FROM (SELECT 1 FROM " LEDGER_ALL " c WHERE 1");
	if (condition == PROGRAM) {
		add_programs(&s, f, p, true);
	} else {
		sql_add(&s, " AND ");
		sql_add(&s, f->condition[condition].sql);
	}
	add_number(&s, " LIMIT ", most, ")");
	return ask(f, db, &s);
}

/* Chooses the condition with the fewest rows. */
static int choose_driver(const struct find *f, struct query_db *db, const struct plan *p)
{
	int candidate[FIND_CONDITIONS + 1], count = 0;

	if (f->exe && p->exes <= FIND_PROGRAMS)
		candidate[count++] = PROGRAM;
	for (int i = 0; i < f->count; i++)
		if (f->condition[i].index == FIND_INDEX)
			candidate[count++] = i;
	for (int64_t most = COUNT_FIRST; count > 1 && most <= COUNT_MOST; most *= 8) {
		int fewest = 0;
		int64_t least = most;

		for (int i = 0; i < count; i++) {
			int64_t rows = count_rows(f, db, p, candidate[i], least);

			if (rows < least) {
				least = rows;
				fewest = i;
			}
		}
		if (least < most)
			return candidate[fewest];
	}
	return count ? candidate[0] : NO_DRIVER;
}

/* False where no row has that direction, certainty and verdict. */
static bool may_be(const struct find *f, struct query_db *db, const struct plan *p)
{
	struct sql s = { .failed = false };

	if (p->moving || (!f->direction && !f->certainty && !f->verdict))
		return true;
	sql_add(&s, "SELECT count(*) FROM total WHERE 1");
	if (f->direction)
		add_number(&s, " AND direction = ", f->direction, "");
	if (f->certainty)
		add_number(&s, " AND certainty = ", f->certainty, "");
	if (f->verdict)
		add_number(&s, " AND verdict = ", f->verdict, "");
	return ask(f, db, &s) != 0;
}

static int64_t last_id(const struct find *f, struct query_db *db)
{
	struct sql s = { .failed = false };

	sql_add(&s, "SELECT max(id) FROM connection");
	return ask(f, db, &s);
}

/* The newest ones as numbers of rows; exe: of this program alone, -1: of those that fit. */
static void add_newest(struct sql *s, const struct find *f, const struct plan *p, int64_t exe,
		       int64_t limit)
{
	sql_add(s, "SELECT c.id AS id, c.time AS time");
	sql_add(s, ledger_select_from);
	sql_add(s, " WHERE 1");
	if (exe >= 0)
		add_number(s, " AND c.exe = ", exe, "");
	add_conditions(s, f, p, exe < 0);
	/* A partial index is used by who says its condition. */
	if (f->verdict > 2)
		sql_add(s, " AND c.verdict > 2");
	add_number(s, p->by_process ? " ORDER BY +c.time DESC, c.id DESC LIMIT " :
		   " ORDER BY c.time DESC, c.id DESC LIMIT ", limit, "");
}

/* The newest `limit` that fit, each program's from its own part of the index. */
static void add_wanted(struct sql *s, const struct find *f, const struct plan *p, int64_t limit)
{
	if (p->driver != PROGRAM || p->exes == 0) {
		add_newest(s, f, p, -1, limit);
		return;
	}
	sql_add(s, "SELECT * FROM (");
	for (int i = 0; i < p->exes; i++) {
		sql_add(s, i ? " UNION ALL SELECT * FROM (" : "SELECT * FROM (");
		add_newest(s, f, p, p->exe[i], limit);
		sql_add(s, ")");
	}
	add_number(s, ") ORDER BY time DESC, id DESC LIMIT ", limit, "");
}

static bool has_process_conditions(const struct find *f)
{
	for (int i = 0; i < f->count; i++)
		if (f->condition[i].index == FIND_PROCESS)
			return true;
	return false;
}

/* The programs of the processes that fit; false where some has none, or they are too many. */
static bool find_programs_of(const struct find *f, struct query_db *db, struct plan *p)
{
	struct sql s = { .failed = false };

	p->exes = 0;
	add_processes(&s, f, "SELECT DISTINCT ifnull(p.exe, 0)");
	if (run(f, db, &s, take_exe, p) >= 0 && p->exes <= FIND_PROGRAMS) {
		for (int i = 0; i < p->exes; i++)
			if (!p->exe[i])
				return false;
		return true;
	}
	return false;
}

/*
 * Conditions on processes alone, which no index serves: mostly the newest rows have enough that
 * fit, else it matters how many processes fit.
 */
static void choose_process_way(const struct find *f, struct query_db *db, struct plan *p,
			       int64_t limit)
{
	struct sql s = { .failed = false }, t = { .failed = false };
	struct plan glance = *p;
	int64_t last = last_id(f, db), count;

	glance.from_id = last > GLANCE_ROWS ? last - GLANCE_ROWS : 0;
	if (!glance.from_id)
		return;
	sql_add(&s, "SELECT count(*) FROM (SELECT 1");
	sql_add(&s, ledger_select_from);
	sql_add(&s, " WHERE 1");
	add_conditions(&s, f, &glance, true);
	add_number(&s, " LIMIT ", limit, ")");
	if (ask(f, db, &s) >= limit)
		return;
	sql_add(&t, "SELECT count(*) FROM (");
	add_processes(&t, f, "SELECT p.id");
	add_number(&t, " LIMIT ", PROCESSES_MOST, ")");
	count = ask(f, db, &t);
	/* Of many processes the newest rows are rather found by their programs. */
	if (count > PROCESSES_FEW && !f->exe && find_programs_of(f, db, p))
		p->driver = PROGRAM;
	else
		p->by_process = count < PROCESSES_MOST;
}

static int64_t make_plan(const struct find *f, struct query_db *db, struct plan *p, int64_t limit)
{
	int moving = query_is_moving(db);

	if (moving < 0)
		return -1;
	p->moving = moving;
	p->driver = NO_DRIVER;
	if (f->exe && find_programs(f, db, p) < 0)
		return -1;
	if ((f->exe && !p->exes) || !may_be(f, db, p))
		return 0;
	p->driver = choose_driver(f, db, p);
	if (limit >= 0 && p->driver == NO_DRIVER && has_process_conditions(f))
		choose_process_way(f, db, p, limit);
	return 1;
}

static void add_columns(struct sql *s)
{
	sql_add(s, ledger_select_columns);
	sql_add(s, ", c.result AS row_result, c.time AS row_time, c.id AS row_id");
	sql_add(s, ledger_select_from);
}

int64_t find_newest(struct find *f, struct query_db *db, int64_t limit, query_row_fn *row,
		    void *arg)
{
	struct plan p = { .exes = 0 };
	struct sql s = { .failed = false };
	int64_t rc = make_plan(f, db, &p, limit);

	if (rc <= 0)
		return rc;
	add_columns(&s);
	if (limit < 0) {
		sql_add(&s, " WHERE 1");
		add_conditions(&s, f, &p, true);
	} else {
		sql_add(&s, " WHERE c.id IN (SELECT id FROM (");
		add_wanted(&s, f, &p, limit);
		sql_add(&s, "))");
	}
	sql_add(&s, limit < 0 ? " ORDER BY c.time, c.id" : " ORDER BY +c.time, c.id");
	return run(f, db, &s, row, arg);
}

int64_t find_behind(struct find *f, struct query_db *db, int64_t id, query_row_fn *row, void *arg)
{
	struct plan p = { .driver = NO_DRIVER, .from_id = id, .exes = FIND_PROGRAMS + 1 };
	struct sql s = { .failed = false };

	add_columns(&s);
	sql_add(&s, " WHERE 1");
	add_conditions(&s, f, &p, true);
	sql_add(&s, " ORDER BY c.id");
	return run(f, db, &s, row, arg);
}

const struct cell *find_cell(const struct cell *cells, const char *column)
{
	static const struct cell none = { .kind = CELL_NULL };

	for (int i = 0; i < ledger_column_count; i++)
		if (!strcmp(ledger_columns[i], column))
			return &cells[i];
	return &none;
}
