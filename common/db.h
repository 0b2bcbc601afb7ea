/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_DB_H
#define SOCKLEDGER_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "text.h"

struct sqlite3;
struct sqlite3_stmt;

/*
 * What the two databases have in common.  Both are SQLite in WAL mode, have one writer, and carry
 * their schema's version in user_version and their kind in application_id.
 *
 * Functions return 0 or a negative errno: -EBUSY (locked by another process), -ENOSPC (disk
 * full), -EUCLEAN (damaged), -EMEDIUMTYPE (not a database of ours: never touched), -EPROTO (made by a newer version),
 * -EEXIST (a key that is there already), -EROFS, -EACCES, -ENOENT, -ENOMEM, -EIO.
 */
struct db_schema {
	uint32_t application_id;
	unsigned int version;
	/* steps[i] is SQL that takes a database from version i to i + 1 */
	const char *const *steps;
};

/* 640: for root and, where the administrator gives the directory one, a group of readers. */
#define DB_FILE_MODE 0640

/* Opens path for writing, makes it (and its directory) where absent, migrates it. */
int db_open_write(const char *path, const struct db_schema *schema, struct sqlite3 **db);

/* Opens an existing database read-only. */
int db_open_read(const char *path, const struct db_schema *schema, struct sqlite3 **db);

/*
 * Makes this program the one writer of path, which is made where absent: a descriptor to be kept
 * open for as long, and closed after the database (closing it earlier would drop SQLite's own
 * locks: fcntl(2)).  -EBUSY where another program is it.
 */
int db_lock_writer(const char *path);

/* True where path is not the file that lock, of db_lock_writer(), is open on. */
bool db_moved(int lock, const char *path);

void db_close(struct sqlite3 *db);

/* A damaged database goes out of the way, to path.damaged-TIME; its WAL with it. */
int db_set_aside(const char *path);

/* Removes a database with its WAL; whoever has it open can read it to its end. */
void db_remove(const char *path);

/* The result code of SQLite as an errno of the list above; 0 for OK, ROW and DONE. */
int db_errno(int sqlite_code);

int db_exec(struct sqlite3 *db, const char *sql);
int db_prepare(struct sqlite3 *db, const char *sql, struct sqlite3_stmt **stmt);
/* One number, from the first column of the first row; 0 rows give -ENOENT. */
int db_number(struct sqlite3 *db, const char *sql, int64_t *n);

/* A number, or NULL for -1: what our structures say for "unknown". */
void db_bind_known(struct sqlite3_stmt *stmt, int column, int64_t n);
/* Bytes as they are, borrowed until the statement is reset; NULL where there are none. */
void db_bind_text(struct sqlite3_stmt *stmt, int column, struct text t);
int64_t db_column_known(struct sqlite3_stmt *stmt, int column);
/* Borrowed from the statement until its next step. */
struct text db_column_text(struct sqlite3_stmt *stmt, int column);

/* What a person should know about one of our errnos, for "cannot open '%s': %s". */
const char *db_strerror(int negative_errno);

#endif
