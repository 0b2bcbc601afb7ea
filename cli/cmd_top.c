/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sockledger top: which programs, users, destinations or ports had the most connections. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "clock.h"
#include "connection.h"
#include "ledger_schema.h"
#include "output.h"
#include "query.h"

#define LIMIT 20

/* What can be counted by: a column of tally, and what is shown for it. */
static const struct kind {
	const char *name, *column, *shown;
} kinds[] = {
	{ "program", "exe", "(SELECT text FROM text WHERE id = n.exe)" },
	/* A uid's name is that which its newest process has. */
	{ "user", "uid", "ifnull((SELECT (SELECT text FROM text WHERE id = p.user) FROM process p"
	  " WHERE p.uid = n.uid ORDER BY p.id DESC LIMIT 1), nullif(n.uid, -1))" },
	{ "dst", "dst", "(SELECT text FROM text WHERE id = n.dst)" },
	{ "dport", "dport", "nullif(n.dport, -1)" },
	{ "verdict", "verdict", LEDGER_VERDICT_WORD("n.verdict") },
	{ "certainty", "certainty", LEDGER_CERTAINTY_WORD("n.certainty") },
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))
#define KINDS_MOST 3

struct top {
	const struct kind *by[KINDS_MOST];
	int count;
	int64_t since_us, until_us, limit;
	int verdict, certainty;	/* 0: any */
	struct output *output;
};

/* "program", or several with commas between. */
static bool parse_by(struct top *t, const char *text)
{
	t->count = 0;
	for (size_t len; *text; text += len + (text[len] == ',')) {
		const struct kind *found = NULL;

		len = strcspn(text, ",");
		for (size_t i = 0; i < KINDS; i++)
			if (strlen(kinds[i].name) == len && !strncmp(kinds[i].name, text, len))
				found = &kinds[i];
		if (!found || t->count == KINDS_MOST)
			return false;
		t->by[t->count++] = found;
	}
	return t->count > 0;
}

static int on_row(const struct cell *cells, int columns, void *arg)
{
	struct top *t = arg;

	(void)columns;
	output_row(t->output, cells);
	return 0;
}

/* From the counts, whose key begins with the hour. */
static int64_t show(struct top *t, struct query_db *db)
{
	struct sql s = { .failed = false };
	int64_t rows;

	sql_add(&s, "SELECT ");
	for (int i = 0; i < t->count; i++) {
		sql_add(&s, t->by[i]->shown);
		sql_add(&s, ", ");
	}
	sql_add(&s, "n.connections FROM (SELECT exe, uid, dst, dport, verdict, certainty,"
		" sum(count) AS connections FROM tally_all WHERE ");
	sql_add_number(&s, "hour >= ?", t->since_us / LEDGER_HOUR_US);
	sql_add_number(&s, " AND hour <= ?", t->until_us / LEDGER_HOUR_US);
	if (t->verdict)
		sql_add_number(&s, " AND verdict = ?", t->verdict);
	if (t->certainty)
		sql_add_number(&s, " AND certainty = ?", t->certainty);
	for (int i = 0; i < t->count; i++) {
		sql_add(&s, i ? ", " : " GROUP BY ");
		sql_add(&s, t->by[i]->column);
	}
	sql_add_number(&s, " ORDER BY connections DESC LIMIT ?) n ORDER BY n.connections DESC",
		       t->limit);
	rows = query_run(db, &s, on_row, t);
	sql_release(&s);
	return rows;
}

static int answer(struct cli *cli, struct top *t, enum format format)
{
	const char *names[KINDS_MOST + 1];
	struct query_db *db = query_open(cli->ledger);
	int64_t rows = -1;

	if (!db)
		return CLI_UNREADABLE;
	for (int i = 0; i < t->count; i++)
		names[i] = t->by[i]->name;
	names[t->count] = "connections";
	t->output = output_new(stdout, format, names, t->count + 1);
	if (t->output)
		rows = show(t, db);
	output_end(t->output);
	query_close(db);
	return rows < 0 ? CLI_UNREADABLE : rows ? CLI_FOUND : CLI_NOTHING;
}

int cmd_top(struct cli *cli, const struct command *self, int argc, char **argv)
{
	static const struct option options[] = {
		{ "by", required_argument, NULL, 'b' },
		{ "since", required_argument, NULL, 's' },
		{ "until", required_argument, NULL, 'u' },
		{ "verdict", required_argument, NULL, 'v' },
		{ "certainty", required_argument, NULL, 'c' },
		{ "limit", required_argument, NULL, 'l' },
		{ "format", required_argument, NULL, 'F' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int64_t now = clock_now_us();
	struct top t = { .by = { &kinds[0] }, .count = 1, .limit = LIMIT, .until_us = now,
			 .since_us = now - 24 * LEDGER_HOUR_US };
	enum format format = FORMAT_TABLE;
	int option;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		bool good = true;
		char *end = NULL;

		if (option == 'h')
			return cli_help(self);
		if (option == 'b')
			good = parse_by(&t, optarg);
		if (option == 's' || option == 'u')
			good = !time_parse(optarg, now, option == 's' ? &t.since_us : &t.until_us);
		if (option == 'v')
			good = (t.verdict = verdict_parse(optarg)) != 0;
		if (option == 'c')
			good = (t.certainty = certainty_parse(optarg)) != 0;
		if (option == 'l')
			good = (t.limit = strtoll(optarg, &end, 10)) > 0 && !*end;
		if (option == 'F')
			good = !format_parse(optarg, &format);
		if (option == '?')
			return cli_usage(self, "cannot go on");
		if (!good)
			return cli_usage(self, "'%s' is no value that this option can have",
					 optarg);
	}
	if (optind < argc)
		return cli_usage(self, "unexpected argument '%s'", argv[optind]);
	return answer(cli, &t, format);
}
