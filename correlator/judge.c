/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A packet, from the queue to its verdict; where it is a connection's first, to its row.
 *
 *   judge_packet() --of a known flow--> answer_alike()
 *      |     \--another socket has the tuple--> hold(): until the kernel's word
 *      |
 *      +--inquire()--> named, or nothing more can come --decide()--> verdict, row, known flow
 *      |                                                    ^
 *      +--park()--> waits: a record may be about to name its process
 *             judge_event(): a record came that may be the packet's
 *             judge_poll(): /proc was searched, or the deadline is over
 *
 * Nothing here waits: /proc is searched for parked packets alone, in short pieces between which the
 * queue is read.  The verdict is given as soon as the policy can tell.
 */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "ask.h"
#include "clock.h"
#include "config.h"
#include "ctmark.h"
#include "describe.h"
#include "dns.h"
#include "failures.h"
#include "host.h"
#include "in_force.h"
#include "judge.h"
#include "known_flow.h"
#include "late_calls.h"
#include "ledger_sink.h"
#include "load.h"
#include "lookups.h"
#include "names.h"
#include "nfqueue.h"
#include "observe.h"
#include "pairing.h"
#include "parking.h"
#include "policy.h"
#include "procfs.h"
#include "queue_counters.h"
#include "search.h"
#include "tracefeed.h"
#include "verdict.h"

#define CANDIDATES_CHARS 1024
/* A new process: it began no longer ago than that. */
#define YOUNG_US 100000
/* How long after a packet the kernel is asked what it lost. */
#define LOSSES_NS 1000000000LL

enum counter {
#define X(id, name) C_##id,
	QUEUE_COUNTERS(X)
#undef X
	/* each by enum source */
	C_FROM, C_CONFIRMED = C_FROM + SOURCES, C_AMENDED = C_CONFIRMED + SOURCES,
	C_RECORDED = C_AMENDED + SOURCES, C_COUNT = C_RECORDED + SOURCES
};

static const char *const counter_names[C_COUNT] = {
#define X(id, name) [C_##id] = #name,
	QUEUE_COUNTERS(X)
#undef X
#define X(group, source, name) [C_##group + FROM_##source] = #name,
	QUEUE_COUNTERS_BY_SOURCE(X)
#undef X
};

/* A packet on its way to the verdict, and those of its flow that wait with it. */
struct undecided {
	struct packet_id id;
	int slot;			/* where it is parked; -1: it is not */
	struct in_force_wants wants;
	/* until the kernel's word about the flow of that row, or until it is known whether another
	 * process asked only (FLOW_ASKED) */
	bool held, asked;
	uint64_t row;
	uint32_t mark;
	struct flow_key key;
	struct inquiry q;
	int64_t arrived_ns, answered_ns;	/* answered_ns 0: not yet */
	int64_t since_us;			/* it left the process after that */
	int packets;				/* that were answered then */
};

struct judge {
	struct judge_tools t;
	struct in_force rules;
	struct parking parking;
	struct undecided parked[PARKED_MAX];	/* by slot */
	struct search *search;
	int held;			/* of those that are parked */
	struct known_flows *flows;
	int64_t count[C_COUNT];
	struct load load;
	int64_t losses_due_ns;		/* when to ask for what was lost; 0: no packet came since */
};

void judge_set_policy(struct judge *j, struct policy *policy)
{
	in_force_set(&j->rules, policy);
	known_flows_forget(j->flows);
}

void judge_policy_changed(struct judge *j)
{
	known_flows_forget(j->flows);
}

struct judge *judge_new(const struct judge_tools *tools, struct policy *policy)
{
	struct judge *j = calloc(1, sizeof(*j));

	if (!j)
		return NULL;
	j->t = *tools;
	j->search = search_new(tools->host->procfs);
	j->flows = known_flows_new(&(struct known_flows_tools){
		.config = tools->config, .host = tools->host, .ledger_sink = tools->ledger_sink,
		.marks = tools->marks, .deaths = tools->deaths });
	if (!j->search || !j->flows) {
		search_free(j->search);
		known_flows_free(j->flows);
		free(j);
		return NULL;
	}
	judge_set_policy(j, policy);
	return j;
}

