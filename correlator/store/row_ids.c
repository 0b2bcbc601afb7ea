/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers of rows where the ledger may become another one. */
#include <stddef.h>
#include <sys/random.h>

#include "row_ids.h"

bool row_ids_opened(struct row_ids *ids, int64_t stamp, int64_t last_id)
{
	bool other = false;

	if (ids->kept && stamp == ids->tried && stamp != ids->kept) {
		/* The commit that failed was kept after all, and its rows will come again. */
		ids->repeat_until = (uint64_t)last_id;
	} else if (ids->kept && stamp != ids->kept) {
		ids->offset = (uint64_t)last_id;
		ids->repeat_until = 0;
		other = true;
	} else if (ids->kept) {
		ids->offset = ids->kept_offset;
	}
	ids->stamp = stamp;
	return other;
}

int64_t row_ids_next_stamp(struct row_ids *ids)
{
	uint64_t random;

	if (!ids->tried) {
		/* Without random numbers another ledger could have the same stamp. */
		if (getrandom(&random, sizeof(random), 0) != sizeof(random))
			random = (uint64_t)(uintptr_t)ids;
		ids->tried = (int64_t)(random >> 2);
	}
	return ++ids->tried;
}

void row_ids_committed(struct row_ids *ids)
{
	ids->stamp = ids->kept = ids->tried;
	ids->kept_offset = ids->offset;
}
