/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The first packet of a connection.
 *
 *   arrived --attribute()--> named, or nothing more can come --> decided --> verdict, row
 *      |                                                            ^
 *      +--> parked: an audit record may be about to name it --------+  by judge_turn(): an event
 *           came that names it, /proc was looked through, or the deadline is over
 *
 *   I1  A packet is parked or has its verdict, never both; a parked one holds its slot until then.
 *   I2  Nothing here waits: /proc is looked through for parked packets alone, in short pieces,
 *       when no packet is waiting in the queue.
 *   I3  `certain` needs more than the socket's being open in a process, since a child or another
 *       process may hold it as well: the process is seen inside the call on that very descriptor,
 *       or its audit record says so.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/netfilter.h>

#include "clock.h"
#include "config.h"
#include "judge.h"
#include "nfqueue.h"
#include "observe.h"
#include "packet.h"
#include "policy.h"
#include "procfs.h"
#include "recorder.h"
#include "sockdiag.h"
#include "users.h"

#define PARKED_MAX 256
#define TWINS_MAX 4
#define HOLDERS_MAX 48
/* One look through /proc, while nobody waits in the queue. */
#define SEARCH_US 1000
#define DNS_PORT 53
/* A denied connection is tried again (SYN after 1, 3, 7 s): the same answer without another row. */
#define DENIED_SLOTS 1024
#define DENIED_NS 30000000000LL

enum counter { C_PACKETS, C_FROM_CACHE, C_FROM_RECENT, C_FROM_PROC, C_NOBODY, C_PARKED, C_EXPIRED,
	       C_MALFORMED, C_OVERRUNS, C_VERDICT_ERRORS, C_COUNT };

/* What is known of a packet's sender while it is being found out. */
struct sender {
	int64_t inode, pid, fd;		/* -1: unknown */
	uint64_t row;			/* of its record, where that is all that names it; else 0 */
	bool local;			/* it has a socket on this host */
	enum counter source;
};

struct parked {
	bool used, searched;
	uint32_t ids[TWINS_MAX], mark;
	int count;			/* of ids: retransmissions come as packets of their own */
	struct connection connection;	/* without texts */
	struct sender sender;
	int64_t arrived_ns, deadline_ns;
};

struct denied {
	uint64_t tuple;
	int64_t inode, until_ns;
	enum verdict verdict;
};

struct judge {
	struct judge_tools t;
	struct policy *policy;
	struct parked parked[PARKED_MAX];
	int waiting;
	struct denied denied[DENIED_SLOTS];
	int64_t count[C_COUNT];
};

struct judge *judge_new(const struct judge_tools *tools, struct policy *policy)
{
	struct judge *j = calloc(1, sizeof(*j));

	if (!j)
		return NULL;
	j->t = *tools;
	j->policy = policy;
	return j;
}

void judge_set_policy(struct judge *j, struct policy *policy)
{
	policy_free(j->policy);
	j->policy = policy;
}

static uint64_t hash_tuple(const struct connection *c)
{
	uint64_t h = text_hash(TEXT_HASH_SEED, &c->protocol, sizeof(c->protocol));

	h = text_hash(h, &c->src.addr, sizeof(c->src.addr));
	h = text_hash(h, &c->dst.addr, sizeof(c->dst.addr));
	h = text_hash(h, &c->src.port, sizeof(c->src.port));
	return text_hash(h, &c->dst.port, sizeof(c->dst.port));
}

static void give(struct judge *j, uint32_t id, uint32_t mark, enum verdict verdict)
{
	uint32_t mask = (uint32_t)j->t.config->mark, decided = mask & -mask, reject = mask & ~decided;
	int rc;

	mark &= ~mask;
	if (!j->t.config->enforce || verdict == VERDICT_ACCEPT)
		rc = nfqueue_accept(j->t.queue, id, mark | decided);
	else if (verdict == VERDICT_REJECT)
		/* The rule behind the queue answers with a reset or an ICMP error. */
		rc = nfqueue_accept(j->t.queue, id, mark | reject);
	else
		rc = nfqueue_drop(j->t.queue, id);
	if (rc)
		j->count[C_VERDICT_ERRORS]++;
}

