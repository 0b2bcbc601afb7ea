/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Testimony to attribution.
 *
 *   read_trace()     which callers stand, and what their lookups say together
 *   choose_caller()  the call that the packet came from
 *   choose_holder()  the process that holds its socket
 *   choose_record()  the record that is of this packet
 *   weigh()          evidence and conditions of the process that is named; proof_of() decides
 *   next_question()  what else would help
 *
 * Where caller and holder differ the caller is right, because it made the call and the other
 * process only holds the socket as well.  Where several processes looked the tuple up, the one that
 * holds the socket is right.
 */
#include <netinet/in.h>

#include "attribution.h"
#include "proof.h"
#include "protocol.h"

void testimony_init(struct testimony *t)
{
	*t = (struct testimony){
		.socket = { .inode = -1, .uid = -1 },
		.record_asked_for = RECORD_NOT_ASKED,
		.earlier.pid = -1,
	};
}

void testimony_of_record(struct testimony *t, const struct call_record *r)
{
	testimony_init(t);
	t->record = *r;
	t->record.by = RECORD_ALONE;
}

bool testimony_add_call(struct testimony *t, int64_t pid)
{
	if (t->calls.count == 2 || (t->calls.count && t->calls.pid[0] == pid))
		return false;
	t->calls.pid[t->calls.count++] = pid;
	return true;
}

void testimony_add_holder(struct testimony *t, const struct socket_holder *h)
{
	int n;

	for (n = 0; n < t->holders.count; n++) {
		struct socket_holder *known = &t->holders.by[n];

		if (known->pid != h->pid)
			continue;
		if (h->in_call && !known->in_call) {
			known->fd = h->fd;
			known->in_call = true;
		}
		return;
	}
	if (n == HOLDERS_MAX && !h->in_call)
		return;
	n = n == HOLDERS_MAX ? n - 1 : n;
	t->holders.by[n] = *h;
	t->holders.count = (uint8_t)(n + 1);
}

/* What attribute() works with. */
struct view {
	const struct packet_facts *f;
	const struct testimony *t;
	/* the trace, without callers that cannot have sent this packet */
	int standing;
	const struct caller *first;
	bool call, exact, left;
	/* what was chosen; NULL: nothing */
	const struct caller *caller;
	/* of the caller's process, where there is a caller */
	const struct socket_holder *holder;
	const struct call_record *record;
};

static int64_t socket_user(const struct view *v)
{
	return v->f->uid >= 0 ? v->f->uid : v->t->socket.uid;
}

static bool is_other_user(const struct view *v, const struct caller *k)
{
	int64_t uid = socket_user(v);

	return k->uid >= 0 && uid >= 0 && k->uid != uid;
}

/* A tuple of the loopback is another connection in each network namespace, and of several who asked
 * for a route one may have asked for a route that it cannot have used. */
static bool stands(const struct view *v, const struct caller *k)
{
	return k->place != PLACE_ELSEWHERE && (v->t->trace.count == 1 || !is_other_user(v, k));
}

static void read_trace(struct view *v)
{
	v->call = v->exact = true;
	for (int i = 0; i < v->t->trace.count; i++) {
		const struct caller *k = &v->t->trace.by[i];

		if (!stands(v, k))
			continue;
		v->first = v->standing++ ? v->first : k;
		v->call &= k->call;
		v->exact &= k->exact;
		v->left |= k->left;
	}
	v->call &= v->standing > 0;
}

/* Nobody else looked this tuple up, and nothing of that is missing.  Of several that are connecting
 * to the destination over IPv6 the order tells which is likelier, and proves nothing. */
static bool is_alone(const struct view *v)
{
	return v->standing == 1 && !v->t->trace.more && !v->t->trace.lossy &&
	       (v->exact || v->t->trace.lookups == 1);
}

/* Without a connection: any socket that has the port, and any process that holds it, may send
 * one. */
static bool is_datagram(const struct view *v)
{
	return !protocol_is(v->f->protocol, PROTOCOL_PORTS) ||
	       protocol_is(v->f->protocol, PROTOCOL_DATAGRAMS);
}

/* connect() left the SYN to who sends the first data (TCP_FASTOPEN_CONNECT), or may have: it has
 * returned success, which without that takes an answer to the SYN. */
static bool may_be_fast_open(const struct view *v)
{
	return v->f->fast_open || v->left || (v->record && v->record->done && !is_datagram(v) &&
				   v->f->direction != DIRECTION_IN);
}

/* A connect() over TCP that was seen is the socket's own call, whoever opened the socket: no other
 * process can have sent this packet, unless connect() left that to who sends the first data. */
