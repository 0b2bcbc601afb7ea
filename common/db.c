/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Opening, schema versions, errors and damage, the same for both databases. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "clock.h"
#include "db.h"

#define OPEN_BUSY_MS 500
/* Far behind any byte that SQLite locks (its PENDING_BYTE is at 1 GiB). */
#define WRITER_LOCK_BYTE (1LL << 62)

/*
 * No thread shares a connection with another, and no code reads SQLite's memory statistics: without
 * the locks for both an insert costs a tenth less.  SQLite takes this configuration only before its
 * first other call.
 */
static void configure(void)
{
	sqlite3_config(SQLITE_CONFIG_MULTITHREAD);
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

static void configure_once(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, configure);
}

int db_errno(int code)
{
	switch (code & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return 0;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_SCHEMA:
	case SQLITE_ERROR:	/* with our own fixed SQL: a table or column that is missing */
		return -EUCLEAN;
	case SQLITE_READONLY:
		return -EROFS;
	case SQLITE_CANTOPEN:
	case SQLITE_PERM:
	case SQLITE_AUTH:
		return -EACCES;
	case SQLITE_CONSTRAINT:
		return -EEXIST;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_INTERRUPT:
		return -EINTR;
	default:
		return -EIO;
	}
}

const char *db_strerror(int error)
{
	switch (error) {
	case -EBUSY:
		return "locked by another process";
	case -EUCLEAN:
		return "damaged";
	case -EMEDIUMTYPE:
		return "not a database of sockledger";
	case -EPROTO:
		return "made by a newer version of sockledger";
	case -EOPNOTSUPP:
		return "made by an older version of sockledger, and not brought to this one yet";
	default:
		return strerror(-error);
	}
}

int db_exec(sqlite3 *db, const char *sql)
{
	return db_errno(sqlite3_exec(db, sql, NULL, NULL, NULL));
}

int db_run(sqlite3_stmt *stmt)
{
	int rc = sqlite3_step(stmt);

	sqlite3_reset(stmt);
	return db_errno(rc);
}

int db_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **stmt)
{
	return db_errno(sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, stmt, NULL));
}

int db_number(sqlite3 *db, const char *sql, int64_t *n)
{
	sqlite3_stmt *stmt;
	int rc = db_prepare(db, sql, &stmt), step;

	if (rc)
		return rc;
	step = sqlite3_step(stmt);
	if (step == SQLITE_ROW)
		*n = sqlite3_column_int64(stmt, 0);
	else
		rc = step == SQLITE_DONE ? -ENOENT : db_errno(step);
	sqlite3_finalize(stmt);
	return rc;
}

int db_whole(sqlite3 *db, char *why, size_t size)
{
	sqlite3_stmt *stmt;
	int rc = db_prepare(db, "PRAGMA integrity_check(1)", &stmt), step;
	struct text t;

	if (rc)
		return rc;
	step = sqlite3_step(stmt);
	rc = step == SQLITE_ROW ? -EUCLEAN : db_errno(step);
	t = step == SQLITE_ROW ? db_column_text(stmt, 0) : text_of(db_strerror(rc));
	if (text_equal(t, text_of("ok")))
		rc = 0;
	text_show(t.data ? t : text_of(""), why, size);
	sqlite3_finalize(stmt);
	return rc;
}

int db_used_bytes(sqlite3 *db, int64_t *bytes)
{
	int64_t pages = 0, unused = 0, size = 0;
	int rc = db_number(db, "PRAGMA page_count", &pages);

	if (!rc)
		rc = db_number(db, "PRAGMA freelist_count", &unused);
	if (!rc)
		rc = db_number(db, "PRAGMA page_size", &size);
	*bytes = (pages - unused) * size;
	return rc;
}

int db_shrink(sqlite3 *db)
{
	int64_t unused = 0, pages = 0;
	int rc = db_number(db, "PRAGMA freelist_count", &unused);

	if (!rc)
		rc = db_number(db, "PRAGMA page_count", &pages);
	if (rc || unused < 1024 || unused < pages / 2)
		return rc;
	return db_exec(db, "PRAGMA incremental_vacuum(1024)");
}

void db_bind_known(sqlite3_stmt *stmt, int column, int64_t n)
{
	if (n == -1)
		sqlite3_bind_null(stmt, column);
	else
		sqlite3_bind_int64(stmt, column, n);
}

void db_bind_text(sqlite3_stmt *stmt, int column, struct text t)
{
	if (t.data)
		sqlite3_bind_text(stmt, column, t.data, (int)t.len, SQLITE_STATIC);
	else
		sqlite3_bind_null(stmt, column);
}

int64_t db_column_known(sqlite3_stmt *stmt, int column)
{
	if (sqlite3_column_type(stmt, column) == SQLITE_NULL)
		return -1;
	return sqlite3_column_int64(stmt, column);
}

struct text db_column_text(sqlite3_stmt *stmt, int column)
{
	struct text t;

