/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A list of addresses and networks: sorted ranges that do not touch.  Addresses are in network
 * order, which memcmp() compares as numbers.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "address_list.h"
#include "diag.h"
#include "network.h"

#define WORD_CHARS 64
#define MISTAKES_MAX 100

/* The ranges of one family: first and last address of each, one behind the other. */
struct ranges {
	size_t width;		/* of an address: 4 or 16 bytes */
	unsigned char *at;
	size_t count, room;
};

struct address_list {
	struct ranges four, six;
	size_t lines;
};

static unsigned char *range(const struct ranges *r, size_t n)
{
	return r->at + 2 * r->width * n;
}

static int add(struct ranges *r, const struct network *n)
{
	unsigned char *first;

	if (r->count == r->room) {
		size_t room = r->room ? 2 * r->room : 64;
		unsigned char *more = reallocarray(r->at, room, 2 * r->width);

		if (!more)
			return -ENOMEM;
		r->at = more;
		r->room = room;
	}
	first = range(r, r->count++);
	for (size_t i = 0; i < r->width; i++) {
		int own = n->bits - 8 * (int)i;	/* bits of this byte that are the network's */
		unsigned int mask = own >= 8 ? 0xff : own <= 0 ? 0 : 0xffu << (8 - own) & 0xffu;

		first[i] = (unsigned char)(n->addr.bytes[i] & mask);
		first[r->width + i] = (unsigned char)(first[i] | (~mask & 0xffu));
	}
	return 0;
}

/* By where they begin. */
static int compare_four(const void *a, const void *b)
{
	return memcmp(a, b, 4);
}

static int compare_six(const void *a, const void *b)
{
	return memcmp(a, b, 16);
}

/* b is the address behind a. */
static bool follows(const unsigned char *a, const unsigned char *b, size_t width)
{
	size_t i = width;

	while (i-- && a[i] == 0xff)
		if (b[i])
			return false;
	return i < width && b[i] == a[i] + 1 && !memcmp(a, b, i);
}

static void settle(struct ranges *r)
{
	size_t kept = 0;

	if (r->count)
		qsort(r->at, r->count, 2 * r->width, r->width == 4 ? compare_four : compare_six);
	for (size_t i = 0; i < r->count; i++) {
		unsigned char *now = range(r, i), *last = kept ? range(r, kept - 1) : NULL;

		if (!last || (memcmp(now, last + r->width, r->width) > 0 &&
			      !follows(last + r->width, now, r->width)))
			memmove(range(r, kept++), now, 2 * r->width);
		else if (memcmp(now + r->width, last + r->width, r->width) > 0)
			memcpy(last + r->width, now + r->width, r->width);
	}
	r->count = kept;
}

/* The range that holds first to last; false: there is none. */
static bool has(const struct ranges *r, const unsigned char *first, const unsigned char *last)
{
	size_t low = 0, high = r->count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (memcmp(range(r, middle), first, r->width) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low && memcmp(range(r, low - 1) + r->width, last, r->width) >= 0;
}

/* --- Lines */

struct reader {
	const char *name;
	struct diags *diags;
	unsigned int line, mistakes;
	struct address_list *list;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* The word for a message, with nothing in it that could harm a terminal. */
static const char *shown(const char *from, const char *end, char buf[WORD_CHARS])
{
	size_t len = 0;

	for (; from < end && len + sizeof("...") < WORD_CHARS; from++)
		buf[len++] = isprint((unsigned char)*from) ? *from : '?';
	snprintf(buf + len, WORD_CHARS - len, "%s", from < end ? "..." : "");
	return buf;
}

static int read_word(const char *from, const char *end, struct network *n)
{
	char word[WORD_CHARS];
	size_t len = (size_t)(end - from);

	if (len >= sizeof(word) || memchr(from, '\0', len))
		return -EINVAL;
	memcpy(word, from, len);
	word[len] = '\0';
	return network_parse(word, n);
}

static int read_line(struct reader *r, const char *from, const char *end)
{
	const char *at = from, *word;
	char buf[WORD_CHARS];
	struct network n;

	while (at < end && is_blank(*at))
		at++;
	if (at == end || *at == '#')
		return 0;
	for (word = at; at < end && !is_blank(*at) && *at != '#';)
		at++;
	if (read_word(word, at, &n)) {
		r->mistakes++;
		diag_at(r->diags, r->name, r->line, (unsigned int)(word - from) + 1,
			"'%s' is neither ADDR nor ADDR/BITS", shown(word, at, buf));
		return 0;
	}
	while (at < end && is_blank(*at))
		at++;
	if (at < end && *at != '#') {
		r->mistakes++;
		diag_at(r->diags, r->name, r->line, (unsigned int)(at - from) + 1,
			"one address or network a line: nothing but a comment can follow");
		return 0;
	}
	if (r->list->lines++ == ADDRESS_LIST_MAX) {
		r->mistakes = MISTAKES_MAX;
		diag_at(r->diags, r->name, r->line, 1, "more than %d addresses and networks",
			ADDRESS_LIST_MAX);
		return 0;
	}
	return add(n.addr.family == AF_INET ? &r->list->four : &r->list->six, &n);
}

static int read_lines(struct reader *r, const char *text, size_t len)
{
	const char *at = text, *end = text + len;
	int rc = 0;

	while (at < end && !rc && r->mistakes < MISTAKES_MAX) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));

		r->line++;
		rc = read_line(r, at, newline ? newline : end);
		at = newline ? newline + 1 : end;
	}
	if (at < end && !rc)
		diag_at(r->diags, r->name, r->line + 1, 1, "the rest was not read");
	return rc ? rc : r->mistakes ? -EINVAL : 0;
}

int address_list_parse(const char *name, const char *text, size_t len, struct diags *d,
		       struct address_list **out)
{
	struct reader r = { .name = name, .diags = d, .list = calloc(1, sizeof(*r.list)) };
	int rc = -ENOMEM;

	*out = NULL;
	if (r.list) {
		r.list->four.width = 4;
		r.list->six.width = 16;
		rc = read_lines(&r, text, len);
	}
	if (rc) {
		address_list_free(r.list);
		return rc;
	}
	settle(&r.list->four);
	settle(&r.list->six);
	*out = r.list;
	return 0;
}

void address_list_free(struct address_list *l)
{
	if (!l)
		return;
	free(l->four.at);
	free(l->six.at);
	free(l);
}

bool address_list_contains(const struct address_list *l, const struct address *a)
{
	return has(a->family == AF_INET ? &l->four : &l->six, a->bytes, a->bytes);
}

static bool ranges_cover(const struct ranges *outer, const struct ranges *inner)
{
	for (size_t i = 0; i < inner->count; i++)
		if (!has(outer, range(inner, i), range(inner, i) + inner->width))
			return false;
	return true;
}

bool address_list_covers(const struct address_list *outer, const struct address_list *inner)
{
	return ranges_cover(&outer->four, &inner->four) && ranges_cover(&outer->six, &inner->six);
}

size_t address_list_count(const struct address_list *l)
{
	return l->lines;
}
