/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sockledger policy stats: which rules of a policy decided, how often and when last, which never
 * did, and which never can.  A row has the text of the rule that decided about its first packet.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "clock.h"
#include "diag.h"
#include "keys.h"
#include "ledger_schema.h"
#include "output.h"
#include "policy.h"
#include "policy_cmds.h"
#include "policy_file.h"
#include "query.h"

#define RULES_MOST 50000	/* with those of former policies */

struct hits {
	char *rule;
	int64_t count, last_us;
	bool shown;
};

struct rule_stats {
	struct policy *policy;
	struct keys keys;		/* rules by their text */
	struct hits *hits;
	struct output *output;
	int64_t since_us, until_us;
};

static const char *const names[] = { "line", "hits", "last", "state", "shadowed_by", "rule",
				     "comment" };

#define COLUMNS ((int)(sizeof(names) / sizeof(names[0])))

static int on_row(const struct cell *cells, int columns, void *arg)
{
	struct rule_stats *s = arg;
	int before = s->keys.count, n;

	(void)columns;
	keys_begin(&s->keys);
	keys_add(&s->keys, cells[0].text);
	n = keys_number(&s->keys);
	if (n < 0)
		return 0;
	if (n == before)
		s->hits[n] = (struct hits){ strndup(cells[0].text.data, cells[0].text.len), 0, 0,
					    false };
	s->hits[n].count += cells[1].integer;
	s->hits[n].last_us = cells[2].integer;
	return 0;
}

static bool read_hits(struct rule_stats *s, struct query_db *db)
{
	struct sql q = { .failed = false };
	int64_t rows;

	sql_add(&q, "SELECT t.text, n.hits, n.last FROM (SELECT rule, count(*) AS hits,"
		" max(time) AS last FROM " LEDGER_ALL " WHERE rule IS NOT NULL");
	sql_add_number(&q, " AND time >= ?", s->since_us);
	sql_add_number(&q, " AND time < ?", s->until_us);
	sql_add(&q, " GROUP BY rule) n JOIN text t ON t.id = n.rule ORDER BY n.hits DESC");
	rows = query_run(db, &q, on_row, s);
	sql_release(&q);
	return rows >= 0;
}

/* What the rule with that text did; NULL: nothing. */
static struct hits *hits_of(struct rule_stats *s, const char *rule)
{
	int before = s->keys.count, n;

	keys_begin(&s->keys);
	keys_add(&s->keys, text_of(rule));
	n = keys_number(&s->keys);
	return n < 0 || n >= before || s->hits[n].shown ? NULL : &s->hits[n];
}

static struct cell number_cell(int64_t n)
{
	return (struct cell){ .kind = n > 0 ? CELL_INTEGER : CELL_NULL, .integer = n };
}

static struct cell text_cell(const char *s)
{
	return (struct cell){ .kind = s ? CELL_TEXT : CELL_NULL, .text = text_of(s) };
}

static void print(struct rule_stats *s, int line, const char *rule, const char *state,
		  int shadowed_by, const struct hits *h, const char *comment)
{
	struct cell count = { .kind = CELL_INTEGER, .integer = h ? h->count : 0 };
	char last[TIME_TEXT_MAX];

	output_row(s->output, (struct cell[]){
		number_cell(line), count, text_cell(h ? time_format(h->last_us, last) : NULL),
		text_cell(state), number_cell(shadowed_by), text_cell(rule), text_cell(comment),
	});
}

static bool is_default(const char *rule)
{
	static const char *const words[] = { "default", "unattributed", "unreadable", "kernel" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (!strcmp(rule, words[i]))
			return true;
	return false;
}

/* The policy's rules in their order, then its defaults, then rules of former policies. */
static void show(struct rule_stats *s)
{
	int known = s->keys.count;

	for (size_t i = 0; i < policy_rule_count(s->policy); i++) {
		int line, by = policy_shadowed_by(s->policy, i);
		const char *rule = policy_rule(s->policy, i, &line);
		/* Of two that read alike the first one did it. */
		struct hits *h = by ? NULL : hits_of(s, rule);
		int64_t since_us;
		const char *state = policy_is_over(s->policy, i, &since_us) ? "expired" :
				    by ? "shadowed" : h ? "hit" : "never";

		if (h)
			h->shown = true;
		print(s, line, rule, state, by, h, policy_comment(s->policy, i));
	}
	for (int defaults = 1; defaults >= 0; defaults--) {
		for (int i = 0; i < known; i++) {
			const struct hits *h = &s->hits[i];

			if (h->rule && !h->shown && is_default(h->rule) == defaults)
				print(s, 0, h->rule, defaults ? "default" : "former", 0, h,
				      NULL);
		}
	}
}

static int answer(struct cli *cli, struct rule_stats *s, const char *path, enum format format)
{
	struct diags d = { .out = stderr };
	int rc = policy_load(path, &d, &s->policy), status = CLI_UNREADABLE;
	struct query_db *db;

	if (rc)
		return rc == -EINVAL ? CLI_USAGE : CLI_UNREADABLE;
	db = query_open(cli->ledger);
	if (!db)
		return CLI_UNREADABLE;
	keys_init(&s->keys, RULES_MOST);
	s->hits = calloc(RULES_MOST, sizeof(*s->hits));
	s->output = s->hits ? output_new(stdout, format, names, COLUMNS) : NULL;
	if (!s->output) {
		fputs("sockledger policy: out of memory\n", stderr);
	} else if (read_hits(s, db)) {
		show(s);
		status = CLI_FOUND;
	}
	output_end(s->output);
	query_close(db);
	return status;
}

static void release(struct rule_stats *s)
{
	for (int i = 0; s->hits && i < s->keys.count; i++)
		free(s->hits[i].rule);
	free(s->hits);
	keys_release(&s->keys);
	policy_free(s->policy);
}

int policy_stats(struct cli *cli, const struct command *self, int argc, char **argv)
{
	static const struct option options[] = {
		{ "since", required_argument, NULL, 's' },
		{ "until", required_argument, NULL, 'u' },
		{ "format", required_argument, NULL, 'F' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct rule_stats s = { .since_us = INT64_MIN, .until_us = INT64_MAX };
	enum format format = FORMAT_TABLE;
	int64_t now = clock_now_us();
	const char *path;
	int option, status;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (option == 'h')
			return cli_help(self);
		if (option == '?')
			return cli_usage(self, "that is no option of 'stats'");
		if ((option == 's' || option == 'u') &&
		    time_parse(optarg, now, option == 's' ? &s.since_us : &s.until_us))
			return cli_usage(self, "'%s' is no time", optarg);
		if (option == 'F' && format_parse(optarg, &format))
			return cli_usage(self, "--format is table, json or csv");
	}
	path = optind < argc ? argv[optind] : cli->config.policy;
	if (optind + 1 < argc || !path || !strcmp(path, "none"))
		return cli_usage(self, "'stats' wants a policy's file, where none is configured");
	status = answer(cli, &s, path, format);
	release(&s);
	return status;
}
