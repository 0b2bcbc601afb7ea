/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sockledger metrics: what `stats` shows, in the text format of Prometheus.  Labels are words of a
 * fixed set: never a path, a user or an address, of which there is no end.
 */
#include <ctype.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "clock.h"
#include "connection.h"
#include "health.h"
#include "latency.h"
#include "ledger_schema.h"
#include "outfile.h"
#include "query.h"
#include "statistics.h"

#define NAME_MAX_CHARS 48

/* Numbers that do not only grow: what "counts" of a program is not always a counter. */
static const char *const gauges[] = {
	"lag", "lookers_left", "last_serial", "last_probe",
	"lost_serial",		/* one that comes late is taken off again */
	"limit_rows", "limit_bytes",
};

static void head(FILE *out, const char *name, const char *kind, const char *help)
{
	fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind);
}

static bool is_word(struct text t)
{
	bool good = t.len > 0 && t.len <= NAME_MAX_CHARS && islower((unsigned char)t.data[0]);

	for (size_t i = 1; i < t.len && good; i++)
		good = islower((unsigned char)t.data[i]) || isdigit((unsigned char)t.data[i]) ||
		       t.data[i] == '_';
	return good;
}

static bool is_gauge(const char *section, const char *name)
{
	if (!strcmp(section, "ledger") || !strcmp(section, "late"))
		return true;
	for (size_t i = 0; i < sizeof(gauges) / sizeof(gauges[0]); i++)
		if (!strcmp(gauges[i], name))
			return true;
	return false;
}

/* The ledger's first and last times. */
static void time_metric(FILE *out, const char *name, struct text value)
{
	char text[TIME_TEXT_MAX], metric[128], help[96];
	int64_t us;

	if (value.len >= sizeof(text))
		return;
	memcpy(text, value.data, value.len);
	text[value.len] = '\0';
	if (time_parse(text, 0, &us))
		return;
	snprintf(metric, sizeof(metric), "sockledger_ledger_%s_timestamp_seconds", name);
	snprintf(help, sizeof(help), "Time of the %s connection in the ledger.",
		 !strcmp(name, "first") ? "oldest" : "newest");
	head(out, metric, "gauge", help);
	fprintf(out, "%s %" PRId64 ".%06d\n", metric, (int64_t)(us / TIME_US_PER_S),
		(int)(us % TIME_US_PER_S));
}

static void statistic(const char *section, struct text name, const struct cell *value, void *arg)
{
	char word[NAME_MAX_CHARS + 1], metric[128], help[192];
	const char *part = !strcmp(section, "late") ? "recorder" : section;
	bool gauge;

	/* These are counted with their labels; the last are in the histogram. */
	if (!strcmp(section, "certainty") || !strcmp(section, "verdict") ||
	    !strcmp(section, "evidence") || !strcmp(section, "latency"))
		return;
	/* A file may be anybody's. */
	if (!is_word(name))
		return;
	memcpy(word, name.data, name.len);
	word[name.len] = '\0';
	if (value->kind == CELL_TEXT && !strcmp(section, "ledger"))
		time_metric(arg, word, value->text);
	if (value->kind != CELL_INTEGER)
		return;
	gauge = is_gauge(section, word);
	snprintf(metric, sizeof(metric), "sockledger_%s_%s%s", part, word, gauge ? "" : "_total");
	snprintf(help, sizeof(help), "As %s in section %s of sockledger(1), STATISTICS.", word,
		 part);
	head(arg, metric, gauge ? "gauge" : "counter", help);
	fprintf(arg, "%s %" PRId64 "\n", metric, value->integer);
}

/* Cells: direction, verdict, certainty, count. */
static int on_count(const struct cell *cells, int columns, void *arg)
{
	const int64_t d = cells[0].integer, v = cells[1].integer, c = cells[2].integer;
	char direction[32] = "";

	(void)columns;
	if (cells[0].kind == CELL_INTEGER)
		snprintf(direction, sizeof(direction), "direction=\"%s\",",
			 direction_name((enum direction)d));
	fprintf(arg, "%s{%sverdict=\"%s\",certainty=\"%s\"} %" PRId64 "\n",
		*direction ? "sockledger_connections" : "sockledger_connections_last_hour",
		direction, verdict_name((enum verdict)v), certainty_name((enum certainty)c),
		cells[3].integer);
	return 0;
}

static int on_evidence(const struct cell *cells, int columns, void *arg)
{
	(void)columns;
	fprintf(arg, "sockledger_connections_evidence{evidence=\"%.*s\"} %" PRId64 "\n",
		(int)cells[0].text.len, cells[0].text.data, cells[1].integer);
	return 0;
}

#define WORDS "verdict(v) AS (VALUES (1), (2), (3), (4))," \
	      " certainty(c) AS (VALUES (1), (2), (3)) "