struct answer {
	struct judge *j;
	uint32_t mark;
	enum verdict verdict;
	const struct ctmark *decided;	/* for the first of them */
	int packets;
};

static void send_one(struct packet_id id, void *arg)
{
	struct answer *a = arg;
	const struct judge_tools *t = &a->j->t;

	if (!verdict_send(t->config, t->queue, id, a->mark, a->verdict,
			  a->packets++ ? NULL : a->decided))
		return;
	FAILS(VERDICT_FAILED);
	a->j->count[C_VERDICT_ERRORS]++;
}

/* Answers it and those that wait with it. */
static void send_verdicts(struct judge *j, struct undecided *k, enum verdict verdict,
			 const struct ctmark *decided)
{
	struct answer a = { j, k->mark, verdict, decided, 0 };

	if (k->answered_ns)
		return;
	if (k->slot < 0)
		send_one(k->id, &a);
	else
		parking_each(&j->parking, k->slot, send_one, &a);
	k->answered_ns = clock_mono_ns();
	k->packets = a.packets;
	FAILS(VERDICT_LATE);
	latency_note(&j->t.host->latency, k->answered_ns - k->arrived_ns, j->t.config->late_us);
}

static void send_first(struct judge *j, struct undecided *k, enum verdict verdict)
{
	known_flow_look(j->flows, &k->key, &k->q);
	send_verdicts(j, k, verdict, NULL);
}

/* Asks the witnesses one by one, until none of them could add anything.  The packet is let go as
 * soon as its process is final and its verdict does not depend on what that process is. */
static void inquire(struct judge *j, struct undecided *k)
{
	struct host *h = j->t.host;
	struct inquiry *q = &k->q;

	for (;;) {
		if (!k->answered_ns && q->answer.final && describe_can_wait(h, q) &&
		    in_force_passes(&j->rules, j->t.config, &q->packet))
			send_first(j, k, VERDICT_ACCEPT);
		if (q->answer.next == ASK_NOTHING || attribution_waits(&q->answer))
			return;
		ask_next(h, q);
	}
}

static void count_packet(struct judge *j, int64_t now_ns)
{
	j->count[C_PACKETS]++;
	load_note(&j->load, now_ns);
	if (!j->losses_due_ns)
		j->losses_due_ns = now_ns + LOSSES_NS;
}

/* A new process's /proc takes longer to read than all else that a packet needs. */
static bool is_left_to_records(const struct judge *j, const struct inquiry *q,
			       const struct connection *c)
{
	const struct host *h = j->t.host;
	int64_t age_us = j->load.high && host_records_come(h) ? describe_age_us(h, q, c) : -1;

	return age_us >= 0 && age_us < YOUNG_US;
}

/* How much of /proc to read.  Before the verdict: what the policy needs.  After it, under load:
 * nothing for a TCP connect() that the trace has proven, because its record will bring the rest. */
static enum proc_depth choose_proc_depth(const struct judge *j, const struct undecided *k)
{
	const struct inquiry *q = &k->q;

	if (j->rules.needs_full_process)
		return PROC_WHOLE;
	if (!j->rules.needs_process && k->answered_ns && q->packet.protocol == IPPROTO_TCP &&
	    (q->answer.evidence & EVIDENCE_TRACE_CALL) && is_left_to_records(j, q, &q->packet))
		return PROC_NOTHING;
	return PROC_GLANCE;
}

