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
#include "options.h"
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

struct top {
	struct asked asked;
	struct counts counts;
	const char *names[BY_MOST + 1];
	struct columns columns;
	bool watching;
};

static int answer(struct query_db *db, const struct top *t, const struct counts *c,
		  const struct style *style)
{
	struct output *o = output_new_chosen(stdout, t->asked.format, t->names, &t->columns);
	int64_t rows = -1;

	output_set_style(o, style);
	if (!t->watching)	/* whose screen has so many rows as lines */
		output_may_fold(o);
	if (o)
		rows = counts_run(c, db, on_row, o);
	output_end(o);
	return rows < 0 ? CLI_UNREADABLE : rows ? CLI_FOUND : CLI_NOTHING;
}

struct watched {
	struct query_db *db;
	const struct top *top;
	struct style *style;
	int64_t span_us;	/* since and until move on with the time: so far apart they are */
};

/* A heading, an empty line, the names of the columns, and as many as there is room for. */
static int draw(int lines, void *arg)
{
	struct watched *w = arg;
	struct counts c = w->top->counts;
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
	return answer(w->db, w->top, &c, w->style) == CLI_UNREADABLE ? CLI_UNREADABLE : 0;
}

static int watch(const struct command *self, struct query_db *db, const struct top *t,
		 struct style *style)
{
	struct watched w = { db, t, style, t->counts.until_us - t->counts.since_us };
	int status = watch_run(WATCH_MS, draw, &w);

	if (status == -ENOTTY)
		return cli_usage(self, "--watch wants a terminal");
	return status;
}

static bool take(int option, const char *value, void *arg)
{
	struct top *t = arg;

	switch (option) {
	case 'b':
		return counts_parse_by(&t->counts, value, BY_MOST);
	case 'v':
		return (t->counts.verdict = verdict_parse(value)) != 0;
	case 'c':
		return (t->counts.certainty = certainty_parse(value)) != 0;
	default:
		t->watching = true;
		return true;
	}
}

/* False where one of what was chosen is no column. */
static bool set_columns(struct top *t, const struct command *self)
{
	int count = t->counts.count + 1;

	for (int i = 0; i < t->counts.count; i++)
		t->names[i] = count_by_name(t->counts.by[i]);
	t->names[t->counts.count] = "connections";
	columns_all(&t->columns, count);
	return asked_columns(self, &t->asked, t->names, count, &t->columns);
}

int cmd_top(struct cli *cli, const struct command *self, int argc, char **argv)
{
	static const struct option table[] = {
		{ "by", required_argument, NULL, 'b' },
		OPTION_SINCE, OPTION_UNTIL,
		{ "verdict", required_argument, NULL, 'v' },
		{ "certainty", required_argument, NULL, 'c' },
		OPTION_LIMIT, OPTION_FORMAT, OPTION_OUTPUT,
		{ "watch", no_argument, NULL, 'w' },
		OPTION_HELP,
	};
	/* What is there without --by. */
	static const char *const names[] = { "program", "connections" };
	struct top t = { .counts = { .by = { COUNT_PROGRAM }, .count = 1 } };
	const struct options options = { table, &t.asked, take, &t, 0, names, 2 };
	struct query_db *db;
	int status;

	asked_init(&t.asked, 24 * LEDGER_HOUR_US);
	t.asked.limit = LIMIT;
	status = options_read(self, &options, argc, argv);
	if (status >= 0)
		return status;
	if (!set_columns(&t, self))
		return CLI_USAGE;
	if (t.watching && (t.asked.ends || t.asked.format != FORMAT_TABLE))
		return cli_usage(self, "--watch goes neither with --until nor with --format");
	t.counts.since_us = t.asked.since_us;
	t.counts.until_us = t.asked.until_us;
	t.counts.limit = t.asked.limit;
	db = query_open(cli->ledger);
	if (!db)
		return CLI_UNREADABLE;
	style_begin(&cli->style, t.asked.format == FORMAT_TABLE, !t.watching);
	status = t.watching ? watch(self, db, &t, &cli->style) :
			      answer(db, &t, &t.counts, &cli->style);
	query_close(db);
	return status;
}
