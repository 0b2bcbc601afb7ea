/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sockledger policy suggest: a policy that lets pass what the ledger is certain of, and nothing
 * else.  A name that came from outside gets into it only where it means itself there: no pattern,
 * no line's end, nothing that an editor or a terminal would show as something else.  What is
 * written was read by the policy's own parser before.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "clock.h"
#include "diag.h"
#include "generalize.h"
#include "keys.h"
#include "past.h"
#include "policy.h"
#include "policy_cmds.h"
#include "protocol.h"
#include "query.h"

#define GROUPS_MOST 8000
#define PLACES_MOST 2000000	/* of all groups; some 48 bytes each */
#define SHOWN_CHARS 200		/* of a name in a comment */
#define LEFT_OUT_SHOWN 8	/* programs of each reason */
/* What a policy can hold, less what else stands in it; and what its longest line can, with each
 * byte of a name escaped. */
#define BYTES_MOST (900 * 1024)
#define RULES_MOST 9900
#define PATH_CHARS 1200
#define NAME_CHARS 200

/* Why connections are left out. */
#define REASONS(X)                                                                             \
	X(DENIED, "a policy denied them, as recorded")                                           \
	X(KERNEL, "the kernel's own: they pass without a rule, unless one names them")           \
	X(FORWARDED, "forwarded: no process of this host sent them")                             \
	X(UNKNOWN, "nobody knows which process it was")                                          \
	X(INFERRED, "the process is inferred, not certain")                                      \
	X(TOLD, "nobody saw the program's file, only a path was told")                           \
	X(FOREIGN, "a foreign file: of a container, of another root, or in memory alone")        \
	X(NO_PATH, "the program has no path")                                                    \
	X(NAME, "a name that no rule can have: with * or ?, what no editor shows, or too long")   \
	X(NO_USER, "the user is not known")                                                      \
	X(NO_PLACE, "protocol, port or the other side's address is not known")                   \
	X(TOO_MANY, "more programs or places than a policy holds")

enum reason {
#define X(id, words) REASON_##id,
	REASONS(X)
#undef X
	REASON_COUNT,
	REASON_NONE = REASON_COUNT,
};

static const char *const reason_words[] = {
#define X(id, words) words,
	REASONS(X)
#undef X
};

/* One program, user, unit, direction and protocol. */
struct group {
	char *exe, *unit;	/* unit NULL: none that a rule could name */
	int64_t uid;
	char *user;		/* this host's name for it; NULL: none */
	enum direction direction;
	int protocol;
	struct place *places;
	size_t count, size;
	int64_t connections, first_us, last_us;
};

struct left_out {
	enum reason reason;
	char *exe;		/* NULL: unknown */
	int64_t connections, last_us;
};

struct suggestion {
	struct past_filter filter;
	struct keys group_keys, place_keys, left_keys;
	struct group *groups;
	size_t *where;		/* in its group, of each key of a place */
	struct left_out *left;
	int64_t connections, suggested, left_connections[REASON_COUNT], left_last_us[REASON_COUNT];
	int64_t first_us, last_us;
	FILE *out;		/* the rules, in memory */
	int rules;
	const struct group *telling;
	bool failed;		/* memory was short */
};

static char *copy_text(struct text t)
{
	return t.data ? strndup(t.data, t.len) : NULL;
}

/* --- What may stand in a policy */

/* The name means itself in a policy. */
static bool can_be_written(struct text t, size_t most)
{
	return t.len && t.len <= most && !memchr(t.data, '*', t.len) &&
	       !memchr(t.data, '?', t.len) && text_is_printable(t);
}

static void write_word(FILE *out, const char *word)
{
	bool quote = word[strcspn(word, " ,\"#")] || !*word;

	if (!quote) {
		fputs(word, out);
		return;
	}
	fputc('"', out);
	for (; *word; word++)
		fprintf(out, *word == '"' || *word == '\\' ? "\\%c" : "%c", *word);
	fputc('"', out);
}

/* The name that this host has for the user, where it means that user and no other. */
static char *user_name(int64_t uid)
{
	const struct passwd *pw = getpwuid((uid_t)uid);
	char *name = pw && (int64_t)pw->pw_uid == uid ? strdup(pw->pw_name) : NULL;

	pw = name ? getpwnam(name) : NULL;
	if (pw && (int64_t)pw->pw_uid == uid && can_be_written(text_of(name), NAME_CHARS / 4) &&
	    name[strspn(name, "0123456789")])
		return name;
	free(name);
	return NULL;
}

