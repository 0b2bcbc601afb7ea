/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sockledger show: everything that the ledger has of one connection. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "diag.h"
#include "clock.h"
#include "ledger_schema.h"
#include "output.h"
#include "policy.h"
#include "policy_file.h"
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

struct shown {
	const struct style *style;
	const struct policy *policy;	/* the configured one; NULL: it cannot be read */
	bool behind;		/* another row was shown before */
};

/* What each witness says (sockledger(1)). */
static const struct { const char *word, *says; } witnesses[] = {
	{ "audit", "the kernel recorded that the process called" },
	{ "fd", "the process had a socket at that descriptor" },
	{ "bind", "a record said to which port the socket was bound" },
	{ "inode", "the kernel named the packet's socket" },
	{ "proc-syscall", "a thread of the process was in that call when the packet came" },
	{ "trace", "a thread of the process looked up the route of exactly this packet" },
	{ "trace-call", "the kernel's trace saw the call itself" },
};

/* A line for each word of the evidence. */
static void print_testimony(struct text evidence)
{
	const char *label = "testimony";

	for (size_t at = 0; at < evidence.len; label = "") {
		const char *p = evidence.data + at, *comma = memchr(p, ',', evidence.len - at);
		struct text word = { p, comma ? (size_t)(comma - p) : evidence.len - at };

		printf("%-12s ", label);
		text_print(stdout, word, 0);
		for (size_t i = 0; i < sizeof(witnesses) / sizeof(witnesses[0]); i++)
			if (text_equal(word, text_of(witnesses[i].word)))
				printf(": %s", witnesses[i].says);
		putchar('\n');
		at += word.len + 1;
	}
}

static bool is_time(int column)
{
	return !strcmp(name_of(column), "time") || !strcmp(name_of(column), "start_time") ||
	       !strcmp(name_of(column), "end_time");
}

static void print_value(const struct style *style, const char *name, const struct cell *c)
{
	const char *begin = "";

	if (c->kind == CELL_TEXT)
		begin = style_value(style, name, c->text);
	fputs(begin, stdout);
	if (c->kind == CELL_TEXT)
		text_print(stdout, c->text, 0);
	else
		printf("%" PRId64, c->integer);
	fputs(*begin ? STYLE_END : "", stdout);
}

/* What the configured policy says about its rule of that text. */
static void print_comment(const struct policy *p, struct text rule)
{
	for (size_t i = 0; p && i < policy_rule_count(p); i++) {
		const char *comment = policy_comment(p, i);
		int line;

		if (!comment || !text_equal(rule, text_of(policy_rule(p, i, &line))))
			continue;
		printf("%-12s ", "comment");
		text_print(stdout, text_of(comment), 0);
		putchar('\n');
		return;
	}
}

/* What is not known is left out. */
static int on_row_table(const struct cell *cells, int columns, void *arg)
{
	struct shown *s = arg;
	char local[TIME_TEXT_MAX];

	if (s->behind)
		putchar('\n');
	s->behind = true;
	for (int i = 0; i < columns; i++) {
		if (cells[i].kind == CELL_NULL)
			continue;
		printf("%-12s ", name_of(i));
		print_value(s->style, name_of(i), cells[i].kind == CELL_TEXT && is_time(i) ?
			    &(struct cell){ .kind = CELL_TEXT,
					    .text = style_time(s->style, cells[i].text, local) } :
			    &cells[i]);
		putchar('\n');
		if (!strcmp(name_of(i), "evidence"))
			print_testimony(cells[i].text);
		if (!strcmp(name_of(i), "rule"))
			print_comment(s->policy, cells[i].text);
	}
	return 0;
}

static int answer(struct cli *cli, struct sql *s, enum format format, const char *asked)
{
	struct query_db *db = query_open(cli->ledger);
	const char *path = cli->config.policy;
	struct diags quiet = { .out = NULL };
	struct policy *policy = NULL;
	struct shown shown;
	int64_t rows;

	if (!db)
		return CLI_UNREADABLE;
	/* Where that cannot be, the row is shown as it is. */
	if (format == FORMAT_TABLE && path && strcmp(path, "none") != 0)
		policy_read(path, &quiet, &policy);
	shown = (struct shown){ &cli->style, policy, false };
	style_begin(&cli->style, format == FORMAT_TABLE, true);
	rows = query_run(db, s, format == FORMAT_JSON ? on_row_json : on_row_table, &shown);
	query_close(db);
	policy_free(policy);
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
