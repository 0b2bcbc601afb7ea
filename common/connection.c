/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One connection with its attribution. */
#include <string.h>

#include "connection.h"

static const char *const directions[] = {
	[DIRECTION_OUT] = "out", [DIRECTION_IN] = "in", [DIRECTION_FORWARD] = "forward",
};
static const char *const certainties[] = {
	[CERTAINTY_UNKNOWN] = "unknown", [CERTAINTY_INFERRED] = "inferred",
	[CERTAINTY_CERTAIN] = "certain",
};
static const char *const verdicts[] = {
	[VERDICT_OBSERVED] = "observed", [VERDICT_ACCEPT] = "accept", [VERDICT_DROP] = "drop",
	[VERDICT_REJECT] = "reject",
};
static const char *const name_bys[NAME_BYS] = {
	[NAME_BY_PROCESS] = "process", [NAME_BY_USER] = "user", [NAME_BY_HOST] = "host",
};

#define COUNT(names) (sizeof(names) / sizeof((names)[0]))

static int find(const char *const *names, size_t count, const char *name)
{
	for (size_t i = 1; i < count; i++)
		if (!strcmp(names[i], name))
			return (int)i;
	return 0;
}

const char *direction_name(enum direction d)
{
	return directions[d];
}

const char *certainty_name(enum certainty c)
{
	return certainties[c];
}

const char *verdict_name(enum verdict v)
{
	return verdicts[v];
}

const char *name_by_name(enum name_by by)
{
	return name_bys[by];
}

int direction_parse(const char *name)
{
	return find(directions, COUNT(directions), name);
}

int certainty_parse(const char *name)
{
	return find(certainties, COUNT(certainties), name);
}

int verdict_parse(const char *name)
{
	return find(verdicts, COUNT(verdicts), name);
}

void connection_init(struct connection *c)
{
	*c = (struct connection){
		.direction = DIRECTION_OUT, .protocol = -1, .src.port = -1, .dst.port = -1,
		.start_us = -1, .parent_seen = EXE_TOLD,
		.certainty = CERTAINTY_UNKNOWN, .verdict = VERDICT_OBSERVED, .latency_us = -1,
		.audit_us = -1,
	};
	process_init(&c->process);
}

static void cut_texts(struct text *t, int count)
{
	for (int i = 0; i < count; i++)
		if (t[i].len > CONNECTION_TEXT_BYTES)
			t[i].len = CONNECTION_TEXT_BYTES;
}

void connection_cut(struct connection *c, char room[CONNECTION_CUT_BYTES])
{
	struct text *const t[CONNECTION_CUT_BYTES / PROCESS_TEXT_BYTES] = {
		&c->process.cmdline, &c->process.cwd, &c->process.label,
		&c->text[CONNECTION_ANCESTORS], &c->text[CONNECTION_CANDIDATES],
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		*t[i] = text_cut(*t[i], PROCESS_TEXT_BYTES, room + i * PROCESS_TEXT_BYTES);
	cut_texts(c->text, CONNECTION_TEXTS);
	cut_texts(c->process.text, PROCESS_TEXTS);
	c->process.cgroup = TEXT_NONE;
	if (c->text[CONNECTION_DST_NAME].len > CONNECTION_NAME_BYTES)
		c->text[CONNECTION_DST_NAME].len = CONNECTION_NAME_BYTES;
}

size_t connection_pack_size(const struct connection *c)
{
	return sizeof(*c) + texts_size(c->process.text, PROCESS_TEXTS) +
	       texts_size(c->text, CONNECTION_TEXTS);
}

struct connection *connection_pack(const struct connection *c, void *to)
{
	struct connection *copy = to;
	char *texts = (char *)(copy + 1);

	*copy = *c;
	copy->facts = NULL;
	texts = texts_move(copy->process.text, PROCESS_TEXTS, texts);
	texts_move(copy->text, CONNECTION_TEXTS, texts);
	return copy;
}
