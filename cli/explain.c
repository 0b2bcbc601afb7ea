/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A line of a firewall's log becomes a question, or several where the line leaves things open:
 * which side opened the connection, and in which year that was.
 */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "explain.h"
#include "protocol.h"
#include "query.h"

/* A SYN is sent again for 127 s (tcp_syn_retries), and its connection began with the first. */
#define SYN_US (180 * TIME_US_PER_S)
/* Times of another zone differ by whole quarters of an hour. */
#define ZONE_STEP_US (15 * 60 * TIME_US_PER_S)
#define ZONE_MOST_US (14 * 3600 * TIME_US_PER_S)
#define YEARS_MOST 30
/* While a packet is this young, what the ledger has of it may be on its way. */
#define YOUNG_US TIME_US_PER_S

static void say(struct explained *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void say(struct explained *e, const char *fmt, ...)
{
	size_t len = strlen(e->because);
	va_list ap;

	if (len)
		len += (size_t)snprintf(e->because + len, sizeof(e->because) - len, "; ");
	if (len >= sizeof(e->because))
		return;
	va_start(ap, fmt);
	vsnprintf(e->because + len, sizeof(e->because) - len, fmt, ap);
	va_end(ap);
}

/* "3 h" */
static const char *span(int64_t us, char buf[32])
{
	static const struct { int64_t us; const char *name; } units[] = {
		{ 365 * 86400 * TIME_US_PER_S, "years" }, { 86400 * TIME_US_PER_S, "days" },
		{ 3600 * TIME_US_PER_S, "h" }, { 60 * TIME_US_PER_S, "min" },
		{ TIME_US_PER_S, "s" },
	};
	size_t i = 0;

	while (i + 1 < sizeof(units) / sizeof(units[0]) && us < 2 * units[i].us)
		i++;
	snprintf(buf, 32, "%" PRId64 " %s", (us + units[i].us / 2) / units[i].us,
		 units[i].name);
	return buf;
}

/* The first label, in lower case; nothing where it is an address, or names no host. */
static void set_host(struct question *q, struct text host)
{
	char text[sizeof(q->host)];
	struct address a;
	size_t len = 0;

	if (!host.data || !host.len || host.len >= sizeof(text))
		return;
	memcpy(text, host.data, host.len);
	text[host.len] = '\0';
	if (!address_parse(text, &a) || !strcmp(text, "localhost"))
		return;
	for (; text[len] && text[len] != '.'; len++)
		q->host[len] = (char)tolower((unsigned char)text[len]);
	q->host[len] = '\0';
}

static void describe_time(const struct explain_rules *r, struct explained *e)
{
	size_t room = sizeof(e->assumed);
	time_t at = (time_t)(e->at_us / TIME_US_PER_S);
	const struct stamp *s = &e->head.stamp;
	int64_t other;
	struct tm tm;

	e->assumed[0] = '\0';
	if (!e->has_time)
		snprintf(e->assumed, room, "the line has no time");
	else if (s->kind == STAMP_BOOT && !r->boot_told)
		snprintf(e->assumed, room, "since the boot of this host");
	if (!e->has_time || s->kind != STAMP_LOCAL || !localtime_r(&at, &tm))
		return;
	if (!s->has_year && !r->stamp.year)
		snprintf(e->assumed, room, "year %d", tm.tm_year + 1900);
	if (stamp_again(s, e->at_us, &other))
		snprintf(e->assumed + strlen(e->assumed), room - strlen(e->assumed),
			 "%sthe %s of two such times", *e->assumed ? ", " : "",
			 other < e->at_us ? "later" : "earlier");
	if (!r->zone_told && !*s->zone)
		snprintf(e->assumed + strlen(e->assumed), room - strlen(e->assumed),
			 "%stime zone %s", *e->assumed ? ", " : "", r->zone);
}

/* Which way round: as the packet goes, or the other, for the other side answers. */
static int64_t ask_way(struct query_db *db, const struct explained *e, struct question *q,
		       struct answers *found, bool reversed)
{
	q->src = reversed ? e->asked->dst : e->asked->src;
	q->dst = reversed ? e->asked->src : e->asked->dst;
	return answers_find(db, q, found);
}

/*
 * Asks for one time.  A SYN says who opened the connection; else the way counts of which the ledger
 * has the ports.  The number of answers; -1: failed.
 */
static int64_t ask_at(struct query_db *db, struct question *q, struct explained *e)
{
	const struct packet_tuple *t = e->asked;
	bool only = t->protocol == IPPROTO_TCP && t->syn;
	int64_t rows, others;
	struct answers other;

	e->reversed = only && t->ack;
	rows = ask_way(db, e, q, &e->found, e->reversed);
	if (rows < 0 || only || (rows && e->found.found[0].exact))
		return rows;
	others = ask_way(db, e, q, &other, !e->reversed);
	if (others < 0 || (others && (!rows || other.found[0].exact))) {
		answers_release(&e->found);
		e->found = other;
		e->reversed = !e->reversed;
		return others;
	}
	answers_release(&other);
	return rows;
}

/* A row that was written down another time, but as the clock of another zone had it. */
static bool other_zone(const struct explained *e)
{
	int64_t off = llabs(e->at_us - e->found.found[0].time_us), rest = off % ZONE_STEP_US;

	return off < ZONE_MOST_US && (rest < SYN_US || ZONE_STEP_US - rest < SYN_US);
}

static int take_time(const struct cell *cells, int columns, void *arg)
{
	(void)columns;
	*(int64_t *)arg = cells[0].kind == CELL_INTEGER ? cells[0].integer : -1;
	return 0;
}

/* -1: there is none. */
static int64_t oldest_row(struct query_db *db, int64_t *us)
{
	struct sql s = { .failed = false };
	int64_t rows;

	*us = -1;
	sql_add(&s, "SELECT min(time) FROM connection_all");
	rows = query_run(db, &s, take_time, us);
	sql_release(&s);
	return rows;
}

/* Asks for the time, and for the other one that the clock showed as the same. */
static int64_t ask_hours(struct query_db *db, struct question *q, struct explained *e,
			 int64_t window_us)
{
	int64_t rows, others, other, at = q->at_us;
	struct answers first;
	bool reversed;

	q->since_us = window_us ? at - window_us : 0;
	rows = ask_at(db, q, e);
	/* Without a window all that is older is asked for already. */
	if (rows < 0 || !window_us || (rows && e->found.found[0].exact) ||
	    !stamp_again(&e->head.stamp, at, &other))
		return rows;
	first = e->found;
	reversed = e->reversed;
	q->at_us = other;
	q->since_us = other - window_us;
	others = ask_at(db, q, e);
	if (others < 0 || (others && (!rows || e->found.found[0].exact))) {
		answers_release(&first);
		e->at_us = other;
		return others;
	}
	answers_release(&e->found);
	e->found = first;
	e->reversed = reversed;
	q->at_us = at;
	return rows;
}

/* Asks for one year after another, from the last one back. */
static int64_t ask_years(struct query_db *db, const struct explain_rules *r, struct question *q,
			 struct explained *e, int64_t window_us)
{
	const struct stamp *s = &e->head.stamp;
	bool any = s->kind == STAMP_LOCAL && !s->has_year && !r->stamp.year;
	int64_t rows = 0, slack, at, oldest = 0;

	for (int back = 0; back <= (any ? YEARS_MOST : 0); back++) {
		if (back == 1 && oldest_row(db, &oldest) < 0)
			return -1;
		if (back) {
			if (!stamp_time(s, &r->stamp, back, &at, &slack))
				continue;
			if (at < oldest - window_us)
				break;
			q->at_us = e->at_us = at;
		}
		rows = ask_hours(db, q, e, window_us);
		if (rows)
			break;
	}
	return rows;
}

/* Why nothing was found. */
static int64_t say_nothing(struct query_db *db, struct question *q, struct explained *e)
{
	int64_t rows, oldest;
	char ago[32];

	if (oldest_row(db, &oldest) < 0)
		return -1;
	if (oldest < 0) {
		say(e, "the ledger has no connections");
		return 0;
	}
	if (e->has_time && e->at_us + q->after_us < oldest) {
		say(e, "the ledger begins %s later", span(oldest - e->at_us, ago));
		return 0;
	}
	if (e->line.in.len && e->line.out.len)
		say(e, "the host forwarded it, and the ledger has no such connection");
	else
		say(e, "the ledger has no such connection%s", q->since_us ? " at that time" : "");
	if (!q->since_us)
		return 0;
	q->since_us = 0;
	rows = ask_at(db, q, e);
	if (rows > 0) {
		const struct answer *a = &e->found.found[0];
		struct text exe = answer_text(a, "exe");

		say(e, "the last one like it began %s before: %.*s (pid %" PRId64 ")",
		    span(e->at_us - a->time_us, ago), exe.len > 200 ? 200 : (int)exe.len,
		    exe.len ? exe.data : "?", answer_number(a, "pid"));
		answers_release(&e->found);
	}
	return rows;
}

/* What an answer is worth less for. */
static void say_doubts(struct explained *e, int64_t after_us)
{
	const struct answer *a = &e->found.found[0];
	int64_t before = e->at_us - a->time_us;
	char buf[32], reason[64];

	if (answer_doubt(a))
		say(e, "%s", answer_doubt(a));
	if (a->other_uid)
		say(e, "the line has UID=%" PRId64 ", the process uid %" PRId64, e->line.uid,
		    answer_number(a, "uid"));
	if (e->has_time && before > SYN_US + after_us)
		say(e, "it began %s before the line%s", span(before, buf),
		    e->other_zone ? ", as if that were of another time zone" : "");
	if (answer_number(a, "pid") < 0) {
		struct text t = answer_text(a, "reason");

		snprintf(reason, sizeof(reason), "%.*s", (int)(t.len > 60 ? 60 : t.len),
			 t.len ? t.data : "");
		say(e, "the ledger has the connection, and no process%s%s", *reason ? ": " : "",
		    reason);
	}
	if (e->reversed)
		say(e, "the other side sent this packet");
}

static int64_t find_answer(struct query_db *db, const struct explain_rules *r,
			   struct explained *e, int64_t after_us)
{
	const struct packet_tuple *t = e->asked;
	bool dated = t->protocol == IPPROTO_TCP && t->syn && e->has_time;
	struct question q;
	int64_t rows, latest = e->at_us;

	question_init(&q, e->at_us);
	q.protocol = t->protocol;
	q.after_us = after_us;
	if (!e->line.is_error) {
		q.uid = e->line.uid;
		q.gid = e->line.gid;
	}
	set_host(&q, r->host ? text_of(r->host) : e->head.host);
	rows = ask_years(db, r, &q, e, dated ? SYN_US : 0);
	if (!rows && dated && e->head.stamp.kind == STAMP_LOCAL && !r->zone_told) {
		q.at_us = e->at_us = latest;
		rows = ask_years(db, r, &q, e, ZONE_MOST_US);
		e->other_zone = rows > 0 && other_zone(e);
		if (rows > 0 && !e->other_zone) {
			answers_release(&e->found);
			rows = 0;
		}
	}
	if (!rows) {
		q.at_us = e->at_us = latest;
		q.since_us = dated ? e->at_us - SYN_US : 0;
		return say_nothing(db, &q, e);
	}
	if (rows > 0)
		say_doubts(e, after_us);
	return rows;
}

/* The time of the line, or now. */
static int64_t set_time(const struct explain_rules *r, const struct log_wrap *wrap,
			struct explained *e)
{
	int64_t slack = ANSWER_AFTER_US;

	if (wrap->at_us >= 0)
		e->head.stamp = (struct stamp){ .kind = STAMP_UTC, .us = wrap->at_us,
						.fine = true };
	if (wrap->host.data)
		e->head.host = wrap->host;
	e->has_time = stamp_time(&e->head.stamp, &r->stamp, 0, &e->at_us, &slack);
	if (!e->has_time)
		e->at_us = clock_now_us();
	return slack;
}

static void wait_for_row(const struct explained *e)
{
	int64_t age = clock_now_us() - e->at_us;

	if (e->has_time && age >= 0 && age < YOUNG_US)
		usleep((useconds_t)(YOUNG_US - age));
}

int explain_line(struct query_db *db, const struct explain_rules *r, struct text line,
		 const struct log_wrap *wrap, struct explained *e)
{
	int64_t slack, rows;
	int rc;

	memset(e, 0, sizeof(*e));
	rc = packet_line_parse(line, &e->line, &e->unreadable);
	if (rc == -ENOENT)
		return 0;
	log_head_parse(e->line.before, &e->head);
	slack = set_time(r, wrap, e);
	e->asked = e->line.is_error ? &e->line.about : &e->line.packet;
	if (rc) {
		say(e, "the line cannot be read: %s", e->unreadable);
		return 1;
	}
	e->unreadable = NULL;
	wait_for_row(e);
	rows = find_answer(db, r, e, slack);
	if (rows < 0)
		return -1;
	describe_time(r, e);
	if (*e->assumed && (!rows || answer_doubt(&e->found.found[0])))
		say(e, "assumed: %s", e->assumed);
	if (e->line.cut)
		say(e, "the line is cut off");
	return 1;
}

void explained_release(struct explained *e)
{
	answers_release(&e->found);
}
