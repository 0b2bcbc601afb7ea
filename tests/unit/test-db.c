/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the two databases have in common: making, versions, foreign and damaged files, locks. */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <sqlite3.h>

#include "db.h"
#include "scratch.h"
#include "sql.h"
#include "tap.h"

static const char *const steps[] = {
	"CREATE TABLE t (a INTEGER); INSERT INTO t VALUES (1)",
	"ALTER TABLE t ADD COLUMN b TEXT DEFAULT 'new'",
	"this is no SQL",
};

static const struct db_schema first = { .application_id = 0x74657374,
					.version = 1,
					.steps = steps };
static const struct db_schema second = { .application_id = 0x74657374,
					 .version = 2,
					 .steps = steps };
static const struct db_schema broken = { .application_id = 0x74657374,
					 .version = 3,
					 .steps = steps };
static const struct db_schema other = { .application_id = 0x6f746872,
					.version = 1,
					.steps = steps };

static int64_t number_in(const char *path, const char *sql)
{
	sqlite3 *db;
	int64_t n = -1;

	if (!sqlite3_open(path, &db))
		db_number(db, sql, &n);
	sqlite3_close(db);
	return n;
}

static int open_and_close(const char *path, const struct db_schema *schema, bool write)
{
	sqlite3 *db = NULL;
	int rc = write ? db_open_write(path, schema, &db) : db_open_read(path, schema, &db);

	if (!rc)
		db_close(db);
	return rc;
}

static void write_bytes(const char *path, const char *bytes, size_t len, long at)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0 || pwrite(fd, bytes, len, at) != (ssize_t)len)
		exit(1);
	close(fd);
}

static void test_make(void)
{
	const char *path = scratch_path("sub/a.db");
	struct stat st;
	sqlite3 *db;

	tap_ok(open_and_close(path, &first, false) == -ENOENT, "reading makes nothing");
	tap_ok(access(path, F_OK) != 0, "no file, that is");
	tap_ok(open_and_close(path, &first, true) == 0,
	       "writing makes a database and its directory");
	tap_ok(!stat(path, &st) && (st.st_mode & 0777) == DB_FILE_MODE, "the file's mode is 640");
	tap_ok(number_in(path, "PRAGMA user_version") == 1 &&
	       number_in(path, "PRAGMA application_id") == 0x74657374, "it says what it is");
	tap_ok(open_and_close(path, &first, true) == 0 &&
		       number_in(path, "SELECT count(*) FROM t") == 1,
	       "opened again, its steps are not done again");
	tap_ok(open_and_close(path, &second, false) == -EOPNOTSUPP,
	       "an older one is not for a newer reader");
	tap_ok(open_and_close(path, &second, true) == 0 &&
	       number_in(path, "SELECT count(*) FROM t WHERE b = 'new'") == 1,
	       "a newer version migrates it, rows and all");
	tap_ok(open_and_close(path, &first, true) == -EPROTO &&
	       open_and_close(path, &first, false) == -EPROTO, "then it is too new for the older");
	tap_ok(number_in(path, "PRAGMA user_version") == 2, "which leaves it as it is");
	tap_ok(open_and_close(path, &broken, true) == -EUCLEAN &&
		       number_in(path, "PRAGMA user_version") == 2,
	       "a migration that fails leaves it as it was");
	tap_ok(db_open_read(path, &second, &db) == 0, "it is opened for reading");
	tap_ok(db_exec(db, "INSERT INTO t VALUES (2, '')") == -EROFS, "and cannot be written so");
	db_close(db);
	if (chdir(scratch_dir))
		exit(1);
	tap_ok(open_and_close("plain.db", &first, true) == 0, "a name alone is a file here");
	tap_ok(open_and_close("/proc/nowhere/a.db", &first, true) == -EACCES ||
	       open_and_close("/proc/nowhere/a.db", &first, true) == -ENOENT,
	       "where no file can be there is an error");
}

static const char prose[] =
	"this is a text file, and long enough to be looked at: no database, that\n"
	"is, whatever its name says; SQLite wants its own words at the start.\n";

