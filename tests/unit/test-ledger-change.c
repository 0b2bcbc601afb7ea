/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers of changes: who copies rows elsewhere finds by them what was amended behind it. */
#include <netinet/in.h>

#include "db.h"
#include "ledger.h"
#include "scratch.h"
#include "sql.h"
#include "tap.h"

static const char *path;

static int64_t changed(uint64_t id)
{
	char sql[96];

	snprintf(sql, sizeof(sql), "SELECT ifnull(changed, 0) FROM connection WHERE id = %llu",
		 (unsigned long long)id);
	return ledger_number(path, sql);
}

static void apply(struct ledger_writer *w, enum change_kind kind, uint64_t id)
{
	struct ledger_change change;

	ledger_change_init(&change, kind, id);
	change.connection.time_us = 1000000;
	change.connection.direction = DIRECTION_OUT;
	change.connection.protocol = kind == CHANGE_ADD ? -1 : IPPROTO_TCP;
	change.connection.evidence = EVIDENCE_AUDIT;
	change.connection.certainty = CERTAINTY_INFERRED;
	change.connection.verdict = VERDICT_ACCEPT;
	change.bytes = 5;
	tap_ok(ledger_apply(w, &change) == 0, "change %d of row %llu", kind,
	       (unsigned long long)id);
}

static void test_kinds(void)
{
	static const enum change_kind amending[] = { CHANGE_PROTOCOL, CHANGE_CONFIRM, CHANGE_DECIDE,
						     CHANGE_PROVE, CHANGE_FLOW };
	struct ledger_writer *w = ledger_begin(path);
	int64_t last = 0;

	apply(w, CHANGE_ADD, 10);
	apply(w, CHANGE_ADD, 11);
	tap_ok(ledger_writer_commit(w) == 0, "committed");
	tap_ok(changed(10) == 0 && changed(11) == 0, "a new row has no number");
	for (size_t i = 0; i < sizeof(amending) / sizeof(amending[0]); i++) {
		tap_ok(ledger_writer_begin(w) == 0, "begun");
		apply(w, amending[i], 10);
		tap_ok(ledger_writer_commit(w) == 0, "committed");
		tap_ok(changed(10) > last, "the row has a higher number behind it");
		last = changed(10);
		tap_ok(ledger_number(path, "SELECT last FROM change") == last,
		       "which the ledger knows");
	}
	ledger_writer_begin(w);
	apply(w, CHANGE_AGAIN, 10);
	tap_ok(ledger_writer_commit(w) == 0, "committed");
	tap_ok(changed(10) == last, "how often a flow was seen is no change of what rows show");
	tap_ok(changed(11) == 0, "the other row has none");
	ledger_writer_begin(w);
	apply(w, CHANGE_PROTOCOL, 10);
	apply(w, CHANGE_FLOW, 12);
	tap_ok(ledger_writer_commit(w) == 0, "committed");
	tap_ok(changed(10) == last && ledger_number(path, "SELECT last FROM change") == last,
	       "the protocol that it has, or a row that is not there, is no change");
	ledger_writer_close(w);
}

static void test_order(void)
{
	struct ledger_writer *w = ledger_begin(path);
	int64_t last = ledger_number(path, "SELECT last FROM change");

	tap_ok(last > 0, "the number is kept while nobody writes");
	apply(w, CHANGE_FLOW, 11);
	ledger_end(w);
	tap_ok(changed(11) > last, "and goes on from there");
	last = changed(11);
	w = ledger_begin(path);
	apply(w, CHANGE_FLOW, 10);
	apply(w, CHANGE_FLOW, 11);
	ledger_writer_rollback(w);
	ledger_writer_begin(w);
	apply(w, CHANGE_FLOW, 10);
	ledger_end(w);
	tap_ok(changed(10) == last + 1 && changed(11) == last, "what was undone has none");
	tap_ok(ledger_number(path, "SELECT last FROM change") == last + 1,
	       "nor does the ledger count it");
}

/* A record whose packet's row was dropped makes the row, when higher ones are there. */
static void test_late(void)
{
	struct ledger_writer *w = ledger_begin(path);
	int64_t last = ledger_number(path, "SELECT last FROM change");

	apply(w, CHANGE_ADD, 20);
	apply(w, CHANGE_CONFIRM, 15);
	ledger_end(w);
	tap_ok(changed(20) == 0, "a row behind all others has no number");
	tap_ok(changed(15) > last, "one that comes behind a higher one has");
}

/* The highest number may belong to an old row: when that has gone, it is not given again. */
static void test_trimmed(void)
{
	struct ledger_limits limits = { .rows = 1 };
	struct ledger_writer *w = ledger_begin(path);
	int64_t last, removed;

	apply(w, CHANGE_FLOW, 10);
	ledger_end(w);
	last = changed(10);
	w = ledger_begin(path);
	tap_ok(ledger_writer_trim(w, &limits, 0, 100, &removed) == 0 && removed == 3, "trimmed");
	ledger_end(w);
	tap_ok(ledger_number(path, "SELECT count(changed) FROM connection") <= 1,
	       "rows that go take their numbers along");
	w = ledger_begin(path);
	apply(w, CHANGE_FLOW, (uint64_t)ledger_number(path, "SELECT id FROM connection"));
	ledger_end(w);
	tap_ok(ledger_number(path, "SELECT changed FROM connection") == last + 1,
	       "no number is given twice");
}

static void test_identity(void)
{
	int64_t first = ledger_number(path, "SELECT ledger FROM change"), second;
	struct ledger_writer *w;

	path = scratch_path("second.db");
	w = ledger_begin(path);
	ledger_end(w);
	second = ledger_number(path, "SELECT ledger FROM change");
	tap_ok(first > 0 && second > 0 && first != second, "each ledger has a number of its own");
}

int main(void)
{
	scratch_make();
	path = scratch_path("ledger.db");
	test_kinds();
	test_order();
	test_late();
	test_trimmed();
	test_identity();
	return tap_done();
}
