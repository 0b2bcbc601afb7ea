/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_STATISTICS_H
#define SOCKLEDGER_STATISTICS_H

#include "output.h"

struct config;
struct latency;
struct query_db;

/* The sections and names are those of sockledger(1), STATISTICS. */
typedef void statistic_fn(const char *section, struct text name, const struct cell *value,
			  void *arg);

/*
 * All counters, one after another.  0; -1 where the ledger could not be read, which was told on
 * stderr, as it is where the cache cannot be read: then its counters are left out.
 */
int statistics_each(const struct config *c, struct query_db *db, statistic_fn *each, void *arg);

/* How long packets waited for their verdicts.  1, 0 where there was no queue, or -1: it cannot be
 * read, which has been said. */
int statistics_latency(struct query_db *db, struct latency *l);

#endif