/* Damage is set aside under another name, and so must not be said of a file that is another's. */
static void test_slip(void)
{
	const char *path = scratch_path("passwd");

	write_bytes(path, prose, sizeof(prose) - 1, 0);
	tap_ok(open_and_close(path, &first, true) == -EMEDIUMTYPE,
	       "a text file without a database's name is not ours");
	path = scratch_path("ledger");
	write_bytes(path, prose, sizeof(prose) - 1, 0);
	write_bytes(path, "SQLite format 3", 16, 0);
	tap_ok(open_and_close(path, &first, true) == -EUCLEAN,
	       "a damaged database is, whatever its name");
	path = scratch_path(".db");
	write_bytes(path, prose, sizeof(prose) - 1, 0);
	tap_ok(open_and_close(path, &first, true) == -EUCLEAN, "the name .db is enough of one");
}

static void test_foreign(void)
{
	const char *path = scratch_path("foreign.db");
	struct stat before, after;

	sql_raw(path, "CREATE TABLE x (y); INSERT INTO x VALUES (7)");
	chmod(path, 0600);
	stat(path, &before);
	tap_ok(open_and_close(path, &first, true) == -EMEDIUMTYPE &&
		       open_and_close(path, &first, false) == -EMEDIUMTYPE,
	       "a database of no application is not ours");
	stat(path, &after);
	tap_ok(number_in(path, "SELECT y FROM x") == 7, "its rows are left alone");
	tap_ok(before.st_mode == after.st_mode, "so is its mode");
	sql_raw(path, "PRAGMA application_id = 5; PRAGMA user_version = 1");
	tap_ok(open_and_close(path, &first, true) == -EMEDIUMTYPE &&
	       open_and_close(path, &first, false) == -EMEDIUMTYPE, "nor is another application's");
	path = scratch_path("pipe.db");
	tap_ok(!mkfifo(path, 0604) && open_and_close(path, &first, true) == -EMEDIUMTYPE &&
	       !lstat(path, &after) && S_ISFIFO(after.st_mode) && (after.st_mode & 0777) == 0604,
	       "nor is what is no file; it stays as it is");
	unlink(path);
	path = scratch_path("sister.db");
	open_and_close(path, &other, true);
	tap_ok(open_and_close(path, &first, true) == -EMEDIUMTYPE, "nor our other kind");
	path = scratch_path("empty.db");
	write_bytes(path, "", 0, 0);
	tap_ok(open_and_close(path, &first, false) == -EUCLEAN, "an empty file cannot be read");
	tap_ok(open_and_close(path, &first, true) == 0, "but becomes a database when written");
	path = scratch_path("text.db");
	write_bytes(path, prose, sizeof(prose) - 1, 0);
	tap_ok(open_and_close(path, &first, true) == -EUCLEAN &&
	       open_and_close(path, &first, false) == -EUCLEAN, "a text file is no database");
	path = scratch_path("zero.db");
	open_and_close(path, &first, true);
	sql_raw(path, "PRAGMA user_version = 0");
	tap_ok(open_and_close(path, &first, true) == -EUCLEAN,
	       "tables without a version are damage");
}

/* Whatever number stands in the file: no step is looked for where there is none.  In a child, for
 * what may happen then. */
static void test_negative_version(void)
{
	const char *path = scratch_path("negative.db");
	int status = -1;
	pid_t child;

	open_and_close(path, &first, true);
	sql_raw(path, "PRAGMA user_version = -100000000");
	fflush(stdout);
	child = fork();
	if (child == 0)
		_exit(open_and_close(path, &first, true) == -EUCLEAN ? 0 : 1);
	waitpid(child, &status, 0);
	if (!tap_ok(status == 0, "a negative version is damage"))
		tap_note(WIFSIGNALED(status) ? "died of signal %d" : "wait status %d",
			 WIFSIGNALED(status) ? WTERMSIG(status) : status);
	tap_ok(open_and_close(path, &first, false) < 0, "and cannot be read");
}

