/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Connections of which one half is known: an array of halves, and four hashes over it whose chains
 * have the newest first.
 *
 *   I1  A slot in use is in the chain of its id.  Until it is settled it is also in the chains of
 *       its destination, of its process with the destination, and of its inode where it has one.
 *       An unused slot is in no chain.
 *   I2  A search follows a chain no further back than the time allows, and no more than LOOKS, from
 *       its newest half on.  Of the packets of one process the oldest are looked at as well: a
 *       burst of calls that do not wait is longer than that before its first record comes.
 */
#include <netinet/in.h>
#include <stdlib.h>

#include "clock.h"
#include "event.h"
#include "failures.h"
#include "halves.h"
#include "shares.h"
#include "text.h"

#define BUCKETS ((uint32_t)HALVES_MAX)
#define LOOKS 512
#define NONE UINT32_MAX
/* Of all but TCP. */
#define AFTER_US (2 * TIME_US_PER_S)
/* A process may first use a connected UDP socket long after connect(). */
#define AFTER_CONNECTED_US (30 * 60 * TIME_US_PER_S)

enum chain { BY_ID, BY_DST, BY_PROCESS, BY_INODE, CHAINS };

struct slot {
	struct half half;
	bool used, settled;
	uint32_t newer[CHAINS], older[CHAINS], bucket[CHAINS];
};

struct halves {
	struct slot slot[HALVES_MAX];
	uint32_t head[CHAINS][BUCKETS], tail[CHAINS][BUCKETS];
	uint32_t touched;	/* slots from here on have never been used */
	struct shares *shares;
	uint32_t open;		/* the number of unsettled halves */
	int64_t evicted;
	struct half made_room;	/* the last one; id 0: none had to */
};

struct halves *halves_new(void)
{
	struct halves *f = calloc(1, sizeof(*f));

	for (unsigned int c = 0; f && c < CHAINS; c++)
		for (unsigned int b = 0; b < BUCKETS; b++)
			f->head[c][b] = f->tail[c][b] = NONE;
	if (f)
		f->shares = shares_new(HALVES_MAX);
	if (f && !f->shares) {
		free(f);
		f = NULL;
	}
	return f;
}

void halves_free(struct halves *f)
{
	if (f)
		shares_free(f->shares);
	free(f);
}

static uint32_t bucket_of_number(uint64_t n)
{
	return (uint32_t)(text_hash(TEXT_HASH_SEED, &n, sizeof(n)) % BUCKETS);
}

static uint32_t bucket_of_dst(const struct endpoint *dst, int64_t pid)
{
	uint64_t h = text_hash(TEXT_HASH_SEED, &dst->addr, sizeof(dst->addr));

	h = text_hash(h, &dst->port, sizeof(dst->port));
	return (uint32_t)(text_hash(h, &pid, sizeof(pid)) % BUCKETS);
}

static void link_in(struct halves *f, enum chain c, uint32_t n, uint32_t bucket)
{
	struct slot *s = &f->slot[n];
	uint32_t *head = &f->head[c][bucket];

	s->bucket[c] = bucket;
	s->newer[c] = NONE;
	s->older[c] = *head;
	if (*head != NONE)
		f->slot[*head].newer[c] = n;
	else
		f->tail[c][bucket] = n;
	*head = n;
}

static void link_out(struct halves *f, enum chain c, uint32_t n)
{
	struct slot *s = &f->slot[n];

	if (s->bucket[c] == NONE)
		return;
	*(s->newer[c] == NONE ? &f->head[c][s->bucket[c]] : &f->slot[s->newer[c]].older[c]) =
		s->older[c];
	*(s->older[c] == NONE ? &f->tail[c][s->bucket[c]] : &f->slot[s->older[c]].newer[c]) =
		s->newer[c];
	s->bucket[c] = NONE;
}

static void settle(struct halves *f, uint32_t n)
{
	if (f->slot[n].settled)
		return;
	for (enum chain c = BY_DST; c < CHAINS; c++)
		link_out(f, c, n);
	f->slot[n].settled = true;
	f->open--;
}