/* Who the process is, into c: what the events said of it if it still is that, else /proc. */
static void describe(struct judge *j, struct connection *c, const struct sender *s)
{
	struct connection known = *c;
	int64_t now_us = clock_now_us();

	if (observer_describe(j->t.observer, s->pid, &known)) {
		struct text exe = procfs_exe(j->t.procfs, s->pid, now_us);

		/* Gone: the events are all there is.  Alive: it may have become another program. */
		if (!exe.data || text_equal(exe, known.text[CONNECTION_EXE])) {
			*c = known;
			c->pid = s->pid;
			return;
		}
	}
	if (!procfs_describe(j->t.procfs, s->pid, c))
		c->pid = s->pid;
}

/* Its process is gone, but a record of it came first. */
static bool recall(struct judge *j, const struct connection *c, struct sender *s)
{
	if (c->direction != DIRECTION_OUT)
		return false;
	s->pid = observer_recall(j->t.observer, c, &s->row);
	s->source = C_FROM_CACHE;
	return s->pid >= 0;
}

/* The process that holds the packet's socket, by what was seen lately. */
static bool find_sender(struct judge *j, const struct connection *c, struct sender *s)
{
	struct holder holders[HOLDERS_MAX];
	int count = observer_holders(j->t.observer, s->inode, c->protocol, holders, HOLDERS_MAX);

	for (int i = 0; i < count; i++) {
		if (!procfs_holds(j->t.procfs, holders[i].pid, holders[i].fd, s->inode))
			continue;
		s->pid = holders[i].pid;
		s->fd = holders[i].fd;
		s->source = holders[i].by_inode ? C_FROM_CACHE : C_FROM_RECENT;
		return true;
	}
	if (count && holders[0].by_inode) {
		/* It was seen there, and is gone meanwhile. */
		s->pid = holders[0].pid;
		s->fd = holders[0].fd;
		s->source = C_FROM_CACHE;
		return true;
	}
	return recall(j, c, s);
}

static void set_reason(struct connection *c, const struct sender *s)
{
	const char *reason = c->direction == DIRECTION_FORWARD ? "forwarded" :
			     c->src.port < 0 ? "raw" : s->local ? "gone" : "kernel";

	c->certainty = CERTAINTY_UNKNOWN;
	c->text[CONNECTION_REASON] = text_of(reason);
}

/* Fills in what is known now, and how sure that is. */
static void attribute(struct judge *j, struct connection *c, const struct sender *s)
{
	if (s->inode > 0)
		c->evidence |= EVIDENCE_INODE;
	if (s->pid < 0) {
		set_reason(c, s);
		return;
	}
	describe(j, c, s);
	c->evidence |= s->fd >= 0 ? EVIDENCE_FD : EVIDENCE_AUDIT;
	c->certainty = CERTAINTY_INFERRED;
	/* In the call, and on this very socket: the process may be gone, and its pid another's. */
	if (s->fd >= 0 && procfs_in_call(j->t.procfs, s->pid, s->fd) &&
	    procfs_holds(j->t.procfs, s->pid, s->fd, s->inode)) {
		c->evidence |= EVIDENCE_SYSCALL;
		c->certainty = CERTAINTY_CERTAIN;
	} else if ((c->evidence & EVIDENCE_INODE) && (c->evidence & EVIDENCE_FD) &&
		   observer_recorded(j->t.observer, c, s->pid, s->fd, s->inode)) {
		c->evidence |= EVIDENCE_AUDIT;
		c->certainty = CERTAINTY_CERTAIN;
	}
}

static void complete(struct judge *j, struct connection *c, char user[256])
{
	int64_t now_ns = clock_mono_ns();
	struct text name = users_name(j->t.users, c->uid, now_ns);

	c->text[CONNECTION_NODE] = text_of(j->t.config->node);
	if (!c->text[CONNECTION_USER].data && name.data) {
		snprintf(user, 256, "%.*s", (int)name.len, name.data);
		c->text[CONNECTION_USER] = text_of(user);
	}
	if (!c->text[CONNECTION_LOGIN_USER].data)
		c->text[CONNECTION_LOGIN_USER] = users_name(j->t.users, c->auid, now_ns);
	c->start_us = procfs_start_us(j->t.procfs, c->start_ticks);
}

