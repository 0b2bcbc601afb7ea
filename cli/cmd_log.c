/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sockledger log: connections, filtered. */
#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "clock.h"
#include "connection.h"
#include "find.h"
#include "ledger.h"
#include "ledger_schema.h"
#include "network.h"
#include "output.h"
#include "protocol.h"
#include "query.h"

#define FOLLOW_MS 100

/* Which column a filter compares, and how. */
enum filter_kind { BY_TIME_FROM, BY_TIME_TO, BY_PROTO, BY_ADDRESS, BY_PORT, BY_EXE, BY_TEXT, BY_PID,
		   BY_USER, BY_DIRECTION, BY_CERTAINTY, BY_VERDICT };

struct filter {
	const char *name;
	enum filter_kind kind;
	enum find_index index;
	const char *column;	/* in SQL */
	const char *text;	/* the same as text, where column is an id */
};

static const struct filter filters[] = {
	{ "since", BY_TIME_FROM, FIND_NONE, "c.time", NULL },
	{ "until", BY_TIME_TO, FIND_NONE, "c.time", NULL },
	{ "proto", BY_PROTO, FIND_NONE, "c.proto", NULL },
	{ "src", BY_ADDRESS, FIND_INDEX, "c.src", "tsrc.text" },
	{ "dst", BY_ADDRESS, FIND_INDEX, "c.dst", "tdst.text" },
	{ "sport", BY_PORT, FIND_INDEX, "c.sport", NULL },
	{ "dport", BY_PORT, FIND_NONE, "c.dport", NULL },
	{ "exe", BY_EXE, FIND_NONE, NULL, NULL },
	{ "comm", BY_TEXT, FIND_PROCESS, NULL, "tcomm.text" },
	{ "pid", BY_PID, FIND_INDEX, NULL, NULL },
	{ "user", BY_USER, FIND_PROCESS, "p.uid", "tuser.text" },
	{ "login-user", BY_USER, FIND_PROCESS, "p.auid", "tlogin.text" },
	{ "direction", BY_DIRECTION, FIND_NONE, "c.direction", NULL },
	{ "certainty", BY_CERTAINTY, FIND_NONE, "c.certainty", NULL },
	{ "verdict", BY_VERDICT, FIND_NONE, "c.verdict", NULL },
	{ "node", BY_TEXT, FIND_NONE, NULL, "tnode.text" },
};

#define FILTERS ((int)(sizeof(filters) / sizeof(filters[0])))
enum { OPT_LIMIT = 256, OPT_FOLLOW, OPT_FORMAT, OPT_FILTER };

struct log {
	struct find find;
	int64_t limit;		/* -1: all */
	bool follow;
	enum format format;
	struct output *output;
	int64_t last_id;	/* shown so far */
};

/* The columns of a table are fewer than a ledger's, to fit a terminal. */
static const char *const table_names[] = {
	"TIME", "PROTO", "SOURCE", "DESTINATION", "PID", "USER", "PROGRAM", "CERTAINTY", "VERDICT",
};

static bool is_pattern(const char *value)
{
	return strpbrk(value, "*?[") != NULL;
}

static bool add_port(struct log *l, const struct filter *f, const char *value)
{
	char low[8];
	const char *dash = strchr(value, '-');
	size_t len = dash ? (size_t)(dash - value) : strlen(value);
	int32_t from, to;

	if (len >= sizeof(low))
		return false;
	memcpy(low, value, len);
	low[len] = '\0';
	if (port_parse(low, &from))
		return false;
	to = from;
	if (dash && (port_parse(dash + 1, &to) || to < from))
		return false;
	if (from == to)
		find_add(&l->find, f->index, "%s = %d", f->column, from);
	else
		find_add(&l->find, FIND_NONE, "%s BETWEEN %d AND %d", f->column, from, to);
	return true;
}

static bool add_address(struct log *l, const struct filter *f, const char *value)
{
	struct network net;
	char text[ADDRESS_TEXT_MAX];
	bool host;

	if (network_parse(value, &net))
		return false;
	host = net.bits == 32 || net.bits == 128;
	if (host && !strchr(value, '/') && !strcmp(address_format(&net.addr, text), value))
		find_add(&l->find, f->index, "%s = (SELECT id FROM text WHERE text = ?%d)",
			 f->column, find_text(&l->find, value));
	else
		/* in_net() also matches an address written in another form than the ledger's. */
		find_add(&l->find, FIND_NONE, "in_net(%s, ?%d)", f->text,
			 find_text(&l->find, value));
	return true;
}

