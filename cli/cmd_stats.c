/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sockledger stats: what was seen, how certain it is, and what was lost. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "cache.h"
#include "cli.h"
#include "db.h"
#include "health.h"
#include "ledger_schema.h"
#include "output.h"
#include "query.h"

static const char *const names[] = { "section", "name", "value" };

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
	{"recorder", "SELECT name, value FROM counter WHERE name <> 'stamp' ORDER BY name"},
};

struct stats {
	struct output *output;
	const char *section;
};

static int on_row(const struct cell *cells, int columns, void *arg)
{
	struct stats *s = arg;
	struct cell row[3] = { { .kind = CELL_TEXT, .text = text_of(s->section) }, cells[0],
			       cells[1] };

	(void)columns;
	output_row(s->output, row);
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

/* Shows how many events of the cache are not in the ledger yet. */
static void show_lag(struct cache_reader *cache, struct query_db *db, struct stats *s)
{
	struct sql sql = { 0 };
	uint64_t first, last;

	if (cache_reader_bounds(cache, &first, &last))
		return;
	sql_add_number(&sql, "SELECT 'lag', ? - ifnull((SELECT seq FROM position", (int64_t)last);
	sql_add_text(&sql, " WHERE epoch = ?), 0)", cache_reader_generation(cache));
	s->section = "recorder";
	query_run(db, &sql, on_row, s);
	sql_release(&sql);
}

/* Rows of an older ledger that sockledgerd has not moved yet. */
static void show_move(struct query_db *db, struct stats *s)
{
	struct sql sql = { .failed = false };

	if (query_is_moving(db) <= 0)
		return;
	s->section = "ledger";
	sql_add(&sql, "SELECT 'to_move', " LEDGER_TO_MOVE);
	query_run(db, &sql, on_row, s);
	sql_release(&sql);
}

/* Bounds, beside what there is: 0 where there is none. */
static void show_limits(const struct config *c, struct stats *s)
{
	const struct { const char *section, *name; int64_t value; } limits[] = {
		{ "ledger", "limit_rows", c->ledger_rows },
		{ "ledger", "limit_bytes", c->ledger_bytes },
		{ "plugin", "limit_rows", c->cache_rows },
		{ "plugin", "limit_bytes", c->cache_bytes },
	};

	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		s->section = limits[i].section;
		on_counter(limits[i].name, limits[i].value, s);
	}
}

/* The first line: whether all is well.  For scripts it is a row like all others. */
static void show_health(struct cli *cli, enum format format, struct stats *s)
{
	struct cell cells[2] = { { .kind = CELL_TEXT, .text = text_of("sentence") },
				 { .kind = CELL_TEXT } };
	struct health h;
	char sentence[768];

	health_read(&h, cli->ledger, cli->config.cache);
	health_sentence(&h, sentence, sizeof(sentence));
	if (format == FORMAT_TABLE) {
		puts(sentence);
		return;
	}
	s->section = "health";
	cells[1].text = text_of(sentence);
	on_row(cells, 2, s);
}

/* The plugin's counters are in the cache, which may be absent: a copied ledger has none. */
static void show_plugin(struct cli *cli, struct query_db *db, struct stats *s)
{
	struct cache_reader *cache;
	int rc = cache_reader_open(cli->config.cache, &cache);

	if (rc) {
		fprintf(stderr, "sockledger stats: nothing about the plugin: cannot read the cache "
				"'%s': %s\n", cli->config.cache, db_strerror(rc));
		return;
	}
	s->section = "plugin";
	cache_reader_counters(cache, on_counter, s);
	show_lag(cache, db, s);
	cache_reader_close(cache);
}

int cmd_stats(struct cli *cli, const struct command *self, int argc, char **argv)
{
	static const struct option options[] = {
		{ "format", required_argument, NULL, 'F' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	enum format format = FORMAT_TABLE;
	struct stats s = { NULL, NULL };
	struct query_db *db;
	int option, status = CLI_FOUND;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (option == 'h')
			return cli_help(self);
		if (option != 'F' || format_parse(optarg, &format))
			return cli_usage(self, "--format is table, json or csv");
	}
	if (optind < argc)
		return cli_usage(self, "unexpected argument '%s'", argv[optind]);
	db = query_open(cli->ledger);
	if (!db)
		return CLI_UNREADABLE;
	s.output = output_new(stdout, format, names, 3);
	if (s.output)
		show_health(cli, format, &s);
	for (size_t i = 0; s.output && i < sizeof(questions) / sizeof(questions[0]); i++) {
		struct sql sql = { 0 };

		s.section = questions[i].section;
		sql_add(&sql, questions[i].sql);
		if (query_run(db, &sql, on_row, &s) < 0)
			status = CLI_UNREADABLE;
		sql_release(&sql);
	}
	if (s.output)
		show_limits(&cli->config, &s);
	if (s.output)
		show_move(db, &s);
	if (s.output)
		show_plugin(cli, db, &s);
	output_end(s.output);
	query_close(db);
	return status;
}
