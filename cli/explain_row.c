/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A line of a firewall's log and its answer, as a row. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "columns.h"
#include "explain.h"
#include "explain_row.h"
#include "ledger_schema.h"
#include "protocol.h"

#define LOG_COLUMNS 13
#define END_COLUMNS 3

/* What the line says, then the ledger's columns, then what the answer rests on. */
static const char *const log_columns[LOG_COLUMNS] = {
	"log_line", "log_time", "log_host", "log_prefix", "log_in", "log_out", "log_proto",
	"log_src", "log_sport", "log_dst", "log_dport", "log_uid", "log_gid",
};
static const char *const end_columns[END_COLUMNS] = { "because", "candidates", "assumed" };
/* The usual ones of a table, which has its own words for them; its others are chosen by -o. */
#define TABLE_COLUMNS 9
static const char *const table_columns[TABLE_COLUMNS] = {
	"time", "packet", "certainty", "pid", "program", "user", "command", "event", "because",
};

static struct cell text_cell(struct text t)
{
	return t.data && t.len ? (struct cell){ .kind = CELL_TEXT, .text = t } :
				 (struct cell){ .kind = CELL_NULL };
}

static struct cell number_cell(int64_t n)
{
	return n >= 0 ? (struct cell){ .kind = CELL_INTEGER, .integer = n } :
			(struct cell){ .kind = CELL_NULL };
}

/* The texts of a line's cells. */
struct texts {
	char time[TIME_TEXT_MAX], src[ADDRESS_TEXT_MAX], dst[ADDRESS_TEXT_MAX], proto[16];
	char packet[160], candidates[2048];
};

static void set_protocol(struct texts *t, int protocol)
{
	const char *name = protocol_name(protocol);

	if (protocol < 0)
		t->proto[0] = '\0';
	else if (name)
		snprintf(t->proto, sizeof(t->proto), "%s", name);
	else
		snprintf(t->proto, sizeof(t->proto), "%d", protocol);
}

static void set_packet(struct texts *t, const struct packet_tuple *p)
{
	const char *left = p->src.addr.family == AF_INET6 && p->src.port >= 0 ? "[" : "";
	const char *right = *left ? "]" : "";
	char ports[2][16] = { "", "" };

	if (p->src.port >= 0)
		snprintf(ports[0], sizeof(ports[0]), ":%d", p->src.port);
	if (p->dst.port >= 0)
		snprintf(ports[1], sizeof(ports[1]), ":%d", p->dst.port);
	if (!*t->src || !*t->dst)
		snprintf(t->packet, sizeof(t->packet), OUTPUT_UNKNOWN);
	else
		snprintf(t->packet, sizeof(t->packet), "%s %s%s%s%s > %s%s%s%s", t->proto, left,
			 t->src, right, ports[0], left, t->dst, right, ports[1]);
}

/* "PID PROGRAM, ..." as the ledger has candidates; what does not fit is left out. */
static void set_candidates(struct texts *t, const struct answers *s)
{
	const struct answer *list[ANSWERS_MAX];
	int count = s->count ? answers_others(s, list) : 0;
	size_t at = 0, room = sizeof(t->candidates);

	t->candidates[0] = '\0';
	for (int i = 0; i < count; i++) {
		struct text exe = answer_text(list[i], "exe");
		char number[24];

		snprintf(number, sizeof(number), "%lld",
			 (long long)answer_number(list[i], "pid"));
		if (at + strlen(number) + exe.len + 4 > room)
			break;
		at += (size_t)snprintf(t->candidates + at, room - at, "%s%s ", at ? ", " : "",
				       number);
		for (size_t k = 0; k < exe.len; k++)
			t->candidates[at++] = exe.data[k] ? exe.data[k] : '?';
		t->candidates[at] = '\0';
	}
}

static void set_texts(struct texts *t, const struct explained *e)
{
	const struct packet_tuple *p = e->asked;

	t->time[0] = '\0';
	if (e->has_time)
		time_format(e->at_us, t->time);
	address_format(&p->src.addr, t->src);
	address_format(&p->dst.addr, t->dst);
	set_protocol(t, *t->src ? p->protocol : -1);
	set_packet(t, p);
	set_candidates(t, &e->found);
}

static struct cell answer_column(const struct explained *e, const char *name)
{
	if (!strcmp(name, "certainty"))
		return text_cell(text_of(e->found.count ? answer_certainty(&e->found.found[0]) :
							  "unknown"));
	return e->found.count ? *answer_cell(&e->found.found[0], name) :
				(struct cell){ .kind = CELL_NULL };
}

static void set_table(struct cell row[TABLE_COLUMNS], const struct explained *e,
		      const struct texts *t, bool numeric)
{
	const struct cell cells[TABLE_COLUMNS] = {
		text_cell(text_of(t->time)), text_cell(text_of(t->packet)),
		answer_column(e, "certainty"), answer_column(e, "pid"), answer_column(e, "exe"),
		answer_column(e, "user"), answer_column(e, "cmdline"), answer_column(e, "audit_id"),
		text_cell(text_of(*e->because ? e->because : "the ledger has it")),
	};

	memcpy(row, cells, sizeof(cells));
	if (row[4].kind == CELL_NULL)
		row[4] = answer_column(e, "comm");
	if (row[5].kind == CELL_NULL || numeric)
		row[5] = answer_column(e, "uid");
}

static void set_columns(struct cell *row, int64_t line, const struct explained *e,
			const struct texts *t)
{
	const struct packet_tuple *p = e->asked;
	bool read = *t->src;
	const struct cell cells[LOG_COLUMNS] = {
		number_cell(line), text_cell(text_of(t->time)), text_cell(e->head.host),
		text_cell(e->head.prefix), text_cell(e->line.in), text_cell(e->line.out),
		text_cell(text_of(t->proto)), text_cell(text_of(t->src)),
		number_cell(read ? p->src.port : -1), text_cell(text_of(t->dst)),
		number_cell(read ? p->dst.port : -1), number_cell(e->line.uid),
		number_cell(e->line.gid),
	};

	memcpy(row, cells, sizeof(cells));
	row += LOG_COLUMNS;
	for (int i = 0; i < ledger_column_count; i++)
		*row++ = answer_column(e, ledger_columns[i]);
	*row++ = text_cell(text_of(e->because));
	*row++ = text_cell(text_of(t->candidates));
	*row = text_cell(text_of(e->assumed));
}

void explain_row(struct output *o, enum format format, int64_t line, const struct explained *e,
		 bool numeric)
{
	struct cell row[COLUMNS_MAX];
	struct texts t;

	set_texts(&t, e);
	if (format == FORMAT_TABLE)
		set_table(row, e, &t, numeric);
	set_columns(row + (format == FORMAT_TABLE ? TABLE_COLUMNS : 0), line, e, &t);
	output_row(o, row);
}

int explain_names(enum format format, const char *names[COLUMNS_MAX], struct columns *usual)
{
	int n = 0;

	for (int i = 0; format == FORMAT_TABLE && i < TABLE_COLUMNS; i++)
		names[n++] = table_columns[i];
	columns_all(usual, n ? n : LOG_COLUMNS + ledger_column_count + END_COLUMNS);
	for (int i = 0; i < LOG_COLUMNS; i++)
		names[n++] = log_columns[i];
	for (int i = 0; i < ledger_column_count; i++)
		names[n++] = ledger_columns[i];
	for (int i = 0; i < END_COLUMNS; i++)
		names[n++] = end_columns[i];
	assert(n <= COLUMNS_MAX);
	return n;
}
