/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rows of the ledger as the policy's connections.  What the ledger does not keep of a connection is
 * a gap, so that no answer is guessed: what a parent's path is worth; a process's other groups;
 * what a path is worth that nobody saw a file for, because the policy of then did not ask; which
 * files its forefathers ran; the interface; what a record has not, but a packet would have: the
 * protocol, and our own end.
 */
#include <string.h>

#include "ledger_schema.h"
#include "past.h"
#include "policy.h"

enum {
	P_ID, P_TIME, P_DIRECTION, P_PROTO, P_SRC, P_SPORT, P_DST, P_DPORT, P_PID, P_EXE, P_SEEN,
	P_COMM, P_UID, P_USER, P_GID, P_AUID, P_LOGIN_USER, P_PARENT, P_UNIT, P_CONTAINER, P_NODE,
	P_CERTAINTY, P_REASON, P_VERDICT, P_RULE, P_PACKET, P_CMDLINE, P_NAME, P_NAME_BY,
	P_CONNECTIONS, P_FIRST, P_LAST,
};

#define OF_PROCESS                                                                               \
	" p.pid, texe.text, p.exe_seen, tcomm.text, p.uid, tuser.text, p.gid, p.auid,"            \
	" tlogin.text,"                                                                          \
	" tparent.text, tunit.text, tcontainer.text, tnode.text, c.certainty, treason.text,"     \
	" c.verdict, trule.text, c.latency IS NOT NULL, tcmdline.text, tname.text, n.by"

void past_filter_init(struct past_filter *f)
{
	*f = (struct past_filter){ .since_us = INT64_MIN, .until_us = INT64_MAX };
}

static struct text text_of_cell(const struct cell *c)
{
	return c->kind == CELL_TEXT ? c->text : TEXT_NONE;
}

static int64_t number_of_cell(const struct cell *c)
{
	return c->kind == CELL_INTEGER ? c->integer : -1;
}

/* One of the numbers that a ledger of ours has there, or what is meant by any other. */
static int number_in(const struct cell *cell, int first, int last, int otherwise)
{
	int64_t n = number_of_cell(cell);

	return n >= first && n <= last ? (int)n : otherwise;
}

static void take_endpoint(struct endpoint *e, const struct cell *address, const struct cell *port)
{
	char buf[ADDRESS_TEXT_MAX];
	struct text t = text_of_cell(address);

	if (t.data && t.len < sizeof(buf)) {
		memcpy(buf, t.data, t.len);
		buf[t.len] = '\0';
		if (address_parse(buf, &e->addr))
			memset(&e->addr, 0, sizeof(e->addr));
		address_unmap(&e->addr);
	}
	e->port = (int32_t)number_of_cell(port);
}

/* A path as it is shown; false: it is another root's, and ends in a suffix that says so. */
static bool take_path(struct text *to, const struct cell *cell)
{
	*to = text_of_cell(cell);
	if (!text_ends_with(*to, EXE_OTHER_SUFFIX))
		return true;
	to->len -= sizeof(EXE_OTHER_SUFFIX) - 1;
	return false;
}

static void take_process(struct past_row *row, const struct cell *cells)
{
	struct connection *c = &row->c;
	struct process *p = &c->process;
	struct text *parent = &c->text[CONNECTION_PARENT_EXE];
	bool ours;

	p->pid = number_of_cell(&cells[P_PID]);
	p->exe_seen = number_in(&cells[P_SEEN], EXE_HERE, EXE_SEENS - 1, EXE_TOLD);
	ours = take_path(&p->exe, &cells[P_EXE]);
	if (exe_is_other(p->exe_seen) == ours && p->exe.data)
		p->exe = text_of_cell(&cells[P_EXE]);	/* a file may be called so */
	p->comm = text_of_cell(&cells[P_COMM]);
	p->uid = number_of_cell(&cells[P_UID]);
	p->user = text_of_cell(&cells[P_USER]);
	p->gid = number_of_cell(&cells[P_GID]);
	p->auid = number_of_cell(&cells[P_AUID]);
	p->login_user = text_of_cell(&cells[P_LOGIN_USER]);
	p->cmdline = text_of_cell(&cells[P_CMDLINE]);
	/* Whose root the parent's path is of is kept, not what else it is worth. */
	c->parent_seen = take_path(parent, &cells[P_PARENT]) ? EXE_TOLD : EXE_USERS;
	if (p->exe.data && p->exe_seen == EXE_TOLD)
		row->gaps |= POLICY_GAP_EXE;
	if (parent->data)
		row->gaps |= POLICY_GAP_PARENT;
}

