/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sockledger who: the process behind one connection, with the evidence. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "answer.h"
#include "cli.h"
#include "clock.h"
#include "ledger_schema.h"
#include "options.h"
#include "protocol.h"
#include "query.h"

static void print_text(const char *label, struct text t)
{
	printf("  %-11s ", label);
	text_print(stdout, t.data ? t : text_of(OUTPUT_UNKNOWN), 0);
	putchar('\n');
}

static void print_name(struct text user, int64_t uid)
{
	text_print(stdout, user.data ? user : text_of(OUTPUT_UNKNOWN), 0);
	printf(" (uid %lld)", (long long)uid);
}

static void print_process(const struct answer *a)
{
	struct text name = answer_text(a, "exe");

	if (!name.data)
		name = answer_text(a, "comm");
	text_print(stdout, name.data ? name : text_of(OUTPUT_UNKNOWN), 0);
	if (answer_number(a, "pid") >= 0)
		printf(" (pid %lld)", (long long)answer_number(a, "pid"));
}

static void print_table(const struct answers *s, const char *asked, const struct style *style)
{
	const struct answer *a = &s->found[0], *list[ANSWERS_MAX];
	const char *doubt = answer_doubt(a), *begin;
	char local[TIME_TEXT_MAX];
	int count = answers_others(s, list);

	printf("%s\n  %-11s ", asked, "process");
	print_process(a);
	putchar('\n');
	print_text("command", answer_text(a, "cmdline"));
	printf("  %-11s ", "user");
	if (style->numeric)
		printf("%lld", (long long)answer_number(a, "uid"));
	else
		print_name(answer_text(a, "user"), answer_number(a, "uid"));
	if (answer_text(a, "login_user").data) {
		fputs(", logged in as ", stdout);
		text_print(stdout, answer_text(a, "login_user"), 0);
	}
	printf("\n  %-11s ", "started by");
	text_print(stdout, answer_text(a, "parent_exe").data ? answer_text(a, "parent_exe") :
		   text_of(OUTPUT_UNKNOWN), 0);
	if (answer_number(a, "ppid") >= 0)
		printf(" (pid %lld)", (long long)answer_number(a, "ppid"));
	putchar('\n');
	print_text("time", style_time(style, answer_text(a, "time"), local));
	print_text("verdict", answer_text(a, "verdict"));
	begin = style_value(style, "certainty", text_of(answer_certainty(a)));
	printf("  %-11s %s%s%s%s%s\n", "certainty", begin, answer_certainty(a),
	       *begin ? STYLE_END : "", doubt ? ": " : "", doubt ? doubt : "");
	printf("  %-11s ", "evidence");
	text_print(stdout, answer_text(a, "evidence").data ? answer_text(a, "evidence") :
		   text_of("none"), 0);
	if (answer_text(a, "audit_id").data) {
		fputs("; audit record ", stdout);
		text_print(stdout, answer_text(a, "audit_id"), 0);
	}
	putchar('\n');
	for (int i = 0; i < count; i++) {
		printf("  %-11s ", i ? "" : "or else");
		print_process(list[i]);
		fputs(" at ", stdout);
		text_print(stdout, style_time(style, answer_text(list[i], "time"), local), 0);
		putchar('\n');
	}
	if (s->more)
		printf("  %-11s ... and more\n", "");
}

/* Prints the row as an object, with the answer's certainty, and the other candidates. */
static void print_json(const struct answers *s)
{
	const struct answer *a = &s->found[0], *list[ANSWERS_MAX];
	int count = answers_others(s, list);

	for (int i = 0; i < ledger_column_count; i++) {
		struct cell c = a->cells[i];

		if (!strcmp(ledger_columns[i], "certainty"))
			c = (struct cell){ .kind = CELL_TEXT,
					   .text = text_of(answer_certainty(a)) };
		printf("%s\"%s\": ", i ? ", " : "{", ledger_columns[i]);
		output_json(stdout, &c);
	}
	fputs(", \"candidates\": [", stdout);
	for (int k = 0; k < count; k++) {
		printf("%s{\"pid\": ", k ? ", " : "");
		output_json(stdout, answer_cell(list[k], "pid"));
		fputs(", \"exe\": ", stdout);
		output_json(stdout, answer_cell(list[k], "exe"));
		fputs(", \"time\": ", stdout);
		output_json(stdout, answer_cell(list[k], "time"));
		putchar('}');
	}
	puts("]}");
}

/* ADDR:PORT, where the port may be a name, as a table has it. */
static int read_endpoint(const char *text, struct endpoint *e)
{
	const char *colon = strrchr(text, ':');
	char addr[64];
	int32_t port;

	if (!endpoint_parse(text, e))
		return 0;
	if (!colon || (size_t)(colon - text) >= sizeof(addr) || option_port(colon + 1, &port))
		return -EINVAL;
	memcpy(addr, text, (size_t)(colon - text));
	addr[colon - text] = '\0';
	if (endpoint_parse(addr, e) || (*text != '[' && strchr(addr, ':')))
		return -EINVAL;
	e->port = port;
	return 0;
}

static int answer(struct cli *cli, const struct question *q, enum format format, const char *asked)
{
	struct query_db *db = query_open(cli->ledger);
	struct answers found;
	int64_t rows;

	if (!db)
		return CLI_UNREADABLE;
	style_begin(&cli->style, format == FORMAT_TABLE, false);
	rows = answers_find(db, q, &found);
	query_close(db);
	if (rows > 0 && format == FORMAT_JSON)
		print_json(&found);
	else if (rows > 0)
		print_table(&found, asked, &cli->style);
	answers_release(&found);
	if (rows == 0)
		fprintf(stderr, "sockledger who: nothing known of %s\n", asked);
	return rows < 0 ? CLI_UNREADABLE : rows ? CLI_FOUND : CLI_NOTHING;
}

int cmd_who(struct cli *cli, const struct command *self, int argc, char **argv)
{
	static const struct option options[] = {
		{ "at", required_argument, NULL, 'a' },
		{ "format", required_argument, NULL, 'F' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct question q;
	enum format format = FORMAT_TABLE;
	char asked[256];
	int option;

	question_init(&q, clock_now_us());
	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (option == 'h')
			return cli_help(self);
		if (option == 'a' && !time_parse(optarg, clock_now_us(), &q.at_us))
			continue;
		if (option == 'F' && !format_parse(optarg, &format) && format != FORMAT_CSV)
			continue;
		return cli_usage(self, "--at is a time, --format table or json");
	}
	if (argc - optind != 3)
		return cli_usage(self, "wants PROTO SRC:SPORT DST:DPORT");
	if (protocol_parse(argv[optind], &q.protocol))
		return cli_usage(self, "unknown protocol '%s'", argv[optind]);
	for (int i = 1; i <= 2; i++)
		if (read_endpoint(argv[optind + i], i == 1 ? &q.src : &q.dst))
			return cli_usage(self, "'%s' is not ADDR:PORT", argv[optind + i]);
	address_unmap(&q.src.addr);
	address_unmap(&q.dst.addr);
	snprintf(asked, sizeof(asked), "%s %s -> %s", argv[optind], argv[optind + 1],
		 argv[optind + 2]);
	return answer(cli, &q, format, asked);
}
