/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A ledger of ROWS connections over 30 days, by the writer that sockledgerd has.
 *
 *   bench/ledger_rows FILE ROWS [SEED]
 *   bench/ledger_rows --keep N FILE ROWS [SEED]
 *
 * With --keep the ledger is there already: the rows come now, and the oldest go, so that N stay.
 *
 * Programs, users and destinations are shared out as on a busy host: few have most of the rows, and
 * each program has destinations of its own.  Of seven rows five come from packets, and are amended
 * as their records and the ends of their flows come.  Beside the crowd there are four addresses and
 * programs to ask for:
 *
 *   192.0.2.1     /usr/bin/busy      a tenth of all rows, all the time
 *   192.0.2.2     /usr/bin/once      as many, in the first three days alone
 *   192.0.2.3     /usr/bin/rare      twenty rows
 *   192.0.2.4     /usr/bin/never     none
 *
 * Most rows are written with the memory that `sockledger import` has, the last ones with what
 * sockledgerd has.  It prints how many rows and changes it wrote a second, and its own memory.
 */
#include <math.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "clock.h"
#include "ledger.h"

#define DAYS 30
#define DAY_US (86400LL * TIME_US_PER_S)
#define PROGRAMS 300
#define PROCESSES 256		/* that live at a time */
#define BUSY_ADDRESSES 400
#define OTHER_ADDRESSES 20000
#define RARE_ROWS 20
#define TRANSACTION 2000	/* changes */
#define LATER 512		/* rows whose record, or end, is still to come */
#define LAST_ROWS 100000	/* as sockledgerd writes them */

enum { CROWD, BUSY, ONCE, RARE };

struct process_now {
	int64_t pid, start_us;
	int program, user;
	char comm[16], exe[40], cmdline[80], parent[40];
};

struct bench {
	struct ledger_writer *w;
	uint64_t random, rows, all, changes, last_id;
	int64_t from_us, now_us, next_pid, removed;
	struct ledger_limits limits;	/* rows 0: nothing goes */
	struct process_now process[PROCESSES];
	struct process_now of[4];	/* who is asked for */
	struct { struct connection c; struct process_now p; bool flow; } later[LATER];
	int in_transaction;
};

static uint32_t draw(struct bench *b, uint32_t below)
{
	b->random ^= b->random << 13;
	b->random ^= b->random >> 7;
	b->random ^= b->random << 17;
	return (uint32_t)((b->random >> 32) * below >> 32);
}

/* The first ones far more often than the last. */
static uint32_t draw_skewed(struct bench *b, uint32_t below)
{
	double at = (double)draw(b, 1 << 20) / (1 << 20);

	return (uint32_t)(pow((double)below + 1, at) - 1);
}

static void check(int rc, const char *what)
{
	if (!rc)
		return;
	fprintf(stderr, "bench/ledger_rows: %s: %s\n", what, strerror(-rc));
	exit(1);
}

static void start_process(struct bench *b, struct process_now *p, const char *name, int program)
{
	b->next_pid = b->next_pid > 4000000 ? 300 : b->next_pid + 1 + draw(b, 5);
	p->pid = b->next_pid;
	p->start_us = b->now_us - (int64_t)draw(b, 3000000);
	p->program = program;
	p->user = program % 5 ? 1000 + (program * 7 + (int)draw(b, 3)) % 40 : 0;
	snprintf(p->exe, sizeof(p->exe), "/usr/bin/%s", name);
	snprintf(p->comm, sizeof(p->comm), "%.15s", name);
	snprintf(p->cmdline, sizeof(p->cmdline), "%s --job %u --quiet", name, draw(b, 50000));
	snprintf(p->parent, sizeof(p->parent), "/usr/sbin/parent-%d", program % 20);
}

/* One of those that run; some live for one connection, some for thousands. */
static struct process_now *choose_process(struct bench *b)
{
	uint32_t i = draw_skewed(b, PROCESSES);
	struct process_now *p = &b->process[i];
	char name[24];

	if (!p->pid || draw(b, PROCESSES) < i / 3) {
		int program = (int)draw_skewed(b, PROGRAMS);

		snprintf(name, sizeof(name), "program-%d", program);
		start_process(b, p, name, program);
	}
	return p;
}

static void address_of(struct address *a, uint32_t kind, uint32_t n)
{
	memset(a, 0, sizeof(*a));
	a->family = kind == 2 ? AF_INET6 : AF_INET;
	a->bytes[0] = kind == 2 ? 0x20 : kind ? 100 : 198;
	a->bytes[1] = kind == 2 ? 0x01 : kind ? 64 + (uint8_t)(n >> 16) % 64 : 18;
	a->bytes[2] = (uint8_t)(n >> 8);
	a->bytes[3] = (uint8_t)n;
	if (kind == 2)
		a->bytes[15] = (uint8_t)(n >> 16);
}

