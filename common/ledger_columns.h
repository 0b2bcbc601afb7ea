/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_LEDGER_COLUMNS_H
#define SOCKLEDGER_LEDGER_COLUMNS_H

#include "connection.h"
#include "process.h"

/* Which columns of the ledger hold numbers of texts, for who writes them and who looks for texts
 * that nobody names any more. */

/* Texts of a process's row that a connection has beside its process: X(column, text). */
#define LEDGER_EACH_OTHER_TEXT(X)                                                                \
	X(node, CONNECTION_NODE) X(parent_exe, CONNECTION_PARENT_EXE)                            \
	X(container, CONNECTION_CONTAINER) X(unit, CONNECTION_UNIT)                              \
	X(ancestors, CONNECTION_ANCESTORS)

#define LEDGER_COLUMN(field, ...) ", " #field
#define LEDGER_NO_COLUMN(field)
/* All of a process's row, and of a connection's: each begins with a comma. */
#define LEDGER_PROCESS_TEXTS                                                                     \
	PROCESS_EACH_TEXT(LEDGER_COLUMN, LEDGER_NO_COLUMN) LEDGER_EACH_OTHER_TEXT(LEDGER_COLUMN)
#define LEDGER_CONNECTION_TEXTS ", src, dst, node, reason, rule, candidates"

#endif