/* The row, and what a later word about it is weighed with. */
static void emit_row(struct judge *j, struct inquiry *q, struct connection *c,
		     const struct process_snapshot *p, const struct policy_answer *verdict)
{
	const struct attribution *a = &q->answer;
	struct host *h = j->t.host;
	struct packet_word word = {
		.facts = q->facts, .testimony = q->testimony, .pid = a->pid,
		.caller = a->caller, .source = a->source, .verdict = verdict->verdict,
		.observe = verdict->observe, .described = p->whole, .netns = h->netns,
	};
	struct ledger_change change = { .kind = a->row ? CHANGE_DECIDE : CHANGE_ADD };
	const struct caller *k;
	char buf[CANDIDATES_CHARS];
	const char *candidates = NULL;

	c->start_us = procfs_start_us(h->procfs, c->process.start_ticks);
	c->verdict = verdict->verdict;
	c->text[CONNECTION_RULE] = text_of(verdict->rule);
	if (c->certainty != CERTAINTY_CERTAIN && a->candidate_count)
		candidates = describe_candidates(h, a, buf, sizeof(buf));
	c->text[CONNECTION_CANDIDATES] = candidates ? text_of(candidates) : TEXT_NONE;
	c->id = a->row ? a->row : pairing_new_row(h->pairing);
	pairing_packet(h->pairing, c, a->fd, q->packet.process.uid, &word, a->row != 0);
	change.connection = *c;
	names_row(h->names, c, q->facts.uid);
	ledger_sink_put(j->t.ledger_sink, LEDGER_SINK_KEEP, &change);
	if (a->caller < 0)
		return;
	k = &q->testimony.trace.by[a->caller];
	if (a->awaits_call)
		lookups_await_call(h->lookups, k->tid, k->lookup, c->id);
	else
		lookups_await_sender(h->lookups, k->tid, k->lookup, c->id);
}

/* Decides, answers and writes the row; or says that the packet would rather wait: false.  last:
 * there is nothing to wait for. */
static bool decide(struct judge *j, struct undecided *k, bool last)
{
	struct inquiry *q = &k->q;
	struct process_snapshot p;
	struct policy_answer a;
	struct in_force_facts facts;
	struct connection c;
	enum verdict sent;
	char user[DESCRIBE_USER_CHARS];

	if (ask_record_taken(j->t.host, q))
		inquire(j, k);
	pairing_calls(j->t.host->pairing, &q->packet, k->since_us, &q->testimony);
	inquiry_weigh(q);
	if (!last && attribution_waits(&q->answer))
		return false;
	c = q->packet;
	describe(j->t.host, q, &c, &p, choose_proc_depth(j, k), k->answered_ns != 0);
	c.text[CONNECTION_NODE] = text_of(j->t.config->node);
	if (j->rules.needs_user_names)
		describe_users(j->t.users, &c, user);
	in_force_decide(&j->rules, j->t.host, q, &c, &p, &facts, &a, &k->wants);
	if (!last && (k->wants.proof || k->wants.hash || k->wants.call))
		return false;
	if (k->wants.reason && !c.text[CONNECTION_REASON].data)
		c.text[CONNECTION_REASON] = text_of(k->wants.reason);
	send_first(j, k, in_force_verdict(&a));
	c.latency_us = (k->answered_ns - k->arrived_ns) / 1000;
	j->count[C_FROM + q->answer.source]++;
	j->count[C_RECORDED + q->answer.source] += q->answer.row != 0;
	if (q->answer.pid >= 0 && !is_left_to_records(j, q, &c))
		describe_rest(j->t.host, &c, &p);
	emit_row(j, q, &c, &p, &a);
	sent = in_force_verdict(&a);
	/* What was decided because the time was over is decided anew when it is tried again. */
	if (k->wants.hash || k->wants.call ||
	    (k->wants.proof && attribution_waits(&q->answer)))
		sent = 0;
	known_flow_begin(j->flows, &k->key, q, c.id, sent, k->arrived_ns, k->packets);
	return true;
}

static void release(struct judge *j, int slot)
{
	j->held -= j->parked[slot].held;
	parking_release(&j->parking, slot);
	if (!j->parking.count)
		search_abandon(j->search);
}

/* It waits for what its answer lacks.  A call that does not wait has its record as soon as it has
 * returned, which has a way to go. */
static void wait_on(struct judge *j, int slot)
{
	struct parked *p = &j->parking.slot[slot];

	p->wants_scan = j->parked[slot].q.answer.next == WAIT_FOR_SCAN;
	if (j->parked[slot].wants.call)
		p->deadline_ns = p->arrived_ns + parking_for_record_ns(j->t.config->park_us);
}

/* One more word has come about a parked packet. */
static void decide_parked(struct judge *j, int slot)
{
	struct undecided *k = &j->parked[slot];

	inquire(j, k);
	/* A packet that has its verdict has nothing to wait for: its slot must not take another
	 * copy. */
	if (decide(j, k, k->answered_ns != 0))
		release(j, slot);
	else
		wait_on(j, slot);
}

