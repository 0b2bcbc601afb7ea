/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sockledger policy replay: what a policy would have done to the recorded past, by the engine that
 * sockledgerd has, beside what was done and what the policy in force does.  Where that hangs on
 * something that the ledger does not keep, the answer is `open`, and it is said on what.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "clock.h"
#include "diag.h"
#include "keys.h"
#include "output.h"
#include "past.h"
#include "policy.h"
#include "policy_cmds.h"
#include "policy_file.h"
#include "protocol.h"
#include "query.h"

#define GROUPS_MOST 50000
#define OPEN_CHARS 128		/* all words of say_gaps() */

/* What connections are shown in one line: of one program and user, with the same answers. */
struct group {
	char *exe, *user, *rule;	/* exe, user NULL: unknown */
	int64_t uid;
	const char *would, *was, *now;	/* now NULL: there is no policy in force */
	int line;
	char open[OPEN_CHARS];
	int64_t connections, by_certainty[CERTAINTIES], last_us;
};

struct replay {
	struct past_filter filter;
	struct policy *policy, *in_force;
	struct keys keys;
	struct group *groups;
	struct output *output;
	bool rows, all, ends;	/* ends: rules do, of one policy or both */
	enum format format;
	int64_t connections, passes, stopped, open, waits, no_packet, differs, crowded;
	int64_t first_us, last_us;
};

/* One connection's answers. */
struct answer {
	struct policy_answer would;
	unsigned int open;	/* gaps that it hangs on */
	const char *would_word, *now_word;
	char open_words[OPEN_CHARS];
};

/* What a gap is, in the fewest words. */
static void say_gaps(unsigned int gaps, char *to, size_t size)
{
	static const char *const words[] = { "file", "parent's file", "proto", "src", "dst",
					     "sport", "dport", "groups", "hash", "cmdline",
					     "ancestors", "iface", "name" };
	size_t len = 0;

	*to = '\0';
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (gaps & 1u << i && len < size)
			len += (size_t)snprintf(to + len, size - len, "%s%s", len ? ", " : "",
						words[i]);
}

static const char *verdict_or_open(const struct policy *p, const struct past_row *row,
				   struct policy_answer *a, unsigned int *open)
{
	*open = policy_decide_with_gaps(p, &row->c, row->gaps, a);
	return *open ? "open" : verdict_name(a->verdict);
}

static void ask(const struct replay *r, const struct past_row *row, struct answer *a)
{
	struct policy_answer now;
	unsigned int open;

	if (r->ends) {
		policy_at(r->policy, row->c.time_us);
		if (r->in_force)
			policy_at(r->in_force, row->c.time_us);
	}
	a->would_word = verdict_or_open(r->policy, row, &a->would, &a->open);
	if (a->open) {
		a->would.line = 0;
		a->would.rule = "";
	}
	a->now_word = r->in_force ? verdict_or_open(r->in_force, row, &now, &open) : NULL;
	say_gaps(a->open, a->open_words, sizeof(a->open_words));
}

static bool would_stop(const struct answer *a)
{
	return !a->open && !a->would.observe && a->would.verdict != VERDICT_ACCEPT;
}

/* It is not as it was, or as it is. */
static bool is_different(const struct past_row *row, const struct answer *a)
{
	enum verdict was = row->c.verdict;

	if (a->open)
		return false;
	return (was != VERDICT_OBSERVED && was != a->would.verdict) ||
	       (a->now_word && strcmp(a->now_word, a->would_word) != 0);
}

static struct cell text_cell(const char *s)
{
	return (struct cell){ .kind = s && *s ? CELL_TEXT : CELL_NULL, .text = text_of(s) };
}

static struct cell foreign_cell(struct text t)
{
	return (struct cell){ .kind = t.data ? CELL_TEXT : CELL_NULL, .text = t };
}

static struct cell number_cell(int64_t n)
{
	return (struct cell){ .kind = n < 0 ? CELL_NULL : CELL_INTEGER, .integer = n };
}

static struct cell user_cell(const char *name, int64_t uid)
{
	return name ? text_cell(name) : number_cell(uid);
}

/* --- Rows */

static const char *const row_names[] = {
	"id", "time", "would", "was", "in_force", "open", "rule", "direction", "proto", "src",
	"sport", "dst", "dport", "pid", "user", "program", "certainty",
};