/* In a directory that the reader must not write into, as somebody who is not root. */
static void test_as_it_lies(void)
{
	const char *dir = scratch_path("l%i?e#s"), *path = scratch_path("l%i?e#s/100%.db");
	char wal[PATH_MAX];
	int status = -1;
	pid_t child;

	if (open_and_close(path, &first, true) || chmod(scratch_dir, 0755) || chmod(dir, 0555) ||
	    chmod(path, 0644))
		exit(1);
	snprintf(wal, sizeof(wal), "%s-wal", path);
	fflush(stdout);
	child = fork();
	if (child == 0) {
		sqlite3 *db;
		int64_t n = 0;

		if (!geteuid() && (setgid(65534) || setuid(65534)))
			_exit(4);
		if (db_open_read(path, &first, &db))
			_exit(1);
		_exit(db_number(db, "SELECT count(*) FROM t WHERE a = 1", &n) || n != 1 ? 2 :
		      db_exec(db, "INSERT INTO t VALUES (2)") != -EROFS ? 3 : 0);
	}
	waitpid(child, &status, 0);
	if (!tap_ok(status == 0, "a reader who may not write beside it reads it as it lies"))
		tap_note("status %d", WEXITSTATUS(status));
	chmod(dir, 0755);
	write_bytes(wal, "", 0, 0);
	chmod(dir, 0555);
	fflush(stdout);
	child = fork();
	if (child == 0) {
		if (!geteuid() && (setgid(65534) || setuid(65534)))
			_exit(4);
		_exit(open_and_close(path, &first, false) == -EACCES ? 0 : 1);
	}
	waitpid(child, &status, 0);
	if (!tap_ok(status == 0, "unless there is a log, of which it would miss what is in there"))
		tap_note("status %d", WEXITSTATUS(status));
	chmod(dir, 0755);
}

static void test_lock(void)
{
	const char *path = scratch_path("lock.db");
	int fd, second_fd, lowest;
	sqlite3 *db, *db2;

	fd = db_lock_writer(path);
	tap_ok(fd >= 0 && (fcntl(fd, F_GETFD) & FD_CLOEXEC), "the one writer has its lock");
	lowest = dup(fd);
	close(lowest);
	second_fd = db_lock_writer(path);
	tap_ok(second_fd == -EBUSY, "a second has not");
	second_fd = dup(fd);
	tap_ok(second_fd == lowest, "nor does it leave anything open");
	close(second_fd);
	tap_ok(open_and_close(path, &first, true) == 0 && number_in(path, "SELECT a FROM t") == 1,
	       "SQLite does not see that lock");
	close(fd);
	fd = db_lock_writer(path);
	tap_ok(fd >= 0, "it is free when the first has gone");
	close(fd);
	tap_ok(db_lock_writer("/proc/nowhere/x") < 0, "no lock where no file can be");

	sqlite3_open(path, &db);
	if (db_open_write(path, &first, &db2))
		exit(1);
	sqlite3_exec(db, "BEGIN EXCLUSIVE; INSERT INTO t VALUES (3)", NULL, NULL, NULL);
	tap_ok(open_and_close(path, &second, true) == -EBUSY,
	       "nothing can be migrated under a lock");
	tap_ok(db_exec(db2, "INSERT INTO t VALUES (4)") == -EBUSY, "a locked database is -EBUSY");
	sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
	tap_ok(db_exec(db2, "INSERT INTO t VALUES (4)") == 0, "until the lock goes");
	db_close(db2);
	sqlite3_close(db);
}

static void test_moved(void)
{
	const char *path = scratch_path("moved.db"), *other_path = scratch_path("moved2.db");
	int lock = db_lock_writer(path);

	tap_ok(!db_moved(lock, path), "the file that is open is the one of that name");
	if (rename(path, other_path))
		exit(1);
	tap_ok(db_moved(lock, path), "until it is renamed");
	write_bytes(path, "", 0, 0);
	tap_ok(db_moved(lock, path) && !db_moved(lock, other_path), "or replaced");
	close(lock);
	tap_ok(!db_moved(lock, path), "what cannot be told is no reason to begin anew");
}

/* A database that is renamed while it is open leaves its log behind.  others: its name has become
 * another database's by then, with a log of its own. */
static void test_log(bool others)
{
	const char *path = scratch_path(others ? "log2.db" : "log.db");
	const char *away = scratch_path(others ? "away2.db" : "away.db");
	char log[PATH_MAX], before[PATH_MAX];
	int lock = db_lock_writer(path);
	struct db_log its;
	sqlite3 *db;

	snprintf(log, sizeof(log), "%s-wal", path);
	snprintf(before, sizeof(before), "%s-wal", away);
	if (lock < 0 || db_open_write(path, &first, &db) ||
	    db_exec(db, "INSERT INTO t VALUES (5)"))
		exit(1);
	its = db_log_of(path);
	if (rename(path, away))
		exit(1);
	if (others) {
		if (rename(log, before))
			exit(1);
		write_bytes(log, "x", 1, 0);
	}
	db_close_written(db, lock, its);
	tap_ok(number_in(away, "SELECT count(*) FROM t WHERE a = 5") == 1,
	       "what was in its log is in the database");
	tap_ok(!access(log, F_OK) == others, others ? "another's log stays" : "its log is removed");
}