static bool is_own_call(const struct view *v)
{
	return v->f->protocol == IPPROTO_TCP && !may_be_fast_open(v) && is_alone(v) && v->call &&
	       v->exact;
}

static const struct socket_holder *holder_of(const struct testimony *t, int64_t pid)
{
	for (int i = 0; i < t->holders.count; i++)
		if (t->holders.by[i].pid == pid)
			return &t->holders.by[i];
	return NULL;
}

/* Its lookup may have been a question (RTM_GETROUTE): no call was seen, and the packet's socket
 * lives in the hands of others alone, as does every other that could have sent it. */
static bool may_have_asked_only(const struct view *v, const struct caller *k)
{
	return !k->call && !v->t->socket.shared && v->t->socket.again &&
		v->t->socket.inode > 0 && v->t->holders.count && !holder_of(v->t, k->pid);
}

static const struct caller *choose_caller(const struct view *v)
{
	const struct caller *chosen = v->first;

	/* A datagram's first caller comes first, and may have sent by a socket of its own. */
	for (int i = 0; v->standing > 1 && !v->t->socket.shared && i < v->t->trace.count; i++)
		if (stands(v, &v->t->trace.by[i]) && holder_of(v->t, v->t->trace.by[i].pid)) {
			chosen = &v->t->trace.by[i];
			break;
		}
	if (!chosen || chosen->pid < 0 || may_have_asked_only(v, chosen))
		return NULL;
	/* Every user may look up a route for another's packet.  It may have been passed the socket
	 * of another user as well, if no other process has that socket. */
	if (!is_own_call(v) && is_other_user(v, chosen) && v->t->holders.count &&
	    !holder_of(v->t, chosen->pid))
		return NULL;
	return chosen;
}

static const struct socket_holder *choose_holder(const struct view *v)
{
	const struct testimony *t = v->t;

	if (v->caller)
		return holder_of(t, v->caller->pid);
	for (int i = 0; i < t->holders.count; i++)
		if (t->holders.by[i].in_call)
			return &t->holders.by[i];
	return t->holders.count ? &t->holders.by[0] : NULL;
}

static int64_t named_pid(const struct view *v)
{
	return v->caller ? v->caller->pid : v->holder ? v->holder->pid : -1;
}

/* Only who sent the SYN is told EINPROGRESS; who waits in the call may have come later. */
static bool began_it(const struct view *v, const struct call_record *r)
{
	return r->began && r->inode > 0 && r->inode == v->t->socket.inode && !is_datagram(v);
}

static const struct call_record *choose_record(const struct view *v)
{
	const struct call_record *r = &v->t->record;
	const struct socket_holder *its;

	if (r->by == RECORD_NONE || r->taken)
		return NULL;
	if (r->by >= RECORD_PAIRED || named_pid(v) < 0 || named_pid(v) == r->pid)
		return r;
	if (v->caller)
		return NULL;
	if (v->holder->in_call)
		return began_it(v, r) ? r : NULL;
	if (r->by == RECORD_LAST)
		return r;
	/* A holder stays named unless the record's process holds the socket as well. */
	its = holder_of(v->t, r->pid);
	return r->by == RECORD_OF_SOCKET ||
		(its && its->fd == r->fd && v->t->socket.inode > 0) ? r : NULL;
}

/* The socket ends with a process that is gone, and is held by one that is alive: else it is another
 * process's. */
static bool socket_contradicts(const struct view *v)
{
	const struct caller *k = v->caller;

	return (k->place == PLACE_GONE || !v->exact) && v->t->socket.again &&
		v->t->socket.inode > 0 && !v->holder;
}

/* What its call was on may not be the packet's socket.  A datagram's: with MSG_MORE it sends
 * nothing, and IP_PKTINFO has it look up any address of the host's.  TCP's on a port that bind()
 * had chosen: that may have been in another network namespace, by whom the socket was passed on. */
static bool may_be_of_another_socket(const struct view *v)
{
	return v->caller && (is_datagram(v) || v->caller->bound);
}

/* The packet's socket lives, and the caller was not seen with it. */
static bool is_elsewhere(const struct view *v)
{
	return may_be_of_another_socket(v) && v->t->socket.inode > 0 && !v->holder;
}

/* Of a forwarded packet the socket cannot be asked for, and in another namespace the same tuple is
 * another connection. */
static bool is_of_its_namespace(const struct view *v)
{
	return v->f->direction != DIRECTION_FORWARD ||
	       (v->caller->place == PLACE_HERE && !may_be_of_another_socket(v));
}

