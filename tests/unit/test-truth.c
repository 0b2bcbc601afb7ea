/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `certain` is never wrong: hosts made up at random, of which the test knows which process sent
 * what.  Several connect to one destination at a time, with records early, late or never, with
 * sockets that are shared, passed on, closed, and processes that end.
 *
 * Some are liars, of the same user as the others or of another one.  They try everything to be
 * taken for them: ask for routes, one or many at a time, look the tuple up by sends that send
 * nothing (MSG_MORE), leave the SYN to who sends the first data (TCP_FASTOPEN_CONNECT), wait in a
 * call on a socket by which another one sends, have records of sends that send nothing and of
 * connections of their own to the same place, have another one's socket at the descriptor of such a
 * record when that is looked at (dup2), wait in connect() on one that another one has begun to
 * connect, send from a port that they share, and make the trace lose events.
 *
 * What only records tell is judged when all of them have come.
 *
 * On hosts without liars `certain` stays as frequent as it was.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/netfilter.h>

#include "config.h"
#include "judge-rig.h"
#include "scratch.h"
#include "tap.h"

#define SENDERS 5
#define LIAR 3000		/* a liar's user, where it is another one */
#define ROWS 4096
/* By which a liar sends in others' names. */
#define CORK_FD 9
#define SWAP_FD 11
#define JOIN_FD 12
#define CORK_INODE 5000000

/* The steps of a sender, in this order; some senders skip some. */
enum step {
	S_OPEN,
	S_SOCKET_RECORD,
	S_SHARE,
	S_PASS,
	S_FORGE,
	S_TRACE,
	S_RECORD_EARLY,
	S_GIVE,
	S_EXIT_EARLY,
	S_PACKET,
	S_RETURN,
	S_RECORD,
	S_EXIT,
	STEPS
};

struct sender {
	int64_t pid, other, uid, inode;	/* other: its child, or the process that opened the
					 * socket for it */
	int64_t fd;
	int protocol;
	struct endpoint src;
	bool blocking, seen, recorded, liar, passed;
	/* of datagrams: connect() looks up, and sends nothing; who sends is decided by S_GIVE */
	bool connected, given;
	bool long_ago;		/* connected, before the trace began */
	int64_t sent_us;	/* when its packet came; 0: not yet */
	int64_t recorded_us;	/* and its record, before it */
	bool fast_open;		/* TCP: connect() sends nothing, S_GIVE decides who does */
	unsigned int skip;		/* bits of enum step */
	enum step step;
	uint32_t packet;	/* its number */
};

static struct sender senders[SENDERS];
static int count;
static struct endpoint dst;
static int64_t truth[ROWS];		/* by row */
static int64_t first;			/* pid of this round's first sender */
static int64_t certain, wrong, rows_seen, rows_begun;
/* What this round's host is like. */
static bool honest, send_events;
static bool apart;		/* each sends to a place of its own */
static bool all_recorded;	/* no record of a connect() will be missing */
/* Packets of honest rounds, and those that were certain: [trace][TCP] */
static struct { int64_t packets, certain; } rate[2][2];
static bool traced;
static int64_t open_rows[ROWS];		/* an honest row that is not certain yet: its rate, + 1 */

static uint32_t below(uint32_t n)
{
	return (uint32_t)(scratch_random() % n);
}

static bool chance(uint32_t percent)
{
	return below(100) < percent;
}

static struct endpoint place_of(const struct sender *s)
{
	struct endpoint place = dst;

	place.port += apart ? (int32_t)(s - senders) : 0;
	return place;
}

static int64_t truth_of(int32_t port)
{
	for (int i = 0; i < count; i++)
		if (senders[i].src.port == port)
			return senders[i].given ? senders[i].other : senders[i].pid;
	return -1;
}

static void complain(const char *what, const struct connection *c, int64_t pid, int64_t right)
{
	if (!wrong++)
		tap_note("%s: certain %lld, and it was %lld; evidence %u", what,
			 (long long)pid, (long long)right, c->evidence);
}

static void count_certain(uint64_t row)
{
	int64_t *kind = &open_rows[row % ROWS];

	certain++;
	if (*kind)
		rate[traced][*kind - 1].certain++;
	*kind = 0;
}

