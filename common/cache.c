/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The cache's schema and access.
 *
 * It lives on /run and is made anew when it cannot be read, so it is not synced to a disk
 * (synchronous = OFF): a killed process loses nothing that was committed, only a dying kernel
 * does, and then /run is gone as well.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/random.h>

#include <sqlite3.h>

#include "cache.h"
#include "clock.h"
#include "db.h"

static const char *const steps[] = {
	"CREATE TABLE event ("
	" seq INTEGER PRIMARY KEY,"	/* order of arrival */
	" arrival INTEGER NOT NULL,"	/* microseconds since the epoch: when it was read */
	" time INTEGER NOT NULL,"	/* the same, of the record's own stamp */
	" serial INTEGER NOT NULL,"
	" kind TEXT NOT NULL,"		/* event_kind_name() */
	" pid INTEGER, ppid INTEGER, fd INTEGER,"
	" family INTEGER, type INTEGER, protocol INTEGER," /* AF_, SOCK_, IPPROTO_ */
	" addr TEXT, port INTEGER,"
	" exit INTEGER,"
	" uid INTEGER, gid INTEGER, euid INTEGER, fsuid INTEGER, auid INTEGER, session INTEGER,"
	" inode INTEGER,"		/* of the socket behind fd */
	" start_time INTEGER,"		/* of the process: clock ticks since boot */
	" netns INTEGER,"
	" node TEXT, comm TEXT, exe TEXT, cmdline TEXT, label TEXT,"
	" user TEXT, login_user TEXT, cgroup TEXT, cwd TEXT"
	");"
	"CREATE TABLE counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;",
	"ALTER TABLE event ADD COLUMN replaced INTEGER;",	/* 1: exe's file, since it began */
	/* of accept(): the descriptor that was listened on, and the socket behind it */
	"ALTER TABLE event ADD COLUMN listener INTEGER;"
	"ALTER TABLE event ADD COLUMN listener_inode INTEGER;",
	/* enum exe_seen; the file that exe was, its change in nanoseconds since the epoch */
	"ALTER TABLE event ADD COLUMN exe_seen INTEGER;"
	"ALTER TABLE event ADD COLUMN exe_dev INTEGER;"
	"ALTER TABLE event ADD COLUMN exe_inode INTEGER;"
	"ALTER TABLE event ADD COLUMN exe_ctime INTEGER;",
};

static const struct db_schema schema = {
	.application_id = 0x736c6361,	/* "slca" */
	.version = sizeof(steps) / sizeof(steps[0]),
	.steps = steps,
};

/* Far beyond what can be counted to, and far from where numbers end. */
#define SEQ_MAX (1LL << 62)
/* What a row takes beside its texts, roughly; how many are looked at for those of one user. */
#define ROW_BYTES 150
#define LOOK_ROWS 2048
/* The year 9999, in microseconds: a time that is none is taken for the epoch. */
#define TIME_MAX_US 253402300799999999LL

/* The event's own numbers that may be unknown, each a column of that name. */
#define EACH_NUMBER(X) \
	X(fd) X(family) X(type) X(protocol) X(port) X(inode) X(listener) X(listener_inode)

/* The columns, from 0, in the order of COLUMNS; parameters of the insert count from 1. */
enum column {
	C_SEQ, C_ARRIVAL, C_TIME, C_SERIAL, C_KIND, C_EXIT, C_ADDR, C_NODE, C_NUMBERS,
#define ONE(...) + 1
	C_PROCESS_NUMBERS = C_NUMBERS EACH_NUMBER(ONE),
#undef ONE
	C_PROCESS_TEXTS = C_PROCESS_NUMBERS + PROCESS_NUMBERS,
};

#define NUMBER(field) ", " #field
#define PROCESS_NUMBER(field, column) ", " column
#define COLUMNS                                                                                  \
	"seq, arrival, time, serial, kind, exit, addr, node" EACH_NUMBER(NUMBER)                 \
	PROCESS_EACH_NUMBER(PROCESS_NUMBER) PROCESS_EACH_TEXT(NUMBER, NUMBER)
#define ONE_MORE(...) ", ?"
#define PARAMETERS                                                                               \
	"?, ?, ?, ?, ?, ?, ?, ?" EACH_NUMBER(ONE_MORE) PROCESS_EACH_NUMBER(ONE_MORE)             \
	PROCESS_EACH_TEXT(ONE_MORE, ONE_MORE)

