/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The first packet of a connection.
 *
 *   arrived --witnesses_ask()--> named, or nothing more can come --> decided --> verdict, row
 *      |                                                                ^
 *      +--> parked: a record may be about to name it -------------------+
 *             judge_event(): one came that names it;
 *             judge_turn(): /proc was looked through, or the deadline is over
 *
 *   I1  A packet is parked or has its verdict, never both; a parked one holds its slot until then.
 *   I2  Nothing here waits: /proc is looked through for parked packets alone, in short pieces,
 *       between which the queue is read.
 *   I3  The verdict is given as soon as the policy can tell; what only the row wants comes after it.
 *       Where it is certain which process it is, and nobody asks who that is before it passes, that
 *       is before /proc is asked for its program.
 */
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
#include "procscan.h"
#include "ledger_sink.h"
#include "tracefeed.h"
#include "users.h"
#include "witnesses.h"

#define PARKED_MAX 256
#define TWINS_MAX 4
/* One piece of the search through /proc: so long a packet may wait for it. */
#define SEARCH_US 150
/* Where we had no processor a packet waits longer than its time, but not for more than so many times that;
 * then, too, some pieces are for it. */
#define STARVED_TIMES 10
#define PIECES_MIN 8
#define DNS_PORT 53
#define OTHERS_CHARS 1024
/* A denied connection is tried again (SYN after 1, 3, 7 s): the same answer without another row. */
#define DENIED_SLOTS 1024
#define DENIED_NS 30000000000LL
/* More packets than that in so long: what their rows only want is left to the records. */
#define BUSY_PACKETS 150
#define BUSY_NS 100000000LL
/* A new process: no longer here than that. */
#define YOUNG_US 100000
/* How long after a packet the kernel is asked what it lost: no packet is parked for longer. */
#define LOSSES_NS 1000000000LL

enum counter {
	C_PACKETS,
	C_FROM,					/* by enum source */
	C_CONFIRMED = C_FROM + SOURCES,		/* likewise: the record agreed with the first answer */
	C_AMENDED = C_CONFIRMED + SOURCES,	/* it named another process */
	C_RECORDED = C_AMENDED + SOURCES,	/* the record had come first */
	C_PARKED = C_RECORDED + SOURCES,
	C_EXPIRED, C_MALFORMED, C_OVERRUNS, C_MISSED, C_DROPPED, C_USER_DROPPED, C_VERDICT_ERRORS,
	C_MISJUDGED, C_TRACE_EVENTS, C_TRACE_OVERRUNS, C_COUNT
};

static const char *const counter_names[C_COUNT] = {
	[C_PACKETS] = "queue_packets",
	[C_FROM + FROM_NOBODY] = "queue_from_nobody", [C_FROM + FROM_TRACE] = "queue_from_trace",
	[C_FROM + FROM_CACHE] = "queue_from_cache", [C_FROM + FROM_RECENT] = "queue_from_recent",
	[C_FROM + FROM_PROC] = "queue_from_proc",
	[C_CONFIRMED + FROM_NOBODY] = "late_confirmed_nobody",
	[C_CONFIRMED + FROM_TRACE] = "late_confirmed_trace",
	[C_CONFIRMED + FROM_CACHE] = "late_confirmed_cache",
	[C_CONFIRMED + FROM_RECENT] = "late_confirmed_recent",
	[C_CONFIRMED + FROM_PROC] = "late_confirmed_proc",
	[C_AMENDED + FROM_TRACE] = "late_amended_trace",
	[C_AMENDED + FROM_CACHE] = "late_amended_cache",
	[C_AMENDED + FROM_RECENT] = "late_amended_recent",
	[C_AMENDED + FROM_PROC] = "late_amended_proc",
	[C_RECORDED + FROM_TRACE] = "recorded_trace", [C_RECORDED + FROM_CACHE] = "recorded_cache",
	[C_RECORDED + FROM_RECENT] = "recorded_recent", [C_RECORDED + FROM_PROC] = "recorded_proc",
	[C_PARKED] = "queue_parked", [C_EXPIRED] = "queue_expired",
	[C_MALFORMED] = "queue_malformed", [C_OVERRUNS] = "queue_overruns",
	[C_MISSED] = "queue_missed", [C_DROPPED] = "queue_dropped",
	[C_USER_DROPPED] = "queue_user_dropped",
	[C_VERDICT_ERRORS] = "queue_errors", [C_MISJUDGED] = "queue_misjudged",
	[C_TRACE_EVENTS] = "trace_events", [C_TRACE_OVERRUNS] = "trace_overruns",
};

