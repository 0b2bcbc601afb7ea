/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Packets and records of one connection; datagrams, accepted connections, processes. */
#include "observing.h"
#include "proctable.h"

/* A packet of that event's connection, attributed to its process by inode and descriptor. */
static struct connection packet_of(const struct event *e, int64_t pid)
{
	struct connection p;

	connection_init(&p);
	p.protocol = IPPROTO_TCP;
	p.dst.addr = e->addr;
	p.dst.port = (int32_t)e->port;
	p.src.port = 40000;
	p.time_us = e->time_us + 1000;
	p.process.pid = pid;
	p.process.uid = e->process.uid;
	p.evidence = EVIDENCE_INODE | EVIDENCE_FD;
	p.certainty = CERTAINTY_INFERRED;
	return p;
}

/* The packet's row, as the judge hands it over: its process holds the socket, or, inode -1, nothing
 * is known of it but what `word` has beside that. */
static uint64_t decided_by(struct connection *p, int64_t fd, int64_t inode, uint64_t row,
			   struct packet_word word)
{
	word.facts = (struct packet_facts){
		.protocol = p->protocol, .direction = p->direction,
		.uid = p->process.uid, .has_ports = true,
	};
	word.pid = p->process.pid;
	word.testimony.socket.inode = inode;
	if (inode > 0 && p->process.pid >= 0)
		testimony_add_holder(&word.testimony, &(struct socket_holder){
			.pid = (int32_t)p->process.pid, .fd = (int32_t)fd, .source = FROM_CACHE });
	p->id = row ? row : pairing_new_row(pairing);
	pairing_packet(pairing, p, fd, p->process.uid, &word, row != 0);
	return p->id;
}

static struct packet_word nothing_known(void)
{
	struct packet_word word = { .caller = -1 };

	testimony_init(&word.testimony);
	return word;
}

static uint64_t decided(struct connection *p, int64_t fd, int64_t inode, uint64_t row)
{
	return decided_by(p, fd, inode, row, nothing_known());
}