static const size_t number_offset[] = {
#define OFFSET(field) offsetof(struct event, field),
	EACH_NUMBER(OFFSET)
#undef OFFSET
};

#define NUMBERS (C_PROCESS_NUMBERS - C_NUMBERS)

struct cache_writer {
	char generation[33];
	int lock;			/* held for as long as the database is open */
	struct db_log log;
	sqlite3 *db;
	sqlite3_stmt *begin, *commit, *insert, *oldest, *trim, *set, *sample, *look, *remove;
	uint64_t last, last_committed;
	uint64_t first, first_committed;	/* a lower bound of the oldest row */
	int64_t rows, rows_committed;
	int64_t heavy;			/* whose rows a trim by bytes takes away; -1: nobody's */
	uint64_t heavy_at;		/* ... and how far it has looked for them */
	uint64_t random;
};

static int make_generation(sqlite3 *db)
{
	char sql[128];
	uint64_t id[2];

	if (getrandom(id, sizeof(id), 0) != sizeof(id))
		return -EIO;
	snprintf(sql, sizeof(sql),
		 "INSERT OR IGNORE INTO meta VALUES ('epoch', '%016" PRIx64 "%016" PRIx64 "')",
		 id[0], id[1]);
	return db_exec(db, sql);
}

static int read_generation(sqlite3 *db, char generation[33])
{
	sqlite3_stmt *stmt;
	int rc = db_prepare(db, "SELECT value FROM meta WHERE name = 'epoch'", &stmt);

	if (rc)
		return rc;
	rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW) {
		struct text t = db_column_text(stmt, 0);

		snprintf(generation, 33, "%s", t.data ? t.data : "");
	}
	sqlite3_finalize(stmt);
	return rc == SQLITE_ROW ? 0 : rc == SQLITE_DONE ? -EUCLEAN : db_errno(rc);
}

static int prepare_writer(struct cache_writer *w)
{
	int64_t first = 0, last = 0;
	int rc = db_exec(w->db, "PRAGMA synchronous = OFF; PRAGMA cache_size = -1024;"
				"PRAGMA wal_autocheckpoint = 500;"
				"PRAGMA journal_size_limit = 8388608");

	if (!rc)
		rc = make_generation(w->db);
	if (!rc)
		rc = read_generation(w->db, w->generation);
	if (!rc)
		rc = db_number(w->db, "SELECT ifnull(max(seq), 0) FROM event", &last);
	if (!rc)
		rc = db_number(w->db, "SELECT ifnull(min(seq), 1) FROM event", &first);
	if (!rc)
		rc = db_number(w->db, "SELECT count(*) FROM event", &w->rows);
	if (!rc)
		rc = db_prepare(w->db, "SELECT ifnull(uid, -1), ifnull(length(cmdline), 0) +"
				" ifnull(length(exe), 0) + ifnull(length(cwd), 0) +"
				" ifnull(length(cgroup), 0) FROM event WHERE seq = ?", &w->sample);
	if (!rc)
		rc = db_prepare(w->db, "SELECT seq, ifnull(uid, -1) FROM event WHERE seq > ?"
				" ORDER BY seq LIMIT ?", &w->look);
	if (!rc)
		rc = db_prepare(w->db, "DELETE FROM event WHERE seq = ?", &w->remove);
	if (!rc)
		rc = db_prepare(w->db, "BEGIN IMMEDIATE", &w->begin);
	if (!rc)
		rc = db_prepare(w->db, "COMMIT", &w->commit);
	if (!rc)
		rc = db_prepare(w->db, "INSERT INTO event (" COLUMNS ") VALUES (" PARAMETERS ")",
				&w->insert);
	if (!rc)
		rc = db_prepare(w->db, "SELECT seq FROM event WHERE seq < ?1 AND arrival >= ?2"
				" ORDER BY seq LIMIT 1", &w->oldest);
	if (!rc)
		rc = db_prepare(w->db, "DELETE FROM event WHERE seq < ?", &w->trim);
	if (!rc)
		rc = db_prepare(w->db, "INSERT OR REPLACE INTO counter VALUES (?, ?)", &w->set);
	if (!rc && (first < 1 || last < 0 || last > SEQ_MAX))
		rc = -EUCLEAN;
	if (!rc) {
		w->last = w->last_committed = (uint64_t)last;
		w->first = w->first_committed = (uint64_t)first;
		w->rows_committed = w->rows;
		w->heavy = -1;
		w->random = (uint64_t)last;
	}
	return rc;
}

