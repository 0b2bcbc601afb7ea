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

#define LEDGER_HOUR_US 3600000000LL	/* of the counts */

/* Columns as the view has them, of those in the tables. */
#define LEDGER_TIME_TEXT(time)                                                                   \
	"strftime('%Y-%m-%dT%H:%M:%S', " time " / 1000000, 'unixepoch') ||"                      \
	" printf('.%06dZ', " time " % 1000000)"
#define LEDGER_EVIDENCE_WORDS(evidence)                                                          \
	"nullif(rtrim(iif(" evidence " & 1, 'audit,', '') || iif(" evidence " & 2, 'fd,', '')"   \
	" || iif(" evidence " & 4, 'bind,', '') || iif(" evidence " & 8, 'inode,', '')"          \
	" || iif(" evidence " & 16, 'proc-syscall,', '') || iif(" evidence " & 32, 'trace,', '')" \
	" || iif(" evidence " & 64, 'trace-call,', ''), ','), '')"
#define LEDGER_CERTAINTY_WORD(certainty)                                                         \
	"CASE " certainty " WHEN 1 THEN 'unknown' WHEN 2 THEN 'inferred'"                        \
	" WHEN 3 THEN 'certain' END"
#define LEDGER_VERDICT_WORD(verdict)                                                             \
	"CASE " verdict " WHEN 1 THEN 'observed' WHEN 2 THEN 'accept' WHEN 3 THEN 'drop'"        \
	" WHEN 4 THEN 'reject' END"

#define LEDGER_NAME_BY_WORD(by)                                                                  \
	"CASE " by " WHEN 1 THEN 'process' WHEN 2 THEN 'user' WHEN 3 THEN 'host' END"

/* All connections, also those that the table `connection` does not have yet: those, as columns of
 * `connection_old o`. */
#define LEDGER_ALL "connection_all"
/* SQL: whether there are such; and an expression, how many at most. */
#define LEDGER_IS_MOVING "SELECT count(*) FROM sqlite_schema WHERE name = 'connection_old'"
#define LEDGER_TO_MOVE                                                                           \
	"ifnull((SELECT max(id) FROM connection_old) -"                                          \
	" (SELECT min(id) FROM connection_old) + 1, 0)"
extern const char ledger_old_columns[];
/* SQL that makes this view, and those of the counts, once the older rows have been moved. */
extern const char ledger_views_moved[];

/* Of ledger_halves(). */
extern const char ledger_halves_sql[];

/* The key of `tally`, of a connection `c` and its process `p`, which has the program as well. */
#define LEDGER_TALLY_KEY                                                                         \
	"c.time / 3600000000, ifnull(p.exe, 0), ifnull(p.uid, -1), ifnull(c.dst, 0),"            \
	" ifnull(c.dport, -1), c.verdict, c.certainty"
/* SQL that counts rows of a table, in both tables of counts. */
#define LEDGER_TALLY_IF(table, condition)                                                        \
	"INSERT INTO tally SELECT " LEDGER_TALLY_KEY ", count(*) FROM " table " c"               \
	" LEFT JOIN process p ON p.id = c.process " condition " GROUP BY 1, 2, 3, 4, 5, 6, 7"    \
	" ON CONFLICT DO UPDATE SET count = count + excluded.count;"
#define LEDGER_TOTAL_IF(table, condition)                                                        \
	"INSERT INTO total SELECT c.direction, c.verdict, c.certainty, c.evidence, count(*)"     \
	" FROM " table " c " condition " GROUP BY 1, 2, 3, 4"                                    \
	" ON CONFLICT DO UPDATE SET count = count + excluded.count;"
#define LEDGER_TALLY(table) LEDGER_TALLY_IF(table, "") LEDGER_TOTAL_IF(table, "")

#endif