/* Seven of ten rows of a program go to one of its eight places, which others may have as well. */
static void choose_destination(struct bench *b, const struct process_now *p, struct endpoint *dst)
{
	static const int ports[] = { 443, 443, 443, 80, 53, 5432, 22, 6379 };
	uint32_t kind = draw(b, 10), n;

	if (kind < 7)
		n = ((uint32_t)p->program * 31 + draw_skewed(b, 8) * 17) % BUSY_ADDRESSES;
	else if (kind < 9)
		n = draw(b, OTHER_ADDRESSES);
	else
		n = draw(b, 0x3fffff);
	address_of(&dst->addr, kind < 7 ? 0 : kind < 9 ? 1 : 2, n);
	dst->port = ports[n % 8];
}

/* Which of those that are asked for this row is of. */
static int choose_kind(struct bench *b)
{
	uint64_t every = b->all / RARE_ROWS;

	if (every && b->rows % every == every / 2)
		return RARE;
	if (b->now_us - b->from_us < 3 * DAY_US)
		return draw(b, 10) ? CROWD : ONCE;
	return draw(b, 10) ? CROWD : BUSY;
}

static const struct process_now *describe(struct bench *b, struct connection *c)
{
	static const char *const names[] = { "", "busy", "once", "rare" };
	int kind = choose_kind(b);
	struct process_now *p = &b->of[kind];

	if (kind == CROWD) {
		p = choose_process(b);
		choose_destination(b, p, &c->dst);
	} else {
		if (!p->pid || !draw(b, 50))
			start_process(b, p, names[kind], 1 + 4 * kind);
		address_of(&c->dst.addr, 0, 0);
		c->dst.addr.bytes[0] = 192;
		c->dst.addr.bytes[1] = 0;
		c->dst.addr.bytes[2] = 2;
		c->dst.addr.bytes[3] = (uint8_t)kind;
		c->dst.port = draw(b, 4) ? 443 : 80;
	}
	return p;
}

static void set_process(struct connection *c, const struct process_now *p)
{
	c->process.pid = p->pid;
	c->process.start_ticks = p->start_us / 10000 % 1000000000;
	c->start_us = p->start_us;
	c->process.ppid = 1 + p->program % 20;
	c->process.uid = c->process.euid = c->process.fsuid = c->process.gid = p->user;
	c->process.auid = p->user ? p->user : -1;
	c->process.session = p->user ? p->user + 7 : -1;
	c->process.netns = 4026531840;
	c->process.exe_seen = EXE_HERE;
	c->process.comm = text_of(p->comm);
	c->process.exe = text_of(p->exe);
	c->process.cmdline = text_of(p->cmdline);
	c->process.cwd = text_of("/");
	c->text[CONNECTION_PARENT_EXE] = text_of(p->parent);
	c->text[CONNECTION_ANCESTORS] = text_of("/usr/sbin/parent < /usr/lib/systemd/systemd");
	c->text[CONNECTION_UNIT] = text_of("some.service");
}

static void trim(struct bench *b)
{
	int64_t removed;

	if (!b->limits.rows)
		return;
	check(ledger_writer_trim(b->w, &b->limits, b->now_us, 2 * TRANSACTION, &removed), "trim");
	b->removed += removed;
}

static void apply(struct bench *b, const struct ledger_change *change)
{
	check(ledger_apply(b->w, change), "a change");
	b->changes++;
	if (++b->in_transaction < TRANSACTION)
		return;
	trim(b);
	check(ledger_writer_set_position(b->w, "bench", b->changes), "position");
	check(ledger_writer_commit(b->w), "commit");
	check(ledger_writer_begin(b->w), "begin");
	b->in_transaction = 0;
}

/* What came behind the packet: its record, a proof, the flow's end. */
static void amend(struct bench *b, unsigned int slot)
{
	struct connection *c = &b->later[slot].c;
	struct ledger_change change;

	if (!c->id)
		return;
	ledger_change_init(&change, CHANGE_CONFIRM, c->id);
	change.connection = *c;
	set_process(&change.connection, &b->later[slot].p);
	change.connection.evidence = c->evidence | EVIDENCE_AUDIT;
	change.connection.certainty = draw(b, 20) ? CERTAINTY_CERTAIN : CERTAINTY_INFERRED;
	change.connection.audit_us = c->time_us - 1000;
	change.connection.audit_serial = (uint32_t)c->id * 3;
	apply(b, &change);
	if (b->later[slot].flow) {
		ledger_change_init(&change, CHANGE_FLOW, c->id);
		change.packets = 4 + draw(b, 100);
		change.bytes = change.packets * 700;
		change.end_us = b->now_us;
		apply(b, &change);
	}
	c->id = 0;
}

