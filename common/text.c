/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Foreign bytes made safe to show.  A process names itself: its name may hold escape sequences for
 * the administrator's terminal, line breaks for a log, or half a UTF-8 sequence for a parser.
 */
#include <endian.h>
#include <sys/auxv.h>

#include "text.h"

uint64_t text_hash(uint64_t hash, const void *data, size_t len)
{
	const unsigned char *p = data;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ p[i]) * 1099511628211ULL;
	return hash;
}

static uint64_t rotated(uint64_t x, int bits)
{
	return x << bits | x >> (64 - bits);
}

static void sip_rounds(uint64_t v[4], int rounds)
{
	while (rounds-- > 0) {
		v[0] += v[1];
		v[2] += v[3];
		v[1] = rotated(v[1], 13) ^ v[0];
		v[3] = rotated(v[3], 16) ^ v[2];
		v[0] = rotated(v[0], 32) + v[3];
		v[2] += v[1];
		v[1] = rotated(v[1], 17) ^ v[2];
		v[3] = rotated(v[3], 21) ^ v[0];
		v[2] = rotated(v[2], 32);
	}
}

static void sip_word(uint64_t v[4], uint64_t word)
{
	v[3] ^= word;
	sip_rounds(v, 2);
	v[0] ^= word;
}

uint64_t text_siphash(const uint64_t key[2], const void *data, size_t len)
{
	uint64_t v[4] = {
		key[0] ^ 0x736f6d6570736575ULL, key[1] ^ 0x646f72616e646f6dULL,
		key[0] ^ 0x6c7967656e657261ULL, key[1] ^ 0x7465646279746573ULL,
	};
	const unsigned char *p = data;
	uint64_t word;
	size_t left = len;

	for (; left >= sizeof(word); left -= sizeof(word), p += sizeof(word)) {
		memcpy(&word, p, sizeof(word));
		sip_word(v, le64toh(word));
	}
	word = (uint64_t)len << 56;
	for (size_t i = 0; i < left; i++)
		word |= (uint64_t)p[i] << 8 * i;
	sip_word(v, word);
	v[2] ^= 0xff;
	sip_rounds(v, 4);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

uint64_t text_identity(struct text t)
{
	uint64_t key[2] = { 0 };
	const void *random = (const void *)getauxval(AT_RANDOM);

	if (!t.data)
		return 0;
	if (random)
		memcpy(key, random, sizeof(key));
	return text_siphash(key, t.data, t.len);
}

size_t texts_size(const struct text *t, int count)
{
	size_t size = 0;

	for (int i = 0; i < count; i++)
		size += t[i].len;
	return size;
}

char *texts_move(struct text *t, int count, char *to)
{
	for (int i = 0; i < count; i++) {
		if (!t[i].data)
			continue;
		if (t[i].len)
			memcpy(to, t[i].data, t[i].len);
		t[i].data = to;
		to += t[i].len;
	}
	return to;
}

/*
 * The length of the well-formed UTF-8 sequence at p (RFC 3629: shortest form, no surrogates, up
 * to U+10FFFF), its code point in *cp; 0 where there is none.
 */
static size_t utf8_sequence(const unsigned char *p, size_t len, uint32_t *cp)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t n;

	if (p[0] < 0x80) {
		*cp = p[0];
		return 1;
	}
	if (p[0] >= 0xc2 && p[0] <= 0xdf)
		n = 2;
	else if (p[0] >= 0xe0 && p[0] <= 0xef)
		n = 3;
	else if (p[0] >= 0xf0 && p[0] <= 0xf4)
		n = 4;
	else
		return 0;
	if (n > len)
		return 0;
	*cp = p[0] & (0x7f >> n);
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		*cp = *cp << 6 | (p[i] & 0x3f);
	}
	if (*cp < least[n] || *cp > 0x10ffff || (*cp >= 0xd800 && *cp <= 0xdfff))
		return 0;
	return n;
}

bool text_ends_with(struct text t, const char *end)
{
	size_t len = strlen(end);

	return t.len > len && !memcmp(t.data + t.len - len, end, len);
}

struct text text_cut(struct text t, size_t max, char *room)
{
	static const char mark[] = "…";
	const unsigned char *p = (const unsigned char *)t.data;
	size_t end = max - (sizeof(mark) - 1), start = end;
	uint32_t cp;

	if (t.len <= max)
		return t;
	/* A sequence has four bytes at most: where one begins before the cut and goes on behind
	 * it, it goes. */
	while (start > 0 && end - start < 3 && (p[start] & 0xc0) == 0x80)
		start--;
	if (start < end && utf8_sequence(p + start, t.len - start, &cp) > end - start)
		end = start;
	memcpy(room, t.data, end);
	memcpy(room + end, mark, sizeof(mark) - 1);
	return (struct text){ room, end + sizeof(mark) - 1 };
}

