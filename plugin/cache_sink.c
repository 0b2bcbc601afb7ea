/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The cache as a committer's store: events to rows, counters beside them, bounds. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cache.h"
#include "clock.h"
#include "committer.h"
#include "config.h"
#include "counters.h"
#include "db.h"
#include "diag.h"
#include "event.h"
#include "failures.h"
#include "kernel_lost.h"
#include "log.h"
#include "loss.h"
#include "text.h"
#include "trusted.h"
#include "cache_sink.h"

#define TRIM_MOST 8192		/* rows removed by one commit; more than one brings */
#define TRIM_BYTES_MOST 32768	/* likewise for the bytes, because old rows may be small ones */
#define FIT_ROWS_MIN 1024
#define COUNTERS_NS 50000000LL	/* counters are written at most this often under load */

struct cache_sink {
	struct committer *committer;
	struct counters *counters;
	struct cache_writer *cache;
	char *path;
	/* of the file that was open last */
	char generation[40];
	dev_t dev;
	ino_t ino;
	int64_t max_rows, max_bytes, max_age_us;
	int64_t fit_rows;		/* what a disk that was full has room for; -1: not known */
	const char *config_path;
	atomic_bool reload;
	_Atomic(struct config *) fresh;
	int64_t counters_ns;
	int64_t base[PLUGIN_COUNTER_COUNT];	/* counted in earlier lives */
	int64_t written[PLUGIN_COUNTER_COUNT];
	int64_t seen[PLUGIN_COUNTER_COUNT];	/* when the transaction began */
	int64_t kernel_raw;		/* the kernel's count when it was last asked; -1: never */
	int64_t boot;			/* which boot this is */
	int64_t life;			/* which run of the plugin */
	bool opened_before;
	bool written_once;		/* boot and life are in this database */
	_Atomic int64_t last_serial;	/* of an earlier life in the same boot; -1: none */
	struct loss_log losses[CACHE_LOSSES];
};

static int64_t boot_number(void)
{
	char id[64];
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, id, sizeof(id));

	if (fd >= 0)
		close(fd);
	return n > 0 ? (int64_t)(text_hash(TEXT_HASH_SEED, id, (size_t)n) >> 1) : 0;
}

static int load_counter(struct cache_sink *w, int i, int64_t life)
{
	int64_t base = 0;
	int rc = life ? cache_writer_get(w->cache, counter_name(i), &base) : 0;

	if (life && w->opened_before)
		base -= count_get(w->counters, i);
	w->base[i] = base;
	return rc;
}

/* Of an earlier life in the same boot: the kernel's count, and the serial to go on from. */
static int load_last(struct cache_sink *w)
{
	int64_t raw, serial;
	int rc = cache_writer_get(w->cache, "kernel_lost_raw", &raw);

	if (!rc)
		rc = cache_writer_get(w->cache, counter_name(COUNT_SERIAL), &serial);
	if (rc)
		return rc;
	w->kernel_raw = raw;
	if (!w->opened_before)
		atomic_store(&w->last_serial, serial);
	return 0;
}

/*
 * Counters go on from where an earlier life of the plugin left them.  A database that this life has
 * written already is only open again; one that is new to it gets what is counted from now on, and
 * an empty one (after a damaged one was set aside) all of this life.
 */
static int load_counters(struct cache_sink *w)
{
	int64_t life, boot = 0;
	int rc = cache_writer_get(w->cache, "life", &life);

	if (!rc)
		rc = cache_writer_get(w->cache, "boot", &boot);
	for (int i = 0; !rc && i < PLUGIN_COUNTER_COUNT; i++) {
		if (life != w->life)
			rc = load_counter(w, i, life);
		if (i == COUNT_SERIAL || i == COUNT_PROBE)
			w->base[i] = 0;
		w->written[i] = -1;
	}
	w->written_once = false;
	if (!rc && boot == w->boot && life != w->life)
		rc = load_last(w);
	w->opened_before |= !rc;
	return rc;
}