static void print_row(const struct replay *r, const struct past_row *row, const struct answer *a)
{
	const struct connection *c = &row->c;
	char time[TIME_TEXT_MAX], src[ADDRESS_TEXT_MAX], dst[ADDRESS_TEXT_MAX], proto[16];
	const char *name = protocol_name(c->protocol);

	snprintf(proto, sizeof(proto), "%d", c->protocol);
	output_row(r->output, (struct cell[]){
		number_cell((int64_t)c->id), text_cell(time_format(c->time_us, time)),
		text_cell(a->would_word), text_cell(verdict_name(c->verdict)),
		text_cell(a->now_word), text_cell(a->open_words), text_cell(a->would.rule),
		text_cell(direction_name(c->direction)),
		c->protocol < 0 ? text_cell(NULL) : text_cell(name ? name : proto),
		text_cell(address_format(&c->src.addr, src)), number_cell(c->src.port),
		text_cell(address_format(&c->dst.addr, dst)), number_cell(c->dst.port),
		number_cell(c->process.pid),
		c->process.user.data ? foreign_cell(c->process.user) : number_cell(c->process.uid),
		foreign_cell(c->process.exe), text_cell(certainty_name(c->certainty)),
	});
}

/* --- Groups */

static const char *const group_names[] = {
	"would", "was", "in_force", "open", "line", "rule", "user", "program", "connections",
	"certain", "inferred", "unknown", "last",
};

static void print_group(struct output *o, const struct group *g)
{
	char last[TIME_TEXT_MAX];

	output_row(o, (struct cell[]){
		text_cell(g->would), text_cell(g->was), text_cell(g->now), text_cell(g->open),
		number_cell(g->line ? g->line : -1), text_cell(g->rule),
		user_cell(g->user, g->uid), text_cell(g->exe), number_cell(g->connections),
		number_cell(g->by_certainty[CERTAINTY_CERTAIN]),
		number_cell(g->by_certainty[CERTAINTY_INFERRED]),
		number_cell(g->by_certainty[CERTAINTY_UNKNOWN]),
		text_cell(time_format(g->last_us, last)),
	});
}

static char *copy_text(struct text t)
{
	return t.data ? strndup(t.data, t.len) : NULL;
}

static void add_to_group(struct replay *r, const struct past_row *row, const struct answer *a)
{
	const struct connection *c = &row->c;
	struct keys *k = &r->keys;
	int before = k->count, n;
	struct group *g;

	keys_begin(k);
	keys_add(k, text_of(a->would_word));
	keys_add(k, text_of(a->now_word));
	keys_add_number(k, c->verdict);
	keys_add_number(k, a->open);
	keys_add_number(k, a->would.line);
	keys_add(k, text_of(a->would.rule));
	keys_add(k, c->process.exe);
	keys_add_number(k, c->process.uid);
	n = keys_number(k);
	if (n < 0) {
		r->crowded++;
		return;
	}
	g = &r->groups[n];
	if (n == before) {
		*g = (struct group){
			.exe = copy_text(c->process.exe), .user = copy_text(c->process.user),
			.rule = strdup(a->would.rule), .uid = c->process.uid,
			.would = a->would_word, .was = verdict_name(c->verdict),
			.now = a->now_word, .line = a->would.line,
		};
		memcpy(g->open, a->open_words, sizeof(g->open));
	}
	g->connections++;
	g->by_certainty[c->certainty]++;
	if (c->time_us > g->last_us)
		g->last_us = c->time_us;
}

/* What would be stopped first, then what is open; of these the most first. */
static int compare_groups(const void *a, const void *b)
{
	static const char order[] = "drop,reject,open,accept";
	const struct group *x = a, *y = b;
	const char *wx = strstr(order, x->would), *wy = strstr(order, y->would);

	if (wx != wy)
		return wx < wy ? -1 : 1;
	if (x->connections != y->connections)
		return x->connections > y->connections ? -1 : 1;
	return strcmp(x->exe ? x->exe : "", y->exe ? y->exe : "");
}

static int on_row(const struct past_row *row, void *arg)
{
	struct replay *r = arg;
	struct answer a;
	bool stops, differs;

	ask(r, row, &a);
	stops = would_stop(&a);
	differs = is_different(row, &a);
	if (!r->connections++)
		r->first_us = row->c.time_us;
	r->last_us = row->c.time_us;
	r->passes += !stops && !a.open;
	r->stopped += stops;
	r->open += a.open != 0;
	r->differs += differs;
	r->waits += a.would.wants_certain;
	r->no_packet += !row->had_packet;
	if (!r->all && !stops && !a.open && !differs)
		return 0;
	if (r->rows)
		print_row(r, row, &a);
	else
		add_to_group(r, row, &a);
	return 0;
}

static void print_count(int64_t n, const char *what)
{
	if (n)
		printf("%" PRId64 " %s\n", n, what);
}

static void print_sum(const struct replay *r, const char *path)
{
	char first[TIME_TEXT_MAX], last[TIME_TEXT_MAX];

	printf("%sOf %" PRId64 " connection%s ", r->rows || r->keys.count ? "\n" : "",
	       r->connections, r->connections == 1 ? "" : "s");
	if (r->connections)
		printf("between %.16sZ and %.16sZ ", time_format(r->first_us, first),
		       time_format(r->last_us, last));
	fputs("under ", stdout);
	text_print(stdout, text_of(path), 0);
	puts(":");
	printf("%" PRId64 " would pass\n%" PRId64 " would be stopped\n", r->passes, r->stopped);
	print_count(r->open, "are open: they hang on what the ledger does not keep");
	print_count(r->differs, r->in_force ? "differ from what was done, or from what the policy "
		    "in force would do" : "differ from what was done");
	print_count(r->waits, "might wait for a second witness first");
	print_count(r->no_packet, "are of records alone: what the queue would have known is not "
		    "known");
	print_count(r->crowded, "are of more programs than are listed");
}

