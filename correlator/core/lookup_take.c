/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which lookups a packet takes: those of its tuple, else those that may be its own.
 *
 *   I1  The caller learns where there may be more lookups than it gets: a bucket that is too long,
 *       more threads than have room, or a young lookup that had to make room.  Any process can ask
 *       for routes at any rate, and so hide another's lookup among its own.
 *   I2  A state change with a port names a port that bind() chose.  A socket that was bound in
 *       another network namespace may have another's port, so over IPv6, where others' calls have
 *       none, it hides none of those.
 *   I3  Of all but TCP and UDP a lookup has the addresses alone: it may be any packet's to that
 *       place, so it names a thread and never proves it.  So may one of a sender that writes the IP
 *       header itself (IPPROTO_RAW), for a packet of any protocol; and so has one of a raw socket
 *       that sends TCP or UDP, whose packets with lookups of their own are more.
 *   I4  A forwarded packet may go elsewhere than its sender looked up (DNAT): then the lookup has
 *       its source alone, so it names a thread and never proves it.
 *   I5  A lookup for one interface (SO_BINDTODEVICE, the scope of a link-local address) is of no
 *       packet that leaves by another one, where each link has such addresses of its own.
 */
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "connection.h"
#include "lookup_ring.h"
#include "lookup_take.h"

#define LOOKS 64
/* The packet follows its lookup at once, so behind this many others it is not looked for. */
#define NEWEST 64u
/*
 * A UDP socket may be connected long before it is used; then its process is alive, and /proc has
 * it.
 */
#define AGE_NS 60000000000LL
/* A TCP connect() sends its SYN at once. */
#define AGE_TCP_NS 2000000000LL
/* Without ports an older lookup counts only where there is none that is younger than that. */
#define FRESH_NS 20000000LL
/* Steps to take old calls out of reach with one packet. */
#define TIDIED 1024

/* A packet, and what is found: threads, and whether there may be more. */
struct sought {
	const struct connection *packet;
	uint32_t link;		/* that it leaves by, where that tells it from others; 0: any */
	int64_t now_ns;
	struct lookup_owner *owners;
	int count;
	bool more;
};

/* A lookup may come before the kernel chose the source address. */
static bool source_fits(const struct lookup *k, const struct sought *s)
{
	const struct address *src = &k->src.addr;

	return (address_equal(src, &s->packet->src.addr) || address_is_any(src)) &&
	       (!k->link || !s->link || k->link == s->link);
}

static bool lookup_fits(const struct lookup *k, const struct sought *s)
{
	return k->tid && k->protocol == s->packet->protocol &&
	       endpoint_equal(&k->dst, &s->packet->dst) && source_fits(k, s);
}

/* Adds the thread.  They come the newest first; where there is no more room the oldest has the last
 * place, so that neither who came before the others nor who came after them is pushed out. */
static void add_owner(struct sought *s, const struct lookup *k, uint32_t lookup)
{
	int i;

	for (i = 0; i < s->count && s->owners[i].tid != k->by; i++)
		;
	if (i == LOOKUP_OWNERS_MAX) {
		s->more = true;
		s->count = --i;
	}
	if (i == s->count)
		s->owners[s->count++] = (struct lookup_owner){
			k->by, false, k->src.port > 0, false, false, k->time_ns, lookup };
	s->owners[i].bound |= k->bound;
	s->owners[i].left |= k->left;
	s->owners[i].call |= k->call && (!k->sent_ns || s->now_ns - k->sent_ns <= LOOKUP_SEND_NS);
}

/* Moves the thread that began first to the front, because it is the likeliest. */
static void put_first(struct lookup_owner owners[LOOKUP_OWNERS_MAX], int count, int32_t tid)
{
	for (int i = 1; i < count; i++) {
		struct lookup_owner first = owners[0];

		if (owners[i].tid != tid)
			continue;
		owners[0] = owners[i];
		owners[i] = first;
	}
}

/*
 * A sender that is not connected looks the route up for each datagram: the packet is the first
 * lookup's, and the others are those of the packets behind it.
 */
