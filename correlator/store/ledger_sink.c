/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ledger as a committer's store. */
#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "committer.h"
#include "db.h"
#include "failures.h"
#include "ledger.h"
#include "log.h"
#include "loss.h"
#include "ledger_sink.h"
#include "row_ids.h"
#include "users.h"

#define GENERATION_CHARS 40
/* The sockledgerd before this one may still be about to end. */
#define OPEN_TRIES 30
#define OPEN_TRY_MS 100
/* Nobody waits for a row, so rows in quick succession are committed together. */
#define GATHER_MS 20
/* Rows that one commit takes away: at least, and where none comes. */
#define TRIM_LEAST 256
#define TRIM_IDLE 1024
/* Where so many rows in succession cannot be written, none can. */
#define REFUSED_MAX 16
#define COMPLAIN_NS 60000000000LL

/* No row is larger: its texts are cut, dst's name is short, and the control group's path is left
 * out. */
#define ROW_TEXTS (CONNECTION_TEXTS + PROCESS_TEXTS - 2)
#define ROW_BYTES_MAX                                                                          \
	(sizeof(struct item) + ROW_TEXTS * (CONNECTION_TEXT_BYTES + 1) + CONNECTION_NAME_BYTES + 1)
/* Half of the smallest `buffer` (256k) is ours, and of a ring only half can be had in one piece. */
#define PIECE_BYTES_MIN (256 * 1024 / 2 / 2 - 64)

/* What lies in the ring. */
struct item {
	uint64_t seq;			/* LEDGER_SINK_KEEP: it does not move the position */
	char generation[GENERATION_CHARS];	/* the cache's from here on; "": as before */
	struct ledger_change change;	/* last: its texts lie behind it */
};

_Static_assert(ROW_BYTES_MAX <= PIECE_BYTES_MIN, "a row has room in the smallest buffer");

struct place {
	char generation[GENERATION_CHARS];
	uint64_t seq;
};

/* Of rows, as the counters of these names have them. */
struct counts {
	int64_t rows, again, refused, trimmed;
};

/* A counter of the caller's. */
struct counter {
	_Atomic(const char *) name;	/* NULL: not used */
	_Atomic int64_t value;
	int64_t base;			/* of earlier runs; -1: not read yet */
	int64_t written;
	_Atomic bool largest;		/* no count: the larger one of both is kept */
};

struct ledger_sink {
	struct committer *committer;
	struct counter counters[LEDGER_SINK_COUNTERS];
	char *path, *node;
	struct ledger_writer *ledger;
	struct ledger_limits limits;
	struct users *users;
	struct ledger_change named;	/* the row under way, and a name of it */
	char user[256];
	int error;			/* of the last open */
	uint64_t next_id;
	struct row_ids ids;
	struct place now, committed;	/* how far the cache is followed */
	struct counts counting, counted;	/* in this life; counted: with what is committed */
	int in_succession;		/* rows that could not be written */
	int64_t complained_ns;
	bool moving;			/* the file has rows of an older version */
	bool closed;			/* the program ends, and takes nothing more */
	_Atomic int64_t missed, dropped;
	struct counts base;		/* of earlier lives */
	int64_t base_missed, base_dropped;
	int64_t written_missed, written_dropped;
	struct loss_log losses[LEDGER_LOSSES];
};

/* Finds out whether this is the ledger that was open before, and numbers rows accordingly. */
static int find_ids(struct ledger_sink *r)
{
	int64_t last, stamp;
	int rc = ledger_writer_last_id(r->ledger, &last);

	FAILS(LEDGER_OTHER);
	if (!rc)
		rc = ledger_writer_counter(r->ledger, "stamp", &stamp);
	if (!rc && row_ids_opened(&r->ids, stamp, last) && last)
		log_warn("the ledger '%s' is another one than before: new rows go behind its "
			 "last one, %lld", r->path, (long long)last);
	return rc;
}

/* Says once that rows of an older version are moved, and once that it is done. */
static void tell_move(struct ledger_sink *r)
{
	int64_t rows = ledger_writer_to_move(r->ledger);

	if (rows && !r->moving)
		log_info("the ledger '%s' is of an older version: %lld rows are moved, some with"
			 " each commit; none goes because of its limits meanwhile", r->path,
			 (long long)rows);
	if (!rows && r->moving)
		log_info("the ledger '%s': all rows of the older version are moved", r->path);
	r->moving = rows;
}

