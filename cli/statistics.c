/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What was seen, how certain it is, and what was lost: out of the ledger, and of the cache. */
#include <stdio.h>
#include <string.h>

#include "cache.h"
#include "config.h"
#include "db.h"
#include "latency.h"
#include "ledger_schema.h"
#include "query.h"
#include "statistics.h"

/* Each query gives rows of name and value. */
static const struct {
	const char *section;
	const char *sql;
} questions[] = {
	{"ledger",
	 "SELECT 'connections', ifnull(sum(count), 0) FROM total_all UNION ALL"
	 " SELECT name, count FROM amount UNION ALL"
	 " SELECT 'first', " LEDGER_TIME_TEXT("(SELECT min(time) FROM " LEDGER_ALL ")") " UNION ALL"
	 " SELECT 'last', " LEDGER_TIME_TEXT("(SELECT max(time) FROM " LEDGER_ALL ")") " UNION ALL"
	 " SELECT 'bytes', (SELECT page_count FROM pragma_page_count) *"
	 " (SELECT page_size FROM pragma_page_size)"},
	{"certainty",
	 "SELECT 'certain', ifnull(sum(count) FILTER (WHERE certainty = 3), 0) FROM total_all"
	 " UNION ALL SELECT 'inferred', ifnull(sum(count) FILTER (WHERE certainty = 2), 0)"
	 " FROM total_all UNION ALL"
	 " SELECT 'unknown', ifnull(sum(count) FILTER (WHERE certainty = 1), 0) FROM total_all"},
	{"evidence", "SELECT ifnull(" LEDGER_EVIDENCE_WORDS("evidence") ", 'none'), sum(count)"
	 " FROM total_all GROUP BY 1"},
	{"verdict", "SELECT " LEDGER_VERDICT_WORD("verdict") ", sum(count) FROM total_all"
	 " GROUP BY 1"},
	/* For each source, the answers whose record has not come, or never will. */
	{"late",
	 "SELECT 'open_' || substr(name, 12), value - (SELECT ifnull(sum(value), 0) FROM counter c"
	 " WHERE c.name IN ('recorded_' || substr(q.name, 12), 'late_confirmed_' ||"
	 " substr(q.name, 12), 'late_amended_' || substr(q.name, 12)))"
	 " FROM counter q WHERE name LIKE 'queue\\_from\\_%' ESCAPE '\\' ORDER BY name"},
	{"recorder", "SELECT name, value FROM counter WHERE name <> 'stamp'"
	 " AND name NOT LIKE 'waited\\_%' ESCAPE '\\' ORDER BY name"},
};

struct gathering {
	statistic_fn *each;
	void *arg;
	const char *section;
};

static int on_row(const struct cell *cells, int columns, void *arg)
{
	struct gathering *g = arg;

	(void)columns;
	g->each(g->section, cells[0].text, &cells[1], g->arg);
	return 0;
}

static void on_counter(const char *name, int64_t value, void *arg)
{
	struct cell cells[2] = { { .kind = CELL_TEXT, .text = text_of(name) },
				 { .kind = CELL_INTEGER, .integer = value } };

	/* Skip the counters that only the plugin uses. */
	if (strcmp(name, "boot") && strcmp(name, "life") && strcmp(name, "kernel_lost_raw"))
		on_row(cells, 2, arg);
}

/* How many events of the cache are not in the ledger yet. */
static void add_lag(struct cache_reader *cache, struct query_db *db, struct gathering *g)
{
	struct sql sql = { 0 };
	uint64_t first, last;
	int rc = cache_reader_bounds(cache, &first, &last);

	if (rc) {
		fprintf(stderr, "sockledger: nothing about the lag: cannot read the cache: %s\n",
			db_strerror(rc));
		return;
	}
	sql_add_number(&sql, "SELECT 'lag', ? - ifnull((SELECT seq FROM position", (int64_t)last);
	sql_add_text(&sql, " WHERE epoch = ?), 0)", cache_reader_generation(cache));
	g->section = "recorder";
	query_run(db, &sql, on_row, g);
	sql_release(&sql);
}

