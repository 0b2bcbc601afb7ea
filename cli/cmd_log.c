/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sockledger log: connections, filtered. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "ledger_schema.h"
#include "listing.h"
#include "output.h"

enum { OPT_FORMAT = 256 };

struct log {
	struct listing list;
	enum format format;
	struct output *output;
};

/* The columns of a table are fewer than a ledger's, to fit a terminal. */
static const char *const table_names[] = {
	"TIME", "PROTO", "SOURCE", "DESTINATION", "PID", "USER", "PROGRAM", "CERTAINTY", "VERDICT",
};

/* Writes "ADDR:PORT" into buf, with ? for an unknown part; an empty cell where both are unknown. */
static struct cell endpoint_cell(const struct cell *addr, const struct cell *port, char *buf,
				 size_t size)
{
	struct text a = addr->kind == CELL_TEXT ? addr->text : text_of(OUTPUT_UNKNOWN);
	bool v6 = a.len && memchr(a.data, ':', a.len);
	char number[24] = OUTPUT_UNKNOWN;

	if (addr->kind != CELL_TEXT && port->kind != CELL_INTEGER)
		return (struct cell){ .kind = CELL_TEXT, .text = TEXT_NONE };
	if (port->kind == CELL_INTEGER)
		snprintf(number, sizeof(number), "%lld", (long long)port->integer);
	snprintf(buf, size, v6 ? "[%.*s]:%s" : "%.*s:%s", (int)a.len, a.data, number);
	return (struct cell){ .kind = CELL_TEXT, .text = text_of(buf) };
}

static void table_row(struct log *l, const struct cell *cells)
{
	char src[128], dst[128];
	const struct cell *exe = find_cell(cells, "exe");
	struct cell row[] = {
		*find_cell(cells, "time"), *find_cell(cells, "proto"),
		endpoint_cell(find_cell(cells, "src"), find_cell(cells, "sport"), src, sizeof(src)),
		endpoint_cell(find_cell(cells, "dst"), find_cell(cells, "dport"), dst, sizeof(dst)),
		*find_cell(cells, "pid"), *find_cell(cells, "user"),
		exe->kind == CELL_TEXT ? *exe : *find_cell(cells, "comm"),
		*find_cell(cells, "certainty"), *find_cell(cells, "verdict"),
	};

	if (row[5].kind == CELL_NULL)
		row[5] = *find_cell(cells, "uid");
	output_row(l->output, row);
}

/* The columns of the view, and more. */
static int on_row(const struct cell *cells, int columns, void *arg)
{
	struct log *l = arg;

	(void)columns;
	if (l->format == FORMAT_TABLE)
		table_row(l, cells);
	else
		output_row(l->output, cells);
	return 0;
}

static void flush(void *arg)
{
	struct log *l = arg;

	output_flush(l->output);
}

static int show_connections(struct log *l, struct cli *cli)
{
	int status;

	l->output = l->format == FORMAT_TABLE ?
			    output_new(stdout, l->format, table_names,
				       sizeof(table_names) / sizeof(table_names[0])) :
			    output_new(stdout, l->format, ledger_columns, ledger_column_count);
	status = l->output ? listing_show(&l->list, cli->ledger) : CLI_UNREADABLE;
	output_end(l->output);
	return status;
}

int cmd_log(struct cli *cli, const struct command *self, int argc, char **argv)
{
	struct option options[LISTING_OPTIONS + 3] = {
		[LISTING_OPTIONS] = { "format", required_argument, NULL, OPT_FORMAT },
		{ "help", no_argument, NULL, 'h' },
	};
	struct log l = { .list = { .limit = -1, .row = on_row, .flush = flush } };
	int option, status;

	l.list.arg = &l;
	listing_options(options);
	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		bool good = true;

		if (option == 'h' || option == '?') {
			listing_release(&l.list);
			return option == 'h' ? cli_help(self) : cli_usage(self, "cannot go on");
		}
		if (option == OPT_FORMAT)
			good = !format_parse(optarg, &l.format);
		else
			listing_option(&l.list, option, optarg, &good);
		if (!good) {
			listing_release(&l.list);
			return cli_usage(self, "'%s' is no value that this option can have",
					 optarg);
		}
	}
	status = optind < argc ? cli_usage(self, "unexpected argument '%s'", argv[optind]) :
				 show_connections(&l, cli);
	listing_release(&l.list);
	return status;
}
