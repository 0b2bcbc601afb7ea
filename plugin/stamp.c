/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The head of an audit line. */
#include <string.h>

#include "clock.h"
#include "stamp.h"

/* Seconds beyond this (the year 9999) are not a time that anybody stamped. */
#define SECONDS_MAX 253402300799ULL
#define DIGITS_MAX 12
/*
 * libauparse 3.0.9 looks for a stamp in a head of 80 bytes (340 with a node), takes none of less
 * than 19, and gives an event of second 0 no fields.  So this code refuses what libauparse would
 * misread.
 */
#define STAMP_MIN 19

static bool skip_word(const char **p, const char *end, const char *word)
{
	size_t len = strlen(word);

	if ((size_t)(end - *p) < len || memcmp(*p, word, len))
		return false;
	*p += len;
	return true;
}

/*
 * Reads digits up to the byte `until`, and skips that byte.  A number has no more digits than max.
 */
static bool read_number(const char **p, const char *end, char until, uint64_t max, uint64_t *value)
{
	const char *from = *p;
	uint64_t n = 0;

	for (; *p < end && **p >= '0' && **p <= '9'; (*p)++) {
		n = n * 10 + (uint64_t)(**p - '0');
		if (n > max || *p - from >= DIGITS_MAX)
			return false;
	}
	if (*p == from || *p == end || **p != until)
		return false;
	(*p)++;
	*value = n;
	return true;
}

/* Reads a word up to a blank, and skips the blank. */
static bool read_word(const char **p, const char *end, struct text *t)
{
	const char *blank = memchr(*p, ' ', (size_t)(end - *p));

	if (!blank || blank == *p)
		return false;
	*t = (struct text){ *p, (size_t)(blank - *p) };
	*p = blank + 1;
	return true;
}

bool stamp_parse(const char *line, size_t len, struct stamp *s)
{
	const char *p = line, *end = line + len, *stamp;
	uint64_t seconds, millis, serial;

	s->node = TEXT_NONE;
	if (skip_word(&p, end, "node=") && !read_word(&p, end, &s->node))
		return false;
	if (!skip_word(&p, end, "type=") || !read_word(&p, end, &s->type))
		return false;
	stamp = p;
	if (!skip_word(&p, end, "msg=audit(") ||
	    !read_number(&p, end, '.', SECONDS_MAX, &seconds) ||
	    !read_number(&p, end, ':', 999, &millis) ||
	    !read_number(&p, end, ')', UINT32_MAX, &serial) || !skip_word(&p, end, ":"))
		return false;
	if (seconds == 0 || p - stamp < STAMP_MIN || s->node.len > 255 || s->type.len > 32)
		return false;
	/*
	 * 0x1d separates libauparse's interpretations, and libauparse would find it in a node's
	 * name.
	 */
	for (size_t i = 0; i < s->node.len; i++)
		if ((unsigned char)s->node.data[i] <= ' ' || s->node.data[i] == 0x7f)
			return false;
	skip_word(&p, end, " ");
	s->time_us = (int64_t)(seconds * TIME_US_PER_S + millis * 1000);
	s->serial = (uint32_t)serial;
	s->body = (size_t)(p - line);
	return true;
}

bool stamp_same_event(const struct stamp *a, const struct stamp *b)
{
	return a->serial == b->serial && a->time_us == b->time_us && text_equal(a->node, b->node);
}