/* The longest time between a call and the first packet of it. */
static int64_t longest(int protocol)
{
	return protocol == IPPROTO_TCP ? HALVES_AFTER_TCP_US : AFTER_US;
}

/* A slot for a new half: the oldest of all where its other half cannot come any more, else that of
 * the user with the most. */
static uint32_t take_slot(struct halves *f, int64_t time_us)
{
	const struct half *oldest;
	uint32_t n;

	if (f->touched < HALVES_MAX)
		return f->touched++;
	n = shares_oldest(f->shares);
	oldest = &f->slot[n].half;
	if (time_us - oldest->time_us <= longest(oldest->protocol))
		n = shares_heaviest(f->shares);
	shares_remove(f->shares, n);
	return n;
}

const struct half *halves_made_room(const struct halves *f)
{
	return f->made_room.id ? &f->made_room : NULL;
}

int halves_add(struct halves *f, const struct half *half)
{
	uint32_t n = take_slot(f, half->time_us);
	struct slot *s = &f->slot[n];

	f->made_room.id = 0;
	if (s->used) {
		if (!s->settled && half->time_us - s->half.time_us <= longest(s->half.protocol)) {
			FAILS(HALF_EVICTED);
			f->evicted++;
			f->made_room = s->half;
		}
		settle(f, n);
		link_out(f, BY_ID, n);
	}
	s->half = *half;
	s->used = true;
	s->settled = false;
	f->open++;
	shares_add(f->shares, n, half->uid);
	link_in(f, BY_ID, n, bucket_of_number(half->id));
	link_in(f, BY_DST, n, bucket_of_dst(&half->peer, -1));
	link_in(f, BY_PROCESS, n, bucket_of_dst(&half->peer, half->pid));
	s->bucket[BY_INODE] = NONE;
	if (half->inode > 0)
		link_in(f, BY_INODE, n, bucket_of_number((uint64_t)half->inode));
	return (int)n;
}

/* A raw socket of IPPROTO_RAW sends packets of every protocol. */
static bool is_any(int protocol)
{
	return protocol < 0 || protocol == IPPROTO_RAW;
}

static bool same_peer(const struct half *f, int protocol, const struct endpoint *dst)
{
	return f->peer.port == dst->port && address_equal(&f->peer.addr, &dst->addr) &&
	       (is_any(protocol) || is_any(f->protocol) || f->protocol == protocol);
}

static bool same_user(const struct half *f, const struct event *e)
{
	const struct process *p = &e->process;

	return f->uid < 0 || f->uid == p->uid || f->uid == p->euid || f->uid == p->fsuid;
}

/* Who calls in the queue's own network namespace sent nothing that is forwarded, and nobody else
 * has sent anything that is not. */
static bool is_elsewhere(const struct half *f, const struct process *p)
{
	if (f->netns <= 0)
		return false;
	return p->netns <= 0 ? f->forwarded : (p->netns == f->netns) == f->forwarded;
}

/*
 * How well a packet fits a record: 5 its socket; 4 its process and descriptor; 3 its process; 2 a
 * packet without a process, and of that user; 1 a holder's of TCP, because it may have been passed
 * the socket after connect(), and a datagram was sent by the holder; 0: not at all.  For the
 * process's own descriptor another inode does not count, because the plugin may have looked after
 * the descriptor became another socket.  For the same reason a packet whose own call was seen is no
 * other process's, whatever was seen there.
 */
static int match_rank(const struct half *f, const struct event *e, int protocol,
		      const struct endpoint *dst)
{
	if (f->in || !same_peer(f, protocol, dst) || f->time_us - e->time_us > longest(f->protocol))
		return 0;
	if (f->proven && f->pid != e->process.pid)
		return 0;
	if (f->inode > 0 && f->inode == e->inode)
		return 5;
	if (f->pid == e->process.pid)
		return f->fd >= 0 && f->fd == e->fd ? 4 : 3;
	if ((f->inode > 0 && e->inode > 0) || !same_user(f, e) ||
	    is_elsewhere(f, &e->process))
		return 0;
	if (f->pid < 0)
		return 2;
	if (f->protocol != IPPROTO_TCP)
		return 0;
	return f->evidence & (EVIDENCE_AUDIT | EVIDENCE_PROC_SYSCALL | EVIDENCE_TRACE) ? 0 : 1;
}