static void take_datagram(struct lookup_ring *r, struct sought *s)
{
	const struct connection *c = s->packet;
	uint32_t bucket = lookup_ring_bucket(c->protocol, &c->dst, c->src.port);
	uint32_t n = r->bucket[bucket], first = LOOKUP_NONE;
	int looks = 0;

	s->more |= lookup_ring_has_dropped(r, bucket, s->now_ns);
	for (; n != LOOKUP_NONE && looks < LOOKS; looks++, n = r->lookup[n].next) {
		const struct lookup *k = &r->lookup[n];

		if (k->time_ns < s->now_ns - AGE_NS)
			break;
		if (k->src.port != c->src.port || !lookup_fits(k, s))
			continue;
		add_owner(s, k, n);
		first = n;
	}
	s->more |= looks == LOOKS;
	if (first == LOOKUP_NONE)
		return;
	r->lookup[first].taken_ns = s->now_ns;
	r->lookup[first].tid = 0;
	put_first(s->owners, s->count, r->lookup[first].by);
	s->owners[0].lookup = first;
}

/* lookups.c, I6. */
static bool may_come_late(const struct lookup *k, int64_t oldest_ns)
{
	return k->open || (k->ended_ns && k->ended_ns >= oldest_ns);
}

/* Takes what counts no more out of that bucket of calls.  False: there may be more of them. */
static bool tidy(struct lookup_ring *r, uint32_t bucket, int64_t oldest_ns)
{
	uint32_t *at = &r->bucket[bucket];
	int steps = 0;

	for (; *at != LOOKUP_NONE && steps < TIDIED; steps++) {
		struct lookup *k = &r->lookup[*at];

		if (k->time_ns >= oldest_ns || may_come_late(k, oldest_ns)) {
			at = &k->next;
			continue;
		}
		*at = k->next;
		k->linked = false;
	}
	return *at == LOOKUP_NONE;
}

/* first: of the ring's lookups, to the caller. */
static void take_exact(struct lookup_ring *r, uint32_t first, int64_t oldest_ns, struct sought *s)
{
	const struct connection *c = s->packet;
	uint32_t bucket = lookup_ring_bucket(c->protocol, &c->dst, c->src.port);
	uint32_t n = r->bucket[bucket];
	int looks = 0;

	s->more |= lookup_ring_has_dropped(r, bucket, s->now_ns);
	for (; n != LOOKUP_NONE && looks < LOOKS; looks++, n = r->lookup[n].next) {
		struct lookup *k = &r->lookup[n];

		if (k->time_ns < oldest_ns && !may_come_late(k, oldest_ns))
			return;
		k->left |= k->time_ns < oldest_ns;
		if (k->src.port != c->src.port || !lookup_fits(k, s))
			continue;
		add_owner(s, k, first + n);
		k->taken_ns = s->now_ns;
		k->tid = 0;
	}
	s->more |= n != LOOKUP_NONE;
}

/*
 * TCP over IPv6: finds all threads that are connecting to the destination, and uses the one up that
 * began first.  The packet may have been another thread's, so that one remains a candidate for the
 * others' packets until all packets have come.  Where a socket is bound to the packet's port, the
 * packet is most likely that one's: then all are candidates, and none is used up.
 */
static void take_portless(struct lookup_ring *r, int64_t oldest_ns, struct sought *s)
{
	const struct connection *c = s->packet;
	uint32_t bucket = lookup_ring_bucket(c->protocol, &c->dst, 0), head, n;
	struct lookup *oldest = NULL;
	int fresh = 0, looks = 0;
	bool bound = s->count > 0;

	s->more |= !tidy(r, bucket, oldest_ns);
	head = n = r->bucket[bucket];
	s->more |= lookup_ring_has_dropped(r, bucket, s->now_ns);
	for (; n != LOOKUP_NONE && looks < LOOKS; looks++, n = r->lookup[n].next) {
		struct lookup *k = &r->lookup[n];

		if (k->src.port || !lookup_fits(k, s) ||
		    (k->time_ns < oldest_ns && (k->spent || !may_come_late(k, oldest_ns))))
			continue;
		add_owner(s, k, LOOKUPS + n);
		/* Who comes late is a candidate, and no likely one. */
		if (k->spent || k->time_ns < oldest_ns)
			continue;
		oldest = k;
		fresh++;
	}
	s->more |= looks == LOOKS;
	if (bound)
		return;
	if (!oldest) {
		s->count = 0;
		return;
	}
	put_first(s->owners, s->count, oldest->by);
	oldest->spent = true;
	n = fresh == 1 ? head : LOOKUP_NONE;
	for (looks = 0; n != LOOKUP_NONE && looks < LOOKS; looks++, n = r->lookup[n].next)
		if (r->lookup[n].spent && lookup_fits(&r->lookup[n], s))
			r->lookup[n].tid = 0;
}

/* A TCP connect() always makes a state change, so a lookup without one is only a route request, or
 * its events were lost. */
