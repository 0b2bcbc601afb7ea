/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Follows the cache.
 *
 * SQLite's write-ahead log is modified by every commit, so inotify's IN_MODIFY on it wakes a reader
 * within some 50 us of the commit, and costs the writer nothing.  SQLite makes the log for the
 * database's first user and removes it with the last one, so the directory is watched as well.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cache.h"
#include "db.h"
#include "cache_tail.h"
#include "event.h"
#include "failures.h"
#include "log.h"

#define POLL_ROWS 128		/* rows of one cache_tail_poll() */
/* How many old rows are shown again after a start, because their sockets may still be in use. */
#define REPLAY_ROWS 20000
#define TICK_MS 1000
#define ABSENT_MS 100
/* The write to the log wakes this thread a moment before the commit can be seen, because SQLite
 * updates the index in shared memory after it.  So after a wake without a row it looks again,
 * after ever longer times. */
#define AGAIN_FIRST_MS 1
#define AGAIN_LAST_MS 32

struct cache_tail {
	const struct cache_tail_ops *ops;
	void *arg;
	char *path, *dir;
	int inotify;
	int dir_watch, log_watch;
	struct cache_reader *reader;
	int file;		/* the same; -1: none */
	dev_t dev;
	ino_t ino;
	uint64_t seq;		/* shown up to here */
	uint64_t replay_until;
	char generation[40];		/* of the cache that seq is of */
	int again_ms;		/* when to look again; 0: not before something wakes us */
	bool complained;
};

struct cache_tail *cache_tail_new(const char *cache_path, const struct cache_tail_ops *ops,
				  void *arg)
{
	struct cache_tail *f = calloc(1, sizeof(*f));
	char *slash;

	if (!f)
		return NULL;
	f->ops = ops;
	f->arg = arg;
	f->dir_watch = f->log_watch = f->file = -1;
	f->path = strdup(cache_path);
	f->dir = strdup(cache_path);
	f->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (!f->path || !f->dir || f->inotify < 0) {
		cache_tail_free(f);
		return NULL;
	}
	slash = strrchr(f->dir, '/');
	if (slash && slash != f->dir)
		*slash = '\0';
	return f;
}

static void close_reader(struct cache_tail *f)
{
	cache_reader_close(f->reader);
	f->reader = NULL;
	/* Last: with it go all locks of this process on the file (fcntl(2)). */
	if (f->file >= 0)
		close(f->file);
	f->file = -1;
}

void cache_tail_free(struct cache_tail *f)
{
	if (!f)
		return;
	close_reader(f);
	if (f->inotify >= 0)
		close(f->inotify);
	free(f->path);
	free(f->dir);
	free(f);
}

int cache_tail_fd(const struct cache_tail *f)
{
	return f->inotify;
}

int cache_tail_timeout_ms(const struct cache_tail *f)
{
	if (f->again_ms)
		return f->again_ms;
	return f->reader && f->log_watch >= 0 ? TICK_MS : ABSENT_MS;
}

/* True if anything has happened. */
static bool drain_inotify(struct cache_tail *f)
{
	bool woken = false;
	char buf[8192] __attribute__((aligned(__alignof__(struct inotify_event))));
	ssize_t n;

	while ((n = read(f->inotify, buf, sizeof(buf))) > 0) {
		woken = true;
		for (char *p = buf; p < buf + n;) {
			struct inotify_event *e = (struct inotify_event *)p;

			if (e->wd == f->log_watch && (e->mask & (IN_IGNORED | IN_DELETE_SELF)))
				f->log_watch = -1;
			if (e->wd == f->dir_watch && (e->mask & IN_IGNORED))
				f->dir_watch = -1;
			p += sizeof(*e) + e->len;
		}
	}
	return woken;
}

static void plan_next_look(struct cache_tail *f, bool woken, int rows)
{
	if (rows)
		f->again_ms = 0;
	else if (woken)
		f->again_ms = AGAIN_FIRST_MS;
	else
		f->again_ms = f->again_ms < AGAIN_LAST_MS ? f->again_ms * 2 : 0;
}

static void add_watches(struct cache_tail *f)
{
	char log[PATH_MAX];

	if (f->dir_watch < 0)
		f->dir_watch = inotify_add_watch(f->inotify, f->dir,
						 IN_CREATE | IN_MOVED_TO | IN_ONLYDIR);
	if (!cache_signal_path(f->path, log, sizeof(log)))
		f->log_watch = inotify_add_watch(f->inotify, log, IN_MODIFY | IN_DELETE_SELF);
}

