/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Packets that wait for a witness, and when each has waited long enough. */
#include "parking.h"

/* A packet's number; 0: there is no room. */
static uint32_t take_packet(struct parking *p, struct packet_id id)
{
	uint32_t n = p->free;

	if (n)
		p->free = p->packet[n].next;
	else if (p->touched < PARKED_COPIES)
		n = ++p->touched;
	if (n)
		p->packet[n] = (struct parked_packet){ .id = id };
	return n;
}

int parking_add(struct parking *p, uint64_t flow, struct packet_id id, int64_t arrived_ns,
		int64_t wait_ns)
{
	uint32_t packet;
	int n;

	for (n = 0; n < PARKED_MAX && p->slot[n].used; n++)
		;
	packet = n < PARKED_MAX ? take_packet(p, id) : 0;
	if (!packet)
		return -1;
	p->slot[n] = (struct parked){
		.flow = flow, .arrived_ns = arrived_ns, .deadline_ns = arrived_ns + wait_ns,
		.first = packet, .last = packet, .used = true,
	};
	p->count++;
	if (n >= p->end)
		p->end = n + 1;
	return n;
}

int parking_find(const struct parking *p, uint64_t flow)
{
	for (int n = 0; n < p->end; n++)
		if (p->slot[n].used && p->slot[n].flow == flow)
			return n;
	return -1;
}

bool parking_join(struct parking *p, int slot, struct packet_id id)
{
	uint32_t n = take_packet(p, id);

	if (!n)
		return false;
	p->packet[p->slot[slot].last].next = n;
	p->slot[slot].last = n;
	return true;
}

void parking_each(const struct parking *p, int slot, void (*each)(struct packet_id id, void *arg),
		  void *arg)
{
	for (uint32_t n = p->slot[slot].first; n; n = p->packet[n].next)
		each(p->packet[n].id, arg);
}

void parking_release(struct parking *p, int slot)
{
	p->packet[p->slot[slot].last].next = p->free;
	p->free = p->slot[slot].first;
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