/* Packet and record of one connection are one row, whichever comes first. */
static void test_packets(void)
{
	struct connection p;
	struct holder h = { -1, -1 };
	struct event e;
	struct half r;
	uint64_t id;

	fresh();
	e = make_socket(3, IPPROTO_TCP);
	e.inode = 50;
	give(e);
	tap_ok(observer_holder(o, 50, &h) && h.pid == e.process.pid && h.fd == 3 &&
	       !observer_holder(o, 51, &h),
	       "the process that was seen with a socket");
	tap_ok(observer_recent(o, IPPROTO_TCP, &h, 1) == 1 && h.pid == e.process.pid &&
		       !observer_recent(o, IPPROTO_UDP, &h, 1), "and lately");
	for (int i = 0; i < 3; i++) {
		struct holder few[3] = { { -1, -1 }, { -1, -1 }, { -1, -1 } };

		e.process.pid = 900 + i;
		e.inode = -1;
		give(e);
		tap_ok(observer_recent(o, IPPROTO_TCP, few, 2) == 2 && few[0].pid == 900 + i &&
			       few[2].pid == -1,
		       "no more of them than there is room for, the newest first");
	}
	observer_learn(o, 70, 300, 5);
	tap_ok(observer_holder(o, 70, &h) && h.pid == 300 &&
	       h.fd == 5, "what /proc showed is known");
	e = make_connect(3, "192.0.2.1", 80, -EINPROGRESS);
	e.inode = 50;
	give(e);
	id = out.change.connection.id;
	p = packet_of(&e, e.process.pid);
	tap_ok(pairing_find(pairing, &p, e.process.pid, 3, &r) && r.id == id &&
		       !pairing_find(pairing, &p, 7, 3, &r) &&
		       !pairing_find(pairing, &p, e.process.pid, 4, &r),
	       "the record of that very call has come");
	tap_ok(decided(&p, 3, 50, id) == id, "its packet is on its row");
	tap_ok(!pairing_find(pairing, &p, e.process.pid, 3, &r), "once");
	p = packet_of(&e, e.process.pid);
	tap_ok(decided(&p, 3, 51, 0) != id, "the packet of the next socket is on another");
	e.inode = 51;
	tap_ok(give(e) == CHANGE_CONFIRM && out.change.connection.id == p.id &&
		       !out.change.amended && out.change.connection.certainty == CERTAINTY_CERTAIN,
	       "its record, when it comes, confirms it");

	for (int64_t uid = 0; uid < 2; uid++) {
		struct packet_word word = nothing_known();

		word.testimony.trace.by[0] = (struct caller){
			.pid = 101, .uid = uid, .uid_asked = true, .place = PLACE_HERE,
			.exact = true };
		word.testimony.trace.count = word.testimony.trace.lookups = 1;

		fresh();
		e = make_connect(3, "192.0.2.1", 80, 0);
		p = packet_of(&e, e.process.pid);
		p.process.uid = uid;
		p.evidence = EVIDENCE_TRACE;
		decided_by(&p, -1, -1, 0, word);
		tap_ok(give(e) == CHANGE_CONFIRM &&
			       out.change.connection.certainty ==
				       (uid ? CERTAINTY_INFERRED : CERTAINTY_CERTAIN),
		       uid ? "not for the packet of another user"
			   : "a record proves a route lookup");
	}

	for (int i = 0; i < 2; i++) {
		struct packet_word word = nothing_known();

		fresh();
		e = make_connect(3, "192.0.2.1", 80, -EINPROGRESS);
		p = packet_of(&e, e.process.pid);
		p.process.exe = i ? text_of("/usr/bin/true") : e.process.exe;
		word.described = true;
		word.exe = text_hash_of(p.process.exe);
		decided_by(&p, -1, -1, 0, word);
		tap_ok(give(e) == CHANGE_CONFIRM && out.change.described == !i,
		       i ? "the record has the program of the call, where it is another by now" :
			   "what /proc said of the same program is more than the record's");
	}

	fresh();
	e = make_connect(3, "192.0.2.1", 80, -EACCES);
	p = packet_of(&e, e.process.pid);
	decided(&p, 3, 60, 0);
	tap_ok(give(e) == CHANGE_CONFIRM && !out.change.connection.text[CONNECTION_REASON].data,
	       "an error that says that nothing was sent is no reason where a packet was seen");

	fresh();
	e = make_connect(3, "192.0.2.1", 80, -EINPROGRESS);
	p = packet_of(&e, e.process.ppid);
	decided(&p, 7, 60, 0);
	tap_ok(give(e) == CHANGE_CONFIRM && out.change.connection.id == p.id &&
		       out.change.amended && out.change.connection.process.pid == e.process.pid &&
		       out.change.connection.certainty == CERTAINTY_INFERRED,
	       "the record of a child corrects a row that named its parent");
	e = make_connect(9, "192.0.2.1", 80, -EINPROGRESS);
	p = packet_of(&e, -1);
	p.evidence = EVIDENCE_INODE;
	decided(&p, -1, 61, 0);
	e.inode = 62;
	tap_ok(give(e) == CHANGE_ADD, "a record of another socket is a row of its own");
	tap_ok(pairing_find(pairing, &p, -1, -1, &r) && r.pid == e.process.pid &&
	       r.id == out.change.connection.id,
	       "a record whose packet comes later names the process that is gone");
}

