/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Events and connections as plain data: nothing known, packing, names. */
#include "connection.h"
#include "event.h"
#include "scratch.h"
#include "tap.h"

static void test_names(void)
{
	static const char *const kinds[] = { "socket", "bind", "connect", "send", "accept",
					     "exec", "fork" };

	for (int k = EVENT_SOCKET; k < EVENT_KINDS; k++)
		tap_ok(!strcmp(event_kind_name((enum event_kind)k), kinds[k - 1]) &&
			       event_kind_parse(kinds[k - 1]) == (enum event_kind)k,
		       "%s is a kind", kinds[k - 1]);
	tap_ok(!event_kind_name(EVENT_NONE) && !event_kind_name(EVENT_KINDS) &&
		       event_kind_parse("") == EVENT_NONE && event_kind_parse(NULL) == EVENT_NONE &&
		       event_kind_parse("Connect") == EVENT_NONE &&
		       event_kind_parse("connects") == EVENT_NONE,
	       "others are none");
	tap_ok(direction_parse("out") == DIRECTION_OUT && direction_parse("in") == DIRECTION_IN &&
	       direction_parse("forward") == DIRECTION_FORWARD && !direction_parse("") &&
	       !direction_parse("Out"), "directions by name");
	tap_ok(certainty_parse("unknown") == CERTAINTY_UNKNOWN &&
	       certainty_parse("inferred") == CERTAINTY_INFERRED &&
	       certainty_parse("certain") == CERTAINTY_CERTAIN && !certainty_parse("sure"),
	       "certainties by name");
	tap_ok(verdict_parse("observed") == VERDICT_OBSERVED &&
		       verdict_parse("accept") == VERDICT_ACCEPT &&
		       verdict_parse("drop") == VERDICT_DROP &&
		       verdict_parse("reject") == VERDICT_REJECT && !verdict_parse("deny"),
	       "verdicts by name");
	tap_ok(!strcmp(direction_name(DIRECTION_FORWARD), "forward") &&
	       !strcmp(certainty_name(CERTAINTY_INFERRED), "inferred") &&
	       !strcmp(verdict_name(VERDICT_REJECT), "reject"), "and their names");
}

static void test_init(void)
{
	struct event e;
	struct connection c;
	bool none = true;

	memset(&e, 0x55, sizeof(e));
	event_init(&e);
	for (int i = 0; i < EVENT_TEXTS; i++)
		none = none && !e.text[i].data;
	tap_ok(none && e.kind == EVENT_NONE && !e.addr.family && e.pid == -1 && e.ppid == -1 &&
	       e.fd == -1 && e.family == -1 && e.type == -1 && e.protocol == -1 && e.port == -1 &&
	       e.uid == -1 && e.gid == -1 && e.euid == -1 && e.fsuid == -1 && e.auid == -1 &&
	       e.session == -1 && e.inode == -1 && e.start_ticks == -1 && e.netns == -1,
	       "a new event knows nothing");
	memset(&c, 0x55, sizeof(c));
	connection_init(&c);
	none = true;
	for (int i = 0; i < CONNECTION_TEXTS; i++)
		none = none && !c.text[i].data;
	tap_ok(none && c.protocol == -1 && c.src.port == -1 && c.dst.port == -1 && c.pid == -1 &&
		       c.start_ticks == -1 && c.start_us == -1 && c.ppid == -1 && c.uid == -1 &&
		       c.gid == -1 && c.euid == -1 && c.fsuid == -1 && c.auid == -1 &&
		       c.session == -1 && c.netns == -1 && c.certainty == CERTAINTY_UNKNOWN &&
		       c.verdict == VERDICT_OBSERVED && c.latency_us == -1 && c.audit_us == -1 &&
		       !c.evidence && !c.src.addr.family && !c.dst.addr.family,
	       "a new connection knows nothing");
}

/* A packed copy is whole after its original is gone, and writes nothing beyond its size. */
static void test_pack(void)
{
	static _Alignas(8) char to[65536];
	bool event_good = true, connection_good = true;

	for (int round = 0; round < 2000; round++) {
		char bytes[EVENT_TEXTS + CONNECTION_TEXTS][300],
			copy[EVENT_TEXTS + CONNECTION_TEXTS][300];
		struct event e, *packed;
		struct connection c, *c_packed;
		struct text texts[EVENT_TEXTS + CONNECTION_TEXTS];
		size_t size;

		event_init(&e);
		connection_init(&c);
		for (size_t i = 0; i < EVENT_TEXTS + CONNECTION_TEXTS; i++) {
			size_t len = scratch_random() % sizeof(bytes[i]);

			for (size_t k = 0; k < len; k++)
				bytes[i][k] = copy[i][k] = (char)scratch_random();
			texts[i] =
				scratch_random() % 4 ? (struct text){ bytes[i], len } : TEXT_NONE;
		}
		memcpy(e.text, texts, sizeof(e.text));
		memcpy(c.text, texts + EVENT_TEXTS, sizeof(c.text));
		e.seq = c.id = scratch_random();
		e.inode = c.netns = (int64_t)scratch_random();

		size = event_pack_size(&e);
		to[size] = 0x5a;
		packed = event_pack(&e, to);
		memset(bytes, 0, sizeof(bytes));
		event_good = event_good && to[size] == 0x5a && packed->seq == e.seq &&
			     packed->inode == e.inode;
		for (size_t i = 0; i < EVENT_TEXTS; i++)
			event_good = event_good && !packed->text[i].data == !texts[i].data &&
				     packed->text[i].len == texts[i].len &&
				     (!texts[i].len ||
				      !memcmp(packed->text[i].data, copy[i], texts[i].len));

		memcpy(bytes, copy, sizeof(bytes));
		size = connection_pack_size(&c);
		to[size] = 0x5a;
		c_packed = connection_pack(&c, to);
		memset(bytes, 0, sizeof(bytes));
		connection_good = connection_good && to[size] == 0x5a && c_packed->id == c.id &&
				  c_packed->netns == c.netns;
		for (size_t i = 0; i < CONNECTION_TEXTS; i++) {
			size_t k = EVENT_TEXTS + i;

			connection_good = connection_good &&
					  !c_packed->text[i].data == !texts[k].data &&
					  c_packed->text[i].len == texts[k].len &&
					  (!texts[k].len ||
					   !memcmp(c_packed->text[i].data, copy[k], texts[k].len));
		}
	}
	tap_ok(event_good, "2000 events are packed whole");
	tap_ok(connection_good, "2000 connections are packed whole");
}

int main(int argc, char **argv)
{
	scratch_seed(argc, argv);
	test_names();
	test_init();
	test_pack();
	return tap_done();
}