static void add_text(struct log *l, const struct filter *f, const char *value)
{
	find_add(&l->find, f->index, is_pattern(value) ? "%s GLOB ?%d" : "%s = ?%d", f->text,
		 find_text(&l->find, value));
}

/* What a path may end with in the ledger: records of other hosts, and of old logs, have the path as
 * the kernel wrote it where the file had been removed. */
static const char *const exe_suffixes[] = { "", " (deleted)", EXE_OTHER_SUFFIX };

/* Matches a path, or the last part of one. */
static void add_exe(struct log *l, const char *value)
{
	int n = find_text(&l->find, value);
	char sql[512] = "(";

	for (size_t i = 0; i < sizeof(exe_suffixes) / sizeof(exe_suffixes[0]); i++) {
		const char *suffix = exe_suffixes[i];
		size_t at = strlen(sql);

		at += (size_t)snprintf(sql + at, sizeof(sql) - at, "%s", i ? " OR " : "");
		if (is_pattern(value))
			snprintf(sql + at, sizeof(sql) - at, "t.text GLOB ?%d || '%s'", n, suffix);
		else if (strchr(value, '/'))
			snprintf(sql + at, sizeof(sql) - at, "t.text = ?%d || '%s'", n, suffix);
		else
			snprintf(sql + at, sizeof(sql) - at,
				 "substr(t.text, -%zu - length(?%d)) = '/' || ?%d || '%s'",
				 strlen(suffix) + 1, n, n, suffix);
	}
	find_exe(&l->find, "%s)", sql);
}

static bool add_user(struct log *l, const struct filter *f, const char *value)
{
	char *end;
	long long uid = strtoll(value, &end, 10);

	if (*value >= '0' && *value <= '9' && !*end)
		find_add(&l->find, f->index, "%s = %lld", f->column, uid);
	else
		add_text(l, f, value);
	return true;
}

static bool add_number(struct log *l, const struct filter *f, int n, int *of_find)
{
	find_add(&l->find, f->index, "%s = %d", f->column, n);
	if (of_find)
		*of_find = n;
	return true;
}

static bool add_time(struct log *l, const struct filter *f, const char *value)
{
	int64_t at;

	if (time_parse(value, clock_now_us(), &at))
		return false;
	find_add(&l->find, FIND_NONE, f->kind == BY_TIME_FROM ? "%s >= %lld" : "%s <= %lld",
		 f->column, (long long)at);
	return true;
}

static bool add_pid(struct log *l, const char *value)
{
	char *end;
	long long pid = strtoll(value, &end, 10);

	if (end == value || *end || pid < 0)
		return false;
	find_add(&l->find, FIND_INDEX, "c.process IN (SELECT id FROM process WHERE pid = %lld)",
		 pid);
	return true;
}

/* False where this filter cannot have the value. */
static bool add_filter(struct log *l, const struct filter *f, const char *value)
{
	int n;

	switch (f->kind) {
	case BY_TIME_FROM:
	case BY_TIME_TO:
		return add_time(l, f, value);
	case BY_PROTO:
		return !protocol_parse(value, &n) && add_number(l, f, n, NULL);
	case BY_ADDRESS:
		return add_address(l, f, value);
	case BY_PORT:
		return add_port(l, f, value);
	case BY_PID:
		return add_pid(l, value);
	case BY_EXE:
		add_exe(l, value);
		return true;
	case BY_TEXT:
		add_text(l, f, value);
		return true;
	case BY_USER:
		return add_user(l, f, value);
	case BY_DIRECTION:
		return (n = direction_parse(value)) != 0 &&
		       add_number(l, f, n, &l->find.direction);
	case BY_CERTAINTY:
		return (n = certainty_parse(value)) != 0 &&
		       add_number(l, f, n, &l->find.certainty);
	case BY_VERDICT:
		return (n = verdict_parse(value)) != 0 && add_number(l, f, n, &l->find.verdict);
	}
	return false;
}

