/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Foreign bytes made safe to show: terminal, JSON, CSV. */
#include "scratch.h"
#include "tap.h"
#include "text.h"

typedef void printer(FILE *out, struct text t);

/* What a printer makes of bytes; good until the next call. */
static struct text printed(printer *print, struct text t)
{
	static char *buf;
	static size_t len;
	FILE *f;

	free(buf);
	f = open_memstream(&buf, &len);
	print(f, t);
	fclose(f);
	return (struct text){ buf, len };
}

static size_t wanted_width, columns;

static void terminal(FILE *out, struct text t)
{
	columns = text_print(out, t, wanted_width);
}

#define BYTES(s) ((struct text){ s, sizeof(s) - 1 })

struct row {
	const char *what;
	struct text in;
	const char *out;
};

static void test_rows(printer *print, const char *which, const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct text got = printed(print, rows[i].in);

		if (!tap_ok(text_equal(got, text_of(rows[i].out)), "%s: %s", which, rows[i].what))
			tap_note("got: %.*s", (int)got.len, got.data);
	}
}

static void test_terminal(void)
{
	static const struct row rows[] = {
		{ "plain text goes through", BYTES("curl -s x"), "curl -s x" },
		{ "nothing is nothing", BYTES(""), "" },
		{ "letters of other scripts go through",
		  BYTES("gr\xc3\xbc\xc3\x9f \xe4\xb8\xad \xf0\x9f\x90\xa7"),
		  "gr\xc3\xbc\xc3\x9f \xe4\xb8\xad \xf0\x9f\x90\xa7" },
		{ "an escape sequence", BYTES("a\033[31mb\a"), "a\\x1b[31mb\\x07" },
		{ "line breaks, tab and NUL", BYTES("a\nb\rc\td\0e"), "a\\x0ab\\x0dc\\x09d\\x00e" },
		{ "DEL", BYTES("\x7f"), "\\x7f" },
		{ "C1 controls (U+009B is CSI)",
		  BYTES("\xc2\x9b"
			"31m\xc2\x80\xc2\x9f"),
		  "\\xc2\\x9b31m\\xc2\\x80\\xc2\\x9f" },
		{ "a bare 0x9b", BYTES("\x9b"), "\\x9b" },
		{ "bidirectional overrides", BYTES("\xe2\x80\xaegpj.exe\xe2\x81\xa6\xd8\x9c"),
		  "\\xe2\\x80\\xaegpj.exe\\xe2\\x81\\xa6\\xd8\\x9c" },
		{ "zero width and byte order mark",
		  BYTES("a\xe2\x80\x8b\xef\xbb\xbf"
			"b\xc2\xad"),
		  "a\\xe2\\x80\\x8b\\xef\\xbb\\xbfb\\xc2\\xad" },
		{ "line and paragraph separators", BYTES("\xe2\x80\xa8\xe2\x80\xa9"),
		  "\\xe2\\x80\\xa8\\xe2\\x80\\xa9" },
		{ "tags", BYTES("\xf3\xa0\x81\x81"), "\\xf3\\xa0\\x81\\x81" },
		{ "overlong slash", BYTES("\xc0\xaf\xe0\x80\xaf"), "\\xc0\\xaf\\xe0\\x80\\xaf" },
		{ "surrogate", BYTES("\xed\xa0\x80"), "\\xed\\xa0\\x80" },
		{ "beyond U+10FFFF", BYTES("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80" },
		{ "half a sequence at the end", BYTES("a\xe4\xb8"), "a\\xe4\\xb8" },
		{ "half a sequence before text", BYTES("\xe4\xb8z"), "\\xe4\\xb8z" },
		{ "a lone continuation byte", BYTES("\x80"), "\\x80" },
		{ "0xff and 0xfe", BYTES("\xff\xfe"), "\\xff\\xfe" },
		{ "the last code point before the surrogates", BYTES("\xed\x9f\xbf"),
		  "\xed\x9f\xbf" },
	};

	wanted_width = 0;
	test_rows(terminal, "terminal", rows, sizeof(rows) / sizeof(rows[0]));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		tap_ok(text_is_printable(rows[i].in) ==
			       text_equal(rows[i].in, text_of(rows[i].out)),
		       "printable or not: %s", rows[i].what);
	printed(terminal, TEXT_NONE);
	tap_ok(columns == 0, "terminal: no text is no column");
	printed(terminal, BYTES("\xe4\xb8\xad\033"));
	tap_ok(columns == 5, "terminal: a character is one column, an escaped byte four");
}

static void test_show(void)
{
	static const struct text t = BYTES("a\xc3\xbc\033z");
	static const char *const by_room[] = { NULL, "", "a", "a", "a\xc3\xbc", "a\xc3\xbc",
		"a\xc3\xbc", "a\xc3\xbc", "a\xc3\xbc\\x1b", "a\xc3\xbc\\x1bz",
		"a\xc3\xbc\\x1bz" };
	char room[16];

	for (size_t size = 1; size < sizeof(by_room) / sizeof(by_room[0]); size++) {
		memset(room, 'X', sizeof(room));
		tap_ok(!strcmp(text_show(t, room, size), by_room[size]) && room[size] == 'X',
		       "in a room of %zu bytes: whole characters, and escapes", size);
	}
}

static void test_width(void)
{
	static const struct {
		struct text in;
		size_t width;
		const char *out;
		size_t columns;
	} rows[] = {
		{ BYTES("abcdef"), 6, "abcdef", 6 },
		{ BYTES("abcdef"), 7, "abcdef", 6 },
		{ BYTES("abcdef"), 5, "abcd\xe2\x80\xa6", 5 },
		{ BYTES("abcdef"), 1, "\xe2\x80\xa6", 1 },
		{ BYTES("a"), 1, "a", 1 },
		{ BYTES("\xc3\xa4\xc3\xb6\xc3\xbc"), 3, "\xc3\xa4\xc3\xb6\xc3\xbc", 3 },
		{ BYTES("\xc3\xa4\xc3\xb6\xc3\xbc"), 2, "\xc3\xa4\xe2\x80\xa6", 2 },
		/* An escape is not torn: what of it does not fit is left out whole. */
		{ BYTES("a\033b"), 5, "a\xe2\x80\xa6", 2 },
		{ BYTES("a\033b"), 6, "a\\x1bb", 6 },
		{ BYTES("\033\033"), 7, "\\x1b\xe2\x80\xa6", 5 },
		{ BYTES("\033\033"), 3, "\xe2\x80\xa6", 1 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct text got;

		wanted_width = rows[i].width;
		got = printed(terminal, rows[i].in);
		if (!tap_ok(text_equal(got, text_of(rows[i].out)) && columns == rows[i].columns,
			    "width %zu: row %zu", rows[i].width, i))
			tap_note("got %zu columns: %.*s", columns, (int)got.len, got.data);
	}
	wanted_width = 0;
}

static void test_json(void)
{
	static const struct row rows[] = {
		{ "empty", BYTES(""), "\"\"" },
		{ "plain", BYTES("a/b c"), "\"a/b c\"" },
		{ "quote and backslash", BYTES("a\"b\\c"), "\"a\\\"b\\\\c\"" },
		{ "control bytes", BYTES("\n\t\033\0\x7f"),
		  "\"\\u000a\\u0009\\u001b\\u0000\\u007f\"" },
		{ "other scripts", BYTES("\xc3\xbc"), "\"\xc3\xbc\"" },
		{ "invalid bytes are told as text", BYTES("a\xff\xc3"), "\"a\\\\xff\\\\xc3\"" },
		{ "a C1 control is one on a terminal as well",
		  BYTES("\xc2\x9b"
			"31m"),
		  "\"\\u009b31m\"" },
		{ "beyond 16 bits it is two surrogates", BYTES("\xf3\xa0\x81\x81"),
		  "\"\\udb40\\udc41\"" },
	};

	test_rows(text_print_json, "JSON", rows, sizeof(rows) / sizeof(rows[0]));
}

static size_t utf8(char *to, uint32_t cp)
{
	size_t n = cp < 0x80 ? 1 : cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;
	static const unsigned char heads[] = { 0, 0, 0xc0, 0xe0, 0xf0 };

	for (size_t i = n; i > 1; i--, cp >>= 6)
		to[i - 1] = (char)(0x80 | (cp & 0x3f));
	to[0] = (char)(heads[n] | cp);
	return n;
}

/* Whether a character goes to a terminal as it is. */
static bool is_shown(uint32_t cp)
{
	char bytes[4];
	struct text in = { bytes, utf8(bytes, cp) };

	wanted_width = 0;
	return text_equal(printed(terminal, in), in);
}

/* What moves the cursor, changes the direction of writing or hides: the first and the last of each
 * kind. */
static void test_harmful(void)
{
	static const uint32_t ranges[][2] = {
		{0x01, 0x1f},	  {0x7f, 0x9f},	      {0xad, 0xad},	{0x61c, 0x61c},
		{0x200b, 0x200f}, {0x2028, 0x202e},   {0x2060, 0x206f}, {0xfeff, 0xfeff},
		{0xfff9, 0xfffb}, {0xe0000, 0xe007f},
	};

	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		uint32_t first = ranges[i][0], last = ranges[i][1];

		tap_ok(!is_shown(first) && !is_shown(last) && is_shown(last + 1) &&
			       (first == 1 || is_shown(first - 1)),
		       "U+%04X to U+%04X are written as bytes", first, last);
	}
	tap_ok(is_shown(0x7ff) && is_shown(0x800) && is_shown(0xd7ff) && is_shown(0xe000) &&
	       is_shown(0xffff) && is_shown(0x10000) && is_shown(0x10ffff) && !is_shown(0xd800) &&
	       !is_shown(0xdfff) && !is_shown(0x110000), "what is no character is not one");
}

static void test_csv(void)
{
	static const struct row rows[] = {
		{ "empty", BYTES(""), "" },
		{ "plain", BYTES("a b"), "a b" },
		{ "comma", BYTES("a,b"), "\"a,b\"" },
		{ "quote", BYTES("say \"x\""), "\"say \"\"x\"\"\"" },
		{ "control bytes as on a terminal", BYTES("a\033[1m"), "a\\x1b[1m" },
		{ "line break", BYTES("a\r\nb"), "\"a\\x0d\\x0ab\"" },
		{ "invalid bytes beside a quote", BYTES("\"\xff\xc2\x9b\""),
		  "\"\"\"\\xff\\xc2\\x9b\"\"\"" },
	};

	test_rows(text_print_csv, "CSV", rows, sizeof(rows) / sizeof(rows[0]));
}

/* Any bytes: what comes out has no control byte, is UTF-8, and as wide as is said. */
static bool harmless(struct text t, size_t *width)
{
	const unsigned char *p = (const unsigned char *)t.data;

	*width = 0;
	for (size_t i = 0; i < t.len; ++*width) {
		size_t n = p[i] < 0x80 ? 1 : p[i] < 0xc2 ? 0 : p[i] < 0xe0 ? 2 :
			   p[i] < 0xf0 ? 3 : 4;

		if (!n || i + n > t.len || p[i] < 0x20 || p[i] == 0x7f ||
		    (p[i] == 0xc2 && p[i + 1] < 0xa0))
			return false;
		for (size_t k = 1; k < n; k++)
			if ((p[i + k] & 0xc0) != 0x80)
				return false;
		i += n;
	}
	return true;
}

static void test_random(void)
{
	static const char *const pieces[] = { "\xe2\x80", "\xae", "\033[", "\xc2", "\x9b",
					      "a", "\"", "\\", "" };
	bool safe = true, fits = true, json = true, csv = true;

	for (int i = 0; i < 50000; i++) {
		char bytes[64];
		size_t len = 0, width;
		struct text got;

		while (len < sizeof(bytes) - 4 && scratch_random() % 16) {
			const char *piece = pieces[scratch_random() % 9];

			if (!*piece)
				bytes[len++] = (char)scratch_random();
			memcpy(bytes + len, piece, strlen(piece));
			len += strlen(piece);
		}
		wanted_width = scratch_random() % 12;
		got = printed(terminal, (struct text){ bytes, len });
		safe = safe && harmless(got, &width);
		fits = fits && width == columns && (!wanted_width || columns <= wanted_width);
		got = printed(text_print_csv, (struct text){ bytes, len });
		csv = csv && harmless(got, &width) && (got.len == 0 || got.data[0] != '"' ||
						       got.data[got.len - 1] == '"');
		got = printed(text_print_json, (struct text){ bytes, len });
		for (size_t k = 0; k < got.len; k++)
			json = json && (unsigned char)got.data[k] >= 0x20 && got.data[k] != 0x7f;
		json = json && got.len >= 2 && got.data[0] == '"' && got.data[got.len - 1] == '"';
	}
	wanted_width = 0;
	tap_ok(safe, "random bytes: nothing harmful comes through");
	tap_ok(fits, "random bytes: as wide as is said, and no wider than allowed");
	tap_ok(json, "random bytes: JSON has no control byte");
	tap_ok(csv, "random bytes: CSV neither");
}

static void test_move(void)
{
	static const uint64_t key[2] = { 0x0706050403020100ULL, 0x0f0e0d0c0b0a0908ULL };
	static const unsigned char bytes[15] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14 };

	struct text t[4] = { BYTES("ab\0c"), TEXT_NONE, BYTES(""), BYTES("\xff") };
	char to[8];

	tap_ok(texts_size(t, 4) == 5, "the size of texts is that of their bytes");
	texts_move(t, 4, to);
	tap_ok(t[0].data == to && text_equal(t[0], BYTES("ab\0c")) && t[3].data == to + 4 &&
	       text_equal(t[3], BYTES("\xff")), "texts are moved one behind the other");
	tap_ok(!t[1].data && t[2].data && t[2].len == 0, "none stays none, empty stays empty");
	tap_ok(text_equal(TEXT_NONE, TEXT_NONE) && !text_equal(TEXT_NONE, BYTES("")) &&
	       !text_equal(BYTES("a"), BYTES("b")) && !text_equal(BYTES("a"), BYTES("ab")),
	       "none is not empty");
	tap_ok(text_siphash(key, bytes, sizeof(bytes)) == 0xa129ca6149be45e5ULL,
	       "SipHash's own example");
	tap_ok(!text_identity(TEXT_NONE) && text_identity(text_of("")) &&
	       text_identity(text_of("/a")) == text_identity((struct text){ "/ab", 2 }) &&
	       text_identity(text_of("/a")) != text_identity(text_of("/b")), "a text's number");
	tap_ok(text_hash(TEXT_HASH_SEED, "", 0) == TEXT_HASH_SEED &&
	       text_hash(TEXT_HASH_SEED, "foobar", 6) == 0x85944171f73967e8ULL,
	       "the hash is FNV-1a");
}

