/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_RECORD_H
#define SOCKLEDGER_RECORD_H

#include "event.h"

struct assembled;

/* One assembled event through libauparse into a struct event.  The only user of auparse.h. */
struct record_parser;

enum record_result {
	RECORD_OURS,
	RECORD_OTHER_KEY,	/* no rule of ours wrote it */
	RECORD_OTHER_FAMILY,	/* neither IPv4 nor IPv6 */
	RECORD_NO_ADDRESS,	/* a send or accept whose address was lost, or never was */
	RECORD_BAD_ADDRESS,
	RECORD_BAD,		/* libauparse found no event, or a field is missing or no number */
};

/* NULL where memory is short. */
struct record_parser *record_parser_new(void);
void record_parser_free(struct record_parser *p);

/*
 * Fills *e where the result is RECORD_OURS; its texts belong to the parser until its next call, the
 * node's name to the assembled event.
 * audit_key is the key that our rules carry.
 */
enum record_result record_parse(struct record_parser *p, const struct assembled *a,
				const char *audit_key, struct event *e);

#endif
