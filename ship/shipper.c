/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Brings a ledger's rows to a collector. */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "collector.h"
#include "db.h"
#include "log.h"
#include "shipper.h"

/* After a failure: from one second to five minutes, each time twice as long, half of it by chance,
 * so that a thousand hosts do not come back together. */
#define FIRST_PAUSE_MS 1000
#define LONGEST_PAUSE_MS 300000
/* What goes on is complained of again. */
#define AGAIN_NS 600000000000LL
/* Each batch is a part of a table at ClickHouse: fewer rows at once would be too many parts. */
#define LEAST_ROWS 100

/* True: it is time to end. */
static bool pause_ms(const struct shipper *s, int64_t ms)
{
	struct pollfd fd = { .fd = s->end, .events = POLLIN };

	return poll(&fd, 1, (int)ms) > 0;
}

static bool back_off(struct shipper *s)
{
	int64_t ms = FIRST_PAUSE_MS;

	for (int i = 1; i < s->failed && ms < LONGEST_PAUSE_MS; i++)
		ms *= 2;
	if (ms > LONGEST_PAUSE_MS)
		ms = LONGEST_PAUSE_MS;
	/* xorshift: all that matters is that hosts differ. */
	s->random ^= s->random << 13;
	s->random ^= s->random >> 7;
	s->random ^= s->random << 17;
	return pause_ms(s, ms / 2 + (int64_t)(s->random % (uint64_t)(ms / 2)));
}

/* Once for each thing that is wrong, and now and then while it stays so. */
static void complain(struct shipper *s, const char *what, const char *why)
{
	int64_t now = clock_mono_ns();
	char text[sizeof(s->told)];

	snprintf(text, sizeof(text), "%.100s: %.900s", what, why);
	if (!strcmp(text, s->told) && now - s->told_ns < AGAIN_NS)
		return;
	memcpy(s->told, text, sizeof(s->told));
	s->told_ns = now;
	log_warn("%s", text);
}

static void tell_met(const struct shipper *s, enum rows_met met, const struct position *was)
{
	switch (met) {
	case ROWS_OTHER:
		log_warn("the ledger '%s' is another one than before: all of it is sent. Of the"
			 " former one rows up to %" PRId64 " were sent, %" PRId64 " in all",
			 s->ledger, was->id, was->sent);
		break;
	case ROWS_BACK:
		log_warn("the ledger '%s' has gone back, as from a backup: all of it is sent"
			 " again", s->ledger);
		break;
	case ROWS_FIRST:
	case ROWS_SAME:
		break;
	}
}

static bool save(struct shipper *s, const struct position *p)
{
	int rc = position_save(s->file, p);

	if (rc) {
		complain(s, "cannot keep how far the rows were sent", strerror(-rc));
		return false;
	}
	if (p->missed > s->position.missed)
		log_warn("%" PRId64 " rows went because of the ledger's limits before they could"
			 " be sent: ledger_age, ledger_rows, ledger_bytes in sockledger.conf",
			 p->missed - s->position.missed);
	s->position = *p;
	return true;
}

static void went_well(struct shipper *s)
{
	if (s->told[0])
		log_info("the collector takes rows again");
	s->told[0] = '\0';
	s->failed = 0;
	s->rows += s->rows / 8 + 1;
	if (s->rows > s->most)
		s->rows = s->most;
}

enum outcome { DONE, MORE, LATER, END };

/* One batch, up to a new row's number. */
static enum outcome ship_batch(struct shipper *s, struct rows *r, int64_t until, struct batch *b)
{
	char why[COLLECTOR_WHY];
	enum sent sent = SENT;
	int rc = rows_read(r, &s->position, until, s->rows, s->bytes, b);

	if (rc) {
		complain(s, "cannot read the ledger", db_strerror(rc));
		return LATER;
	}
	if (b->rows)
		sent = collector_send(s->collector, b->text, b->len, why);
	switch (sent) {
	case SENT:
		if (memcmp(&b->next, &s->position, sizeof(b->next)) && !save(s, &b->next))
			return LATER;
		if (b->rows)
			went_well(s);
		return b->more ? MORE : DONE;
	case SEND_ENDED:
		return END;
	case SEND_LESS:
		if (b->rows <= LEAST_ROWS)
			break;
		complain(s, "so many rows cannot be sent at once", why);
		s->rows = b->rows / 2 > LEAST_ROWS ? b->rows / 2 : LEAST_ROWS;
		return MORE;
	case SEND_LATER:
	case SEND_REFUSED:
		break;
	}
	complain(s, "the collector does not take rows", why);
	return LATER;
}

static enum outcome ship(struct shipper *s, struct rows *r, int64_t until)
{
	struct batch b = { .text = NULL };
	enum outcome done = MORE;

	while (done == MORE) {
		done = ship_batch(s, r, until, &b);
		if (done == MORE && pause_ms(s, 0))
			done = END;
	}
	batch_release(&b);
	return done;
}

/* Looks what there is, gives new rows the time to settle, and ships them. */
static enum outcome turn(struct shipper *s)
{
	struct position was = s->position, p = was;
	enum rows_met met = ROWS_SAME;
	enum outcome done = LATER;
	struct rows_ends ends = { .id = 0 };
	struct rows *r = NULL;
	int rc = rows_open(s->ledger, s->node, &r);

	if (!rc)
		rc = rows_look(r, &ends);
	if (!rc)
		rc = rows_meet(r, &ends, &p, &met);
	if (rc == -EAGAIN)
		complain(s, "the ledger is of an older version",
			 "it is sent when sockledgerd has moved all its rows");
	else if (rc)
		complain(s, "cannot read the ledger", db_strerror(rc));
	if (!rc && met != ROWS_SAME) {
		tell_met(s, met, &was);
		rc = save(s, &p) ? 0 : -EIO;
	}
	if (!rc && !s->once && pause_ms(s, s->settle_us < TIME_US_PER_S ?
					   1000 : s->settle_us / 1000))
		done = END;
	else if (!rc)
		done = ship(s, r, ends.id);
	rows_close(r);
	return done;
}

int shipper_run(struct shipper *s)
{
	enum outcome done;

	s->rows = s->most;
	s->random = (uint64_t)clock_mono_ns() | 1;
	for (;;) {
		done = turn(s);
		if (done == END || s->once)
			break;
		if (done == LATER) {
			s->failed++;
			if (back_off(s))
				return SHIPPED;
		}
	}
	return s->once && done != DONE ? SHIP_FAILED : SHIPPED;
}
