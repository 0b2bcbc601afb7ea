/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs a fuzz target without libFuzzer: over every file of the directories given, and with
 * --random N SEED over N inputs made of them by random changes (the same ones for the same seed
 * and files).
 */
#include <dirent.h>
#include <string.h>
#include <sys/stat.h>

#include "fuzz.h"
#include "tap.h"

#define INPUT_MAX ((size_t)64 * 1024)
#define FILES_MAX 4096

struct input {
	uint8_t *data;
	size_t len;
};

static struct input inputs[FILES_MAX];
static int input_count;

static bool read_file(const char *path, struct input *in)
{
	FILE *f = fopen(path, "re");

	if (!f)
		return false;
	in->data = malloc(INPUT_MAX);
	in->len = in->data ? fread(in->data, 1, INPUT_MAX, f) : 0;
	fclose(f);
	return in->data != NULL;
}

/* In memory of just its size: a step behind its end is seen. */
static void run_one(const uint8_t *data, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);

	if (!copy)
		abort();
	if (len)
		memcpy(copy, data, len);
	LLVMFuzzerTestOneInput(copy, len);
	free(copy);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* How many files it has; -1: it cannot be read. */
static int run_directory(const char *dir)
{
	struct dirent **entries;
	int n = scandir(dir, &entries, NULL, by_name), count = 0;

	if (n < 0)
		return -1;
	for (int i = 0; i < n; i++) {
		char path[4096];
		struct stat st;

		snprintf(path, sizeof(path), "%s/%s", dir, entries[i]->d_name);
		free(entries[i]);
		if (input_count == FILES_MAX || stat(path, &st) || !S_ISREG(st.st_mode) ||
		    !read_file(path, &inputs[input_count]))
			continue;
		/* What is on stdout when it dies names the input. */
		printf("# %s\n", path);
		fflush(stdout);
		run_one(inputs[input_count].data, inputs[input_count].len);
		input_count++;
		count++;
	}
	free(entries);
	return count;
}

/* splitmix64: the same numbers everywhere. */
static uint64_t random_state;

static size_t below(size_t n)
{
	uint64_t z = random_state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return n ? (size_t)((z ^ z >> 31) % n) : 0;
}

/* Replaces `gone` bytes at `at` by others. */
static void splice(struct input *in, size_t at, size_t gone, const void *bytes, size_t len)
{
	if (in->len - gone + len > INPUT_MAX)
		return;
	memmove(in->data + at + len, in->data + at + gone, in->len - at - gone);
	if (len)
		memcpy(in->data + at, bytes, len);
	in->len = in->len - gone + len;
}

/* The line around a place: from *from, with its line break. */
static size_t line_at(const struct input *in, size_t at, size_t *from)
{
	const uint8_t *end = memchr(in->data + at, '\n', in->len - at);

	for (*from = at; *from > 0 && in->data[*from - 1] != '\n';)
		--*from;
	return end ? (size_t)(end - in->data) + 1 - *from : in->len - *from;
}

static void change(struct input *in)
{
	static const char *const words[] = {
		"\x1d", "\n", " ", "\"", "=", "(null)", "\x01", "'", ")", "(", ":", ",", "key=",
		"msg=", "node=n ", "type=SYSCALL ", "4294967295", "-1", "18446744073709551616",
		"\xff\xfe", "\xe2\x80\xae", "/", "0::/", "{", "}", "SADDR={", "0", "\r", "#",
	};
	const struct input *other = &inputs[below((size_t)input_count)];
	size_t at = below(in->len), from, len;
	const char *word;
	uint8_t byte;

	switch (below(9)) {
	case 0:
		if (in->len)
			in->data[at] ^= (uint8_t)(1u << below(8));
		break;
	case 1:
		byte = (uint8_t)below(256);
		splice(in, at, in->len ? 1 : 0, &byte, 1);
		break;
	case 2:
		splice(in, at, 0, other->data, below(other->len < 64 ? other->len : 64));
		break;
	case 3:
		splice(in, at, below(in->len - at < 32 ? in->len - at : 32), NULL, 0);
		break;
	case 4:
	case 5:
		word = words[below(sizeof(words) / sizeof(words[0]))];
		splice(in, at, below(2) && in->len ? 1 : 0, word, strlen(word));
		break;
	case 6: /* a line of another input, or of this one, somewhere */
		if (!other->len)
			break;
		len = line_at(other, below(other->len), &from);
		line_at(in, at, &at);
		splice(in, at, 0, other->data + from, len);
		break;
	case 7:
		if (!in->len)
			break;
		len = line_at(in, at, &from);
		splice(in, from, len, NULL, 0);
		break;
	default: /* the end is missing */
		in->len = at;
		break;
	}
}

static void run_random(unsigned long n, unsigned long seed)
{
	struct input in = { malloc(INPUT_MAX), 0 };

	if (!in.data)
		abort();
	printf("# random, seed %lu\n", seed);
	fflush(stdout);
	random_state = seed;
	for (unsigned long i = 0; input_count && i < n; i++) {
		const struct input *from = &inputs[below((size_t)input_count)];

		in.len = from->len;
		if (in.len)
			memcpy(in.data, from->data, in.len);
		for (size_t changes = 1 + below(6); changes; changes--)
			change(&in);
		run_one(in.data, in.len);
	}
	free(in.data);
	tap_ok(input_count > 0, "%lu random changes of %d inputs, seed %lu", n, input_count, seed);
}

int main(int argc, char **argv)
{
	unsigned long random_count = 0, seed = 0;
	int at = 1;

	if (argc > 3 && !strcmp(argv[1], "--random")) {
		random_count = strtoul(argv[2], NULL, 0);
		seed = strtoul(argv[3], NULL, 0);
		at = 4;
	}
	if (at == argc) {
		fprintf(stderr, "Usage: %s [--random N SEED] DIRECTORY...\n", argv[0]);
		return 2;
	}
	for (; at < argc; at++) {
		int n = run_directory(argv[at]);

		tap_ok(n > 0, "%s: %d inputs", argv[at], n);
	}
	if (random_count)
		run_random(random_count, seed);
	for (int i = 0; i < input_count; i++)
		free(inputs[i].data);
	return tap_done();
}