void judge_hashes_came(struct judge *j)
{
	for (int n = 0; n < j->parking.end; n++)
		if (j->parking.slot[n].used && !j->parked[n].held && j->parked[n].wants.hash)
			decide_parked(j, n);
}

/* -1: there is no room. */
static int take_slot(struct judge *j, const struct undecided *k, int64_t wait_ns)
{
	int slot = parking_add(&j->parking, &k->key, k->id, k->arrived_ns, wait_ns);

	if (slot >= 0) {
		j->parked[slot] = *k;
		j->parked[slot].slot = slot;
	}
	return slot;
}

/* Name service waits for nobody, unless its verdict depends on who asks. */
static bool may_park(const struct judge *j, const struct undecided *k)
{
	return j->t.config->park_us && (k->q.packet.dst.port != DNS_PORT ||
					!in_force_passes(&j->rules, j->t.config, &k->q.packet));
}

static bool park(struct judge *j, struct undecided *k)
{
	int slot = may_park(j, k) ? take_slot(j, k, j->t.config->park_us * 1000) : -1;

	if (slot < 0)
		return false;
	wait_on(j, slot);
	j->count[C_PARKED]++;
	return true;
}

/* The route may have changed, or the sender have chosen another interface for this one: where rules
 * ask for it, that is decided for itself. */
static bool goes_another_way(const struct judge *j, const struct undecided *k, uint32_t in,
			     uint32_t out)
{
	return j->rules.needs_ifaces && (k->q.in != in || k->q.out != out);
}

/* A packet of a flow that has one waiting already waits with it, unless it is another socket's. */
static bool join(struct judge *j, struct undecided *k)
{
	int slot = j->parking.count ? parking_find(&j->parking, &k->key) : -1;
	const struct testimony *first;

	if (slot < 0 || !flow_key_equal(&j->parked[slot].key, &k->key) ||
	    goes_another_way(j, k, j->parked[slot].q.in, j->parked[slot].q.out))
		return false;
	first = &j->parked[slot].q.testimony;
	if (first->socket.asked && k->q.facts.has_ports) {
		ask_socket(j->t.host, &k->q, false);
		if (k->q.testimony.socket.inode > 0 &&
		    k->q.testimony.socket.inode != first->socket.inode)
			return false;
	}
	return !ask_whether_other(j->t.host, &k->q, first) &&
	       parking_join(&j->parking, slot, k->id);
}

/* By the mark whoever has the tuple passes, on every way, so it has to be one that passes anyway;
 * and it is only there to spare the queue.  Who marks packets may keep whole marks in the
 * connection, as wg-quick does. */
static bool may_mark(const struct judge *j, const struct undecided *k)
{
	if ((k->mark & ~(uint32_t)j->t.config->mark) || j->rules.needs_ifaces)
		return false;
	return j->t.config->each_datagram == EACH_NO ||
	       (j->load.high && (k->key.direction != DIRECTION_OUT ||
				 in_force_passes(&j->rules, j->t.config, &k->q.packet)));
}

/* As the flow's first packet was answered; the row is there. */
static void answer_alike(struct judge *j, struct undecided *k, struct flow *f)
{
	struct ctmark mark;
	bool marks;

	known_flow_count(j->flows, f, 1, k->arrived_ns);
	marks = verdict_passes(j->t.config, f->verdict) && may_mark(j, k) &&
		known_flow_wants_mark(j->flows, f, k->arrived_ns, &mark);
	send_verdicts(j, k, f->verdict, marks ? &mark : NULL);
	known_flow_count(j->flows, f, k->packets - 1, k->arrived_ns);
}

static bool hold(struct judge *j, struct undecided *k)
{
	int slot = take_slot(j, k, k->asked ? FLOW_CALL_NS : FLOW_WORD_NS);

	if (slot < 0)
		return false;
	j->parked[slot].held = true;
	j->held++;
	j->count[C_HELD]++;
	return true;
}

static void decide_first(struct judge *j, struct undecided *k)
{
	inquire(j, k);
	/* Who waits with it would have to be its socket's. */
	if (!decide(j, k, k->answered_ns != 0 || k->q.testimony.socket.shared) && !park(j, k))
		decide(j, k, true);
}

