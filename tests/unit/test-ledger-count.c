/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Counts of the ledger's rows, beside the rows, through everything that is done to rows. */
#include <netinet/in.h>

#include <sqlite3.h>

#include "db.h"
#include "ledger.h"
#include "ledger_schema.h"
#include "scratch.h"
#include "sql.h"
#include "tap.h"

#define ROUNDS 60
#define CHANGES 200
#define HOUR 3600000000LL

static const char *path;

static unsigned int below(unsigned int n)
{
	return (unsigned int)(scratch_random() % n);
}

static bool agree(void)
{
	static const char tally[] =
		"SELECT " LEDGER_TALLY_KEY ", count(*) FROM connection c LEFT JOIN process p"
		" ON p.id = c.process GROUP BY 1, 2, 3, 4, 5, 6, 7";
	static const char total[] =
		"SELECT direction, verdict, certainty, evidence, count(*) FROM connection"
		" GROUP BY 1, 2, 3, 4";
	char sql[2048];

	snprintf(sql, sizeof(sql),
		 "SELECT (SELECT count(*) FROM (%s EXCEPT SELECT * FROM tally))"
		 " + (SELECT count(*) FROM (SELECT * FROM tally EXCEPT %s))"
		 " + (SELECT count(*) FROM (%s EXCEPT SELECT * FROM total))"
		 " + (SELECT count(*) FROM (SELECT * FROM total EXCEPT %s))"
		 " + (SELECT count(*) FROM process) - (SELECT count FROM amount)"
		 " + (SELECT count(*) FROM connection c JOIN process p ON p.id = c.process"
		 " WHERE c.exe IS NOT p.exe)", tally, tally, total, total);
	return ledger_number(path, sql) == 0;
}

static void process_of(struct connection *c, unsigned int n)
{
	static char exe[7][16];

	process_init(&c->process);
	if (!n)
		return;
	c->process.pid = n;
	c->process.start_ticks = n % 3 ? (int64_t)n : -1;
	c->process.uid = n % 4 ? (int64_t)n % 4 : -1;
	snprintf(exe[n % 7], sizeof(exe[0]), "/bin/%u", n % 7);
	c->process.exe = n % 7 ? text_of(exe[n % 7]) : TEXT_NONE;
}

static void make_change(struct ledger_change *change, uint64_t *last)
{
	static const enum change_kind kinds[] = { CHANGE_ADD, CHANGE_ADD, CHANGE_ADD, CHANGE_AGAIN,
						  CHANGE_PROTOCOL, CHANGE_CONFIRM, CHANGE_DECIDE,
						  CHANGE_PROVE, CHANGE_FLOW };
	enum change_kind kind = kinds[below(9)];
	struct connection *c = &change->connection;
	uint64_t id = kind == CHANGE_ADD ? ++*last : 1 + below((unsigned int)*last + 3);
	char address[32];

	ledger_change_init(change, kind, id);
	*last = id > *last ? id : *last;
	c->time_us = (int64_t)(id / 50) * HOUR + below(1000);
	c->direction = (enum direction)(1 + below(3));
	c->certainty = (enum certainty)(1 + below(3));
	c->verdict = (enum verdict)(1 + below(4));
	c->evidence = below(16);
	snprintf(address, sizeof(address), "192.0.2.%u", below(20));
	if (below(5))
		address_parse(address, &c->dst.addr);
	c->dst.port = below(4) ? (int32_t)below(5) : -1;
	process_of(c, below(40));
	c->audit_us = c->time_us;
	change->described = kind == CHANGE_CONFIRM && !below(3);
	change->amended = !change->described;
}

static void test_all(struct ledger_writer *w)
{
	struct ledger_limits limits = { .rows = 1500 };
	struct ledger_change change;
	uint64_t last = 0, before;
	int64_t removed, gone = 0;
	bool good = true;

	for (int round = 0; round < ROUNDS && good; round++) {
		bool undone = round % 4 == 3;

		before = last;
		ledger_writer_begin(w);
		for (int i = 0; i < CHANGES; i++) {
			make_change(&change, &last);
			good = good && !ledger_apply(w, &change);
		}
		if (round > 30)
			good = good && !ledger_writer_trim(w, &limits, 0, 300, &removed);
		gone += round > 30 && !undone ? removed : 0;
		if (undone)
			ledger_writer_rollback(w);
		else
			good = good && !ledger_writer_commit(w);
		last = undone ? before : last;
		if (!tap_ok(good && agree(), "round %d: counts agree with the rows", round))
			good = false;
	}
	tap_ok(gone > 100, "rows went, which had been counted: %lld", (long long)gone);
	limits.rows = 1;
	do {
		ledger_writer_begin(w);
		ledger_writer_trim(w, &limits, 0, 1000, &removed);
		ledger_writer_commit(w);
	} while (removed);
	tap_ok(agree() && ledger_number(path, "SELECT count(*) FROM tally") == 1,
	       "where rows have gone no count of 0 is left");
}

int main(int argc, char **argv)
{
	struct ledger_writer *w;

	scratch_seed(argc, argv);
	scratch_make();
	path = scratch_path("ledger.db");
	if (ledger_writer_open(path, &w))
		return 1;
	test_all(w);
	ledger_writer_close(w);
	return tap_done();
}
