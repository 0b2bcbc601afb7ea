/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_SCHEMA_H
#define SOCKLEDGER_SCHEMA_H

#include <stdbool.h>
#include <stdio.h>

/* The tables of collectors: a column for each key of a row as it is sent. */
struct schema_column {
	const char *name;
	const char *clickhouse, *postgres;	/* types */
	bool key;		/* of those that tell a row from all others */
};

extern const struct schema_column schema_columns[];
extern const int schema_column_count;

/* Writes the SQL that makes the tables of "clickhouse" or "postgresql".  False: no such kind. */
bool schema_print(FILE *out, const char *kind);

#endif
