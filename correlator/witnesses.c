/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who sent a packet: the witnesses, in the order of asking.
 *
 *   trace     which thread looked this very tuple up          who made the call, alive or gone
 *   socket    sock_diag: the inode of the packet's socket
 *   cache     who was seen with that inode; whose record names this destination
 *   recent    processes that used sockets lately: one readlink each
 *   /proc     everybody, in pieces, while the packet is parked (judge.c)
 *
 * Where trace and holder differ the trace is right: it is who called, the other one who holds the
 * socket as well.  Where two processes looked the same tuple up, the one that holds it is.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ancestry.h"
#include "clock.h"
#include "observe.h"
#include "proc.h"
#include "procfs.h"
#include "sockdiag.h"
#include "tasks.h"
#include "tracefeed.h"
#include "witnesses.h"

/* Each is a readlink. */
#define RECENT_MAX 4
/* After an overrun it is not known which packets' events are missing. */
#define LOSSY_NS 200000000LL
/* What a record said of a process that is gone is about this one if it is not older. */
#define GONE_US (10 * TIME_US_PER_S)
/* A record's clock goes in steps. */
#define STEP_US 12000

void sender_init(struct sender *s, int64_t uid)
{
	*s = (struct sender){ .inode = -1, .pid = -1, .fd = -1, .netns = -1, .local = uid >= 0,
			      .source = FROM_NOBODY };
}

static void on_trace(const struct trace_event *e, void *arg)
{
	struct witnesses *w = arg;

	lookups_event(w->lookups, e);
	tasks_event(w->tasks, e);
}

void witnesses_trace(struct witnesses *w)
{
	int64_t before;

	if (!w->tracefs)
		return;
	before = tracefeed_overruns(w->tracefs);
	tracefeed_drain(w->tracefs, on_trace, w);
	if (tracefeed_overruns(w->tracefs) == before)
		return;
	tasks_forget(w->tasks);
	lookups_lost(w->lookups);
	w->lossy_until_ns = clock_mono_ns() + LOSSY_NS;
	w->complete_since_us = clock_now_us() + LOSSY_NS / 1000;
}

void witnesses_backlog(struct witnesses *w)
{
	int64_t now = clock_mono_ns();

	if (now < w->lossy_until_ns)
		w->lossy_until_ns = now + LOSSY_NS;
}

static int64_t process_of(struct witnesses *w, const struct looker *k)
{
	int64_t pid = tasks_process(w->tasks, k->tid, k->time_ns);

	if (pid >= 0)
		return pid;
	/* Its beginning may have been on another processor, which was read before this one's. */
	witnesses_trace(w);
	pid = tasks_process(w->tasks, k->tid, k->time_ns);
	/* The number is another's by now. */
	if (pid >= 0 || tasks_changed_ns(w->tasks, k->tid) > k->time_ns)
		return pid;
	pid = procfs_process(w->procfs, k->tid);
	if (pid >= 0)
		tasks_add(w->tasks, k->tid, (int32_t)pid, -1);
	/* It has not changed since, or that would be known: it is only long ago that it was heard of. */
	if (pid >= 0 && tasks_changed_ns(w->tasks, pid) < 0)
		tasks_add(w->tasks, (int32_t)pid, (int32_t)pid, -1);
	return pid;
}

/* What is known of a process is of this one: it has not been begun anew, nor executed another program. */
static bool is_of_now(const struct witnesses *w, const struct event *known, int64_t slack_us)
{
	int64_t changed_ns, since_us;

	if (!w->tracefs || !known || known->time_us < w->complete_since_us)
		return false;
	changed_ns = tasks_changed_ns(w->tasks, known->pid);
	if (changed_ns <= 0)
		return changed_ns == 0;
	since_us = clock_now_us() - (clock_mono_ns() - changed_ns) / 1000;
	return known->time_us > since_us + slack_us;
}

static bool is_current(const struct witnesses *w, const struct event *known)
{
	return known && known->netns > 0 && known->start_ticks >= 0 &&
	       is_of_now(w, known, PROC_SLACK_US);
}

