/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of failures: each row is whole.  --table: prints it as doc/ARCHITECTURE.md shows it;
 * --rows: row, counters and files, for tests/cli/failures-agree. */
#include <string.h>

#include "failures.h"
#include "tap.h"

enum action { RETRY, WAIT, LOSE, ANEW, TRIM, COUNT, REFUSE, CHOICE, KEEP, EXIT, WITHOUT, REPLAY };

static const struct {
	const char *id;
	enum action action;
	const char *what, *then, *counters, *seen, *files;
} rows[] = {
#define X(id, action, what, then, counters, seen, files) \
	{ #id, action, what, then, counters, seen, files },
	FAILURES(X)
#undef X
};

/* Words of a list, each in quotes for Markdown. */
static void print_words(const char *words)
{
	for (const char *at = words; *at; at += strcspn(at, " "), at += *at == ' ')
		printf("%s`%.*s`", at == words ? "" : ", ", (int)strcspn(at, " "), at);
}

static void print_table(void)
{
	for (int i = 0; i < FAILURE_COUNT; i++) {
		printf("| %s | %s | ", rows[i].what, rows[i].then);
		print_words(rows[i].counters);
		printf("%s%s | ", *rows[i].counters && *rows[i].seen ? "; " : "", rows[i].seen);
		print_words(rows[i].files);
		puts(" |");
	}
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "--table")) {
		print_table();
		return 0;
	}
	for (int i = 0; argc > 1 && !strcmp(argv[1], "--rows") && i < FAILURE_COUNT; i++)
		printf("%s\t%s\t%s\n", rows[i].id, rows[i].counters, rows[i].files);
	if (argc > 1)
		return 0;
	for (int i = 0; i < FAILURE_COUNT; i++)
		tap_ok(*rows[i].what && *rows[i].then && *rows[i].files &&
		       !strpbrk(rows[i].what, "|\n") && !strpbrk(rows[i].then, "|\n") &&
		       (*rows[i].counters || (rows[i].action != LOSE && rows[i].action != COUNT)),
		       "%s says what, what then and where; what is lost or missing is counted",
		       rows[i].id);
	return tap_done();
}