/* Proven by the trace, or by nothing that a record could take back. */
static bool is_final(const struct connection *c)
{
	return !(c->evidence & (EVIDENCE_AUDIT | EVIDENCE_PROC_SYSCALL));
}

static void look_at_rows(void)
{
	for (; rows_seen < fake.rows; rows_seen++) {
		const struct connection *c = fake.row[rows_seen % FAKE_ROWS].connection;
		int64_t right = truth_of(c->src.port);

		truth[c->id % ROWS] = right;
		open_rows[c->id % ROWS] = 0;
		if (honest) {
			rate[traced][c->protocol == IPPROTO_TCP].packets++;
			open_rows[c->id % ROWS] = 1 + (c->protocol == IPPROTO_TCP);
		}
		if (c->certainty == CERTAINTY_CERTAIN && is_final(c) && c->process.pid != right)
			complain("packet", c, c->process.pid, right);
	}
}

/* All records of the round have come. */
static void judge_rows(void)
{
	look_at_rows();
	for (int64_t i = rows_begun; i < fake.rows; i++) {
		const struct fake_row *row = &fake.row[i % FAKE_ROWS];
		int64_t right = truth[row->connection->id % ROWS];

		if (row->was_certain)
			count_certain(row->connection->id);
		if (row->certainty == CERTAINTY_CERTAIN && row->pid != right && all_recorded)
			complain("row", row->connection, row->pid, right);
	}
}

static void record(const struct sender *s, enum event_kind kind, int64_t fd, bool seen)
{
	const struct endpoint to = place_of(s);
	const struct outcome *out;
	struct fake_row *row;
	struct event e;

	event_init(&e);
	e.kind = kind;
	e.time_us = fake.now_us - below(4000);
	/* Its call had begun before its packet. */
	if (s->sent_us && e.time_us > s->sent_us)
		e.time_us = s->sent_us - below(4000);
	e.process.pid = kind == EVENT_SOCKET && s->passed ? s->other : s->pid;
	e.process.ppid = 1;
	e.fd = fd;
	e.process.uid = e.process.fsuid = e.process.euid = s->uid;
	e.family = to.addr.family;
	e.inode = seen && fake_find(e.process.pid) ? s->inode : -1;
	if (kind == EVENT_SOCKET) {
		e.exit = e.fd;
		e.protocol = s->protocol;
	} else {
		e.exit = kind == EVENT_SEND ? 10 :
			s->blocking || s->fast_open ? 0 : -EINPROGRESS;
		e.addr = to.addr;
		e.port = to.port;
	}
	e.process.exe = text_of("/good");
	/* Where the plugin finds the process at its descriptor, it sees its program's file, too. */
	if (e.inode >= 0)
		e.process.exe_seen = EXE_HERE;
	out = rig_record(&e);
	look_at_rows();
	row = out->change.kind == CHANGE_CONFIRM ? fake_row_of(out->change.connection.id) : NULL;
	if (!row)
		return;
	row->pid = out->change.connection.process.pid;
	row->certainty = out->change.connection.certainty;
	row->was_certain |= row->certainty == CERTAINTY_CERTAIN;
}

static void put_trace(const struct trace_event *e)
{
	if (fake.traced < FAKE_TRACE)
		fake_trace(e);
	else
		fake.lost++;
}

static void trace(int64_t pid, enum trace_kind kind, const struct sender *of, struct endpoint src)
{
	struct trace_event e = {
		.kind = kind, .tid = (int32_t)pid, .protocol = of->protocol, .src = src,
		.dst = place_of(of),
		.old_state = TCP_CLOSE, .new_state = TCP_SYN_SENT, .family = AF_INET, .result = 60,
		.socket = (uint64_t)pid,
	};

	/* Linux before 6.3 does not tell of sends. */
	if (kind == TRACE_SEND && !send_events)
		return;
	/* What is lost the next look at the trace finds out. */
	if (!honest && chance(2))
		fake.lost++;
	else
		put_trace(&e);
}

static void trace_fork(int64_t pid, int64_t child)
{
	struct trace_event e = { .kind = TRACE_TASK, .tid = (int32_t)pid,
				 .other = (int32_t)child };

	put_trace(&e);
}