/* Whose sockets a process opens, also when it is gone; -1: not known. */
static int64_t user_of(const struct witnesses *w, int64_t pid, int64_t likely)
{
	const struct event *known = observer_who(w->observer, pid);
	int64_t uid = is_of_now(w, known, -STEP_US) ?
			      (known->fsuid >= 0 ? known->fsuid : known->uid) : -1;

	int64_t alive = uid >= 0 && uid == likely ? uid : procfs_user(w->procfs, pid, likely);

	return alive >= 0 ? alive : uid;
}

static int64_t netns_of(const struct witnesses *w, int64_t pid)
{
	const struct event *known = observer_who(w->observer, pid);

	return is_current(w, known) ? known->netns : procfs_netns(w->procfs, pid);
}

static bool is_elsewhere(const struct witnesses *w, const struct connection *c, int64_t netns)
{
	return netns > 0 && netns != w->netns && c->direction != DIRECTION_FORWARD;
}

/* Who asked for a route that he cannot have used: another's packet. */
static bool is_other(const struct witnesses *w, const struct connection *c, int64_t pid)
{
	int64_t uid = c->uid < 0 ? -1 : user_of(w, pid, c->uid);

	return (uid >= 0 && uid != c->uid) || is_elsewhere(w, c, procfs_netns(w->procfs, pid));
}

/* Of several who asked for the same route: which holds the packet's socket, as was seen. */
static int holder_among(struct witnesses *w, const struct sender *s, const int64_t *pids, int count)
{
	struct holder h;

	if (!observer_holder(w->observer, s->inode, &h) ||
	    !procfs_holds(w->procfs, h.pid, h.fd, s->inode))
		return -1;
	for (int i = 0; i < count; i++)
		if (pids[i] == h.pid)
			return i;
	return -1;
}

static void ask_socket(struct witnesses *w, struct connection *c, struct sender *s)
{
	bool in = c->direction == DIRECTION_IN, tcp = c->protocol == IPPROTO_TCP;
	const struct endpoint *local = in ? &c->dst : &c->src, *peer = in ? &c->src : &c->dst;
	struct sock_choice choice;
	struct sock_entry found;
	int rc;

	if (c->direction == DIRECTION_FORWARD || c->src.port < 0)
		return;
	rc = sockdiag_ask(w->sockdiag, c->protocol, local, peer,
			  tcp && !in ? SOCK_FIT_EXACT : SOCK_FIT_WILDCARD, &found);
	/* The kernel walks all sockets for this: only where nobody is named. */
	if (rc == -ENOENT && s->pid < 0 && (in || !tcp)) {
		rc = sockdiag_by_port(w->sockdiag, c->protocol, local, peer, &found, &choice);
		if (!rc && choice.alike > 1)
			rc = -EEXIST;	/* several share the port: no telling which */
	}
	/* UDP's may have another's tuple: by IP_PKTINFO a socket sends from any address of the host's, and
	 * by SO_REUSEADDR several have the same port. */
	if (rc || (!in && c->uid >= 0 && found.uid != c->uid))
		return;
	s->local = true;
	s->inode = found.inode ? found.inode : -1;
	if (s->inode > 0)
		s->evidence |= EVIDENCE_INODE;
	if (c->uid < 0)
		c->uid = found.uid;
}

static void note_other(struct sender *s, int64_t pid)
{
	for (int i = 0; i < s->other_count; i++)
		if (s->others[i] == pid)
			return;
	if (pid >= 0 && s->other_count < OTHERS_MAX)
		s->others[s->other_count++] = pid;
}

const char *witnesses_others(struct witnesses *w, const struct sender *s, char *buf, size_t size)
{
	size_t used = 0;

	buf[0] = '\0';
	for (int i = 0; i < s->other_count; i++) {
		struct event e;
		struct text exe;

		if (s->others[i] == s->pid)
			continue;
		exe = procfs_glance(w->procfs, s->others[i], &e) ? e.text[EVENT_EXE] : TEXT_NONE;
		used += (size_t)snprintf(buf + used, size - used, "%s%lld %.*s", used ? ", " : "",
					 (long long)s->others[i], exe.data ? (int)exe.len : 1,
					 exe.data ? exe.data : "?");
		if (used >= size)
			break;
	}
	return used ? buf : NULL;
}

