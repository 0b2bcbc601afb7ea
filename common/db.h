/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_DB_H
#define SOCKLEDGER_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "text.h"

struct sqlite3;
struct sqlite3_stmt;

/*
 * Opening, schema versions and errors of the two databases.  Both are SQLite in WAL mode, have one
 * writer, and carry their schema's version in user_version and their kind in application_id.
 * Functions return 0 or a negative errno: -EBUSY (locked by another process), -ENOSPC (disk full),
 * -EUCLEAN (damaged), -EMEDIUMTYPE (not a database of ours: never touched), -EPROTO (made by a
 * newer version), -EOPNOTSUPP (to a reader: made by an older one), -EEXIST (a key that is there
 * already), -EROFS, -EACCES, -ENOENT, -ENOMEM, -EIO.
 */
struct db_schema {
	uint32_t application_id;
	unsigned int version;
	/* steps[i] is SQL that takes a database from version i to i + 1 */
	const char *const *steps;
};

/* 640: for root, and for a group of readers if the administrator gives the directory one. */
#define DB_FILE_MODE 0640

/* Opens path for writing, makes it (and its directory) where absent, migrates it. */
int db_open_write(const char *path, const struct db_schema *schema, struct sqlite3 **db);

/* Opens an existing database read-only. */
int db_open_read(const char *path, const struct db_schema *schema, struct sqlite3 **db);

/*
 * Makes this program the only writer of path, and makes the file where absent.  Returns a
 * descriptor: keep it open as long as the program writes, and close it after the database (closing
 * it earlier would drop SQLite's own locks: fcntl(2)).  -EBUSY where another program is the writer.
 */
int db_lock_writer(const char *path);

/* True where somebody else is the writer of the file that fd is open on, whatever name it has. */
bool db_has_writer(int fd);

/* True where path is not the file that lock, of db_lock_writer(), is open on. */
bool db_moved(int lock, const char *path);

/* Which file a database's write-ahead log is. */
struct db_log {
	dev_t dev;
	ino_t ino;		/* 0: there is none */
};

struct db_log db_log_of(const char *path);
/*
 * Closes a database and the lock of its writer; db NULL: it was not opened.  Where another file has
 * its name by now, its log, which lies beside that one, is written to it and removed: SQLite would
 * read the log into the other one.
 */
void db_close_written(struct sqlite3 *db, int lock, struct db_log log);

void db_close(struct sqlite3 *db);

/* Renames a damaged database to path.damaged-TIME, and its WAL with it. */
int db_set_aside(const char *path);

/* Removes a database with its WAL; a program that has it open can read it to its end. */
void db_remove(const char *path);

/* SQLite's result code as an errno of the list above; 0 for OK, ROW and DONE. */
int db_errno(int sqlite_code);

int db_exec(struct sqlite3 *db, const char *sql);
/* A step of a statement that changes something, and is ready to be bound again. */
int db_run(struct sqlite3_stmt *stmt);
int db_prepare(struct sqlite3 *db, const char *sql, struct sqlite3_stmt **stmt);
/* One number, from the first column of the first row; 0 rows give -ENOENT. */
int db_number(struct sqlite3 *db, const char *sql, int64_t *n);

/* Goes through all of the file: 0, or -EUCLEAN with what is wrong first, as a line in `why`. */
int db_whole(struct sqlite3 *db, char *why, size_t size);

/* What the rows take: pages in use.  The file may be larger. */
int db_used_bytes(struct sqlite3 *db, int64_t *bytes);
/* Outside a transaction: gives a piece of the file back where most of it has become free. */
int db_shrink(struct sqlite3 *db);

/* Binds a number, or NULL for -1, which means "unknown" in our structures. */
void db_bind_known(struct sqlite3_stmt *stmt, int column, int64_t n);
/* Binds bytes as they are, borrowed until the statement is reset; NULL where t has no bytes. */
void db_bind_text(struct sqlite3_stmt *stmt, int column, struct text t);
int64_t db_column_known(struct sqlite3_stmt *stmt, int column);
/* The text is borrowed from the statement until its next step. */
struct text db_column_text(struct sqlite3_stmt *stmt, int column);

/* Explains one of our errnos to the user, for "cannot open '%s': %s". */
const char *db_strerror(int negative_errno);

#endif