int cache_writer_open(const char *path, struct cache_writer **out)
{
	struct cache_writer *w = calloc(1, sizeof(*w));
	int rc;

	if (!w)
		return -ENOMEM;
	w->lock = db_lock_writer(path);
	rc = w->lock < 0 ? w->lock : db_open_write(path, &schema, &w->db);
	if (!rc)
		rc = prepare_writer(w);
	if (rc) {
		cache_writer_close(w);
		return rc;
	}
	w->log = db_log_of(path);
	*out = w;
	return 0;
}

void cache_writer_close(struct cache_writer *w)
{
	if (!w)
		return;
	sqlite3_finalize(w->begin);
	sqlite3_finalize(w->commit);
	sqlite3_finalize(w->insert);
	sqlite3_finalize(w->oldest);
	sqlite3_finalize(w->trim);
	sqlite3_finalize(w->set);
	sqlite3_finalize(w->sample);
	sqlite3_finalize(w->look);
	sqlite3_finalize(w->remove);
	db_close_written(w->db, w->lock, w->log);
	free(w);
}

const char *cache_writer_generation(const struct cache_writer *w)
{
	return w->generation;
}

bool cache_writer_moved(const struct cache_writer *w)
{
	return db_moved(w->lock, sqlite3_db_filename(w->db, NULL));
}

int cache_writer_begin(struct cache_writer *w)
{
	return db_run(w->begin);
}

int cache_writer_commit(struct cache_writer *w)
{
	int rc = db_run(w->commit);

	if (!rc) {
		w->last_committed = w->last;
		w->first_committed = w->first;
		w->rows_committed = w->rows;
	}
	return rc;
}

void cache_writer_rollback(struct cache_writer *w)
{
	/* Some errors end the transaction by themselves; then there is nothing to roll back. */
	if (!sqlite3_get_autocommit(w->db))
		db_exec(w->db, "ROLLBACK");
	w->last = w->last_committed;
	w->first = w->first_committed;
	w->rows = w->rows_committed;
	w->heavy = -1;
}

int cache_writer_add(struct cache_writer *w, const struct event *e)
{
	sqlite3_stmt *s = w->insert;
	char addr[ADDRESS_TEXT_MAX];
	int rc;

	sqlite3_bind_int64(s, C_SEQ + 1, (sqlite3_int64)(w->last + 1));
	sqlite3_bind_int64(s, C_ARRIVAL + 1, e->arrival_us);
	sqlite3_bind_int64(s, C_TIME + 1, e->time_us);
	sqlite3_bind_int64(s, C_SERIAL + 1, e->serial);
	sqlite3_bind_text(s, C_KIND + 1, event_kind_name(e->kind), -1, SQLITE_STATIC);
	sqlite3_bind_int64(s, C_EXIT + 1, e->exit);
	for (int i = 0; i < NUMBERS; i++)
		db_bind_known(s, C_NUMBERS + i + 1,
			      *(const int64_t *)((const char *)e + number_offset[i]));
	for (int i = 0; i < PROCESS_NUMBERS; i++)
		db_bind_known(s, C_PROCESS_NUMBERS + i + 1, e->process.number[i]);
	if (e->addr.family)
		db_bind_text(s, C_ADDR + 1, text_of(address_format(&e->addr, addr)));
	else
		sqlite3_bind_null(s, C_ADDR + 1);
	db_bind_text(s, C_NODE + 1, e->node);
	for (int i = 0; i < PROCESS_TEXTS; i++)
		db_bind_text(s, C_PROCESS_TEXTS + i + 1, e->process.text[i]);
	rc = db_run(s);
	if (!rc) {
		w->last++;
		w->rows++;
	}
	return rc;
}

#define SAMPLES 64
#define TRIES (4 * SAMPLES)

struct share {
	int64_t uid, bytes;
};

