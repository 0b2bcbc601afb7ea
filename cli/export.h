/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_EXPORT_H
#define SOCKLEDGER_EXPORT_H

#include <stdint.h>
#include <stdio.h>

#include "community_id.h"
#include "output.h"

enum outcome { OUTCOME_UNKNOWN, OUTCOME_SUCCESS, OUTCOME_FAILURE };

/* A connection on its way to another program: the ledger's row, and what its cells mean. */
struct exported {
	const struct cell *cells;	/* the columns of the view */
	int64_t id, time_us;
	enum outcome outcome;		/* of the call, not of the policy */
	struct text reason;		/* the row's, or the name of the call's error */
	int64_t start_us, end_us;	/* of the process, of the connection; -1: unknown */
	int64_t serial;			/* of the audit record; -1: there is none */
	int protocol;			/* -1: unknown */
	int direction, verdict;		/* of connection.h */
	struct address src, dst;	/* family 0: unknown, or none that goes over a wire */
	char src_text[ADDRESS_TEXT_MAX], dst_text[ADDRESS_TEXT_MAX];
	char community[COMMUNITY_ID_MAX];	/* empty: cannot be told */
};

/* cells: the columns of the view, behind them the call's result, the row's time and id. */
void export_read(struct exported *e, const struct cell *cells, int columns);
const struct cell *export_cell(const struct exported *e, const char *column);
/* A text of the row; TEXT_NONE where it is unknown. */
struct text export_text(const struct exported *e, const char *column);

/* An object a line: Elastic Common Schema 9.4, OCSF 1.8 network_activity. */
void export_ecs(FILE *out, const struct exported *e);
void export_ocsf(FILE *out, const struct exported *e);

#endif
