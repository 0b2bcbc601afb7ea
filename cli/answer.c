/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rows that a connection may be. */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "clock.h"
#include "connection.h"
#include "ledger_schema.h"
#include "query.h"

/* Rows without a port are equally good candidates if they are this close in time to the best. */
#define ALIKE_US (60 * TIME_US_PER_S)
/*
 * A row says when a connection began, not how long it lasted: after half an hour, as for a flow, it
 * counts as old.
 */
#define OLD_US (30 * 60 * TIME_US_PER_S)

/* What of a question narrows the rows without a port, from the most to the least. */
enum { BY_UID = 1, BY_GID = 2, BY_HOST = 4 };
static const int narrowing[] = {
	BY_HOST | BY_UID | BY_GID, BY_HOST | BY_UID, BY_HOST, BY_UID | BY_GID, BY_UID, 0,
};

void question_init(struct question *q, int64_t at_us)
{
	*q = (struct question){ .at_us = at_us, .after_us = ANSWER_AFTER_US, .uid = -1, .gid = -1,
				.src.port = -1, .dst.port = -1 };
}

const struct cell *answer_cell(const struct answer *a, const char *name)
{
	for (int i = 0; i < ledger_column_count; i++)
		if (!strcmp(ledger_columns[i], name))
			return &a->cells[i];
	return NULL;
}

int64_t answer_number(const struct answer *a, const char *name)
{
	const struct cell *c = answer_cell(a, name);

	return c->kind == CELL_INTEGER ? c->integer : -1;
}

struct text answer_text(const struct answer *a, const char *name)
{
	const struct cell *c = answer_cell(a, name);

	return c->kind == CELL_TEXT ? c->text : TEXT_NONE;
}

static bool same_process(const struct answer *a, const struct answer *b)
{
	return answer_number(a, "pid") == answer_number(b, "pid") &&
	       text_equal(answer_text(a, "node"), answer_text(b, "node")) &&
	       text_equal(answer_text(a, "exe"), answer_text(b, "exe"));
}

static bool contradicted(const struct answer *a)
{
	return a->other_uid || a->other_gid || a->other_host;
}

static bool sure(const struct answer *a)
{
	return a->exact && !a->old && !contradicted(a);
}

/* The first label of a node's name is the host. */
static bool is_host(struct text node, const char *host)
{
	const char *dot = memchr(node.data, '.', node.len);
	size_t len = dot ? (size_t)(dot - node.data) : node.len;

	return len == strlen(host) && !strncasecmp(node.data, host, len);
}

/* What the question knows of the sender, and the row does not have. */
static void contradict(struct answer *a, const struct question *q)
{
	const struct cell *extra = &a->cells[ledger_column_count];
	int64_t uid = answer_number(a, "uid");
	struct text node = answer_text(a, "node");

	a->other_uid = q->uid >= 0 && uid >= 0 && uid != q->uid;
	for (int i = 0; i < 2; i++)
		if (extra[i].kind == CELL_INTEGER && extra[i].integer == q->uid)
			a->other_uid = false;
	a->other_gid = q->gid >= 0 && extra[2].kind == CELL_INTEGER && extra[2].integer != q->gid;
	a->other_host = *q->host && node.data && !is_host(node, q->host);
}

static int on_row(const struct cell *cells, int columns, void *arg)
{
	struct answers *s = arg;
	struct answer *a = &s->found[s->count];

	if (s->count == ANSWERS_MAX) {
		s->more = true;
		return 1;
	}
	memset(a, 0, sizeof(*a));
	a->time_us = cells[columns - 1].integer;
	for (int i = 0; i < ledger_column_count + ANSWER_EXTRA; i++) {
		char *copy;

		a->cells[i] = cells[i];
		if (cells[i].kind != CELL_TEXT)
			continue;
		copy = malloc(cells[i].text.len + 1);
		if (!copy) {
			a->cells[i].kind = CELL_NULL;
			continue;
		}
		memcpy(copy, cells[i].text.data, cells[i].text.len);
		a->cells[i].text.data = copy;
	}
	a->accepted = s->accepted;
	a->exact = !a->accepted && s->asked->src.port >= 0 &&
		   answer_cell(a, "sport")->kind == CELL_INTEGER;
	a->old = s->asked->at_us - a->time_us > OLD_US;
	contradict(a, s->asked);
	if (s->count && s->found[0].exact && a->time_us > s->found[0].time_us)
		s->found[0].old = s->found[0].overtaken = true;
	s->count++;
	return 0;
}

