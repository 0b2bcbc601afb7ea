/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_AUDIT_PARSE_H
#define SOCKLEDGER_AUDIT_PARSE_H

struct event;
struct assembled;

/* One assembled event through libauparse into a struct event.  The only user of auparse.h. */
struct audit_parser;

enum audit_result {
	AUDIT_OURS,
	AUDIT_OTHER_KEY,	/* another rule wrote it */
	AUDIT_OTHER_FAMILY,	/* neither IPv4 nor IPv6 */
	AUDIT_NO_ADDRESS,	/* a send or accept without an address, or with a lost one */
	AUDIT_BAD_ADDRESS,
	AUDIT_UNKNOWN_ARCH,	/* ours, of an architecture whose calls nobody can tell apart */
	AUDIT_BAD,		/* libauparse found no event, or a field is missing or not a
				 * number */
	AUDIT_NO_MEMORY,
};

/* NULL where memory is short. */
struct audit_parser *audit_parser_new(void);
void audit_parser_free(struct audit_parser *p);

/*
 * Fills *e where the result is AUDIT_OURS; its texts belong to the parser until its next call, the
 * node's name to the assembled event.
 * audit_key: as in config.h; AUDIT_KEY_ANY: also of rules without a key.
 */
enum audit_result audit_parse(struct audit_parser *p, const struct assembled *a,
				const char *audit_key, struct event *e);

#endif
