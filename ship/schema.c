/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tables of collectors.  ClickHouse's are made so that version 18.16 takes them, which has no
 * type for addresses or for times with fractions, and computes no DEFAULT of rows in JSON.
 */
#include <string.h>

#include "schema.h"

#define WORD "LowCardinality(Nullable(String))", "text"
#define TEXT "Nullable(String)", "text"
#define TIME "Nullable(String)", "timestamptz"
#define PORT "Nullable(UInt16)", "integer"
#define NUMBER "Nullable(UInt32)", "bigint"
#define LARGE "Nullable(Int64)", "bigint"

/* In the order in which a person reads them. */
const struct schema_column schema_columns[] = {
	{ "time", "String", "timestamptz NOT NULL", true },
	{ "node", "LowCardinality(String)", "text NOT NULL" },
	{ "direction", WORD }, { "proto", WORD },
	{ "src", TEXT }, { "sport", PORT }, { "dst", TEXT }, { "dport", PORT },
	{ "pid", NUMBER }, { "start_time", TIME }, { "comm", WORD }, { "exe", WORD },
	{ "cmdline", TEXT }, { "cwd", WORD }, { "ppid", NUMBER }, { "parent_exe", WORD },
	{ "uid", NUMBER }, { "user", WORD }, { "auid", NUMBER }, { "login_user", WORD },
	{ "session", NUMBER }, { "netns", NUMBER }, { "container", WORD }, { "unit", WORD },
	{ "evidence", WORD }, { "certainty", WORD }, { "reason", WORD },
	{ "verdict", WORD }, { "rule", WORD }, { "latency_us", LARGE }, { "amended", NUMBER },
	{ "packets", LARGE }, { "bytes", LARGE }, { "end_time", TIME },
	{ "exe_seen", WORD }, { "exe_dev", LARGE }, { "exe_inode", LARGE }, { "exe_ctime", LARGE },
	{ "dst_name", TEXT }, { "dst_name_by", WORD }, { "dst_names", NUMBER },
	{ "audit_id", TEXT }, { "community_id", TEXT },
	{ "us", "Int64", "bigint NOT NULL" },
	{ "host", "LowCardinality(String)", "text NOT NULL" },
	{ "ledger", "LowCardinality(String)", "text NOT NULL", true },
	{ "id", "Int64", "bigint NOT NULL", true },
	{ "version", "UInt64", "bigint NOT NULL" },
};
const int schema_column_count = sizeof(schema_columns) / sizeof(schema_columns[0]);

static void print_columns(FILE *out, bool is_clickhouse)
{
	for (int i = 0; i < schema_column_count; i++) {
		const struct schema_column *c = &schema_columns[i];

		fprintf(out, is_clickhouse ? "    %s %s,\n" : "    \"%s\" %s,\n", c->name,
			is_clickhouse ? c->clickhouse : c->postgres);
	}
}

static void print_clickhouse(FILE *out)
{
	fputs("-- clickhouse-client --multiquery < this\n"
	      "-- `rows` may have several versions of a row; `connections` has the newest alone.\n"
	      "SET allow_experimental_low_cardinality_type = 1;\n"
	      "CREATE DATABASE IF NOT EXISTS sockledger;\n"
	      "CREATE TABLE IF NOT EXISTS sockledger.rows (\n", out);
	print_columns(out, true);
	fputs("    t DateTime MATERIALIZED toDateTime(intDiv(us, 1000000))\n"
	      ") ENGINE = ReplacingMergeTree(version)\n"
	      "PARTITION BY toYYYYMM(toDateTime(intDiv(us, 1000000)))\n"
	      "ORDER BY (node, us, ledger, id);\n"
	      "CREATE VIEW IF NOT EXISTS sockledger.connections AS SELECT t", out);
	for (int i = 0; i < schema_column_count; i++)
		fprintf(out, ", %s", schema_columns[i].name);
	fputs(" FROM sockledger.rows FINAL;\n", out);
}

static void print_postgres(FILE *out)
{
	const char *comma = "";

	fputs("-- psql -f this\n"
	      "CREATE SCHEMA IF NOT EXISTS sockledger;\n"
	      "CREATE TABLE IF NOT EXISTS sockledger.connections (\n", out);
	print_columns(out, false);
	fputs("    PRIMARY KEY (", out);
	for (int i = 0; i < schema_column_count; i++) {
		if (!schema_columns[i].key)
			continue;
		fprintf(out, "%s\"%s\"", comma, schema_columns[i].name);
		comma = ", ";
	}
	fputs(")\n);\n"
	      "CREATE INDEX IF NOT EXISTS connections_time ON sockledger.connections"
	      " USING brin (time);\n"
	      "CREATE INDEX IF NOT EXISTS connections_dst ON sockledger.connections"
	      " (dst, time);\n"
	      "CREATE INDEX IF NOT EXISTS connections_node ON sockledger.connections"
	      " (node, time);\n"
	      "-- An address for networks: sockledger.address(dst) << '10.0.0.0/8'; null where a\n"
	      "-- row has a text that is none.\n"
	      "CREATE OR REPLACE FUNCTION sockledger.address(a text) RETURNS inet LANGUAGE plpgsql"
	      " IMMUTABLE AS\n"
	      "$$ BEGIN RETURN a::inet; EXCEPTION WHEN OTHERS THEN RETURN NULL; END $$;\n", out);
}

bool schema_print(FILE *out, const char *kind)
{
	if (!strcmp(kind, "clickhouse"))
		print_clickhouse(out);
	else if (!strcmp(kind, "postgresql"))
		print_postgres(out);
	else
		return false;
	return true;
}