void answers_release(struct answers *s)
{
	for (int k = 0; k < s->count; k++)
		for (int i = 0; i < ledger_column_count + ANSWER_EXTRA; i++)
			if (s->found[k].cells[i].kind == CELL_TEXT)
				free((char *)s->found[k].cells[i].text.data);
	s->count = 0;
}

static void add_endpoint(struct sql *s, const struct endpoint *e, char text[ADDRESS_TEXT_MAX],
			 const char *addr_sql, const char *port_sql)
{
	if (e->addr.family)
		sql_add_text(s, addr_sql, address_format(&e->addr, text));
	if (e->port >= 0)
		sql_add_number(s, port_sql, e->port);
}

static void add_sender(struct sql *s, const struct question *q, int by)
{
	if (by & BY_UID)
		sql_add_number(s, " AND (p.uid IS NULL OR ? IN (p.uid, p.euid, p.fsuid))", q->uid);
	if (by & BY_GID)
		sql_add_number(s, " AND (p.gid IS NULL OR p.gid = ?)", q->gid);
	if (by & BY_HOST)
		sql_add_text(s, " AND (tnode.text IS NULL OR"
			     " lower(substr(tnode.text, 1, instr(tnode.text || '.', '.') - 1))"
			     " = ?)",
			     q->host);
}

/* Which rows: with the local port that was asked for; with none; of accept(), whose record has the
 * peer alone. */
enum rows { ROWS_EXACT, ROWS_NO_PORT, ROWS_ACCEPTED };

/* Who asks about a packet that was sent from here has this host's address in the peer's place,
 * which most rows have: the newest with it are looked at. */
#define NEWEST_OF_PEER "5000"

static void add_accepted(struct sql *s, const struct question *q, char text[ADDRESS_TEXT_MAX])
{
	sql_add_number(s, " AND c.direction = ? AND +c.dst IS NULL", DIRECTION_IN);
	if (q->dst.port >= 0)
		sql_add_number(s, " AND (c.dport IS NULL OR c.dport = ?)", q->dst.port);
	sql_add_text(s, " AND c.id IN (SELECT id FROM connection WHERE src = (SELECT id FROM text"
			" WHERE text = ?)", address_format(&q->src.addr, text));
	sql_add_number(s, " AND time <= ? ORDER BY time DESC LIMIT " NEWEST_OF_PEER ")",
		       q->at_us + q->after_us);
	sql_add_number(s, " AND c.sport = ?", q->src.port);
}

static void add_tuple(struct sql *s, const struct question *q, enum rows rows,
		      char text[2][ADDRESS_TEXT_MAX])
{
	struct endpoint src = q->src;

	if (rows == ROWS_ACCEPTED) {
		add_accepted(s, q, text[0]);
		return;
	}
	add_endpoint(s, &q->dst, text[1], " AND c.dst = (SELECT id FROM text WHERE text = ?)",
		     " AND c.dport = ?");
	if (rows == ROWS_NO_PORT && q->src.port >= 0) {
		sql_add(s, " AND c.sport IS NULL");
		src.port = -1;
	}
	add_endpoint(s, &src, text[0], " AND (tsrc.text IS NULL OR tsrc.text = ?)",
		     " AND c.sport = ?");
}

/* Finds the newest rows of that kind, but no older ones than from since_us.  The index of
 * destinations has time and ports. */
