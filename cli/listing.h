/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_LISTING_H
#define SOCKLEDGER_LISTING_H

#include <stdbool.h>
#include <stdint.h>

#include "filters.h"
#include "find.h"
#include "progress.h"

struct option;

/*
 * Connections that fit, oldest first; and, as long as somebody reads them, those that come.  What
 * comes is shown once, as it stood then.  Another file may be put in the ledger's place, or none
 * for a while: then the listing goes on with what is newer there.
 */
struct listing {
	struct find find;
	int64_t limit;		/* the newest ones; -1: all */
	bool follow;
	/* The columns of the view, behind them the call's result, the row's time and id. */
	query_row_fn *row;
	/* Before it waits for more: what was held back goes to stdout. */
	void (*flush)(void *arg);
	void *arg;

	int64_t last_id;	/* shown, or looked at in vain */
	int64_t last_us;	/* the newest time in the file before this one; 0: there was none */
	struct progress progress;
	int64_t first_us, end_us;	/* where it began, and goes to; 0: not known yet */
};

/* The options that say which: so many for getopt_long(). */
enum { LISTING_OPTIONS = FILTERS + 2 };
void listing_options(struct option *options);
/* Takes one of them; false where it cannot have the value, which stays borrowed. */
bool listing_option(struct listing *l, int option, const char *value);

/* An exit status of cli.h; what is wrong was told on stderr. */
int listing_show(struct listing *l, const char *ledger);
void listing_release(struct listing *l);

#endif