/* Of nobody there is nothing to be read. */
static void take_gaps_of_process(struct past_row *row)
{
	static const struct forefathers unknown;
	static const struct process_facts nothing_read = { .asks_cmdline = true,
							   .forefathers = &unknown };
	struct connection *c = &row->c;
	struct text cmdline = c->process.cmdline;

	if (c->certainty == CERTAINTY_UNKNOWN) {
		c->facts = &nothing_read;
		return;
	}
	row->gaps |= POLICY_GAP_GROUPS | POLICY_GAP_HASH | POLICY_GAP_ANCESTORS;
	if (!cmdline.data || process_cmdline_is_cut(&cmdline))
		row->gaps |= POLICY_GAP_CMDLINE;
	/* Nobody may have asked for names. */
	if (!c->text[CONNECTION_DST_NAME].data && c->direction == DIRECTION_OUT)
		row->gaps |= POLICY_GAP_NAME;
}

static void take_gaps_of_packet(struct past_row *row)
{
	const struct connection *c = &row->c;

	/* What a packet hides is not missing: the policy knows what to make of it. */
	if (!c->unreadable) {
		if (c->protocol < 0)
			row->gaps |= POLICY_GAP_PROTO;
		if (!c->dst.addr.family)
			row->gaps |= POLICY_GAP_DST;
		if (c->src.port < 0)
			row->gaps |= POLICY_GAP_SPORT;
		if (c->dst.port < 0)
			row->gaps |= POLICY_GAP_DPORT;
	}
	if (!c->src.addr.family)
		row->gaps |= POLICY_GAP_SRC;
	row->gaps |= POLICY_GAP_IFACE;
	/* A packet of a protocol without ports has none. */
	if (row->had_packet)
		row->gaps &= ~(unsigned int)(POLICY_GAP_SPORT | POLICY_GAP_DPORT);
}

static void take_row(struct past_row *row, const struct cell *cells)
{
	struct connection *c = &row->c;

	memset(row, 0, sizeof(*row));
	connection_init(c);
	c->id = (uint64_t)number_of_cell(&cells[P_ID]);
	c->time_us = number_of_cell(&cells[P_TIME]);
	c->direction = (enum direction)number_in(&cells[P_DIRECTION], DIRECTION_OUT,
						 DIRECTION_FORWARD, DIRECTION_OUT);
	c->protocol = (int)number_of_cell(&cells[P_PROTO]);
	take_endpoint(&c->src, &cells[P_SRC], &cells[P_SPORT]);
	take_endpoint(&c->dst, &cells[P_DST], &cells[P_DPORT]);
	take_process(row, cells);
	/* Whether it was is not kept. */
	c->login_proven = true;
	c->text[CONNECTION_UNIT] = text_of_cell(&cells[P_UNIT]);
	c->text[CONNECTION_CONTAINER] = text_of_cell(&cells[P_CONTAINER]);
	c->text[CONNECTION_NODE] = text_of_cell(&cells[P_NODE]);
	c->certainty = (enum certainty)number_in(&cells[P_CERTAINTY], CERTAINTY_UNKNOWN,
						 CERTAINTIES - 1, CERTAINTY_UNKNOWN);
	c->text[CONNECTION_DST_NAME] = text_of_cell(&cells[P_NAME]);
	c->dst_name_by = (enum name_by)number_in(&cells[P_NAME_BY], NAME_BY_NOBODY, NAME_BYS - 1,
						 NAME_BY_NOBODY);
	take_gaps_of_process(row);
	c->text[CONNECTION_REASON] = text_of_cell(&cells[P_REASON]);
	c->verdict = (enum verdict)number_in(&cells[P_VERDICT], VERDICT_OBSERVED, VERDICT_REJECT,
					     VERDICT_OBSERVED);
	c->text[CONNECTION_RULE] = text_of_cell(&cells[P_RULE]);
	c->unreadable = text_equal(c->text[CONNECTION_REASON], text_of(POLICY_REASON_UNREADABLE));
	row->had_packet = number_of_cell(&cells[P_PACKET]) == 1;
	take_gaps_of_packet(row);
	row->connections = number_of_cell(&cells[P_CONNECTIONS]);
	row->first_us = number_of_cell(&cells[P_FIRST]);
	row->last_us = number_of_cell(&cells[P_LAST]);
}

