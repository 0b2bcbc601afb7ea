/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What was lost, in words, and what was held up. */
#include <ctype.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "cache.h"
#include "db.h"
#include "health.h"
#include "ledger.h"
#include "loss.h"

/* More than this waits in the cache: then the ledger is behind. */
#define LAG_MANY 1000

static void add_loss(struct health *h, const struct loss *loss, int64_t n)
{
	size_t len = strlen(h->words);

	if (n <= 0)
		return;
	h->lost += n;
	snprintf(h->words + len, sizeof(h->words) - len, "%s%" PRId64 " %s", len ? ", " : "", n,
		 loss->words);
}

static void on_counter(const char *name, int64_t value, void *arg)
{
	for (int i = 0; i < CACHE_LOSSES; i++)
		if (!strcmp(cache_losses[i].name, name))
			add_loss(arg, &cache_losses[i], value);
}

/* A generation is a hexadecimal number; what is none is not put into SQL. */
static bool is_hexadecimal(const char *s)
{
	size_t len = strlen(s);

	for (const char *p = s; *p; p++)
		if (!isxdigit((unsigned char)*p))
			return false;
	return len > 0 && len <= 64;
}

static void read_lag(struct health *h, struct cache_reader *cache, struct sqlite3 *ledger)
{
	const char *generation = cache_reader_generation(cache);
	uint64_t first, last;
	int64_t seq = 0;
	char sql[160];

	if (!is_hexadecimal(generation) || cache_reader_bounds(cache, &first, &last))
		return;
	snprintf(sql, sizeof(sql),
		 "SELECT ifnull((SELECT seq FROM position WHERE epoch = '%s'), 0)", generation);
	if (!db_number(ledger, sql, &seq))
		h->lag = (int64_t)last - seq;
}

/* 0 where there is none of that name. */
static int64_t counter(struct sqlite3 *ledger, const char *name)
{
	char sql[96];
	int64_t n;

	snprintf(sql, sizeof(sql), "SELECT value FROM counter WHERE name = '%s'", name);
	return db_number(ledger, sql, &n) ? 0 : n;
}

static void read_ledger(struct health *h, struct sqlite3 *ledger)
{
	for (int i = 0; i < LEDGER_LOSSES; i++)
		add_loss(h, &ledger_losses[i], counter(ledger, ledger_losses[i].name));
	h->verdicts = counter(ledger, "queue_packets");
	h->late = counter(ledger, "queue_late");
	h->overdue = counter(ledger, "looks_overdue");
	if (db_number(ledger, "SELECT time FROM connection ORDER BY time DESC LIMIT 1",
		      &h->newest_us))
		h->newest_us = -1;
}

void health_read(struct health *h, const char *ledger_path, const char *cache_path)
{
	struct sqlite3 *ledger = NULL;
	struct cache_reader *cache = NULL;

	*h = (struct health){ .lag = -1, .newest_us = -1 };
	h->cache_rc = cache_reader_open(cache_path, &cache);
	h->ledger_rc = ledger_open_read(ledger_path, &ledger);
	if (!h->cache_rc)
		cache_reader_counters(cache, on_counter, h);
	if (!h->ledger_rc)
		read_ledger(h, ledger);
	if (!h->cache_rc && !h->ledger_rc)
		read_lag(h, cache, ledger);
	if (!h->cache_rc)
		cache_reader_close(cache);
	if (!h->ledger_rc)
		db_close(ledger);
}

static void say_lost(const struct health *h, char *buf, size_t size)
{
	char behind[64] = "";

	if (h->lag >= LAG_MANY)
		snprintf(behind, sizeof(behind), ", and %" PRId64 " events wait for sockledgerd",
			 h->lag);
	if (h->lost)
		snprintf(buf, size, "Not all is well: lost were %s%s.", h->words, behind);
	else if (h->cache_rc)
		snprintf(buf, size, "Nothing was lost that this ledger knows of.");
	else if (behind[0])
		snprintf(buf, size, "Not all is well: nothing was lost%s.", behind);
	else
		snprintf(buf, size, "%s nothing was lost, and the ledger is up to date.",
			 h->late || h->overdue ? "Not all is well:" : "All is well:");
}

/* What was held up, and which check tells more. */
static void add_held_up(const struct health *h, char *buf, size_t size)
{
	char late[64] = "", overdue[64] = "";

	if (h->late)
		snprintf(late, sizeof(late), "%" PRId64 " verdicts were late", h->late);
	if (h->overdue)
		snprintf(overdue, sizeof(overdue), "%" PRId64 " looks at processes were overdue",
			 h->overdue);
	snprintf(buf, size, "  %s%s%s: `sockledger doctor%s%s` says what to do.", late,
		 h->late && h->overdue ? ", and " : "", overdue, h->late ? " late" : "",
		 h->overdue ? " frozen" : "");
}

void health_sentence(const struct health *h, char *buf, size_t size)
{
	size_t len;

	say_lost(h, buf, size);
	len = strlen(buf);
	if (h->late || h->overdue)
		add_held_up(h, buf + len, size - len);
}