static int64_t find_some(struct query_db *db, const struct question *q, enum rows kind, int by,
			 int64_t since_us, int most, struct answers *found)
{
	char text[2][ADDRESS_TEXT_MAX];
	struct sql s = { .failed = false };
	int64_t rows;

	sql_add(&s, ledger_select_columns);
	sql_add(&s, ", p.euid, p.fsuid, p.gid, c.time");
	sql_add(&s, ledger_select_from);
	sql_add_number(&s, " WHERE (c.proto IS NULL OR c.proto = ?)", q->protocol);
	add_tuple(&s, q, kind, text);
	add_sender(&s, q, by);
	sql_add_number(&s, " AND c.time >= ?", since_us);
	sql_add_number(&s, " AND c.time <= ?", q->at_us + q->after_us);
	sql_add_number(&s, " ORDER BY c.time DESC, c.id DESC LIMIT ?", most);
	rows = query_run(db, &s, on_row, found);
	sql_release(&s);
	return rows;
}

/* Rows without our port, of those whose process is the most like the sender. */
static int64_t find_rest(struct query_db *db, const struct question *q, enum rows kind,
			 int64_t since_us, struct answers *found)
{
	int known = (q->uid >= 0 ? BY_UID : 0) | (q->gid >= 0 ? BY_GID : 0) |
		    (*q->host ? BY_HOST : 0);
	int64_t rows = 0;

	for (size_t i = 0; i < sizeof(narrowing) / sizeof(narrowing[0]); i++) {
		if (narrowing[i] & ~known)
			continue;
		/* Beside an exact answer only those count that are as good. */
		if (found->count && narrowing[i] != known)
			break;
		rows = find_some(db, q, kind, narrowing[i], since_us, ANSWERS_MAX + 1, found);
		if (rows)
			break;
	}
	return rows;
}

int64_t answers_find(struct query_db *db, const struct question *q, struct answers *s)
{
	int64_t exact = 0, rest, since_us = q->since_us;

	*s = (struct answers){ .asked = q };
	if (q->src.port >= 0)
		exact = find_some(db, q, ROWS_EXACT, 0, since_us, 1, s);
	/* Beside an exact answer others count that are about as old, or newer. */
	if (exact > 0 && s->found[0].time_us - OLD_US > since_us)
		since_us = s->found[0].time_us - OLD_US;
	rest = find_rest(db, q, ROWS_NO_PORT, since_us, s);
	if (!s->count && exact >= 0 && rest >= 0 && q->protocol == IPPROTO_TCP &&
	    q->src.addr.family && q->src.port >= 0) {
		s->accepted = true;
		rest = find_rest(db, q, ROWS_ACCEPTED, since_us, s);
	}
	return exact < 0 || rest < 0 ? -1 : s->count;
}

int answers_others(const struct answers *s, const struct answer *list[ANSWERS_MAX])
{
	int count = 0;

	for (int k = 1; k < s->count && !sure(&s->found[0]); k++) {
		bool listed = same_process(&s->found[k], &s->found[0]) ||
			      llabs(s->found[0].time_us - s->found[k].time_us) > OLD_US ||
			      (!s->found[0].exact &&
			       s->found[0].time_us - s->found[k].time_us > ALIKE_US);

		for (int i = 0; i < count && !listed; i++)
			listed = same_process(&s->found[k], list[i]);
		if (!listed)
			list[count++] = &s->found[k];
	}
	return count;
}

const char *answer_certainty(const struct answer *a)
{
	/* The row proves the process, but not that this was its connection. */
	if (!sure(a) && text_equal(answer_text(a, "certainty"), text_of("certain")))
		return "inferred";
	return text_equal(answer_text(a, "certainty"), text_of("certain")) ? "certain" :
	       text_equal(answer_text(a, "certainty"), text_of("inferred")) ? "inferred" :
									       "unknown";
}

const char *answer_doubt(const struct answer *a)
{
	if (sure(a))
		return NULL;
	if (a->other_host)
		return "the row is another host's";
	if (a->other_uid)
		return "its process ran as another user";
	if (a->other_gid)
		return "its process ran as another group";
	if (a->overtaken)
		return "a later connection may have the port";
	if (a->exact)
		return "it began long before, and the port may have become another's";
	if (a->accepted)
		return "by the peer and time; no record has the address that it came to";
	if (answer_cell(a, "sport")->kind == CELL_INTEGER)
		return "by destination and time";
	return "by destination and time; an audit record does not have the local port";
}
