/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A line of a firewall's log and its answer, as a row. */
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "explain.h"
#include "explain_row.h"
#include "ledger_schema.h"
#include "protocol.h"

#define LOG_COLUMNS 13
#define COLUMNS_MAX 64

/* What the line says, then the ledger's columns, then what the answer rests on. */
static const char *const log_columns[LOG_COLUMNS] = {
	"log_line", "log_time", "log_host", "log_prefix", "log_in", "log_out", "log_proto",
	"log_src", "log_sport", "log_dst", "log_dport", "log_uid", "log_gid",
};
static const char *const end_columns[] = { "because", "candidates", "assumed" };
static const char *const table_columns[] = {
	"TIME", "PACKET", "CERTAINTY", "PID", "PROGRAM", "USER", "COMMAND", "EVENT", "BECAUSE",
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

static void put_table(struct output *o, const struct explained *e, const struct texts *t,
		      bool numeric)
{
	struct cell row[] = {
		text_cell(text_of(t->time)), text_cell(text_of(t->packet)),
		answer_column(e, "certainty"), answer_column(e, "pid"), answer_column(e, "exe"),
		answer_column(e, "user"), answer_column(e, "cmdline"), answer_column(e, "audit_id"),
		text_cell(text_of(*e->because ? e->because : "the ledger has it")),
	};

	if (row[4].kind == CELL_NULL)
		row[4] = answer_column(e, "comm");
	if (row[5].kind == CELL_NULL || numeric)
		row[5] = answer_column(e, "uid");
	output_row(o, row);
}

static void put_columns(struct output *o, int64_t line, const struct explained *e,
			const struct texts *t)
{
	const struct packet_tuple *p = e->asked;
	bool read = *t->src;
	struct cell row[COLUMNS_MAX] = {
		number_cell(line), text_cell(text_of(t->time)), text_cell(e->head.host),
		text_cell(e->head.prefix), text_cell(e->line.in), text_cell(e->line.out),
		text_cell(text_of(t->proto)), text_cell(text_of(t->src)),
		number_cell(read ? p->src.port : -1), text_cell(text_of(t->dst)),
		number_cell(read ? p->dst.port : -1), number_cell(e->line.uid),
		number_cell(e->line.gid),
	};
	int n = LOG_COLUMNS;

	for (int i = 0; i < ledger_column_count; i++)
		row[n++] = answer_column(e, ledger_columns[i]);
	row[n++] = text_cell(text_of(e->because));
	row[n++] = text_cell(text_of(t->candidates));
	row[n] = text_cell(text_of(e->assumed));
	output_row(o, row);
}

void explain_row(struct output *o, enum format format, int64_t line, const struct explained *e,
		 bool numeric)
{
	struct texts t;

	set_texts(&t, e);
	if (format == FORMAT_TABLE)
		put_table(o, e, &t, numeric);
	else
		put_columns(o, line, e, &t);
}

struct output *explain_output(FILE *out, enum format format)
{
	const char *names[COLUMNS_MAX];
	int n = 0;

	if (format == FORMAT_TABLE)
		return output_new(out, format, table_columns,
				  sizeof(table_columns) / sizeof(table_columns[0]));
	for (int i = 0; i < LOG_COLUMNS; i++)
		names[n++] = log_columns[i];
	for (int i = 0; i < ledger_column_count; i++)
		names[n++] = ledger_columns[i];
	for (size_t i = 0; i < sizeof(end_columns) / sizeof(end_columns[0]); i++)
		names[n++] = end_columns[i];
	return output_new(out, format, names, n);
}
