/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sockledger sql: the user's own questions. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "options.h"
#include "output.h"
#include "query.h"

#define QUERY_MAX ((size_t)1 << 20)

/* Reads all of stdin as text; NULL where it is too long, has a NUL, or cannot be read. */
static char *read_stdin(void)
{
	char *text = malloc(QUERY_MAX + 1);
	size_t n;

	if (!text)
		return NULL;
	n = fread(text, 1, QUERY_MAX + 1, stdin);
	if (n > QUERY_MAX || ferror(stdin) || memchr(text, '\0', n)) {
		free(text);
		return NULL;
	}
	text[n] = '\0';
	return text;
}

int cmd_sql(struct cli *cli, const struct command *self, int argc, char **argv)
{
	static const struct option table[] = { OPTION_FORMAT, OPTION_HELP };
	struct asked asked = { .format = FORMAT_TABLE };
	const struct options options = { .table = table, .asked = &asked, .operands = -1 };
	int status = options_read(self, &options, argc, argv);
	struct query_db *db;
	char *text;
	int64_t rows;

	if (status >= 0)
		return status;
	if (argc - optind > 1)
		return cli_usage(self, "the query is one argument: put it in quotes");
	text = optind < argc ? strdup(argv[optind]) : read_stdin();
	if (!text)
		return cli_usage(self, "cannot read a query from stdin");
	db = query_open(cli->ledger);
	/* Times stay as the ledger has them: a condition compares them so. */
	cli->style.utc = true;
	if (db)
		style_begin(&cli->style, asked.format == FORMAT_TABLE, true);
	rows = db ? query_script(db, text, asked.format, &cli->style, stdout) : -2;
	query_close(db);
	free(text);
	if (rows < 0)
		return rows == -1 ? CLI_USAGE : CLI_UNREADABLE;
	return rows ? CLI_FOUND : CLI_NOTHING;
}