void witnesses_socket(struct witnesses *w, const struct connection *c, struct sender *s)
{
	struct connection again = *c;

	if (s->inode < 0)
		ask_socket(w, &again, s);
}

static void ask_trace(struct witnesses *w, struct connection *c, struct sender *s)
{
	struct looker lookers[LOOKERS_MAX];
	int64_t pids[LOOKERS_MAX], now = clock_mono_ns();
	bool call = true, exact = true, more;
	int count = lookups_take(w->lookups, c, now, lookers, &more), known = 0, which = 0;

	s->lost = now < w->lossy_until_ns;
	for (int i = 0; i < count; i++) {
		int64_t pid = process_of(w, &lookers[i]);
		int n;

		/* A tuple of the loopback is another connection in each network namespace. */
		if (count > 1 && is_other(w, c, pid))
			continue;
		for (n = 0; n < known && pids[n] != pid; n++)
			;
		if (n == known)
			pids[known++] = pid;
		call &= lookers[i].call;
		exact &= lookers[i].exact;
		s->looker = lookers[i];
	}
	s->doubts.shared = exact && (known > 1 || (known && more));
	if (known > 1) {
		ask_socket(w, c, s);
		which = holder_among(w, s, pids, known);
	}
	if (!known || pids[which < 0 ? 0 : which] < 0)
		return;
	s->pid = pids[which < 0 ? 0 : which];
	for (int i = 0; i < known; i++)
		note_other(s, pids[i]);
	/* Of several who are connecting there the user tells who is likelier, and proves nothing. */
	s->doubts.trace_ok = known == 1 && !more && !s->lost && (exact || count == 1);
	s->local = true;
	s->source = FROM_TRACE;
	s->evidence |= EVIDENCE_TRACE | (call ? EVIDENCE_CALL : 0u);
}

/* Without the trace: a connect() that waits is going on in somebody who holds the socket, which its
 * opener need not be (fork, SCM_RIGHTS). */
static bool has_caller(const struct witnesses *w, const struct connection *c)
{
	return !w->tracefs && c->protocol == IPPROTO_TCP && c->direction == DIRECTION_OUT;
}

/* Whether it seems to be this one: if he holds the socket after that, it is, and else may be gone, and his
 * pid another's. */
static bool is_calling(struct witnesses *w, const struct connection *c, int64_t pid, int64_t fd)
{
	return has_caller(w, c) && procfs_in_call(w->procfs, pid, fd);
}

/* Who holds the socket; caller: and is in the call. */
static void name_holder(struct witnesses *w, const struct connection *c, struct sender *s,
			const struct holder *h, enum source source, bool caller)
{
	bool other = s->pid >= 0 && s->pid != h->pid;

	/* Who was named by the trace, or in the call, is right; a mere holder may not be. */
	if (other && !s->elsewhere)
		return;
	if (!caller && has_caller(w, c))
		s->elsewhere = procfs_is_blocking(w->procfs, h->pid, h->fd);
	note_other(s, h->pid);
	if (other && !caller)
		return;
	s->fd = h->fd;
	s->evidence |= EVIDENCE_FD | (caller ? EVIDENCE_SYSCALL : 0u);
	s->elsewhere &= !caller;
	if (s->pid != h->pid) {
		s->pid = h->pid;
		s->source = source;
	}
	witnesses_record(w, c, s);
}

void witnesses_found(struct witnesses *w, const struct connection *c, struct sender *s, int64_t pid,
		     int64_t fd, enum source source)
{
	struct holder h = { .pid = pid, .fd = fd };

	name_holder(w, c, s, &h, source,
		    is_calling(w, c, pid, fd) && procfs_holds(w->procfs, pid, fd, s->inode));
}