/*
 * The part of a unit that stays the same: a service of the system's.  What a user, a session or a
 * container calls its own is another one tomorrow, or whatever its owner likes.
 */
static struct text lasting_unit(struct text unit)
{
	const char *slash = unit.len ? memchr(unit.data, '/', unit.len) : NULL;
	struct text outer = { unit.data, slash ? (size_t)(slash - unit.data) : unit.len };

	if (!text_ends_with(outer, ".service") ||
	    (outer.len > 5 && !memcmp(outer.data, "user@", 5)))
		return TEXT_NONE;
	return outer;
}

/* --- What the rows say */

static enum reason reason_against(const struct past_row *row)
{
	const struct connection *c = &row->c;
	const struct endpoint *other = c->direction == DIRECTION_IN ? &c->src : &c->dst;
	struct text unit = lasting_unit(c->text[CONNECTION_UNIT]);

	if (c->verdict == VERDICT_DROP || c->verdict == VERDICT_REJECT)
		return REASON_DENIED;
	if (c->direction == DIRECTION_FORWARD)
		return REASON_FORWARDED;
	if (c->certainty == CERTAINTY_UNKNOWN)
		return text_equal(c->text[CONNECTION_REASON], text_of(POLICY_REASON_KERNEL)) ?
			       REASON_KERNEL : REASON_UNKNOWN;
	if (exe_is_other(c->process.exe_seen))
		return REASON_FOREIGN;
	if (!c->process.exe.data || c->process.exe_seen == EXE_UNREADABLE)
		return REASON_NO_PATH;
	if (!exe_is_ours(c->process.exe_seen))
		return REASON_TOLD;
	if (c->certainty != CERTAINTY_CERTAIN)
		return REASON_INFERRED;
	if (!can_be_written(c->process.exe, PATH_CHARS) || c->process.exe.data[0] != '/' ||
	    (unit.data && !can_be_written(unit, NAME_CHARS)))
		return REASON_NAME;
	if (c->process.uid < 0)
		return REASON_NO_USER;
	if (c->unreadable || c->protocol < 0 || !other->addr.family ||
	    (c->dst.port < 0 && protocol_is(c->protocol, PROTOCOL_PORTS)))
		return REASON_NO_PLACE;
	return REASON_NONE;
}

static void leave_out(struct suggestion *s, const struct past_row *row, enum reason reason)
{
	struct keys *k = &s->left_keys;
	int before = k->count, n;

	s->left_connections[reason] += row->connections;
	if (row->last_us > s->left_last_us[reason])
		s->left_last_us[reason] = row->last_us;
	keys_begin(k);
	keys_add_number(k, reason);
	keys_add(k, row->c.process.exe);
	n = keys_number(k);
	if (n < 0)
		return;		/* it is in the sum */
	if (n == before)
		s->left[n] = (struct left_out){ reason, copy_text(row->c.process.exe), 0, 0 };
	s->left[n].connections += row->connections;
	if (row->last_us > s->left[n].last_us)
		s->left[n].last_us = row->last_us;
}

/* The group of the row; NULL: there are too many. */
static struct group *group_of(struct suggestion *s, const struct connection *c)
{
	struct text unit = lasting_unit(c->text[CONNECTION_UNIT]);
	struct keys *k = &s->group_keys;
	int before = k->count, n;

	keys_begin(k);
	keys_add(k, c->process.exe);
	keys_add(k, unit);
	keys_add_number(k, c->process.uid);
	keys_add_number(k, c->direction);
	keys_add_number(k, c->protocol);
	n = keys_number(k);
	if (n == before)
		s->groups[n] = (struct group){
			.exe = copy_text(c->process.exe), .unit = copy_text(unit),
			.uid = c->process.uid, .user = user_name(c->process.uid),
			.direction = c->direction, .protocol = c->protocol, .first_us = INT64_MAX,
		};
	return n < 0 ? NULL : &s->groups[n];
}