/* Every combination has its line, also with nothing to count, so that none comes and goes. */
static const struct {
	const char *name, *help, *sql;
	query_row_fn *row;
} counts[] = {
	{ "sockledger_connections", "Connections in the ledger; what is trimmed leaves.",
	  "WITH direction(d) AS (VALUES (1), (2), (3)), " WORDS "SELECT d, v, c, (SELECT"
	  " ifnull(sum(count), 0) FROM total_all WHERE direction = d AND verdict = v"
	  " AND certainty = c) FROM direction, verdict, certainty", on_count },
	{ "sockledger_connections_last_hour", "Connections of the last whole hour.",
	  "WITH " WORDS "SELECT NULL, v, c, (SELECT ifnull(sum(count), 0) FROM tally_all"
	  " WHERE hour = hour('1h') AND verdict = v AND certainty = c) FROM verdict, certainty",
	  on_count },
	{ "sockledger_connections_evidence", "Connections in the ledger, by their witnesses.",
	  "SELECT ifnull(" LEDGER_EVIDENCE_WORDS("evidence") ", 'none'), sum(count)"
	  " FROM total_all GROUP BY 1", on_evidence },
};

static int write_counts(FILE *out, struct query_db *db)
{
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		struct sql sql = { .failed = false };
		int64_t rows;

		head(out, counts[i].name, "gauge", counts[i].help);
		sql_add(&sql, counts[i].sql);
		rows = query_run(db, &sql, counts[i].row, out);
		sql_release(&sql);
		if (rows < 0)
			return -1;
	}
	return 0;
}

#define WAIT "sockledger_verdict_wait_seconds"

/* Buckets are cumulative. */
static int write_latency(FILE *out, struct query_db *db)
{
	struct latency l;
	int64_t seen = 0;
	int rc = statistics_latency(db, &l);

	if (rc <= 0)
		return rc;
	head(out, WAIT, "histogram", "How long packets waited for their verdicts.");
	for (int b = 0; b < LATENCY_COUNT; b++) {
		int64_t us = latency_bound_us((enum latency_bucket)b);

		seen += l.bucket[b];
		if (b == LATENCY_LONGER)
			fprintf(out, WAIT "_bucket{le=\"+Inf\"} %" PRId64 "\n", seen);
		else
			fprintf(out, WAIT "_bucket{le=\"%g\"} %" PRId64 "\n",
				(double)us / TIME_US_PER_S, seen);
	}
	fprintf(out, WAIT "_sum %" PRId64 ".%06d\n" WAIT "_count %" PRId64 "\n",
		(int64_t)(l.sum_us / TIME_US_PER_S), (int)(l.sum_us % TIME_US_PER_S), seen);
	return 0;
}

static int write_metrics(FILE *out, struct cli *cli, struct query_db *db)
{
	struct health h;

	head(out, "sockledger_build_info", "gauge", "The version that wrote this.");
	fprintf(out, "sockledger_build_info{version=\"%s\"} 1\n", PACKAGE_VERSION);
	health_read(&h, cli->ledger, cli->config.cache);
	head(out, "sockledger_lost", "gauge",
	     "Events, rows and packets that were lost, of all kinds together.");
	fprintf(out, "sockledger_lost %" PRId64 "\n", h.lost);
	if (write_counts(out, db) || write_latency(out, db))
		return -1;
	return statistics_each(&cli->config, db, statistic, out);
}

static int write_file(const char *path, struct cli *cli, struct query_db *db)
{
	struct outfile f;
	int rc = outfile_begin(&f, path, 0644);

	if (!rc && write_metrics(f.out, cli, db)) {
		outfile_abandon(&f);
		return CLI_UNREADABLE;
	}
	if (!rc)
		rc = outfile_commit(&f);
	if (!rc)
		return CLI_FOUND;
	fprintf(stderr, "sockledger: cannot write '%s': %s\n", path, outfile_strerror(rc));
	return CLI_UNREADABLE;
}

int cmd_metrics(struct cli *cli, const struct command *self, int argc, char **argv)
{
	static const struct option options[] = {
		{ "output", required_argument, NULL, 'o' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	const char *path = NULL;
	struct query_db *db;
	int option, status;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (option == 'h')
			return cli_help(self);
		if (option != 'o')
			return cli_usage(self, "cannot go on");
		path = optarg;
	}
	if (optind < argc)
		return cli_usage(self, "unexpected argument '%s'", argv[optind]);
	db = query_open(cli->ledger);
	if (!db)
		return CLI_UNREADABLE;
	if (path)
		status = write_file(path, cli, db);
	else
		status = write_metrics(stdout, cli, db) ? CLI_UNREADABLE : CLI_FOUND;
	query_close(db);
	return status;
}
