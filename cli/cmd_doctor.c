/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sockledger doctor: what stops sockledger from seeing or deciding, and what mends it. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"
#include "doctor.h"
#include "output.h"

#define STATES 4

static const struct {
	const char *word; /* as scripts read it */
	const char *shown, *colour;
} states[STATES] = {
	[FINDING_OK] = { "ok", "ok", "32" },
	[FINDING_WARNING] = { "warning", "WARNING", "33" },
	[FINDING_FAILED] = { "failed", "FAILED", "1;31" },
	[FINDING_UNKNOWN] = { "unknown", "unknown", "36" },
};

static const struct check *const subjects[] = {
	doctor_host_checks,   doctor_audit_checks, doctor_rule_checks,
	doctor_auditd_checks, doctor_data_checks,  doctor_queue_checks,
};

#define SUBJECTS (sizeof(subjects) / sizeof(subjects[0]))

struct report {
	enum format format;
	bool colours, all;
	bool wants_root;       /* some checks do, and say so once */
	struct output *output; /* NULL: for people */
	int seen[STATES];
};

static void show_for_people(const struct report *r, const char *name, const struct finding *f)
{
	bool colours = r->colours;

	if (f->state == FINDING_OK && !r->all)
		return;
	printf("%s%s%s%-7s%s  %-15s  ", colours ? "\033[" : "",
	       colours ? states[f->state].colour : "", colours ? "m" : "", states[f->state].shown,
	       colours ? "\033[0m" : "", name);
	text_print(stdout, text_of(f->sentence), 0);
	if (f->mend[0] && strcmp(f->mend, DOCTOR_AS_ROOT)) {
		fputs("\n                          -> ", stdout);
		text_print(stdout, text_of(f->mend), 0);
	}
	putchar('\n');
}

static void show(struct report *r, const char *name, const struct finding *f)
{
	struct cell row[4] = {
		{ .kind = CELL_TEXT, .text = text_of(name) },
		{ .kind = CELL_TEXT, .text = text_of(states[f->state].word) },
		{ .kind = CELL_TEXT, .text = text_of(f->sentence) },
		{ .kind = f->mend[0] ? CELL_TEXT : CELL_NULL, .text = text_of(f->mend) },
	};

	r->seen[f->state]++;
	r->wants_root |= !strcmp(f->mend, DOCTOR_AS_ROOT);
	if (r->output)
		output_row(r->output, row);
	else
		show_for_people(r, name, f);
}

static bool wanted(const char *name, int count, char **names)
{
	bool found = !count;

	for (int i = 0; i < count; i++)
		found |= !strcmp(names[i], name);
	return found;
}

/* One of these checks, or all, is of the queue. */
static bool asks_firewall(int count, char **names)
{
	bool asks = !count;

	for (int i = 0; i < count; i++)
		asks |= !strncmp(names[i], "queue-", 6);
	return asks;
}

static bool is_check(const char *name)
{
	for (size_t i = 0; i < SUBJECTS; i++)
		for (const struct check *c = subjects[i]; c->name; c++)
			if (!strcmp(c->name, name))
				return true;
	return false;
}

static void sum_up(const struct report *r)
{
	int bad = r->seen[FINDING_FAILED], warned = r->seen[FINDING_WARNING];
	int unknown = r->seen[FINDING_UNKNOWN];

	if (!bad && !warned && !unknown) {
		printf("All is well: %d checks.\n", r->seen[FINDING_OK]);
		return;
	}
	printf("%d of %d checks failed, %d warn%s, %d could not look.\n", bad,
	       bad + warned + unknown + r->seen[FINDING_OK], warned, warned == 1 ? "s" : "",
	       unknown);
	if (r->wants_root)
		puts("Root sees more: " DOCTOR_AS_ROOT);
}

static int run_checks(const struct doctor *d, struct report *r, int count, char **names)
{
	static const char *const columns[] = { "check", "finding", "sentence", "mend" };

	if (r->format != FORMAT_TABLE)
		r->output = output_new(stdout, r->format, columns, 4);
	for (size_t i = 0; i < SUBJECTS; i++) {
		for (const struct check *c = subjects[i]; c->name; c++) {
			struct finding f = { .state = FINDING_UNKNOWN };

			if (!wanted(c->name, count, names) || (c->takes_long && !count))
				continue;
			c->look(d, &f);
			show(r, c->name, &f);
		}
	}
	if (r->output)
		output_end(r->output);
	else
		sum_up(r);
	return r->seen[FINDING_FAILED]	  ? CLI_NOTHING
	       : r->seen[FINDING_UNKNOWN] ? CLI_UNREADABLE
					  : CLI_FOUND;
}

static bool wants_colours(void)
{
	const char *term = getenv("TERM"), *no = getenv("NO_COLOR");

	return isatty(1) && !(no && *no) && term && strcmp(term, "dumb");
}

static bool is_directory(const char *path)
{
	struct stat st;

	if (stat(path, &st))
		return false;
	errno = ENOTDIR;
	return S_ISDIR(st.st_mode);
}

int cmd_doctor(struct cli *cli, const struct command *self, int argc, char **argv)
{
	static const struct option options[] = {
		{ "format", required_argument, NULL, 'F' },
		{ "root", required_argument, NULL, 'r' },
		{ "all", no_argument, NULL, 'a' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct report report = { .format = FORMAT_TABLE, .colours = wants_colours() };
	const char *root = "";
	struct doctor doctor;
	int option, status;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (option == 'h')
			return cli_help(self);
		if (option == 'r')
			root = optarg;
		else if (option == 'a')
			report.all = true;
		else if (option != 'F' || format_parse(optarg, &report.format))
			return cli_usage(self, "--format is table, json or csv");
	}
	for (int i = optind; i < argc; i++)
		if (!is_check(argv[i]))
			return cli_usage(self, "there is no check '%s'", argv[i]);
	report.all |= optind < argc;
	/* Of a tree that is not there no check would say that. */
	if (*root && !is_directory(root)) {
		cli_cannot_read("doctor", root, strerror(errno));
		return CLI_UNREADABLE;
	}
	if (doctor_open(&doctor, root, cli->config_path, cli->ledger,
			asks_firewall(argc - optind, argv + optind))) {
		fputs("sockledger doctor: out of memory\n", stderr);
		return CLI_UNREADABLE;
	}
	status = run_checks(&doctor, &report, argc - optind, argv + optind);
	doctor_close(&doctor);
	return status;
}