/* The flow that they may have been of is dead, so they are another's: their inquiry begins. */
static void ask_held(struct judge *j, int slot)
{
	struct undecided *k = &j->parked[slot];

	k->held = false;
	j->held--;
	known_flow_give_back(j->flows, &k->q);
	inquiry_begin(j->t.host, &k->q, true);
	k->q.testimony.socket.shared = k->asked;
	j->parking.slot[slot].deadline_ns = clock_mono_ns() + j->t.config->park_us * 1000;
	inquire(j, k);
	if (decide(j, k, k->answered_ns != 0 || k->asked || !may_park(j, k)))
		release(j, slot);
	else
		wait_on(j, slot);
}

/* over: no word has come in the time that it takes. */
static void end_hold(struct judge *j, int slot, bool over)
{
	struct undecided *k = &j->parked[slot];
	struct flow *f = known_flow_of_row(j->flows, &k->key, k->row);

	if (f && !over)
		return;
	if (!f || goes_another_way(j, k, f->in, f->out) ||
	    (k->asked && known_flow_was_called(j->flows, &k->q))) {
		ask_held(j, slot);
		return;
	}
	if (!k->asked)
		known_flow_keep(j->flows, f, &k->q);
	answer_alike(j, k, f);
	release(j, slot);
}

static void end_holds(struct judge *j)
{
	for (int n = 0; j->held && n < j->parking.end; n++)
		if (j->parking.slot[n].used && j->parked[n].held)
			end_hold(j, n, false);
}

/* True: it is a known flow's, and has its verdict or will get it. */
static bool is_of_known_flow(struct judge *j, struct undecided *k)
{
	struct flow *f = known_flow_find(j->flows, &k->key);
	enum flow_word word = FLOW_NEW;

	if (!f)
		return false;
	if (!goes_another_way(j, k, f->in, f->out))
		word = known_flow_compare(j->flows, &k->q, &f, k->arrived_ns);
	k->row = f->row;
	k->asked = word == FLOW_ASKED;
	if (word == FLOW_UNSURE || k->asked)
		return hold(j, k);
	if (word == FLOW_SAME)
		answer_alike(j, k, f);
	else
		inquiry_weigh(&k->q);
	return word == FLOW_SAME;
}

void judge_packet(struct judge *j, const struct nfqueue_packet *p)
{
	struct undecided k = {
		.id = p->id, .slot = -1, .mark = p->mark, .arrived_ns = p->taken_ns,
	};

	count_packet(j, k.arrived_ns);
	if (!inquiry_read(&k.q, p, &k.key.echo_id)) {
		FAILS(PACKET_BAD);
		j->count[C_MALFORMED]++;
	}
	inquiry_begin(j->t.host, &k.q, j->t.config->park_us > 0);
	k.key = known_flow_key(&k.q, k.key.echo_id);
	k.since_us = k.q.packet.time_us - (clock_mono_ns() - p->since_ns) / 1000;
	if (!join(j, &k) && !is_of_known_flow(j, &k))
		decide_first(j, &k);
}

void judge_begin(struct judge *j)
{
	if (in_force_pass_time(&j->rules))
		judge_policy_changed(j);
	late_calls_take(j->t.host, j->t.ledger_sink);
	known_flows_doubt(j->flows);
	known_flows_read_deaths(j->flows, false);
	end_holds(j);
}

static bool waits_for_witness(const struct judge *j, int slot)
{
	return j->parking.slot[slot].used && !j->parked[slot].held;
}

/* Whose holder is searched for; -1: nobody's. */
static int64_t wanted_socket(const struct judge *j, int slot)
{
	return waits_for_witness(j, slot) && j->parked[slot].q.answer.next == WAIT_FOR_SCAN ?
		j->parked[slot].q.testimony.socket.inode : -1;
}

/* The search has found a socket.  id: a process's or a thread's.  True: no packet waits any
 * more. */
