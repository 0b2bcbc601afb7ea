/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A flat JSON object (RFC 8259), member by member. */
#include <stdint.h>
#include <string.h>

#include "json_line.h"

/* Where a value's bytes go. */
struct room {
	char *p;
	size_t left;
};

static void blanks(struct json_line *j)
{
	while (j->p < j->end && (*j->p == ' ' || *j->p == '\t' || *j->p == '\r' || *j->p == '\n'))
		j->p++;
}

static bool take(struct json_line *j, char c)
{
	blanks(j);
	if (j->p == j->end || *j->p != c)
		return false;
	j->p++;
	return true;
}

static bool put(struct room *r, uint32_t byte)
{
	if (!r->left)
		return false;
	*r->p++ = (char)byte;
	r->left--;
	return true;
}

static bool put_character(struct room *r, uint32_t cp)
{
	if (cp < 0x80)
		return put(r, cp);
	if (cp < 0x800)
		return put(r, 0xc0 | cp >> 6) && put(r, 0x80 | (cp & 0x3f));
	if (cp < 0x10000)
		return put(r, 0xe0 | cp >> 12) && put(r, 0x80 | (cp >> 6 & 0x3f)) &&
		       put(r, 0x80 | (cp & 0x3f));
	return put(r, 0xf0 | cp >> 18) && put(r, 0x80 | (cp >> 12 & 0x3f)) &&
	       put(r, 0x80 | (cp >> 6 & 0x3f)) && put(r, 0x80 | (cp & 0x3f));
}

static bool hex4(struct json_line *j, uint32_t *value)
{
	static const char digits[] = "0123456789abcdef";

	if (j->end - j->p < 4)
		return false;
	*value = 0;
	for (int i = 0; i < 4; i++) {
		const char *digit = *j->p ? strchr(digits, *j->p | (*j->p > '9' ? 0x20 : 0)) : NULL;

		if (!digit)
			return false;
		*value = *value << 4 | (uint32_t)(digit - digits);
		j->p++;
	}
	return true;
}

/* Behind \u: a character, or the first half of one of two. */
static bool unicode(struct json_line *j, struct room *r)
{
	uint32_t cp, low;

	if (!hex4(j, &cp))
		return false;
	if (cp >= 0xd800 && cp < 0xdc00 && j->end - j->p >= 6 && j->p[0] == '\\' &&
	    j->p[1] == 'u') {
		j->p += 2;
		if (!hex4(j, &low) || low < 0xdc00 || low > 0xdfff)
			return false;
		cp = 0x10000 + ((cp - 0xd800) << 10 | (low - 0xdc00));
	}
	return put_character(r, cp);
}

static bool string(struct json_line *j, struct room *r, struct text *value)
{
	static const char names[] = "\"\\/bfnrt", bytes[] = "\"\\/\b\f\n\r\t";
	const char *start = r->p, *name;

	if (!take(j, '"'))
		return false;
	while (j->p < j->end && *j->p != '"') {
		char c = *j->p++;

		if (c != '\\') {
			if (!put(r, (unsigned char)c))
				return false;
			continue;
		}
		if (j->p == j->end)
			return false;
		c = *j->p++;
		name = c ? strchr(names, c) : NULL;
		if (c == 'u' ? !unicode(j, r) :
			       !name || !put(r, (unsigned char)bytes[name - names]))
			return false;
	}
	*value = (struct text){ start, (size_t)(r->p - start) };
	return take(j, '"');
}

/* A number as it is written. */
static bool word(struct json_line *j, struct room *r, struct text *value)
{
	const char *start = r->p;

	blanks(j);
	while (j->p < j->end && *j->p && strchr("+-.0123456789aeEfnlrstu", *j->p))
		if (!put(r, (unsigned char)*j->p++))
			return false;
	*value = (struct text){ start, (size_t)(r->p - start) };
	return value->len > 0;
}

/* An array of bytes; of anything else its end is looked for, and it counts as nothing. */
static bool array(struct json_line *j, struct room *r, struct text *value)
{
	const char *start = r->p;
	bool is_bytes = true;

	if (take(j, ']')) {
		*value = (struct text){ start, 0 };
		return true;
	}
	do {
		struct room scratch = *r;
		struct text item;
		uint32_t n = 0;

		blanks(j);
		if (j->p < j->end && *j->p == '"') {
			is_bytes = false;
			if (!string(j, &scratch, &item))
				return false;
			continue;
		}
		if (!word(j, &scratch, &item))
			return false;
		for (size_t i = 0; i < item.len && n < 256; i++)
			n = item.data[i] >= '0' && item.data[i] <= '9' ?
			    n * 10 + (uint32_t)(item.data[i] - '0') : 256;
		is_bytes = is_bytes && n < 256;
		if (is_bytes && !put(r, n))
			return false;
	} while (take(j, ','));
	*value = is_bytes ? (struct text){ start, (size_t)(r->p - start) } : TEXT_NONE;
	return take(j, ']');
}

bool json_line_begin(struct json_line *j, struct text line)
{
	*j = (struct json_line){ line.data, line.data + line.len };
	return take(j, '{');
}

bool json_line_next(struct json_line *j, char *room, size_t size, struct text *name,
		    struct text *value)
{
	struct room r = { room, size };

	take(j, ',');
	if (!string(j, &r, name) || !take(j, ':'))
		return false;
	blanks(j);
	if (j->p == j->end)
		return false;
	if (*j->p == '"')
		return string(j, &r, value);
	if (take(j, '['))
		return array(j, &r, value);
	if (!word(j, &r, value))
		return false;
	if (text_equal(*value, text_of("null")))
		*value = TEXT_NONE;
	return true;
}
