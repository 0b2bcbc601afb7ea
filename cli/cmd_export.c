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
#include "options.h"
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

static bool take(int option, const char *value, void *arg)
{
	struct export *x = arg;

	return option == OPT_FORMAT ? choose_format(x, value) :
				      listing_option(&x->list, option, value);
}

int cmd_export(struct cli *cli, const struct command *self, int argc, char **argv)
{
	struct option table[LISTING_OPTIONS + 3] = {
		[LISTING_OPTIONS] = { "format", required_argument, NULL, OPT_FORMAT }, OPTION_HELP,
	};
	struct export x = { .list = { .limit = -1, .row = on_row, .flush = flush },
			    .format = FORMAT_JSON };
	const struct options options = { .table = table, .own = take, .arg = &x };
	int status;

	x.list.arg = &x;
	listing_options(table);
	status = options_read(self, &options, argc, argv);
	if (status < 0)
		status = export_rows(&x, cli);
	listing_release(&x.list);
	return status;
}