/* Through /proc, for whoever is parked. */
enum search {
	NEWEST,		/* the processes started last */
	EVERYBODY,
	SEARCHES
};

/* A packet, or several copies of it, without its verdict yet. */
struct pending {
	struct nfqueue_id ids[TWINS_MAX];
	int count;			/* of ids: retransmissions come as packets of their own */
	uint32_t mark;
	struct connection connection;	/* without texts */
	struct sender sender;
	int64_t arrived_ns, deadline_ns, answered_ns;	/* answered_ns 0: not yet */
	bool used;
	struct { bool begun, over; } search[SEARCHES];	/* those that began after it came */
	int pieces;			/* of searches, since it is parked */
};

struct denied {
	uint64_t tuple;
	int64_t inode, until_ns;
	enum verdict verdict;
};

struct judge {
	struct judge_tools t;
	struct policy *policy;
	bool asks_more, asks_names, asks_who;	/* policy_asks_...() */
	struct pending parked[PARKED_MAX];
	int parked_to;			/* none behind that is used */
	int waiting;
	struct { struct procscan *scan; bool going_on; } search[SEARCHES];
	enum search had_last;		/* which had a piece */
	struct denied denied[DENIED_SLOTS];
	int64_t count[C_COUNT];
	bool heard;			/* records do come */
	int64_t counted_since_ns, counted;	/* packets */
	bool busy;			/* there were many, or are */
	int64_t losses_due_ns;		/* when to ask for what was lost; 0: no packet came since */
};

void judge_set_policy(struct judge *j, struct policy *policy)
{
	policy_free(j->policy);
	j->policy = policy;
	j->asks_more = policy_asks_more(policy);
	j->asks_names = policy_asks_names(policy);
	j->asks_who = policy_asks_who(policy);
	/* The new one may allow what the old one did not. */
	memset(j->denied, 0, sizeof(j->denied));
}

struct judge *judge_new(const struct judge_tools *tools, struct policy *policy)
{
	struct judge *j = calloc(1, sizeof(*j));

	if (!j)
		return NULL;
	j->t = *tools;
	for (int i = 0; i < SEARCHES; i++) {
		j->search[i].scan = procscan_new(tools->witnesses->procfs);
		if (!j->search[i].scan) {
			judge_free(j);
			return NULL;
		}
	}
	judge_set_policy(j, policy);
	return j;
}

static uint64_t hash_tuple(const struct connection *c)
{
	uint64_t h = text_hash(TEXT_HASH_SEED, &c->protocol, sizeof(c->protocol));

	h = text_hash(h, &c->src.addr, sizeof(c->src.addr));
	h = text_hash(h, &c->dst.addr, sizeof(c->dst.addr));
	h = text_hash(h, &c->src.port, sizeof(c->src.port));
	return text_hash(h, &c->dst.port, sizeof(c->dst.port));
}

static void give(struct judge *j, struct nfqueue_id id, uint32_t mark, enum verdict verdict)
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

static const char *reason_of(const struct judge *j, const struct connection *c,
			     const struct sender *s)
{
	if (c->direction == DIRECTION_FORWARD)
		return "forwarded";
	if (c->src.port < 0)
		return "raw";
	if (!s->local)
		return "kernel";
	if (s->lost)
		return "lost";
	return j->heard ? "gone" : "no-audit";
}

