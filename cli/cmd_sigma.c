/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sockledger sigma: connections that a rule of Sigma finds suspicious. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "find.h"
#include "ledger_schema.h"
#include "options.h"
#include "output.h"
#include "query.h"
#include "sigma.h"

static const char *const table_names[] = {
	"TIME", "LEVEL", "RULE", "PROGRAM", "PID", "USER", "DESTINATION", "PORT", "CERTAINTY",
};
/* Before the ledger's columns. */
static const char *const rule_names[] = { "level", "title", "rule_id", "author", "id" };
static const char *const list_names[] = { "rule_id", "level", "title", "author", "status",
					  "wants" };

#define COUNT(names) ((int)(sizeof(names) / sizeof((names)[0])))

struct sigma {
	struct asked asked;
	int level;		/* at least; 0: any */
	bool rules;		/* list the rules */
	struct output *output;
	struct cell *row;
	const struct sigma_rule *rule;
};

static struct cell text_cell(const char *text)
{
	return (struct cell){ .kind = text ? CELL_TEXT : CELL_NULL, .text = text_of(text) };
}

static void table_row(struct sigma *s, const struct cell *cells)
{
	const struct cell *user = find_cell(cells, "user");
	const struct cell row[] = {
		*find_cell(cells, "time"),
		text_cell(sigma_level_name(s->rule->level)), text_cell(s->rule->title),
		*find_cell(cells, "exe"), *find_cell(cells, "pid"),
		user->kind == CELL_TEXT ? *user : *find_cell(cells, "uid"),
		*find_cell(cells, "dst"), *find_cell(cells, "dport"),
		*find_cell(cells, "certainty"),
	};

	output_row(s->output, row);
}

static int on_row(const struct cell *cells, int columns, void *arg)
{
	struct sigma *s = arg;
	const struct sigma_rule *r = s->rule;
	const struct cell rule[] = {
		text_cell(sigma_level_name(r->level)), text_cell(r->title), text_cell(r->id),
		text_cell(r->author), cells[columns - 1],
	};

	if (s->asked.format == FORMAT_TABLE) {
		table_row(s, cells);
		return 0;
	}
	memcpy(s->row, rule, sizeof(rule));
	memcpy(s->row + COUNT(rule_names), cells, (size_t)ledger_column_count * sizeof(*cells));
	output_row(s->output, s->row);
	return 0;
}

static struct output *open_output(struct sigma *s)
{
	size_t count = (size_t)(COUNT(rule_names) + ledger_column_count);
	const char **names;
	struct output *o = NULL;

	if (s->rules)
		return output_new(stdout, s->asked.format, list_names, COUNT(list_names));
	if (s->asked.format == FORMAT_TABLE)
		return output_new(stdout, s->asked.format, table_names, COUNT(table_names));
	names = calloc(count, sizeof(*names));
	s->row = calloc(count, sizeof(*s->row));
	if (names && s->row) {
		memcpy(names, rule_names, sizeof(rule_names));
		memcpy(names + COUNT(rule_names), ledger_columns,
		       (size_t)ledger_column_count * sizeof(*names));
		o = output_new(stdout, s->asked.format, names, (int)count);
	}
	free(names);
	return o;
}

/* How many connections the rule finds; -1: told on stderr. */
static int64_t ask(struct sigma *s, struct query_db *db, const struct sigma_rule *rule)
{
	struct find f = { .failed = false };
	int64_t rows;

	s->rule = rule;
	find_add(&f, FIND_NONE, "c.time >= %lld", (long long)s->asked.since_us);
	if (s->asked.ends)
		find_add(&f, FIND_NONE, "c.time <= %lld", (long long)s->asked.until_us);
	rule->add(&f);
	rows = find_newest(&f, db, -1, on_row, s);
	find_release(&f);
	return rows;
}

static void list_rule(struct sigma *s, const struct sigma_rule *r)
{
	const struct cell row[] = {
		text_cell(r->id), text_cell(sigma_level_name(r->level)), text_cell(r->title),
		text_cell(r->author), text_cell(r->status), text_cell(r->wants),
	};

	output_row(s->output, row);
}

static int run(struct sigma *s, struct query_db *db)
{
	int64_t found = 0;

	for (int i = 0; i < sigma_rule_count; i++) {
		const struct sigma_rule *r = &sigma_rules[i];
		int64_t rows = 1;

		if ((int)r->level < s->level)
			continue;
		if (s->rules)
			list_rule(s, r);
		else
			rows = ask(s, db, r);
		if (rows < 0)
			return CLI_UNREADABLE;
		found += rows;
	}
	return found ? CLI_FOUND : CLI_NOTHING;
}

static int find_hits(struct sigma *s, struct cli *cli)
{
	struct query_db *db = s->rules ? NULL : query_open(cli->ledger);
	int status = CLI_UNREADABLE;

	if (!db && !s->rules)
		return CLI_UNREADABLE;
	s->output = open_output(s);
	if (s->output)
		status = run(s, db);
	output_end(s->output);
	free(s->row);
	query_close(db);
	return status;
}

static bool take(int option, const char *value, void *arg)
{
	struct sigma *s = arg;

	if (option == 'l')
		return (s->level = sigma_level_parse(value)) != 0;
	s->rules = true;
	return true;
}

int cmd_sigma(struct cli *cli, const struct command *self, int argc, char **argv)
{
	static const struct option table[] = {
		OPTION_SINCE, OPTION_UNTIL,
		{ "level", required_argument, NULL, 'l' }, { "rules", no_argument, NULL, 'r' },
		OPTION_FORMAT, OPTION_HELP,
	};
	struct sigma s = { .level = 0 };
	const struct options options = { table, &s.asked, take, &s, 0, NULL, 0 };
	int status;

	asked_init(&s.asked, 24 * LEDGER_HOUR_US);
	status = options_read(self, &options, argc, argv);
	return status >= 0 ? status : find_hits(&s, cli);
}
