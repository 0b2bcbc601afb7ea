/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sockledger policy: checks a policy, and says what it does to a connection.  It uses the same
 * engine as sockledgerd, so the two cannot differ.  What the ledger answers has files of its own.
 */
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <grp.h>
#include <pwd.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "clock.h"
#include "connection.h"
#include "diag.h"
#include "output.h"
#include "policy.h"
#include "policy_cmds.h"
#include "policy_file.h"
#include "protocol.h"

enum field_kind { FIELD_TEXT, FIELD_USER, FIELD_GROUP, FIELD_SHA256, FIELD_VERIFIED, FIELD_CMDLINE,
		  FIELD_ANCESTOR, FIELD_PROTO, FIELD_DIRECTION, FIELD_ADDRESS, FIELD_PORT,
		  FIELD_NAME, FIELD_IFACE, FIELD_CERTAINTY };

#define TEXT_AT(member) offsetof(struct connection, member)

/* What can be told about the connection. */
static const struct field {
	const char *name;
	enum field_kind kind;
	size_t text;		/* of texts and users: where the connection has it */
	bool source;		/* of addresses and ports */
	bool process;		/* the option describes the process */
} fields[] = {
	{ "exe", FIELD_TEXT, TEXT_AT(process.exe), false, true },
	{ "comm", FIELD_TEXT, TEXT_AT(process.comm), false, true },
	{ "user", FIELD_USER, TEXT_AT(process.user), false, true },
	{ "login-user", FIELD_USER, TEXT_AT(process.login_user), false, true },
	{ "group", FIELD_GROUP, 0, false, true },
	{ "sha256", FIELD_SHA256, 0, false, true },
	{ "verified", FIELD_VERIFIED, 0, false, true },
	{ "cmdline", FIELD_CMDLINE, 0, false, true },
	{ "parent", FIELD_TEXT, TEXT_AT(text[CONNECTION_PARENT_EXE]), false, true },
	{ "ancestor", FIELD_ANCESTOR, 0, false, true },
	{ "unit", FIELD_TEXT, TEXT_AT(text[CONNECTION_UNIT]), false, true },
	{ "container", FIELD_TEXT, TEXT_AT(text[CONNECTION_CONTAINER]), false, true },
	{ "node", FIELD_TEXT, TEXT_AT(text[CONNECTION_NODE]), false, false },
	{ "proto", FIELD_PROTO, 0, false, false },
	{ "direction", FIELD_DIRECTION, 0, false, false },
	{ "src", FIELD_ADDRESS, 0, true, false },
	{ "dst", FIELD_ADDRESS, 0, false, false },
	{ "sport", FIELD_PORT, 0, true, false },
	{ "dport", FIELD_PORT, 0, false, false },
	{ "name", FIELD_NAME, 0, false, true },
	{ "iface", FIELD_IFACE, 0, false, false },
	{ "certainty", FIELD_CERTAINTY, 0, false, false },
	{ "reason", FIELD_TEXT, TEXT_AT(text[CONNECTION_REASON]), false, false },
};

#define FIELDS ((int)(sizeof(fields) / sizeof(fields[0])))
#define GROUPS_MOST 64
#define FOREFATHERS_MOST 32
enum { OPT_FORMAT = 256, OPT_STRICT, OPT_FIELD };

struct request {
	struct connection connection;
	enum format format;
	int told;		/* which options were given */
	bool process, certainty;	/* given */
	bool strict;		/* warnings count */
	char *user, *login_user;	/* names that the connection borrows */
	struct process_facts facts;
	uint32_t groups[GROUPS_MOST];
	unsigned char sha256[32];
	struct forefathers forefathers;
	struct forefather forefather[FOREFATHERS_MOST];
	char name[CONNECTION_NAME_BYTES + 1];
};

static struct text *text_field(struct connection *c, const struct field *f)
{
	return (struct text *)((char *)c + f->text);
}

static bool is_number(const char *s)
{
	return *s && s[strspn(s, "0123456789")] == '\0';
}

/* Sets a user by name or number; as in the daemon the connection gets both, as far as
 * this host knows them. */
