/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_COLLECTOR_H
#define SOCKLEDGER_COLLECTOR_H

#include <stddef.h>
#include <stdint.h>

/* Where rows go: a database over the network, told by a URL. */
struct collector;

struct collector_options {
	const char *url;	/* all texts are borrowed; NULL: not given */
	const char *password_file;
	const char *ca, *cert, *key;	/* files, of HTTPS */
	int timeout_s;		/* of one batch */
	int end;		/* readable: give up */
};

enum sent {
	SENT,			/* the collector has them, for good */
	SEND_LATER,		/* it is not there, or not well */
	SEND_LESS,		/* so many at once are too many, or take too long */
	SEND_REFUSED,		/* a person has to do something */
	SEND_ENDED,		/* options.end became readable */
};

#define COLLECTOR_WHY 1024

/*
 * A collector for this URL; nothing is asked of it yet.  0, or -errno with what is wrong in `why`.
 */
int collector_open(const struct collector_options *o, struct collector **c,
		   char why[COLLECTOR_WHY]);
void collector_close(struct collector *c);
/* Its place without a password, as one line. */
const char *collector_place(const struct collector *c);
/* Sends rows, a JSON object a line.  What is not SENT may be there all the same: it is sent again.
 * why: what is wrong, and what to do. */
enum sent collector_send(struct collector *c, const char *lines, size_t len,
			 char why[COLLECTOR_WHY]);


/* The kinds. */
struct collector_ops {
	int (*open)(const struct collector_options *o, void **state, char *place, size_t size,
		    char why[COLLECTOR_WHY]);
	void (*close)(void *state);
	enum sent (*send)(void *state, const char *lines, size_t len, char why[COLLECTOR_WHY]);
};

extern const struct collector_ops clickhouse, postgres;

/* The first line of a file, to be freed; NULL: errno tells. */
char *collector_password(const char *path);

#endif
