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

/* Its program was seen after the call had ended, and its record has only the path. */
static void test_late_programs(void)
{
	static const struct {
		bool our_root, other_path;
		int64_t seen;
		enum certainty certainty;
		const char *what;
	} cases[] = {
		{ true, false, EXE_HERE, CERTAINTY_CERTAIN, "its record has the same path" },
		{ true, true, EXE_HERE, CERTAINTY_INFERRED, "not another path" },
		{ false, false, EXE_HERE, CERTAINTY_INFERRED, "nor a path of any user's root" },
		{ true, false, EXE_OTHER, CERTAINTY_INFERRED, "nor of another file here" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct packet_word word = nothing_known();
		struct event e;
		struct connection p;

		fresh();
		e = make_connect(3, "192.0.2.1", 80, 0);
		e.process.exe_seen = EXE_TOLD;
		p = packet_of(&e, e.process.pid);
		p.process.exe = cases[i].other_path ? text_of("/usr/bin/true") : e.process.exe;
		p.process.exe_seen = cases[i].seen;
		p.process.exe_dev = 2;
		p.process.exe_inode = 70;
		p.process.exe_ctime = 700;
		p.process.replaced = 1;
		word.described = word.testimony.program_unsure = true;
		word.testimony.our_root = cases[i].our_root;
		testimony_add_holder(&word.testimony, &(struct socket_holder){
			.pid = (int32_t)p.process.pid, .fd = 3, .in_call = true });
		decided_by(&p, 3, 50, 0, word);
		tap_ok(give(e) == CHANGE_CONFIRM &&
			       out.change.connection.certainty == cases[i].certainty,
		       "a program seen late: %s", cases[i].what);
		if (!i)
			tap_ok(out.change.connection.process.exe_seen == EXE_HERE &&
			       out.change.connection.process.exe_dev == 2 &&
			       out.change.connection.process.exe_inode == 70 &&
			       out.change.connection.process.exe_ctime == 700 &&
			       out.change.connection.process.replaced == 1,
			       "and its row has the file that was seen");
	}
}

/* What /proc said of the record's own program is more than the record's; of another one, which the
 * process has become by then, it does not count. */
static void test_same_programs(void)
{
	static const struct {
		const char *path;
		int64_t dev, inode;	/* of its file; the record's are 1 and 7, or it has none */
		bool record_has_file, same;
		const char *what;
	} cases[] = {
		{ NULL, -1, -1, false, true, "its path" },
		{ "/usr/bin/true", -1, -1, false, false, "another path" },
		{ NULL, 1, 7, true, true, "its file" },
		{ NULL, 1, 8, true, false, "another file of that path" },
		{ NULL, 2, 7, true, false, "one of another file system" },
		{ NULL, 2, 8, false, true, "its path, and nobody saw the record's file" },
		{ NULL, -1, -1, true, true, "its path, and nobody saw this file" },
		{ "/usr/bin/true", 1, 7, true, false, "its file by another path" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct packet_word word = nothing_known();
		struct event e;
		struct connection p;

		fresh();
		e = make_connect(3, "192.0.2.1", 80, -EINPROGRESS);
		e.process.exe_dev = cases[i].record_has_file ? 1 : -1;
		e.process.exe_inode = cases[i].record_has_file ? 7 : -1;
		p = packet_of(&e, e.process.pid);
		p.process.exe = cases[i].path ? text_of(cases[i].path) : e.process.exe;
		p.process.exe_dev = cases[i].dev;
		p.process.exe_inode = cases[i].inode;
		word.described = true;
		decided_by(&p, -1, -1, 0, word);
		tap_ok(give(e) == CHANGE_CONFIRM && out.change.described == cases[i].same &&
			       out.other_program == !cases[i].same,
		       "the record's program: %s", cases[i].what);
	}
}

/* More packets than there is room for: the records of those that made room are no second rows. */
static void test_flood(void)
{
	int rows = 0, met = 0;
	struct connection p;
	struct event e;

	fresh();
	e = make_connect(3, "192.0.2.1", 80, 0);
	for (int i = 0; i < HALVES_MAX + 50; i++) {
		p = packet_of(&e, e.process.pid);
		decided(&p, -1, -1, 0);
	}
	for (int i = 0; i < HALVES_MAX + 52; i++) {
		enum change_kind kind;

		e.fd = 3 + i;
		kind = give(e);
		rows += kind == CHANGE_ADD;
		met += kind == CHANGE_CONFIRM;
	}
	tap_ok(met == HALVES_MAX && rows == 2,
	       "a record whose packet made room is no second row (%d met, %d rows)", met, rows);
	e.process.pid = 7;
	tap_ok(give(e) == CHANGE_ADD, "that of another process is one");
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
				       CERTAINTY_INFERRED,
		       uid ? "nor for the packet of another user"
			   : "a record beside a route lookup is no proof");
	}

	fresh();
	e = make_connect(3, "192.0.2.1", 80, -EACCES);
	p = packet_of(&e, e.process.pid);
	decided(&p, 3, 60, 0);
	tap_ok(give(e) == CHANGE_CONFIRM && !out.change.connection.text[CONNECTION_REASON].data,
	       "an error that says that nothing was sent is no reason where a packet was seen");

	for (int i = 0; i < 2; i++) {
		fresh();
		e = make_connect(3, "192.0.2.1", 80, i ? -EALREADY : -EISCONN);
		p = packet_of(&e, e.process.pid);
		decided(&p, 3, 60, 0);
		tap_ok(give(e) == CHANGE_ADD, "a call on a socket that %s is not the packet's",
		       i ? "is connecting" : "is connected");
	}

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

/* A call to no address goes to one of the host's own, and its packets have that. */
static void test_no_address(void)
{
	static const struct {
		const char *named, *bound, *packet;
		bool same;
	} cases[] = {
		{ "0.0.0.0", NULL, "127.0.0.1", true },
		{ "::", NULL, "::1", true },
		{ "::ffff:0.0.0.0", NULL, "127.0.0.1", true },
		{ "0.0.0.0", "192.0.2.9", "192.0.2.9", true },
		{ "0.0.0.0", "0.0.0.0", "127.0.0.1", true },
		{ "::", "2001:db8::9", "::1", true },
		{ "::", "::ffff:192.0.2.9", "127.0.0.1", true },
		{ "0.0.0.0", NULL, "192.0.2.9", false },
		{ "0.0.0.0", "192.0.2.9", "127.0.0.1", false },
		{ "::", "2001:db8::9", "2001:db8::9", false },
		{ "127.0.0.2", NULL, "127.0.0.1", false },
	};

	for (size_t i = 0; i < 2 * sizeof(cases) / sizeof(cases[0]); i++) {
		bool record_first = i % 2;
		struct connection p;
		struct event e;
		struct half r;
		bool met;

		fresh();
		give(make_socket(3, IPPROTO_TCP));
		if (cases[i / 2].bound)
			give(make_bind(3, cases[i / 2].bound, 0, 0));
		e = make_connect(3, cases[i / 2].packet, 80, 0);
		p = packet_of(&e, e.process.pid);
		set_address(&e, cases[i / 2].named, 80);
		if (!record_first)
			decided(&p, 3, 50, 0);
		met = give(e) == CHANGE_CONFIRM;
		if (record_first)
			met = pairing_find(pairing, &p, e.process.pid, 3, &r);
		tap_ok(met == cases[i / 2].same, "to %s, bound to %s: %s %s it, the %s first",
		       cases[i / 2].named, cases[i / 2].bound ? cases[i / 2].bound : "nothing",
		       cases[i / 2].packet, cases[i / 2].same ? "is" : "is not",
		       record_first ? "record" : "packet");
	}
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
	observer_learn(o, 70, 101, 3);
	tap_ok(give(e) == CHANGE_AGAIN && out.change.connection.id == first,
	       "also when its inode becomes known only now");
	give(make_socket(3, IPPROTO_UDP));
	observer_learn(o, 71, 101, 3);
	tap_ok(is_new(e, IPPROTO_UDP), "another socket at the descriptor has another flow");
	first = out.change.connection.id;
	tap_ok(give(e) == CHANGE_AGAIN && out.change.connection.id == first, "of its own");
	e.time_us = now_us += HALF_HOUR + 1000;
	tap_ok(is_new(e, IPPROTO_UDP), "for half an hour");
	set_address(&e, "192.0.2.3", 53);
	e.exit = -ECONNREFUSED;
	tap_ok(is_nothing(e), "one that failed was none");
	e.exit = -EPERM;
	tap_ok(is_new(e, IPPROTO_UDP), "one that was held back was one");
}

static struct endpoint at(const char *address, int port)
{
	struct endpoint e = { .port = port };

	if (address_parse(address, &e.addr))
		abort();
	return e;
}

/* Process 101 listens at fd, by the socket `inode`. */
static void listen_at(int64_t fd, int64_t inode, const char *address, int port)
{
	struct event e = make_socket(fd, IPPROTO_TCP);

	e.inode = inode;
	give(e);
	e = make_bind(fd, address, port, 0);
	e.inode = inode;
	give(e);
}

/* accept() = fd, from 192.0.2.9:port, by what was listened on. */
static struct event make_accept(int64_t fd, int64_t inode, int port, int64_t listener)
{
	struct event e = make_connect(fd, "192.0.2.9", port, fd);

	e.kind = EVENT_ACCEPT;
	e.inode = inode;
	e.listener = listener;
	return e;
}

/* A SYN from 192.0.2.9:port to one of our sockets, `inode`. */
static uint64_t came_in(int port, const char *address, int local, int64_t inode)
{
	struct connection p;

	connection_init(&p);
	p.direction = DIRECTION_IN;
	p.protocol = IPPROTO_TCP;
	p.src = at("192.0.2.9", port);
	p.dst = at(address, local);
	p.time_us = now_us;
	p.evidence = EVIDENCE_INODE;
	return decided(&p, 3, inode, 0);
}

static bool confirms(struct event e, uint64_t row, enum certainty certainty)
{
	enum change_kind kind = give(e);

	if (kind == CHANGE_CONFIRM && out.change.connection.id == row &&
	    out.change.connection.certainty == certainty)
		return true;
	tap_note("outcome %d, row %d, certainty %d", kind, (int)out.change.connection.id,
		 out.change.connection.certainty);
	return false;
}

/* What accept() returns is a new socket. */
static void test_new_socket(void)
{
	struct event e;

	fresh();
	listen_at(3, 80, "0.0.0.0", 8080);
	give(make_socket(5, IPPROTO_UDP));
	give(make_bind(5, "0.0.0.0", 53, 0));
	e = make_accept(5, -1, 50000, 3);
	e.process.pid = 201;
	e.process.ppid = 101;
	tap_ok(give(e) == CHANGE_ADD && out.change.connection.protocol == IPPROTO_TCP &&
		       out.change.connection.dst.port == 8080 &&
		       !out.change.connection.dst.addr.family &&
		       out.change.connection.evidence == (EVIDENCE_AUDIT | EVIDENCE_BIND),
	       "accept() returns no socket of the parent, and our port is the listener's");
	e = make_connect(5, "192.0.2.9", 50000, 1);
	e.kind = EVENT_SEND;
	e.process.pid = 201;
	e.process.ppid = 101;
	tap_ok(is_new(e, IPPROTO_TCP) && out.change.connection.src.port == 8080,
	       "a later record of it knows the new socket");
	give(make_socket(6, IPPROTO_UDP));
	give(make_accept(6, -1, 50001, 3));
	tap_ok(out.change.connection.protocol == IPPROTO_TCP,
	       "nor an older one of the process itself");
}

/* Record and packet of what came in meet by the whole tuple, at any time. */
static void test_tuples(void)
{
	uint64_t web, mail, first, second;
	struct event e;

	fresh();
	listen_at(3, 80, "0.0.0.0", 8080);
	listen_at(4, 81, "10.0.0.2", 25);
	web = came_in(40000, "10.0.0.1", 8080, 80);
	mail = came_in(40000, "10.0.0.2", 25, 81);
	now_us += HALF_HOUR;
	e = make_accept(7, 90, 40000, 4);
	e.listener_inode = 81;
	tap_ok(confirms(e, mail, CERTAINTY_CERTAIN) && out.change.connection.dst.port == 25,
	       "the connection at that listener, though another has the same peer");
	e = make_accept(8, 91, 40000, 3);
	tap_ok(confirms(e, web, CERTAINTY_INFERRED),
	       "by the port that was bound, which is no proof");
	web = came_in(40001, "10.0.0.1", 8080, 80);
	e = make_accept(7, 90, 40001, 4);
	e.listener_inode = 81;
	tap_ok(give(e) == CHANGE_ADD && out.change.connection.dst.port == 25,
	       "at another port it is another connection");
	/* A server that is idle for long: the call began then. */
	e = make_accept(7, 90, 40001, 3);
	e.listener_inode = 80;
	e.time_us -= 10 * HALF_HOUR;
	tap_ok(confirms(e, web, CERTAINTY_CERTAIN), "the call may have begun long before");
	first = came_in(40002, "10.0.0.1", 8080, 80);
	now_us += 1000000;
	second = came_in(40002, "10.0.0.1", 8080, 80);
	e = make_accept(7, 90, 40002, 3);
	e.listener_inode = 80;
	tap_ok(confirms(e, second, CERTAINTY_INFERRED),
	       "of a tuple used twice the newest, and the record may be the other's");
	e.arrival_us = e.time_us = now_us - 1500000;
	tap_ok(give(e) == CHANGE_ADD, "and none that came after the call had returned");
	e.arrival_us = e.time_us = now_us;
	tap_ok(confirms(e, first, CERTAINTY_CERTAIN), "though it waits");
	/* One listener at every address, and one peer that connects to two of them. */
	came_in(40003, "10.0.0.1", 8080, 80);
	second = came_in(40003, "10.0.0.2", 8080, 80);
	e = make_accept(7, 90, 40003, 3);
	e.listener_inode = 80;
	tap_ok(confirms(e, second, CERTAINTY_INFERRED), "which of two fits is no proof");
}

static struct endpoint told;

static bool tell(void *arg, int protocol, int64_t inode, const struct endpoint *peer,
		 struct endpoint *local)
{
	if (*(int64_t *)arg != inode || protocol != IPPROTO_TCP || peer->port < 40000)
		return false;
	if (local->addr.family)
		return local->port == told.port && address_equal(&local->addr, &told.addr);
	*local = told;
	return true;
}

/* What sock_diag says of the accepted socket itself. */
static void test_own_tuples(void)
{
	int64_t inode = 90;
	uint64_t row;

	fresh();
	observer_ask_tuples(o, tell, &inode);
	told = at("10.0.0.1", 8080);
	listen_at(3, 80, "0.0.0.0", 8080);
	row = came_in(40000, "10.0.0.1", 8080, -1);
	tap_ok(confirms(make_accept(7, 90, 40000, 3), row, CERTAINTY_CERTAIN),
	       "the accepted socket has the packet's tuple: proof");
	row = came_in(40001, "10.0.0.2", 8080, -1);
	tap_ok(confirms(make_accept(7, 90, 40001, 3), row, CERTAINTY_INFERRED),
	       "it has another one: none");
	tap_ok(give(make_accept(7, 90, 40002, 3)) == CHANGE_ADD &&
		       out.change.connection.dst.port == 8080 &&
		       address_equal(&out.change.connection.dst.addr, &told.addr) &&
		       out.change.connection.certainty == CERTAINTY_CERTAIN,
	       "without a packet it is known from there");
	tap_ok(give(make_accept(7, 91, 40003, 3)) == CHANGE_ADD &&
		       out.change.connection.dst.port == 8080 &&
		       !out.change.connection.dst.addr.family &&
		       out.change.connection.certainty == CERTAINTY_INFERRED,
	       "a socket that is closed by then has the port that was bound");
}

/* A ping has no ports, whatever its address says, and MPTCP's packets are TCP. */
static void test_protocols(void)
{
	struct connection p;
	struct event e;
	struct half r;

	fresh();
	give(make_socket(3, IPPROTO_ICMP));
	e = make_connect(3, "192.0.2.1", 1234, 64);
	e.kind = EVENT_SEND;
	p = packet_of(&e, -1);
	p.protocol = IPPROTO_ICMP;
	p.src.port = p.dst.port = -1;
	decided(&p, -1, -1, 0);
	tap_ok(give(e) == CHANGE_CONFIRM && out.change.connection.id == p.id,
	       "a ping's record finds its packet");
	e.process.pid = 102;
	e.process.ppid = 101;
	give(e);
	p.process.uid = 33;
	tap_ok(pairing_find(pairing, &p, 102, -1, &r) && !pairing_find(pairing, &p, -1, -1, &r),
	       "and a packet its record, of that user");
	p.protocol = IPPROTO_ICMPV6;
	tap_ok(!pairing_find(pairing, &p, 102, -1, &r), "of that protocol");
	fresh();
	e = make_socket(3, IPPROTO_MPTCP);
	give(e);
	e = make_connect(3, "192.0.2.1", 80, 0);
	p = packet_of(&e, e.process.pid);
	decided(&p, 3, 50, 0);
	tap_ok(give(e) == CHANGE_CONFIRM && out.change.connection.id == p.id &&
	       out.change.connection.protocol == IPPROTO_TCP, "MPTCP's packet is TCP's");
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
	p.dst = at("10.0.0.1", 80);
	p.time_us = now_us;
	p.process.pid = 100;
	p.process.uid = 0;
	p.evidence = EVIDENCE_INODE | EVIDENCE_FD;
	decided(&p, 3, 80, 0);
	e.port = 40001;
	e.fd = 8;
	e.process.uid = e.process.euid = e.process.fsuid = 33;
	e.inode = 91;
	e.listener = 3;
	e.listener_inode = 80;
	tap_ok(give(e) == CHANGE_CONFIRM && out.change.connection.id == p.id &&
		       out.change.amended && out.change.connection.dst.port == 80 &&
		       out.change.connection.certainty == CERTAINTY_CERTAIN,
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
	test_flood();
	test_late_programs();
	test_same_programs();
	test_no_address();
	test_sends();
	test_accepts();
	test_new_socket();
	test_tuples();
	test_own_tuples();
	test_protocols();
	test_processes();
	observer_free(o);
	pairing_free(pairing);
	return tap_done();
}
