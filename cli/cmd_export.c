/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sockledger export: connections for other programs, in formats of theirs. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "export.h"
#include "ledger_schema.h"
#include "listing.h"
#include "output.h"

enum { OPT_FORMAT = 256 };

/* Beside the ledger's columns. */
static const char *const more_columns[] = { "id", "community_id" };
#define MORE_COLUMNS ((int)(sizeof(more_columns) / sizeof(more_columns[0])))

struct export {
	struct listing list;
	/* One of these. */
	enum format format;
	void (*write)(FILE *out, const struct exported *e);	/* NULL: the ledger's own columns */
	struct output *output;
	struct cell *row;
};

static bool choose_format(struct export *x, const char *name)
{
	static const struct {
		const char *name;
		enum format format;
		void (*write)(FILE *out, const struct exported *e);
	} formats[] = {
		{ "jsonl", FORMAT_JSON, NULL }, { "csv", FORMAT_CSV, NULL },
		{ "ecs", FORMAT_JSON, export_ecs }, { "ocsf", FORMAT_JSON, export_ocsf },
	};

	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		if (strcmp(formats[i].name, name))
			continue;
		x->format = formats[i].format;
		x->write = formats[i].write;
		return true;
	}
	return false;
}

static int on_row(const struct cell *cells, int columns, void *arg)
{
	struct export *x = arg;
	struct exported e;

	export_read(&e, cells, columns);
	if (x->write) {
		x->write(stdout, &e);
		return 0;
	}
	memcpy(x->row, cells, (size_t)ledger_column_count * sizeof(*cells));
	x->row[ledger_column_count] = cells[columns - 1];
	x->row[ledger_column_count + 1] = (struct cell){
		.kind = *e.community ? CELL_TEXT : CELL_NULL, .text = text_of(e.community),
	};
	output_row(x->output, x->row);
	return 0;
}

static void flush(void *arg)
{
	struct export *x = arg;

	output_flush(x->output);
}

/* The names and a row of what has the ledger's columns. */
static bool open_output(struct export *x)
{
	size_t count = (size_t)ledger_column_count + MORE_COLUMNS;
	const char **names = calloc(count, sizeof(*names));

	x->row = calloc(count, sizeof(*x->row));
	if (names && x->row) {
		memcpy(names, ledger_columns, (size_t)ledger_column_count * sizeof(*names));
		memcpy(names + ledger_column_count, more_columns, sizeof(more_columns));
		x->output = output_new(stdout, x->format, names, (int)count);
	}
	free(names);
	return x->output != NULL;
}

static int export_rows(struct export *x, struct cli *cli)
{
	int status = open_output(x) ? listing_show(&x->list, cli->ledger) : CLI_UNREADABLE;

	output_end(x->output);
	free(x->row);
	return status;
}

int cmd_export(struct cli *cli, const struct command *self, int argc, char **argv)
{
	struct option options[LISTING_OPTIONS + 3] = {
		[LISTING_OPTIONS] = { "format", required_argument, NULL, OPT_FORMAT },
		{ "help", no_argument, NULL, 'h' },
	};
	struct export x = { .list = { .limit = -1, .row = on_row, .flush = flush },
			    .format = FORMAT_JSON };
	int option, status = -1;

	x.list.arg = &x;
	listing_options(options);
	while (status < 0 && (option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		bool good = true;

		if (option == 'h')
			status = cli_help(self);
		else if (option == '?')
			status = cli_usage(self, "cannot go on");
		else if (option == OPT_FORMAT)
			good = choose_format(&x, optarg);
		else
			listing_option(&x.list, option, optarg, &good);
		if (!good)
			status = cli_usage(self, "'%s' is no value that this option can have",
					   optarg);
	}
	if (status < 0)
		status = optind < argc ? cli_usage(self, "unexpected argument '%s'", argv[optind]) :
					 export_rows(&x, cli);
	listing_release(&x.list);
	return status;
}
