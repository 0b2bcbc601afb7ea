/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sockledger deps: which user, unit and container depends on which service. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "clock.h"
#include "ledger_schema.h"
#include "output.h"
#include "protocol.h"
#include "query.h"

#define LIMIT 100
/* The last columns are about the rows, those before them are what is depended on by whom. */
enum { LABELS = 6, CONNECTIONS = LABELS, COLUMNS = LABELS + 4 };

static const char *const names[COLUMNS] = {
	"user", "unit", "container", "proto", "dst", "dport", "connections", "certain", "denied",
	"last",
};

struct deps {
	int64_t since_us, until_us, limit;
	const char *user, *unit, *container;	/* NULL: any */
	bool metrics;
	struct output *output;
};

/* A label's value: what would harm a terminal is shown as text_print() does, and then quoted. */
static void print_label(struct text t)
{
	char *shown = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&shown, &len);

	if (f) {
		text_print(f, t, 0);
		fclose(f);
	}
	for (size_t i = 0; shown && i < len; i++) {
		if (shown[i] == '\\' || shown[i] == '"')
			putchar('\\');
		putchar(shown[i]);
	}
	free(shown);
}

/* As Prometheus reads it; what is not known has no value. */
static void print_metric(const struct cell *cells)
{
	fputs("sockledger_dependency_connections{", stdout);
	for (int i = 0; i < LABELS; i++) {
		printf("%s%s=\"", i ? "," : "", names[i]);
		if (cells[i].kind == CELL_TEXT)
			print_label(cells[i].text);
		else if (cells[i].kind == CELL_INTEGER)
			printf("%" PRId64, cells[i].integer);
		putchar('"');
	}
	printf("} %" PRId64 "\n", cells[CONNECTIONS].integer);
}

static int on_row(const struct cell *cells, int columns, void *arg)
{
	struct deps *d = arg;

	(void)columns;
	if (d->metrics)
		print_metric(cells);
	else
		output_row(d->output, cells);
	return 0;
}

static bool is_number(const char *text)
{
	return *text && strspn(text, "0123456789") == strlen(text);
}

static int64_t show(struct deps *d, struct query_db *db)
{
	struct sql s = { .failed = false };
	int64_t rows;

	/* By the numbers of the texts; the few that are left get their words. */
	sql_add(&s, "SELECT ifnull((SELECT text FROM text WHERE id = g.user), g.uid),"
		" (SELECT text FROM text WHERE id = g.unit),"
		" (SELECT text FROM text WHERE id = g.container), " PROTOCOL_SQL("g.proto") ","
		" (SELECT text FROM text WHERE id = g.dst), g.dport, g.connections, g.certain,"
		" g.denied, " LEDGER_TIME_TEXT("g.last") " FROM (SELECT p.uid AS uid,"
		" max(p.user) AS user, p.unit AS unit, p.container AS container,"
		" c.proto AS proto, c.dst AS dst, c.dport AS dport, count(*) AS connections,"
		" sum(c.certainty > 2) AS certain, sum(c.verdict > 2) AS denied,"
		" max(c.time) AS last FROM " LEDGER_ALL " c"
		" LEFT JOIN process p ON p.id = c.process WHERE c.direction = 1");
	sql_add_number(&s, " AND c.time >= ?", d->since_us);
	sql_add_number(&s, " AND c.time <= ?", d->until_us);
	if (d->user && is_number(d->user))
		sql_add_number(&s, " AND p.uid = ?", strtoll(d->user, NULL, 10));
	else if (d->user)
		sql_add_text(&s, " AND p.user = (SELECT id FROM text WHERE text = ?)", d->user);
	if (d->unit)
		sql_add_text(&s, " AND p.unit = (SELECT id FROM text WHERE text = ?)", d->unit);
	if (d->container)
		sql_add_text(&s, " AND p.container = (SELECT id FROM text WHERE text = ?)",
			     d->container);
	sql_add_number(&s, " GROUP BY 1, 3, 4, 5, 6, 7 ORDER BY connections DESC LIMIT ?) g"
		       " ORDER BY g.connections DESC", d->limit);
	rows = query_run(db, &s, on_row, d);
	sql_release(&s);
	return rows;
}

static int answer(struct cli *cli, struct deps *d, enum format format)
{
	struct query_db *db = query_open(cli->ledger);
	int64_t rows;

	if (!db)
		return CLI_UNREADABLE;
	if (d->metrics)
		puts("# HELP sockledger_dependency_connections Outgoing connections of the time"
		     " asked for, by who opened them and where to\n"
		     "# TYPE sockledger_dependency_connections gauge");
	else
		d->output = output_new(stdout, format, names, COLUMNS);
	rows = d->metrics || d->output ? show(d, db) : -1;
	output_end(d->output);
	query_close(db);
	return rows < 0 ? CLI_UNREADABLE : rows ? CLI_FOUND : CLI_NOTHING;
}

int cmd_deps(struct cli *cli, const struct command *self, int argc, char **argv)
{
	static const struct option options[] = {
		{ "since", required_argument, NULL, 's' },
		{ "until", required_argument, NULL, 't' },
		{ "user", required_argument, NULL, 'u' },
		{ "unit", required_argument, NULL, 'U' },
		{ "container", required_argument, NULL, 'C' },
		{ "limit", required_argument, NULL, 'l' },
		{ "format", required_argument, NULL, 'F' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int64_t now = clock_now_us();
	struct deps d = { .since_us = now - 24 * LEDGER_HOUR_US, .until_us = now, .limit = LIMIT };
	enum format format = FORMAT_TABLE;
	int option;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		bool good = true;
		char *end = NULL;

		if (option == 'h')
			return cli_help(self);
		if (option == 's' || option == 't')
			good = !time_parse(optarg, now, option == 's' ? &d.since_us : &d.until_us);
		if (option == 'u')
			d.user = optarg;
		if (option == 'U')
			d.unit = optarg;
		if (option == 'C')
			d.container = optarg;
		if (option == 'l')
			good = (d.limit = strtoll(optarg, &end, 10)) > 0 && !*end;
		if (option == 'F' && !(d.metrics = !strcmp(optarg, "metrics")))
			good = !format_parse(optarg, &format);
		if (option == '?')
			return cli_usage(self, "cannot go on");
		if (!good)
			return cli_usage(self, "'%s' is no value that this option can have",
					 optarg);
	}
	if (optind < argc)
		return cli_usage(self, "unexpected argument '%s'", argv[optind]);
	return answer(cli, &d, format);
}
