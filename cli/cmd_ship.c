/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sockledger ship: rows to a collector of many hosts, by a program of its own. */
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

#define PROGRAM "sockledger-ship"

/* Where this program is not installed, the other one lies beside it. */
static void run_beside(char **argv)
{
	char self[PATH_MAX], path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	if (n <= 0)
		return;
	self[n] = '\0';
	slash = strrchr(self, '/');
	if (slash)
		*slash = '\0';
	if ((size_t)snprintf(path, sizeof(path), "%s/" PROGRAM, self) < sizeof(path))
		execv(path, argv);
}

int cmd_ship(struct cli *cli, const struct command *self, int argc, char **argv)
{
	const char **all;
	int n = 0;

	for (int i = 1; i < argc; i++)
		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))
			return cli_help(self);
	all = calloc((size_t)argc + 5, sizeof(*all));
	if (!all) {
		fputs("sockledger: out of memory\n", stderr);
		return CLI_UNREADABLE;
	}
	all[n++] = "sockledger ship";
	/* These may stand before the command. */
	if (cli->config_path) {
		all[n++] = "--config";
		all[n++] = cli->config_path;
	}
	if (cli->ledger) {
		all[n++] = "--ledger";
		all[n++] = cli->ledger;
	}
	memcpy(all + n, argv + 1, (size_t)argc * sizeof(*all));
	fflush(stdout);
	/* execv() changes nothing of them, and cannot say so (POSIX). */
	run_beside((char **)(uintptr_t)all);
	execv(SBINDIR "/" PROGRAM, (char **)(uintptr_t)all);
	fprintf(stderr, "sockledger %s: cannot run " SBINDIR "/" PROGRAM ": %s\n", self->name,
		strerror(errno));
	free(all);
	return CLI_UNREADABLE;
}
