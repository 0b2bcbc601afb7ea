/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which connections: the filters of `log` and `export`, as conditions for find.c. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "connection.h"
#include "filters.h"
#include "find.h"
#include "network.h"
#include "options.h"
#include "protocol.h"

/* Which column a filter compares, and how. */
enum filter_kind { BY_TIME_FROM, BY_TIME_TO, BY_PROTO, BY_ADDRESS, BY_PORT, BY_EXE, BY_TEXT, BY_PID,
		   BY_USER, BY_DIRECTION, BY_CERTAINTY, BY_VERDICT };

struct filter {
	const char *name;
	enum filter_kind kind;
	enum find_index index;
	const char *column;	/* in SQL */
	const char *text;	/* the same as text, where column is an id */
};

static const struct filter filters[] = {
	{ "since", BY_TIME_FROM, FIND_NONE, "c.time", NULL },
	{ "until", BY_TIME_TO, FIND_NONE, "c.time", NULL },
	{ "proto", BY_PROTO, FIND_NONE, "c.proto", NULL },
	{ "src", BY_ADDRESS, FIND_INDEX, "c.src", "tsrc.text" },
	{ "dst", BY_ADDRESS, FIND_INDEX, "c.dst", "tdst.text" },
	{ "sport", BY_PORT, FIND_INDEX, "c.sport", NULL },
	{ "dport", BY_PORT, FIND_NONE, "c.dport", NULL },
	{ "exe", BY_EXE, FIND_NONE, NULL, NULL },
	{ "comm", BY_TEXT, FIND_PROCESS, NULL, "tcomm.text" },
	{ "pid", BY_PID, FIND_INDEX, NULL, NULL },
	{ "user", BY_USER, FIND_PROCESS, "p.uid", "tuser.text" },
	{ "login-user", BY_USER, FIND_PROCESS, "p.auid", "tlogin.text" },
	{ "direction", BY_DIRECTION, FIND_NONE, "c.direction", NULL },
	{ "certainty", BY_CERTAINTY, FIND_NONE, "c.certainty", NULL },
	{ "verdict", BY_VERDICT, FIND_NONE, "c.verdict", NULL },
	{ "node", BY_TEXT, FIND_NONE, NULL, "tnode.text" },
};

_Static_assert(sizeof(filters) / sizeof(filters[0]) == FILTERS, "all of them are options");

static bool is_pattern(const char *value)
{
	return strpbrk(value, "*?[") != NULL;
}

static bool add_port(struct find *f, const struct filter *by, const char *value)
{
	char low[8];
	const char *dash = strchr(value, '-');
	size_t len = dash ? (size_t)(dash - value) : 0;
	int32_t from, to;

	if (!option_port(value, &from)) {
		to = from;
	} else {
		if (!dash || len >= sizeof(low))
			return false;
		memcpy(low, value, len);
		low[len] = '\0';
		if (port_parse(low, &from) || port_parse(dash + 1, &to) || to < from)
			return false;
	}
	if (from == to)
		find_add(f, by->index, "%s = %d", by->column, from);
	else
		find_add(f, FIND_NONE, "%s BETWEEN %d AND %d", by->column, from, to);
	return true;
}

static bool add_address(struct find *f, const struct filter *by, const char *value)
{
	struct network net;
	char text[ADDRESS_TEXT_MAX];
	bool host;

	if (network_parse(value, &net))
		return false;
	host = net.bits == 32 || net.bits == 128;
	if (host && !strchr(value, '/') && !strcmp(address_format(&net.addr, text), value))
		find_add(f, by->index, "%s = (SELECT id FROM text WHERE text = ?%d)",
			 by->column, find_text(f, value));
	else
		/* in_net() also matches an address written in another form than the ledger's. */
		find_add(f, FIND_NONE, "in_net(%s, ?%d)", by->text,
			 find_text(f, value));
	return true;
}

static void add_text(struct find *f, const struct filter *by, const char *value)
{
	find_add(f, by->index, is_pattern(value) ? "%s GLOB ?%d" : "%s = ?%d", by->text,
		 find_text(f, value));
}

