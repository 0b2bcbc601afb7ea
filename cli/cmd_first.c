/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sockledger first: programs and destinations that the ledger had not seen before. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "clock.h"
#include "ledger_schema.h"
#include "output.h"
#include "query.h"

static const char *const names[] = { "kind", "first", "name", "program", "user", "dst", "dport" };

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
	struct output *output;
	bool numeric;
};

/* The names' columns, and the user's number. */
static int on_row(const struct cell *cells, int columns, void *arg)
{
	struct first *f = arg;
	struct cell row[sizeof(names) / sizeof(names[0])];

	memcpy(row, cells, sizeof(row));
	if (f->numeric)
		row[4] = cells[columns - 1];
	output_row(f->output, row);
	return 0;
}

static int64_t show(struct query_db *db, bool destination, int64_t since_us, struct first *f)
{
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

static int answer(struct cli *cli, const char *kind, int64_t since_us, enum format format)
{
	struct query_db *db = query_open(cli->ledger);
	struct first f = { NULL, cli->style.numeric };
	int64_t rows = 0, more = 0;

	if (!db)
		return CLI_UNREADABLE;
	if (!is_whole(db)) {
		query_close(db);
		return CLI_UNREADABLE;
	}
	style_begin(&cli->style, format == FORMAT_TABLE, true);
	f.output = output_new(stdout, format, names, sizeof(names) / sizeof(names[0]));
	output_set_style(f.output, &cli->style);
	if (f.output && (!kind || !strcmp(kind, "program")))
		rows = show(db, false, since_us, &f);
	if (f.output && rows >= 0 && (!kind || !strcmp(kind, "destination")))
		more = show(db, true, since_us, &f);
	output_end(f.output);
	query_close(db);
	if (!f.output || rows < 0 || more < 0)
		return CLI_UNREADABLE;
	return rows + more ? CLI_FOUND : CLI_NOTHING;
}

int cmd_first(struct cli *cli, const struct command *self, int argc, char **argv)
{
	static const struct option options[] = {
		{ "since", required_argument, NULL, 's' },
		{ "kind", required_argument, NULL, 'k' },
		{ "format", required_argument, NULL, 'F' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int64_t now = clock_now_us(), since_us = now - 24 * LEDGER_HOUR_US;
	enum format format = FORMAT_TABLE;
	const char *kind = NULL;
	int option;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		bool good = true;

		if (option == 'h')
			return cli_help(self);
		if (option == 's')
			good = !time_parse(optarg, now, &since_us);
		if (option == 'k') {
			kind = optarg;
			good = !strcmp(kind, "program") || !strcmp(kind, "destination");
		}
		if (option == 'F')
			good = !format_parse(optarg, &format);
		if (option == '?')
			return cli_usage(self, "cannot go on");
		if (!good)
			return cli_usage(self, "'%s' is no value that this option can have",
					 optarg);
	}
	if (optind < argc)
		return cli_usage(self, "unexpected argument '%s'", argv[optind]);
	return answer(cli, kind, since_us, format);
}