static bool set_user(struct request *r, const struct field *f, const char *value)
{
	bool login = f->text == TEXT_AT(process.login_user);
	int64_t *id = login ? &r->connection.process.auid : &r->connection.process.uid;
	char **name = login ? &r->login_user : &r->user;
	const struct passwd *pw;

	free(*name);
	*name = NULL;
	if (!*value)
		return false;
	if (is_number(value)) {
		*id = strlen(value) > 10 ? -1 : strtoll(value, NULL, 10);
		if (*id < 0 || *id >= UINT32_MAX)
			return false;
		pw = getpwuid((uid_t)*id);
		*name = pw ? strdup(pw->pw_name) : NULL;
	} else {
		pw = getpwnam(value);
		*id = pw ? (int64_t)pw->pw_uid : -1;
		*name = strdup(value);
	}
	*text_field(&r->connection, f) = text_of(*name);
	return true;
}

static bool add_group(struct request *r, const char *name)
{
	long long gid = is_number(name) && strlen(name) <= 10 ? strtoll(name, NULL, 10) : -1;
	const struct group *g = is_number(name) ? NULL : getgrnam(name);

	if (g)
		gid = (long long)g->gr_gid;
	if (gid < 0 || gid >= UINT32_MAX || r->facts.group_count == GROUPS_MOST)
		return false;
	r->groups[r->facts.group_count++] = (uint32_t)gid;
	return true;
}

/* All its groups: names or numbers with commas between them; or that they could not be read. */
static bool set_groups(struct request *r, const char *value)
{
	char *list, *rest = NULL;
	bool good = true;

	r->connection.facts = &r->facts;
	r->facts.groups = NULL;
	r->facts.group_count = 0;
	if (!strcmp(value, "unknown"))
		return true;
	list = strdup(value);
	for (char *name = list ? strtok_r(list, ",", &rest) : NULL; name && good;
	     name = strtok_r(NULL, ",", &rest))
		good = add_group(r, name);
	free(list);
	r->facts.groups = r->groups;
	return good && r->facts.group_count;
}

/* What is in the program's file; or that it could not be read. */
static bool set_sha256(struct request *r, const char *value)
{
	bool known = strcmp(value, "unknown") != 0;

	r->connection.facts = &r->facts;
	r->facts.sha256 = known ? r->sha256 : NULL;
	for (size_t i = 0; known && i < sizeof(r->sha256); i++) {
		unsigned int byte;

		if (!isxdigit((unsigned char)value[2 * i]) ||
		    !isxdigit((unsigned char)value[2 * i + 1]) ||
		    sscanf(value + 2 * i, "%2x", &byte) != 1)
			return false;
		r->sha256[i] = (unsigned char)byte;
	}
	return !known || !value[2 * sizeof(r->sha256)];
}

/* A file that is a package's, or not; its hash is any, where none is told. */
static bool set_verified(struct request *r, const char *value)
{
	r->connection.facts = &r->facts;
	if (strcmp(value, "unknown") != 0 && !r->facts.sha256)
		r->facts.sha256 = r->sha256;
	r->facts.verified = !strcmp(value, "yes");
	return r->facts.verified || !strcmp(value, "no") || !strcmp(value, "unknown");
}

/* A program is the file of that path, or one that nobody could see. */
static void set_program(struct text *exe, int64_t *seen)
{
	bool unknown = text_equal(*exe, text_of("unknown"));

	if (unknown)
		*exe = TEXT_NONE;
	*seen = unknown ? EXE_UNREADABLE : EXE_HERE;
}

/* What it says of itself; or that it could not be read. */
static bool set_cmdline(struct request *r, const char *value)
{
	r->connection.facts = &r->facts;
	r->facts.asks_cmdline = true;
	r->connection.process.cmdline = strcmp(value, "unknown") ? text_of(value) : TEXT_NONE;
	return *value;
}

/* All its forefathers' programs, the parent's first, with commas between them: what the trace has
 * seen.  One, or all, may be unknown. */