/* Of a connect() over IPv6 the trace tells the place alone: with others on their way there, or an
 * event missing, it may have been for another socket than the packet's, whoever holds that. */
static bool is_unsure_of_port(const struct view *v)
{
	return !v->exact && (v->standing > 1 || v->t->trace.more || v->t->trace.lossy);
}

/* Nothing speaks against the trace's word that this process sent the packet. */
static bool is_unambiguous(const struct view *v)
{
	if (!v->caller || !is_alone(v) || socket_contradicts(v) || !is_of_its_namespace(v))
		return false;
	if (is_datagram(v) && v->t->trace.was_lossy && !v->holder)
		return false;
	return v->holder || is_own_call(v) || !is_other_user(v, v->caller);
}

/* A UDP socket that was connected long ago looks nothing up, so the caller may be another process,
 * and a send with MSG_MORE looks like one that sent its packet: the call counts where the user is
 * known. */
static bool call_counts(const struct view *v)
{
	const struct caller *k = v->caller;

	return v->call && (v->f->protocol == IPPROTO_TCP || v->holder || !k->uid_asked ||
			   k->uid >= 0);
}

/* What the plugin saw at the record's descriptor counts where that is the packet's socket, or what
 * became of it in accept(). */
static bool record_saw_socket(const struct view *v)
{
	const struct call_record *r = v->record;

	return r && r->fd_seen && (r->by == RECORD_ALONE || r->accepted ||
				   v->t->socket.inode <= 0 || v->t->socket.inode == r->inode);
}

static unsigned int evidence_of(const struct view *v, int64_t pid)
{
	const struct testimony *t = v->t;
	const struct socket_holder *h = holder_of(t, pid);
	unsigned int e = 0;

	if (t->socket.inode > 0 || (v->record && v->record->own_tuple))
		e |= EVIDENCE_INODE;
	if (v->caller && v->caller->pid == pid)
		e |= EVIDENCE_TRACE | (call_counts(v) ? EVIDENCE_TRACE_CALL : 0u);
	if (h || record_saw_socket(v))
		e |= EVIDENCE_FD;
	if (h && h->in_call)
		e |= EVIDENCE_PROC_SYSCALL;
	if (v->record)
		e |= EVIDENCE_AUDIT | (v->record->bound ? EVIDENCE_BIND : 0u);
	return e | (t->earlier.pid == pid ?
		    t->earlier.evidence : t->earlier.evidence & EVIDENCE_INODE);
}

static bool is_same_socket(const struct view *v, const struct socket_holder *h)
{
	const struct call_record *r = v->record;

	/* accept() returned another socket than the packet's, which is the listener's. */
	if (!r || r->accepted)
		return false;
	/* By now the descriptor may be another socket than in the call. */
	if (r->inode > 0 && v->t->socket.inode > 0 && r->inode != v->t->socket.inode)
		return false;
	return (h && h->fd == r->fd) ||
	       (r->by == RECORD_PAIRED && v->t->socket.inode > 0 && v->t->socket.inode == r->inode);
}

/* accept() returned the packet's connection, and not another one with that peer. */
static bool is_own_connection(const struct view *v)
{
	const struct call_record *r = v->record;

	return r->own_tuple || r->by == RECORD_ALONE ||
	       (r->only_one && r->listener_inode > 0 &&
		r->listener_inode == v->t->socket.inode);
}

/* What comes in to that socket comes to this process: it found the socket that the packet is for,
 * and a search nobody else that holds it. */
static bool is_sole_holder(const struct view *v, int64_t pid)
{
	const struct testimony *t = v->t;

	return v->f->direction == DIRECTION_IN && t->socket.found && t->holders.sole &&
	       t->holders.count == 1 && t->holders.by[0].pid == pid;
}

/* Another process is known to have made the packet's own call. */
static bool has_other_call(const struct view *v, int64_t pid)
{
	for (int i = 0; !is_datagram(v) && i < v->t->trace.count; i++) {
		const struct caller *k = &v->t->trace.by[i];

		if (stands(v, k) && k->call && k->exact && k->place == PLACE_HERE &&
		    k->pid >= 0 && k->pid != pid)
			return true;
	}
	return false;
}

/* A datagram may have left by a socket of whoever else looked its tuple up. */
static bool has_other_lookup(const struct view *v, int64_t pid)
{
	for (int i = 0; is_datagram(v) && i < v->t->trace.count; i++) {
		const struct caller *k = &v->t->trace.by[i];

		if (stands(v, k) && k->pid != pid &&
		    (!is_other_user(v, k) || holder_of(v->t, k->pid)))
			return true;
	}
	return false;
}

