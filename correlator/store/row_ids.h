/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_ROW_IDS_H
#define SOCKLEDGER_ROW_IDS_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Numbers of rows where the ledger may become another one: a backup is put in its place, or it is
 * restored while it is open.  Whoever makes rows numbers them on; `offset` brings these numbers
 * behind all rows of the file, so that a new row never meets an old one's number, and a word about
 * a row of the former file finds no row here.
 *
 * A ledger is told from another by a stamp, which each commit writes anew.
 */
struct row_ids {
	uint64_t offset;
	int64_t stamp;			/* of the file, as it was opened or committed */
	int64_t tried;			/* of the commit under way, or of one that failed */
	int64_t kept;			/* of this program's last commit; 0: none yet */
	uint64_t kept_offset;
	uint64_t repeat_until;		/* rows up to here may be in the file already */
};

/* A ledger was opened: its stamp (0: none), and its highest number.  True where it is another one
 * than before. */
bool row_ids_opened(struct row_ids *ids, int64_t stamp, int64_t last_id);

/* The stamp of the next commit; and that it went well. */
int64_t row_ids_next_stamp(struct row_ids *ids);
void row_ids_committed(struct row_ids *ids);

#endif
