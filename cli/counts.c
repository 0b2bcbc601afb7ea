/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who had the most connections, from the ledger's counts by hour. */
#include <string.h>

#include "connection.h"
#include "counts.h"
#include "ledger_schema.h"

/* A column of tally, and what is shown for it. */
static const struct {
	const char *name, *column, *shown;
} kinds[COUNT_BYS] = {
	[COUNT_PROGRAM] = { "program", "exe", "(SELECT text FROM text WHERE id = n.exe)" },
	/* A uid's name is that which its newest process has. */
	[COUNT_USER] = { "user", "uid", "ifnull((SELECT (SELECT text FROM text WHERE id = p.user)"
			 " FROM process p WHERE p.uid = n.uid ORDER BY p.id DESC LIMIT 1),"
			 " nullif(n.uid, -1))" },
	[COUNT_DST] = { "dst", "dst", "(SELECT text FROM text WHERE id = n.dst)" },
	[COUNT_DPORT] = { "dport", "dport", "nullif(n.dport, -1)" },
	[COUNT_VERDICT] = { "verdict", "verdict", LEDGER_VERDICT_WORD("n.verdict") },
	[COUNT_CERTAINTY] = { "certainty", "certainty", LEDGER_CERTAINTY_WORD("n.certainty") },
};

const char *count_by_name(enum count_by by)
{
	return kinds[by].name;
}

bool counts_parse_by(struct counts *c, const char *text, int most)
{
	c->count = 0;
	for (size_t len; *text; text += len + (text[len] == ',')) {
		int found = -1;

		len = strcspn(text, ",");
		for (int i = 0; i < COUNT_BYS; i++)
			if (strlen(kinds[i].name) == len && !strncmp(kinds[i].name, text, len))
				found = i;
		if (found < 0 || c->count == most)
			return false;
		c->by[c->count++] = (enum count_by)found;
	}
	return c->count > 0;
}

/* Of equals always the same ones come first. */
static void add_order(struct sql *s, const struct counts *c, const char *of)
{
	sql_add(s, " ORDER BY connections DESC");
	for (int i = 0; i < c->count; i++) {
		sql_add(s, ", ");
		sql_add(s, of);
		sql_add(s, kinds[c->by[i]].column);
	}
}

/* The key of tally begins with the hour. */
static void add_groups(struct sql *s, const struct counts *c)
{
	sql_add(s, "SELECT exe, uid, dst, dport, verdict, certainty, sum(count) AS connections"
		" FROM tally_all WHERE ");
	sql_add_number(s, "hour >= ?", c->since_us / LEDGER_HOUR_US);
	sql_add_number(s, " AND hour <= ?", c->until_us / LEDGER_HOUR_US);
	if (c->verdict)
		sql_add_number(s, " AND verdict = ?", c->verdict);
	if (c->certainty)
		sql_add_number(s, " AND certainty = ?", c->certainty);
	if (c->denied) {
		sql_add_number(s, " AND verdict IN (?", VERDICT_DROP);
		sql_add_number(s, ", ?)", VERDICT_REJECT);
	}
	for (int i = 0; i < c->count; i++) {
		sql_add(s, i ? ", " : " GROUP BY ");
		sql_add(s, kinds[c->by[i]].column);
	}
	add_order(s, c, "");
	sql_add_number(s, " LIMIT ?", c->limit);
}

int64_t counts_run(const struct counts *c, struct query_db *db, query_row_fn *row, void *arg)
{
	struct sql s = { .failed = false };
	int64_t rows;

	sql_add(&s, "SELECT ");
	for (int i = 0; i < c->count; i++) {
		sql_add(&s, kinds[c->by[i]].shown);
		sql_add(&s, ", ");
	}
	sql_add(&s, "n.connections FROM (");
	add_groups(&s, c);
	sql_add(&s, ") n");
	add_order(&s, c, "n.");
	rows = query_run(db, &s, row, arg);
	sql_release(&s);
	return rows;
}
