/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_STYLE_H
#define SOCKLEDGER_STYLE_H

#include <stdbool.h>
#include <sys/types.h>

#include "clock.h"
#include "text.h"

/*
 * How a table is shown.  A person at a terminal gets colours, a pager, times of the local zone and
 * names of ports; a script, which reads a pipe or a file, gets what it always got.
 */
struct style {
	/* What the options say. */
	enum { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER } when;
	bool no_pager, utc, numeric;
	/* What follows from that. */
	bool color, local_time, names;
	pid_t pager;		/* 0: none */
};

/* Of the options' help. */
#define STYLE_HELP                                                                               \
	"      --color WHEN         auto (default), always or never\n"                           \
	"      --no-pager           do not show a long table by $SOCKLEDGER_PAGER or $PAGER\n"   \
	"      --utc                times in UTC on a terminal, too\n"                           \
	"      --numeric            numbers of users and ports, not their names\n"

/* Takes argv[*i] where it is one of these options: 1; 0: it is none; -EINVAL: it lacks a good
 * value. */
int style_option(struct style *s, int argc, char **argv, int *i);

/* Before the first output.  table: it is one; long_output: it may be longer than a screen. */
void style_begin(struct style *s, bool table, bool long_output);
/* Behind the last: waits until whoever reads the pager has seen enough. */
void style_end(struct style *s);

/* A time as the ledger has it; where times are local, with the zone's offset.  buf may be used. */
struct text style_time(const struct style *s, struct text time, char buf[TIME_TEXT_MAX]);
/* The name of a port (getservbyport()), or its number. */
const char *style_port(const struct style *s, int port, const char *proto, char *buf, size_t size);
/* What begins a column's value, by its name and what it says: "" without colours.  STYLE_END ends
 * it where there is one. */
const char *style_value(const struct style *s, const char *column, struct text value);
#define STYLE_HEAD "\033[1m"
#define STYLE_END "\033[0m"

#endif