static void take_tcp(struct lookup_ring *calls, struct lookup_ring *others, struct sought *s)
{
	int64_t oldest_ns = s->now_ns - AGE_TCP_NS;
	struct lookup_owner asked[LOOKUP_OWNERS_MAX] = { 0 };
	struct sought questions = *s;
	uint32_t bucket = lookup_ring_bucket(IPPROTO_TCP, &s->packet->dst, s->packet->src.port);

	questions.owners = asked;
	s->more |= !tidy(calls, bucket, oldest_ns);
	take_exact(calls, LOOKUPS, oldest_ns, s);
	/* Used up, whoever made them. */
	take_exact(others, 0, oldest_ns, &questions);
	if (!s->count && questions.count) {
		memcpy(s->owners, asked, sizeof(asked));
		s->count = questions.count;
		s->more |= questions.more;
	}
	if (s->packet->dst.addr.family == AF_INET6)
		take_portless(calls, oldest_ns, s);
}

/*
 * I3: adds the threads that lately looked up the packet's addresses for that protocol.  Returns the
 * lookup that began first, or the newest where none is fresh; LOOKUP_NONE: there is none.
 */
static uint32_t add_addressed(struct lookup_ring *r, int protocol, struct sought *s)
{
	const struct connection *c = s->packet;
	struct endpoint dst = { .addr = c->dst.addr };
	uint32_t bucket = lookup_ring_bucket(protocol, &dst, 0);
	uint32_t n = r->bucket[bucket], first = LOOKUP_NONE;
	bool only = protocol == c->protocol && protocol != IPPROTO_TCP && protocol != IPPROTO_UDP;
	int64_t age_ns = only ? AGE_TCP_NS : FRESH_NS;
	int looks = 0;

	s->more |= lookup_ring_has_dropped(r, bucket, s->now_ns);
	for (; n != LOOKUP_NONE && looks < LOOKS; looks++, n = r->lookup[n].next) {
		const struct lookup *k = &r->lookup[n];

		if (s->now_ns - k->time_ns > (s->count ? FRESH_NS : age_ns))
			break;
		if (!k->tid || k->protocol != protocol || !endpoint_equal(&k->dst, &dst) ||
		    !source_fits(k, s))
			continue;
		add_owner(s, k, n);
		first = n;
	}
	s->more |= looks == LOOKS;
	return first;
}

/* Each packet uses one lookup up. */
static void take_addressed(struct lookup_ring *r, struct sought *s)
{
	uint32_t own = add_addressed(r, s->packet->protocol, s);
	uint32_t raw = add_addressed(r, IPPROTO_RAW, s), first = own == LOOKUP_NONE ? raw : own;

	if (first == LOOKUP_NONE)
		return;
	put_first(s->owners, s->count, r->lookup[first].by);
	s->owners[0].lookup = first;
	r->lookup[first].tid = 0;
}

/* I4. */
static void take_translated(struct lookup_ring *r, uint32_t first, struct sought *s)
{
	const struct connection *c = s->packet;
	int64_t oldest_ns = s->now_ns - AGE_TCP_NS;

	for (uint32_t i = 1; i <= NEWEST && i <= r->next; i++) {
		uint32_t n = (r->next - i) % LOOKUPS;
		struct lookup *k = &r->lookup[n];

		if (k->time_ns < oldest_ns)
			return;
		if (!k->tid || k->protocol != c->protocol || !endpoint_equal(&k->src, &c->src))
			continue;
		add_owner(s, k, first + n);
		k->taken_ns = s->now_ns;
		k->tid = 0;
	}
}

int lookup_take(struct lookup_ring *calls, struct lookup_ring *others, const struct connection *c,
		uint32_t link, int64_t now_ns, struct lookup_owner owners[LOOKUP_OWNERS_MAX],
		bool *more)
{
	struct sought s = { .packet = c, .link = link, .now_ns = now_ns, .owners = owners };

	if (c->src.port > 0 && c->protocol == IPPROTO_TCP)
		take_tcp(calls, others, &s);
	else if (c->src.port > 0 && c->protocol == IPPROTO_UDP)
		take_datagram(others, &s);
	/* Of a sender that writes the header itself there is no other lookup. */
	if (!s.count && !s.more)
		take_addressed(others, &s);
	if (!s.count && !s.more && c->direction == DIRECTION_FORWARD && c->src.port > 0) {
		take_translated(calls, LOOKUPS, &s);
		take_translated(others, 0, &s);
		for (int i = 0; i < s.count; i++)
			owners[i].call = owners[i].exact = false;
	}
	*more = s.more;
	return s.count;
}
