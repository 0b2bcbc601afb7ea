/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sockledger report: one page about a time: what connected, where to, what was denied, how certain
 * it is and what was lost.  All numbers come from the ledger's counts by hour.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"
#include "clock.h"
#include "connection.h"
#include "counts.h"
#include "health.h"
#include "html.h"
#include "ledger_schema.h"
#include "outfile.h"
#include "query.h"

#define ROWS_MOST 20
/* More hours than this are shown by day; more days than that are too many to see. */
#define HOURS_MOST 168
#define COLUMNS_MOST 750
#define DAY_HOURS 24

struct report {
	FILE *out;
	struct query_db *db;
	int64_t since_us, until_us;
	bool failed;
	/* of the table that is being written */
	const char *const *names;
	int64_t most;
	int rows;
	bool more;
	/* of the chart */
	struct html_column *columns;
	int64_t first, step;		/* in hours */
	int count;
	/* of the whole time */
	int64_t passed, denied, certain, inferred, unknown;
};

static int on_table_row(const struct cell *cells, int columns, void *arg)
{
	struct report *r = arg;

	if (r->rows == ROWS_MOST) {
		r->more = true;
		return 1;
	}
	if (!r->rows++) {
		r->most = cells[columns - 1].integer;
		html_table_begin(r->out, r->names, columns);
	}
	html_table_row(r->out, cells, columns, r->most);
	return 0;
}

/* A section with the table of what had most. */
static void show_counts(struct report *r, const char *heading, struct counts c, const char *none)
{
	const char *names[COUNT_BYS + 1];

	html_section(r->out, heading);
	for (int i = 0; i < c.count; i++)
		names[i] = count_by_name(c.by[i]);
	names[c.count] = "connections";
	r->names = names;
	r->rows = 0;
	r->more = false;
	c.since_us = r->since_us;
	c.until_us = r->until_us;
	c.limit = ROWS_MOST + 1;
	if (counts_run(&c, r->db, on_table_row, r) < 0)
		r->failed = true;
	if (r->rows)
		html_table_end(r->out);
	else
		fprintf(r->out, "<p>%s</p>\n", none);
	if (r->more)
		fprintf(r->out, "<p class=\"dim\">There are more: these are the first %d.</p>\n",
			ROWS_MOST);
}

/* A row: hour, verdict, certainty, connections. */
static int on_hour(const struct cell *cells, int columns, void *arg)
{
	struct report *r = arg;
	int64_t at = (cells[0].integer - r->first) / r->step, n = cells[3].integer;
	bool denied = cells[1].integer == VERDICT_DROP || cells[1].integer == VERDICT_REJECT;

	(void)columns;
	*(denied ? &r->denied : &r->passed) += n;
	*(cells[2].integer == CERTAINTY_CERTAIN ? &r->certain :
	  cells[2].integer == CERTAINTY_INFERRED ? &r->inferred : &r->unknown) += n;
	if (at >= 0 && at < r->count)
		*(denied ? &r->columns[at].denied : &r->columns[at].passed) += n;
	return 0;
}

/* Prepares the chart's columns: an hour or a day each. */
static bool make_columns(struct report *r)
{
	int64_t last = r->until_us / LEDGER_HOUR_US;
	char text[TIME_TEXT_MAX];

	r->first = r->since_us / LEDGER_HOUR_US;
	r->step = last - r->first >= HOURS_MOST ? DAY_HOURS : 1;
	r->first -= r->first % r->step;
	if (r->first < 0)
		r->first = 0;
	if ((last - r->first) / r->step >= COLUMNS_MOST)
		r->first = last - last % r->step - (COLUMNS_MOST - 1) * r->step;
	r->count = (int)((last - r->first) / r->step) + 1;
	r->columns = calloc((size_t)r->count, sizeof(*r->columns));
	for (int i = 0; r->columns && i < r->count; i++) {
		time_format((r->first + i * r->step) * LEDGER_HOUR_US, text);
		/* 2026-01-31T12:00:00.000000Z */
		if (r->step == 1)
			snprintf(r->columns[i].label, sizeof(r->columns[i].label), "%.5s %.5s",
				 text + 5, text + 11);
		else
			snprintf(r->columns[i].label, sizeof(r->columns[i].label), "%.10s", text);
	}
	return r->columns != NULL;
}

static void read_hours(struct report *r)
{
	struct sql s = { .failed = false };

	sql_add_number(&s, "SELECT hour, verdict, certainty, sum(count) FROM tally_all"
		       " WHERE hour >= ?", r->since_us / LEDGER_HOUR_US);
	sql_add_number(&s, " AND hour <= ? GROUP BY hour, verdict, certainty",
		       r->until_us / LEDGER_HOUR_US);
	if (query_run(r->db, &s, on_hour, r) < 0)
		r->failed = true;
	sql_release(&s);
}