static bool set_forefathers(struct request *r, const char *value)
{
	struct forefathers *all = &r->forefathers;

	r->connection.facts = &r->facts;
	r->facts.forefathers = all;
	*all = (struct forefathers){ .by = r->forefather, .whole = true };
	while (*value) {
		struct forefather *k = &r->forefather[all->count];
		size_t len = strcspn(value, ",");

		if (!len || all->count == FOREFATHERS_MOST)
			return false;
		*k = (struct forefather){ .exe = { value, len }, .then = true };
		set_program(&k->exe, &k->seen);
		all->count++;
		value += len;
		if (*value && !*++value)
			return false;
	}
	return all->count;
}

/* As this very process has looked it up. */
static bool set_name(struct request *r, const char *value)
{
	size_t len = strlen(value);

	if (len >= sizeof(r->name))
		return false;
	for (size_t i = 0; i < len; i++)
		r->name[i] = (char)tolower((unsigned char)value[i]);
	r->name[len] = '\0';
	r->connection.text[CONNECTION_DST_NAME] = text_of(r->name);
	r->connection.dst_name_by = NAME_BY_PROCESS;
	return len;
}

/* It goes and comes by that one; or that is not known. */
static bool set_iface(struct request *r, const char *value)
{
	r->connection.facts = &r->facts;
	r->facts.asks_ifaces = true;
	r->facts.iface_in = strcmp(value, "unknown") ? text_of(value) : TEXT_NONE;
	r->facts.iface_out = r->facts.iface_in;
	return *value;
}

static bool set_field(struct request *r, const struct field *f, const char *value)
{
	struct connection *c = &r->connection;
	struct endpoint *e = f->source ? &c->src : &c->dst;
	int n;

	r->process |= f->process;
	switch (f->kind) {
	case FIELD_TEXT:
		*text_field(c, f) = text_of(value);
		if (f->text == TEXT_AT(process.exe))
			set_program(text_field(c, f), &c->process.exe_seen);
		else if (f->text == TEXT_AT(text[CONNECTION_PARENT_EXE]))
			set_program(text_field(c, f), &c->parent_seen);
		return *value;
	case FIELD_USER:
		return set_user(r, f, value);
	case FIELD_GROUP:
		return set_groups(r, value);
	case FIELD_SHA256:
		return set_sha256(r, value);
	case FIELD_VERIFIED:
		return set_verified(r, value);
	case FIELD_CMDLINE:
		return set_cmdline(r, value);
	case FIELD_ANCESTOR:
		return set_forefathers(r, value);
	case FIELD_NAME:
		return set_name(r, value);
	case FIELD_IFACE:
		return set_iface(r, value);
	case FIELD_PROTO:
		return !protocol_parse(value, &c->protocol);
	case FIELD_DIRECTION:
		n = direction_parse(value);
		c->direction = n ? (enum direction)n : DIRECTION_OUT;
		return n;
	case FIELD_ADDRESS:
		if (address_parse(value, &e->addr))
			return false;
		address_unmap(&e->addr);
		return true;
	case FIELD_PORT:
		return !port_parse(value, &e->port);
	case FIELD_CERTAINTY:
		n = certainty_parse(value);
		c->certainty = n ? (enum certainty)n : CERTAINTY_UNKNOWN;
		r->certainty = true;
		return n;
	}
	return false;
}

static void print_table(const struct request *r, const struct policy_answer *a)
{
	printf("verdict    %s\n", verdict_name(a->verdict));
	fputs("rule       ", stdout);
	if (a->line)
		printf("line %d: ", a->line);
	text_print(stdout, text_of(a->rule), 0);
	if (a->comment) {
		fputs("\ncomment    ", stdout);
		text_print(stdout, text_of(a->comment), 0);
	}
	if (a->observe)
		fputs("\nobserved   the packet passes: the rule only records its verdict", stdout);
	printf("%s\ncertainty  %s%s\n", a->line ? "" : ": no rule matches",
	       certainty_name(r->connection.certainty), r->certainty ? "" : " (assumed)");
	printf("waits      %s\n", a->wants_certain ?
	       "yes: an earlier rule would match if the attribution were certain" : "no");
}

