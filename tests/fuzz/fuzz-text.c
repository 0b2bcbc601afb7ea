/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes shown on a terminal, as JSON and as CSV.  What comes out must be valid UTF-8 without a
 * control byte; JSON and CSV must be read back by a reader that knows only their own rules.  The
 * first byte of the input is the width.
 */
#include <string.h>

#include "fuzz.h"
#include "text.h"

struct output {
	FILE *file;
	char *data;
	size_t len;
};

static void output_begin(struct output *o)
{
	*o = (struct output){ NULL, NULL, 0 };
	o->file = open_memstream(&o->data, &o->len);
	FUZZ_CHECK(o->file);
}

/* By the table 3-7 of the Unicode standard, not by arithmetic as text.c does it.  The length of the
 * sequence at p; 0: none. */
static size_t well_formed(const unsigned char *p, size_t len)
{
	static const struct {
		unsigned char first[2], second[2];
		size_t more;
	} rows[] = {
		{ { 0x00, 0x7f }, { 0, 0 }, 0 },	{ { 0xc2, 0xdf }, { 0x80, 0xbf }, 1 },
		{ { 0xe0, 0xe0 }, { 0xa0, 0xbf }, 2 },	{ { 0xe1, 0xec }, { 0x80, 0xbf }, 2 },
		{ { 0xed, 0xed }, { 0x80, 0x9f }, 2 },	{ { 0xee, 0xef }, { 0x80, 0xbf }, 2 },
		{ { 0xf0, 0xf0 }, { 0x90, 0xbf }, 3 },	{ { 0xf1, 0xf3 }, { 0x80, 0xbf }, 3 },
		{ { 0xf4, 0xf4 }, { 0x80, 0x8f }, 3 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (p[0] < rows[i].first[0] || p[0] > rows[i].first[1])
			continue;
		if (rows[i].more >= len)
			return 0;
		for (size_t k = 1; k <= rows[i].more; k++)
			if (p[k] < (k == 1 ? rows[i].second[0] : 0x80) ||
			    p[k] > (k == 1 ? rows[i].second[1] : 0xbf))
				return 0;
		return rows[i].more + 1;
	}
	return 0;
}

/* Valid UTF-8 without control bytes; the number of characters. */
static size_t check_plain(const char *s, size_t len)
{
	const unsigned char *p = (const unsigned char *)s;
	size_t characters = 0;

	for (size_t i = 0, n; i < len; i += n, characters++) {
		n = well_formed(p + i, len - i);
		FUZZ_CHECK(n && p[i] >= 0x20 && p[i] != 0x7f);
	}
	return characters;
}

/* And nothing that a terminal obeys: C1 controls, bidirectional overrides and marks. */
static size_t check_terminal(const char *s, size_t len)
{
	static const char *const harmful[] = {
		"\u00ad", "\u061c", "\u200b", "\u200e", "\u200f", "\u2028", "\u202a", "\u202e",
		"\u2066", "\u2069", "\ufeff", "\U000e0001",
	};

	for (size_t i = 0; i + 1 < len; i++)
		FUZZ_CHECK((unsigned char)s[i] != 0xc2 || (unsigned char)s[i + 1] >= 0xa0);
	for (size_t i = 0; i < sizeof(harmful) / sizeof(harmful[0]); i++)
		FUZZ_CHECK(!memmem(s, len, harmful[i], strlen(harmful[i])));
	return check_plain(s, len);
}

/* In memory it is the same, as far as there is room. */
static void check_show(struct text t, const char *wanted, size_t len)
{
	char *room = malloc(len + 1);

	if (!room)
		return;
	FUZZ_CHECK(!strcmp(text_show(t, room, len + 1), wanted));
	text_show(t, room, len / 2 + 1);
	FUZZ_CHECK(strlen(room) <= len / 2 && !strncmp(room, wanted, strlen(room)));
	free(room);
}

static void check_print(struct text t, size_t width)
{
	struct output o;
	size_t columns;

	output_begin(&o);
	columns = text_print(o.file, t, width);
	fclose(o.file);
	FUZZ_CHECK(check_terminal(o.data, o.len) == columns);
	FUZZ_CHECK(!width || columns <= width);
	if (!width)
		check_show(t, o.data, o.len);
	free(o.data);
}

static void check_json(struct text t)
{
	struct output o;

	output_begin(&o);
	text_print_json(o.file, t);
	fclose(o.file);
	check_plain(o.data, o.len);
	FUZZ_CHECK(o.len >= 2 && o.data[0] == '"' && o.data[o.len - 1] == '"');
	for (size_t i = 1; i < o.len - 1; i++) {
		FUZZ_CHECK(o.data[i] != '"');
		if (o.data[i] != '\\')
			continue;
		i++;
		FUZZ_CHECK(i < o.len - 1 && strchr("\"\\u", o.data[i]));
		if (o.data[i] == 'u')
			FUZZ_CHECK(i + 4 < o.len - 1 &&
				   strspn(o.data + i + 1, "0123456789abcdef") >= 4);
	}
	free(o.data);
}

static void check_csv(struct text t)
{
	struct output o;

	output_begin(&o);
	text_print_csv(o.file, t);
	fclose(o.file);
	check_terminal(o.data, o.len);
	if (o.len && o.data[0] == '"') {
		FUZZ_CHECK(o.len >= 2 && o.data[o.len - 1] == '"');
		for (size_t i = 1; i < o.len - 1; i++) {
			if (o.data[i] != '"')
				continue;
			i++;
			FUZZ_CHECK(i < o.len - 1 && o.data[i] == '"');
		}
	} else {
		FUZZ_CHECK(!memchr(o.data, ',', o.len) && !memchr(o.data, '"', o.len));
	}
	free(o.data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text t = { (const char *)data + 1, size - 1 };

	if (!size)
		return 0;
	check_print(t, 0);
	check_print(t, data[0]);
	check_json(t);
	check_csv(t);
	return 0;
}