/* Fills in what is known now, and how sure that is. */
static void attribute(struct judge *j, struct connection *c, struct sender *s, struct portrait *p,
		      enum look look)
{
	c->evidence = s->evidence;
	if (s->pid < 0) {
		c->certainty = CERTAINTY_UNKNOWN;
		c->text[CONNECTION_REASON] = text_of(reason_of(j, c, s));
		*p = (struct portrait){ .alive = false };
		return;
	}
	witnesses_describe(j->t.witnesses, c, s, p, look);
	c->certainty = certainty_of(s->evidence, &s->doubts);
}

/* What only rules with patterns of names need: this may wait for a directory server. */
static void name_users(struct judge *j, struct connection *c, char user[256])
{
	int64_t now_ns = clock_mono_ns();
	struct text name;

	if (!j->asks_names)
		return;
	name = users_name(j->t.users, c->uid, now_ns);
	if (!c->text[CONNECTION_USER].data && name.data) {
		snprintf(user, 256, "%.*s", (int)name.len, name.data);
		c->text[CONNECTION_USER] = text_of(user);
	}
	if (!c->text[CONNECTION_LOGIN_USER].data)
		c->text[CONNECTION_LOGIN_USER] = users_name(j->t.users, c->auid, now_ns);
}

/* uid: of the packet's socket, which the process's need not be. */
static void record(struct judge *j, struct connection *c, const struct sender *s, int64_t uid,
		   const struct portrait *p, const struct policy_answer *a)
{
	struct half half = {
		.inode = s->inode, .pid = s->pid, .fd = s->fd, .uid = uid, .source = (int)s->source,
		.trace_ok = s->doubts.trace_ok, .shared = s->doubts.shared,
		.described = p->whole, .verdict = a->verdict,
	};
	char others[OTHERS_CHARS];
	const char *text = NULL;

	c->text[CONNECTION_NODE] = text_of(j->t.config->node);
	c->start_us = procfs_start_us(j->t.witnesses->procfs, c->start_ticks);
	c->verdict = a->verdict;
	c->text[CONNECTION_RULE] = text_of(a->rule);
	if (c->certainty != CERTAINTY_CERTAIN && s->other_count)
		text = witnesses_others(j->t.witnesses, s, others, sizeof(others));
	c->text[CONNECTION_CANDIDATES] = text ? text_of(text) : TEXT_NONE;
	if (observer_packet(j->t.witnesses->observer, c, &half, s->row))
		ledger_sink_decide(j->t.recorder, c);
	else
		ledger_sink_add_packet(j->t.recorder, c);
	if ((s->evidence & EVIDENCE_TRACE) && !(s->evidence & EVIDENCE_CALL) && s->doubts.trace_ok &&
	    !s->stranger)
		lookups_await_call(j->t.witnesses->lookups, &s->looker, c->id);
}

static void count_packet(struct judge *j, int64_t now_ns)
{
	int64_t past_ns = now_ns - j->counted_since_ns;

	if (past_ns >= BUSY_NS) {
		j->busy = past_ns < 2 * BUSY_NS && j->counted > BUSY_PACKETS;
		j->counted_since_ns = now_ns;
		j->counted = 0;
	}
	if (++j->counted > BUSY_PACKETS)
		j->busy = true;
}

/* A new process's /proc takes longer to read than all else that a packet needs. */
static bool is_left_to_records(const struct judge *j, const struct connection *c,
			       const struct sender *s)
{
	int64_t age_us = j->busy && j->heard ? witnesses_age_us(j->t.witnesses, c, s) : -1;

	return age_us >= 0 && age_us < YOUNG_US;
}

/* Before the verdict the policy says.  A TCP connect() that was seen has its record to come, and nobody
 * else's: what that says is enough where nobody decides by it. */
static enum look look_for(const struct judge *j, const struct pending *k)
{
	if (j->asks_more)
		return LOOK_WHOLE;
	if (!j->asks_who && k->answered_ns && k->connection.protocol == IPPROTO_TCP &&
	    (k->sender.evidence & EVIDENCE_CALL) &&
	    is_left_to_records(j, &k->connection, &k->sender))
		return LOOK_NOT;
	return LOOK_GLANCE;
}

