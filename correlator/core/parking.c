/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Packets that wait for a witness, and when each has waited long enough. */
#include "parking.h"

int parking_add(struct parking *p, uint64_t tuple, int64_t arrived_ns, int64_t wait_ns)
{
	int n;

	for (n = 0; n < PARKED_MAX && p->slot[n].used; n++)
		;
	if (n == PARKED_MAX)
		return -1;
	p->slot[n] = (struct parked){
		.tuple = tuple, .arrived_ns = arrived_ns, .deadline_ns = arrived_ns + wait_ns,
		.copies = 1, .used = true,
	};
	p->count++;
	if (n >= p->end)
		p->end = n + 1;
	return n;
}

int parking_join(struct parking *p, uint64_t tuple)
{
	for (int n = 0; n < p->end; n++) {
		struct parked *k = &p->slot[n];

		if (!k->used || k->tuple != tuple || k->copies == PARKED_COPIES)
			continue;
		k->copies++;
		return n;
	}
	return -1;
}

void parking_release(struct parking *p, int slot)
{
	p->slot[slot].used = false;
	p->count--;
	while (p->end && !p->slot[p->end - 1].used)
		p->end--;
}

bool parking_wants_scan(const struct parking *p, enum scan which, bool begun)
{
	for (int n = 0; n < p->end; n++) {
		const struct parked *k = &p->slot[n];

		if (k->used && k->wants_scan &&
		    (which == SCAN_NEWEST || k->scan[SCAN_NEWEST].over) &&
		    !k->scan[which].over && (!begun || k->scan[which].begun))
			return true;
	}
	return false;
}

void parking_scan_begins(struct parking *p, enum scan which)
{
	for (int n = 0; n < p->end; n++)
		p->slot[n].scan[which].begun |= p->slot[n].used;
}

void parking_scan_is_over(struct parking *p, enum scan which)
{
	for (int n = 0; n < p->end; n++)
		p->slot[n].scan[which].over |= p->slot[n].scan[which].begun;
}

void parking_count_piece(struct parking *p)
{
	for (int n = 0; n < p->end; n++)
		p->slot[n].pieces += p->slot[n].used;
}

bool parking_is_over(const struct parked *k, int64_t now_ns, int64_t piece_ns)
{
	int64_t wait_ns = k->deadline_ns - k->arrived_ns;

	if (now_ns < k->deadline_ns)
		return false;
	return !k->wants_scan || k->scan[SCAN_ALL].over || k->pieces * piece_ns >= wait_ns ||
	       (k->pieces >= PARKING_PIECES_MIN &&
		now_ns - k->arrived_ns >= PARKING_STARVED_TIMES * wait_ns);
}
