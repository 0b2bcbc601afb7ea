/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sockledger top: which programs, users, destinations or ports had the most connections. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "clock.h"
#include "connection.h"
#include "counts.h"
#include "ledger_schema.h"
#include "output.h"
#include "query.h"
#include "watch.h"

#define LIMIT 20
#define BY_MOST 3
#define WATCH_MS 2000

static int on_row(const struct cell *cells, int columns, void *arg)
{
	(void)columns;
	output_row(arg, cells);
	return 0;
}

static int answer(struct query_db *db, const struct counts *t, enum format format,
		  const struct style *style)
{
	const char *names[BY_MOST + 1];
	struct output *o;
	int64_t rows = -1;

	for (int i = 0; i < t->count; i++)
		names[i] = count_by_name(t->by[i]);
	names[t->count] = "connections";
	o = output_new(stdout, format, names, t->count + 1);
	output_set_style(o, style);
	if (o)
		rows = counts_run(t, db, on_row, o);
	output_end(o);
	return rows < 0 ? CLI_UNREADABLE : rows ? CLI_FOUND : CLI_NOTHING;
}

struct watched {
	struct query_db *db;
	struct counts counts;
	struct style *style;
	int64_t span_us;	/* since and until move on with the time: so far apart they are */
};

/* A heading, an empty line, the names of the columns, and as many as there is room for. */
static int draw(int lines, void *arg)
{
	struct watched *w = arg;
	struct counts c = w->counts;
	char now[TIME_TEXT_MAX], local[TIME_TEXT_MAX];
	struct text shown;

	c.until_us = clock_now_us();
	c.since_us = c.until_us - w->span_us;
	if (c.limit > lines - 3)
		c.limit = lines > 3 ? lines - 3 : 1;
	shown = style_time(w->style, text_of(time_format(c.until_us, now)), local);
	/* Without the part of a second. */
	printf("%.19s%.*s  q ends\n", shown.data, (int)(shown.len - 26), shown.data + 26);
	if (lines > 3)
		putchar('\n');
	return answer(w->db, &c, FORMAT_TABLE, w->style) == CLI_UNREADABLE ? CLI_UNREADABLE : 0;
}

static int watch(const struct command *self, struct query_db *db, const struct counts *t,
		 struct style *style)
{
	struct watched w = { db, *t, style, t->until_us - t->since_us };
	int status = watch_run(WATCH_MS, draw, &w);

	if (status == -ENOTTY)
		return cli_usage(self, "--watch wants a terminal");
	return status;
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
		{ "watch", no_argument, NULL, 'w' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int64_t now = clock_now_us();
	struct counts t = { .by = { COUNT_PROGRAM }, .count = 1, .limit = LIMIT, .until_us = now,
			    .since_us = now - 24 * LEDGER_HOUR_US };
	enum format format = FORMAT_TABLE;
	struct query_db *db;
	bool watching = false, ends = false;
	int option, status;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		bool good = true;
		char *end = NULL;

		if (option == 'h')
			return cli_help(self);
		if (option == 'b')
			good = counts_parse_by(&t, optarg, BY_MOST);
		if (option == 's' || option == 'u')
			good = !time_parse(optarg, now, option == 's' ? &t.since_us : &t.until_us);
		if (option == 'u')
			ends = true;
		if (option == 'w')
			watching = true;
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
	if (watching && (ends || format != FORMAT_TABLE))
		return cli_usage(self, "--watch goes neither with --until nor with --format");
	db = query_open(cli->ledger);
	if (!db)
		return CLI_UNREADABLE;
	style_begin(&cli->style, format == FORMAT_TABLE, !watching);
	status = watching ? watch(self, db, &t, &cli->style) :
			    answer(db, &t, format, &cli->style);
	query_close(db);
	return status;
}