bool cache_sink_last_serial(struct cache_sink *w, uint32_t *serial)
{
	int64_t last = atomic_load(&w->last_serial);

	*serial = (uint32_t)last;
	return last > 0;
}

static void store_close(void *store)
{
	struct cache_sink *w = store;

	cache_writer_close(w->cache);
	w->cache = NULL;
}

/* A copy of the file that was open, as a backup is, has taken its name.  Its numbers would be used
 * again, and who follows the cache has read them in the other file. */
static bool is_copy(struct cache_sink *w)
{
	const char *generation = cache_writer_generation(w->cache);
	struct stat st;
	bool copy;

	if (stat(w->path, &st))
		return false;
	copy = !strcmp(w->generation, generation) && (st.st_dev != w->dev || st.st_ino != w->ino);
	if (copy) {
		FAILS(CACHE_COPY);
		log_warn("'%s' is a copy of the cache that was there", w->path);
		return true;
	}
	snprintf(w->generation, sizeof(w->generation), "%s", generation);
	w->dev = st.st_dev;
	w->ino = st.st_ino;
	return false;
}

static int store_open(void *store)
{
	struct cache_sink *w = store;
	int rc;

	rc = cache_writer_open(w->path, &w->cache);
	/* It is a cache: one that a newer version made is of no use to this one. */
	if (rc == -EPROTO) {
		FAILS(CACHE_NEWER);
		rc = -EUCLEAN;
	}
	if (!rc && is_copy(w))
		rc = -EUCLEAN;
	if (!rc)
		rc = load_counters(w);
	if (rc)
		store_close(w);
	return rc;
}

/*
 * What the read side counts it counts after handing the events over: counters that were read
 * before the ring was emptied never speak of rows that are not there yet.
 */
static int store_begin(void *store)
{
	struct cache_sink *w = store;

	for (int i = 0; i < PLUGIN_COUNTER_COUNT; i++)
		w->seen[i] = count_get(w->counters, i);
	return cache_writer_begin(w->cache);
}

static int store_add(void *store, const void *item)
{
	return cache_writer_add(((struct cache_sink *)store)->cache, item);
}

/* What the kernel has lost since we last asked, also between two lives of the plugin.  Its count
 * begins anew at a boot, and when it is reset. */
static void ask_kernel(struct cache_sink *w)
{
	int64_t raw = kernel_lost();

	if (raw < 0)
		return;
	FAILS(KERNEL_LOST);
	if (raw > w->kernel_raw && w->kernel_raw >= 0)
		count_add(w->counters, COUNT_LOST_KERNEL, raw - w->kernel_raw);
	w->kernel_raw = raw;
}

/* Rows and the serial to go on from belong to every commit; the others come when there is time. */
static int put_counters(struct cache_sink *w, bool all)
{
	int rc = all ? cache_writer_set(w->cache, "kernel_lost_raw", w->kernel_raw) : 0;

	if (!rc && all)
		rc = cache_writer_set(w->cache, "boot", w->boot);
	if (!rc && all)
		rc = cache_writer_set(w->cache, "life", w->life);
	for (int i = 0; !rc && i < PLUGIN_COUNTER_COUNT; i++) {
		int64_t value = w->base[i] + w->seen[i];

		if (value == w->written[i] || (!all && i != COUNT_ROWS && i != COUNT_SERIAL))
			continue;
		rc = cache_writer_set(w->cache, counter_name(i), value);
		if (!rc)
			w->written[i] = value;
	}
	return rc;
}

static bool counters_changed(const struct cache_sink *w)
{
	for (int i = 0; i < PLUGIN_COUNTER_COUNT; i++)
		if (w->base[i] + count_get(w->counters, i) != w->written[i])
			return true;
	return false;
}

static bool store_dirty(void *store)
{
	return counters_changed(store);
}

