/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_PROGRAM_H
#define SOCKLEDGER_PROGRAM_H

#include <stdbool.h>

#include "config.h"
#include "signals.h"

/* The start that both daemons share: the same options, the same exit statuses, the same order. */
struct program {
	const char *name;		/* as it stands in messages */
	const char *usage;		/* for --help */
	bool has_once;			/* the program takes -1, --once, too */
	bool has_rules;			/* it takes --load-rules */
	bool goes_background;		/* unless --foreground or --once is given */
	uint64_t privileges;		/* the capabilities that it keeps (privileges.h) */
	/* what needs more of them; NULL: nothing */
	void (*before_dropping)(const struct config *c);

	/* Filled in by program_begin(). */
	struct config config;
	struct signals signals;
	const char *config_path;	/* NULL: the default file */
	bool foreground, once, load_rules;
};

/*
 * Takes the signals, reads options and configuration, opens the log, goes into the background.
 * PROGRAM_RUNS: do the work, then call program_end().  Else the exit status: 0 after --help,
 * --version or --test, 1 where the system refused something, 2 after wrong usage or a wrong
 * configuration.
 */
#define PROGRAM_RUNS (-1)
int program_begin(struct program *p, int argc, char **argv);
void program_end(struct program *p);

#endif