static void store_close(void *store)
{
	struct ledger_sink *r = store;

	ledger_writer_close(r->ledger);
	r->ledger = NULL;
}

/* What the file has beside what this life has written, here or to a former file. */
static int read_bases(struct ledger_sink *r)
{
	const struct { const char *name; int64_t *base, counted; } all[] = {
		{ "rows", &r->base.rows, r->counted.rows },
		{ "again", &r->base.again, r->counted.again },
		{ "lost_refused", &r->base.refused, r->counted.refused },
		{ "trimmed", &r->base.trimmed, r->counted.trimmed },
		{ "lost_cache", &r->base_missed, r->written_missed },
		{ "lost_buffer", &r->base_dropped, r->written_dropped },
	};
	int64_t value;
	int rc = 0;

	for (size_t i = 0; !rc && i < sizeof(all) / sizeof(all[0]); i++) {
		rc = ledger_writer_counter(r->ledger, all[i].name, &value);
		*all[i].base = value - all[i].counted;
	}
	return rc;
}

static int store_open(void *store)
{
	struct ledger_sink *r = store;

	r->error = ledger_writer_open(r->path, &r->ledger);
	if (r->error)
		return r->error;
	/* Only once: in a ledger that is begun anew the numbers of rows go on. */
	if (!r->next_id)
		r->next_id = ledger_writer_next_id(r->ledger);
	r->in_succession = 0;
	tell_move(r);
	r->error = read_bases(r);
	if (!r->error)
		r->error = find_ids(r);
	if (r->error)
		store_close(r);
	return r->error;
}

static int store_begin(void *store)
{
	struct ledger_sink *r = store;
	int rc = ledger_writer_begin(r->ledger);
	int64_t stamp = 0;

	r->now = r->committed;
	if (!rc)
		rc = ledger_writer_counter(r->ledger, "stamp", &stamp);
	/* A restore in place leaves the file, and brings other rows. */
	if (!rc && stamp != r->ids.stamp)
		rc = -ESTALE;
	return rc;
}

/* A copy of the change: its row by the number that it has in this file, and with the users' names
 * where the record has none: here, because this thread may wait for a directory server.  Numbers of
 * another host have other names, so its rows stay as they are. */
static const struct ledger_change *named(struct ledger_sink *r, const struct ledger_change *change)
{
	struct connection *c = &r->named.connection;
	int64_t now = clock_mono_ns();

	r->named = *change;
	c->id += r->ids.offset;
	/* Only these have a process whose users could be named. */
	if (change->kind != CHANGE_ADD && change->kind != CHANGE_CONFIRM)
		return &r->named;
	if (!text_equal(c->text[CONNECTION_NODE], text_of(r->node)))
		return &r->named;
	if (!c->process.user.data) {
		struct text name = users_name(r->users, c->process.uid, now);

		snprintf(r->user, sizeof(r->user), "%.*s", (int)name.len,
			 name.data ? name.data : "");
		c->process.user = name.data ? text_of(r->user) : TEXT_NONE;
	}
	if (!c->process.login_user.data)
		c->process.login_user = users_name(r->users, c->process.auid, now);
	return &r->named;
}

/* Whoever else has written rows into the file: ours go behind them. */
static int renumber(struct ledger_sink *r)
{
	int64_t last;
	int rc = ledger_writer_last_id(r->ledger, &last);

	if (rc || last > LEDGER_ID_MAX)
		return rc ? rc : -EUCLEAN;
	r->ids.offset = (uint64_t)last;
	return 0;
}

/* A row that the database does not take: it is left out, so that the others can be written. */
static int refuse(struct ledger_sink *r, int error)
{
	int64_t now = clock_mono_ns();

	FAILS(ROW_REFUSED);
	if (++r->in_succession > REFUSED_MAX)
		return -EUCLEAN;
	r->counting.refused++;
	if (!r->complained_ns || now - r->complained_ns > COMPLAIN_NS)
		log_warn("the ledger '%s' does not take a row, which is left out: %s", r->path,
			 db_strerror(error));
	r->complained_ns = now;
	return 0;
}

