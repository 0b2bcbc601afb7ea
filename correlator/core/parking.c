/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Packets that wait for a witness, and when each has waited long enough. */
#include "failures.h"
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

/* One more slot, or packet, where a user has that many of `most`, and `all` are taken. */
static bool is_share(struct parking *p, uint32_t has, uint32_t all, uint32_t most)
{
	bool is = all >= most || has < PARKING_SHARE * (most - all);

	FAILS(USER_CROWDS);
	p->refused += !is;
	return is;
}

int parking_add(struct parking *p, const struct flow_key *flow, struct packet_id id,
		int64_t arrived_ns, int64_t wait_ns)
{
	unsigned int user = share_of(flow->uid);
	uint32_t packet;
	int n;

	if (!is_share(p, (uint32_t)p->user[user].slots, (uint32_t)p->count, PARKED_MAX))
		return -1;

	for (n = 0; n < PARKED_MAX && p->slot[n].used; n++)
		;
	packet = n < PARKED_MAX ? take_packet(p, id) : 0;
	if (!packet)
		return -1;
	p->slot[n] = (struct parked){
		.flow = flow_key_hash(flow), .arrived_ns = arrived_ns,
		.deadline_ns = arrived_ns + wait_ns,
		.first = packet, .last = packet, .packets = 1, .user = user, .used = true,
	};
	p->count++;
	p->packets++;
	p->user[user].slots++;
	p->user[user].packets++;
	if (n >= p->end)
		p->end = n + 1;
	return n;
}

int parking_find(const struct parking *p, const struct flow_key *flow)
{
	uint64_t hash = flow_key_hash(flow);

	for (int n = 0; n < p->end; n++)
		if (p->slot[n].used && p->slot[n].flow == hash)
			return n;
	return -1;
}

bool parking_join(struct parking *p, int slot, struct packet_id id)
{
	struct parked *k = &p->slot[slot];
	uint32_t n;

	if (!is_share(p, p->user[k->user].packets, p->packets, PARKED_COPIES))
		return false;
	n = take_packet(p, id);
	if (!n)
		return false;
	p->packet[k->last].next = n;
	k->last = n;
	k->packets++;
	p->packets++;
	p->user[k->user].packets++;
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
	struct parked *k = &p->slot[slot];

	p->packet[k->last].next = p->free;
	p->free = k->first;
	k->used = false;
	p->count--;
	p->packets -= k->packets;
	p->user[k->user].slots--;
	p->user[k->user].packets -= k->packets;
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
