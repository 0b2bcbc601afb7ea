/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A log's way into the ledger.
 *
 *   file --unpack--> bytes --lines--> lines --assembler--> whole events --audit_parse()--> event
 *        --history--> who the process was --observer--> a change to a row --ledger_apply()
 *
 * All of it happens in this one thread, in the order of the log, and nothing depends on when or how
 * often it happens: a row's id is that of the row which its record has already, or the next one.
 * So after any end the same logs, read again from the start, give the same ledger.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "assemble.h"
#include "audit_parse.h"
#include "config.h"
#include "counters.h"
#include "history.h"
#include "import.h"
#include "ledger.h"
#include "splitter.h"
#include "observe.h"
#include "pairing.h"
#include "unpack.h"

#define COMMIT_CHANGES 8192
/* Events of the last while, as their hashes: a log that is given twice follows itself closely. */
#define SEEN_SETS 131072u
#define SEEN_WAYS 8
/* How far into a file its first record is looked for. */
#define FIRST_BYTES (1024 * 1024)

struct import {
	const struct import_options *options;
	struct counters counters;
	struct splitter lines;
	struct assembler *assembler;
	struct audit_parser *parser;
	struct history *history;
	struct pairing *pairing;
	struct observer *observer;
	struct ledger_writer *ledger;
	uint64_t next_id;
	int changes;		/* in the transaction under way */
	int error;		/* of the ledger */
	int64_t count[IMPORT_COUNT_COUNT];
	uint64_t (*seen)[SEEN_WAYS];	/* in each set the newest comes first */
};

static int commit(struct import *im)
{
	if (!im->error && im->changes)
		im->error = ledger_writer_commit(im->ledger);
	if (im->error)
		ledger_writer_rollback(im->ledger);
	im->changes = 0;
	return im->error;
}

/* The same event came a while ago. */
static bool is_repeated(struct import *im, const struct event *e)
{
	uint64_t hash = text_hash_of(e->node), *set;

	hash = text_hash(hash, &e->time_us, sizeof(e->time_us));
	hash = text_hash(hash, &e->serial, sizeof(e->serial));
	set = im->seen[hash % SEEN_SETS];
	for (int i = 0; i < SEEN_WAYS; i++)
		if (set[i] == hash)
			return true;
	memmove(set + 1, set, (SEEN_WAYS - 1) * sizeof(*set));
	set[0] = hash;
	return false;
}

static void apply(struct import *im, struct ledger_change *change, bool is_known)
{
	char room[CONNECTION_CUT_BYTES];

	switch (change->kind) {
	case CHANGE_NONE:
		return;
	case CHANGE_ADD:
		history_fill(im->history, &change->connection);
		connection_cut(&change->connection, room);
		if (is_known)
			change->kind = CHANGE_KNOWN;
		im->next_id += !is_known;
		im->count[is_known ? IMPORT_KNOWN : IMPORT_ADDED]++;
		break;
	default:
		im->count[IMPORT_AGAIN] += change->kind == CHANGE_AGAIN;
		break;
	}
	if (!im->changes)
		im->error = ledger_writer_begin(im->ledger);
	if (!im->error)
		im->error = ledger_apply(im->ledger, change);
	if (++im->changes >= COMMIT_CHANGES || im->error)
		commit(im);
}

static void take_event(struct import *im, struct event *e)
{
	struct outcome out;
	uint64_t id;

	e->arrival_us = e->time_us;
	if (!e->node.data)
		e->node = text_of(im->options->node);
	if (is_repeated(im, e)) {
		im->count[IMPORT_REPEATED]++;
		return;
	}
	if (history_event(im->history, e)) {
		im->error = -ENOMEM;
		return;
	}
	if (e->kind == EVENT_EXEC || e->kind == EVENT_FORK)
		return;
	im->error = ledger_writer_find_record(im->ledger, e->node, e->time_us, e->serial, &id);
	if (im->error)
		return;
	/* With a node named it is another host's to the observer: it asks nothing of this one. */
	pairing_next_row(im->pairing, id ? id : im->next_id);
	observer_event(im->observer, e, false, &out);
	apply(im, &out.change, id != 0);
}

static void on_assembled(const struct assembled *a, void *arg)
{
	static const enum import_count why[] = {
		[AUDIT_OTHER_KEY] = IMPORT_OTHER_KEY,
		[AUDIT_OTHER_FAMILY] = IMPORT_OTHER_CALL,
		[AUDIT_NO_ADDRESS] = IMPORT_OTHER_CALL,
		[AUDIT_BAD_ADDRESS] = IMPORT_BAD,
		[AUDIT_UNKNOWN_ARCH] = IMPORT_UNKNOWN_ARCH,
		[AUDIT_BAD] = IMPORT_BAD,
	};
	enum event_kind kind = a->class.kind;
	/* Whoever's rule wrote down who started what: it is true. */
	bool process = kind == EVENT_EXEC || kind == EVENT_FORK;
	struct import *im = arg;
	enum audit_result result;
	struct event e;

	if (im->error)
		return;
	result = audit_parse(im->parser, a, process ? AUDIT_KEY_ANY : im->options->key, &e);
	if (result == AUDIT_OURS)
		take_event(im, &e);
	else if (result == AUDIT_NO_MEMORY)
		im->error = -ENOMEM;
	else
		im->count[why[result]]++;
}

/* What ausearch, without --raw, writes between events. */
static bool is_separator(const char *line, size_t len)
{
	static const char time[] = "time->";

	return text_equal((struct text){ line, len }, text_of("----")) ||
	       (len >= sizeof(time) - 1 && !memcmp(line, time, sizeof(time) - 1));
}

