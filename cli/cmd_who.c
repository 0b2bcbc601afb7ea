/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sockledger who: the process behind one connection, with the evidence.
 *
 * A row with the local port that the user asked for is the answer.  A row from an audit record
 * alone has no local port: then only destination and time identify it, the newest such row is the
 * best answer, and the command names the other candidates with it.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "clock.h"
#include "ledger.h"
#include "ledger_schema.h"
#include "output.h"
#include "protocol.h"
#include "query.h"

/*
 * A row may be this much later than the time asked for, because a record's clock is coarse and a
 * log line may have another host's clock.
 */
#define AFTER_US TIME_US_PER_S
/* Rows without a port are equally good candidates if they are this close in time to the best. */
#define ALIKE_US (60 * TIME_US_PER_S)
/*
 * A row says when a connection began, not how long it lasted: after half an hour, as for a flow, it
 * counts as old.
 */
#define OLD_US (30 * 60 * TIME_US_PER_S)
#define CANDIDATES_MAX 16

struct question {
	int protocol;
	struct endpoint src, dst;
	int64_t at_us;
};

/* A row's texts, kept beyond the query. */
struct answer {
	struct cell cells[40];
	int64_t time_us;
	bool exact;		/* the row has the local port that the user asked for */
	/*
	 * the connection may have ended and its port have gone to another: it began long ago, or a
	 * later connection may have the port
	 */
	bool old;
	bool overtaken;		/* ... because of a later connection */
};

struct search {
	const struct question *asked;
	struct answer found[CANDIDATES_MAX];
	int count;
	bool more;		/* there are more candidates than fit */
};

static const struct cell *column(const struct answer *a, const char *name)
{
	for (int i = 0; i < ledger_column_count; i++)
		if (!strcmp(ledger_columns[i], name))
			return &a->cells[i];
	return NULL;
}

static int64_t number_of(const struct answer *a, const char *name)
{
	const struct cell *c = column(a, name);

	return c->kind == CELL_INTEGER ? c->integer : -1;
}

static struct text text_column(const struct answer *a, const char *name)
{
	const struct cell *c = column(a, name);

	return c->kind == CELL_TEXT ? c->text : TEXT_NONE;
}

static bool same_process(const struct answer *a, const struct answer *b)
{
	return number_of(a, "pid") == number_of(b, "pid") &&
	       text_equal(text_column(a, "node"), text_column(b, "node")) &&
	       text_equal(text_column(a, "exe"), text_column(b, "exe"));
}

static bool sure(const struct answer *a)
{
	return a->exact && !a->old;
}

static int on_row(const struct cell *cells, int columns, void *arg)
{
	struct search *s = arg;
	struct answer *a = &s->found[s->count];

	if (s->count == CANDIDATES_MAX) {
		s->more = true;
		return 1;
	}
	memset(a, 0, sizeof(*a));
	a->time_us = cells[columns - 1].integer;
	for (int i = 0; i < ledger_column_count; i++) {
		char *copy;

		a->cells[i] = cells[i];
		if (cells[i].kind != CELL_TEXT)
			continue;
		copy = malloc(cells[i].text.len + 1);
		if (!copy) {
			a->cells[i].kind = CELL_NULL;
			continue;
		}
		memcpy(copy, cells[i].text.data, cells[i].text.len);
		a->cells[i].text.data = copy;
	}
	a->exact = s->asked->src.port >= 0 && column(a, "sport")->kind == CELL_INTEGER;
	a->old = s->asked->at_us - a->time_us > OLD_US;
	if (s->count && s->found[0].exact && a->time_us > s->found[0].time_us)
		s->found[0].old = s->found[0].overtaken = true;
	s->count++;
	return 0;
}

static void release_search(struct search *s)
{
	for (int k = 0; k < s->count; k++)
		for (int i = 0; i < ledger_column_count; i++)
			if (s->found[k].cells[i].kind == CELL_TEXT)
				free((char *)s->found[k].cells[i].text.data);
}