	/* SQLite asks for this order: the bytes first, then their number. */
	t.data = (const char *)sqlite3_column_text(stmt, column);
	t.len = t.data ? (size_t)sqlite3_column_bytes(stmt, column) : 0;
	return t;
}

/* Returns 1 where the database is ours, of some version; 0 where it is empty; or an errno. */
static int identify(sqlite3 *db, const struct db_schema *schema, int64_t *version)
{
	int64_t id = 0, tables = 0;
	int rc = db_number(db, "PRAGMA application_id", &id);

	*version = 0;
	if (!rc)
		rc = db_number(db, "PRAGMA user_version", version);
	if (!rc)
		rc = db_number(db, "SELECT count(*) FROM sqlite_schema", &tables);
	if (rc)
		return rc;
	if (id == 0 && *version == 0 && tables == 0)
		return 0;
	if (*version < 0)
		return -EUCLEAN;
	if (id != (int64_t)schema->application_id)
		return -EMEDIUMTYPE;
	return *version > schema->version ? -EPROTO : 1;
}

/*
 * True where the file may be a damaged database of ours.  A file that SQLite cannot read may also
 * be a slip in the configuration, such as "ledger = /etc/passwd": that one must not be renamed.
 */
static bool looks_like_ours(const char *path)
{
	static const char magic[16] = "SQLite format 3", end[] = ".db";
	size_t len = strlen(path);
	char head[16] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, head, sizeof(head));

	if (fd >= 0)
		close(fd);
	if (n == sizeof(head) && !memcmp(head, magic, sizeof(magic)))
		return true;
	return len > sizeof(end) - 1 && !strcmp(path + len - sizeof(end) + 1, end);
}

static int migrate(sqlite3 *db, const struct db_schema *schema)
{
	char pragma[96];
	int64_t version = 0;
	int rc = identify(db, schema, &version);

	if (rc < 0)
		return rc;
	if (rc == 1 && version == schema->version)
		return 0;
	/* Two programs may start together; only one of them may make the tables. */
	rc = db_exec(db, "BEGIN IMMEDIATE");
	if (rc)
		return rc;
	rc = identify(db, schema, &version);
	for (rc = rc < 0 ? rc : 0; !rc && version < schema->version; version++)
		rc = db_exec(db, schema->steps[version]);
	if (!rc) {
		snprintf(pragma, sizeof(pragma),
			 "PRAGMA application_id = %u; PRAGMA user_version = %u; COMMIT",
			 schema->application_id, schema->version);
		rc = db_exec(db, pragma);
	}
	if (rc)
		db_exec(db, "ROLLBACK");
	return rc;
}

/* Makes path's directory, if the directory above exists. */
static void make_directory(const char *path)
{
	char dir[PATH_MAX];
	char *slash;

	if ((size_t)snprintf(dir, sizeof(dir), "%s", path) >= sizeof(dir))
		return;
	slash = strrchr(dir, '/');
	if (!slash || slash == dir)
		return;
	*slash = '\0';
	/* No check: opening the database reports the failure. */
	if (mkdir(dir, 0750))
		return;
}

int db_open_write(const char *path, const struct db_schema *schema, sqlite3 **out)
{
	sqlite3 *db = NULL;
	int64_t version = 0;
	struct stat st;
	int rc;

	/* As in "ledger = /dev/null", whose mode is not ours to change. */
	if (!stat(path, &st) && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return -EMEDIUMTYPE;
	configure_once();
	make_directory(path);
	rc = db_errno(sqlite3_open_v2(path, &db,
				      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
				      SQLITE_OPEN_NOMUTEX, NULL));
	/* Without memory there is no connection at all.  Changing to WAL mode takes a lock, and a
	 * reader can hold that lock for a moment. */
	if (db)
		sqlite3_busy_timeout(db, OPEN_BUSY_MS);
	/* Identify the file first: a foreign file stays unchanged. */
	if (!rc)
		rc = identify(db, schema, &version);
	if (rc == -EUCLEAN && !looks_like_ours(path))
		rc = -EMEDIUMTYPE;
	rc = rc < 0 ? rc : 0;
	/*
	 * A database file from another host may hold triggers and views with side effects:
	 * defensive and untrusted, as SQLite's own page on hostile files advises
	 * (sqlite.org/security.html).
	 */
	if (!rc) {
		sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
		sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
		chmod(path, DB_FILE_MODE);
		rc = db_exec(db, "PRAGMA page_size = 8192; PRAGMA auto_vacuum = INCREMENTAL;"
				 "PRAGMA journal_mode = WAL");
	}
	if (!rc)
		rc = migrate(db, schema);
	if (rc) {
		sqlite3_close(db);
		return rc;
	}
	/* From here on the caller decides how to wait. */
	sqlite3_busy_timeout(db, 0);
	*out = db;
	return 0;
}

/*
 * A WAL database has no -shm file after its writer closed it, and a reader without write permission
 * in the directory cannot make one.  Without a -wal file the database file is complete by itself,
 * so open it as immutable.
 */
static int open_as_it_lies(const char *path, sqlite3 **db)
{
	char uri[3 * PATH_MAX + 32], wal[PATH_MAX + 8];
	size_t n = (size_t)snprintf(uri, sizeof(uri), "file:");

	snprintf(wal, sizeof(wal), "%s-wal", path);
	if (!access(wal, F_OK))
		return -EACCES;
	for (const char *p = path; *p && n < sizeof(uri) - 32; p++) {
		if (*p == '%' || *p == '?' || *p == '#')
			n += (size_t)snprintf(uri + n, sizeof(uri) - n, "%%%02x",
					      (unsigned char)*p);
		else
			uri[n++] = *p;
	}
	snprintf(uri + n, sizeof(uri) - n, "?immutable=1");
	return db_errno(sqlite3_open_v2(uri, db,
					SQLITE_OPEN_READONLY | SQLITE_OPEN_URI |
					SQLITE_OPEN_NOMUTEX, NULL));
}

int db_open_read(const char *path, const struct db_schema *schema, sqlite3 **out)
{
	sqlite3 *db = NULL;
	int64_t version = 0;
	int rc;

	configure_once();
	if (access(path, R_OK))
		return -errno;
	rc = db_errno(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL));
	if (!rc) {
		sqlite3_busy_timeout(db, 2000);
		rc = identify(db, schema, &version);
	}
	/* SQLite says either of a -shm file that it cannot make. */
	if (rc == -EACCES || rc == -EROFS) {
		sqlite3_close(db);
		db = NULL;
		rc = open_as_it_lies(path, &db);
		if (!rc)
			rc = identify(db, schema, &version);
	}
	if (rc == 0)
		rc = -EUCLEAN;	/* empty: the file has no tables of ours */
	else if (rc == 1)
		rc = version == schema->version ? 0 : -EOPNOTSUPP;
	if (rc) {
		sqlite3_close(db);
		return rc;
	}
	sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	*out = db;
	return 0;
}

