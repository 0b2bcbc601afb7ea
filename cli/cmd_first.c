/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sockledger first: programs and destinations that the ledger had not seen before. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "ledger_schema.h"
#include "options.h"
#include "output.h"
#include "query.h"

static const char *const names[] = { "kind", "first", "name", "program", "user", "dst", "dport" };
#define NAMES ((int)(sizeof(names) / sizeof(names[0])))

/*
 * Programs are a few: each is looked for in its index.  Destinations may be a million, so only
 * those of the hours in question are, which the counts have.
 */
static const char programs[] =
	"WITH RECURSIVE e(id) AS (SELECT min(exe) FROM connection UNION ALL SELECT (SELECT min(exe)"
	" FROM connection WHERE exe > e.id) FROM e WHERE e.id IS NOT NULL)"
	" SELECT 'program', " LEDGER_TIME_TEXT("c.time") ", texe.text, texe.text,"
	" ifnull(tuser.text, p.uid), tdst.text, c.dport, p.uid FROM e"
	" CROSS JOIN connection c ON c.id ="
	" (SELECT id FROM connection WHERE exe = e.id ORDER BY time LIMIT 1)";
static const char destinations[] =
	"SELECT 'destination', " LEDGER_TIME_TEXT("c.time") ", tdst.text, texe.text,"
	" ifnull(tuser.text, p.uid), tdst.text, c.dport, p.uid FROM (SELECT DISTINCT dst FROM tally"
	" WHERE dst > 0 AND hour >= ?) e CROSS JOIN connection c ON c.id ="
	" (SELECT id FROM connection WHERE dst = e.dst ORDER BY time LIMIT 1)";
static const char described[] =
	" LEFT JOIN process p ON p.id = c.process LEFT JOIN text texe ON texe.id = c.exe"
	" LEFT JOIN text tuser ON tuser.id = p.user LEFT JOIN text tdst ON tdst.id = c.dst";

struct first {
	struct asked asked;
	struct columns columns;
	const char *kind;	/* NULL: both */
	struct output *output;
	bool numeric;
};

/* The names' columns, and the user's number. */
static int on_row(const struct cell *cells, int columns, void *arg)
{
	struct first *f = arg;
	struct cell row[NAMES];

	memcpy(row, cells, sizeof(row));
	if (f->numeric)
		row[4] = cells[columns - 1];
	output_row(f->output, row);
	return 0;
}

static int64_t show(struct query_db *db, bool destination, struct first *f)
{
	int64_t since_us = f->asked.since_us;
	struct sql s = { .failed = false };
	int64_t rows;

	if (destination)
		sql_add_number(&s, destinations, since_us / LEDGER_HOUR_US);
	else
		sql_add(&s, programs);
	sql_add(&s, described);
	sql_add_number(&s, " WHERE c.time >= ?", since_us);
	if (destination)
		/* Others are of this host, who was connected to. */
		sql_add(&s, " AND c.direction = 1");
	sql_add(&s, " ORDER BY c.time");
	rows = query_run(db, &s, on_row, f);
	sql_release(&s);
	return rows;
}

/* As long as rows of an older ledger are being moved, what is not in the index is not new. */
static bool is_whole(struct query_db *db)
{
	int moving = query_is_moving(db);

	if (moving > 0)
		fputs("sockledger first: this ledger is of an older version, and sockledgerd has"
		      " not yet brought all of it to the present one: try again later\n", stderr);
	return !moving;
}

static int answer(struct cli *cli, struct first *f)
{
	struct query_db *db = query_open(cli->ledger);
	int64_t rows = 0, more = 0;

	if (!db)
		return CLI_UNREADABLE;
	if (!is_whole(db)) {
		query_close(db);
		return CLI_UNREADABLE;
	}
	f->numeric = cli->style.numeric;
	style_begin(&cli->style, f->asked.format == FORMAT_TABLE, true);
	f->output = output_new_chosen(stdout, f->asked.format, names, &f->columns);
	output_set_style(f->output, &cli->style);
	output_may_fold(f->output);
	if (f->output && (!f->kind || !strcmp(f->kind, "program")))
		rows = show(db, false, f);
	if (f->output && rows >= 0 && (!f->kind || !strcmp(f->kind, "destination")))
		more = show(db, true, f);
	output_end(f->output);
	query_close(db);
	if (!f->output || rows < 0 || more < 0)
		return CLI_UNREADABLE;
	return rows + more ? CLI_FOUND : CLI_NOTHING;
}

/* --kind */
static bool take(int option, const char *value, void *arg)
{
	struct first *f = arg;

	(void)option;
	f->kind = value;
	return !strcmp(value, "program") || !strcmp(value, "destination");
}

int cmd_first(struct cli *cli, const struct command *self, int argc, char **argv)
{
	static const struct option table[] = {
		OPTION_SINCE, { "kind", required_argument, NULL, 'k' }, OPTION_FORMAT,
		OPTION_OUTPUT, OPTION_HELP,
	};
	struct first f = { .kind = NULL };
	const struct options options = { table, &f.asked, take, &f, 0, names, NAMES };
	int status;

	asked_init(&f.asked, 24 * LEDGER_HOUR_US);
	status = options_read(self, &options, argc, argv);
	if (status >= 0)
		return status;
	columns_all(&f.columns, NAMES);
	return asked_columns(self, &f.asked, names, NAMES, &f.columns) ? answer(cli, &f) :
									 CLI_USAGE;
}