/* Who used a socket lately: first by the call that he is in, then by where he had the last one. */
static void ask_recent(struct witnesses *w, const struct connection *c, struct sender *s)
{
	struct holder h[RECENT_MAX];
	int count = observer_recent(w->observer, c->protocol, h, RECENT_MAX);

	for (int i = 0; has_caller(w, c) && i < count; i++) {
		struct holder in_call = { .pid = h[i].pid, .fd = procfs_call_fd(w->procfs, h[i].pid) };

		if (!procfs_holds(w->procfs, in_call.pid, in_call.fd, s->inode))
			continue;
		observer_learn(w->observer, s->inode, in_call.pid, in_call.fd);
		name_holder(w, c, s, &in_call, FROM_RECENT, true);
		return;
	}
	for (int i = 0; i < count; i++) {
		if (!procfs_holds(w->procfs, h[i].pid, h[i].fd, s->inode))
			continue;
		observer_learn(w->observer, s->inode, h[i].pid, h[i].fd);
		witnesses_found(w, c, s, h[i].pid, h[i].fd, FROM_RECENT);
		return;
	}
}

/* The process that holds the packet's socket, by what was seen lately. */
static void ask_cache(struct witnesses *w, const struct connection *c, struct sender *s)
{
	struct holder h;

	if (s->inode < 0)
		return;
	if (observer_holder(w->observer, s->inode, &h) && (s->pid < 0 || s->pid == h.pid)) {
		bool calling = is_calling(w, c, h.pid, h.fd);

		if (procfs_holds(w->procfs, h.pid, h.fd, s->inode)) {
			name_holder(w, c, s, &h, FROM_CACHE, calling);
			return;
		}
		/* It was seen there, and is gone meanwhile, or has passed it on. */
	}
	if (s->pid < 0)
		ask_recent(w, c, s);
}

/* Whose record it is holds the socket; or it is closed by now, and nobody does. */
static bool may_be_callers(struct witnesses *w, const struct connection *c, struct sender *s,
			   const struct half *r)
{
	struct connection again = *c;

	if (s->inode < 0)
		return true;
	if (r->fd >= 0 && procfs_holds(w->procfs, r->pid, r->fd, s->inode))
		return true;
	s->inode = -1;
	s->evidence &= ~(unsigned int)EVIDENCE_INODE;
	ask_socket(w, &again, s);
	return s->inode < 0;
}

/* Of a packet that nobody is named for, or a mere holder: the record of its socket, else the oldest of
 * that user to the same place. */
static bool find_record(struct witnesses *w, const struct connection *c, struct sender *s,
			struct half *r)
{
	if (s->evidence & (EVIDENCE_TRACE | EVIDENCE_SYSCALL))
		return false;
	if (observer_record_of(w->observer, c, s->inode, r))
		return true;
	return observer_record(w->observer, c, -1, -1, r) && may_be_callers(w, c, s, r);
}

static void take_record(struct witnesses *w, const struct connection *c, struct sender *s,
			const struct half *r)
{
	if (s->fd < 0 && s->inode > 0 && procfs_holds(w->procfs, r->pid, r->fd, s->inode)) {
		s->fd = r->fd;
		s->evidence |= EVIDENCE_FD;
	}
	s->pid = r->pid;
	s->row = r->id;
	s->evidence |= EVIDENCE_AUDIT;
	s->doubts.same_socket = s->fd >= 0 && s->fd == r->fd;
	/* Of a lookup alone the user must be the socket's: else anybody could put his before another's
	 * packet and have a record beside it.  A call that was seen is nobody else's. */
	if (!(s->evidence & EVIDENCE_CALL) && c->uid >= 0 && r->uid >= 0 && c->uid != r->uid)
		s->doubts.trace_ok = false;
}

