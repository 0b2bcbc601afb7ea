/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bytes to lines, however they come. */
#include <stdlib.h>
#include <string.h>

#include "splitter.h"
#include "tap.h"

static char out[8 * 1024 * 1024];
static size_t out_len;

static void on_line(void *arg, const char *line, size_t len)
{
	(void)arg;
	memcpy(out + out_len, line, len);
	out[out_len + len] = '\n';
	out_len += len + 1;
}

/* Reads `in` in pieces of at most `most`. */
static void feed(struct splitter *l, const char *in, size_t len, size_t most)
{
	out_len = 0;
	while (len) {
		size_t room, n;
		char *to = splitter_room(l, &room);

		n = len < most ? len : most;
		n = n < room ? n : room;
		memcpy(to, in, n);
		splitter_take(l, n, on_line, NULL);
		in += n;
		len -= n;
	}
}

/* Lines of 0 to 40,000 bytes; those that are not too long, in *want. */
static size_t make(char *in, char *want, size_t *want_len, int64_t *long_ones)
{
	size_t len = 0;

	*want_len = 0;
	*long_ones = 0;
	for (int i = 0; i < 400; i++) {
		size_t n = (size_t)random() % (i % 7 ? 300 : 40000);

		if (i == 5 || i == 6)
			n = LINE_BYTES_MAX + (i == 6);
		memset(in + len, 'a' + i % 26, n);
		in[len + n] = '\n';
		if (n <= LINE_BYTES_MAX) {
			memcpy(want + *want_len, in + len, n + 1);
			*want_len += n + 1;
		} else {
			(*long_ones)++;
		}
		len += n + 1;
	}
	return len;
}

int main(void)
{
	static const size_t pieces[] = { 1, 7, 1000, 16385, 65536, 1 << 20 };
	static struct splitter l;
	char *in = malloc(8 << 20), *want = malloc(8 << 20);
	size_t len, want_len;
	int64_t long_ones;

	srandom(1);
	len = make(in, want, &want_len, &long_ones);
	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		l = (struct splitter){ .len = 0 };
		feed(&l, in, len, pieces[i]);
		tap_ok(out_len == want_len && !memcmp(out, want, want_len) &&
		       l.too_long == long_ones && !splitter_end(&l),
		       "in pieces of %zu: all lines, and %d that are too long are counted",
		       pieces[i], (int)long_ones);
	}
	feed(&l, "x\ny", 3, 9);
	tap_ok(out_len == 2 && splitter_end(&l) && !splitter_end(&l),
	       "a line that never ended, once");
	feed(&l, in, LINE_BYTES_MAX - 1, 70000);
	feed(&l, "\nz\n", 3, 9);
	tap_ok(out_len > 2 && !memcmp(out + out_len - 2, "z\n", 2), "goes on behind it");
	free(in);
	free(want);
	return tap_done();
}
