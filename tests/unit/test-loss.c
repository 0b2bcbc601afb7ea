/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When the journal hears that something is lost, and that no more is. */
#include <stdio.h>
#include <string.h>

#include "loss.h"
#include "said.h"
#include "tap.h"

static bool says(const char *wanted)
{
	bool so = wanted ? !strcmp(said, wanted) : !said[0];

	if (!so)
		tap_note("said '%s'", said);
	said[0] = '\0';
	return so;
}

static const int64_t second = 1000000000LL;

int main(void)
{
	const struct loss *what = &ledger_losses[3];
	struct loss_log l = { .lasts = false };

	loss_note(&l, what, 0, second);
	tap_ok(says(NULL), "nothing is lost");
	loss_note(&l, what, 2, 2 * second);
	tap_ok(says("lost: packets because the queue was full; so far 2 (queue_dropped)"),
	       "it begins");
	loss_note(&l, what, 7, 50 * second);
	tap_ok(says(NULL), "and lasts");
	loss_note(&l, what, 7, 109 * second);
	tap_ok(says(NULL), "for a minute more");
	loss_note(&l, what, 7, 110 * second);
	tap_ok(says("no longer lost: packets because the queue was full; it was 7 (queue_dropped)"),
	       "and ends");
	loss_note(&l, what, 7, 111 * second);
	tap_ok(says(NULL), "once");
	loss_note(&l, what, 8, 112 * second);
	tap_ok(says("lost: packets because the queue was full; so far 1 (queue_dropped)"),
	       "again, with its own number");
	loss_note(&l, what, 5, 120 * second);
	tap_ok(says(NULL), "what came late is taken off");
	loss_note(&l, what, 6, 171 * second);
	tap_ok(says(NULL), "and one more is one more");
	loss_note(&l, what, 6, 231 * second);
	tap_ok(said[0] == 'n', "until a minute is over");
	tap_ok(!cache_losses[CACHE_LOSSES].name && !ledger_losses[LEDGER_LOSSES].name,
	       "both lists have their end");
	return tap_done();
}
