/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_EXPLAIN_H
#define SOCKLEDGER_EXPLAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "answer.h"
#include "log_head.h"
#include "packet_line.h"

struct query_db;

/* A line of a firewall's log, and whose packet it was. */
struct explained {
	struct packet_line line;
	const struct packet_tuple *asked;	/* an ICMP error's is what it is about */
	struct log_head head;
	bool has_time;
	int64_t at_us;
	char assumed[160];	/* about the time; "": nothing */
	struct answers found;	/* count 0: none */
	bool other_zone;	/* the row's time differs from the line's as zones do */
	bool reversed;		/* it is a packet of the other side */
	const char *unreadable;	/* NULL: the line could be read */
	char because[512];	/* "": the answer needs no word more */
};

/* How lines are read. */
struct explain_rules {
	struct stamp_rules stamp;
	bool zone_told, boot_told;	/* the user said so */
	char zone[64];			/* as it is named */
	const char *host;		/* of all lines; NULL: what each says */
};

/* What another logger wrapped the line in: its time and host, where it said so. */
struct log_wrap {
	int64_t at_us;		/* -1: not said */
	struct text host;
};

/*
 * Answers a line; `line` must stay.  The result: 1; 0 where it has no packet; -1 where the ledger
 * cannot be read, which was told on stderr.  e is released by explained_release() after 1.
 */
int explain_line(struct query_db *db, const struct explain_rules *rules, struct text line,
		 const struct log_wrap *wrap, struct explained *e);
void explained_release(struct explained *e);

#endif