static void test_remove(void)
{
	const char *path = scratch_path("removed.db");
	static const char *const names[] = { "", "-wal", "-shm", "-x" };
	char name[PATH_MAX];

	for (int i = 0; i < 4; i++) {
		snprintf(name, sizeof(name), "%s%s", path, names[i]);
		write_bytes(name, "x", 1, 0);
	}
	db_remove(path);
	for (int i = 0; i < 4; i++) {
		snprintf(name, sizeof(name), "%s%s", path, names[i]);
		tap_ok(!access(name, F_OK) == (i == 3), "removed.db%s %s", names[i],
		       i == 3 ? "stays" : "is removed");
	}
}

/* A reader in the way of the write-ahead log is waited for; this one goes after a twentieth of a
 * second, and the other patience is half a second. */
static void test_patience(void)
{
	const char *path = scratch_path("patience.db");
	int ready[2], status;
	char byte;
	pid_t child;

	open_and_close(path, &first, true);
	sql_raw(path, "PRAGMA journal_mode = DELETE");
	if (pipe(ready))
		exit(1);
	fflush(stdout);
	child = fork();
	if (child == 0) {
		sqlite3 *db;

		if (sqlite3_open(path, &db) ||
		    sqlite3_exec(db, "BEGIN; SELECT count(*) FROM sqlite_schema", NULL, NULL,
				 NULL) ||
		    write(ready[1], "r", 1) != 1)
			_exit(1);
		usleep(50000);
		_exit(0);
	}
	tap_ok(read(ready[0], &byte, 1) == 1 && open_and_close(path, &first, true) == 0,
	       "a reader that goes in a moment is waited for");
	waitpid(child, &status, 0);
	close(ready[0]);
	close(ready[1]);
}

static void test_set_aside(void)
{
	const char *path = scratch_path("aside.db");
	char pattern[PATH_MAX];
	glob_t found;

	write_bytes(path, "damage", 6, 0);
	snprintf(pattern, sizeof(pattern), "%s-wal", path);
	write_bytes(pattern, "log", 3, 0);
	tap_ok(db_set_aside(path) == 0 && access(path, F_OK) && access(pattern, F_OK),
	       "a damaged database and its log go out of the way");
	snprintf(pattern, sizeof(pattern), "%s.damaged-*", path);
	tap_ok(glob(pattern, 0, NULL, &found) == 0 && found.gl_pathc == 2, "and are kept");
	if (found.gl_pathc == 2)
		tap_ok(strlen(found.gl_pathv[1]) == strlen(found.gl_pathv[0]) + 4 &&
		       !strncmp(found.gl_pathv[0], found.gl_pathv[1], strlen(found.gl_pathv[0])),
		       "under names that belong together");
	globfree(&found);
	tap_ok(db_set_aside(path) == 0, "nothing to set aside is no error");
}