/* Where the group counts connections with that address and port; NULL: there are too many. */
static struct place *place_of(struct suggestion *s, struct group *g, const struct address *a,
			      int32_t port)
{
	struct keys *k = &s->place_keys;
	int before = k->count, n;

	keys_begin(k);
	keys_add_number(k, g - s->groups);
	keys_add(k, (struct text){ (const char *)a, sizeof(*a) });
	keys_add_number(k, port);
	n = keys_number(k);
	if (n < 0)
		return NULL;
	if (n < before)
		return &g->places[s->where[n]];
	if (g->count == g->size) {
		size_t size = g->size ? 2 * g->size : 8;
		struct place *grown = reallocarray(g->places, size, sizeof(*grown));

		if (!grown)
			return NULL;
		g->places = grown;
		g->size = size;
	}
	s->where[n] = g->count;
	g->places[g->count] = (struct place){ .addr = *a, .port = port };
	return &g->places[g->count++];
}

static int on_row(const struct past_row *row, void *arg)
{
	struct suggestion *s = arg;
	const struct connection *c = &row->c;
	enum reason reason = reason_against(row);
	struct group *g;
	struct place *p;

	s->connections += row->connections;
	if (row->first_us < s->first_us)
		s->first_us = row->first_us;
	if (row->last_us > s->last_us)
		s->last_us = row->last_us;
	if (reason != REASON_NONE) {
		leave_out(s, row, reason);
		return 0;
	}
	g = group_of(s, c);
	p = g ? place_of(s, g, c->direction == DIRECTION_IN ? &c->src.addr : &c->dst.addr,
			 protocol_is(c->protocol, PROTOCOL_PORTS) ? c->dst.port : -1) : NULL;
	if (!p) {
		leave_out(s, row, REASON_TOO_MANY);
		return 0;
	}
	s->suggested += row->connections;
	p->connections += row->connections;
	g->connections += row->connections;
	if (row->first_us < g->first_us)
		g->first_us = row->first_us;
	if (row->last_us > g->last_us)
		g->last_us = row->last_us;
	if (row->last_us > p->last_us)
		p->last_us = row->last_us;
	return 0;
}

/* --- What is written */

static void print_shown(FILE *out, const char *name)
{
	text_print(out, text_of(name), SHOWN_CHARS);
}

static void print_number(FILE *out, int64_t n, const char *one, const char *many)
{
	fprintf(out, "%" PRId64 " %s", n, n == 1 ? one : many);
}

static void print_connections(FILE *out, int64_t n, int64_t last_us)
{
	char last[TIME_TEXT_MAX];

	print_number(out, n, "connection", "connections");
	fprintf(out, ", last %.16sZ", time_format(last_us, last));
}

static void write_rule(const struct reach *r, void *arg)
{
	struct suggestion *s = arg;
	const struct group *g = s->telling;
	const char *protocol = protocol_name(g->protocol);
	FILE *out = s->out;

	fputs("# ", out);
	print_connections(out, r->connections, r->last_us);
	fputs("; ", out);
	print_number(out, (int64_t)r->of_addresses, "address", "addresses");
	if (r->of_ports > 1)
		fprintf(out, ", %zu ports", r->of_ports);
	fprintf(out, ": %s\nallow exe ", r->how);
	write_word(out, g->exe);
	fputs(" user ", out);
	if (g->user)
		write_word(out, g->user);
	else
		fprintf(out, "%" PRId64, g->uid);
	if (g->unit) {
		fputs(" unit ", out);
		write_word(out, g->unit);
	}
	fprintf(out, " direction %s proto ", direction_name(g->direction));
	if (protocol)
		fputs(protocol, out);
	else
		fprintf(out, "%d", g->protocol);
	if (r->addresses[0])
		fprintf(out, " address %s", r->addresses);
	if (r->ports[0])
		fprintf(out, " port %s", r->ports);
	fputc('\n', out);
	s->rules++;
}

static int compare_groups(const void *a, const void *b)
{
	const struct group *x = a, *y = b;
	int d = strcmp(x->exe, y->exe);

	if (!d && x->uid != y->uid)
		return x->uid < y->uid ? -1 : 1;
	if (!d)
		d = strcmp(x->unit ? x->unit : "", y->unit ? y->unit : "");
	if (!d)
		d = (int)x->direction - (int)y->direction;
	return d ? d : x->protocol - y->protocol;
}

