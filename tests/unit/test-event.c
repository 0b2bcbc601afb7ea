/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Events and connections as plain data: nothing known, packing, names. */
#include "connection.h"
#include "event.h"
#include "scratch.h"
#include "tap.h"

static bool process_is_unknown(const struct process *p)
{
	bool unknown = p->pid == -1 && p->start_ticks == -1 && p->netns == -1 && !p->comm.data;

	for (int i = 0; i < PROCESS_NUMBERS; i++)
		unknown = unknown && p->number[i] == -1;
	for (int i = 0; i < PROCESS_TEXTS; i++)
		unknown = unknown && !p->text[i].data;
	return unknown;
}

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
	tap_ok(process_is_unknown(&e.process) && !e.node.data && e.kind == EVENT_NONE &&
	       !e.addr.family && e.fd == -1 && e.family == -1 && e.type == -1 &&
	       e.protocol == -1 && e.port == -1 && e.inode == -1 && e.listener == -1 &&
	       e.listener_inode == -1 && !e.exit && !e.seq,
	       "a new event knows nothing");
	memset(&c, 0x55, sizeof(c));
	connection_init(&c);
	for (int i = 0; i < CONNECTION_TEXTS; i++)
		none = none && !c.text[i].data;
	tap_ok(none && process_is_unknown(&c.process) && c.protocol == -1 && c.src.port == -1 &&
		       c.dst.port == -1 && c.start_us == -1 && c.certainty == CERTAINTY_UNKNOWN &&
		       c.verdict == VERDICT_OBSERVED && c.latency_us == -1 && c.audit_us == -1 &&
		       !c.evidence && !c.src.addr.family && !c.dst.addr.family,
	       "a new connection knows nothing");
}

/* Texts that are to be packed, and what they hold; their bytes are wiped when they have been. */
#define TEXTS (PROCESS_TEXTS + CONNECTION_TEXTS)
static char bytes[TEXTS][300], kept[TEXTS][300];
static struct text texts[TEXTS];

static void make_up_texts(void)
{
	for (size_t i = 0; i < TEXTS; i++) {
		size_t len = scratch_random() % sizeof(bytes[i]);

		for (size_t k = 0; k < len; k++)
			bytes[i][k] = kept[i][k] = (char)scratch_random();
		texts[i] = scratch_random() % 4 ? (struct text){ bytes[i], len } : TEXT_NONE;
	}
}

/* The texts at t are those from `from` on, and none of them is where it was. */
static bool are_kept(const struct text *t, size_t from, size_t count)
{
	bool good = true;

	for (size_t i = from; i < from + count; i++, t++)
		good = good && !t->data == !texts[i].data && t->len == texts[i].len &&
		       (!t->data || t->data != texts[i].data) &&
		       (!t->len || !memcmp(t->data, kept[i], t->len));
	return good;
}

/* A packed copy is whole after its original is gone, and writes nothing beyond its size. */
static void test_pack(void)
{
	static _Alignas(8) char to[65536];
	bool event_good = true, connection_good = true;

	for (int round = 0; round < 2000; round++) {
		struct event e, *packed;
		struct connection c, *c_packed;
		size_t size;

		make_up_texts();
		event_init(&e);
		memcpy(e.process.text, texts, sizeof(e.process.text));
		e.node = texts[PROCESS_TEXTS];
		e.seq = scratch_random();
		e.process.netns = e.inode = (int64_t)scratch_random();
		size = event_pack_size(&e);
		to[size] = 0x5a;
		packed = event_pack(&e, to);
		memset(bytes, 0, sizeof(bytes));
		event_good = event_good && to[size] == 0x5a && packed->seq == e.seq &&
			     packed->inode == e.inode && packed->process.netns == e.process.netns &&
			     are_kept(packed->process.text, 0, PROCESS_TEXTS) &&
			     are_kept(&packed->node, PROCESS_TEXTS, 1);

		make_up_texts();
		connection_init(&c);
		memcpy(c.process.text, texts, sizeof(c.process.text));
		memcpy(c.text, texts + PROCESS_TEXTS, sizeof(c.text));
		c.id = scratch_random();
		c.process.netns = (int64_t)scratch_random();
		size = connection_pack_size(&c);
		to[size] = 0x5a;
		c_packed = connection_pack(&c, to);
		memset(bytes, 0, sizeof(bytes));
		connection_good = connection_good && to[size] == 0x5a && c_packed->id == c.id &&
				  c_packed->process.netns == c.process.netns &&
				  are_kept(c_packed->process.text, 0, PROCESS_TEXTS) &&
				  are_kept(c_packed->text, PROCESS_TEXTS, CONNECTION_TEXTS);
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