static int store_finish(void *store, int64_t items, bool drained)
{
	struct cache_sink *w = store;
	int64_t now = clock_mono_ns(), trimmed = 0, more = 0, max_rows = w->max_rows;
	bool counters = drained && (!items || now - w->counters_ns >= COUNTERS_NS);
	int rc;

	if (w->fit_rows >= 0 && w->fit_rows < max_rows)
		max_rows = w->fit_rows;
	rc = cache_writer_trim(w->cache, max_rows, clock_now_us() - w->max_age_us, TRIM_MOST,
			       &trimmed);
	if (!rc)
		rc = cache_writer_trim_bytes(w->cache, w->max_bytes, TRIM_BYTES_MOST, &more);
	trimmed += more;
	w->seen[COUNT_ROWS] += items;
	w->seen[COUNT_TRIMMED] += trimmed;
	if (!rc && drained)
		rc = put_counters(w, counters || !w->written_once);
	if (!rc)
		rc = cache_writer_commit(w->cache);
	if (rc)
		return rc;
	count_add(w->counters, COUNT_ROWS, items);
	count_add(w->counters, COUNT_TRIMMED, trimmed);
	w->written_once = w->written_once || drained;
	if (counters)
		w->counters_ns = now;
	return 0;
}

static void store_rollback(void *store)
{
	struct cache_sink *w = store;

	cache_writer_rollback(w->cache);
	memset(w->written, 0xff, sizeof(w->written));
}

/* Some of the oldest rows go, in a transaction that fits into the log's file as it is. */
static int drop_oldest(struct cache_sink *w)
{
	int64_t rows = cache_writer_rows(w->cache), trimmed = 0;
	int rc = cache_writer_reuse_log(w->cache);

	if (!rc)
		rc = cache_writer_begin(w->cache);
	if (!rc)
		rc = cache_writer_trim(w->cache, rows - rows / 10 - 1, 0, TRIM_MOST / 4, &trimmed);
	if (!rc)
		rc = trimmed ? cache_writer_commit(w->cache) : -ENOSPC;
	if (rc)
		cache_writer_rollback(w->cache);
	else
		count_add(w->counters, COUNT_TRIMMED, trimmed);
	return rc;
}

/*
 * The disk is full.  Where not even removing rows fits on it, the file itself goes, and a new one
 * is begun: it is a cache, and whoever follows it still has the old one open to read to its end.
 * The new one stays at half of what fitted, so that this does not happen over and over; reading
 * the configuration again lifts that.
 */
static int store_make_room(void *store)
{
	struct cache_sink *w = store;
	int64_t rows;
	int rc;

	FAILS(CACHE_DISK_FULL);
	if (!drop_oldest(w))
		return 0;
	rows = cache_writer_rows(w->cache);
	count_add(w->counters, COUNT_TRIMMED, rows);
	store_close(w);
	w->fit_rows = rows / 2 > FIT_ROWS_MIN ? rows / 2 : FIT_ROWS_MIN;
	log_warn("the disk of the cache '%s' is full: it is removed, and a new one of at most %"
		 PRId64 " rows is begun", w->path, w->fit_rows);
	db_remove(w->path);
	rc = store_open(w);
	return rc ? rc : cache_writer_small_log(w->cache);
}

static void store_set_aside(void *store)
{
	db_set_aside(((struct cache_sink *)store)->path);
}

static void free_config(struct config *c)
{
	if (c)
		config_release(c);
	free(c);
}

/* On this thread: reading a file and logging may wait. */
static void reload(struct cache_sink *w)
{
	struct diags d = { .out = NULL };
	struct config *c = calloc(1, sizeof(*c));
	char *path;

	if (!c || config_init(c)) {
		free(c);
		return;
	}
	if (config_load(c, w->config_path, &d) || !trusted_config(c, w->config_path, &d)) {
		FAILS(CONFIG_BAD);
		log_error("the configuration has %u mistakes and was not taken over; see them with "
			  "'audisp-sockledger --test'", d.count);
		free_config(c);
		return;
	}
	path = strdup(c->cache);
	if (path) {
		bool moved = strcmp(w->path, path) != 0;

		free(w->path);
		w->path = path;
		w->max_rows = c->cache_rows;
		w->max_age_us = c->cache_age_us;
		w->max_bytes = c->cache_bytes;
		w->fit_rows = -1;
		if (moved)
			committer_reopen(w->committer);
	}
	log_info("the configuration was read again");
	free_config(atomic_exchange(&w->fresh, c));
}