static void trace_connect(const struct sender *s)
{
	struct endpoint portless = { .addr = s->src.addr, .port = 0 };

	if (s->long_ago)
		return;
	if (s->protocol == IPPROTO_TCP)
		trace(s->pid, TRACE_STATE, s, portless);
	if (s->protocol != IPPROTO_TCP || dst.addr.family == AF_INET)
		trace(s->pid, TRACE_LOOKUP, s, s->src);
}

/* Over rtnetlink, for another's packet: one question, or many. */
static void ask_for_route(const struct sender *s, const struct sender *victim)
{
	struct trace_event send = { .kind = TRACE_SEND, .tid = (int32_t)s->pid,
				    .family = AF_NETLINK, .result = 60 };

	for (uint32_t n = chance(10) ? 70 : 1; n > 0; n--)
		trace(s->pid, TRACE_LOOKUP, victim, victim->src);
	/* It may be on its way yet. */
	if (send_events && chance(90))
		put_trace(&send);
}

static bool is_open(const struct sender *s)
{
	return s->step > S_OPEN && fake_find(s->pid);
}

/* A send in another's name that sends nothing (MSG_MORE, IP_PKTINFO), by a socket of its own, and
 * its record. */
static void cork(const struct sender *s, const struct sender *victim)
{
	struct sender by = *s;

	by.fd = CORK_FD;
	by.inode = CORK_INODE + s->pid;
	/* It may take upon itself what it gave its own socket away for. */
	if (victim->protocol != IPPROTO_UDP || victim == s)
		return;
	trace(s->pid, TRACE_LOOKUP, victim, victim->src);
	trace(s->pid, TRACE_SEND, victim, victim->src);
	if (chance(50))
		record(&by, EVENT_SEND, by.fd, by.seen);
}

/* Its call was on another socket than what is at its descriptor when that is looked at. */
static void swap(const struct sender *s, const struct sender *victim)
{
	struct sender by = *s;

	if (victim->protocol != IPPROTO_TCP || victim == s || victim->step <= S_OPEN)
		return;
	by.fd = SWAP_FD;
	by.inode = victim->inode;
	fake_hold(fake_find(s->pid), by.fd, by.inode);
	record(&by, EVENT_CONNECT, by.fd, true);
}

/* It waits in connect() for what the other one has begun, or begins. */
static void wait_too(const struct sender *s, const struct sender *victim)
{
	if (victim->protocol == IPPROTO_TCP && victim != s && victim->step > S_OPEN)
		fake_hold(fake_find(s->pid), JOIN_FD, victim->inode)->calling = true;
}

static void forge(const struct sender *s)
{
	const struct sender *victim = &senders[below((uint32_t)count)];

	switch (below(6)) {
	case 4:
		swap(s, victim);
		break;
	case 5:
		wait_too(s, victim);
		break;
	case 0:
		cork(s, victim);
		break;
	case 1:
		/* A record of its own to the same place. */
		record(s, EVENT_CONNECT, s->fd, s->seen);
		/* fall through */
	default:
		ask_for_route(s, victim);
		break;
	}
}

static void send_packet(struct sender *s)
{
	uint8_t data[64];
	struct endpoint to = place_of(s);
	size_t len = rig_ip(data, s->protocol, &s->src, &to);

	s->sent_us = fake.now_us;
	/* It has waited in the queue for that long. */
	rig_lag_us(s->recorded ? fake.now_us - s->recorded_us : 0);
	s->packet = rig_packet(data, len + s->fast_open, NF_INET_LOCAL_OUT, 0, s->uid);
}

/* A connect() that waits returns behind the verdict on its packet. */
static bool must_wait(const struct sender *s)
{
	return s->step == S_RETURN && s->protocol == IPPROTO_TCP && s->blocking &&
	       !s->fast_open && !fake.verdict[s->packet % FAKE_IDS].count;
}

static void set_calling(const struct sender *s, bool calling)
{
	struct fake_fd *f = fake_fd_of(fake_find(s->pid), s->fd);

	if (f)
		f->calling = calling && s->blocking;
}

static void leave(const struct sender *s)
{
	fake_find(s->pid)->alive = false;
	if (fake_find(s->other))
		return;
	for (int i = 0; i < fake.sockets; i++)
		if (fake.socket[i].entry.inode == s->inode)
			fake.socket[i].open = false;
}

