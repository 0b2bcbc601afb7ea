/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sockledger log: connections, filtered. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "columns.h"
#include "ledger_schema.h"
#include "listing.h"
#include "options.h"
#include "output.h"

struct log {
	struct listing list;
	struct asked asked;
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
	struct cell all[COLUMNS_MAX], *own = all + ledger_column_count;
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
	if (l->asked.format == FORMAT_TABLE && (user->kind == CELL_NULL || l->style->numeric))
		all[user - cells] = *find_cell(cells, "uid");
	output_row(l->output, all);
	return 0;
}

static void flush(void *arg)
{
	struct log *l = arg;

	output_flush(l->output);
}

static int show_connections(struct log *l, struct cli *cli, const char **names, int count)
{
	char upper[COLUMNS_MAX][COLUMN_NAME_MAX];
	bool table = l->asked.format == FORMAT_TABLE;
	int status;

	if (table)
		columns_in_capitals(names, count, upper);
	style_begin(&cli->style, table, !l->list.follow);
	l->output = output_new_chosen(stdout, l->asked.format, names, &l->columns);
	output_set_style(l->output, l->style);
	output_may_fold(l->output);
	status = l->output ? listing_show(&l->list, cli->ledger) : CLI_UNREADABLE;
	output_end(l->output);
	return status;
}

static bool take(int option, const char *value, void *arg)
{
	struct log *l = arg;

	return listing_option(&l->list, option, value);
}

int cmd_log(struct cli *cli, const struct command *self, int argc, char **argv)
{
	struct option table[LISTING_OPTIONS + 4] = {
		[LISTING_OPTIONS] = OPTION_FORMAT, OPTION_OUTPUT, OPTION_HELP,
	};
	struct log l = { .list = { .limit = -1, .row = on_row, .flush = flush },
			 .style = &cli->style };
	const char *names[COLUMNS_MAX];
	int status, count = all_names(names);
	const struct options options = { table, &l.asked, take, &l, 0, names, count };

	l.list.arg = &l;
	listing_options(table);
	status = options_read(self, &options, argc, argv);
	if (l.asked.format == FORMAT_TABLE)
		columns_choose(&l.columns, usual, names, count);
	else
		columns_all(&l.columns, ledger_column_count);
	if (status < 0)
		status = asked_columns(self, &l.asked, names, count, &l.columns) ?
			 show_connections(&l, cli, names, count) : CLI_USAGE;
	listing_release(&l.list);
	return status;
}
