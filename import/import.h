/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_IMPORT_H
#define SOCKLEDGER_IMPORT_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Audit logs of the past, of this host or others, into a ledger.  Each row is known by its record
 * (host, time, serial): what is in the ledger already stays, so a log may be imported again, whole
 * or from where an earlier run was stopped.  Nothing is asked of /proc: the log alone tells.
 */
struct import;

struct import_options {
	const char *key;	/* of the rules whose events count; "*": of all */
	const char *node;	/* the host of records that name none */
	/* Called before each piece of a log is read from fd: how many bytes of it have been.
	 * False: stop. */
	bool (*goes_on)(void *arg, int fd, int64_t bytes);
	void *arg;
};

/* What came of all files. */
#define IMPORT_COUNTS(X)                                                                     \
	X(LINES, lines)		/* of the logs */                                            \
	X(ADDED, added)		/* rows that are new */                                      \
	X(KNOWN, known)		/* rows that were there before */                            \
	X(AGAIN, again)		/* events of flows that have a row */                        \
	X(REPEATED, repeated)	/* events that came twice in these files */                  \
	X(OTHER_KEY, other_key)	/* left out: of another rule */                              \
	X(OTHER_CALL, other_call)	/* left out: no call of a socket, or of another family */ \
	X(BAD, bad)		/* lost: no audit record, or one that makes no sense */      \
	X(INCOMPLETE, incomplete)	/* lost: a record is missing */                          \
	X(UNKNOWN_ARCH, unknown_arch)	/* lost: of an architecture that nobody knows */

enum import_count {
#define X(id, name) IMPORT_##id,
	IMPORT_COUNTS(X)
#undef X
	IMPORT_COUNT_COUNT
};

/*
 * Opens the ledger, and makes it where there is none.  options stays borrowed.  0, or an errno of
 * db.h: -EBUSY: another program writes it.
 */
int import_open(const char *ledger, const struct import_options *options, struct import **im);

/* When the file's first record was made; INT64_MAX: it has none.  The file is at its start again
 * afterwards. */
int64_t import_first_us(int fd);

/*
 * Takes a log.  0; -EINTR: goes_on() said so; -EBADMSG, -ENODATA, -EFBIG as unpack_read(), or what
 * read(2) says: what was read of it is taken, and another log may follow.  *ledger_error: it cannot
 * be written, and nothing more can be taken.
 */
int import_log(struct import *im, int fd, int *ledger_error);

/*
 * Commits.  whole: the logs were read to their ends, so that events whose last record has not come
 * are taken as they are.  counts: of IMPORT_COUNT_COUNT.  0, or an errno of db.h.
 */
int import_close(struct import *im, bool whole, int64_t *counts);

#endif
