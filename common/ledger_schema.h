/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_LEDGER_SCHEMA_H
#define SOCKLEDGER_LEDGER_SCHEMA_H

struct db_schema;

extern const struct db_schema ledger_schema;

/*
 * The columns of the view `connections`, in its order; and the two halves of the query behind it,
 * for queries that add columns or conditions of their own on `c` (connection), `p` (process) and
 * the texts.
 */
extern const char *const ledger_columns[];
extern const int ledger_column_count;
extern const char ledger_select_columns[];
extern const char ledger_select_from[];

#endif