void db_close(sqlite3 *db)
{
	sqlite3_close(db);
}

static const struct flock writer_lock = {
	.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = WRITER_LOCK_BYTE, .l_len = 1,
};

int db_lock_writer(const char *path)
{
	struct flock lock = writer_lock;
	int fd;

	make_directory(path);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, DB_FILE_MODE);
	if (fd < 0)
		return -errno;
	if (fcntl(fd, F_OFD_SETLK, &lock)) {
		int rc = errno == EAGAIN || errno == EACCES ? -EBUSY : -errno;

		close(fd);
		return rc;
	}
	return fd;
}

bool db_has_writer(int fd)
{
	struct flock lock = writer_lock;

	return !fcntl(fd, F_OFD_GETLK, &lock) && lock.l_type != F_UNLCK;
}

static const char *const parts[] = { "", "-wal", "-shm" };

bool db_moved(int lock, const char *path)
{
	struct stat mine, there;

	return !fstat(lock, &mine) && (stat(path, &there) || mine.st_dev != there.st_dev ||
				       mine.st_ino != there.st_ino);
}

struct db_log db_log_of(const char *path)
{
	char name[PATH_MAX];
	struct stat st;

	if ((size_t)snprintf(name, sizeof(name), "%s-wal", path) >= sizeof(name) ||
	    stat(name, &st))
		return (struct db_log){ .ino = 0 };
	return (struct db_log){ st.st_dev, st.st_ino };
}

/* Where it is still this one. */
static void db_log_remove(const char *path, struct db_log log)
{
	struct db_log there = db_log_of(path);
	char name[PATH_MAX];

	if (!log.ino || there.ino != log.ino || there.dev != log.dev)
		return;
	for (size_t i = 1; i < sizeof(parts) / sizeof(parts[0]); i++)
		if ((size_t)snprintf(name, sizeof(name), "%s%s", path, parts[i]) < sizeof(name))
			unlink(name);
}

void db_close_written(sqlite3 *db, int lock, struct db_log log)
{
	char *path = db ? strdup(sqlite3_db_filename(db, NULL)) : NULL;
	bool moved = path && db_moved(lock, path);

	/* The log has lost its database, so what is in it goes there. */
	if (moved)
		db_exec(db, "PRAGMA wal_checkpoint(TRUNCATE)");
	sqlite3_close(db);
	if (moved)
		db_log_remove(path, log);
	free(path);
	if (lock >= 0)
		close(lock);
}

void db_remove(const char *path)
{
	char name[PATH_MAX];

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if ((size_t)snprintf(name, sizeof(name), "%s%s", path, parts[i]) < sizeof(name))
			unlink(name);
	}
}

int db_set_aside(const char *path)
{
	char from[PATH_MAX], to[PATH_MAX], when[TIME_TEXT_MAX];

	time_format(clock_now_us(), when);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if ((size_t)snprintf(from, sizeof(from), "%s%s", path, parts[i]) >= sizeof(from) ||
		    (size_t)snprintf(to, sizeof(to), "%s.damaged-%s%s", path, when, parts[i]) >=
			    sizeof(to))
			return -ENAMETOOLONG;
		if (rename(from, to) && errno != ENOENT)
			return -errno;
	}
	return 0;
}
