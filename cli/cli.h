/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_CLI_H
#define SOCKLEDGER_CLI_H

#include <stdbool.h>

#include "config.h"
#include "style.h"

/* Exit statuses that scripts rely on. */
enum { CLI_FOUND = 0, CLI_NOTHING = 1, CLI_USAGE = 2, CLI_UNREADABLE = 3 };

/* What holds for every command. */
struct cli {
	struct config config;
	const char *ledger;	/* the path to read: option, environment or configuration */
	const char *config_path;	/* of -c; NULL: the default one */
	struct style style;
};

struct command {
	const char *name;
	const char *arguments;	/* for the synopsis, a line for each form */
	const char *summary;
	const char *help;	/* the options, a line each */
	/* argv[0] is the command's name; an exit status comes back */
	int (*run)(struct cli *cli, const struct command *self, int argc, char **argv);
	bool no_ledger;		/* it needs neither ledger nor configuration */
	bool styled;		/* it has the options of style.h */
	bool own_config;	/* it reads the configuration itself: `ledger` may be NULL */
	const char *nothing;	/* what a person is told where nothing was found; NULL: nothing */
};

int cmd_log(struct cli *cli, const struct command *self, int argc, char **argv);
int cmd_who(struct cli *cli, const struct command *self, int argc, char **argv);
int cmd_explain(struct cli *cli, const struct command *self, int argc, char **argv);
int cmd_sql(struct cli *cli, const struct command *self, int argc, char **argv);
int cmd_policy(struct cli *cli, const struct command *self, int argc, char **argv);
int cmd_doctor(struct cli *cli, const struct command *self, int argc, char **argv);
int cmd_top(struct cli *cli, const struct command *self, int argc, char **argv);
int cmd_deps(struct cli *cli, const struct command *self, int argc, char **argv);
int cmd_report(struct cli *cli, const struct command *self, int argc, char **argv);
int cmd_first(struct cli *cli, const struct command *self, int argc, char **argv);
int cmd_import(struct cli *cli, const struct command *self, int argc, char **argv);
int cmd_ship(struct cli *cli, const struct command *self, int argc, char **argv);
int cmd_show(struct cli *cli, const struct command *self, int argc, char **argv);
int cmd_export(struct cli *cli, const struct command *self, int argc, char **argv);
int cmd_metrics(struct cli *cli, const struct command *self, int argc, char **argv);
int cmd_sigma(struct cli *cli, const struct command *self, int argc, char **argv);
int cmd_stats(struct cli *cli, const struct command *self, int argc, char **argv);

/* Says on stderr what is wrong with the call, and gives CLI_USAGE back. */
int cli_usage(const struct command *self, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* Says on stderr why a file of that name, which may have any byte, cannot be read. */
void cli_cannot_read(const char *command, const char *path, const char *why);
/* Prints the command's help to stdout and gives CLI_FOUND back. */
int cli_help(const struct command *self);

#endif
