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

static void on_statistic(const char *section, struct text name, const struct cell *value,
			 void *arg)
{
	const struct cell row[3] = { { .kind = CELL_TEXT, .text = text_of(section) },
				     { .kind = CELL_TEXT, .text = name }, *value };

	output_row(arg, row);
}

/* The first line: whether all is well.  For scripts it is a row like all others. */
static void show_health(struct cli *cli, enum format format, struct output *o)
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
		     &(struct cell){ .kind = CELL_TEXT, .text = text_of(sentence) }, o);
}

int cmd_stats(struct cli *cli, const struct command *self, int argc, char **argv)
{
	static const struct option options[] = {
		{ "format", required_argument, NULL, 'F' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	enum format format = FORMAT_TABLE;
	struct output *o;
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
	o = output_new(stdout, format, names, 3);
	if (o) {
		show_health(cli, format, o);
		if (statistics_each(&cli->config, db, on_statistic, o))
			status = CLI_UNREADABLE;
	}
	output_end(o);
	query_close(db);
	return status;
}
