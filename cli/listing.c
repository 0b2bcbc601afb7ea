/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Connections that fit, and those that come. */
#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"
#include "clock.h"
#include "listing.h"
#include "query.h"

#define FOLLOW_MS 100
/* A file that cannot be read yet is being made; after so long that is told. */
#define MADE_NS 5000000000LL

enum { OPT_LIMIT = FILTERS_OPTION + FILTERS, OPT_FOLLOW };

/* The ledger that is read, and which file it is. */
struct source {
	const char *path;
	struct query_db *db;
	int64_t version;	/* its rows have been shown up to this */
	dev_t dev;
	ino_t ino;
};

void listing_options(struct option *options)
{
	filters_options(options);
	options[FILTERS] = (struct option){ "limit", required_argument, NULL, OPT_LIMIT };
	options[FILTERS + 1] = (struct option){ "follow", no_argument, NULL, OPT_FOLLOW };
}

bool listing_option(struct listing *l, int option, const char *value)
{
	char *end;

	if (option == OPT_FOLLOW) {
		l->follow = true;
		return true;
	}
	if (option != OPT_LIMIT)
		return filters_add(&l->find, option, value);
	l->limit = strtoll(value, &end, 10);
	return end != value && !*end && l->limit >= 0;
}

void listing_release(struct listing *l)
{
	find_release(&l->find);
}

static int on_row(const struct cell *cells, int columns, void *arg)
{
	struct listing *l = arg;

	if (cells[columns - 1].integer > l->last_id)
		l->last_id = cells[columns - 1].integer;
	if (l->last_us && cells[columns - 2].integer <= l->last_us)
		return 0;
	return l->row(cells, columns, l->arg);
}

/* Waits a moment.  A program that writes nothing gets no EPIPE, so poll for a closed pipe. */
static bool reader_is_gone(void)
{
	struct pollfd fd = { .fd = STDOUT_FILENO, .events = 0 };

	return poll(&fd, 1, FOLLOW_MS) > 0 && (fd.revents & (POLLERR | POLLHUP | POLLNVAL));
}

/* Its path is another file's by now, or nobody's. */
static bool is_replaced(const struct source *s)
{
	struct stat st;

	return stat(s->path, &st) || st.st_dev != s->dev || st.st_ino != s->ino;
}

/* Which file it is is asked first: one that comes between is seen as another one later. */
static int open_source(struct source *s)
{
	struct stat st = { .st_ino = 0 };
	int rc;

	stat(s->path, &st);
	s->dev = st.st_dev;
	s->ino = st.st_ino;
	rc = query_try(s->path, &s->db);
	s->version = -1;
	return rc;
}

/* Another file has the ledger's name: goes on with what is newer there.  False where whoever reads
 * is gone. */
static bool reopen(struct listing *l, struct source *s)
{
	int64_t since_ns = clock_mono_ns(), newest_us = query_last_time(s->db);
	bool told = false;
	int rc;

	if (newest_us > l->last_us)
		l->last_us = newest_us;
	query_close(s->db);
	while ((rc = open_source(s)) != 0) {
		if (!told && clock_mono_ns() - since_ns > MADE_NS) {
			query_complain(s->path, rc);
			told = true;
		}
		if (reader_is_gone())
			return false;
	}
	l->last_id = 0;
	return true;
}

/* Shows what came.  False: the data cannot be read. */
static bool show_new(struct listing *l, struct source *s)
{
	int64_t last_id = query_last_id(s->db);

	if (find_behind(&l->find, s->db, l->last_id, on_row, l) < 0)
		return false;
	if (last_id > l->last_id)
		l->last_id = last_id;
	return true;
}

static int follow(struct listing *l, struct source *s)
{
	for (;;) {
		bool replaced = false;
		int64_t now;

		l->flush(l->arg);
		if (ferror(stdout))
			return CLI_FOUND;
		while ((now = query_version(s->db)) == s->version && !replaced) {
			if (reader_is_gone())
				return CLI_FOUND;
			replaced = is_replaced(s);
		}
		s->version = now;
		/* Of the file that was replaced, what came at last. */
		if (!show_new(l, s))
			return CLI_UNREADABLE;
		if (replaced && !reopen(l, s))
			return CLI_FOUND;
	}
}

int listing_show(struct listing *l, const char *ledger)
{
	struct source s = { .path = ledger };
	int rc = open_source(&s), status;
	int64_t rows;

	if (rc) {
		query_complain(ledger, rc);
		return CLI_UNREADABLE;
	}
	s.version = query_version(s.db);
	l->last_id = query_last_id(s.db);
	rows = find_newest(&l->find, s.db, l->limit, on_row, l);
	status = rows < 0 ? CLI_UNREADABLE : rows == 0 ? CLI_NOTHING : CLI_FOUND;
	if (l->follow && rows >= 0)
		status = follow(l, &s);
	query_close(s.db);
	return status;
}