static void show_head(struct report *r, const struct health *h)
{
	char since[TIME_TEXT_MAX], until[TIME_TEXT_MAX], host[256] = "", title[320], sentence[768];

	if (gethostname(host, sizeof(host) - 1))
		host[0] = '\0';
	snprintf(title, sizeof(title), "Connections of %s", host[0] ? host : "this host");
	html_begin(r->out, title);
	fprintf(r->out, "<p class=\"dim\">%.16s to %.16s UTC, in whole hours</p>\n",
		time_format(r->since_us - r->since_us % LEDGER_HOUR_US, since),
		time_format(r->until_us, until));
	health_sentence(h, sentence, sizeof(sentence));
	fputs("<p>", r->out);
	html_text(r->out, text_of(sentence));
	fputs("</p>\n<div class=\"figures\">\n", r->out);
	html_figure(r->out, r->passed + r->denied, "connections");
	html_figure(r->out, r->denied, "denied");
	html_figure(r->out, r->certain, "certain");
	html_figure(r->out, r->inferred, "inferred");
	html_figure(r->out, r->unknown, "unknown");
	fputs("</div>\n", r->out);
}

static void show_lost(struct report *r, const struct health *h)
{
	char text[TIME_TEXT_MAX];

	html_section(r->out, "What was lost");
	fputs("<p>", r->out);
	if (h->lost)
		html_text(r->out, text_of(h->words));
	else
		fputs("Nothing that the ledger knows of", r->out);
	fprintf(r->out, ".</p>\n<p class=\"dim\">Since the ledger and the cache began to count,"
		" not of this time alone. Made at %.16s UTC.</p>\n",
		time_format(clock_now_us(), text));
}

/* The whole page; false where something of it could not be read. */
static bool write_page(struct report *r, const struct cli *cli)
{
	struct health h;

	if (!make_columns(r))
		return false;
	read_hours(r);
	health_read(&h, cli->ledger, cli->config.cache);
	show_head(r, &h);
	html_section(r->out, "Over time");
	html_chart(r->out, r->step == 1 ? "hour (UTC)" : "day (UTC)", r->columns, r->count);
	show_counts(r, "Programs", (struct counts){ .by = { COUNT_PROGRAM }, .count = 1 },
		    "There were no connections.");
	show_counts(r, "Destinations", (struct counts){ .by = { COUNT_DST, COUNT_DPORT },
		    .count = 2 }, "There were no connections.");
	show_counts(r, "Users", (struct counts){ .by = { COUNT_USER }, .count = 1 },
		    "There were no connections.");
	show_counts(r, "Denied", (struct counts){ .by = { COUNT_PROGRAM, COUNT_USER, COUNT_DST,
		    COUNT_DPORT, COUNT_VERDICT }, .count = 5, .denied = true },
		    "Nothing was denied.");
	show_counts(r, "How certain", (struct counts){ .by = { COUNT_CERTAINTY }, .count = 1 },
		    "There were no connections.");
	show_counts(r, "Programs that are not known for certain", (struct counts){
		    .by = { COUNT_PROGRAM }, .count = 1, .certainty = CERTAINTY_INFERRED },
		    "Whatever is known is certain.");
	show_lost(r, &h);
	html_end(r->out);
	free(r->columns);
	return !r->failed;
}

/* Puts the page in the file's place at once: who reads it sees the old one or the new one. */
static int replace_file(const char *path, const char *page, size_t len)
{
	mode_t mask = umask(0);
	struct outfile f;
	int rc;

	umask(mask);
	rc = outfile_begin(&f, path, 0666 & ~mask);
	if (rc)
		return rc;
	fwrite(page, 1, len, f.out);
	return outfile_commit(&f);
}

static int make_report(struct report *r, const struct cli *cli, const char *path)
{
	char *page = NULL;
	size_t len = 0;
	int rc;

	r->out = open_memstream(&page, &len);
	if (!r->out || !write_page(r, cli) || fclose(r->out)) {
		fputs("sockledger report: no page was written\n", stderr);
		free(page);
		return CLI_UNREADABLE;
	}
	if (!strcmp(path, "-")) {
		fwrite(page, 1, len, stdout);
		rc = 0;
	} else {
		rc = replace_file(path, page, len);
	}
	free(page);
	if (rc) {
		fprintf(stderr, "sockledger report: cannot write '%s': %s\n", path,
			outfile_strerror(rc));
		return CLI_UNREADABLE;
	}
	return r->passed + r->denied ? CLI_FOUND : CLI_NOTHING;
}

int cmd_report(struct cli *cli, const struct command *self, int argc, char **argv)
{
	static const struct option options[] = {
		{ "html", required_argument, NULL, 'o' },
		{ "since", required_argument, NULL, 's' },
		{ "until", required_argument, NULL, 'u' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int64_t now = clock_now_us();
	struct report r = { .since_us = now - 7 * DAY_HOURS * LEDGER_HOUR_US + LEDGER_HOUR_US,
			    .until_us = now };
	const char *path = NULL;
	int option, status;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (option == 'h')
			return cli_help(self);
		if (option == 'o')
			path = optarg;
		if ((option == 's' || option == 'u') &&
		    time_parse(optarg, now, option == 's' ? &r.since_us : &r.until_us))
			return cli_usage(self, "'%s' is no time", optarg);
		if (option == '?')
			return cli_usage(self, "cannot go on");
	}
	if (optind < argc)
		return cli_usage(self, "unexpected argument '%s'", argv[optind]);
	if (!path || !*path)
		return cli_usage(self, "where to? --html FILE, or --html - for stdout");
	if (r.since_us > r.until_us)
		return cli_usage(self, "--since is later than --until");
	r.db = query_open(cli->ledger);
	if (!r.db)
		return CLI_UNREADABLE;
	status = make_report(&r, cli, path);
	query_close(r.db);
	return status;
}