/* The best of a chain, of equals the oldest: the first record belongs to the first packet. */
static uint32_t best_of(const struct halves *f, enum chain c, uint32_t n, const struct event *e,
			int protocol, const struct endpoint *dst)
{
	uint32_t best = NONE;
	int best_fit = 0;

	for (int looks = 0; n != NONE && looks < LOOKS; looks++, n = f->slot[n].older[c]) {
		const struct half *half = &f->slot[n].half;
		int how = match_rank(half, e, protocol, dst);

		if (half->time_us - e->time_us < -HALVES_BEFORE_US)
			break;		/* the rest of the chain is older still */
		if (!how || how < best_fit)
			continue;
		best = n;
		best_fit = how;
	}
	return best;
}

/* The oldest packet of the process that may be the record's, where a chain is longer than a search
 * from its newest end; NONE: there is none. */
static uint32_t oldest_of_burst(const struct halves *f, uint32_t bucket, const struct event *e,
				int protocol, const struct endpoint *dst)
{
	uint32_t n = f->tail[BY_PROCESS][bucket];

	for (int looks = 0; n != NONE && looks < LOOKS; looks++, n = f->slot[n].newer[BY_PROCESS])
		if (f->slot[n].half.time_us - e->time_us >= -HALVES_BEFORE_US &&
		    match_rank(&f->slot[n].half, e, protocol, dst) == 3)
			return n;
	return NONE;
}

/* The packet of the record's process: by its descriptor, else the oldest. */
static uint32_t of_process(const struct halves *f, const struct event *e, int protocol,
			   const struct endpoint *dst)
{
	uint32_t bucket = bucket_of_dst(dst, e->process.pid), oldest;
	uint32_t n = best_of(f, BY_PROCESS, f->head[BY_PROCESS][bucket], e, protocol, dst);

	if (n == NONE || match_rank(&f->slot[n].half, e, protocol, dst) != 3)
		return n;
	oldest = oldest_of_burst(f, bucket, e, protocol, dst);
	return oldest == NONE ? n : oldest;
}

int halves_match(struct halves *f, const struct event *e, int protocol, const struct endpoint *dst,
		 uint64_t *id)
{
	uint32_t n = NONE;

	if (!f->open)
		return -1;
	if (e->inode > 0)
		n = best_of(f, BY_INODE, f->head[BY_INODE][bucket_of_number((uint64_t)e->inode)], e,
			    protocol, dst);
	if (n == NONE)
		n = of_process(f, e, protocol, dst);
	if (n == NONE)
		n = best_of(f, BY_DST, f->head[BY_DST][bucket_of_dst(dst, -1)], e, protocol, dst);
	if (n == NONE)
		return -1;
	*id = f->slot[n].half.id;
	settle(f, n);
	return (int)n;
}

/*
 * How well a packet that came in fits the record of an accept(): 3 it was to the socket that was
 * listened on; 2 one of the two is not known; 1 to another socket at the same port, because several
 * may share it (SO_REUSEPORT), and the plugin may have looked after the descriptor became another
 * socket; 0: not at all.
 */
static int accept_rank(const struct half *f, const struct event *e, int protocol,
		       const struct endpoint *peer, const struct endpoint *local)
{
	int64_t returned_us = e->arrival_us > e->time_us ? e->arrival_us : e->time_us;

	if (!f->in || !same_peer(f, protocol, peer) || f->time_us > returned_us + HALVES_BEFORE_US)
		return 0;
	if (local->port > 0 && local->port != f->local.port)
		return 0;
	if (local->addr.family && !address_equal(&local->addr, &f->local.addr))
		return 0;
	if (f->inode <= 0 || e->listener_inode <= 0)
		return 2;
	return f->inode == e->listener_inode ? 3 : local->port > 0;
}

