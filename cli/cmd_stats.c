/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sockledger stats: what was seen, how certain it is, and what was lost. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "health.h"
#include "options.h"
#include "output.h"
#include "query.h"
#include "statistics.h"

static const char *const names[] = { "section", "name", "value" };
#define NAMES 3

struct shown {
	struct output *output;
	const struct style *style;
};

static void on_statistic(const char *section, struct text name, const struct cell *value,
			 void *arg)
{
	const struct shown *s = arg;
	struct cell row[NAMES] = { { .kind = CELL_TEXT, .text = text_of(section) },
			       { .kind = CELL_TEXT, .text = name }, *value };
	char local[TIME_TEXT_MAX];

	/* The only texts among the values are times, and the sentence. */
	if (row[2].kind == CELL_TEXT)
		row[2].text = style_time(s->style, row[2].text, local);
	output_row(s->output, row);
}

/* The first line: whether all is well.  For scripts it is a row like all others. */
static void show_health(struct cli *cli, enum format format, struct shown *s)
{
	struct health h;
	char sentence[768];

	health_read(&h, cli->ledger, cli->config.cache);
	health_sentence(&h, sentence, sizeof(sentence));
	if (format == FORMAT_TABLE) {
		puts(sentence);
		return;
	}
	on_statistic("health", text_of("sentence"),
		     &(struct cell){ .kind = CELL_TEXT, .text = text_of(sentence) }, s);
}

static int answer(struct cli *cli, enum format format, const struct columns *columns)
{
	struct query_db *db = query_open(cli->ledger);
	struct shown s = { NULL, &cli->style };
	int status = CLI_FOUND;

	if (!db)
		return CLI_UNREADABLE;
	style_begin(&cli->style, format == FORMAT_TABLE, true);
	s.output = output_new_chosen(stdout, format, names, columns);
	output_set_style(s.output, s.style);
	if (s.output) {
		show_health(cli, format, &s);
		if (statistics_each(&cli->config, db, on_statistic, &s))
			status = CLI_UNREADABLE;
	}
	output_end(s.output);
	query_close(db);
	return status;
}

int cmd_stats(struct cli *cli, const struct command *self, int argc, char **argv)
{
	static const struct option table[] = { OPTION_FORMAT, OPTION_OUTPUT, OPTION_HELP };
	struct asked asked = { .format = FORMAT_TABLE };
	const struct options options = { .table = table, .asked = &asked, .columns = names,
					 .column_count = NAMES };
	struct columns columns;
	int status = options_read(self, &options, argc, argv);

	if (status >= 0)
		return status;
	columns_all(&columns, NAMES);
	return asked_columns(self, &asked, names, NAMES, &columns) ?
	       answer(cli, asked.format, &columns) : CLI_USAGE;
}
