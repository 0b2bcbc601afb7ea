/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_POSITION_H
#define SOCKLEDGER_POSITION_H

#include <stdint.h>

/*
 * How far a collector has a ledger's rows, for good: kept in a file that outlives a power failure.
 * The file belongs to one collector, and one program at a time has it.
 */
struct position {
	int64_t ledger;		/* the number that tells it from others; 0: none was read yet */
	int64_t restarts;	/* how often the ledger went back, as from a backup */
	int64_t id, time_us;	/* the last row that was sent as a new one */
	int64_t change;		/* the last change that was looked at */
	int64_t trimmed;	/* the ledger's counter of this name, as it was then */
	/* Of all time: rows that were sent as new ones, amendments, rows that went unsent. */
	int64_t sent, amended, missed;
};

struct position_file {
	const char *path;	/* borrowed */
	const char *collector;	/* borrowed: a line of text */
	int lock;
};

/*
 * Reads the file, and locks it; all is 0 where there is none yet.  0; -EBUSY where another program
 * has it; -EEXIST where it belongs to another collector; -EUCLEAN where it is no such file; other
 * -errno.
 */
int position_open(struct position_file *f, const char *path, const char *collector,
		  struct position *p);
void position_close(struct position_file *f);
/* 0 or -errno; then the file has what it had. */
int position_save(const struct position_file *f, const struct position *p);

#endif
