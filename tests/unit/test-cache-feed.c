/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The cache's rows through the thread that reads them: order, what was followed before, what is
 * missing, a slow taker, and every way to the end. */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <sqlite3.h>

#include "cache.h"
#include "clock.h"
#include "cache_feed.h"
#include "cache_tail.h"
#include "scratch.h"
#include "tap.h"

#define PATIENCE_NS 20000000000LL

static struct taken {
	int begins, events, replays;
	int64_t missed, position;	/* position: what the ledger is to have had */
	uint64_t seq, followed, begun_at;
	bool disorder, foreign, written;
	char generation[64];
	int delay_us;
} got;

static int64_t position(void *arg, const char *generation)
{
	(void)arg;
	(void)generation;
	return got.position;
}

static void on_begin(void *arg, const char *generation, uint64_t seq)
{
	(void)arg;
	got.begins++;
	got.begun_at = seq;
	snprintf(got.generation, sizeof(got.generation), "%s", generation);
}

static void on_event(void *arg, const struct event *e, bool replay)
{
	char exe[64];

	(void)arg;
	if (!got.begins || e->seq != got.seq + 1)
		got.disorder |= got.seq != 0 || !got.begins;
	got.seq = e->seq;
	snprintf(exe, sizeof(exe), "/usr/bin/%llu", (unsigned long long)e->seq);
	got.foreign |= e->kind != EVENT_CONNECT || e->port != 443 ||
		       !text_equal(e->process.exe, text_of(exe));
	if (replay)
		got.replays++;
	else
		got.events++;
	if (got.delay_us)
		usleep((useconds_t)got.delay_us);
}

static void on_followed(void *arg, uint64_t seq)
{
	(void)arg;
	got.disorder |= seq != got.seq || seq <= got.followed;
	got.followed = seq;
}

static void on_missed(void *arg, int64_t rows)
{
	(void)arg;
	got.missed += rows;
}

static const struct cache_feed_ops ops = {
	.position = position, .begin = on_begin, .event = on_event, .followed = on_followed,
	.missed = on_missed,
};

/* Adds rows from seq on; then keeps the newest `keep` of all. */
static void add_rows(struct cache_writer *w, uint64_t seq, int count, int64_t keep)
{
	char exe[64], argument[2000];
	int64_t removed = 1;
	struct event e;
	int rc = cache_writer_begin(w);

	memset(argument, 'x', sizeof(argument));
	for (int i = 0; !rc && i < count; i++, seq++) {
		event_init(&e);
		e.kind = EVENT_CONNECT;
		e.time_us = e.arrival_us = clock_now_us();
		e.serial = (uint32_t)seq;
		e.process.pid = 100;
		e.family = AF_INET;
		e.addr.family = AF_INET;
		e.port = 443;
		e.exit = 0;
		snprintf(exe, sizeof(exe), "/usr/bin/%llu", (unsigned long long)seq);
		e.process.exe = text_of(exe);
		e.process.cmdline = (struct text){ argument, sizeof(argument) };
		rc = cache_writer_add(w, &e);
	}
	while (!rc && keep && removed)
		rc = cache_writer_trim(w, keep, 0, 10000, &removed);
	if (rc || cache_writer_commit(w))
		abort();
}

static void fresh(int64_t done)
{
	memset(&got, 0, sizeof(got));
	got.position = done;
}

/* Takes until there are so many events, or the end; false: neither came. */
static bool take(struct cache_feed *r, int events)
{
	int64_t until = clock_mono_ns() + PATIENCE_NS;
	int rc;

	while (clock_mono_ns() < until) {
		struct pollfd fd = { .fd = cache_feed_fd(r), .events = POLLIN };
		bool idle;

		if (got.events + got.replays >= events || cache_feed_ended(r, &rc))
			return true;
		if (cache_feed_take(r, 50))
			continue;
		idle = cache_feed_prepare_wait(r);
		poll(&fd, 1, idle ? 100 : 0);
		cache_feed_finish_wait(r, fd.revents != 0);
	}
	return false;
}