static bool on_socket_found(int64_t inode, int64_t id, int64_t fd, void *arg)
{
	struct judge *j = arg;
	struct host *h = j->t.host;
	int64_t pid = -1;

	for (int n = 0; n < j->parking.end; n++) {
		struct undecided *k = &j->parked[n];

		if (wanted_socket(j, n) != inode)
			continue;
		if (pid < 0)
			pid = procfs_process(h->procfs, id);
		/* Its number may be another's since it was looked at. */
		if (!ask_found_holder(h, &k->q, pid, fd, FROM_PROC))
			break;
		observer_learn(h->observer, inode, pid, fd);
		decide_parked(j, n);
	}
	return !j->parking.count;
}

/* A record that may be of this parked packet.  inode: of its socket; -1: unknown. */
static void match_parked_with_record(struct judge *j, int slot, const struct event *e,
				     int64_t inode)
{
	struct inquiry *q = &j->parked[slot].q;
	bool is_its = inode > 0 && inode == q->testimony.socket.inode;

	q->testimony.records_seen = true;
	q->testimony.makers_seen = j->t.host->makers_came;
	if (is_its && q->answer.fd < 0)
		ask_found_holder(j->t.host, q, e->process.pid, e->fd, FROM_CACHE);
	if (event_is_to(e, &q->packet.dst))
		ask_record_anew(q);
	else if (q->answer.fd < 0 || (!is_its && e->process.pid != q->answer.pid))
		return;
	decide_parked(j, slot);
}

static int slot_with_socket(const struct judge *j, int64_t inode)
{
	for (int n = 0; inode > 0 && n < j->parking.end; n++)
		if (waits_for_witness(j, n) && j->parked[n].q.testimony.socket.inode == inode)
			return n;
	return -1;
}

void judge_event(struct judge *j, const struct event *e)
{
	int64_t inode = e->inode;
	int own;

	if (e->node.data)
		return;
	ask_note_record(j->t.host, e);
	late_calls_record(j->t.host, j->t.ledger_sink, e);
	if (e->kind == EVENT_BIND && e->exit == 0)
		known_flows_bound(j->flows, (int32_t)e->port);
	if (!j->parking.count)
		return;
	/* The plugin may have been too busy to look. */
	if (inode < 0 && e->fd >= 0)
		inode = procfs_inode(j->t.host->procfs, e->process.pid, e->fd);
	/* Not another's, which waits for a record to the same place. */
	own = slot_with_socket(j, inode);
	for (int n = 0; n < j->parking.end; n++)
		if (own < 0 ? waits_for_witness(j, n) : own == n)
			match_parked_with_record(j, n, e, inode);
}

void judge_late_record(struct judge *j, struct outcome *out)
{
	struct policy_answer a;
	char user[DESCRIBE_USER_CHARS];

	j->count[(out->change.amended ? C_AMENDED : C_CONFIRMED) + out->source]++;
	if (!out->change.amended && !out->other_program && out->source != FROM_NOBODY)
		return;
	if (j->rules.needs_user_names)
		describe_users(j->t.users, &out->change.connection, user);
	/* What was asked of the other process was not asked of this one. */
	if (!in_force_decide_late(&j->rules, &out->change.connection, &a))
		return;
	/* Of a process that is gone the record's path is all that is known. */
	if (a.verdict != out->verdict)
		policy_decide_as_told(j->rules.policy, &out->change.connection, &a);
	if (a.verdict == out->verdict && a.observe == out->observe)
		return;
	FAILS(MISJUDGED);
	j->count[C_MISJUDGED]++;
	out->change.connection.text[CONNECTION_REASON] = text_of("misjudged");
	/* The name is of this function's. */
	if (out->change.connection.process.user.data == user)
		out->change.connection.process.user = TEXT_NONE;
}

/* The search for others that hold it has gone on. */
static void recheck_holders(struct judge *j)
{
	for (int n = 0; n < j->parking.end; n++) {
		if (waits_for_witness(j, n) && ask_sole_again(j->t.host, &j->parked[n].q))
			decide_parked(j, n);
		search_want(j->search, wanted_socket(j, n));
	}
}

static void count_losses(struct judge *j)
{
	struct nfqueue_losses l;

	nfqueue_losses(j->t.queue, &l);
	j->count[C_OVERRUNS] = l.overruns;
	j->count[C_MISSED] = l.missed;
	j->count[C_DROPPED] = l.dropped;
	j->count[C_USER_DROPPED] = l.user_dropped;
	j->losses_due_ns = j->parking.count ? clock_mono_ns() + LOSSES_NS : 0;
}