int halves_match_accept(struct halves *f, const struct event *e, int protocol,
			const struct endpoint *peer, const struct endpoint *local, uint64_t *id,
			bool *alone)
{
	uint32_t n = f->head[BY_DST][bucket_of_dst(peer, -1)], best = NONE;
	int best_rank = 0;

	*alone = true;
	for (int looks = 0; n != NONE && looks < LOOKS; looks++, n = f->slot[n].older[BY_DST]) {
		const struct half *half = &f->slot[n].half;
		int rank = accept_rank(half, e, protocol, peer, local);

		if (rank > best_rank) {
			best = n;
			best_rank = rank;
			*alone = true;
		} else if (rank && rank == best_rank) {
			*alone = false;
		}
	}
	if (best == NONE)
		return -1;
	*id = f->slot[best].half.id;
	settle(f, best);
	return (int)best;
}

/* The oldest half that is no older than most_us. */
static uint32_t oldest_of(const struct halves *f, int protocol, const struct endpoint *dst,
			  int64_t pid, int64_t fd, int64_t uid, int64_t time_us, int64_t most_us)
{
	enum chain c = pid < 0 ? BY_DST : BY_PROCESS;
	uint32_t n = f->head[c][bucket_of_dst(dst, pid)], best = NONE;

	for (int looks = 0; n != NONE && looks < LOOKS; looks++, n = f->slot[n].older[c]) {
		const struct half *half = &f->slot[n].half;

		if (time_us - half->time_us > most_us)
			break;
		if (same_peer(half, protocol, dst) &&
		    time_us - half->time_us >= -HALVES_BEFORE_US &&
		    (pid < 0 || half->pid == pid) &&
		    (fd < 0 || half->fd < 0 || half->fd == fd) &&
		    (uid < 0 || half->uid < 0 || uid == half->uid || pid >= 0))
			best = n;
	}
	return best;
}

bool halves_find(const struct halves *f, int protocol, const struct endpoint *dst, int64_t pid,
		int64_t fd, int64_t uid, int64_t time_us, struct half *found)
{
	uint32_t n;

	if (pid >= 0 && protocol == IPPROTO_UDP) {
		n = oldest_of(f, protocol, dst, pid, fd, uid, time_us, AFTER_CONNECTED_US);
	} else {
		n = oldest_of(f, protocol, dst, pid, fd, uid, time_us, AFTER_US);
		if (n == NONE)
			n = oldest_of(f, protocol, dst, pid, fd, uid, time_us, longest(protocol));
	}
	if (n == NONE)
		return false;
	*found = f->slot[n].half;
	return true;
}

bool halves_find_socket(const struct halves *f, int protocol, const struct endpoint *dst,
			int64_t inode, struct half *found)
{
	uint32_t n = inode > 0 ? f->head[BY_INODE][bucket_of_number((uint64_t)inode)] : NONE;

	for (int looks = 0; n != NONE && looks < LOOKS; looks++, n = f->slot[n].older[BY_INODE]) {
		const struct half *half = &f->slot[n].half;

		if (half->inode != inode || !same_peer(half, protocol, dst))
			continue;
		*found = *half;
		return true;
	}
	return false;
}

int64_t halves_evicted(const struct halves *f)
{
	return f->evicted;
}

static uint32_t find_id(const struct halves *f, uint64_t id)
{
	uint32_t n = f->head[BY_ID][bucket_of_number(id)];

	while (n != NONE && f->slot[n].half.id != id)
		n = f->slot[n].older[BY_ID];
	return n;
}

int halves_slot(const struct halves *f, uint64_t id)
{
	uint32_t n = find_id(f, id);

	return n == NONE ? -1 : (int)n;
}

bool halves_has(const struct halves *f, uint64_t id)
{
	uint32_t n = find_id(f, id);

	return n != NONE && !f->slot[n].settled;
}

void halves_settle(struct halves *f, uint64_t id)
{
	uint32_t n = find_id(f, id);

	if (n != NONE)
		settle(f, n);
}
