/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bytes as the plugin's stdin has them: lines, stamps, events, libauparse, struct event.  Each
 * event must be accounted for, and what comes out must be within the bounds that the cache and
 * the correlator take for granted.  /proc is not asked.
 */
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "assemble.h"
#include "counters.h"
#include "fuzz.h"
#include "audit_parse.h"

struct target {
	struct counters counters;
	struct audit_parser *parser;
	int64_t delivered;
};

static void check_id(int64_t id)
{
	FUZZ_CHECK(id >= -1 && id < UINT32_MAX);
}

static void check_event(const struct event *e, const struct assembled *a)
{
	static const uint8_t zero[16];
	struct event *packed;
	void *room;

	FUZZ_CHECK(e->kind == a->class.kind && e->kind > EVENT_NONE && e->kind < EVENT_KINDS);
	FUZZ_CHECK(e->time_us == a->stamp.time_us && e->serial == a->stamp.serial);
	bool process = e->kind == EVENT_EXEC || e->kind == EVENT_FORK;

	FUZZ_CHECK(process ? e->family == -1 : e->family == AF_INET || e->family == AF_INET6 ||
		   (e->kind == EVENT_SOCKET && e->family == AF_PACKET));
	FUZZ_CHECK(e->process.pid >= 0 && e->process.pid <= INT32_MAX);
	FUZZ_CHECK(e->process.ppid >= -1 && e->process.ppid <= INT32_MAX);
	FUZZ_CHECK(e->fd >= -1 || e->kind != EVENT_ACCEPT);
	FUZZ_CHECK(e->port >= -1 && e->port <= 65535);
	FUZZ_CHECK(e->inode == -1 && e->process.start_ticks == -1 && e->process.netns == -1);
	check_id(e->process.uid);
	check_id(e->process.gid);
	check_id(e->process.euid);
	check_id(e->process.fsuid);
	check_id(e->process.auid);
	check_id(e->process.session);
	if (e->kind == EVENT_SOCKET || process)
		FUZZ_CHECK(e->port == -1 && e->addr.family == 0);
	else
		FUZZ_CHECK(e->port >= 0 && e->addr.family == e->family);
	if (e->addr.family != AF_INET6)
		FUZZ_CHECK(!memcmp(e->addr.bytes + 4, zero, 12));
	for (int i = 0; i < PROCESS_TEXTS; i++)
		FUZZ_CHECK(e->process.text[i].data || !e->process.text[i].len);
	FUZZ_CHECK(e->node.data || !e->node.len);
	/* Reads every byte of every text. */
	room = malloc(event_pack_size(e));
	FUZZ_CHECK(room);
	packed = event_pack(e, room);
	for (int i = 0; i < PROCESS_TEXTS; i++)
		FUZZ_CHECK(text_equal(packed->process.text[i], e->process.text[i]));
	FUZZ_CHECK(text_equal(packed->node, e->node));
	free(room);
}

static void on_assembled(const struct assembled *a, void *arg)
{
	struct target *t = arg;
	struct event e;

	t->delivered++;
	FUZZ_CHECK(a->len && a->lines[a->len - 1] == '\n');
	if (audit_parse(t->parser, a, "sockledger", &e) == AUDIT_OURS)
		check_event(&e, a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct target t = { .parser = audit_parser_new() };
	struct assembler *a = assembler_new(&t.counters, on_assembled, &t);
	const char *at = (const char *)data, *end = at + size, *newline;
	int64_t now_ns = 0;

	FUZZ_CHECK(t.parser && a);
	while (at < end && (newline = memchr(at, '\n', (size_t)(end - at))) != NULL) {
		size_t len = (size_t)(newline - at);
		char *line = malloc(len ? len : 1);
		struct stamp stamp;

		/* Memory of just its size: a step behind its end is seen. */
		FUZZ_CHECK(line);
		memcpy(line, at, len);
		if (!memchr(line, '\0', len) && stamp_parse(line, len, &stamp)) {
			FUZZ_CHECK(stamp.body <= len && stamp.type.len && stamp.time_us >= 0);
			assembler_line(a, &stamp, line, len, now_ns);
		} else if (len == 3) {
			/* Not a record, but a mark in the input: time goes by. */
			now_ns += (unsigned char)line[0] * 20000000LL;
			assembler_age(a, now_ns);
		}
		free(line);
		at = newline + 1;
	}
	assembler_flush(a);
	FUZZ_CHECK(assembler_age(a, now_ns) == -1);
	FUZZ_CHECK(count_get(&t.counters, COUNT_EVENTS) ==
		   t.delivered + count_get(&t.counters, COUNT_SKIPPED_SYSCALL) +
		   count_get(&t.counters, COUNT_ORPHAN) +
		   count_get(&t.counters, COUNT_INCOMPLETE) +
		   count_get(&t.counters, COUNT_BAD_EVENT));
	assembler_free(a);
	audit_parser_free(t.parser);
	return 0;
}