/* Its own record, or another that may be its own. */
void witnesses_record(struct witnesses *w, const struct connection *c, struct sender *s)
{
	struct half r;
	bool own;

	if (s->row || (c->direction == DIRECTION_FORWARD && s->pid < 0))
		return;
	own = s->pid >= 0 && observer_record(w->observer, c, s->pid, s->fd, &r);
	if (!own) {
		if (!find_record(w, c, s, &r))
			return;
		/* A holder stays named unless the other one holds it, too. */
		if (s->pid >= 0 && s->inode < 0)
			return;
		s->fd = -1;
		s->source = FROM_CACHE;
		s->evidence &= ~(unsigned int)EVIDENCE_FD;
	}
	take_record(w, c, s, &r);
}

void witnesses_last(struct witnesses *w, const struct connection *c, struct sender *s)
{
	struct half r;

	if (s->row || s->pid >= 0 || !s->local || !observer_record(w->observer, c, -1, -1, &r) ||
	    (s->inode > 0 && r.inode > 0 && r.inode != s->inode))
		return;
	s->source = FROM_CACHE;
	take_record(w, c, s, &r);
}

void witnesses_share(struct witnesses *w, const struct connection *c, struct sender *s)
{
	if (!s->row || observer_awaits(w->observer, s->row))
		return;
	s->row = 0;
	s->doubts.same_socket = false;
	s->evidence &= ~(unsigned int)EVIDENCE_AUDIT;
	if (!(s->evidence & (EVIDENCE_FD | EVIDENCE_TRACE | EVIDENCE_SYSCALL))) {
		s->pid = s->fd = -1;
		s->source = FROM_NOBODY;
	}
	witnesses_record(w, c, s);
}

/* The trace alone is proof, and nothing is left to ask but for whether it is of this network. */
static bool is_proven(const struct sender *s)
{
	return (s->evidence & EVIDENCE_TRACE) && (s->evidence & EVIDENCE_CALL) && s->doubts.trace_ok;
}

/* As if there were none: those who hold the socket. */
static void drop_trace(struct witnesses *w, struct connection *c, struct sender *s)
{
	s->pid = -1;
	s->source = FROM_NOBODY;
	s->evidence &= EVIDENCE_INODE;
	s->doubts.trace_ok = false;
	ask_socket(w, c, s);
	ask_cache(w, c, s);
}

/* The socket has ended with who is gone, or is held by who is alive: else it is somebody else's. */
static void doubt_socket(struct witnesses *w, struct connection *c, struct sender *s)
{
	/* It may have ended since we asked. */
	s->inode = -1;
	s->evidence &= ~(unsigned int)EVIDENCE_INODE;
	ask_socket(w, c, s);
	if (s->inode > 0 && s->netns >= 0)
		s->fd = procfs_find_fd(w->procfs, s->pid, s->inode);
	if (s->fd >= 0)
		s->evidence |= EVIDENCE_FD;
	else
		s->doubts.trace_ok &= s->inode < 0;
}

/* connect() over TCP is the socket's own call, whoever opened it: nobody else can have sent this. */
static bool is_own_call(const struct connection *c, const struct sender *s)
{
	return c->protocol == IPPROTO_TCP && is_proven(s) && s->looker.exact;
}

/* Lookups are for anybody to make: the socket's user must have.  False: somebody else is named instead. */
static bool doubt_user(struct witnesses *w, struct connection *c, struct sender *s)
{
	int64_t uid = user_of(w, s->pid, c->uid);
	struct sender named;

	/* A UDP socket that was connected long ago looks nothing up: who did may be anybody, and a send
	 * with MSG_MORE looks like one that sent its packet. */
	s->stranger = uid < 0 && c->protocol != IPPROTO_TCP;
	if (s->stranger)
		s->evidence &= ~(unsigned int)EVIDENCE_CALL;
	if (c->uid < 0 || uid < 0 || uid == c->uid)
		return true;
	named = *s;
	/* It may have been passed the socket of another user, if nobody else has it. */
	drop_trace(w, c, s);
	if (s->pid >= 0)
		return false;
	*s = named;
	s->doubts.trace_ok = false;
	return true;
}

/*
 * A trace alone may be of another network namespace, of another user who asked for a route that is not
 * his, or of a process that is gone while the packet's socket lives on: somebody else's.
 */