static void remember_denied(struct judge *j, struct pending *k, enum verdict verdict)
{
	uint64_t tuple = hash_tuple(&k->connection);

	/* The trace may have named it, which does not speak again when it is tried again. */
	witnesses_socket(j->t.witnesses, &k->connection, &k->sender);
	j->denied[tuple % DENIED_SLOTS] = (struct denied){
		tuple, k->sender.inode, clock_mono_ns() + DENIED_NS, verdict };
}

static void answer(struct judge *j, struct pending *k, enum verdict verdict)
{
	if (k->answered_ns)
		return;
	for (int i = 0; i < k->count; i++)
		give(j, k->ids[i], k->mark, verdict);
	k->answered_ns = clock_mono_ns();
}

/* It passes, whoever is found to have sent it. */
static bool passes_anyhow(const struct judge *j, const struct connection *packet)
{
	static const enum certainty sure[] = { CERTAINTY_UNKNOWN, CERTAINTY_CERTAIN };
	struct policy_answer a;
	struct connection c;

	if (!j->t.config->enforce)
		return true;
	if (j->asks_who)
		return false;
	c = *packet;
	c.text[CONNECTION_NODE] = text_of(j->t.config->node);
	for (int i = 0; i < 2; i++) {
		c.certainty = sure[i];
		policy_decide(j->policy, &c, &a);
		if (a.verdict != VERDICT_ACCEPT)
			return false;
	}
	return true;
}

static void pass_anyhow(struct judge *j, struct pending *k)
{
	if (k->answered_ns || !passes_anyhow(j, &k->connection))
		return;
	k->sender.passed = true;
	answer(j, k, VERDICT_ACCEPT);
}

/* Decides and answers, or says that it would rather wait: false.  last: there is nothing to wait for. */
static bool settle(struct judge *j, struct pending *k, bool last)
{
	struct connection c = k->connection;
	struct sender *s = &k->sender;
	struct policy_answer a;
	struct portrait p;
	char user[256];

	witnesses_share(j->t.witnesses, &c, s);
	attribute(j, &c, s, &p, look_for(j, k));
	if (!last && ((c.certainty == CERTAINTY_UNKNOWN && s->local) || s->elsewhere))
		return false;
	c.text[CONNECTION_NODE] = text_of(j->t.config->node);
	name_users(j, &c, user);
	policy_decide(j->policy, &c, &a);
	if (a.wants_certain) {
		witnesses_insist(j->t.witnesses, s);
		c.evidence = s->evidence;
		c.certainty = certainty_of(s->evidence, &s->doubts);
		policy_decide(j->policy, &c, &a);
	}
	if (!last && a.wants_certain)
		return false;
	answer(j, k, a.verdict);
	c.latency_us = (k->answered_ns - k->arrived_ns) / 1000;
	j->count[C_FROM + s->source]++;
	j->count[C_RECORDED + s->source] += s->row != 0;
	if (a.verdict != VERDICT_ACCEPT)
		remember_denied(j, k, a.verdict);
	if (s->pid >= 0 && !is_left_to_records(j, &c, s))
		witnesses_complete(j->t.witnesses, &c, s, &p);
	record(j, &c, s, k->connection.uid, &p, &a);
	return true;
}

static void release(struct judge *j, struct pending *k)
{
	k->used = false;
	j->waiting--;
	while (j->parked_to && !j->parked[j->parked_to - 1].used)
		j->parked_to--;
	/* The next one is not to wait for the end of a search for others. */
	if (!j->waiting)
		j->search[NEWEST].going_on = j->search[EVERYBODY].going_on = false;
}

/* Nobody is named who holds its socket, or not the one who calls.  Whose socket is closed is not to be
 * found. */
static bool wants_search(const struct pending *k)
{
	return k->sender.inode > 0 && (k->sender.pid < 0 || k->sender.elsewhere);
}

