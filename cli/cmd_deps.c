/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sockledger deps: which user, unit and container depends on which service. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "ledger_schema.h"
#include "options.h"
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
	struct asked asked;
	struct columns columns;
	const char *user, *unit, *container;	/* NULL: any */
	bool metrics, numeric;
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
	sql_add(&s, d->numeric ? "SELECT g.uid," :
		"SELECT ifnull((SELECT text FROM text WHERE id = g.user), g.uid),");
	sql_add(&s, " (SELECT text FROM text WHERE id = g.unit),"
		" (SELECT text FROM text WHERE id = g.container), " PROTOCOL_SQL("g.proto") ","
		" (SELECT text FROM text WHERE id = g.dst), g.dport, g.connections, g.certain,"
		" g.denied, " LEDGER_TIME_TEXT("g.last") " FROM (SELECT p.uid AS uid,"
		" max(p.user) AS user, p.unit AS unit, p.container AS container,"
		" c.proto AS proto, c.dst AS dst, c.dport AS dport, count(*) AS connections,"
		" sum(c.certainty > 2) AS certain, sum(c.verdict > 2) AS denied,"
		" max(c.time) AS last FROM " LEDGER_ALL " c"
		" LEFT JOIN process p ON p.id = c.process WHERE c.direction = 1");
	sql_add_number(&s, " AND c.time >= ?", d->asked.since_us);
	sql_add_number(&s, " AND c.time <= ?", d->asked.until_us);
	if (d->user && is_number(d->user))
		sql_add_number(&s, " AND p.uid = ?", strtoll(d->user, NULL, 10));
	else if (d->user)
		sql_add_text(&s, " AND p.user = (SELECT id FROM text WHERE text = ?)", d->user);
	if (d->unit)
		sql_add_text(&s, " AND p.unit = (SELECT id FROM text WHERE text = ?)", d->unit);
	if (d->container)
		sql_add_text(&s, " AND p.container = (SELECT id FROM text WHERE text = ?)",
			     d->container);
	sql_add_number(&s, " GROUP BY 1, 3, 4, 5, 6, 7 ORDER BY connections DESC, last DESC"
		       " LIMIT ?) g ORDER BY g.connections DESC, g.last DESC", d->asked.limit);
	rows = query_run(db, &s, on_row, d);
	sql_release(&s);
	return rows;
}

static int answer(struct cli *cli, struct deps *d)
{
	struct query_db *db = query_open(cli->ledger);
	int64_t rows;

	if (!db)
		return CLI_UNREADABLE;
	d->numeric = cli->style.numeric;
	if (d->metrics) {
		puts("# HELP sockledger_dependency_connections Outgoing connections of the time"
		     " asked for, by who opened them and where to\n"
		     "# TYPE sockledger_dependency_connections gauge");
	} else {
		style_begin(&cli->style, d->asked.format == FORMAT_TABLE, true);
		d->output = output_new_chosen(stdout, d->asked.format, names, &d->columns);
		output_set_style(d->output, &cli->style);
		output_may_fold(d->output);
	}
	rows = d->metrics || d->output ? show(d, db) : -1;
	output_end(d->output);
	query_close(db);
	return rows < 0 ? CLI_UNREADABLE : rows ? CLI_FOUND : CLI_NOTHING;
}

static bool take(int option, const char *value, void *arg)
{
	struct deps *d = arg;

	if (option == 'F') {
		d->metrics = !strcmp(value, "metrics");
		return d->metrics || !format_parse(value, &d->asked.format);
	}
	*(option == 'u' ? &d->user : option == 'U' ? &d->unit : &d->container) = value;
	return true;
}

int cmd_deps(struct cli *cli, const struct command *self, int argc, char **argv)
{
	static const struct option table[] = {
		OPTION_SINCE, OPTION_UNTIL,
		{ "user", required_argument, NULL, 'u' },
		{ "unit", required_argument, NULL, 'U' },
		{ "container", required_argument, NULL, 'C' },
		OPTION_LIMIT,
		{ "format", required_argument, NULL, 'F' },
		OPTION_OUTPUT, OPTION_HELP,
	};
	struct deps d = { .metrics = false };
	const struct options options = { table, &d.asked, take, &d, 0, names, COLUMNS };
	int status;

	asked_init(&d.asked, 24 * LEDGER_HOUR_US);
	d.asked.limit = LIMIT;
	status = options_read(self, &options, argc, argv);
	if (status >= 0)
		return status;
	columns_all(&d.columns, COLUMNS);
	return asked_columns(self, &d.asked, names, COLUMNS, &d.columns) ? answer(cli, &d) :
									   CLI_USAGE;
}