/* The kernel's loss counters change only while packets arrive, so without packets nothing asks for
 * them.  Milliseconds until it is due. */
static int poll_losses(struct judge *j)
{
	int64_t left_ns = j->losses_due_ns - clock_mono_ns();

	if (left_ns > 0)
		return clock_poll_ms(left_ns);
	count_losses(j);
	judge_publish(j);
	return -1;
}

static void expire(struct judge *j, int slot)
{
	struct undecided *k = &j->parked[slot];

	if (k->held) {
		end_hold(j, slot, true);
		return;
	}
	ask_last_record(j->t.host, &k->q);
	decide(j, k, true);
	release(j, slot);
	FAILS(NO_RECORD_IN_TIME);
	j->count[C_EXPIRED]++;
}

static int poll_parked(struct judge *j)
{
	int64_t now, next = INT64_MAX;

	if (!j->parking.count)
		return -1;
	parking_count_piece(&j->parking);
	recheck_holders(j);
	search_step(j->search, &j->parking, on_socket_found, j);
	now = clock_mono_ns();
	for (int n = 0; n < j->parking.end; n++) {
		const struct parked *k = &j->parking.slot[n];

		if (!k->used)
			continue;
		if (parking_is_over(k, now, SEARCH_PIECE_NS))
			expire(j, n);
		else if (k->deadline_ns < next)
			next = k->deadline_ns;
	}
	if (!j->parking.count)
		return -1;
	return parking_wants_scan(&j->parking, SCAN_NEWEST, false) ||
	       parking_wants_scan(&j->parking, SCAN_ALL, false) ? 0 : clock_poll_ms(next - now);
}

int judge_poll(struct judge *j)
{
	int losses_ms = j->losses_due_ns ? poll_losses(j) : -1, parked_ms;

	judge_begin(j);
	known_flows_poll(j->flows, clock_mono_ns());
	parked_ms = poll_parked(j);
	losses_ms = clock_sooner_ms(losses_ms, parked_ms);
	if (j->rules.ends)
		losses_ms = clock_sooner_ms(losses_ms, IN_FORCE_TIME_MS);
	return clock_sooner_ms(losses_ms, known_flows_poll_ms(j->flows));
}

int judge_fd(const struct judge *j)
{
	return known_flows_fd(j->flows, j->held > 0);
}

bool judge_waits(const struct judge *j)
{
	return j->parking.count > 0;
}

void judge_end(struct judge *j)
{
	for (int n = 0; n < j->parking.end; n++) {
		if (j->parking.slot[n].used && j->parked[n].held)
			end_hold(j, n, true);
		/* Where its flow is gone, a held one waits as any other does. */
		if (!j->parking.slot[n].used)
			continue;
		decide(j, &j->parked[n], true);
		release(j, n);
	}
	count_losses(j);
	judge_publish(j);
}

void judge_free(struct judge *j)
{
	if (!j)
		return;
	search_free(j->search);
	known_flows_free(j->flows);
	in_force_release(&j->rules);
	free(j);
}

void judge_publish(struct judge *j)
{
	const struct tracefeed *trace = j->t.host->tracefs;
	struct known_flows_counts f = known_flows_count(j->flows);

	j->count[C_LATE] = j->t.host->latency.late;
	j->count[C_SAME_FLOW] = f.datagrams;
	j->count[C_MARKED] = f.marked;
	j->count[C_UNMARKED] = f.unmarked;
	j->count[C_UNSEEN] = j->t.host->unseen;
	j->count[C_DEATHS] = f.deaths;
	j->count[C_DEATHS_MISSED] = f.deaths_missed;
	j->count[C_EVICTED] = f.evicted;
	j->count[C_CROWDED] = j->parking.refused;
	j->count[C_TRACE_EVENTS] = trace ? tracefeed_events(trace) : 0;
	j->count[C_TRACE_OVERRUNS] = trace ? tracefeed_overruns(trace) : 0;
	for (unsigned int i = 0; i < C_COUNT; i++)
		if (counter_names[i])
			ledger_sink_count(j->t.ledger_sink, i, counter_names[i], j->count[i]);
}