/* Until the thread has no room: then alone it wakes us again and again, with nothing taken. */
static bool is_full(struct cache_feed *r)
{
	int64_t until = clock_mono_ns() + PATIENCE_NS;
	int wakes = 0;

	while (wakes < 200 && clock_mono_ns() < until) {
		struct pollfd fd = { .fd = cache_feed_fd(r), .events = POLLIN };

		cache_feed_prepare_wait(r);
		poll(&fd, 1, 100);
		cache_feed_finish_wait(r, fd.revents != 0);
		wakes += fd.revents != 0;
	}
	return wakes == 200;
}

static bool to_end(struct cache_feed *r, int *rc)
{
	return take(r, INT32_MAX) && cache_feed_ended(r, rc);
}

static void test_once(const char *path)
{
	struct cache_feed *r;
	int rc = 1;

	fresh(0);
	r = cache_feed_start(path, true, &ops, NULL);
	tap_ok(to_end(r, &rc) && rc == 0, "once: it comes to its end");
	tap_ok(got.begins == 1 && got.begun_at == 0 && got.generation[0] && got.events == 1000 &&
	       !got.replays, "with all rows");
	tap_ok(!got.disorder && !got.foreign && !got.missed && got.followed == 1000,
	       "in order, as they are, up to the last");
	cache_feed_free(r);
	fresh(0);
	r = cache_feed_start(scratch_path("none"), true, &ops, NULL);
	tap_ok(to_end(r, &rc) && rc == -ENOENT && !got.begins && !got.events,
	       "once, and there is no cache: why");
	cache_feed_free(r);
	fresh(-EAGAIN);
	r = cache_feed_start(path, true, &ops, NULL);
	tap_ok(to_end(r, &rc) && rc == -EAGAIN && !got.begins && !got.events,
	       "once, and the ledger cannot be asked now");
	cache_feed_free(r);
}

static void test_replay(const char *path)
{
	struct cache_feed *r;
	int rc = 1;

	fresh(700);
	r = cache_feed_start(path, true, &ops, NULL);
	tap_ok(to_end(r, &rc) && rc == 0 && got.begun_at == 700,
	       "followed up to 700 in an earlier life");
	tap_ok(got.replays == 700 && got.events == 300 && !got.disorder && !got.foreign,
	       "is shown again, marked, before what is new");
	tap_ok(got.followed == 1000, "and counts no more as followed");
	cache_feed_free(r);
}

static void test_live(const char *path, struct cache_writer *w)
{
	struct cache_feed *r;
	int rc = 1;

	fresh(0);
	r = cache_feed_start(path, false, &ops, NULL);
	tap_ok(take(r, 1000) && got.events == 1000, "what is there");
	tap_ok(!cache_feed_ended(r, &rc), "has no end");
	tap_ok(atomic_load(cache_feed_written(r)), "and somebody writes it");
	add_rows(w, 1001, 10, 0);
	tap_ok(take(r, 1010) && got.events == 1010 && !got.disorder,
	       "what comes is shown when it is committed");
	add_rows(w, 1011, 10, 0);
	cache_feed_finish(r);
	tap_ok(to_end(r, &rc) && rc == 0, "finish: an end");
	tap_ok(got.events == 1020 && !got.disorder && got.followed == 1020,
	       "behind all that was committed before");
	cache_feed_free(r);
}

static void test_gathering(const char *path, struct cache_writer *w)
{
	struct cache_feed *r;
	int64_t began;
	int rc = 1;

	fresh(1020);
	r = cache_feed_start(path, false, &ops, NULL);
	tap_ok(take(r, 1020) && got.replays == 1020, "with a rest between");
	add_rows(w, 1021, 10, 0);
	began = clock_mono_ns();
	cache_feed_finish(r);
	tap_ok(to_end(r, &rc) && got.events == 10 && clock_mono_ns() - began < 4000000000LL,
	       "finish does not wait for its end");
	cache_feed_free(r);
}