/* Another process may have made the call: it has called the same place, or was seen in it, on the
 * packet's socket. */
static bool has_rival(const struct view *v, int64_t pid)
{
	const struct testimony *t = v->t;

	for (int i = 0; i < t->calls.count; i++)
		if (t->calls.pid[i] != pid)
			return true;
	for (int i = 0; i < t->holders.count; i++)
		if (t->holders.by[i].in_call && t->holders.by[i].pid != pid)
			return true;
	return false;
}

/* The record is of a call that sent the SYN, whoever's.  connect() that returned success may have
 * left it to others, unless it was seen to wait, or around the packet's lookup; and a send's record
 * tells nothing of theirs, which need not name an address, and then have none. */
static bool has_sent(const struct view *v, unsigned int evidence)
{
	const struct call_record *r = v->record;

	return r && !r->sends && !may_be_fast_open(v) && !is_datagram(v) &&
	       (!r->success || (evidence & (EVIDENCE_PROC_SYSCALL | EVIDENCE_TRACE_CALL)));
}

/* Every user could have put its lookup before another's packet, and have a record beside it.  A
 * call that was seen is nobody else's. */
static bool is_other_users_record(const struct view *v, const struct attribution *a)
{
	const struct call_record *r = v->record;

	return r && !(a->evidence & EVIDENCE_TRACE_CALL) && r->uid >= 0 && socket_user(v) >= 0 &&
	       r->uid != socket_user(v);
}

static enum certainty certainty_of(const struct view *v, const struct attribution *a)
{
	const struct testimony *t = v->t;
	const struct call_record *r = v->record;
	struct proof_conditions c = {
		.no_packet = r && r->by == RECORD_ALONE,
		.accepted = r && r->accepted && is_own_connection(v),
		.attempted = r && r->attempted,
		.same_socket = is_same_socket(v, holder_of(t, a->pid)),
		.sent = has_sent(v, a->evidence),
		.connects = !is_datagram(v),
		.sole_holder = is_sole_holder(v, a->pid),
		.earlier = t->earlier.certain && t->earlier.pid == a->pid,
		/* A record that comes after the verdict has the program that made the call. */
		.program_unsure = r && r->by >= RECORD_PAIRED ? r->program_told :
								t->program_unsure,
		.other_call = has_other_call(v, a->pid),
		.rival = has_rival(v, a->pid),
		.other_lookup = has_other_lookup(v, a->pid),
		.trace_doubtful = !is_unambiguous(v) || is_other_users_record(v, a),
		.unsure_port = is_unsure_of_port(v),
		.elsewhere = is_elsewhere(v),
		.fast_open = may_be_fast_open(v),
	};

	return proof_of(a->evidence, &c);
}

static void add_candidate(struct attribution *a, int64_t pid)
{
	if (pid < 0 || pid == a->pid)
		return;
	for (int i = 0; i < a->candidate_count; i++)
		if (a->candidates[i] == pid)
			return;
	a->candidates[a->candidate_count++] = pid;
}

static bool is_local(const struct view *v)
{
	return v->f->uid >= 0 || v->t->socket.found || v->caller;
}

static const char *reason_of(const struct view *v)
{
	if (v->f->direction == DIRECTION_FORWARD)
		return "forwarded";
	if (!v->f->has_ports)
		return "raw";
	if (!is_local(v))
		return "kernel";
	if (v->t->trace.lossy)
		return "lost";
	return v->t->records_seen ? "gone" : "no-audit";
}

/* Of callers, holders and record the process, and how sure that is. */
static void weigh(const struct view *v, struct attribution *a)
{
	const struct testimony *t = v->t;
	const struct socket_holder *h;

	a->pid = v->record ? v->record->pid : named_pid(v);
	a->evidence = evidence_of(v, a->pid);
	if (a->pid < 0) {
		a->certainty = CERTAINTY_UNKNOWN;
		a->reason = reason_of(v);
	} else {
		a->certainty = certainty_of(v, a);
	}
	h = a->pid < 0 ? NULL : holder_of(t, a->pid);
	a->fd = h ? h->fd : -1;
	if (v->caller && v->caller->pid == a->pid)
		a->caller = (int)(v->caller - t->trace.by);
	a->row = v->record ? v->record->row : 0;
	a->source = v->record && v->record->pid != named_pid(v) ? FROM_CACHE :
		    v->caller ? FROM_TRACE : v->holder ? v->holder->source : FROM_NOBODY;
	for (int i = 0; i < t->trace.count; i++)
		if (stands(v, &t->trace.by[i]))
			add_candidate(a, t->trace.by[i].pid);
	for (int i = 0; i < t->holders.count; i++)
		add_candidate(a, t->holders.by[i].pid);
}