/* A row with that number: *uid is its user, and what it takes comes back; 0: there is none. */
static int64_t look_at(struct cache_writer *w, uint64_t seq, int64_t *uid)
{
	int64_t bytes = 0;

	sqlite3_bind_int64(w->sample, 1, (sqlite3_int64)seq);
	if (sqlite3_step(w->sample) == SQLITE_ROW) {
		*uid = sqlite3_column_int64(w->sample, 0);
		bytes = ROW_BYTES + sqlite3_column_int64(w->sample, 1);
	}
	sqlite3_reset(w->sample);
	return bytes;
}

/*
 * Who has more than half of what the rows take; -1: nobody.  By a sample of the newest numbers, as
 * many as there are rows: further back there may be few rows and many gaps.
 */
static int64_t find_heavy(struct cache_writer *w)
{
	uint64_t range = (uint64_t)w->rows < w->last ? (uint64_t)w->rows : w->last;
	struct share user[SAMPLES];
	int64_t all = 0;
	int users = 0, found = 0, n;

	for (int i = 0; i < TRIES && found < SAMPLES && range; i++) {
		int64_t uid, bytes;

		w->random = w->random * 6364136223846793005ULL + 1442695040888963407ULL;
		bytes = look_at(w, w->last - (w->random >> 16) % range, &uid);
		if (!bytes)
			continue;
		for (n = 0; n < users && user[n].uid != uid; n++)
			;
		if (n == users)
			user[users++] = (struct share){ .uid = uid };
		user[n].bytes += bytes;
		all += bytes;
		found++;
	}
	for (n = 0; n < users; n++)
		if (user[n].bytes > all / 2)
			return user[n].uid;
	return -1;
}

/* Removes up to `most` of the oldest rows of the user that has most, where one has. */
static int trim_heavy(struct cache_writer *w, int64_t most, int64_t *removed)
{
	int64_t seq[LOOK_ROWS], heavy = find_heavy(w);
	int looked = 0, count = 0, rc = 0;

	*removed = 0;
	if (heavy < 0)
		return 0;
	if (w->heavy != heavy || w->heavy_at < w->first)
		w->heavy_at = w->first - 1;
	w->heavy = heavy;
	sqlite3_bind_int64(w->look, 1, (sqlite3_int64)w->heavy_at);
	sqlite3_bind_int64(w->look, 2, LOOK_ROWS);
	while (count < most && sqlite3_step(w->look) == SQLITE_ROW) {
		looked++;
		w->heavy_at = (uint64_t)sqlite3_column_int64(w->look, 0);
		/* The newest row stays, and its number with it. */
		if (sqlite3_column_int64(w->look, 1) == heavy && w->heavy_at < w->last)
			seq[count++] = (int64_t)w->heavy_at;
	}
	sqlite3_reset(w->look);
	if (looked < LOOK_ROWS && count < most)
		w->heavy = -1;		/* from the beginning, if there is a next time */
	for (int i = 0; !rc && i < count; i++) {
		sqlite3_bind_int64(w->remove, 1, seq[i]);
		rc = db_run(w->remove);
	}
	*removed = rc ? 0 : count;
	w->rows -= *removed;
	return rc;
}

/* Those at the beginning, up to what is young enough and no more rows than that. */
static int trim_oldest(struct cache_writer *w, int64_t max_rows, int64_t oldest_us, int64_t most,
		       int64_t *removed)
{
	uint64_t keep_from = w->first, by_age = w->last;
	int64_t first;
	int rc;

	*removed = 0;
	/* Where rows are missing in between fewer go, and the next call goes on. */
	if (w->rows > max_rows)
		keep_from = w->first + (uint64_t)(w->rows - max_rows);
	/* The first row that is young enough; rows arrive in order, so the scan is what goes. */
	sqlite3_bind_int64(w->oldest, 1, (sqlite3_int64)w->last);
	sqlite3_bind_int64(w->oldest, 2, oldest_us);
	if (sqlite3_step(w->oldest) == SQLITE_ROW)
		by_age = (uint64_t)sqlite3_column_int64(w->oldest, 0);
	sqlite3_reset(w->oldest);
	if (by_age > keep_from)
		keep_from = by_age;
	if (keep_from - w->first > (uint64_t)most)
		keep_from = w->first + (uint64_t)most;
	if (keep_from > w->last)
		keep_from = w->last;
	if (keep_from <= w->first)
		return 0;
	sqlite3_bind_int64(w->trim, 1, (sqlite3_int64)keep_from);
	rc = db_run(w->trim);
	if (rc)
		return rc;
	*removed = sqlite3_changes(w->db);
	rc = db_number(w->db, "SELECT ifnull(min(seq), 1) FROM event", &first);
	w->rows -= *removed;
	w->first = rc ? keep_from : (uint64_t)first;
	return rc;
}