/* True if the name belongs to another file by now, or to none.  The open file then gets no new
 * rows. */
static bool was_replaced(const struct cache_tail *f)
{
	struct stat st;

	return stat(f->path, &st) || st.st_dev != f->dev || st.st_ino != f->ino;
}

/* An older copy has had fewer rows: those that come now have numbers that others had. */
static int go_on_in(struct cache_tail *f)
{
	uint64_t first, last;
	int rc = cache_reader_bounds(f->reader, &first, &last);

	if (!rc && last < f->seq)
		f->seq = last;
	return rc;
}

static int open_cache(struct cache_tail *f)
{
	struct stat st = { .st_ino = 0 };
	int64_t done;
	int rc;

	f->file = open(f->path, O_RDONLY | O_CLOEXEC);
	if (f->file < 0 || fstat(f->file, &st))
		rc = -errno;
	else
		rc = cache_reader_open(f->path, &f->reader);
	if (rc) {
		close_reader(f);
		return rc;
	}
	f->dev = st.st_dev;
	f->ino = st.st_ino;
	/* It was replaced just now: reader and file may be two. */
	if (was_replaced(f)) {
		close_reader(f);
		return -ENOENT;
	}
	/* It is the database that was open before, so go on there: the fault has passed. */
	FAILS(STORE_MOVED);
	if (!strcmp(f->generation, cache_reader_generation(f->reader)))
		return go_on_in(f);
	done = f->ops->position(f->arg, cache_reader_generation(f->reader));
	if (done < 0) {
		close_reader(f);
		return (int)done;
	}
	snprintf(f->generation, sizeof(f->generation), "%s", cache_reader_generation(f->reader));
	f->replay_until = (uint64_t)done;
	FAILS(DAEMON_KILLED);
	FAILS(DAEMON_STARTS);
	f->seq = f->replay_until > REPLAY_ROWS ? f->replay_until - REPLAY_ROWS : 0;
	return 0;
}

static int show_row(const struct event *e, void *arg)
{
	struct cache_tail *f = arg;
	uint64_t known = f->seq > f->replay_until ? f->seq : f->replay_until;

	/* A user's rows may be gone while older ones are there. */
	FAILS(CACHE_UNREAD);
	if (e->seq > known + 1)
		f->ops->missed(f->arg, (int64_t)(e->seq - known - 1));
	f->ops->event(f->arg, e, e->seq <= f->replay_until);
	f->seq = e->seq;
	return 0;
}

static void tell_written(const struct cache_tail *f, bool rows)
{
	FAILS(PLUGIN_AWAY);
	if (f->ops->written)
		f->ops->written(f->arg,
				rows || (f->file >= 0 && db_has_writer(f->file)));
}

int cache_tail_poll(struct cache_tail *f)
{
	bool woken = drain_inotify(f);
	int rc = 0;

	if (f->reader && was_replaced(f)) {
		/* Its writer sees that up to a second later, and until then goes on in the open
		 * file.  So read that to its end, and to the end of its being written. */
		bool written = db_has_writer(f->file);

		rc = cache_reader_walk(f->reader, f->seq, POLL_ROWS, show_row, f);
		if (rc > 0) {
			f->ops->followed(f->arg, f->seq);
			return 1;
		}
		if (written || rc == -EBUSY || rc == -ENOMEM) {
			f->again_ms = AGAIN_LAST_MS;
			return 0;
		}
		rc = 0;
		close_reader(f);
	}
	if (!f->reader)
		rc = open_cache(f);
	if (f->log_watch < 0)
		add_watches(f);
	if (!rc)
		rc = cache_reader_walk(f->reader, f->seq, POLL_ROWS, show_row, f);
	if (rc < 0) {
		if (!f->complained && rc != -ENOENT)
			log_warn("cannot read the cache '%s': %s", f->path, db_strerror(rc));
		f->complained = true;
		if (rc != -EBUSY)
			close_reader(f);
		tell_written(f, false);
		return rc;
	}
	f->complained = false;
	plan_next_look(f, woken, rc);
	if (rc > 0 || !woken)
		tell_written(f, rc > 0);
	if (rc > 0 && f->seq > f->replay_until)
		f->ops->followed(f->arg, f->seq);
	return rc == POLL_ROWS;
}
