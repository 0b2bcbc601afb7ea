/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The start that both daemons share. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "diag.h"
#include "failures.h"
#include "log.h"
#include "privileges.h"
#include "program.h"
#include "trusted.h"

/* Returns PROGRAM_RUNS, or an exit status. */
static int read_options(struct program *p, int argc, char **argv, bool *test)
{
	/* The first two are only for the program that has them. */
	static const struct option options[] = {
		{ "load-rules", no_argument, NULL, 'r' },
		{ "once", no_argument, NULL, '1' },
		{ "config", required_argument, NULL, 'c' },
		{ "foreground", no_argument, NULL, 'f' },
		{ "test", no_argument, NULL, 't' },	    { "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },	    { NULL, 0, NULL, 0 },
	};
	struct option known[sizeof(options) / sizeof(options[0])], *end = known;
	int option;

	for (const struct option *o = options; o < options + sizeof(options) / sizeof(options[0]);
	     o++)
		if ((o->val != 'r' || p->has_rules) && (o->val != '1' || p->has_once))
			*end++ = *o;

	while ((option = getopt_long(argc, argv, p->has_once ? "c:f1thV" : "c:fthV", known,
				     NULL)) != -1) {
		switch (option) {
		case 'c':
			p->config_path = optarg;
			break;
		case 'f':
			p->foreground = true;
			break;
		case '1':
			p->once = true;
			break;
		case 'r':
			p->load_rules = p->foreground = true;
			break;
		case 't':
			*test = true;
			break;
		case 'h':
			fputs(p->usage, stdout);
			return 0;
		case 'V':
			printf("%s " PACKAGE_VERSION "\n", p->name);
			return 0;
		default:
			fprintf(stderr, "Try '%s --help'.\n", p->name);
			return 2;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "%s: unexpected argument '%s'\n", p->name, argv[optind]);
		return 2;
	}
	return PROGRAM_RUNS;
}

/* Mistakes go to stderr, where the user sees them; the log gets one line that there are some. */
static int read_config(struct program *p, bool to_syslog)
{
	struct diags diags = { .out = stderr };

	if (config_init(&p->config)) {
		fprintf(stderr, "%s: out of memory\n", p->name);
		return 1;
	}
	if (!config_load(&p->config, p->config_path, &diags) &&
	    trusted_config(&p->config, p->config_path, &diags))
		return PROGRAM_RUNS;
	FAILS(CONFIG_BAD);
	config_release(&p->config);
	if (to_syslog)
		log_error("configuration has mistakes: nothing was started");
	fprintf(stderr, "%s: configuration has mistakes: nothing was started\n", p->name);
	return 2;
}

/* Before the first thread starts, because each thread has its own. */
static void give_up_privileges(const struct program *p)
{
	int rc;

	if (p->before_dropping)
		p->before_dropping(&p->config);
	rc = privileges_keep(p->privileges);
	if (rc)
		log_warn("cannot give up privileges: %s", strerror(-rc));
}

int program_begin(struct program *p, int argc, char **argv)
{
	bool test = false, to_syslog;
	int rc;

	umask(027);
	rc = signals_open(&p->signals);
	if (rc) {
		fprintf(stderr, "%s: cannot take signals: %s\n", p->name, strerror(-rc));
		return 1;
	}
	rc = read_options(p, argc, argv, &test);
	if (rc != PROGRAM_RUNS)
		return rc;
	p->foreground = p->foreground || p->once;
	to_syslog = !p->foreground && !test && (p->goes_background || !isatty(STDERR_FILENO));
	log_open(p->name, to_syslog);
	rc = read_config(p, to_syslog);
	if (rc != PROGRAM_RUNS)
		return rc;
	if (!test && (!p->goes_background || p->foreground || !daemon(0, 0))) {
		give_up_privileges(p);
		return PROGRAM_RUNS;
	}
	if (!test)
		fprintf(stderr, "%s: cannot go into the background: %s\n", p->name,
			strerror(errno));
	program_end(p);
	return test ? 0 : 1;
}

void program_end(struct program *p)
{
	config_release(&p->config);
	signals_close(&p->signals);
}