/* A connected socket goes to a child, or to who it is passed to; the process goes on to other
 * things, and the other one sends. */
static void give(struct sender *s)
{
	bool forks = chance(50) && !fake_find(s->other);

	if ((!s->connected && !s->fast_open) || !is_open(s))
		return;
	if (forks)
		trace_fork(s->pid, s->other);
	if (!fake_find(s->other))
		fake_process(s->other, s->pid, s->uid, "/plain");
	fake_hold(fake_find(s->other), chance(50) ? s->fd : 7, s->inode);
	s->given = true;
	if (!forks && chance(50))
		return;
	/* It goes into a call on it as well. */
	set_calling(s, chance(50));
	if (s->fast_open)
		return;
	/* A send of its own, by another socket: at once, or at another time. */
	if (!forks)
		rig_pass_us(25000);
	trace(s->pid, TRACE_SEND, s, s->src);
	if (!forks)
		rig_pass_us(25000);
}

static void step(struct sender *s)
{
	bool gone = s->step > S_OPEN && !fake_find(s->pid);
	struct endpoint to = place_of(s);

	switch (s->step) {
	case S_OPEN:
		fake_process(s->pid, 1, s->uid, "/good");
		fake_hold(fake_find(s->pid), s->fd, s->inode);
		fake_socket(s->protocol, &s->src, &to, s->inode, s->uid);
		break;
	case S_PASS:
		/* Another process opened it, and keeps it. */
		s->passed = true;
		/* fall through */
	case S_SHARE:
		if (!s->passed)
			trace_fork(s->pid, s->other);
		fake_process(s->other, s->pid, s->uid, "/plain");
		fake_hold(fake_find(s->other), chance(50) ? s->fd : 7, s->inode);
		break;
	case S_SOCKET_RECORD:
		record(s, EVENT_SOCKET, s->fd, s->seen);
		break;
	case S_FORGE:
		forge(s);
		break;
	case S_TRACE:
		trace_connect(s);
		set_calling(s, !s->connected && !s->fast_open);
		break;
	case S_RECORD_EARLY:
		if (s->protocol == IPPROTO_UDP ? s->connected : !s->blocking || s->fast_open) {
			s->recorded_us = fake.now_us;
			record(s, EVENT_CONNECT, s->fd, s->seen);
			s->recorded = true;
		}
		break;
	case S_GIVE:
		give(s);
		break;
	case S_EXIT_EARLY:
		if (!s->blocking)
			leave(s);
		break;
	case S_PACKET:
		send_packet(s);
		break;
	case S_RETURN:
		set_calling(s, false);
		if (s->protocol == IPPROTO_UDP)
			trace(s->given ? s->other : s->pid, TRACE_SEND, s, s->src);
		break;
	case S_RECORD:
		if (!s->recorded)
			record(s, s->protocol == IPPROTO_UDP && !s->connected ? EVENT_SEND :
			       EVENT_CONNECT, s->fd, s->seen && !gone);
		break;
	case S_EXIT:
		if (!gone)
			leave(s);
		break;
	case STEPS:
		break;
	}
	look_at_rows();
	s->step++;
}

static void make_up(int i, int protocol, bool six)
{
	struct sender *s = &senders[i];

	*s = (struct sender){
		.pid = first + i, .other = first + 50 + i, .uid = chance(70) ? 1000 : 2000,
		.inode = 1000000 + first + i,
		.fd = 3 + (int64_t)below(2), .protocol = protocol, .blocking = chance(50),
		.seen = chance(70), .liar = !honest && i > 0 && chance(40),
		.connected = protocol == IPPROTO_UDP && chance(40),
		.src = { .port = 40000 + i },
	};
	s->src.addr.family = dst.addr.family;
	s->src.addr.bytes[0] = six ? 0x20 : 10;
	s->src.addr.bytes[six ? 15 : 3] = 1;
	s->skip = (chance(50) ? 1u << S_SOCKET_RECORD : 0) | (chance(60) ? 1u << S_SHARE : 0) |
		  (chance(70) ? 1u << S_PASS : 0) | (chance(60) ? 1u << S_RECORD_EARLY : 0) |
		  (chance(70) ? 1u << S_EXIT_EARLY : 0) | (chance(20) ? 1u << S_RECORD : 0) |
		  (chance(30) ? 1u << S_EXIT : 0) | (honest || chance(50) ? 1u << S_GIVE : 0);
	s->fast_open = protocol == IPPROTO_TCP && !honest && chance(20);
	/* Such a socket is not closed in the very moment of its send. */
	s->long_ago = s->connected && chance(30);
	if (s->long_ago)
		s->skip |= 1u << S_EXIT_EARLY | 1u << S_EXIT;
	if (s->liar && chance(50))
		s->uid = LIAR;
	if (!s->liar || chance(20))
		s->skip |= 1u << S_FORGE;
}