int cache_writer_trim(struct cache_writer *w, int64_t max_rows, int64_t oldest_us, int64_t most,
		      int64_t *removed)
{
	int64_t some;
	int rc = 0;

	*removed = 0;
	if (max_rows < 1)
		max_rows = 1;
	if (w->last == 0)
		return 0;
	do {
		int64_t excess = w->rows - max_rows;

		some = 0;
		if (excess > most - *removed)
			excess = most - *removed;
		if (excess > 0)
			rc = trim_heavy(w, excess, &some);
		*removed += some;
	} while (!rc && some);
	if (!rc)
		rc = trim_oldest(w, max_rows, oldest_us, most - *removed, &some);
	*removed += some;
	return rc;
}

int cache_writer_trim_bytes(struct cache_writer *w, int64_t max_bytes, int64_t most,
			    int64_t *removed)
{
	int64_t bytes, some, by_this;
	int rc;

	*removed = 0;
	while (!(rc = db_used_bytes(w->db, &bytes)) && bytes > max_bytes && *removed < most &&
	       w->rows > 1) {
		/* As many as that would take if all were of one size, and go on from there. */
		some = w->rows * (bytes - max_bytes) / bytes + 1;
		if (some > most - *removed)
			some = most - *removed;
		rc = trim_heavy(w, some, &by_this);
		if (!rc && !by_this)
			rc = trim_oldest(w, w->rows - some, INT64_MIN, some, &by_this);
		*removed += by_this;
		if (rc || !by_this)
			break;
	}
	return rc;
}

int cache_writer_shrink(struct cache_writer *w)
{
	return db_shrink(w->db);
}

int cache_writer_reuse_log(struct cache_writer *w)
{
	return db_exec(w->db, "PRAGMA wal_checkpoint(RESTART)");
}

int cache_writer_small_log(struct cache_writer *w)
{
	return db_exec(w->db, "PRAGMA wal_autocheckpoint = 32; PRAGMA journal_size_limit = 262144");
}

int64_t cache_writer_rows(const struct cache_writer *w)
{
	return w->rows;
}

int cache_writer_set(struct cache_writer *w, const char *name, int64_t value)
{
	sqlite3_bind_text(w->set, 1, name, -1, SQLITE_STATIC);
	sqlite3_bind_int64(w->set, 2, value);
	return db_run(w->set);
}

int cache_writer_get(struct cache_writer *w, const char *name, int64_t *value)
{
	sqlite3_stmt *stmt;
	int rc = db_prepare(w->db, "SELECT value FROM counter WHERE name = ?", &stmt);

	*value = 0;
	if (rc)
		return rc;
	sqlite3_bind_text(stmt, 1, name, -1, SQLITE_STATIC);
	rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW)
		*value = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return db_errno(rc);
}

struct cache_reader {
	sqlite3 *db;
	sqlite3_stmt *walk, *bounds;
	char generation[33];
};

int cache_reader_open(const char *path, struct cache_reader **out)
{
	struct cache_reader *r = calloc(1, sizeof(*r));
	int rc;

	if (!r)
		return -ENOMEM;
	rc = db_open_read(path, &schema, &r->db);
	if (!rc)	/* read in the order of the table: no page is wanted twice */
		rc = db_exec(r->db, "PRAGMA cache_size = -64");
	if (!rc)
		rc = read_generation(r->db, r->generation);
	if (!rc)
		rc = db_prepare(r->db, "SELECT " COLUMNS " FROM event WHERE seq > ? ORDER BY seq"
				" LIMIT ?", &r->walk);
	if (!rc)
		rc = db_prepare(r->db, "SELECT ifnull(min(seq), 0), ifnull((SELECT max(seq)"
				" FROM event), 0) FROM event", &r->bounds);
	if (rc) {
		cache_reader_close(r);
		return rc;
	}
	*out = r;
	return 0;
}