/* Whoever calls waits in connect(), or has its record when that returns; by then the socket may be
 * in the hands of others alone, or its process another program. */
static bool is_only_holder(const struct view *v, const struct attribution *a)
{
	/* A datagram's sender is gone from its call, which may have no record. */
	if (v->f->asks_maker)
		return v->t->makers_seen && a->pid >= 0 && v->t->socket.inode > 0 &&
		       v->t->socket.made != MAKER_ITSELF;
	if (!v->f->blocks_caller || !v->t->records_seen || a->pid < 0 ||
	    (v->record && v->record->by != RECORD_LAST))
		return false;
	return !(a->evidence & EVIDENCE_PROC_SYSCALL) || v->t->program_unsure;
}

static enum question next_about_socket(const struct view *v, bool widely)
{
	const struct testimony *t = v->t;

	if (!t->socket.asked)
		return widely ? ASK_SOCKET_WIDELY : ASK_SOCKET;
	if (widely && !t->socket.widely && t->socket.inode < 0)
		return ASK_SOCKET_WIDELY;
	if (t->socket.inode > 0 && !t->holders.cache_asked)
		return ASK_HOLDER;
	if (t->socket.inode > 0 && widely && !t->holders.count && !t->holders.recent_asked)
		return ASK_RECENT;
	return ASK_NOTHING;
}

/* A trace alone may be of another network namespace, of another user, or of a process that is gone
 * while the packet's socket lives on. */
static enum question next_about_caller(const struct view *v)
{
	const struct caller *k = v->caller;
	enum question next;

	if (v->holder)
		return ASK_NOTHING;
	if (k->place == PLACE_NOT_ASKED)
		return ASK_PLACE;
	if (!is_own_call(v)) {
		if (!k->uid_asked)
			return ASK_USER;
		next = is_other_user(v, k) ? next_about_socket(v, true) : ASK_NOTHING;
		if (next)
			return next;
	}
	if (v->t->socket.again)
		return ASK_NOTHING;
	if (is_unambiguous(v) && (k->place == PLACE_GONE || !v->exact))
		return ASK_SOCKET_AGAIN;
	return is_elsewhere(v) ? ASK_SOCKET_AGAIN : ASK_NOTHING;
}

static bool wants_record(const struct view *v, const struct attribution *a)
{
	if (v->record || v->t->record_asked_for == named_pid(v))
		return false;
	return a->pid >= 0 || (is_local(v) && v->f->direction != DIRECTION_FORWARD);
}

static enum question next_question(const struct view *v, const struct attribution *a)
{
	const struct testimony *t = v->t;
	enum question next = ASK_NOTHING;

	if (v->f->traced && v->f->direction != DIRECTION_IN && !t->trace.asked)
		return ASK_TRACE;
	for (int i = 0; t->trace.count > 1 && i < t->trace.count; i++)
		if (!t->trace.by[i].uid_asked)
			return ASK_CALLERS;
	if (!v->caller || may_be_of_another_socket(v) || v->f->fast_open || !is_unambiguous(v) ||
	    !call_counts(v))
		next = next_about_socket(v, !v->caller);
	if (!next && v->caller)
		next = next_about_caller(v);
	if (!next && wants_record(v, a))
		next = ASK_RECORD;
	if (next)
		return next;
	/* Of a packet without ports no witness can tell before its verdict. */
	if (((a->pid >= 0 || !is_local(v)) && !a->sole_awaited) || !v->f->has_ports)
		return ASK_NOTHING;
	return t->socket.inode > 0 ? WAIT_FOR_SCAN : WAIT_FOR_RECORD;
}

void attribute(const struct packet_facts *f, const struct testimony *t, struct attribution *a)
{
	struct view v = { .f = f, .t = t };

	*a = (struct attribution){ .pid = -1, .fd = -1, .caller = -1 };
	read_trace(&v);
	v.caller = choose_caller(&v);
	v.holder = choose_holder(&v);
	v.record = choose_record(&v);
	weigh(&v, a);
	a->sole_awaited = t->holders.sole_wanted && !t->holders.sole_over;
	a->only_holder = is_only_holder(&v, a);
	a->others_socket = a->only_holder && t->socket.made == MAKER_ANOTHER;
	a->awaits_call = a->caller >= 0 && !v.call && (v.holder || is_unambiguous(&v));
	a->final = (is_own_call(&v) && v.caller) ||
		   (a->certainty == CERTAINTY_CERTAIN && !a->sole_awaited);
	a->next = next_question(&v, a);
}
