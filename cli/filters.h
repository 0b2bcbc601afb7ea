/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_FILTERS_H
#define SOCKLEDGER_FILTERS_H

#include <stdbool.h>

struct find;
struct option;

/* Which connections: the filters of `log` and `export`. */
enum { FILTERS = 16, FILTERS_OPTION = 512, FILTER_UNTIL = FILTERS_OPTION + 1 };

/* Writes FILTERS options for getopt_long(), whose values begin with FILTERS_OPTION. */
void filters_options(struct option *options);
/* Adds the condition of an option; false where it cannot have the value.  Its bytes stay borrowed.
 */
bool filters_add(struct find *f, int option, const char *value);

#endif
