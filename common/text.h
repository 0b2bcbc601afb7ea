/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_TEXT_H
#define SOCKLEDGER_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/*
 * A run of bytes that is not ours: a process's name, a path, a command line.  It may hold any byte
 * and has no terminator; data NULL means unknown.
 */
struct text {
	const char *data;
	size_t len;
};

#define TEXT_NONE ((struct text){ NULL, 0 })

static inline struct text text_of(const char *s)
{
	return (struct text){ s, s ? strlen(s) : 0 };
}

static inline bool text_equal(struct text a, struct text b)
{
	return !a.data == !b.data && a.len == b.len &&
	       (a.len == 0 || (a.data && memcmp(a.data, b.data, a.len) == 0));
}

/* FNV-1a over the bytes.  Calls can be chained: the first hash is TEXT_HASH_SEED. */
#define TEXT_HASH_SEED 14695981039346656037ULL
uint64_t text_hash(uint64_t hash, const void *data, size_t len);

/* The hash of the whole text; 0 for unknown. */
static inline uint64_t text_hash_of(struct text t)
{
	return t.data ? text_hash(TEXT_HASH_SEED, t.data, t.len) : 0;
}

/* SipHash-2-4 (Aumasson and Bernstein, 2012). */
uint64_t text_siphash(const uint64_t key[2], const void *data, size_t len);

/*
 * A number that stands for the text where it is compared with others, within this process; 0 for
 * unknown.  Keyed by the kernel's random bytes (AT_RANDOM), so that who chooses a text cannot find
 * one with another's number.
 */
uint64_t text_identity(struct text t);

/* How many bytes the texts hold. */
size_t texts_size(const struct text *t, int count);
/* Copies their bytes to `to`, and lets the texts point there.  Where the bytes end. */
char *texts_move(struct text *t, int count, char *to);

/* t ends with `end`, and has more before it. */
bool text_ends_with(struct text t, const char *end);

/*
 * t, cut to at most max bytes where it is longer (max at least TEXT_CUT_MIN): then it ends in "…"
 * behind the last whole character that fits, and is in `room`, of max bytes.
 */
#define TEXT_CUT_MIN 8
struct text text_cut(struct text t, size_t max, char *room);

/* text_print() would write it as it is. */
bool text_is_printable(struct text t);

/*
 * Writes t so that it cannot harm a terminal: printable UTF-8 goes through, every control byte,
 * bidirectional override, invalid byte and unassigned piece of a sequence as \xNN.  Writes at most
 * width columns (counting one a character), the last of them "…" where the text was cut; width 0
 * means no limit.  Returns the number of columns written.
 */
size_t text_print(FILE *out, struct text t, size_t width);

/* The same into `to`, of `size` bytes, which it ends with a 0; as much as has room.  Gives `to`. */
const char *text_show(struct text t, char *to, size_t size);

/*
 * Writes t as a JSON string with its quotes: characters that could harm a terminal as \uNNNN, bytes
 * that are not UTF-8 as the text \xNN.
 */
void text_print_json(FILE *out, struct text t);

/*
 * Writes t as a field of CSV (RFC 4180), quoted where CSV demands it; other bytes as text_print().
 */
void text_print_csv(FILE *out, struct text t);

#endif