static void add_endpoint(struct sql *s, const struct endpoint *e, char text[ADDRESS_TEXT_MAX],
			 const char *addr_sql, const char *port_sql)
{
	if (e->addr.family)
		sql_add_text(s, addr_sql, address_format(&e->addr, text));
	if (e->port >= 0)
		sql_add_number(s, port_sql, e->port);
}

/* Finds the newest rows with the local port that the user asked for, or with none, but no older
 * ones than from since_us.  The index of destinations has time and ports. */
static int64_t search_some(struct query_db *db, const struct question *q, bool exact,
			   int64_t since_us, int most, struct search *found)
{
	struct endpoint src = q->src;
	char src_text[ADDRESS_TEXT_MAX], dst_text[ADDRESS_TEXT_MAX];
	struct sql s = { .failed = false };
	int64_t rows;

	sql_add(&s, ledger_select_columns);
	sql_add(&s, ", c.time");
	sql_add(&s, ledger_select_from);
	sql_add_number(&s, " WHERE (c.proto IS NULL OR c.proto = ?)", q->protocol);
	add_endpoint(&s, &q->dst, dst_text, " AND c.dst = (SELECT id FROM text WHERE text = ?)",
		     " AND c.dport = ?");
	if (!exact && q->src.port >= 0) {
		sql_add(&s, " AND c.sport IS NULL");
		src.port = -1;
	}
	add_endpoint(&s, &src, src_text, " AND (tsrc.text IS NULL OR tsrc.text = ?)",
		     " AND c.sport = ?");
	sql_add_number(&s, " AND c.time >= ?", since_us);
	sql_add_number(&s, " AND c.time <= ?", q->at_us + AFTER_US);
	sql_add_number(&s, " ORDER BY c.time DESC, c.id DESC LIMIT ?", most);
	rows = query_run(db, &s, on_row, found);
	sql_release(&s);
	return rows;
}

static int64_t search(struct query_db *db, const struct question *q, struct search *found)
{
	int64_t exact = 0, rest;

	if (q->src.port >= 0)
		exact = search_some(db, q, true, 0, 1, found);
	/* Beside an exact answer others count that are about as old, or newer. */
	rest = search_some(db, q, false, exact > 0 ? found->found[0].time_us - OLD_US : 0,
			   CANDIDATES_MAX + 1, found);
	return exact < 0 || rest < 0 ? -1 : found->count;
}

/* Lists the other candidates, which fit as well as the first. */
static int others(struct search *s, const struct answer *list[CANDIDATES_MAX])
{
	int count = 0;

	for (int k = 1; k < s->count && !sure(&s->found[0]); k++) {
		bool listed = same_process(&s->found[k], &s->found[0]) ||
			      llabs(s->found[0].time_us - s->found[k].time_us) > OLD_US ||
			      (!s->found[0].exact &&
			       s->found[0].time_us - s->found[k].time_us > ALIKE_US);

		for (int i = 0; i < count && !listed; i++)
			listed = same_process(&s->found[k], list[i]);
		if (!listed)
			list[count++] = &s->found[k];
	}
	return count;
}

static void print_text(const char *label, struct text t)
{
	printf("  %-11s ", label);
	text_print(stdout, t.data ? t : text_of(OUTPUT_UNKNOWN), 0);
	putchar('\n');
}

static void print_process(const struct answer *a)
{
	struct text name = text_column(a, "exe");

	if (!name.data)
		name = text_column(a, "comm");
	text_print(stdout, name.data ? name : text_of(OUTPUT_UNKNOWN), 0);
	if (number_of(a, "pid") >= 0)
		printf(" (pid %lld)", (long long)number_of(a, "pid"));
}

static const char *certainty_of(const struct answer *a)
{
	/* The row proves the process, but not that this was its connection. */
	if (!sure(a) && text_equal(text_column(a, "certainty"), text_of("certain")))
		return "inferred";
	return text_equal(text_column(a, "certainty"), text_of("certain")) ? "certain" :
	       text_equal(text_column(a, "certainty"), text_of("inferred")) ? "inferred" :
									       "unknown";
}

