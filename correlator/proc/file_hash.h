/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_FILE_HASH_H
#define SOCKLEDGER_FILE_HASH_H

#include <stdbool.h>
#include <stdint.h>

struct process;

/*
 * What is in programs' files, from a thread of its own that reads them: nobody who answers packets
 * waits for a disk.  A file is known by device, inode and change time, as it was seen that the
 * process runs it.
 *
 * Only files are read that no user can put another in the place of, with the same three numbers: on
 * the file systems of the directories in `roots`, and none that a user's or another host's server
 * answers for.  One that has just been changed is read a moment later, because a second change in
 * the same tick of the clock would leave no trace.
 */
struct file_hashes;

#define SHA256_BYTES 32
#define FILE_HASH_MAX_BYTES (256LL * 1024 * 1024)

struct file_hash {
	unsigned char sha256[SHA256_BYTES];
	bool verified;		/* it is one of a package, by dpkg's list of MD5 sums, and root's */
};

struct file_hash_counts {
	int64_t read, refused;
};

enum hash_word {
	HASH_KNOWN,
	HASH_WANTED,		/* it is being found out */
	HASH_NONE,		/* it cannot be had */
};

/* NULL-terminated; lists: "/var/lib/dpkg/info".  NULL with errno set. */
struct file_hashes *file_hashes_start(const char *const *roots, const char *lists);
void file_hashes_stop(struct file_hashes *h);

/* What is known by now of the file that the process runs.  Never waits. */
enum hash_word file_hashes_of(struct file_hashes *h, const struct process *p,
			      struct file_hash *hash);

/* Readable when more is known since file_hashes_heard(). */
int file_hashes_fd(const struct file_hashes *h);
void file_hashes_heard(struct file_hashes *h);

struct file_hash_counts file_hashes_counts(struct file_hashes *h);

#endif