static void record(struct judge *j, struct connection *c, const struct sender *s,
		   const struct policy_answer *a)
{
	c->verdict = a->verdict;
	c->text[CONNECTION_RULE] = text_of(a->rule);
	if (observer_packet(j->t.observer, c, s->fd, s->inode, s->row))
		recorder_decide(j->t.recorder, c);
	else
		recorder_add_packet(j->t.recorder, c);
}

/*
 * Decides and answers, or says that it would rather wait: false.  last: there is nothing to wait
 * for any more.
 */
static bool settle(struct judge *j, const struct connection *known, const struct sender *s,
		   const uint32_t *ids, int count, uint32_t mark, int64_t arrived_ns, bool last)
{
	struct connection c = *known;
	struct policy_answer a;
	char user[256];

	attribute(j, &c, s);
	if (!last && c.certainty == CERTAINTY_UNKNOWN && s->local && s->inode > 0)
		return false;
	complete(j, &c, user);
	policy_decide(j->policy, &c, &a);
	if (!last && a.wants_certain)
		return false;
	for (int i = 0; i < count; i++)
		give(j, ids[i], mark, a.verdict);
	c.latency_us = (clock_mono_ns() - arrived_ns) / 1000;
	j->count[s->pid < 0 ? C_NOBODY : s->source]++;
	if (a.verdict != VERDICT_ACCEPT)
		j->denied[hash_tuple(&c) % DENIED_SLOTS] = (struct denied){
			hash_tuple(&c), s->inode, clock_mono_ns() + DENIED_NS, a.verdict };
	record(j, &c, s, &a);
	return true;
}

static bool park(struct judge *j, const struct nfqueue_packet *p, const struct connection *c,
		 const struct sender *s, int64_t arrived_ns)
{
	int64_t wait_ns = j->t.config->park_us * 1000;

	if (!wait_ns || c->dst.port == DNS_PORT || j->waiting == PARKED_MAX)
		return false;
	for (int i = 0; i < PARKED_MAX; i++) {
		if (j->parked[i].used)
			continue;
		j->parked[i] = (struct parked){
			.used = true, .ids = { p->id }, .mark = p->mark, .count = 1,
			.connection = *c, .sender = *s, .arrived_ns = arrived_ns,
			.deadline_ns = arrived_ns + wait_ns,
		};
		j->waiting++;
		j->count[C_PARKED]++;
		return true;
	}
	return false;
}

/* A retransmission of a packet that waits already waits with it. */
static bool join_twin(struct judge *j, const struct nfqueue_packet *p, const struct connection *c)
{
	uint64_t tuple = hash_tuple(c);

	for (int i = 0; j->waiting && i < PARKED_MAX; i++) {
		struct parked *k = &j->parked[i];

		if (!k->used || k->count == TWINS_MAX || hash_tuple(&k->connection) != tuple)
			continue;
		k->ids[k->count++] = p->id;
		return true;
	}
	return false;
}

static void find_socket(struct judge *j, struct connection *c, struct sender *s)
{
	bool in = c->direction == DIRECTION_IN;
	const struct endpoint *local = in ? &c->dst : &c->src, *peer = in ? &c->src : &c->dst;
	struct sock_choice choice;
	struct sock_entry found;
	int rc;

	if (c->direction == DIRECTION_FORWARD || c->src.port < 0)
		return;
	rc = sockdiag_exact(j->t.sockdiag, c->protocol, local, peer, &found);
	if (rc == -ENOENT && (in || c->protocol != IPPROTO_TCP)) {
		rc = sockdiag_by_port(j->t.sockdiag, c->protocol, local, peer, &found, &choice);
		if (!rc && choice.alike > 1)
			rc = -EEXIST;	/* several share the port: no telling which */
	}
	if (rc)
		return;
	s->local = true;
	s->inode = found.inode ? found.inode : -1;
	if (c->uid < 0)
		c->uid = found.uid;
}