static bool same_program(const struct group *a, const struct group *b)
{
	return !strcmp(a->exe, b->exe) && a->uid == b->uid &&
	       !strcmp(a->unit ? a->unit : "", b->unit ? b->unit : "");
}

/* A comment for each program, user and unit, before its rules. */
static void write_head(FILE *out, const struct group *g, const struct group *end)
{
	char first[TIME_TEXT_MAX];
	int64_t connections = 0, first_us = INT64_MAX, last_us = 0;

	for (const struct group *at = g; at < end && same_program(g, at); at++) {
		connections += at->connections;
		first_us = at->first_us < first_us ? at->first_us : first_us;
		last_us = at->last_us > last_us ? at->last_us : last_us;
	}
	fputs("\n# ", out);
	print_shown(out, g->exe);
	fputs(", user ", out);
	if (g->user)
		print_shown(out, g->user);
	fprintf(out, "%s%" PRId64 "%s", g->user ? " (" : "", g->uid, g->user ? ")" : "");
	if (g->unit) {
		fputs(", unit ", out);
		print_shown(out, g->unit);
	}
	fputs(": ", out);
	print_connections(out, connections, last_us);
	fprintf(out, ", first %.16sZ\n", time_format(first_us, first));
}

/* The group is counted among what is left out, because the policy is full. */
static void leave_group_out(struct suggestion *s, const struct group *g)
{
	struct past_row row = { .connections = g->connections, .last_us = g->last_us };

	row.c.process.exe = text_of(g->exe);
	leave_out(s, &row, REASON_TOO_MANY);
	s->suggested -= g->connections;
}

static void write_rules(struct suggestion *s)
{
	const struct group *end = s->groups + s->group_keys.count;

	qsort(s->groups, (size_t)s->group_keys.count, sizeof(*s->groups), compare_groups);
	for (struct group *g = s->groups; g < end; g++) {
		if (ftell(s->out) > BYTES_MOST || s->rules > RULES_MOST) {
			leave_group_out(s, g);
			continue;
		}
		if (g == s->groups || !same_program(g, g - 1))
			write_head(s->out, g, end);
		s->telling = g;
		generalize(g->places, g->count, write_rule, s);
	}
}

static int compare_left_out(const void *a, const void *b)
{
	const struct left_out *x = a, *y = b;

	if (x->reason != y->reason)
		return x->reason < y->reason ? -1 : 1;
	if (x->connections != y->connections)
		return x->connections > y->connections ? -1 : 1;
	return strcmp(x->exe ? x->exe : "", y->exe ? y->exe : "");
}

static void write_left_out(FILE *out, const struct suggestion *s)
{
	const struct left_out *at = s->left, *end = s->left + s->left_keys.count;

	qsort(s->left, (size_t)s->left_keys.count, sizeof(*s->left), compare_left_out);
	fputs("#\n# Left out, which no rule here lets pass:\n", out);
	for (int r = 0; r < REASON_COUNT; r++) {
		int shown = 0;

		if (!s->left_connections[r])
			continue;
		fputs("#   ", out);
		print_connections(out, s->left_connections[r], s->left_last_us[r]);
		fprintf(out, ": %s\n", reason_words[r]);
		for (; at < end && (int)at->reason == r; at++) {
			if (!at->exe || ++shown > LEFT_OUT_SHOWN)
				continue;
			fputs("#     ", out);
			print_shown(out, at->exe);
			fprintf(out, ": %" PRId64 "\n", at->connections);
		}
		if (shown > LEFT_OUT_SHOWN)
			fprintf(out, "#     and %d more programs\n", shown - LEFT_OUT_SHOWN);
	}
}

static void write_beginning(FILE *out, const struct suggestion *s)
{
	char now[TIME_TEXT_MAX], first[TIME_TEXT_MAX], last[TIME_TEXT_MAX];

	fprintf(out, "# Suggested by 'sockledger policy suggest' on %.16sZ, from ",
		time_format(clock_now_us(), now));
	print_number(out, s->connections, "connection", "connections");
	if (s->connections)
		fprintf(out, "\n# between %.16sZ and %.16sZ", time_format(s->first_us, first),
			time_format(s->last_us, last));
	fputs(".  The rules let pass ", out);
	print_number(out, s->suggested, "of them, which is certain", "of them, which are certain");
	fputs(".\n#\n"
	      "# What was seen is not what is right: read each rule before it counts.  'sockledger "
	      "policy\n# replay' tells what this policy would have done.\n#\n"
	      "# Addresses of a rule, for each port the first of these that are eight at most:\n"
	      "# the addresses; their networks of /24 (IPv6: /64); of /16 (/48); loopback,\n"
	      "# private and link-local networks; else any address.  More than sixteen ports\n"
	      "# below 1024, or from there on, are one range.\n", out);
	write_left_out(out, s);
	fputs("\ndefault reject\nunattributed reject\n", out);
}

