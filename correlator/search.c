/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The search through /proc for the holders of parked packets' sockets. */
#include <stdlib.h>

#include "parking.h"
#include "procscan.h"
#include "search.h"

struct search {
	struct { struct procscan *procscan; bool runs; } scan[SCANS];
	enum scan last;			/* that had a piece */
	int64_t wanted[PARKED_MAX];
	int wanted_count;
};

struct search *search_new(struct procfs *p)
{
	struct search *s = calloc(1, sizeof(*s));

	for (int i = 0; s && i < SCANS; i++) {
		s->scan[i].procscan = procscan_new(p);
		if (!s->scan[i].procscan) {
			search_free(s);
			return NULL;
		}
	}
	return s;
}

void search_free(struct search *s)
{
	if (!s)
		return;
	for (int i = 0; i < SCANS; i++)
		procscan_free(s->scan[i].procscan);
	free(s);
}

void search_abandon(struct search *s)
{
	s->scan[SCAN_NEWEST].runs = s->scan[SCAN_ALL].runs = false;
}

void search_want(struct search *s, int64_t inode)
{
	if (inode > 0 && s->wanted_count < PARKED_MAX)
		s->wanted[s->wanted_count++] = inode;
}

static void scan_step(struct search *s, struct parking *p, enum scan which,
		      bool (*each)(int64_t inode, int64_t id, int64_t fd, void *arg), void *arg)
{
	const struct procscan_wanted wanted = { s->wanted, s->wanted_count };
	struct procscan *scan = s->scan[which].procscan;

	if (!s->scan[which].runs) {
		if (which == SCAN_NEWEST)
			procscan_newest(scan);
		else
			procscan_begin(scan);
		s->scan[which].runs = true;
		parking_scan_begins(p, which);
	}
	if (procscan_step(scan, SEARCH_PIECE_NS / 1000, &wanted, each, arg) && p->count)
		return;
	s->scan[which].runs = false;
	parking_scan_is_over(p, which);
}

void search_step(struct search *s, struct parking *p,
		 bool (*each)(int64_t inode, int64_t id, int64_t fd, void *arg), void *arg)
{
	bool newest = parking_wants_scan(p, SCAN_NEWEST, false);
	bool all = parking_wants_scan(p, SCAN_ALL, false);

	/* A scan is abandoned once every packet that it was begun for is decided. */
	for (enum scan i = 0; i < SCANS; i++)
		s->scan[i].runs &= parking_wants_scan(p, i, true);
	s->last = newest && !(all && s->last == SCAN_NEWEST) ? SCAN_NEWEST : SCAN_ALL;
	if (s->last == SCAN_NEWEST || all)
		scan_step(s, p, s->last, each, arg);
	s->wanted_count = 0;
}