struct each {
	past_row_fn *row;
	void *arg;
};

static int on_row(const struct cell *cells, int columns, void *arg)
{
	const struct each *e = arg;
	struct past_row row;

	(void)columns;
	take_row(&row, cells);
	return e->row(&row, e->arg);
}

static void add_conditions(struct sql *s, const struct past_filter *f)
{
	sql_add_number(s, " WHERE c.time >= ?", f->since_us);
	sql_add_number(s, " AND c.time < ?" QUERY_PROGRESS, f->until_us);
	if (f->unit)
		sql_add_text(s, " AND p.unit IN (SELECT id FROM text WHERE text GLOB ?)", f->unit);
	if (f->user && f->user[strspn(f->user, "0123456789")])
		sql_add_text(s, " AND p.user IN (SELECT id FROM text WHERE text = ?)", f->user);
	else if (f->user)
		sql_add_text(s, " AND p.uid = CAST(? AS INTEGER)", f->user);
}

static int64_t run(struct query_db *db, struct sql *s, past_row_fn *row, void *arg)
{
	struct each e = { row, arg };
	int64_t rows = query_run(db, s, on_row, &e);

	sql_release(s);
	return rows;
}

int64_t past_each(struct query_db *db, const struct past_filter *f, past_row_fn *row, void *arg)
{
	struct sql s = { .failed = false };

	sql_add(&s, "SELECT c.id, c.time, c.direction, c.proto, tsrc.text, c.sport, tdst.text,"
		" c.dport," OF_PROCESS ", 1, c.time, c.time");
	sql_add(&s, ledger_select_from);
	add_conditions(&s, f);
	sql_add(&s, " ORDER BY c.time, c.id");
	return run(db, &s, row, arg);
}

int64_t past_each_kind(struct query_db *db, const struct past_filter *f, past_row_fn *row,
		       void *arg)
{
	struct sql s = { .failed = false };

	/* Numbers are put together first; texts are for the few that are left. */
	sql_add(&s, "WITH kind AS (SELECT max(c.id) AS id, count(*) AS connections,"
		" min(c.time) AS first, max(c.time) AS last FROM " LEDGER_ALL " c"
		" LEFT JOIN process p ON p.id = c.process");
	add_conditions(&s, f);
	sql_add(&s, " GROUP BY c.exe, p.uid, p.exe_seen, p.unit, c.direction, c.proto,"
		" iif(c.direction = 2, c.src, c.dst), c.dport, c.certainty, c.verdict, c.reason,"
		" c.latency IS NOT NULL)"
		" SELECT c.id, kind.last, c.direction, c.proto, tsrc.text, NULL, tdst.text,"
		" c.dport," OF_PROCESS ", kind.connections, kind.first, kind.last"
		" FROM kind CROSS JOIN");
	sql_add(&s, ledger_select_from + strlen(" FROM"));
	sql_add(&s, " WHERE c.id = kind.id");
	return run(db, &s, row, arg);
}