static void print_table(struct search *s, const char *asked)
{
	const struct answer *a = &s->found[0], *list[CANDIDATES_MAX];
	int count = others(s, list);

	printf("%s\n  %-11s ", asked, "process");
	print_process(a);
	putchar('\n');
	print_text("command", text_column(a, "cmdline"));
	printf("  %-11s ", "user");
	text_print(stdout, text_column(a, "user").data ? text_column(a, "user") :
		   text_of(OUTPUT_UNKNOWN), 0);
	printf(" (uid %lld)", (long long)number_of(a, "uid"));
	if (text_column(a, "login_user").data) {
		fputs(", logged in as ", stdout);
		text_print(stdout, text_column(a, "login_user"), 0);
	}
	printf("\n  %-11s ", "started by");
	text_print(stdout, text_column(a, "parent_exe").data ? text_column(a, "parent_exe") :
		   text_of(OUTPUT_UNKNOWN), 0);
	printf(" (pid %lld)\n", (long long)number_of(a, "ppid"));
	print_text("time", text_column(a, "time"));
	print_text("verdict", text_column(a, "verdict"));
	printf("  %-11s %s%s\n", "certainty", certainty_of(a), sure(a) ? "" : a->overtaken ?
	       ": a later connection may have the port" :
	       a->exact ? ": it began long before, and the port may have become another's" :
	       column(a, "sport")->kind == CELL_INTEGER ? ": by destination and time" :
	       ": by destination and time; an audit record does not have the local port");
	printf("  %-11s ", "evidence");
	text_print(stdout, text_column(a, "evidence").data ? text_column(a, "evidence") :
		   text_of("none"), 0);
	if (text_column(a, "audit_id").data) {
		fputs("; audit record ", stdout);
		text_print(stdout, text_column(a, "audit_id"), 0);
	}
	putchar('\n');
	for (int i = 0; i < count; i++) {
		printf("  %-11s ", i ? "" : "or else");
		print_process(list[i]);
		fputs(" at ", stdout);
		text_print(stdout, text_column(list[i], "time"), 0);
		putchar('\n');
	}
	if (s->more)
		printf("  %-11s ... and more\n", "");
}

/* Prints the row as an object, with the answer's certainty, and the other candidates. */
static void print_json(struct search *s)
{
	const struct answer *a = &s->found[0], *list[CANDIDATES_MAX];
	int count = others(s, list);

	for (int i = 0; i < ledger_column_count; i++) {
		struct cell c = a->cells[i];

		if (!strcmp(ledger_columns[i], "certainty"))
			c = (struct cell){ .kind = CELL_TEXT, .text = text_of(certainty_of(a)) };
		printf("%s\"%s\": ", i ? ", " : "{", ledger_columns[i]);
		output_json(stdout, &c);
	}
	fputs(", \"candidates\": [", stdout);
	for (int k = 0; k < count; k++) {
		printf("%s{\"pid\": ", k ? ", " : "");
		output_json(stdout, column(list[k], "pid"));
		fputs(", \"exe\": ", stdout);
		output_json(stdout, column(list[k], "exe"));
		fputs(", \"time\": ", stdout);
		output_json(stdout, column(list[k], "time"));
		putchar('}');
	}
	puts("]}");
}

static int answer(struct cli *cli, const struct question *q, enum format format, const char *asked)
{
	struct query_db *db = query_open(cli->ledger);
	struct search found = { .asked = q };
	int64_t rows;

	if (!db)
		return CLI_UNREADABLE;
	rows = search(db, q, &found);
	query_close(db);
	if (rows > 0 && format == FORMAT_JSON)
		print_json(&found);
	else if (rows > 0)
		print_table(&found, asked);
	release_search(&found);
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
	struct question q = { .at_us = clock_now_us() };
	enum format format = FORMAT_TABLE;
	char asked[256];
	int option;

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
		if (endpoint_parse(argv[optind + i], i == 1 ? &q.src : &q.dst))
			return cli_usage(self, "'%s' is not ADDR:PORT", argv[optind + i]);
	address_unmap(&q.src.addr);
	address_unmap(&q.dst.addr);
	snprintf(asked, sizeof(asked), "%s %s -> %s", argv[optind], argv[optind + 1],
		 argv[optind + 2]);
	return answer(cli, &q, format, asked);
}