static bool is_continuation(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

static void test_cut(void)
{
	static const char script[] = "a\xc3\xbc\xe4\xb8\xad\xf0\x9f\x90\xa7z\xf0\x9f\x90\xa7"
				     " and so on";
	static const char pieces[] = "\xa7\xa7\xa7\xa7\xa7\xa7\xa7\xa7\xa7\xa7\xa7";
	struct text t = BYTES(script), cut;
	bool good = true;
	char room[64];

	cut = text_cut(t, t.len, room);
	tap_ok(cut.data == t.data && cut.len == t.len, "a text that fits is not cut");
	for (size_t max = TEXT_CUT_MIN; max < t.len; max++) {
		size_t kept;

		cut = text_cut(t, max, room);
		kept = cut.len - 3;
		good = good && cut.len <= max && cut.len > max - 4 &&
		       !memcmp(cut.data + kept, "…", 3) && !memcmp(cut.data, t.data, kept) &&
		       !is_continuation(t.data[kept]);
		if (!good)
			tap_note("cut at %zu", max);
	}
	tap_ok(good, "a cut text ends in a mark, behind a whole character");
	cut = text_cut(BYTES(pieces), 10, room);
	tap_ok(cut.len == 10 && cut.data[6] == (char)0xa7,
	       "bytes that are no characters are cut anywhere");
}

int main(int argc, char **argv)
{
	scratch_seed(argc, argv);
	test_terminal();
	test_show();
	test_width();
	test_json();
	test_harmful();
	test_csv();
	test_random();
	test_move();
	test_cut();
	return tap_done();
}