static void add_packet(struct bench *b, struct connection *c, const struct process_now *p)
{
	unsigned int slot = (unsigned int)(c->id % LATER);
	bool in = !draw(b, 12);

	c->text[CONNECTION_RULE] = text_of(draw(b, 3) ? "default" : "accept to 198.18.0.0/16");
	c->src.port = 32768 + (int)draw(b, 28000);
	c->verdict = draw(b, 60) ? VERDICT_ACCEPT : VERDICT_DROP;
	c->latency_us = 60 + draw(b, 400);
	c->evidence = EVIDENCE_INODE | EVIDENCE_TRACE;
	c->certainty = CERTAINTY_INFERRED;
	address_of(&c->src.addr, 0, 0);
	c->src.addr.bytes[3] = 9;
	if (in) {
		struct endpoint e = c->src;

		c->direction = DIRECTION_IN;
		c->src.addr = c->dst.addr;
		c->dst.addr = e.addr;
	}
	if (!draw(b, 150)) {
		process_init(&c->process);
		c->certainty = CERTAINTY_UNKNOWN;
		c->evidence = 0;
		c->text[CONNECTION_REASON] = text_of("gone");
		c->text[CONNECTION_PARENT_EXE] = c->text[CONNECTION_ANCESTORS] = TEXT_NONE;
		c->text[CONNECTION_UNIT] = TEXT_NONE;
		return;
	}
	b->later[slot].c = *c;
	b->later[slot].p = *p;
	b->later[slot].flow = draw(b, 3) != 0;
}

static void add_row(struct bench *b)
{
	struct ledger_change change;
	struct connection *c = &change.connection;
	const struct process_now *p;

	b->rows++;
	ledger_change_init(&change, CHANGE_ADD, ++b->last_id);
	amend(b, (unsigned int)(b->last_id % LATER));
	c->time_us = b->now_us + (int64_t)draw(b, 4000);
	c->direction = DIRECTION_OUT;
	c->protocol = draw(b, 4) ? IPPROTO_TCP : IPPROTO_UDP;
	p = describe(b, c);
	set_process(c, p);
	c->text[CONNECTION_NODE] = text_of("host");
	if (draw(b, 7) < 5) {
		add_packet(b, c, p);
	} else {
		c->verdict = VERDICT_OBSERVED;
		c->evidence = EVIDENCE_AUDIT | (draw(b, 3) ? EVIDENCE_FD : 0);
		c->certainty = c->evidence & EVIDENCE_FD ? CERTAINTY_CERTAIN : CERTAINTY_INFERRED;
		c->audit_us = c->time_us;
		c->audit_serial = (uint32_t)c->id * 3;
	}
	apply(b, &change);
}

static void open_ledger(struct bench *b, const char *path)
{
	check(ledger_writer_open(path, &b->w), path);
	check(ledger_writer_begin(b->w), "begin");
	b->in_transaction = 0;
}

static double processor_s(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

/* Adds rows until there are `until`, commits and closes the ledger. */
static void add_rows(struct bench *b, uint64_t until, const char *how)
{
	double seconds, processor = processor_s();
	uint64_t rows = b->rows, changes = b->changes;
	int64_t began = clock_mono_ns();
	struct rusage usage;

	while (b->rows < until) {
		b->now_us = b->limits.rows ? clock_now_us() :
			    b->from_us + (int64_t)((double)b->rows / (double)b->all *
						   (double)(DAYS * DAY_US));
		add_row(b);
	}
	check(ledger_writer_commit(b->w), "commit");
	ledger_writer_close(b->w);
	seconds = (double)(clock_mono_ns() - began) / 1e9;
	rows = b->rows - rows;
	getrusage(RUSAGE_SELF, &usage);
	printf("%llu rows, %llu changes in %.1f s, %s: %.0f rows a second, %.1f us of the processor"
	       " a row, %ld KiB\n", (unsigned long long)rows,
	       (unsigned long long)(b->changes - changes), seconds, how, (double)rows / seconds,
	       (processor_s() - processor) * 1e6 / (double)rows, usage.ru_maxrss);
	if (b->limits.rows)
		printf("%lld of the oldest rows went\n", (long long)b->removed);
}

int main(int argc, char **argv)
{
	int64_t keep = 0;
	struct bench *b;

	if (argc > 3 && !strcmp(argv[1], "--keep")) {
		keep = strtoll(argv[2], NULL, 10);
		argc -= 2;
		argv += 2;
	}
	if (argc < 3 || argc > 4 || strtoll(argv[2], NULL, 10) < 1) {
		fputs("Usage: bench/ledger_rows [--keep N] FILE ROWS [SEED]\n", stderr);
		return 2;
	}
	b = calloc(1, sizeof(*b));
	if (!b)
		abort();
	b->limits.rows = keep;
	b->all = (uint64_t)strtoll(argv[2], NULL, 10);
	b->random = 88172645463325252ULL + (argc > 3 ? strtoull(argv[3], NULL, 10) : 0);
	b->from_us = clock_now_us() - DAYS * DAY_US;
	if (!keep && b->all > LAST_ROWS) {
		open_ledger(b, argv[1]);
		check(ledger_writer_take_room(b->w), "memory");
		add_rows(b, b->all - LAST_ROWS, "with the memory of an import");
	}
	open_ledger(b, argv[1]);
	b->last_id = ledger_writer_next_id(b->w) - 1;
	add_rows(b, b->all, "with sockledgerd's");
	free(b);
	return 0;
}
