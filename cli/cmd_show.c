/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sockledger show: everything that the ledger has of one connection. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "clock.h"
#include "ledger_schema.h"
#include "output.h"
#include "query.h"

/* A row's time is near that of its audit record: the packet's, or the record's own. */
#define NEAR_US (60 * TIME_US_PER_S)

/* What the view leaves out, and the call that finds the records. */
#define MORE                                                                                     \
	", c.id AS id, c.result AS result, c.count AS calls, p.gid AS gid, p.euid AS euid,"      \
	" p.fsuid AS fsuid, (SELECT text FROM text WHERE id = p.label) AS label,"                \
	" (SELECT text FROM text WHERE id = p.ancestors) AS ancestors,"                          \
	" (SELECT text FROM text WHERE id = c.candidates) AS candidates,"                        \
	" iif(c.audit_time IS NULL, NULL, 'ausearch -a ' || c.audit_serial) AS ausearch"

static const char *const more[] = {
	"id", "result", "calls", "gid", "euid", "fsuid", "label", "ancestors", "candidates",
	"ausearch",
};

/* The number of a row, or the event's as the column audit_id has it: SECONDS.MMM:SERIAL. */
static bool add_which(struct sql *s, const char *text)
{
	long long id, ms, serial;
	char *end;

	id = strtoll(text, &end, 10);
	if (*text < '0' || *text > '9')
		return false;
	if (!*end) {
		sql_add_number(s, " WHERE c.id = ?", id);
		return true;
	}
	if (*end != '.' || strspn(end + 1, "0123456789") != 3 || end[4] != ':')
		return false;
	ms = strtoll(end + 1, NULL, 10);
	text = end + 5;
	serial = strtoll(text, &end, 10);
	if (*end || *text < '0' || *text > '9' || id > INT64_MAX / TIME_US_PER_S / 2)
		return false;
	sql_add_number(s, " WHERE c.time >= ?", id * TIME_US_PER_S - NEAR_US);
	sql_add_number(s, " AND c.time <= ?", id * TIME_US_PER_S + NEAR_US);
	sql_add_number(s, " AND c.audit_serial = ?", serial);
	sql_add_number(s, " AND c.audit_time / 1000 = ?", id * 1000 + ms);
	return true;
}

static const char *name_of(int column)
{
	return column < ledger_column_count ? ledger_columns[column] :
	       more[column - ledger_column_count];
}

static int on_row_json(const struct cell *cells, int columns, void *arg)
{
	(void)arg;
	for (int i = 0; i < columns; i++) {
		printf("%s\"%s\": ", i ? ", " : "{", name_of(i));
		output_json(stdout, &cells[i]);
	}
	puts("}");
	return 0;
}

/* What is not known is left out. */
static int on_row_table(const struct cell *cells, int columns, void *arg)
{
	bool *behind = arg;

	if (*behind)
		putchar('\n');
	*behind = true;
	for (int i = 0; i < columns; i++) {
		if (cells[i].kind == CELL_NULL)
			continue;
		printf("%-12s ", name_of(i));
		if (cells[i].kind == CELL_TEXT)
			text_print(stdout, cells[i].text, 0);
		else
			printf("%" PRId64, cells[i].integer);
		putchar('\n');
	}
	return 0;
}

static int answer(struct cli *cli, struct sql *s, enum format format, const char *asked)
{
	struct query_db *db = query_open(cli->ledger);
	bool behind = false;
	int64_t rows;

	if (!db)
		return CLI_UNREADABLE;
	rows = query_run(db, s, format == FORMAT_JSON ? on_row_json : on_row_table, &behind);
	query_close(db);
	if (rows == 0)
		fprintf(stderr, "sockledger show: no connection '%s'\n", asked);
	return rows < 0 ? CLI_UNREADABLE : rows ? CLI_FOUND : CLI_NOTHING;
}

int cmd_show(struct cli *cli, const struct command *self, int argc, char **argv)
{
	static const struct option options[] = {
		{ "format", required_argument, NULL, 'F' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct sql s = { .failed = false };
	enum format format = FORMAT_TABLE;
	int option, status;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (option == 'h')
			return cli_help(self);
		if (option != 'F' || format_parse(optarg, &format) || format == FORMAT_CSV)
			return cli_usage(self, "--format is table or json");
	}
	if (argc - optind != 1)
		return cli_usage(self, "wants an ID");
	sql_add(&s, ledger_select_columns);
	sql_add(&s, MORE);
	sql_add(&s, ledger_select_from);
	if (add_which(&s, argv[optind]))
		status = answer(cli, &s, format, argv[optind]);
	else
		status = cli_usage(self, "'%s' is no ID", argv[optind]);
	sql_release(&s);
	return status;
}