static void doubt_trace(struct witnesses *w, struct connection *c, struct sender *s)
{
	if (!(s->evidence & EVIDENCE_TRACE) || (s->evidence & EVIDENCE_FD))
		return;
	if (s->netns < 0)
		s->netns = netns_of(w, s->pid);
	if (is_elsewhere(w, c, s->netns)) {
		drop_trace(w, c, s);
		return;
	}
	if (!is_own_call(c, s) && !doubt_user(w, c, s))
		return;
	if (s->doubts.trace_ok && (s->netns < 0 || !s->looker.exact))
		doubt_socket(w, c, s);
}

bool witnesses_call(struct witnesses *w, struct connection *c, struct sender *s)
{
	const struct event *known;

	if (w->tracefs && c->direction != DIRECTION_IN)
		ask_trace(w, c, s);
	if (!is_own_call(c, s))
		return false;
	/* What it was seen in; /proc is asked later, which takes longest for a process that is new. */
	known = observer_who(w->observer, s->pid);
	s->netns = is_current(w, known) ? known->netns : -1;
	return w->sees_exec && !is_elsewhere(w, c, s->netns);
}

/* Of whom the trace did not name its records say what he was. */
bool witnesses_sure(const struct witnesses *w, const struct sender *s)
{
	const struct event *known = observer_who(w->observer, s->pid);
	bool told = (s->evidence & EVIDENCE_TRACE) ? w->sees_exec :
		    known && known->netns > 0 && known->text[EVENT_EXE].data;

	return s->pid >= 0 && !s->elsewhere && told &&
	       certainty_of(s->evidence, &s->doubts) == CERTAINTY_CERTAIN;
}

void witnesses_ask(struct witnesses *w, struct connection *c, struct sender *s)
{
	if (!is_proven(s)) {
		ask_socket(w, c, s);
		ask_cache(w, c, s);
	}
	doubt_trace(w, c, s);
	if (s->local || s->pid >= 0)
		witnesses_record(w, c, s);
}

void witnesses_insist(struct witnesses *w, struct sender *s)
{
	if (s->fd < 0 && s->pid >= 0 && s->inode > 0) {
		s->fd = procfs_find_fd(w->procfs, s->pid, s->inode);
		if (s->fd >= 0)
			s->evidence |= EVIDENCE_FD;
	}
	if (s->fd >= 0 && !(s->evidence & EVIDENCE_SYSCALL) &&
	    procfs_in_call(w->procfs, s->pid, s->fd) &&
	    procfs_holds(w->procfs, s->pid, s->fd, s->inode)) {
		s->evidence |= EVIDENCE_SYSCALL | EVIDENCE_FD;
		s->elsewhere = false;
	}
}

static bool same_text(struct text a, struct text b)
{
	return (!a.data && !b.data) || (a.data && b.data && text_equal(a, b));
}

/* The same process, in the same program. */
static bool is_known(const struct event *known, const struct event *glance)
{
	return known && known->start_ticks == glance->start_ticks && known->netns > 0 &&
	       same_text(known->text[EVENT_EXE], glance->text[EVENT_EXE]);
}

static void fill(struct connection *c, struct sender *s, const struct event *e)
{
	int64_t uid = c->uid;

	observer_fill(c, e);
	/* The socket's own user is what the packet was sent as. */
	if (c->uid < 0)
		c->uid = uid;
	s->netns = e->netns;
}

/* Since it looked the route up it has executed another program, or its number is another's. */
static bool has_changed(const struct witnesses *w, const struct sender *s)
{
	return (s->evidence & EVIDENCE_TRACE) &&
	       tasks_changed_ns(w->tasks, s->pid) > s->looker.time_ns;
}

/* What a record said is of the process that is gone: not of another one that had its number. */
static bool is_same_gone(const struct witnesses *w, const struct connection *c, const struct sender *s,
			 const struct event *known, int64_t when_ns)
{
	struct text exe = w->tracefs ? tasks_exe(w->tasks, s->pid, when_ns) : TEXT_NONE;

	if (!known || has_changed(w, s) || llabs(c->time_us - known->time_us) > GONE_US)
		return false;
	return !w->tracefs || is_of_now(w, known, 0) ||
	       (is_of_now(w, known, -STEP_US) && exe.data && same_text(exe, known->text[EVENT_EXE]));
}

