/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sockledger stats: what was seen, how certain it is, and what was lost. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "health.h"
#include "output.h"
#include "query.h"
#include "statistics.h"

static const char *const names[] = { "section", "name", "value" };

struct shown {
	struct output *output;
	const struct style *style;
};

static void on_statistic(const char *section, struct text name, const struct cell *value,
			 void *arg)
{
	const struct shown *s = arg;
	struct cell row[3] = { { .kind = CELL_TEXT, .text = text_of(section) },
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

int cmd_stats(struct cli *cli, const struct command *self, int argc, char **argv)
{
	static const struct option options[] = {
		{ "format", required_argument, NULL, 'F' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	enum format format = FORMAT_TABLE;
	struct shown s = { NULL, &cli->style };
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
	style_begin(&cli->style, format == FORMAT_TABLE, true);
	s.output = output_new(stdout, format, names, 3);
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