void cache_reader_close(struct cache_reader *r)
{
	if (!r)
		return;
	sqlite3_finalize(r->walk);
	sqlite3_finalize(r->bounds);
	sqlite3_close(r->db);
	free(r);
}

const char *cache_reader_generation(const struct cache_reader *r)
{
	return r->generation;
}

int cache_reader_bounds(struct cache_reader *r, uint64_t *first, uint64_t *last)
{
	int rc = sqlite3_step(r->bounds);

	if (rc == SQLITE_ROW) {
		*first = (uint64_t)sqlite3_column_int64(r->bounds, 0);
		*last = (uint64_t)sqlite3_column_int64(r->bounds, 1);
	}
	sqlite3_reset(r->bounds);
	return db_errno(rc);
}

static int64_t read_time(sqlite3_stmt *s, int column)
{
	int64_t us = sqlite3_column_int64(s, column);

	return us < 0 || us > TIME_MAX_US ? 0 : us;
}

/* The row as an event, its texts borrowed from the statement.  SQLite may lack the memory for a
 * text, and only its last error tells that from a row that has none. */
static int read_row(sqlite3_stmt *s, struct event *e)
{
	struct text addr = db_column_text(s, C_ADDR);

	event_init(e);
	e->seq = (uint64_t)sqlite3_column_int64(s, C_SEQ);
	e->arrival_us = read_time(s, C_ARRIVAL);
	e->time_us = read_time(s, C_TIME);
	e->serial = (uint32_t)sqlite3_column_int64(s, C_SERIAL);
	e->kind = event_kind_parse((const char *)sqlite3_column_text(s, C_KIND));
	e->exit = sqlite3_column_int64(s, C_EXIT);
	for (int i = 0; i < NUMBERS; i++)
		*(int64_t *)((char *)e + number_offset[i]) = db_column_known(s, C_NUMBERS + i);
	for (int i = 0; i < PROCESS_NUMBERS; i++)
		e->process.number[i] = db_column_known(s, C_PROCESS_NUMBERS + i);
	if (e->process.start_ticks > TIME_MAX_US / TIME_US_PER_S)
		e->process.start_ticks = -1;
	if (!addr.data || address_parse(addr.data, &e->addr))
		memset(&e->addr, 0, sizeof(e->addr));
	e->node = db_column_text(s, C_NODE);
	for (int i = 0; i < PROCESS_TEXTS; i++)
		e->process.text[i] = db_column_text(s, C_PROCESS_TEXTS + i);
	return sqlite3_errcode(sqlite3_db_handle(s)) == SQLITE_NOMEM ? -ENOMEM : 0;
}

int cache_reader_walk(struct cache_reader *r, uint64_t after, int limit,
		      int (*each)(const struct event *e, void *arg), void *arg)
{
	struct event e;
	int rows = 0, rc;

	sqlite3_bind_int64(r->walk, 1, (sqlite3_int64)after);
	sqlite3_bind_int64(r->walk, 2, limit);
	while ((rc = sqlite3_step(r->walk)) == SQLITE_ROW) {
		rc = read_row(r->walk, &e);
		if (!rc)
			rc = each(&e, arg);
		if (rc < 0) {
			sqlite3_reset(r->walk);
			return rc;
		}
		rows++;
	}
	sqlite3_reset(r->walk);
	return rc == SQLITE_DONE ? rows : db_errno(rc);
}

int cache_reader_counters(struct cache_reader *r,
			  void (*each)(const char *name, int64_t value, void *arg), void *arg)
{
	sqlite3_stmt *stmt;
	int rc = db_prepare(r->db, "SELECT name, value FROM counter ORDER BY name", &stmt);

	if (rc)
		return rc;
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW)
		if (sqlite3_column_type(stmt, 0) == SQLITE_TEXT)
			each((const char *)sqlite3_column_text(stmt, 0),
			     sqlite3_column_int64(stmt, 1), arg);
	sqlite3_finalize(stmt);
	return db_errno(rc);
}

int cache_signal_path(const char *cache_path, char *buf, size_t size)
{
	return (size_t)snprintf(buf, size, "%s-wal", cache_path) < size ? 0 : -ENAMETOOLONG;
}