/* Writes a change whose number, or whose row, may be in the way. */
static int apply(struct ledger_sink *r, const struct ledger_change *change)
{
	int rc = ledger_apply(r->ledger, named(r, change));
	uint64_t offset = r->ids.offset;

	if (rc != -EEXIST) {
		r->in_succession = rc ? r->in_succession : 0;
		r->counting.rows += !rc && change->kind == CHANGE_ADD;
		r->counting.again += !rc && change->kind == CHANGE_AGAIN;
		return rc;
	}
	if (change->kind == CHANGE_ADD && r->named.connection.id <= r->ids.repeat_until)
		return 0;
	rc = renumber(r);
	if (!rc)
		rc = ledger_apply(r->ledger, named(r, change));
	r->counting.rows += !rc && change->kind == CHANGE_ADD;
	if (rc != -EEXIST)
		return rc;
	/* It was not the number. */
	r->ids.offset = offset;
	return refuse(r, rc);
}

static int store_add(void *store, const void *data)
{
	struct ledger_sink *r = store;
	const struct item *item = data;
	int rc;

	if (item->generation[0])
		memcpy(r->now.generation, item->generation, sizeof(r->now.generation));
	rc = apply(r, &item->change);
	if (item->seq != LEDGER_SINK_KEEP)
		r->now.seq = item->seq;
	return rc;
}

static int put_counter(struct ledger_sink *r, struct counter *c)
{
	const char *name = atomic_load(&c->name);
	int64_t value = atomic_load(&c->value), base, sum;
	int rc;

	if (!name || (c->base >= 0 && value == c->written))
		return 0;
	rc = c->base < 0 ? ledger_writer_counter(r->ledger, name, &base) : 0;
	if (c->base < 0 && !rc)
		c->base = base;
	sum = !c->largest ? c->base + value : value > c->base ? value : c->base;
	if (!rc)
		rc = ledger_writer_set_counter(r->ledger, name, sum);
	if (!rc)
		c->written = value;
	return rc;
}

/* More rows may go than came, so that it gets smaller. */
static int trim(struct ledger_sink *r, int64_t items)
{
	int64_t most = items ? 2 * items : TRIM_IDLE, trimmed;
	int rc;

	FAILS(LEDGER_FULL);
	if (most < TRIM_LEAST)
		most = TRIM_LEAST;
	rc = ledger_writer_trim(r->ledger, &r->limits, clock_now_us(), (int)most, &trimmed);
	r->counting.trimmed += trimmed;
	return rc;
}

static int put_counters(struct ledger_sink *r, int64_t missed, int64_t dropped)
{
	const struct { const char *name; int64_t value; } all[] = {
		{ "rows", r->base.rows + r->counting.rows },
		{ "again", r->base.again + r->counting.again },
		{ "lost_refused", r->base.refused + r->counting.refused },
		{ "trimmed", r->base.trimmed + r->counting.trimmed },
		{ "lost_cache", r->base_missed + missed },
		{ "lost_buffer", r->base_dropped + dropped },
		{ "stamp", row_ids_next_stamp(&r->ids) },
	};
	int rc = 0;

	for (size_t i = 0; !rc && i < sizeof(all) / sizeof(all[0]); i++)
		rc = ledger_writer_set_counter(r->ledger, all[i].name, all[i].value);
	for (int i = 0; !rc && i < LEDGER_SINK_COUNTERS; i++)
		rc = put_counter(r, &r->counters[i]);
	return rc;
}

static int store_finish(void *store, int64_t items, bool drained)
{
	struct ledger_sink *r = store;
	int64_t missed = atomic_load(&r->missed), dropped = atomic_load(&r->dropped);
	int rc = trim(r, items);

	(void)drained;
	if (!rc && r->now.generation[0] && items)
		rc = ledger_writer_set_position(r->ledger, r->now.generation, r->now.seq);
	if (!rc)
		rc = put_counters(r, missed, dropped);
	if (!rc)
		rc = ledger_writer_commit(r->ledger);
	/* What was written to a file that has lost its name is written again to the one that has
	 * it: that is the ledger. */
	if (!rc && ledger_writer_moved(r->ledger))
		rc = -ESTALE;
	if (!rc) {
		row_ids_committed(&r->ids);
		if (r->moving)
			tell_move(r);
		r->committed = r->now;
		r->counted = r->counting;
		r->written_missed = missed;
		r->written_dropped = dropped;
	}
	return rc;
}