static bool park(struct judge *j, const struct pending *k)
{
	int64_t wait_ns = j->t.config->park_us * 1000;

	if (!wait_ns || k->connection.dst.port == DNS_PORT || j->waiting == PARKED_MAX)
		return false;
	for (int i = 0; i < PARKED_MAX; i++) {
		if (j->parked[i].used)
			continue;
		j->parked[i] = *k;
		j->parked[i].used = true;
		j->parked[i].deadline_ns = k->arrived_ns + wait_ns;
		j->waiting++;
		if (i >= j->parked_to)
			j->parked_to = i + 1;
		j->count[C_PARKED]++;
		return true;
	}
	return false;
}

/* A retransmission of a packet that waits already waits with it. */
static bool join_twin(struct judge *j, const struct pending *k)
{
	uint64_t tuple = j->waiting ? hash_tuple(&k->connection) : 0;

	for (int i = 0; i < j->parked_to; i++) {
		struct pending *other = &j->parked[i];

		if (!other->used || other->count == TWINS_MAX ||
		    hash_tuple(&other->connection) != tuple)
			continue;
		other->ids[other->count++] = k->ids[0];
		return true;
	}
	return false;
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

/* One that was denied a moment ago is no other connection. */
static bool is_denied(struct judge *j, const struct pending *k)
{
	uint64_t tuple = hash_tuple(&k->connection);
	const struct denied *d = &j->denied[tuple % DENIED_SLOTS];

	if (d->tuple != tuple || d->inode != k->sender.inode || k->arrived_ns >= d->until_ns)
		return false;
	give(j, k->ids[0], k->mark, d->verdict);
	return true;
}

void judge_packet(struct judge *j, const struct nfqueue_packet *p)
{
	struct pending k = {
		.ids = { p->id }, .count = 1, .mark = p->mark, .arrived_ns = p->taken_ns,
	};

	j->count[C_PACKETS]++;
	count_packet(j, k.arrived_ns);
	if (!j->losses_due_ns)
		j->losses_due_ns = k.arrived_ns + LOSSES_NS;
	if (!read_packet(p, &k.connection))
		j->count[C_MALFORMED]++;
	if (join_twin(j, &k))
		return;
	sender_init(&k.sender, p->uid);
	if (witnesses_call(j->t.witnesses, &k.connection, &k.sender))
		pass_anyhow(j, &k);
	witnesses_ask(j->t.witnesses, &k.connection, &k.sender);
	if (witnesses_sure(j->t.witnesses, &k.sender))
		pass_anyhow(j, &k);
	if ((!k.answered_ns && is_denied(j, &k)) || settle(j, &k, k.answered_ns != 0))
		return;
	if (!park(j, &k))
		settle(j, &k, true);
}

/* id: a process's or a thread's.  True: nobody waits any more. */
static bool found(int64_t inode, int64_t id, int64_t fd, void *arg)
{
	struct judge *j = arg;
	int64_t pid = -1;

	for (int i = 0; i < j->parked_to; i++) {
		struct pending *k = &j->parked[i];

		if (!k->used || k->sender.inode != inode || !wants_search(k))
			continue;
		if (pid < 0)
			pid = procfs_process(j->t.witnesses->procfs, id);
		/* Its number may be another's since we looked. */
		if (!procfs_holds(j->t.witnesses->procfs, pid, fd, inode))
			break;
		observer_learn(j->t.witnesses->observer, inode, pid, fd);
		witnesses_found(j->t.witnesses, &k->connection, &k->sender, pid, fd, FROM_PROC);
		if (settle(j, k, false))
			release(j, k);
	}
	return !j->waiting;
}

static bool is_call_to(const struct event *e, const struct endpoint *dst)
{
	struct address addr = e->addr;

	address_unmap(&addr);
	return e->kind != EVENT_SOCKET && e->port == dst->port && address_equal(&addr, &dst->addr);
}

/* A record that may be of this parked packet.  inode: of its socket; -1: unknown. */
static void meet(struct judge *j, struct pending *k, const struct event *e, int64_t inode)
{
	struct witnesses *w = j->t.witnesses;

	if (inode > 0 && inode == k->sender.inode && k->sender.fd < 0 &&
	    procfs_holds(w->procfs, e->pid, e->fd, inode))
		witnesses_found(w, &k->connection, &k->sender, e->pid, e->fd, FROM_CACHE);
	else if (is_call_to(e, &k->connection.dst))
		witnesses_record(w, &k->connection, &k->sender);
	else
		return;
	if (settle(j, k, false))
		release(j, k);
}

static struct pending *parked_with(struct judge *j, int64_t inode)
{
	for (int i = 0; inode > 0 && i < j->parked_to; i++)
		if (j->parked[i].used && j->parked[i].sender.inode == inode)
			return &j->parked[i];
	return NULL;
}

void judge_event(struct judge *j, const struct event *e)
{
	int64_t inode = e->inode;
	struct pending *own;

	if (e->text[EVENT_NODE].data)
		return;
	j->heard = true;
	if (!j->waiting)
		return;
	/* The plugin may have been too busy to look. */
	if (inode < 0 && e->fd >= 0)
		inode = procfs_inode(j->t.witnesses->procfs, e->pid, e->fd);
	/* Not another's, who waits for a record to the same place. */
	own = parked_with(j, inode);
	for (int i = 0; i < j->parked_to; i++)
		if (own ? own == &j->parked[i] : j->parked[i].used)
			meet(j, &j->parked[i], e, inode);
}

void judge_late(struct judge *j, struct outcome *out)
{
	struct policy_answer a;
	char user[256];

	j->count[(out->amended ? C_AMENDED : C_CONFIRMED) + out->source]++;
	if (!out->amended && out->source != FROM_NOBODY)
		return;
	name_users(j, &out->connection, user);
	policy_decide(j->policy, &out->connection, &a);
	if (a.verdict == out->verdict)
		return;
	j->count[C_MISJUDGED]++;
	out->connection.text[CONNECTION_REASON] = text_of("misjudged");
	/* The name is of this function's. */
	if (out->connection.text[CONNECTION_USER].data == user)
		out->connection.text[CONNECTION_USER] = TEXT_NONE;
}

/* Who seemed not to be in the call may have been on his way to sleep in it. */
static void look_again(struct judge *j)
{
	for (int i = 0; i < j->parked_to; i++) {
		struct pending *k = &j->parked[i];

		if (!k->used || !k->sender.elsewhere)
			continue;
		witnesses_insist(j->t.witnesses, &k->sender);
		if (!k->sender.elsewhere && settle(j, k, false))
			release(j, k);
	}
}

/* Who is not among those started last is looked for among all.  begun: by who is in the search at hand. */
static bool is_wanted(const struct judge *j, enum search which, bool begun)
{
	for (int i = 0; i < j->parked_to; i++) {
		const struct pending *k = &j->parked[i];

		if (k->used && wants_search(k) && (which == NEWEST || k->search[NEWEST].over) &&
		    !k->search[which].over && (!begun || k->search[which].begun))
			return true;
	}
	return false;
}

static void look_on(struct judge *j, enum search which)
{
	struct procscan *scan = j->search[which].scan;

	if (!j->search[which].going_on) {
		if (which == NEWEST)
			procscan_newest(scan);
		else
			procscan_begin(scan);
		j->search[which].going_on = true;
		for (int i = 0; i < j->parked_to; i++)
			j->parked[i].search[which].begun |= j->parked[i].used;
	}
	if (procscan_step(scan, SEARCH_US, found, j) && j->waiting)
		return;
	j->search[which].going_on = false;
	for (int i = 0; i < j->parked_to; i++)
		j->parked[i].search[which].over |= j->parked[i].search[which].begun;
}

/* A piece of the search for those that nobody is named for: while always new ones come, in turns. */
static void search(struct judge *j)
{
	bool newest, everybody;

	for (int i = 0; i < j->parked_to; i++)
		j->parked[i].pieces += j->parked[i].used;
	look_again(j);
	newest = is_wanted(j, NEWEST, false);
	everybody = is_wanted(j, EVERYBODY, false);
	/* What was begun for those who are decided by now is of less use to others. */
	for (int i = 0; i < SEARCHES; i++)
		j->search[i].going_on &= is_wanted(j, i, true);
	j->had_last = newest && !(everybody && j->had_last == NEWEST) ? NEWEST : EVERYBODY;
	if (j->had_last == NEWEST || everybody)
		look_on(j, j->had_last);
}

static void count_losses(struct judge *j)
{
	struct nfqueue_losses l;

	nfqueue_losses(j->t.queue, &l);
	j->count[C_OVERRUNS] = l.overruns;
	j->count[C_MISSED] = l.missed;
	j->count[C_DROPPED] = l.dropped;
	j->count[C_USER_DROPPED] = l.user_dropped;
	j->losses_due_ns = j->waiting ? clock_mono_ns() + LOSSES_NS : 0;
}

static int milliseconds(int64_t ns)
{
	return ns <= 0 ? 0 : (int)(ns / 1000000) + 1;
}

/* Nothing is lost without packets: while there are none nobody asks.  Milliseconds until it is due. */
static int turn_losses(struct judge *j)
{
	int64_t left_ns = j->losses_due_ns - clock_mono_ns();

	if (left_ns > 0)
		return milliseconds(left_ns);
	count_losses(j);
	judge_publish(j);
	return -1;
}

/* Its time is over, and was used to look for its sender. */
static bool is_over(const struct pending *k, int64_t now_ns)
{
	int64_t wait_ns = k->deadline_ns - k->arrived_ns;

	return now_ns >= k->deadline_ns &&
	       (!wants_search(k) || k->search[EVERYBODY].over || k->pieces * SEARCH_US * 1000LL >= wait_ns ||
		(k->pieces >= PIECES_MIN && now_ns - k->arrived_ns >= STARVED_TIMES * wait_ns));
}

/* What waits for something else than packets. */
static int turn_parked(struct judge *j)
{
	int64_t now, next = INT64_MAX;
	uint64_t row;

	while (j->t.witnesses->tracefs && (row = lookups_called(j->t.witnesses->lookups)) != 0)
		ledger_sink_prove(j->t.recorder, row);
	if (!j->waiting)
		return -1;
	search(j);
	now = clock_mono_ns();
	for (int i = 0; i < j->parked_to; i++) {
		struct pending *k = &j->parked[i];

		if (!k->used)
			continue;
		if (is_over(k, now)) {
			witnesses_last(j->t.witnesses, &k->connection, &k->sender);
			settle(j, k, true);
			release(j, k);
			j->count[C_EXPIRED]++;
		} else if (k->deadline_ns < next) {
			next = k->deadline_ns;
		}
	}
	if (!j->waiting)
		return -1;
	return is_wanted(j, NEWEST, false) || is_wanted(j, EVERYBODY, false) ? 0 : milliseconds(next - now);
}

int judge_turn(struct judge *j)
{
	int losses_ms = j->losses_due_ns ? turn_losses(j) : -1, parked_ms = turn_parked(j);

	return losses_ms < 0 || (parked_ms >= 0 && parked_ms < losses_ms) ? parked_ms : losses_ms;
}

bool judge_waits(const struct judge *j)
{
	return j->waiting > 0;
}

void judge_end(struct judge *j)
{
	for (int i = 0; i < j->parked_to; i++) {
		if (!j->parked[i].used)
			continue;
		settle(j, &j->parked[i], true);
		release(j, &j->parked[i]);
	}
	count_losses(j);
	judge_publish(j);
}

void judge_free(struct judge *j)
{
	if (!j)
		return;
	for (int i = 0; i < SEARCHES; i++)
		procscan_free(j->search[i].scan);
	policy_free(j->policy);
	free(j);
}

void judge_publish(struct judge *j)
{
	const struct witnesses *w = j->t.witnesses;

	j->count[C_TRACE_EVENTS] = w->tracefs ? tracefeed_events(w->tracefs) : 0;
	j->count[C_TRACE_OVERRUNS] = w->tracefs ? tracefeed_overruns(w->tracefs) : 0;
	for (unsigned int i = 0; i < C_COUNT; i++)
		if (counter_names[i])
			ledger_sink_count(j->t.recorder, i, counter_names[i], j->count[i]);
}