/* Several connect to one place, until all are done. */
static void run(int64_t round)
{
	int protocol = chance(60) ? IPPROTO_TCP : IPPROTO_UDP, left;
	bool six = chance(40);

	honest = chance(30);
	send_events = honest || chance(70);
	apart = honest;

	fake.processes = fake.sockets = 0;
	first = 100 + round * 100;
	dst = (struct endpoint){ .port = 1 + (int32_t)round % 60000 };
	dst.addr.family = six ? AF_INET6 : AF_INET;
	dst.addr.bytes[six ? 15 : 3] = 9;
	count = 1 + (int)below(SENDERS);
	rows_begun = fake.rows;
	all_recorded = true;
	for (int i = 0; i < count; i++) {
		make_up(i, protocol, six);
		all_recorded &= protocol != IPPROTO_TCP || !(senders[i].skip & 1u << S_RECORD);
	}
	do {
		struct sender *s = &senders[below((uint32_t)count)];

		left = 0;
		for (int i = 0; i < count; i++)
			left += senders[i].step != STEPS;
		/* The process that lies may do so more than once. */
		if (s->liar && s->step > S_FORGE && chance(20) && fake_find(s->pid))
			forge(s);
		while (s->step != STEPS && (s->skip & 1u << s->step))
			s->step++;
		if (s->step != STEPS && !must_wait(s))
			step(s);
		if (chance(30))
			rig_turn();
		rig_pass_us(below(chance(10) ? 3000 : 200));
		/* Longer than a loss of the trace makes all of it doubtful; a SYN does not wait
		 * so long for its connect(). */
		if (!honest && protocol == IPPROTO_UDP && chance(1))
			rig_pass_us(250000);
		look_at_rows();
	} while (left);
	/* No packet waits longer than ten times its limit, and eight pieces of a search. */
	rig_pass_us(60000);
	for (int i = 0; i < 8; i++)
		rig_turn();
	judge_rows();
}

/* Of hosts without liars: what was measured when this was written, and a bit less. */
static void check_rates(void)
{
	static const int floor[2][2] = { { 0, 70 }, { 18, 66 } };

	for (int t = 0; t < 2; t++)
		for (int tcp = 0; tcp < 2; tcp++)
			tap_ok(rate[t][tcp].certain * 100 >= rate[t][tcp].packets * floor[t][tcp] &&
			       !rate[t][tcp].certain == !floor[t][tcp],
			       "%s %s: of %lld honest packets %lld certain, at least %d %%",
			       t ? "with the trace" : "without", tcp ? "TCP" : "UDP",
			       (long long)rate[t][tcp].packets, (long long)rate[t][tcp].certain,
			       floor[t][tcp]);
}

int main(int argc, char **argv)
{
	static const char *const policies[] =
		{ "default allow\n", "allow certain\ndefault deny\n" };
	enum { ROUNDS = 50000, LIFE = 500 };
	/* Under valgrind fewer take as long, and are too few for rates. */
	bool few = getenv("UNDER_VALGRIND");
	int rounds = few ? ROUNDS / 10 : ROUNDS;

	scratch_seed(argc, argv);
	for (int i = 0; i < rounds && !wrong; i++) {
		if (i % LIFE == 0) {
			traced = i / LIFE % 3;
			rig_begin(policies[i / LIFE % 2], traced);
			rows_seen = 0;
		}
		run(i);
	}
	rig_end();
	tap_ok(!wrong, "%d times: certain is right", rounds);
	if (few)
		return tap_done();
	if (!tap_ok(certain > rounds, "%lld were certain", (long long)certain))
		tap_note("the test asks for too little");
	check_rates();
	return tap_done();
}