static void store_rollback(void *store)
{
	struct ledger_sink *r = store;

	ledger_writer_rollback(r->ledger);
	for (int i = 0; i < LEDGER_SINK_COUNTERS; i++)
		r->counters[i].written = -1;
	/* The rows come again and are counted then. */
	r->counting = r->counted;
}

static void store_set_aside(void *store)
{
	db_set_aside(((struct ledger_sink *)store)->path);
}

/* In this life. */
static int64_t lost(const struct ledger_sink *r, const char *what)
{
	if (!strcmp(what, "lost_cache"))
		return atomic_load(&r->missed);
	if (!strcmp(what, "lost_buffer"))
		return atomic_load(&r->dropped);
	if (!strcmp(what, "lost_refused"))
		return r->counted.refused;
	for (int i = 0; i < LEDGER_SINK_COUNTERS; i++) {
		const char *name = atomic_load(&r->counters[i].name);

		if (name && !strcmp(name, what))
			return atomic_load(&r->counters[i].value);
	}
	return 0;
}

static int store_idle(void *store)
{
	struct ledger_sink *r = store;
	int64_t now = clock_mono_ns();

	for (int i = 0; i < LEDGER_LOSSES; i++)
		loss_note(&r->losses[i], &ledger_losses[i], lost(r, ledger_losses[i].name), now);
	return ledger_writer_shrink(((struct ledger_sink *)store)->ledger);
}

static bool store_dirty(void *store)
{
	struct ledger_sink *r = store;

	for (int i = 0; i < LEDGER_SINK_COUNTERS; i++)
		if (atomic_load(&r->counters[i].name) &&
		    atomic_load(&r->counters[i].value) != r->counters[i].written)
			return true;
	return ledger_writer_trims(r->ledger) || atomic_load(&r->missed) != r->written_missed ||
	       atomic_load(&r->dropped) != r->written_dropped;
}

static bool store_moved(void *store)
{
	return ledger_writer_moved(((struct ledger_sink *)store)->ledger);
}

static const char *store_path(void *store)
{
	return ((struct ledger_sink *)store)->path;
}

static const struct committer_ops ops = {
	.what = "ledger",
	.gather_ms = GATHER_MS,
	.open = store_open,
	.close = store_close,
	.begin = store_begin,
	.add = store_add,
	.finish = store_finish,
	.rollback = store_rollback,
	.set_aside = store_set_aside,
	.idle = store_idle,
	.dirty = store_dirty,
	.moved = store_moved,
	.path = store_path,
};

/* Finds out before the thread starts whether the ledger can be written at all: a wrong path or
 * permission, a second sockledgerd, or a newer version need a person, and trying again would not
 * help. */
static int try_open(struct ledger_sink *r)
{
	int rc = store_open(r);

	for (int i = 0; rc == -EBUSY && i < OPEN_TRIES; i++) {
		poll(NULL, 0, OPEN_TRY_MS);
		rc = store_open(r);
	}
	if (rc == -EUCLEAN) {
		FAILS(STORE_DAMAGED);
		log_warn("ledger '%s' is %s: set aside, a new one is begun", r->path,
			 db_strerror(rc));
		store_set_aside(r);
		rc = store_open(r);
	}
	if (rc) {
		FAILS(LEDGER_REFUSED);
		return rc;
	}
	/* Stamps it, so that it is known again; what keeps that from being written now may pass. */
	if (!store_begin(r))
		store_finish(r, 0, true);
	store_close(r);
	return 0;
}

static void release(struct ledger_sink *r)
{
	users_free(r->users);
	free(r->path);
	free(r->node);
	free(r);
}