/* A process that is gone, or is just going, or is another by now, or was not looked at: what its records
 * said, else the trace. */
static void describe_gone(struct witnesses *w, struct connection *c, struct sender *s)
{
	const struct event *known = observer_who(w->observer, s->pid);
	int64_t when_ns = s->evidence & EVIDENCE_TRACE ? s->looker.time_ns : INT64_MAX;

	c->pid = s->pid;
	if (is_same_gone(w, c, s, known, when_ns)) {
		fill(c, s, known);
		return;
	}
	if (!w->tracefs)
		return;
	c->ppid = tasks_parent(w->tasks, s->pid, when_ns);
	c->text[CONNECTION_EXE] = tasks_exe(w->tasks, s->pid, when_ns);
}

static void describe(struct witnesses *w, struct connection *c, struct sender *s,
		     struct portrait *p, enum look look)
{
	const struct event *known = observer_who(w->observer, s->pid);

	p->whole = is_current(w, known) && !has_changed(w, s);
	p->alive = false;
	s->doubts.changed = false;
	if (p->whole) {
		fill(c, s, known);
		return;
	}
	/* A process that is ending has no program any more, while it still has a number. */
	p->alive = look != LOOK_NOT && procfs_glance(w->procfs, s->pid, &p->event) &&
		   p->event.text[EVENT_EXE].data &&
		   procfs_start_us(w->procfs, p->event.start_ticks) < c->time_us + PROC_SLACK_US;
	/* What was seen there now may have become so a moment ago. */
	if (p->alive && (s->evidence & EVIDENCE_TRACE)) {
		witnesses_trace(w);
		p->alive = !has_changed(w, s);
		s->doubts.changed = p->alive && clock_mono_ns() < w->lossy_until_ns;
	}
	if (!p->alive) {
		describe_gone(w, c, s);
		return;
	}
	if (s->passed && !(s->evidence & EVIDENCE_TRACE) && !is_known(known, &p->event))
		s->doubts.changed = true;
	/* Its record says what it was in the call; by now it may be another program. */
	if ((s->evidence & EVIDENCE_AUDIT) && known && known->text[EVENT_EXE].data &&
	    !same_text(known->text[EVENT_EXE], p->event.text[EVENT_EXE])) {
		p->alive = false;
		fill(c, s, known);
		return;
	}
	if (is_known(known, &p->event)) {
		p->whole = true;
		fill(c, s, known);
		return;
	}
	fill(c, s, &p->event);
}

void witnesses_describe(struct witnesses *w, struct connection *c, struct sender *s,
			struct portrait *p, enum look look)
{
	describe(w, c, s, p, look);
	if (look == LOOK_WHOLE)
		witnesses_complete(w, c, s, p);
}

int64_t witnesses_age_us(const struct witnesses *w, const struct connection *c,
			 const struct sender *s)
{
	int64_t changed_ns = w->tracefs ? tasks_changed_ns(w->tasks, s->pid) : -1, start_us;

	if (changed_ns > 0)
		return (clock_mono_ns() - changed_ns) / 1000;
	start_us = procfs_start_us(w->procfs, c->start_ticks);
	return start_us < 0 ? -1 : c->time_us - start_us;
}

void witnesses_complete(struct witnesses *w, struct connection *c, struct sender *s,
			struct portrait *p)
{
	if (p->alive && !p->whole) {
		procfs_rest(w->procfs, &p->event);
		p->event.time_us = c->time_us;
		p->whole = p->event.netns > 0;
		if (p->whole)
			observer_know(w->observer, &p->event);
		fill(c, s, &p->event);
	}
	if (w->ancestry && !c->text[CONNECTION_ANCESTORS].data)
		ancestry_tell(w->ancestry, w, c);
}