static bool show(struct replay *r, const char *path, struct query_db *db)
{
	int columns = r->rows ? (int)(sizeof(row_names) / sizeof(row_names[0])) :
		      (int)(sizeof(group_names) / sizeof(group_names[0]));
	bool good;

	r->output = output_new(stdout, r->format, r->rows ? row_names : group_names, columns);
	if (!r->output) {
		fputs("sockledger policy: out of memory\n", stderr);
		return false;
	}
	/* Not between rows on the same terminal. */
	if (!r->rows || !isatty(STDOUT_FILENO))
		query_show_progress(db, r->filter.since_us, r->filter.until_us);
	good = past_each(db, &r->filter, on_row, r) >= 0;
	if (good && r->keys.count)
		qsort(r->groups, (size_t)r->keys.count, sizeof(*r->groups), compare_groups);
	for (int i = 0; good && i < r->keys.count; i++)
		print_group(r->output, &r->groups[i]);
	output_end(r->output);
	if (good && r->format == FORMAT_TABLE)
		print_sum(r, path);
	return good;
}

static void release(struct replay *r)
{
	for (int i = 0; r->groups && i < r->keys.count; i++) {
		free(r->groups[i].exe);
		free(r->groups[i].user);
		free(r->groups[i].rule);
	}
	free(r->groups);
	keys_release(&r->keys);
	policy_free(r->policy);
	policy_free(r->in_force);
}

/* The policy in force: the one named by --against, or the configured one.  A mistake in it was
 * told. */
static int load_in_force(const struct cli *cli, const char *against, struct diags *d,
			 struct policy **out)
{
	const char *path = against ? against : cli->config.policy;

	*out = NULL;
	return path && strcmp(path, "none") ? policy_load(path, d, out) : 0;
}

static int replay(struct cli *cli, struct replay *r, const char *path, const char *against)
{
	struct diags d = { .out = stderr };
	int rc = policy_load(path, &d, &r->policy), status;
	struct query_db *db;

	if (!rc)
		rc = load_in_force(cli, against, &d, &r->in_force);
	if (rc)
		return rc == -EINVAL ? CLI_USAGE : CLI_UNREADABLE;
	/* Those that are over by now were not, for connections of before. */
	policy_at(r->policy, INT64_MIN);
	r->ends = policy_ends(r->policy);
	if (r->in_force) {
		policy_at(r->in_force, INT64_MIN);
		r->ends |= policy_ends(r->in_force);
	}
	db = query_open(cli->ledger);
	if (!db)
		return CLI_UNREADABLE;
	keys_init(&r->keys, GROUPS_MOST);
	r->groups = r->rows ? NULL : calloc(GROUPS_MOST, sizeof(*r->groups));
	if (!r->rows && !r->groups)
		fputs("sockledger policy: out of memory\n", stderr);
	status = (r->rows || r->groups) && show(r, path, db) ?
		 (r->stopped ? CLI_NOTHING : CLI_FOUND) : CLI_UNREADABLE;
	query_close(db);
	return status;
}

int policy_replay(struct cli *cli, const struct command *self, int argc, char **argv)
{
	static const struct option options[] = {
		{ "since", required_argument, NULL, 's' },
		{ "until", required_argument, NULL, 'u' },
		{ "against", required_argument, NULL, 'a' },
		{ "rows", no_argument, NULL, 'r' },
		{ "all", no_argument, NULL, 'A' },
		{ "format", required_argument, NULL, 'F' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct replay r = { .format = FORMAT_TABLE };
	int64_t now = clock_now_us();
	const char *against = NULL;
	int option, status;

	past_filter_init(&r.filter);
	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (option == 'h')
			return cli_help(self);
		if (option == '?')
			return cli_usage(self, "that is no option of 'replay'");
		if (option == 'a')
			against = optarg;
		r.rows |= option == 'r';
		r.all |= option == 'A';
		if ((option == 's' || option == 'u') &&
		    time_parse(optarg, now, option == 's' ? &r.filter.since_us :
			       &r.filter.until_us))
			return cli_usage(self, "'%s' is no time", optarg);
		if (option == 'F' && format_parse(optarg, &r.format))
			return cli_usage(self, "--format is table, json or csv");
	}
	if (optind + 1 != argc)
		return cli_usage(self, "'replay' wants a policy's file");
	status = replay(cli, &r, argv[optind], against);
	release(&r);
	return status;
}