int ledger_sink_start(const char *ledger, const struct ledger_limits *limits, const char *node,
		      int64_t buffer_bytes, int interrupt, struct ledger_sink **out)
{
	struct ledger_sink *r = calloc(1, sizeof(*r));
	int rc = -ENOMEM;

	if (!r)
		return rc;
	for (int i = 0; i < LEDGER_SINK_COUNTERS; i++)
		r->counters[i].base = -1;
	r->limits = *limits;
	r->path = strdup(ledger);
	r->node = strdup(node);
	r->users = users_new("/etc");
	if (r->path && r->node && r->users)
		rc = try_open(r);
	if (!rc) {
		r->committer = committer_start(&ops, r, (size_t)buffer_bytes, interrupt);
		rc = r->committer ? 0 : -errno;
	}
	if (!rc) {
		*out = r;
		return 0;
	}
	release(r);
	return rc;
}

uint64_t ledger_sink_next_id(const struct ledger_sink *r)
{
	return r->next_id;
}

/* Opens a connection of its own, because the writer's connection belongs to its thread. */
int64_t ledger_sink_position_of(const struct ledger_sink *r, const char *generation)
{
	struct sqlite3 *db;
	char sql[128];
	int64_t seq = 0;
	int rc = ledger_open_read(r->path, &db);

	if (rc)
		return rc;
	snprintf(sql, sizeof(sql), "SELECT seq FROM position WHERE epoch = '%.32s'", generation);
	rc = db_number(db, sql, &seq);
	db_close(db);
	return rc == -ENOENT ? 0 : rc ? rc : seq;
}

static struct item *reserve(struct ledger_sink *r, uint64_t seq, size_t extra)
{
	bool packet = seq == LEDGER_SINK_KEEP;
	struct item *item;

	if (r->closed)
		return NULL;
	item = committer_reserve(r->committer, sizeof(*item) + extra,
				 packet ? PATIENCE_NONE : PATIENCE_ENDLESS);
	if (!item) {
		/* Records stay in the cache for the next run. */
		if (packet) {
			FAILS(ROW_NO_ROOM);
			atomic_fetch_add(&r->dropped, 1);
		} else {
			FAILS(RING_FULL);
			r->closed = true;
		}
		return NULL;
	}
	item->seq = seq;
	item->generation[0] = '\0';
	item->change.kind = CHANGE_NONE;
	return item;
}

void ledger_sink_follow(struct ledger_sink *r, const char *generation, uint64_t seq)
{
	struct item *item = reserve(r, seq, 0);

	if (!item)
		return;
	snprintf(item->generation, sizeof(item->generation), "%s", generation);
	committer_publish(r->committer);
}

bool ledger_sink_has_room(struct ledger_sink *r)
{
	return r->closed || committer_has_room(r->committer, ROW_BYTES_MAX);
}

bool ledger_sink_put(struct ledger_sink *r, uint64_t seq, const struct ledger_change *change)
{
	char room[CONNECTION_CUT_BYTES];
	struct connection cut;
	struct item *item;

	if (change->kind == CHANGE_NONE) {
		item = reserve(r, seq, 0);
		if (item)
			committer_publish(r->committer);
		return item != NULL;
	}
	cut = change->connection;
	/* So that every row has room in the smallest buffer. */
	connection_cut(&cut, room);
	item = reserve(r, seq, connection_pack_size(&cut) - sizeof(cut));
	if (!item)
		return false;
	item->change.kind = change->kind;
	item->change.amended = change->amended;
	item->change.described = change->described;
	item->change.count = change->kind == CHANGE_AGAIN ? change->count : -1;
	if (change->kind == CHANGE_FLOW) {
		item->change.packets = change->packets;
		item->change.bytes = change->bytes;
		item->change.end_us = change->end_us;
	}
	connection_pack(&cut, &item->change.connection);
	committer_publish(r->committer);
	return true;
}

void ledger_sink_count(struct ledger_sink *r, unsigned int which, const char *name, int64_t value)
{
	atomic_store(&r->counters[which].name, name);
	atomic_store(&r->counters[which].value, value);
}

void ledger_sink_largest(struct ledger_sink *r, unsigned int which, const char *name, int64_t value)
{
	atomic_store(&r->counters[which].largest, true);
	ledger_sink_count(r, which, name, value);
}

void ledger_sink_missed(struct ledger_sink *r, int64_t rows)
{
	atomic_fetch_add(&r->missed, rows);
	committer_kick(r->committer);
}

int ledger_sink_stop(struct ledger_sink *r, int timeout_ms)
{
	int64_t lost;
	int rc = committer_stop(r->committer, timeout_ms, &lost);

	release(r);
	return rc;
}
