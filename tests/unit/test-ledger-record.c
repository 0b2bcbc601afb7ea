/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which row a record has, what a known row lacks, and how often its flow was seen. */
#include <netinet/in.h>

#include "db.h"
#include "ledger.h"
#include "scratch.h"
#include "sql.h"
#include "tap.h"

#define TIME_US 1700000000123000LL

static const char *path;

static struct connection row(uint64_t id, uint32_t serial)
{
	struct connection c;

	connection_init(&c);
	c.id = id;
	c.time_us = c.audit_us = TIME_US;
	c.audit_serial = serial;
	c.direction = DIRECTION_OUT;
	c.verdict = VERDICT_OBSERVED;
	c.certainty = CERTAINTY_INFERRED;
	c.evidence = EVIDENCE_AUDIT;
	c.process.pid = 7;
	c.process.comm = text_of("a");
	c.text[CONNECTION_NODE] = text_of("n");
	return c;
}

static int apply(struct ledger_writer *w, enum change_kind kind, const struct connection *c,
		 int64_t count)
{
	struct ledger_change change;

	ledger_change_init(&change, kind, c->id);
	change.connection = *c;
	change.count = count;
	return ledger_apply(w, &change);
}

static uint64_t find(struct ledger_writer *w, const char *node, int64_t time_us, uint32_t serial)
{
	uint64_t id;

	return ledger_writer_find_record(w, text_of(node), time_us, serial, &id) ? UINT64_MAX : id;
}

static void test_find(void)
{
	struct ledger_writer *w = ledger_begin(path);
	struct connection c = row(1, 7);

	tap_ok(find(w, "n", TIME_US, 7) == 0, "no row has that record");
	apply(w, CHANGE_ADD, &c, -1);
	tap_ok(find(w, "n", TIME_US, 7) == 1, "one that was just written has");
	tap_ok(find(w, "n", TIME_US, 8) == 0 && find(w, "b", TIME_US, 7) == 0 &&
	       find(w, NULL, TIME_US, 7) == 0 && find(w, "n", TIME_US + 1000, 7) == 0,
	       "another serial, host or time is another record");
	ledger_writer_rollback(w);
	ledger_writer_begin(w);
	tap_ok(find(w, "n", TIME_US, 7) == 0, "one that was taken back has not");
	apply(w, CHANGE_ADD, &c, -1);
	c = row(2, 9);
	c.time_us += 5000;
	apply(w, CHANGE_ADD, &c, -1);
	ledger_end(w);
	w = ledger_begin(path);
	tap_ok(find(w, "n", TIME_US, 7) == 1, "it is found in the file");
	tap_ok(find(w, "n", TIME_US, 9) == 2, "and one whose packet came behind its record");
	ledger_end(w);
}

static void test_known(void)
{
	struct ledger_writer *w = ledger_begin(path);
	struct connection c = row(2, 9);

	c.protocol = IPPROTO_UDP;
	apply(w, CHANGE_KNOWN, &c, -1);
	c.protocol = IPPROTO_TCP;
	c.process.comm = text_of("b");
	apply(w, CHANGE_KNOWN, &c, -1);
	apply(w, CHANGE_AGAIN, &c, 3);
	apply(w, CHANGE_AGAIN, &c, 2);
	apply(w, CHANGE_AGAIN, &c, -1);
	c.id = 99;
	tap_ok(apply(w, CHANGE_KNOWN, &c, -1) == 0, "a row that there is not is no error");
	ledger_end(w);
	tap_ok(ledger_number(path, "SELECT proto FROM connection WHERE id = 2") == IPPROTO_UDP,
	       "what a known row lacks is filled in, and what it has stays");
	tap_ok(ledger_number(path, "SELECT count(*) FROM connections WHERE comm = 'a'") == 2 &&
	       ledger_number(path, "SELECT count(*) FROM process") == 1, "with its process");
	tap_ok(ledger_number(path, "SELECT count FROM connection WHERE id = 2") == 4,
	       "a flow's count is the largest that was told, and one more");
}

/* What is added after a known row has the process that it would have had behind the row itself. */
static void test_goes_on(void)
{
	struct ledger_writer *w = ledger_begin(path);
	struct connection c = row(1, 7);

	apply(w, CHANGE_KNOWN, &c, -1);
	c = row(3, 11);
	apply(w, CHANGE_ADD, &c, -1);
	ledger_end(w);
	tap_ok(ledger_number(path, "SELECT count(DISTINCT process) FROM connection") == 1,
	       "rows behind a known one go on with its process");
}

int main(void)
{
	scratch_make();
	path = scratch_path("record.db");
	test_find();
	test_known();
	test_goes_on();
	return tap_done();
}