static void print_json(const struct request *r, const struct policy_answer *a)
{
	struct cell line = { .kind = a->line ? CELL_INTEGER : CELL_NULL, .integer = a->line };

	printf("{\"verdict\": \"%s\", \"line\": ", verdict_name(a->verdict));
	output_json(stdout, &line);
	fputs(", \"rule\": ", stdout);
	text_print_json(stdout, text_of(a->rule));
	fputs(", \"comment\": ", stdout);
	output_json(stdout, &(struct cell){ .kind = a->comment ? CELL_TEXT : CELL_NULL,
					    .text = text_of(a->comment) });
	printf(", \"observe\": %s, \"certainty\": \"%s\", \"wants_certain\": %s}\n",
	       a->observe ? "true" : "false", certainty_name(r->connection.certainty),
	       a->wants_certain ? "true" : "false");
}

/* Whether the configuration says that destinations have no names.  Who writes a policy may not be
 * who reads that: then it is not known, and false. */
static bool names_are_off(struct cli *cli)
{
	struct diags d = { .out = NULL };

	return !config_load(&cli->config, cli->config_path, &d) && !cli->config.names;
}

static void warn_of_rule(struct diags *d, const char *path, const struct policy *p, size_t rule,
			 bool names_off)
{
	unsigned int line;
	int at;

	policy_rule(p, rule, &at);
	line = (unsigned int)at;
	if (policy_rule_believes(p, rule))
		diag_at(d, path, line, 1, "warning: lets pass whoever has such a command line, "
			"which each process chooses for itself: name its program as well ('exe')");
	if (names_off && policy_rule_has_name(p, rule))
		diag_at(d, path, line, 1, "warning: never matches, because nothing has a name: "
			"'names' is off in sockledger.conf");
}

/* Rules that no connection ever comes to, that are over, or name what there is not.  How many. */
static int warn_of_rules(struct cli *cli, const char *path, const struct policy *p)
{
	bool names_off = policy_needs_names(p) && names_are_off(cli);
	struct diags d = { .out = stderr };

	for (size_t i = 0; i < policy_rule_count(p); i++) {
		int line, by = policy_shadowed_by(p, i);
		char time[TIME_TEXT_MAX];
		int64_t since_us;

		policy_rule(p, i, &line);
		if (policy_is_over(p, i, &since_us))
			diag_at(&d, path, (unsigned int)line, 1, "warning: expired at %s, and "
				"skipped since", time_format(since_us, time));
		if (by)
			diag_at(&d, path, (unsigned int)line, 1, "warning: never reached, because "
				"the rule in line %d matches all that this one does", by);
		if (policy_unknown_group(p, i))
			diag_at(&d, path, (unsigned int)line, 1, "warning: there is no group '%s' "
				"here", policy_unknown_group(p, i));
		warn_of_rule(&d, path, p, i, names_off);
	}
	return (int)d.count;
}

static void print_summary(const char *path, const struct policy *p)
{
	size_t rules = policy_rule_count(p);

	text_print(stdout, text_of(path), 0);
	printf(": %zu rule%s, default %s, unattributed %s", rules, rules == 1 ? "" : "s",
	       policy_verdict_word(policy_default(p, true)),
	       policy_verdict_word(policy_default(p, false)));
	if (policy_unreadable(p))
		printf(", unreadable %s", policy_verdict_word(policy_unreadable(p)));
	putchar('\n');
	for (size_t i = 0; i < policy_list_count(p); i++) {
		int line;

		text_print(stdout, text_of(policy_list_path(p, i, &line)), 0);
		printf(": %zu addresses and networks\n", policy_list_size(p, i));
	}
}

