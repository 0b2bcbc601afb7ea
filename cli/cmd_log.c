/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sockledger log: connections, filtered. */
#include <ctype.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "columns.h"
#include "ledger_schema.h"
#include "listing.h"
#include "output.h"

enum { OPT_FORMAT = 256 };

struct log {
	struct listing list;
	enum format format;
	const char *chosen;	/* columns; NULL: the usual ones */
	struct columns columns;
	const struct style *style;
	struct output *output;
};

/* Beside the ledger's columns, for a table: both ends with their ports, and the program as far as
 * it is known. */
static const char *const more[] = { "source", "destination", "program" };
enum { SOURCE, DESTINATION, PROGRAM, MORE };
/* A table's are fewer, to fit a terminal. */
static const char usual[] = "time,proto,source,destination,pid,user,program,certainty,verdict";

static int all_names(const char *names[COLUMNS_MAX])
{
	int n = 0;

	for (int i = 0; i < ledger_column_count; i++)
		names[n++] = ledger_columns[i];
	for (int i = 0; i < MORE; i++)
		names[n++] = more[i];
	return n;
}

/* Writes "ADDR:PORT" into buf, with ? for an unknown part; an empty cell where both are unknown.
 * proto: whose names of ports may be shown; NULL: numbers. */
static struct cell endpoint_cell(const struct log *l, const struct cell *addr,
				 const struct cell *port, const char *proto, char *buf, size_t size)
{
	struct text a = addr->kind == CELL_TEXT ? addr->text : text_of(OUTPUT_UNKNOWN);
	bool v6 = a.len && memchr(a.data, ':', a.len);
	char number[32] = OUTPUT_UNKNOWN;

	if (addr->kind != CELL_TEXT && port->kind != CELL_INTEGER)
		return (struct cell){ .kind = CELL_TEXT, .text = TEXT_NONE };
	if (port->kind == CELL_INTEGER)
		style_port(l->style, (int)port->integer, proto, number, sizeof(number));
	snprintf(buf, size, v6 ? "[%.*s]:%s" : "%.*s:%s", (int)a.len, a.data, number);
	return (struct cell){ .kind = CELL_TEXT, .text = text_of(buf) };
}

/* TCP and UDP have names of ports, those that are connected to. */
static const char *port_names(const struct cell *proto)
{
	return proto->kind != CELL_TEXT ? NULL :
	       text_equal(proto->text, text_of("tcp")) ? "tcp" :
	       text_equal(proto->text, text_of("udp")) ? "udp" : NULL;
}

/* The columns of the view, and more. */
static int on_row(const struct cell *cells, int columns, void *arg)
{
	struct log *l = arg;
	struct cell all[COLUMNS_MAX], row[COLUMNS_MAX], *own = all + ledger_column_count;
	const struct cell *exe = find_cell(cells, "exe"), *user = find_cell(cells, "user");
	char src[128], dst[128];

	(void)columns;
	memcpy(all, cells, (size_t)ledger_column_count * sizeof(*all));
	own[SOURCE] = endpoint_cell(l, find_cell(cells, "src"), find_cell(cells, "sport"), NULL,
				    src, sizeof(src));
	own[DESTINATION] = endpoint_cell(l, find_cell(cells, "dst"), find_cell(cells, "dport"),
					 port_names(find_cell(cells, "proto")), dst, sizeof(dst));
	own[PROGRAM] = exe->kind == CELL_TEXT ? *exe : *find_cell(cells, "comm");
	/* A table has the number of a user without a name. */
	if (l->format == FORMAT_TABLE && (user->kind == CELL_NULL || l->style->numeric))
		all[user - cells] = *find_cell(cells, "uid");
	for (int i = 0; i < l->columns.count; i++)
		row[i] = all[l->columns.index[i]];
	output_row(l->output, row);
	return 0;
}

static void flush(void *arg)
{
	struct log *l = arg;

	output_flush(l->output);
}

/* What is shown where nothing else was chosen.  False: what was chosen is not all there. */
static bool choose(struct log *l, const char *const *names, int count)
{
	if (l->format == FORMAT_TABLE)
		columns_choose(&l->columns, usual, names, count);
	else
		for (l->columns.count = 0; l->columns.count < ledger_column_count;
		     l->columns.count++)
			l->columns.index[l->columns.count] = l->columns.count;
	return !l->chosen || !columns_choose(&l->columns, l->chosen, names, count);
}

static struct output *new_output(struct log *l, const char *const *names)
{
	char upper[COLUMNS_MAX][32];
	const char *shown[COLUMNS_MAX];
	struct output *o;

	for (int i = 0; i < l->columns.count; i++) {
		const char *name = names[l->columns.index[i]];

		snprintf(upper[i], sizeof(upper[i]), "%s", name);
		for (char *p = upper[i]; l->format == FORMAT_TABLE && *p; p++)
			*p = (char)toupper((unsigned char)*p);
		shown[i] = upper[i];
	}
	o = output_new(stdout, l->format, shown, l->columns.count);
	output_set_style(o, l->style);
	return o;
}

static int show_connections(struct log *l, struct cli *cli, const char *const *names)
{
	int status;

	style_begin(&cli->style, l->format == FORMAT_TABLE, !l->list.follow);
	l->output = new_output(l, names);
	status = l->output ? listing_show(&l->list, cli->ledger) : CLI_UNREADABLE;
	output_end(l->output);
	return status;
}

int cmd_log(struct cli *cli, const struct command *self, int argc, char **argv)
{
	struct option options[LISTING_OPTIONS + 4] = {
		[LISTING_OPTIONS] = { "format", required_argument, NULL, OPT_FORMAT },
		{ "output", required_argument, NULL, 'o' },
		{ "help", no_argument, NULL, 'h' },
	};
	struct log l = { .list = { .limit = -1, .row = on_row, .flush = flush },
			 .style = &cli->style };
	const char *names[COLUMNS_MAX];
	int option, status, count = all_names(names);

	l.list.arg = &l;
	listing_options(options);
	while ((option = getopt_long(argc, argv, "ho:", options, NULL)) != -1) {
		bool good = true;

		if (option == 'h' || option == '?') {
			listing_release(&l.list);
			status = option == 'h' ? cli_help(self) : cli_usage(self, "cannot go on");
			if (option == 'h')
				columns_help(names, count);
			return status;
		}
		if (option == OPT_FORMAT)
			good = !format_parse(optarg, &l.format);
		else if (option == 'o')
			l.chosen = optarg;
		else
			listing_option(&l.list, option, optarg, &good);
		if (!good) {
			listing_release(&l.list);
			return cli_usage(self, "'%s' is no value that this option can have",
					 optarg);
		}
	}
	status = optind < argc ? cli_usage(self, "unexpected argument '%s'", argv[optind]) :
		 !choose(&l, names, count) ?
			 cli_usage(self, "'%s' names a column that is none", l.chosen) :
			 show_connections(&l, cli, names);
	listing_release(&l.list);
	return status;
}