/* What a path may end with in the ledger: records of other hosts, and of old logs, have the path as
 * the kernel wrote it where the file had been removed. */
static const char *const exe_suffixes[] = { "", " (deleted)", EXE_OTHER_SUFFIX };

/* Matches a path, or the last part of one. */
static void add_exe(struct find *f, const char *value)
{
	int n = find_text(f, value);
	char sql[512] = "(";

	for (size_t i = 0; i < sizeof(exe_suffixes) / sizeof(exe_suffixes[0]); i++) {
		const char *suffix = exe_suffixes[i];
		size_t at = strlen(sql);

		at += (size_t)snprintf(sql + at, sizeof(sql) - at, "%s", i ? " OR " : "");
		if (is_pattern(value))
			snprintf(sql + at, sizeof(sql) - at, "t.text GLOB ?%d || '%s'", n, suffix);
		else if (strchr(value, '/'))
			snprintf(sql + at, sizeof(sql) - at, "t.text = ?%d || '%s'", n, suffix);
		else
			snprintf(sql + at, sizeof(sql) - at,
				 "substr(t.text, -%zu - length(?%d)) = '/' || ?%d || '%s'",
				 strlen(suffix) + 1, n, n, suffix);
	}
	find_exe(f, "%s)", sql);
}

static bool add_user(struct find *f, const struct filter *by, const char *value)
{
	char *end;
	long long uid = strtoll(value, &end, 10);

	if (*value >= '0' && *value <= '9' && !*end)
		find_add(f, by->index, "%s = %lld", by->column, uid);
	else
		add_text(f, by, value);
	return true;
}

static bool add_number(struct find *f, const struct filter *by, int n, int *of_find)
{
	find_add(f, by->index, "%s = %d", by->column, n);
	if (of_find)
		*of_find = n;
	return true;
}

static bool add_time(struct find *f, const struct filter *by, const char *value)
{
	int64_t at;

	if (time_parse(value, clock_now_us(), &at))
		return false;
	find_add(f, FIND_NONE, by->kind == BY_TIME_FROM ? "%s >= %lld" : "%s <= %lld",
		 by->column, (long long)at);
	return true;
}

static bool add_pid(struct find *f, const char *value)
{
	char *end;
	long long pid = strtoll(value, &end, 10);

	if (end == value || *end || pid < 0)
		return false;
	find_add(f, FIND_INDEX, "c.process IN (SELECT id FROM process WHERE pid = %lld)",
		 pid);
	return true;
}

/* False where this filter cannot have the value. */
static bool add_filter(struct find *f, const struct filter *by, const char *value)
{
	int n;

	switch (by->kind) {
	case BY_TIME_FROM:
	case BY_TIME_TO:
		return add_time(f, by, value);
	case BY_PROTO:
		return !protocol_parse(value, &n) && add_number(f, by, n, NULL);
	case BY_ADDRESS:
		return add_address(f, by, value);
	case BY_PORT:
		return add_port(f, by, value);
	case BY_PID:
		return add_pid(f, value);
	case BY_EXE:
		add_exe(f, value);
		return true;
	case BY_TEXT:
		add_text(f, by, value);
		return true;
	case BY_USER:
		return add_user(f, by, value);
	case BY_DIRECTION:
		return (n = direction_parse(value)) != 0 &&
		       add_number(f, by, n, &f->direction);
	case BY_CERTAINTY:
		return (n = certainty_parse(value)) != 0 &&
		       add_number(f, by, n, &f->certainty);
	case BY_VERDICT:
		return (n = verdict_parse(value)) != 0 && add_number(f, by, n, &f->verdict);
	}
	return false;
}

void filters_options(struct option *options)
{
	for (int i = 0; i < FILTERS; i++)
		options[i] = (struct option){ filters[i].name, required_argument, NULL,
					      FILTERS_OPTION + i };
}

bool filters_add(struct find *f, int option, const char *value)
{
	return add_filter(f, &filters[option - FILTERS_OPTION], value);
}