/* Datagrams without connect(): a flow for each destination of a socket. */
static void test_sends(void)
{
	struct event e;
	uint64_t first;

	fresh();
	give(make_socket(3, IPPROTO_UDP));
	e = make_connect(3, "192.0.2.1", 53, 30);
	e.kind = EVENT_SEND;
	tap_ok(is_new(e, IPPROTO_UDP), "a datagram is a row");
	first = out.change.connection.id;
	e.time_us = now_us += 1000;
	tap_ok(give(e) == CHANGE_AGAIN &&
	       out.change.connection.id == first, "another one to there is the same flow");
	set_address(&e, "192.0.2.2", 53);
	tap_ok(is_new(e, IPPROTO_UDP) && out.change.connection.id != first,
	       "to elsewhere it is another");
	set_address(&e, "192.0.2.1", 53);
	tap_ok(give(e) == CHANGE_AGAIN && out.change.connection.id == first,
	       "and the first goes on beside it");
	set_address(&e, "::ffff:192.0.2.1", 53);
	tap_ok(give(e) == CHANGE_AGAIN && out.change.connection.id == first,
	       "by an IPv6 socket, too");
	e.time_us = now_us += HALF_HOUR + 1000;
	tap_ok(is_new(e, IPPROTO_UDP), "for half an hour");
	set_address(&e, "192.0.2.3", 53);
	e.exit = -ECONNREFUSED;
	tap_ok(is_nothing(e), "one that failed was none");
	e.exit = -EPERM;
	tap_ok(is_new(e, IPPROTO_UDP), "one that was held back was one");
}

static void test_accepts(void)
{
	struct connection p;
	struct event e;

	fresh();
	e = make_connect(7, "192.0.2.9", 40000, 7);
	e.kind = EVENT_ACCEPT;
	e.inode = 90;
	tap_ok(give(e) == CHANGE_ADD && out.change.connection.direction == DIRECTION_IN &&
		       out.change.connection.src.port == 40000 &&
		       out.change.connection.dst.port == -1 &&
		       out.change.connection.certainty == CERTAINTY_CERTAIN,
	       "the process that accepted, and from where");
	connection_init(&p);
	p.direction = DIRECTION_IN;
	p.protocol = IPPROTO_TCP;
	p.src = (struct endpoint){ e.addr, 40001 };
	p.time_us = now_us;
	p.process.pid = 100;
	p.process.uid = 0;
	p.evidence = EVIDENCE_INODE | EVIDENCE_FD;
	decided(&p, 3, 80, 0);
	e.port = 40001;
	e.fd = 8;
	e.process.uid = e.process.euid = e.process.fsuid = 33;
	e.inode = 91;
	tap_ok(give(e) == CHANGE_CONFIRM && out.change.connection.id == p.id &&
		       out.change.amended && out.change.connection.certainty == CERTAINTY_CERTAIN,
	       "its packet was the listener's, whichever process accepts it then");
	e.exit = -EAGAIN;
	tap_ok(is_nothing(e), "an accept that found no connection");
}

/* Ancestors: what a process is before it executes anything. */
static void test_processes(void)
{
	const struct known_process *who;
	struct event e;

	fresh();
	e = make(EVENT_EXEC, -1, 0);
	tap_ok(is_nothing(e), "a program that begins is no row");
	who = observer_who(o, e.process.pid);
	tap_ok(who && who->process.ppid == e.process.ppid &&
	       text_equal(who->process.exe, e.process.exe),
	       "and is known");
	e = make(EVENT_FORK, -1, 500);
	e.process.start_ticks = 77;
	give(e);
	who = observer_who(o, 500);
	tap_ok(who && who->process.ppid == e.process.pid && who->process.start_ticks == -1 &&
		       text_equal(who->process.exe, e.process.exe),
	       "a child is its parent's program");
	e = make(EVENT_EXEC, -1, 0);
	e.process.pid = 501;
	e.process.exe = text_of("/usr/bin/other");
	give(e);
	e = make(EVENT_FORK, -1, 501);
	e.time_us -= 5000;
	give(e);
	who = observer_who(o, 501);
	tap_ok(who && text_equal(who->process.exe, text_of("/usr/bin/other")),
	       "a fork that comes late changes nothing");
}

int main(void)
{
	test_packets();
	test_sends();
	test_accepts();
	test_processes();
	observer_free(o);
	pairing_free(pairing);
	return tap_done();
}
