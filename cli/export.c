/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a row's cells mean, for formats that are not the ledger's own. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "connection.h"
#include "export.h"
#include "find.h"

const struct cell *export_cell(const struct exported *e, const char *column)
{
	return find_cell(e->cells, column);
}

struct text export_text(const struct exported *e, const char *column)
{
	const struct cell *c = export_cell(e, column);

	return c->kind == CELL_TEXT ? c->text : TEXT_NONE;
}

/* A text of the ledger as a string, where it is short and has no byte that would end it. */
static const char *short_text(const struct exported *e, const char *column, char *buf, size_t size)
{
	struct text t = export_text(e, column);

	if (!t.data || t.len >= size || memchr(t.data, '\0', t.len))
		return NULL;
	memcpy(buf, t.data, t.len);
	buf[t.len] = '\0';
	return buf;
}

static int64_t read_time(const struct exported *e, const char *column)
{
	char buf[TIME_TEXT_MAX];
	const char *text = short_text(e, column, buf, sizeof(buf));
	int64_t us;

	return text && !time_parse(text, 0, &us) ? us : -1;
}

static void read_address(const struct exported *e, const char *column, struct address *a,
			 char text[ADDRESS_TEXT_MAX])
{
	char buf[ADDRESS_TEXT_MAX];
	const char *s = short_text(e, column, buf, sizeof(buf));

	text[0] = '\0';
	if (!s || address_parse(s, a))
		a->family = 0;
	else
		address_format(a, text);
}

static int32_t read_port(const struct exported *e, const char *column)
{
	const struct cell *c = export_cell(e, column);

	return c->kind == CELL_INTEGER && c->integer >= 0 && c->integer <= 65535 ?
		       (int32_t)c->integer : -1;
}

/* Behind the colon of "SECONDS.MILLIS:SERIAL". */
static int64_t read_serial(const struct exported *e)
{
	char buf[64];
	const char *id = short_text(e, "audit_id", buf, sizeof(buf));
	const char *colon = id ? strchr(id, ':') : NULL;

	return colon ? strtoll(colon + 1, NULL, 10) : -1;
}

/* What became of the call.  One that is in progress may still end in either way. */
static void read_outcome(struct exported *e, const struct cell *result)
{
	const char *error;

	e->reason = export_text(e, "reason");
	if (result->kind != CELL_INTEGER || result->integer == -EINPROGRESS)
		return;
	e->outcome = result->integer < 0 ? OUTCOME_FAILURE : OUTCOME_SUCCESS;
	error = result->integer < 0 && result->integer >= -4095 ?
			strerrorname_np((int)-result->integer) : NULL;
	if (!e->reason.data && error)
		e->reason = text_of(error);
}

void export_read(struct exported *e, const struct cell *cells, int columns)
{
	struct endpoint src, dst;
	char buf[16];
	const char *word;

	*e = (struct exported){ .cells = cells, .protocol = -1 };
	e->time_us = cells[columns - 2].integer;
	e->id = cells[columns - 1].integer;
	read_outcome(e, &cells[columns - 3]);
	e->start_us = read_time(e, "start_time");
	e->end_us = read_time(e, "end_time");
	e->serial = read_serial(e);
	word = short_text(e, "proto", buf, sizeof(buf));
	if (word && protocol_parse(word, &e->protocol))
		e->protocol = -1;
	word = short_text(e, "direction", buf, sizeof(buf));
	e->direction = word ? direction_parse(word) : 0;
	word = short_text(e, "verdict", buf, sizeof(buf));
	e->verdict = word ? verdict_parse(word) : 0;
	read_address(e, "src", &e->src, e->src_text);
	read_address(e, "dst", &e->dst, e->dst_text);
	src = (struct endpoint){ .addr = e->src, .port = read_port(e, "sport") };
	dst = (struct endpoint){ .addr = e->dst, .port = read_port(e, "dport") };
	community_id(e->protocol, &src, &dst, e->community);
}
