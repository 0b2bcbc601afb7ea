/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Each audit event of the cache, on its way to the ledger:
 *
 *   cache_feed --event--> observer --what it makes of it--> complete() --> ledger_sink
 *                  '----> judge (a packet may wait for this record)
 */
#include "ancestry.h"
#include "ask.h"
#include "clock.h"
#include "config.h"
#include "disguise.h"
#include "judge.h"
#include "ledger_sink.h"
#include "log.h"
#include "names.h"
#include "observe.h"
#include "parts.h"
#include "procfs.h"
#include "record_intake.h"

/* Of an older call /proc has nothing to say: the pid may be another process's by now. */
#define FRESH_US (10 * TIME_US_PER_S)

/* Records that had come so long before the start say that they do come. */
#define COMING_US (600 * TIME_US_PER_S)

static int64_t position_of(void *arg, const char *generation)
{
	const struct record_intake *in = arg;

	return ledger_sink_position_of(in->parts->ledger_sink, generation);
}

static void on_begin(void *arg, const char *generation, uint64_t seq)
{
	struct record_intake *in = arg;

	in->recorded = seq;
	ledger_sink_follow(in->parts->ledger_sink, generation, seq);
}

/* Adds what the event does not say and this host can. */
static void complete(struct parts *p, struct connection *c, int64_t arrival_us)
{
	bool fresh = arrival_us - c->time_us < FRESH_US &&
		     clock_now_us() - c->time_us < FRESH_US;

	if (c->text[CONNECTION_NODE].data)
		return;		/* another host's: neither users nor processes are ours */
	c->text[CONNECTION_NODE] = text_of(p->config->node);
	c->start_us = procfs_start_us(p->host.procfs, c->process.start_ticks);
	if (fresh)
		ancestry_fill(p->host.ancestry, &p->host, c);
}

/* A record has the program that the kernel was told. */
static void look_behind(struct parts *p, struct event *e)
{
	int64_t when_ns = clock_mono_ns() - (clock_now_us() - e->time_us) * 1000;

	host_read_trace(&p->host);
	if (disguise_take_off(&p->host, &e->process, when_ns))
		e->process.exe_seen = EXE_TOLD;
}

/* A row that a record makes, or whose process it tells: what its destination is called may be
 * another's look-up, and if it is a question's, the names that it gave another process's. */
static void name(struct names *n, struct ledger_change *change)
{
	struct connection *c = &change->connection;
	int64_t uid = process_socket_user(&c->process);

	if (change->kind == CHANGE_CONFIRM && change->described) {
		names_proven(n, c->id, c->certainty);
		return;
	}
	names_row(n, c, uid);
	names_find(n, c, uid, clock_mono_ns());
}

static void on_event(void *arg, const struct event *told, bool replay)
{
	struct record_intake *in = arg;
	struct parts *p = in->parts;
	struct event event = *told, *e = &event;
	struct outcome out;
	struct ledger_change *c = &out.change;

	if (p->host.tracefs && !replay && !e->node.data)
		look_behind(p, e);
	observer_clock(p->host.observer, clock_now_us(), clock_mono_ns());
	observer_event(p->host.observer, e, replay, &out);
	if (c->kind == CHANGE_ADD || c->kind == CHANGE_CONFIRM)
		complete(p, &c->connection, e->arrival_us);
	if ((c->kind == CHANGE_ADD || c->kind == CHANGE_CONFIRM) && p->host.names && !replay &&
	    !e->node.data)
		name(p->host.names, c);
	if (c->kind == CHANGE_CONFIRM && p->judge)
		judge_late_record(p->judge, &out);
	if (c->kind != CHANGE_NONE) {
		ledger_sink_put(p->ledger_sink, e->seq, c);
		in->recorded = e->seq;
	}
	/* Or the first packet that nobody is found for would be called no-audit. */
	if (replay && p->judge && !e->node.data && clock_now_us() - e->arrival_us < COMING_US)
		ask_note_record(&p->host, e);
	if (p->judge && !replay)
		judge_event(p->judge, e);
}

static void on_followed(void *arg, uint64_t seq)
{
	static const struct ledger_change nothing = { .kind = CHANGE_NONE };
	struct record_intake *in = arg;

	if (seq == in->recorded)
		return;
	in->recorded = seq;
	ledger_sink_put(in->parts->ledger_sink, seq, &nothing);
}

static void on_missed(void *arg, int64_t rows)
{
	struct record_intake *in = arg;

	log_warn("%lld rows left the cache before they could be read", (long long)rows);
	ledger_sink_missed(in->parts->ledger_sink, rows);
}

const struct cache_feed_ops record_intake_ops = {
	.position = position_of, .begin = on_begin, .event = on_event, .followed = on_followed,
	.missed = on_missed,
};
