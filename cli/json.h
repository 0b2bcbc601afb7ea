/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_JSON_H
#define SOCKLEDGER_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct cell;
struct text;

/*
 * An object a line, with objects in it: each field is told by its whole name, as in "source.ip",
 * and the fields of one object one after another.  A name is a literal.  What is unknown leaves its
 * field out, and an object without fields is not written.
 */
struct json {
	FILE *out;
	const char *name;	/* of the last field */
	size_t parent;		/* so much of it names the objects that are open */
	bool empty;		/* nothing stands in the innermost of them */
};

void json_begin(struct json *j, FILE *out);
void json_end(struct json *j);

void json_text(struct json *j, const char *name, struct text t);
void json_number(struct json *j, const char *name, int64_t n);
void json_cell(struct json *j, const char *name, const struct cell *c);
/* A number as a string, for identifiers that are no quantities. */
void json_word(struct json *j, const char *name, const struct cell *c);
/* A list of those texts that are known; no field where none is. */
void json_list(struct json *j, const char *name, const struct text *t, int count);

#endif
