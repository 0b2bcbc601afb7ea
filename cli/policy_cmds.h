/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_POLICY_CMDS_H
#define SOCKLEDGER_POLICY_CMDS_H

struct cli;
struct command;

/* The questions of `sockledger policy` that the ledger answers; argv[0] is the question's name. */
int policy_suggest(struct cli *cli, const struct command *self, int argc, char **argv);
int policy_replay(struct cli *cli, const struct command *self, int argc, char **argv);
int policy_stats(struct cli *cli, const struct command *self, int argc, char **argv);

#endif