static void test_missed(const char *path, struct cache_writer *w)
{
	struct cache_feed *r;
	int rc = 1;

	add_rows(w, 1031, 170, 100);	/* 1101 to 1200 are left */
	fresh(1050);
	r = cache_feed_start(path, true, &ops, NULL);
	tap_ok(to_end(r, &rc) && rc == 0 && got.missed == 50,
	       "rows that left before they were followed");
	tap_ok(got.events == 100 && !got.replays && got.seq == 1200 && !got.foreign,
	       "and those behind them");
	cache_feed_free(r);
	fresh(0);
	r = cache_feed_start(path, true, &ops, NULL);
	tap_ok(to_end(r, &rc) && got.missed == 1100 && got.events == 100,
	       "nothing was followed yet: all of them");
	cache_feed_free(r);
}

/* Of rows that nobody has read one user's are gone, and older ones of another user are not. */
static void test_missed_between(void)
{
	const char *path = scratch_path("between");
	struct cache_writer *w;
	struct cache_feed *r;
	sqlite3 *db;
	int rc = 1;

	if (cache_writer_open(path, &w))
		abort();
	add_rows(w, 1, 100, 0);
	if (sqlite3_open(path, &db) ||
	    sqlite3_exec(db, "DELETE FROM event WHERE seq BETWEEN 41 AND 70", NULL, NULL, NULL))
		abort();
	sqlite3_close(db);
	fresh(50);
	r = cache_feed_start(path, true, &ops, NULL);
	tap_ok(to_end(r, &rc) && got.missed == 20 && got.replays == 40 && got.events == 30,
	       "rows that are gone in between are missed, unless they had been followed");
	cache_feed_free(r);
	cache_writer_close(w);
}

/* 6000 rows of two kilobytes are far more than the ring has room for. */
static void test_slow(const char *path, struct cache_writer *w)
{
	struct cache_feed *r;
	int rc = 1;

	add_rows(w, 1201, 6000, 0);
	fresh(1200);
	got.delay_us = 20;
	r = cache_feed_start(path, false, &ops, NULL);
	tap_ok(is_full(r), "the thread waits for room");
	tap_ok(take(r, 3000) && !got.disorder && !got.foreign, "a taker that is slow");
	tap_ok(take(r, 6100) && got.events == 6000 && !got.disorder && !got.foreign && !got.missed,
	       "gets all, in order");
	cache_feed_finish(r);
	tap_ok(to_end(r, &rc), "and the end");
	cache_feed_free(r);
	fresh(1200);
	r = cache_feed_start(path, false, &ops, NULL);
	tap_ok(is_full(r), "it waits again");
	cache_feed_finish(r);
	tap_ok(to_end(r, &rc) && got.events == 6000 && got.followed == 7200,
	       "finish, while the thread waits for room: all that is there");
	cache_feed_free(r);
}

static void test_free(const char *path)
{
	struct cache_feed *r;
	int64_t began = clock_mono_ns();
	int events;

	fresh(1200);
	r = cache_feed_start(path, false, &ops, NULL);
	tap_ok(is_full(r), "and once more");
	cache_feed_take(r, 50);
	events = got.events;
	cache_feed_free(r);
	tap_ok(got.events == events, "free in the middle: nothing more is shown");
	for (int i = 0; i < 20; i++)
		cache_feed_free(cache_feed_start(path, i % 2, &ops, NULL));
	cache_feed_free(NULL);
	tap_ok(clock_mono_ns() - began < PATIENCE_NS, "at once, and always");
}

/* A copy of now takes its name. */
static void copy_over(const char *path)
{
	char copy[PATH_MAX], sql[PATH_MAX + 32];
	sqlite3 *db;

	snprintf(copy, sizeof(copy), "%s.copy", path);
	snprintf(sql, sizeof(sql), "VACUUM INTO '%s'", copy);
	if (sqlite3_open(path, &db) || sqlite3_exec(db, sql, NULL, NULL, NULL))
		abort();
	sqlite3_close(db);
	if (rename(copy, path))
		abort();
}