static void on_line(void *arg, const char *line, size_t len)
{
	struct import *im = arg;
	struct stamp stamp;

	/* A log that came by way of another system; no record of the kernel's ends so. */
	if (len && line[len - 1] == '\r')
		len--;
	if (!len || is_separator(line, len))
		return;
	im->count[IMPORT_LINES]++;
	if (!stamp_parse(line, len, &stamp) || memchr(line, '\0', len)) {
		im->count[IMPORT_BAD]++;
		return;
	}
	if (text_equal(stamp.type, text_of("SYSTEM_BOOT")))
		history_boot(im->history, stamp.node.data ? stamp.node :
							    text_of(im->options->node));
	/* No time passes: an event ends with its last record, or when 128 others are open. */
	assembler_line(im->assembler, &stamp, line, len, 0);
}

static void release(struct import *im)
{
	ledger_writer_close(im->ledger);
	observer_free(im->observer);
	pairing_free(im->pairing);
	history_free(im->history);
	audit_parser_free(im->parser);
	assembler_free(im->assembler);
	free(im->seen);
	free(im);
}

/* Rows of an older version are moved first, because records are looked for in the present table. */
static int move_older(struct ledger_writer *w)
{
	static const struct ledger_limits none;
	int64_t removed;
	int rc = 0;

	while (!rc && ledger_writer_to_move(w)) {
		rc = ledger_writer_begin(w);
		if (!rc)
			rc = ledger_writer_trim(w, &none, 0, COMMIT_CHANGES, &removed);
		if (!rc)
			rc = ledger_writer_commit(w);
		if (rc)
			ledger_writer_rollback(w);
	}
	return rc;
}

int import_open(const char *ledger, const struct import_options *options, struct import **out)
{
	struct import *im = calloc(1, sizeof(*im));
	int rc;

	if (!im)
		return -ENOMEM;
	im->options = options;
	rc = ledger_writer_open(ledger, &im->ledger);
	if (!rc)
		rc = ledger_writer_take_room(im->ledger);
	if (!rc)
		rc = move_older(im->ledger);
	if (!rc) {
		im->next_id = ledger_writer_next_id(im->ledger);
		im->assembler = assembler_new(&im->counters, on_assembled, im);
		im->parser = audit_parser_new();
		im->history = history_new();
		im->pairing = pairing_new(im->next_id);
		im->observer = im->pairing ? observer_new(im->pairing) : NULL;
		im->seen = calloc(SEEN_SETS, sizeof(*im->seen));
		if (!im->assembler || !im->parser || !im->history || !im->observer || !im->seen)
			rc = -ENOMEM;
	}
	if (rc) {
		release(im);
		return rc;
	}
	*out = im;
	return 0;
}

struct first {
	int64_t time_us;
};

static void on_first(void *arg, const char *line, size_t len)
{
	struct first *first = arg;
	struct stamp stamp;

	if (first->time_us == INT64_MAX && stamp_parse(line, len, &stamp))
		first->time_us = stamp.time_us;
}

int64_t import_first_us(int fd)
{
	struct splitter *lines = calloc(1, sizeof(*lines));
	struct unpack *u = unpack_open(fd);
	struct first first = { INT64_MAX };
	ssize_t n = 1;

	for (int64_t all = 0; lines && u && n > 0 && all < FIRST_BYTES &&
	     first.time_us == INT64_MAX; all += n) {
		size_t room;
		char *to = splitter_room(lines, &room);

		n = unpack_read(u, to, room);
		if (n > 0)
			splitter_take(lines, (size_t)n, on_first, &first);
	}
	unpack_close(u);
	free(lines);
	lseek(fd, 0, SEEK_SET);
	return first.time_us;
}

int import_log(struct import *im, int fd, int *ledger_error)
{
	struct unpack *u = unpack_open(fd);
	ssize_t n = 1;
	int rc = 0;

	while (u && n > 0 && !rc && !im->error) {
		size_t room;
		char *to = splitter_room(&im->lines, &room);

		if (!im->options->goes_on(im->options->arg, fd, unpack_position(u))) {
			rc = -EINTR;
			break;
		}
		n = unpack_read(u, to, room);
		if (n > 0)
			splitter_take(&im->lines, (size_t)n, on_line, im);
	}
	if (!rc)
		rc = !u ? -ENOMEM : n < 0 ? (int)n : 0;
	unpack_close(u);
	/* A line that never ended is half of one. */
	im->count[IMPORT_BAD] += splitter_end(&im->lines);
	*ledger_error = commit(im);
	return rc;
}

int import_close(struct import *im, bool whole, int64_t *counts)
{
	static const struct {
		enum plugin_counter from;
		enum import_count to;
	} more[] = {
		{ COUNT_SKIPPED_SYSCALL, IMPORT_OTHER_CALL },
		{ COUNT_BAD_EVENT, IMPORT_BAD },
		{ COUNT_INCOMPLETE, IMPORT_INCOMPLETE },
		{ COUNT_ORPHAN, IMPORT_INCOMPLETE },
	};
	int rc;

	if (whole)
		assembler_flush(im->assembler);
	rc = commit(im);
	im->count[IMPORT_BAD] += im->lines.too_long;
	for (size_t i = 0; i < sizeof(more) / sizeof(more[0]); i++)
		im->count[more[i].to] += count_get(&im->counters, more[i].from);
	for (int i = 0; i < IMPORT_COUNT_COUNT; i++)
		counts[i] = im->count[i];
	release(im);
	return rc;
}
