/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Objects in objects, a line each. */
#include <inttypes.h>
#include <string.h>

#include "json.h"
#include "output.h"

void json_begin(struct json *j, FILE *out)
{
	*j = (struct json){ .out = out, .name = "", .empty = true };
	fputc('{', out);
}

/* How much of a name is the objects that its field is in, with the last dot. */
static size_t parent_of(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot ? (size_t)(dot - name) + 1 : 0;
}

/* Closes the objects of the last field behind the first `keep` bytes of its name. */
static void close_objects(struct json *j, size_t keep)
{
	for (size_t i = keep; i < j->parent; i++)
		if (j->name[i] == '.')
			fputc('}', j->out);
	if (keep < j->parent)
		j->empty = false;
	j->parent = keep;
}

static void key(struct json *j, const char *name, size_t len)
{
	if (!j->empty)
		fputs(", ", j->out);
	j->empty = false;
	text_print_json(j->out, (struct text){ name, len });
	fputs(": ", j->out);
}

/* Everything up to the field's value. */
static void field(struct json *j, const char *name)
{
	size_t parent = parent_of(name), common = 0, part;

	for (size_t i = 0; i < parent && i < j->parent && name[i] == j->name[i]; i++)
		if (name[i] == '.')
			common = i + 1;
	close_objects(j, common);
	for (; common < parent; common += part + 1) {
		part = strcspn(name + common, ".");
		key(j, name + common, part);
		fputc('{', j->out);
		j->empty = true;
	}
	key(j, name + parent, strlen(name + parent));
	j->name = name;
	j->parent = parent;
}

void json_end(struct json *j)
{
	close_objects(j, 0);
	fputs("}\n", j->out);
}

void json_text(struct json *j, const char *name, struct text t)
{
	if (!t.data)
		return;
	field(j, name);
	text_print_json(j->out, t);
}

void json_number(struct json *j, const char *name, int64_t n)
{
	field(j, name);
	fprintf(j->out, "%" PRId64, n);
}

void json_cell(struct json *j, const char *name, const struct cell *c)
{
	if (c->kind == CELL_NULL)
		return;
	field(j, name);
	output_json(j->out, c);
}

void json_word(struct json *j, const char *name, const struct cell *c)
{
	if (c->kind == CELL_NULL)
		return;
	field(j, name);
	if (c->kind == CELL_INTEGER)
		fprintf(j->out, "\"%" PRId64 "\"", c->integer);
	else
		output_json(j->out, c);
}

void json_list(struct json *j, const char *name, const struct text *t, int count)
{
	bool some = false;

	for (int i = 0; i < count; i++) {
		if (!t[i].data)
			continue;
		if (!some)
			field(j, name);
		fputs(some ? ", " : "[", j->out);
		text_print_json(j->out, t[i]);
		some = true;
	}
	if (some)
		fputc(']', j->out);
}