/* Reads what was written as sockledgerd would. */
static bool is_accepted(const char *text, size_t len)
{
	struct diags d = { .out = stderr };
	struct policy *p = NULL;
	int rc = policy_parse("suggestion", text, len, &d, &p);

	policy_free(p);
	return !rc;
}

static int write_policy(struct suggestion *s)
{
	char *rules = NULL, *text = NULL;
	size_t rules_len = 0, len = 0;
	FILE *all;
	int status = CLI_UNREADABLE;

	s->out = open_memstream(&rules, &rules_len);
	if (s->out) {
		write_rules(s);
		s->failed |= fclose(s->out) != 0;
	}
	all = open_memstream(&text, &len);
	if (all) {
		write_beginning(all, s);
		if (rules)
			fwrite(rules, 1, rules_len, all);
		s->failed |= fclose(all) != 0;
	}
	if (!s->out || !all || s->failed) {
		fputs("sockledger policy: out of memory\n", stderr);
	} else if (is_accepted(text, len)) {
		fwrite(text, 1, len, stdout);
		status = s->rules ? CLI_FOUND : CLI_NOTHING;
	}
	free(rules);
	free(text);
	return status;
}

static void release(struct suggestion *s)
{
	for (int i = 0; s->groups && i < s->group_keys.count; i++) {
		free(s->groups[i].exe);
		free(s->groups[i].unit);
		free(s->groups[i].user);
		free(s->groups[i].places);
	}
	for (int i = 0; s->left && i < s->left_keys.count; i++)
		free(s->left[i].exe);
	free(s->groups);
	free(s->where);
	free(s->left);
	keys_release(&s->group_keys);
	keys_release(&s->place_keys);
	keys_release(&s->left_keys);
}

static int suggest(struct cli *cli, struct suggestion *s)
{
	struct query_db *db = query_open(cli->ledger);
	int status = CLI_UNREADABLE;

	if (!db)
		return status;
	query_show_progress(db, s->filter.since_us, s->filter.until_us);
	s->first_us = INT64_MAX;
	keys_init(&s->group_keys, GROUPS_MOST);
	keys_init(&s->place_keys, PLACES_MOST);
	keys_init(&s->left_keys, GROUPS_MOST);
	s->groups = calloc(GROUPS_MOST, sizeof(*s->groups));
	s->where = calloc(PLACES_MOST, sizeof(*s->where));
	s->left = calloc(GROUPS_MOST, sizeof(*s->left));
	if (!s->groups || !s->where || !s->left)
		fputs("sockledger policy: out of memory\n", stderr);
	else if (past_each_kind(db, &s->filter, on_row, s) >= 0)
		status = write_policy(s);
	release(s);
	query_close(db);
	return status;
}

int policy_suggest(struct cli *cli, const struct command *self, int argc, char **argv)
{
	static const struct option options[] = {
		{ "since", required_argument, NULL, 's' },
		{ "until", required_argument, NULL, 'u' },
		{ "unit", required_argument, NULL, 'U' },
		{ "user", required_argument, NULL, 'w' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct suggestion s = { .failed = false };
	int64_t now = clock_now_us();
	int option;

	past_filter_init(&s.filter);
	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (option == 'h')
			return cli_help(self);
		if (option == '?')
			return cli_usage(self, "that is no option of 'suggest'");
		if (option == 'U')
			s.filter.unit = optarg;
		if (option == 'w')
			s.filter.user = optarg;
		if ((option == 's' || option == 'u') &&
		    time_parse(optarg, now, option == 's' ? &s.filter.since_us :
			       &s.filter.until_us))
			return cli_usage(self, "'%s' is no time", optarg);
	}
	if (optind < argc)
		return cli_usage(self, "unexpected argument '%s'", argv[optind]);
	return suggest(cli, &s);
}
