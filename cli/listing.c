/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Connections that fit, and those that come. */
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"
#include "clock.h"
#include "listing.h"
#include "progress.h"
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
	if (option == FILTER_UNTIL && time_parse(value, clock_now_us(), &l->end_us))
		return false;
	if (option != OPT_LIMIT)
		return filters_add(&l->find, option, value);
	l->limit = strtoll(value, &end, 10);
	return end != value && !*end && l->limit >= 0;
}

void listing_release(struct listing *l)
{
	find_release(&l->find);
}

/* The signal that said so; a row is being written, and comes to its end first. */
static volatile sig_atomic_t told_to_stop, writing;

static void end_by(int number)
{
	fflush(stdout);
	signal(number, SIG_DFL);
	raise(number);
}

/* Between rows nothing else uses stdout, so what is in its buffer can go out from here. */
static void on_signal(int number)
{
	if (writing)
		told_to_stop = number;
	else
		end_by(number);
}

/* Whoever has another way to end keeps it, as that of a pager. */
static void stop_between_rows(void)
{
	static const int ends[] = { SIGINT, SIGTERM };
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART }, now;

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (!sigaction(ends[i], NULL, &now) && now.sa_handler == SIG_DFL)
			sigaction(ends[i], &action, NULL);
}

static void end_writing(void)
{
	writing = false;
	if (told_to_stop)
		end_by(told_to_stop);
}

static int on_row(const struct cell *cells, int columns, void *arg)
{
	struct listing *l = arg;
	int64_t time_us = cells[columns - 2].integer;
	int rc;

	if (cells[columns - 1].integer > l->last_id)
		l->last_id = cells[columns - 1].integer;
	if (l->last_us && time_us <= l->last_us)
		return 0;
	if (!l->first_us)
		l->first_us = time_us;
	writing = true;
	if (l->progress.out)
		progress_show(&l->progress, clock_mono_ns(), time_us - l->first_us,
			      l->end_us - l->first_us);
	rc = l->row(cells, columns, l->arg);
	end_writing();
	return rc;
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

		writing = true;
		l->flush(l->arg);
		end_writing();
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
	if (!l->end_us)
		l->end_us = query_last_time(s.db);
	stop_between_rows();
	/* Not between rows on the same terminal. */
	if (!isatty(STDOUT_FILENO))
		progress_begin(&l->progress, progress_terminal(), clock_mono_ns());
	rows = find_newest(&l->find, s.db, l->limit, on_row, l);
	progress_end(&l->progress);
	l->progress.out = NULL;
	status = rows < 0 ? CLI_UNREADABLE : rows == 0 ? CLI_NOTHING : CLI_FOUND;
	if (l->follow && rows >= 0)
		status = follow(l, &s);
	/* What is left is written to its end. */
	writing = true;
	query_close(s.db);
	return status;
}