static bool read_packet(const struct nfqueue_packet *p, struct connection *c)
{
	struct packet head;
	int rc = packet_parse(p->data, p->len, &head);

	connection_init(c);
	c->time_us = clock_now_us();
	c->direction = p->hook == NF_INET_LOCAL_IN ? DIRECTION_IN :
		       p->hook == NF_INET_FORWARD ? DIRECTION_FORWARD : DIRECTION_OUT;
	c->protocol = head.protocol;
	c->src = head.src;
	c->dst = head.dst;
	c->uid = p->uid;
	return !rc;
}

void judge_packet(struct judge *j, const struct nfqueue_packet *p)
{
	struct sender s = { .inode = -1, .pid = -1, .fd = -1, .local = p->uid >= 0,
			    .source = C_NOBODY };
	int64_t now = clock_mono_ns();
	struct connection c;
	struct denied *d;

	j->count[C_PACKETS]++;
	if (!read_packet(p, &c))
		j->count[C_MALFORMED]++;
	if (join_twin(j, p, &c))
		return;
	find_socket(j, &c, &s);
	d = &j->denied[hash_tuple(&c) % DENIED_SLOTS];
	if (d->tuple == hash_tuple(&c) && d->inode == s.inode && now < d->until_ns) {
		give(j, p->id, p->mark, d->verdict);
		return;
	}
	if (s.inode > 0)
		find_sender(j, &c, &s);
	else if (s.local)
		recall(j, &c, &s);
	if (settle(j, &c, &s, &p->id, 1, p->mark, now, false))
		return;
	if (!park(j, p, &c, &s, now))
		settle(j, &c, &s, &p->id, 1, p->mark, now, true);
}

/* One piece of the search through /proc, for the parked packet that has none yet. */
static void search(struct judge *j, struct parked *k)
{
	struct sender *s = &k->sender;

	if (k->searched || s->pid >= 0 || s->inode <= 0)
		return;
	k->searched = true;
	if (!procfs_find(j->t.procfs, s->inode, SEARCH_US, &s->pid, &s->fd))
		s->source = C_FROM_PROC;
}

int judge_turn(struct judge *j)
{
	int64_t now = clock_mono_ns(), next = INT64_MAX;
	bool searched = false;

	for (int i = 0; j->waiting && i < PARKED_MAX; i++) {
		struct parked *k = &j->parked[i];
		bool last = now >= k->deadline_ns;

		if (!k->used)
			continue;
		if (k->sender.pid < 0 && k->sender.inode > 0)
			find_sender(j, &k->connection, &k->sender);
		if (k->sender.pid < 0 && !k->searched && !searched) {
			search(j, k);
			searched = true;
		}
		if (settle(j, &k->connection, &k->sender, k->ids, k->count, k->mark, k->arrived_ns,
			   last)) {
			j->count[C_EXPIRED] += last;
			k->used = false;
			j->waiting--;
		} else if (k->deadline_ns < next) {
			next = k->deadline_ns;
		}
	}
	return next == INT64_MAX ? -1 : next <= now ? 0 : (int)((next - now) / 1000000);
}

void judge_free(struct judge *j)
{
	if (!j)
		return;
	for (int i = 0; i < PARKED_MAX; i++) {
		struct parked *k = &j->parked[i];

		if (k->used)
			settle(j, &k->connection, &k->sender, k->ids, k->count, k->mark,
			       k->arrived_ns, true);
	}
	policy_free(j->policy);
	free(j);
}

void judge_publish(struct judge *j)
{
	static const char *const names[C_COUNT] = {
		[C_PACKETS] = "queue_packets", [C_FROM_CACHE] = "queue_from_cache",
		[C_FROM_RECENT] = "queue_from_recent", [C_FROM_PROC] = "queue_from_proc",
		[C_NOBODY] = "queue_from_nobody", [C_PARKED] = "queue_parked",
		[C_EXPIRED] = "queue_expired", [C_MALFORMED] = "queue_malformed",
		[C_OVERRUNS] = "queue_overruns", [C_VERDICT_ERRORS] = "queue_errors",
	};

	j->count[C_OVERRUNS] = nfqueue_overruns(j->t.queue);
	for (unsigned int i = 0; i < C_COUNT; i++)
		recorder_count(j->t.recorder, i, names[i], j->count[i]);
}