/* Rows of an older ledger that sockledgerd has not moved yet. */
static void add_move(struct query_db *db, struct gathering *g)
{
	struct sql sql = { .failed = false };

	if (query_is_moving(db) <= 0)
		return;
	g->section = "ledger";
	sql_add(&sql, "SELECT 'to_move', " LEDGER_TO_MOVE);
	query_run(db, &sql, on_row, g);
	sql_release(&sql);
}

/* Bounds, beside what there is: 0 where there is none. */
static void add_limits(const struct config *c, struct gathering *g)
{
	const struct { const char *section, *name; int64_t value; } limits[] = {
		{ "ledger", "limit_rows", c->ledger_rows },
		{ "ledger", "limit_bytes", c->ledger_bytes },
		{ "plugin", "limit_rows", c->cache_rows },
		{ "plugin", "limit_bytes", c->cache_bytes },
	};

	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		g->section = limits[i].section;
		on_counter(limits[i].name, limits[i].value, g);
	}
}

/* Cells: name, value. */
static int on_waited(const struct cell *cells, int columns, void *arg)
{
	struct latency *l = arg;
	const struct text name = cells[0].text;

	(void)columns;
	if (text_equal(name, text_of(LATENCY_SUM)))
		l->sum_us = cells[1].integer;
	if (text_equal(name, text_of(LATENCY_MAX)))
		l->max_us = cells[1].integer;
	for (int b = 0; b < LATENCY_COUNT; b++)
		if (text_equal(name, text_of(latency_name((enum latency_bucket)b))))
			l->bucket[b] = cells[1].integer;
	return 0;
}

int statistics_latency(struct query_db *db, struct latency *l)
{
	struct sql sql = { .failed = false };
	int64_t rows;

	*l = (struct latency){ .late = 0 };
	/* A ledger may be anybody's: what is no number is left out. */
	sql_add(&sql, "SELECT name, value FROM counter WHERE name LIKE 'waited\\_%' ESCAPE '\\'"
		      " AND typeof(value) = 'integer'"
		      " AND value BETWEEN 0 AND 1000000000000000");
	rows = query_run(db, &sql, on_waited, l);
	sql_release(&sql);
	return rows < 0 ? -1 : rows > 0;
}

/* Only where there is, or was, a queue. */
static int add_latency(struct query_db *db, struct gathering *g)
{
	struct latency l;
	int rc = statistics_latency(db, &l);

	if (rc <= 0 || !latency_total(&l))
		return rc < 0 ? rc : 0;
	g->section = "latency";
	on_counter("p50_us", latency_quantile_us(&l, 50), g);
	on_counter("p99_us", latency_quantile_us(&l, 99), g);
	on_counter("max_us", l.max_us, g);
	on_counter("mean_us", l.sum_us / latency_total(&l), g);
	return 0;
}

/* The plugin's counters are in the cache, which may be absent: a copied ledger has none. */
static void add_plugin(const struct config *c, struct query_db *db, struct gathering *g)
{
	struct cache_reader *cache = NULL;
	int rc = cache_reader_open(c->cache, &cache);

	g->section = "plugin";
	if (!rc)
		rc = cache_reader_counters(cache, on_counter, g);
	if (rc)
		fprintf(stderr, "sockledger: nothing about the plugin: cannot read the cache "
				"'%s': %s\n", c->cache, db_strerror(rc));
	else
		add_lag(cache, db, g);
	cache_reader_close(cache);
}

int statistics_each(const struct config *c, struct query_db *db, statistic_fn *each, void *arg)
{
	struct gathering g = { .each = each, .arg = arg };
	int rc = 0;

	for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++) {
		struct sql sql = { 0 };

		g.section = questions[i].section;
		sql_add(&sql, questions[i].sql);
		if (query_run(db, &sql, on_row, &g) < 0)
			rc = -1;
		sql_release(&sql);
	}
	if (add_latency(db, &g))
		rc = -1;
	add_limits(c, &g);
	add_move(db, &g);
	add_plugin(c, db, &g);
	return rc;
}