static const struct cell *column(const struct cell *cells, const char *name)
{
	for (int i = 0; i < ledger_column_count; i++)
		if (!strcmp(ledger_columns[i], name))
			return &cells[i];
	return NULL;
}

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
	const struct cell *exe = column(cells, "exe");
	struct cell row[] = {
		*column(cells, "time"), *column(cells, "proto"),
		endpoint_cell(column(cells, "src"), column(cells, "sport"), src, sizeof(src)),
		endpoint_cell(column(cells, "dst"), column(cells, "dport"), dst, sizeof(dst)),
		*column(cells, "pid"), *column(cells, "user"),
		exe->kind == CELL_TEXT ? *exe : *column(cells, "comm"),
		*column(cells, "certainty"), *column(cells, "verdict"),
	};

	if (row[5].kind == CELL_NULL)
		row[5] = *column(cells, "uid");
	output_row(l->output, row);
}

/* The columns of the view, followed by the row's time and id. */
static int on_row(const struct cell *cells, int columns, void *arg)
{
	struct log *l = arg;

	if (l->format == FORMAT_TABLE)
		table_row(l, cells);
	else
		output_row(l->output, cells);
	if (cells[columns - 1].integer > l->last_id)
		l->last_id = cells[columns - 1].integer;
	return 0;
}

/* Waits a moment.  A program that writes nothing gets no EPIPE, so poll for a closed pipe. */
static bool reader_is_gone(void)
{
	struct pollfd fd = { .fd = STDOUT_FILENO, .events = 0 };

	return poll(&fd, 1, FOLLOW_MS) > 0 && (fd.revents & (POLLERR | POLLHUP | POLLNVAL));
}

/* version: the ledger's before its rows were shown. */
static int follow(struct log *l, struct query_db *db, int64_t version)
{
	for (;;) {
		int64_t rows, now;

		output_flush(l->output);
		if (ferror(stdout))
			return CLI_FOUND;
		while ((now = query_version(db)) == version)
			if (reader_is_gone())
				return CLI_FOUND;
		version = now;
		rows = find_behind(&l->find, db, l->last_id, on_row, l);
		if (rows < 0)
			return CLI_UNREADABLE;
	}
}

static int show_connections(struct log *l, struct cli *cli)
{
	struct query_db *db = query_open(cli->ledger);
	int64_t rows, version;
	int status;

	if (!db)
		return CLI_UNREADABLE;
	l->output = l->format == FORMAT_TABLE ?
			    output_new(stdout, l->format, table_names,
				       sizeof(table_names) / sizeof(table_names[0])) :
			    output_new(stdout, l->format, ledger_columns, ledger_column_count);
	version = query_version(db);
	l->last_id = query_last_id(db);
	rows = l->output ? find_newest(&l->find, db, l->limit, on_row, l) : -1;
	status = rows < 0 ? CLI_UNREADABLE : rows == 0 ? CLI_NOTHING : CLI_FOUND;
	if (l->follow && rows >= 0)
		status = follow(l, db, version);
	output_end(l->output);
	query_close(db);
	return status;
}

int cmd_log(struct cli *cli, const struct command *self, int argc, char **argv)
{
	struct option options[FILTERS + 5] = {
		{ "limit", required_argument, NULL, OPT_LIMIT },
		{ "follow", no_argument, NULL, OPT_FOLLOW },
		{ "format", required_argument, NULL, OPT_FORMAT },
		{ "help", no_argument, NULL, 'h' },
	};
	struct log l = { .limit = -1 };
	char *end;
	int option, status;

	for (int i = 0; i < FILTERS; i++)
		options[4 + i] = (struct option){ filters[i].name, required_argument, NULL,
						  OPT_FILTER + i };
	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		bool good = true;

		switch (option) {
		case 'h':
			return cli_help(self);
		case '?':
			return cli_usage(self, "cannot go on");
		case OPT_LIMIT:
			l.limit = strtoll(optarg, &end, 10);
			good = end != optarg && !*end && l.limit >= 0;
			break;
		case OPT_FOLLOW:
			l.follow = true;
			break;
		case OPT_FORMAT:
			good = !format_parse(optarg, &l.format);
			break;
		default:
			good = add_filter(&l, &filters[option - OPT_FILTER], optarg);
			break;
		}
		if (!good) {
			find_release(&l.find);
			return cli_usage(self, "'%s' is no value that this option can have",
					 optarg);
		}
	}
	status = optind < argc ? cli_usage(self, "unexpected argument '%s'", argv[optind]) :
				 show_connections(&l, cli);
	find_release(&l.find);
	return status;
}
