/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_OPTIONS_H
#define SOCKLEDGER_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "columns.h"
#include "output.h"

struct command;
struct option;

/* What most commands can be asked with. */
struct asked {
	int64_t now_us;		/* what an age and `today` are counted from */
	int64_t since_us, until_us;
	bool ends;		/* --until was given */
	int64_t limit;
	enum format format;
	const char *chosen;	/* of -o; NULL: the usual columns */
};

/* Lines for getopt_long() of those that a command has; the command's own have other numbers. */
enum { ASKED_SINCE = 1024, ASKED_UNTIL, ASKED_LIMIT, ASKED_FORMAT, ASKED_OUTPUT };
#define OPTION_SINCE { "since", required_argument, NULL, ASKED_SINCE }
#define OPTION_UNTIL { "until", required_argument, NULL, ASKED_UNTIL }
#define OPTION_LIMIT { "limit", required_argument, NULL, ASKED_LIMIT }
#define OPTION_FORMAT { "format", required_argument, NULL, ASKED_FORMAT }
#define OPTION_OUTPUT { "output", required_argument, NULL, ASKED_OUTPUT }
#define OPTION_HELP { "help", no_argument, NULL, 'h' }, { NULL, 0, NULL, 0 }

/* Takes an option that is not of the table above; false where it cannot have the value. */
typedef bool option_fn(int option, const char *value, void *arg);

struct options {
	const struct option *table;	/* ends with OPTION_HELP */
	struct asked *asked;
	option_fn *own;			/* NULL: there are none */
	void *arg;
	int operands;			/* at most so many; -1: any number */
	/* What -o chooses from, for the help; NULL: the command has no -o. */
	const char *const *columns;
	int column_count;
};

/* A port by its number, or by its name (services(5)). */
int option_port(const char *text, int32_t *port);
/* From a time before now until now. */
void asked_init(struct asked *a, int64_t before_us);
/* -1: go on, optind is at the operands.  Else an exit status of cli.h; what is wrong was told. */
int options_read(const struct command *self, const struct options *o, int argc, char **argv);
/* c: the usual columns, which -o may replace.  False where it names one that is none: that was
 * told. */
bool asked_columns(const struct command *self, const struct asked *a, const char *const *names,
		   int count, struct columns *c);

#endif