static void test_values(void)
{
	static const int64_t numbers[] = { -1, 0, 1, -2, INT64_MAX, INT64_MIN, UINT32_MAX };
	static const struct text texts[] = {
		{ NULL, 0 },
		{ "", 0 },
		{ "a", 1 },
		{ "a\0b", 3 },
		{ "\xff\xc3\x28\xed\xa0\x80", 6 },
		{ "\0", 1 },
	};
	sqlite3 *db;
	sqlite3_stmt *s;
	int64_t n = 5;
	bool good = true;

	db_open_write(scratch_path("values.db"), &first, &db);
	tap_ok(db_number(db, "SELECT 1 WHERE 0", &n) == -ENOENT && n == 5, "no row is no number");
	tap_ok(db_number(db, "SELECT nothing FROM nowhere", &n) == -EUCLEAN,
	       "a missing table is damage");
	db_prepare(db, "SELECT ?, typeof(?1)", &s);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		db_bind_known(s, 1, numbers[i]);
		sqlite3_step(s);
		good = good && db_column_known(s, 0) == numbers[i] &&
		       !strcmp((const char *)sqlite3_column_text(s, 1),
			       numbers[i] == -1 ? "null" : "integer");
		sqlite3_reset(s);
	}
	tap_ok(good, "numbers come back, and -1 is NULL");
	good = true;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		db_bind_text(s, 1, texts[i]);
		sqlite3_step(s);
		good = good && text_equal(db_column_text(s, 0), texts[i]) &&
		       !strcmp((const char *)sqlite3_column_text(s, 1),
			       texts[i].data ? "text" : "null");
		sqlite3_reset(s);
	}
	tap_ok(good, "texts come back, with any byte, and none is NULL");
	sqlite3_finalize(s);
	db_close(db);
	tap_ok(db_errno(SQLITE_OK) == 0 && db_errno(SQLITE_ROW) == 0 &&
		       db_errno(SQLITE_DONE) == 0 && db_errno(SQLITE_BUSY) == -EBUSY &&
		       db_errno(SQLITE_BUSY_SNAPSHOT) == -EBUSY &&
		       db_errno(SQLITE_FULL) == -ENOSPC && db_errno(SQLITE_CORRUPT) == -EUCLEAN &&
		       db_errno(SQLITE_NOTADB) == -EUCLEAN &&
		       db_errno(SQLITE_CONSTRAINT_PRIMARYKEY) == -EEXIST &&
		       db_errno(SQLITE_READONLY) == -EROFS &&
		       db_errno(SQLITE_CANTOPEN) == -EACCES && db_errno(SQLITE_NOMEM) == -ENOMEM &&
		       db_errno(SQLITE_LOCKED) == -EBUSY && db_errno(SQLITE_SCHEMA) == -EUCLEAN &&
		       db_errno(SQLITE_ERROR) == -EUCLEAN && db_errno(SQLITE_PERM) == -EACCES &&
		       db_errno(SQLITE_AUTH) == -EACCES && db_errno(SQLITE_INTERRUPT) == -EINTR &&
		       db_errno(SQLITE_IOERR_WRITE) == -EIO,
	       "SQLite's codes as errnos");
	tap_ok(strstr(db_strerror(-EBUSY), "locked") && strstr(db_strerror(-EUCLEAN), "damaged") &&
		       strstr(db_strerror(-EPROTO), "newer") &&
		       strstr(db_strerror(-EOPNOTSUPP), "older") &&
		       !strcmp(db_strerror(-ENOENT), strerror(ENOENT)),
	       "and in words");
}

/* What rows that went have left of the file goes, where it is much, and more than is used. */
static void test_shrink(void)
{
	static const struct {
		int pages, stay;
		bool shrinks;
		const char *what;
	} table[] = {
		{ 1300, 100, true, "where most of a large file is unused" },
		{ 2200, 1050, true, "also where it is just enough" },
		{ 2300, 1200, false, "not where most of it is used" },
		{ 900, 0, false, "nor of a small file" },
	};
	char sql[256];

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		int64_t before = -1, after = -1, used = -1, still = -1;
		sqlite3 *db;

		snprintf(sql, sizeof(sql), "shrink-%zu.db", i);
		if (db_open_write(scratch_path(sql), &first, &db))
			exit(1);
		snprintf(sql, sizeof(sql), "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1"
			 " FROM n WHERE i < %d) INSERT INTO t SELECT zeroblob(7000) FROM n",
			 table[i].pages);
		db_exec(db, "PRAGMA synchronous = OFF");
		db_exec(db, sql);
		snprintf(sql, sizeof(sql), "DELETE FROM t WHERE rowid > %d", table[i].stay + 1);
		db_exec(db, sql);
		db_number(db, "PRAGMA page_count", &before);
		db_used_bytes(db, &used);
		tap_ok(db_shrink(db) == 0, "the file is looked at");
		db_number(db, "PRAGMA page_count", &after);
		db_used_bytes(db, &still);
		/* With the pages may go one that said where they belong. */
		if (!tap_ok(still > 0 && used - still < 32768 && after > 0 &&
			    (table[i].shrinks ? before - after >= 1024 && before - after < 1030 :
			     before == after), "it shrinks %s", table[i].what))
			tap_note("%lld of %lld pages are left", (long long)after,
				 (long long)before);
		db_close(db);
	}
}

int main(void)
{
	scratch_make();
	test_make();
	test_foreign();
	test_slip();
	test_negative_version();
	test_as_it_lies();
	test_lock();
	test_moved();
	test_log(false);
	test_log(true);
	test_remove();
	test_set_aside();
	test_patience();
	test_values();
	test_shrink();
	return tap_done();
}