static int answer_request(struct cli *cli, const struct command *self, struct request *r, int count,
			  char **words)
{
	struct diags d = { .out = stderr };
	struct policy_answer answer;
	struct policy *p;
	bool check = count == 2 && !strcmp(words[0], "check");
	bool explain = count == 2 && !strcmp(words[0], "explain");
	int rc, status = CLI_FOUND;

	if (!check && !explain)
		return cli_usage(self, "wants 'check FILE', 'explain FILE', 'suggest', "
				 "'replay FILE' or 'stats'");
	if (check && r->told)
		return cli_usage(self, "'check' takes --strict alone");
	if (explain && r->strict)
		return cli_usage(self, "--strict is for 'check'");
	rc = policy_load(words[1], &d, &p);
	if (rc == -ENOMEM)
		fputs("sockledger policy: out of memory\n", stderr);
	if (rc)
		return rc == -EINVAL ? CLI_USAGE : CLI_UNREADABLE;
	if (check) {
		print_summary(words[1], p);
		if (warn_of_rules(cli, words[1], p) && r->strict)
			status = CLI_USAGE;
	} else {
		policy_decide(p, &r->connection, &answer);
		(r->format == FORMAT_JSON ? print_json : print_table)(r, &answer);
	}
	policy_free(p);
	return status;
}

static void fill_options(struct option *options)
{
	for (int i = 0; i < FIELDS; i++)
		options[i] = (struct option){ fields[i].name, required_argument, NULL,
					      OPT_FIELD + i };
	options[FIELDS] = (struct option){ "format", required_argument, NULL, OPT_FORMAT };
	options[FIELDS + 1] = (struct option){ "help", no_argument, NULL, 'h' };
	options[FIELDS + 2] = (struct option){ "strict", no_argument, NULL, OPT_STRICT };
	options[FIELDS + 3] = (struct option){ NULL, 0, NULL, 0 };
}

/* Returns an exit status where the arguments settle it, otherwise -1. */
static int take_options(const struct command *self, struct request *r, int argc, char **argv)
{
	struct option options[FIELDS + 4];
	int option;

	fill_options(options);
	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (option == 'h')
			return cli_help(self);
		r->told += option != OPT_STRICT;
		r->strict |= option == OPT_STRICT;
		if (option == OPT_STRICT)
			continue;
		if (option == OPT_FORMAT) {
			if (format_parse(optarg, &r->format) || r->format == FORMAT_CSV)
				return cli_usage(self, "--format is table or json");
		} else if (option < OPT_FIELD) {
			return cli_usage(self, "that is no option of it");
		} else if (!set_field(r, &fields[option - OPT_FIELD], optarg)) {
			return cli_usage(self, "'%s' is no value for --%s", optarg,
					 fields[option - OPT_FIELD].name);
		}
	}
	return -1;
}

/* The ledger's questions need a configuration, unless a ledger is named. */
static int ask_ledger(struct cli *cli, const struct command *self, int argc, char **argv,
		      int (*ask)(struct cli *, const struct command *, int, char **))
{
	struct diags d = { .out = stderr };

	if ((!cli->ledger || !*cli->ledger || cli->config_path) &&
	    config_load(&cli->config, cli->config_path, &d))
		return CLI_USAGE;
	if (!cli->ledger || !*cli->ledger)
		cli->ledger = cli->config.ledger;
	return ask(cli, self, argc, argv);
}

int cmd_policy(struct cli *cli, const struct command *self, int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*ask)(struct cli *, const struct command *, int, char **);
	} of_ledger[] = { { "suggest", policy_suggest }, { "replay", policy_replay },
			{ "stats", policy_stats } };
	struct request r = { .format = FORMAT_TABLE };
	int status;

	for (size_t i = 0; argc > 1 && i < sizeof(of_ledger) / sizeof(of_ledger[0]); i++)
		if (!strcmp(argv[1], of_ledger[i].name))
			return ask_ledger(cli, self, argc - 1, argv + 1, of_ledger[i].ask);
	connection_init(&r.connection);
	r.connection.process.exe_seen = r.connection.parent_seen = EXE_UNASKED;
	r.connection.parent_then = r.connection.login_proven = true;
	status = take_options(self, &r, argc, argv);
	if (!r.certainty && r.process)
		r.connection.certainty = CERTAINTY_CERTAIN;
	if (status < 0)
		status = answer_request(cli, self, &r, argc - optind, argv + optind);
	free(r.user);
	free(r.login_user);
	return status;
}