/* No more descriptors than there are now; -1: as before. */
static void limit_files(int most)
{
	static struct rlimit before;
	struct rlimit limit;

	if (most >= 0 && getrlimit(RLIMIT_NOFILE, &before))
		abort();
	limit = before;
	if (most >= 0)
		limit.rlim_cur = (rlim_t)most;
	if (setrlimit(RLIMIT_NOFILE, &limit))
		abort();
}

/* The descriptor that would be opened next. */
static int next_file(void)
{
	int fd = dup(STDIN_FILENO);

	close(fd);
	return fd;
}

static int64_t tail_position(void *arg, const char *generation)
{
	on_begin(arg, generation, 0);
	return 0;
}

static void on_written(void *arg, bool written)
{
	(void)arg;
	got.written = written;
}

static const struct cache_tail_ops tail_ops = {
	.position = tail_position, .event = on_event, .followed = on_followed, .missed = on_missed,
	.written = on_written,
};

/* More than once, so that it has seen what there is to be seen. */
static void look(struct cache_tail *f)
{
	for (int i = 0; i < 5; i++)
		cache_tail_poll(f);
}

/*
 * A copy takes the cache's name; its writer has not seen that yet, and goes on where it was.  With
 * descriptors and without any, what it writes is followed to the end; then, what is in the file
 * that it begins.
 */
static void test_copied(bool files)
{
	const char *path = scratch_path(files ? "copied" : "copied-no-files");
	const char *how = files ? "a copy" : "a copy, and no descriptors";
	struct cache_writer *w;
	struct cache_tail *f;

	if (cache_writer_open(path, &w))
		abort();
	add_rows(w, 1, 10, 0);
	fresh(0);
	f = cache_tail_new(path, &tail_ops, NULL);
	look(f);
	tap_ok(got.events == 10, "what is there");
	copy_over(path);
	if (!files)
		limit_files(next_file());
	look(f);
	add_rows(w, 11, 10, 0);
	look(f);
	tap_ok(got.events == 20 && !got.disorder, "%s: what its writer adds is followed", how);
	look(f);
	add_rows(w, 21, 10, 0);
	cache_writer_close(w);
	if (!files)
		limit_files(-1);
	look(f);
	tap_ok(got.events == 30 && !got.disorder && !got.missed, "%s: to the last row", how);
	if (unlink(path) || cache_writer_open(path, &w))
		abort();
	got.seq = got.followed = 0;
	add_rows(w, 1, 5, 0);
	look(f);
	tap_ok(got.events == 35 && !got.disorder && got.begins == 2 && !got.missed,
	       "%s: and what is in the file that it begins", how);
	cache_tail_free(f);
	cache_writer_close(w);
}

/* The plugin is there while it has the cache open, whether it writes rows or not. */
static void test_written(void)
{
	const char *path = scratch_path("written");
	struct cache_tail *f = cache_tail_new(path, &tail_ops, NULL);
	struct cache_writer *w;

	fresh(0);
	got.written = true;
	look(f);
	tap_ok(!got.written, "no cache: nobody writes it");
	if (cache_writer_open(path, &w))
		abort();
	look(f);
	tap_ok(got.written, "its writer has it open");
	add_rows(w, 1, 10, 0);
	look(f);
	tap_ok(got.written && got.events == 10, "and has written");
	cache_writer_close(w);
	look(f);
	tap_ok(!got.written, "and is gone");
	if (cache_writer_open(path, &w))
		abort();
	add_rows(w, 11, 10, 0);
	cache_tail_poll(f);
	tap_ok(got.written && got.events == 20, "rows tell that it is there again");
	cache_writer_close(w);
	cache_tail_free(f);
}

int main(void)
{
	struct cache_writer *w;
	char path[PATH_MAX];

	scratch_make();
	snprintf(path, sizeof(path), "%s", scratch_path("cache"));
	if (cache_writer_open(path, &w))
		abort();
	add_rows(w, 1, 1000, 0);
	test_once(path);
	test_replay(path);
	test_live(path, w);
	test_gathering(path, w);
	test_missed(path, w);
	test_missed_between();
	test_slow(path, w);
	test_free(path);
	test_copied(true);
	test_copied(false);
	test_written();
	cache_writer_close(w);
	return tap_done();
}