static int64_t lost(const struct cache_sink *w, const char *what)
{
	for (int i = 0; i < PLUGIN_COUNTER_COUNT; i++)
		if (!strcmp(counter_name(i), what))
			return count_get(w->counters, i);
	return 0;
}

static void note_losses(struct cache_sink *w)
{
	int64_t now = clock_mono_ns();

	for (int i = 0; i < CACHE_LOSSES; i++)
		loss_note(&w->losses[i], &cache_losses[i], lost(w, cache_losses[i].name), now);
}

static int store_idle(void *store)
{
	struct cache_sink *w = store;

	if (atomic_exchange(&w->reload, false))
		reload(w);
	ask_kernel(w);
	note_losses(w);
	return cache_writer_shrink(w->cache);
}

static bool store_moved(void *store)
{
	return cache_writer_moved(((struct cache_sink *)store)->cache);
}

static const char *store_path(void *store)
{
	return ((struct cache_sink *)store)->path;
}

static const struct committer_ops ops = {
	.what = "cache",
	.open = store_open,
	.close = store_close,
	.begin = store_begin,
	.add = store_add,
	.finish = store_finish,
	.rollback = store_rollback,
	.make_room = store_make_room,
	.set_aside = store_set_aside,
	.idle = store_idle,
	.dirty = store_dirty,
	.moved = store_moved,
	.path = store_path,
};

static void free_writer(struct cache_sink *w)
{
	free_config(atomic_load(&w->fresh));
	free(w->path);
	free(w);
}

struct cache_sink *cache_sink_start(const struct config *c, const char *config_path,
			    struct counters *counters, int interrupt)
{
	struct cache_sink *w = calloc(1, sizeof(*w));
	int error;

	if (!w)
		return NULL;
	w->config_path = config_path;
	w->counters = counters;
	w->max_rows = c->cache_rows;
	w->max_age_us = c->cache_age_us;
	w->max_bytes = c->cache_bytes;
	w->fit_rows = -1;
	w->kernel_raw = -1;
	atomic_store(&w->last_serial, -1);
	w->boot = boot_number();
	w->life = clock_now_us() << 8 | (getpid() & 0xff);
	w->path = strdup(c->cache);
	if (w->path)
		w->committer = committer_start(&ops, w, (size_t)c->buffer_bytes,
					       interrupt);
	if (w->committer)
		return w;
	error = errno;
	free_writer(w);
	errno = error;
	return NULL;
}

bool cache_sink_put(struct cache_sink *w, const struct event *e, enum committer_patience patience)
{
	char cmdline[PROCESS_TEXT_BYTES], cwd[PROCESS_TEXT_BYTES];
	struct event cut = *e;
	void *room;

	cut.process.cmdline = text_cut(e->process.cmdline, sizeof(cmdline), cmdline);
	cut.process.cwd = text_cut(e->process.cwd, sizeof(cwd), cwd);
	room = committer_reserve(w->committer, event_pack_size(&cut), patience);
	if (!room) {
		FAILS(CACHE_RING_FULL);
		count_add(w->counters, COUNT_LOST_BUFFER, 1);
		return false;
	}
	event_pack(&cut, room);
	committer_publish(w->committer);
	return true;
}

void cache_sink_kick(struct cache_sink *w)
{
	committer_kick(w->committer);
}

void cache_sink_reload(struct cache_sink *w)
{
	atomic_store(&w->reload, true);
	committer_kick(w->committer);
}

struct config *cache_sink_new_config(struct cache_sink *w)
{
	if (!atomic_load_explicit(&w->fresh, memory_order_relaxed))
		return NULL;
	return atomic_exchange(&w->fresh, NULL);
}

int cache_sink_stop(struct cache_sink *w, int timeout_ms)
{
	int64_t lost;
	int rc = committer_stop(w->committer, timeout_ms, &lost);

	free_writer(w);
	return rc;
}