/* Characters that move the cursor, change the writing direction or hide: not for a terminal. */
static bool harmful(uint32_t cp)
{
	return cp < 0x20 || (cp >= 0x7f && cp < 0xa0) || cp == 0xad || cp == 0x61c ||
	       (cp >= 0x200b && cp <= 0x200f) || (cp >= 0x2028 && cp <= 0x202e) ||
	       (cp >= 0x2060 && cp <= 0x206f) || cp == 0xfeff ||
	       (cp >= 0xfff9 && cp <= 0xfffb) || (cp >= 0xe0000 && cp <= 0xe007f);
}

/* One piece of a text as it is shown: bytes that go through, or one byte written as \xNN. */
struct piece {
	size_t len;
	bool escape;
	uint32_t cp;		/* the character; 0 and escape: a byte that is none */
};

static struct piece next_piece(const unsigned char *p, size_t len)
{
	struct piece piece = { .cp = 0 };

	piece.len = utf8_sequence(p, len, &piece.cp);
	piece.escape = piece.len == 0 || harmful(piece.cp);
	if (piece.len == 0)
		piece = (struct piece){ .len = 1, .escape = true };
	return piece;
}

bool text_is_printable(struct text t)
{
	const unsigned char *p = (const unsigned char *)t.data;
	struct piece piece;

	for (size_t i = 0; i < t.len; i += piece.len) {
		piece = next_piece(p + i, t.len - i);
		if (piece.escape)
			return false;
	}
	return true;
}

size_t text_print(FILE *out, struct text t, size_t width)
{
	const unsigned char *p = (const unsigned char *)t.data;
	size_t columns = 0, total = 0;

	/* Measure only until the text is wider than the column. */
	for (size_t i = 0; width && i < t.len && total <= width;) {
		struct piece piece = next_piece(p + i, t.len - i);

		total += piece.escape ? 4 * piece.len : 1;
		i += piece.len;
	}
	for (size_t i = 0; i < t.len;) {
		struct piece piece = next_piece(p + i, t.len - i);
		size_t cost = piece.escape ? 4 * piece.len : 1;

		if (width && total > width && columns + cost > width - 1) {
			fputs("…", out);
			return columns + 1;
		}
		if (piece.escape)
			for (size_t k = 0; k < piece.len; k++)
				fprintf(out, "\\x%02x", p[i + k]);
		else
			fwrite(p + i, 1, piece.len, out);
		columns += cost;
		i += piece.len;
	}
	return columns;
}

const char *text_show(struct text t, char *to, size_t size)
{
	const unsigned char *p = (const unsigned char *)t.data;
	struct piece piece;
	size_t n = 0;

	for (size_t i = 0; i < t.len; i += piece.len) {
		piece = next_piece(p + i, t.len - i);
		if (n + (piece.escape ? 4 * piece.len : piece.len) >= size)
			break;
		if (!piece.escape) {
			memcpy(to + n, p + i, piece.len);
			n += piece.len;
			continue;
		}
		for (size_t k = 0; k < piece.len; k++, n += 4)
			snprintf(to + n, size - n, "\\x%02x", p[i + k]);
	}
	to[n] = '\0';
	return to;
}

void text_print_json(FILE *out, struct text t)
{
	const unsigned char *p = (const unsigned char *)t.data;

	fputc('"', out);
	for (size_t i = 0; i < t.len;) {
		struct piece piece = next_piece(p + i, t.len - i);

		if (piece.escape && p[i] >= 0x80 && !piece.cp)
			fprintf(out, "\\\\x%02x", p[i]);
		else if (piece.escape && piece.cp > 0xffff)	/* as two surrogates, RFC 8259 */
			fprintf(out, "\\u%04x\\u%04x", 0xd800 + ((piece.cp - 0x10000) >> 10),
				0xdc00 + ((piece.cp - 0x10000) & 0x3ff));
		else if (piece.escape)
			fprintf(out, "\\u%04x", piece.cp);
		else if (p[i] == '"' || p[i] == '\\')
			fprintf(out, "\\%c", p[i]);
		else
			fwrite(p + i, 1, piece.len, out);
		i += piece.len;
	}
	fputc('"', out);
}

void text_print_csv(FILE *out, struct text t)
{
	const unsigned char *p = (const unsigned char *)t.data;
	bool quote = false;

	for (size_t i = 0; i < t.len && !quote; i++)
		quote = p[i] == '"' || p[i] == ',' || p[i] == '\n' || p[i] == '\r';
	if (!quote) {
		text_print(out, t, 0);
		return;
	}
	fputc('"', out);
	for (size_t i = 0; i < t.len;) {
		struct piece piece = next_piece(p + i, t.len - i);

		if (p[i] == '"')
			fputs("\"\"", out);
		else
			text_print(out, (struct text){ t.data + i, piece.len }, 0);
		i += piece.len;
	}
	fputc('"', out);
}
