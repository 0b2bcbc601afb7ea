/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_ANSWER_H
#define SOCKLEDGER_ANSWER_H

#include <stdbool.h>
#include <stdint.h>

#include "output.h"
#include "tuple.h"

struct query_db;

/*
 * Whose connection it was, for `who` and `explain`.
 *
 * A row with the local port that was asked for is the answer.  A row from an audit record alone has
 * no local port: then only destination and time identify it, the newest such row is the best
 * answer, and the others that fit as well are candidates.  Where there is none either, it may be a
 * connection that came in: a record of accept() has the peer's address and port, and not ours.
 */

/*
 * A row may be this much later than the time asked for, because a record's clock is coarse and a
 * log line may have another host's clock.
 */
#define ANSWER_AFTER_US 1000000LL

struct question {
	int protocol;
	struct endpoint src, dst;
	int64_t at_us, after_us;
	int64_t since_us;	/* no older row; 0: any */
	/* What else is known of who sent it.  Rows without a port that contradict count only where
	 * no other ones fit. */
	int64_t uid, gid;	/* of who opened the socket; -1: not known */
	char host[64];		/* the first label of its name, lower case; "": not known */
};

/* No uid, no gid; at at_us. */
void question_init(struct question *q, int64_t at_us);

enum { ANSWER_EXTRA = 3 };	/* euid, fsuid, gid: behind the columns of the view */
#define ANSWERS_MAX 16

/* A row's texts, kept beyond the query. */
struct answer {
	struct cell cells[48];
	int64_t time_us;
	bool exact;		/* the row has the local port that was asked for */
	bool accepted;		/* the row has the peer that was asked for, and no address here */
	/*
	 * the connection may have ended and its port have gone to another: it began long ago, or a
	 * later connection may have the port
	 */
	bool old;
	bool overtaken;		/* ... because of a later connection */
	bool other_uid, other_gid, other_host;	/* the question says otherwise */
};

struct answers {
	const struct question *asked;
	struct answer found[ANSWERS_MAX];	/* the best one first */
	int count;
	bool more;		/* there are more candidates than fit */
	bool accepted;		/* what is found are rows of accept() */
};

/* How many there are; -1: what is wrong was told on stderr. */
int64_t answers_find(struct query_db *db, const struct question *q, struct answers *s);
void answers_release(struct answers *s);

/* The others, which fit as well as the first. */
int answers_others(const struct answers *s, const struct answer *list[ANSWERS_MAX]);

const struct cell *answer_cell(const struct answer *a, const char *column);
/* -1, TEXT_NONE: unknown. */
int64_t answer_number(const struct answer *a, const char *column);
struct text answer_text(const struct answer *a, const char *column);

/* What the answer is worth, which may be less than the row's own certainty; and why it is less,
 * NULL where it is not. */
const char *answer_certainty(const struct answer *a);
const char *answer_doubt(const struct answer *a);

#endif
