/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Audit events to connections. */
#include "observing.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void test_row(void)
{
	struct connection *c = &out.change.connection;
	struct event e;

	fresh();
	tap_ok(is_nothing(make_socket(3, IPPROTO_TCP)), "a socket is no row");
	e = make_connect(3, "192.0.2.1", 443, 0);
	e.process.start_ticks = 77;
	e.process.netns = 4026531840;
	e.process.session = 3;
	e.process.cgroup = text_of("/system.slice/docker-" ID ".scope");
	e.process.cmdline = text_of("curl -v");
	e.process.user = text_of("root");
	e.process.login_user = text_of("alice");
	e.process.label = text_of("unconfined");
	e.process.cwd = text_of("/tmp");
	tap_ok(is_new(e, IPPROTO_TCP) && c->id == FIRST_ID && c->cache_seq == e.seq &&
	       c->time_us == e.time_us && c->audit_us == e.time_us &&
	       c->audit_serial == e.serial && c->result == 0 && c->direction == DIRECTION_OUT &&
	       c->verdict == VERDICT_OBSERVED && c->latency_us == -1, "connect: the row");
	tap_ok(c->dst.addr.family == AF_INET && c->dst.port == 443 && c->src.port == -1 &&
	       c->src.addr.family == 0, "its destination, and no source");
	tap_ok(c->process.pid == 101 && c->process.ppid == 100 && c->process.start_ticks == 77 &&
	       c->process.uid == 0 && c->process.auid == 1000 && c->process.session == 3 &&
	       c->process.netns == 4026531840, "its process");
	tap_ok(text_equal(c->process.comm, text_of("curl")) &&
	       text_equal(c->process.exe, text_of("/usr/bin/curl")) &&
	       text_equal(c->process.cmdline, text_of("curl -v")) &&
	       text_equal(c->process.user, text_of("root")) &&
	       text_equal(c->process.login_user, text_of("alice")) &&
	       text_equal(c->process.label, text_of("unconfined")) &&
	       text_equal(c->process.cwd, text_of("/tmp")) &&
	       text_equal(c->text[CONNECTION_CONTAINER], text_of(ID)) &&
	       text_equal(c->text[CONNECTION_UNIT], text_of("docker-" ID ".scope")) &&
	       !c->text[CONNECTION_NODE].data && !c->text[CONNECTION_RULE].data, "its texts");
	tap_ok(c->certainty == CERTAINTY_INFERRED && c->evidence == EVIDENCE_AUDIT,
	       "one record alone is an inference");
	tap_ok(is_new(make_connect(3, "192.0.2.2", 443, 0), IPPROTO_TCP) &&
	       c->id == FIRST_ID + 1, "ids go on");
}

static bool is_web(void *arg, struct text path)
{
	(*(int *)arg)++;
	return text_equal(path, text_of("/system.slice/web.service"));
}

/* Of a container in a group of a service, whose the group is makes the difference. */
static void test_owners(void)
{
	const struct connection *c = &out.change.connection;
	static const char payload[] = "/system.slice/web.service/libpod-payload-" ID;
	struct event e;
	int asked = 0;

	fresh();
	e = make_connect(3, "192.0.2.1", 443, 0);
	e.process.cgroup = text_of(payload);
	give(e);
	tap_ok(text_equal(c->text[CONNECTION_CONTAINER],
			  text_of("web.service/libpod-payload-" ID)),
	       "nobody tells whose a group is");
	observer_ask_owners(o, is_web, &asked);
	give(e);
	tap_ok(asked == 1 && text_equal(c->text[CONNECTION_CONTAINER], text_of(ID)), "root's");
	e.process.cgroup = text_of("/system.slice/other.service/libpod-payload-" ID);
	give(e);
	tap_ok(asked == 2 && text_equal(c->text[CONNECTION_CONTAINER],
					text_of("other.service/libpod-payload-" ID)), "another's");
	e.process.cgroup = text_of("/system.slice/docker-" ID ".scope");
	give(e);
	tap_ok(asked == 2 && text_equal(c->text[CONNECTION_CONTAINER], text_of(ID)),
	       "where the path tells, nobody is asked");
	e.process.cgroup = text_of(payload);
	e.node = text_of("other");
	give(e);
	tap_ok(asked == 2 && text_equal(c->text[CONNECTION_CONTAINER],
					text_of("web.service/libpod-payload-" ID)),
	       "and nobody is asked for another host's");
}

static void test_protocols(void)
{
	struct event e;

	fresh();
	give(make_socket(3, IPPROTO_TCP));
	give(make_socket(4, IPPROTO_UDP));
	tap_ok(is_new(make_connect(3, "192.0.2.1", 53, 0), IPPROTO_TCP) &&
	       is_new(make_connect(4, "192.0.2.1", 53, 0), IPPROTO_UDP), "each fd its protocol");
	tap_ok(is_new(make_connect(5, "192.0.2.1", 53, 0), -1),
	       "a connect without a socket has none");
	give(make_socket(3, IPPROTO_UDP));
	tap_ok(is_new(make_connect(3, "192.0.2.1", 54, 0), IPPROTO_UDP),
	       "an fd that is used again");
	e = make_socket(5, IPPROTO_TCP);
	give(e);
	e = make_socket(5, IPPROTO_TCP);
	tap_ok(is_new(make_connect(5, "192.0.2.1", 56, 0), IPPROTO_TCP) && is_nothing(e),
	       "a row whose protocol was known has no other from a record that comes late");
	e = make(EVENT_SOCKET, -1, -EMFILE);
	e.protocol = IPPROTO_TCP;
	tap_ok(is_nothing(e), "a socket that failed");
	e = make_connect(3, "192.0.2.1", 55, 0);
	e.protocol = IPPROTO_TCP;
	e.inode = 70;
	tap_ok(is_new(e, IPPROTO_UDP) && out.change.connection.certainty == CERTAINTY_INFERRED,
	       "what /proc shows at a descriptor that became another socket is no witness");
}

static void test_certainty(void)
{
	struct connection *c = &out.change.connection;
	struct event e;

	fresh();
	give(make_socket(3, IPPROTO_TCP));
	e = make_connect(3, "192.0.2.1", 80, 0);
	e.inode = 4711;
	tap_ok(is_new(e, IPPROTO_TCP) && c->certainty == CERTAINTY_CERTAIN &&
	       c->evidence == (EVIDENCE_AUDIT | EVIDENCE_FD) && c->src.port == -1,
	       "the fd's inode makes it certain");
	fresh();
	give(make_socket(3, IPPROTO_TCP));
	e.process.exe_seen = EXE_TOLD;
	tap_ok(is_new(e, IPPROTO_TCP) && c->certainty == CERTAINTY_INFERRED &&
	       c->evidence == (EVIDENCE_AUDIT | EVIDENCE_FD),
	       "but not where nobody saw the program that the record tells");

	give(make_socket(4, IPPROTO_TCP));
	tap_ok(is_nothing(make_bind(4, "198.51.100.7", 4000, 0)), "a bind is no row");
	tap_ok(is_new(make_connect(4, "192.0.2.1", 80, 0), IPPROTO_TCP) &&
	       c->certainty == CERTAINTY_INFERRED && c->src.port == 4000 &&
	       c->evidence == (EVIDENCE_AUDIT | EVIDENCE_BIND) &&
	       c->src.addr.family == AF_INET && c->src.addr.bytes[3] == 7,
	       "a bind gives the source");
	e = make_connect(4, "192.0.2.2", 80, 0);
	e.inode = 5;
	tap_ok(is_new(e, IPPROTO_TCP) && c->src.port == 4000 &&
	       c->certainty == CERTAINTY_INFERRED &&
	       c->evidence == (EVIDENCE_AUDIT | EVIDENCE_FD | EVIDENCE_BIND),
	       "a bind of an unknown socket is no proof of the source");

	e = make_socket(4, IPPROTO_TCP);
	e.inode = 6;
	give(e);
	e = make_bind(4, "198.51.100.7", 4000, 0);
	e.inode = 6;
	give(e);
	e = make_connect(4, "192.0.2.2", 80, 0);
	tap_ok(is_new(e, IPPROTO_TCP) && c->src.port == 4000 &&
	       c->certainty == CERTAINTY_INFERRED, "nor is a connect of an unknown one");
	e = make_connect(4, "192.0.2.1", 80, 0);
	e.inode = 6;
	tap_ok(is_new(e, IPPROTO_TCP) && c->src.port == 4000 &&
	       c->certainty == CERTAINTY_INFERRED &&
	       c->evidence == (EVIDENCE_AUDIT | EVIDENCE_FD | EVIDENCE_BIND),
	       "nor two looks at one inode: the descriptor may be another socket since the bind");

	give(make_socket(5, IPPROTO_TCP));
	give(make_bind(5, "0.0.0.0", 4001, 0));
	tap_ok(is_new(make_connect(5, "192.0.2.1", 80, 0), IPPROTO_TCP) && c->src.port == 4001 &&
	       c->src.addr.family == 0, "a bind to any address gives the port alone");
	give(make_socket(5, IPPROTO_TCP));
	give(make_bind(5, "198.51.100.7", 0, 0));
	tap_ok(is_new(make_connect(5, "192.0.2.1", 80, 0), IPPROTO_TCP) && c->src.port == -1 &&
	       c->certainty == CERTAINTY_INFERRED, "a bind to port 0 gives no port");
	give(make_socket(5, IPPROTO_TCP));
	give(make_bind(5, "198.51.100.7", 4002, -EADDRINUSE));
	tap_ok(is_new(make_connect(5, "192.0.2.1", 80, 0), IPPROTO_TCP) && c->src.port == -1 &&
	       c->certainty == CERTAINTY_INFERRED, "a bind that failed gives nothing");
	give(make_socket(5, IPPROTO_TCP));
	give(make_bind(5, "::ffff:198.51.100.7", 4003, 0));
	tap_ok(is_new(make_connect(5, "::ffff:192.0.2.1", 80, 0), IPPROTO_TCP) &&
	       c->src.addr.family == AF_INET && c->dst.addr.family == AF_INET &&
	       c->dst.addr.bytes[0] == 192 && c->src.addr.bytes[0] == 198,
	       "v4-mapped addresses are IPv4's");
	give(make_socket(5, IPPROTO_TCP));
	tap_ok(is_new(make_connect(5, "192.0.2.1", 81, 0), IPPROTO_TCP) && c->src.port == -1,
	       "a new socket is not bound where the old one was");
}

/* One non-blocking connect is several calls. */
static void test_nonblocking(void)
{
	struct event e;
	uint64_t id;

	fresh();
	give(make_socket(3, IPPROTO_TCP));
	tap_ok(is_new(make_connect(3, "192.0.2.1", 80, -EINPROGRESS), IPPROTO_TCP) &&
	       out.change.connection.result == -EINPROGRESS, "in progress");
	tap_ok(is_again(make_connect(3, "192.0.2.1", 80, -EALREADY), FIRST_ID), "already");
	tap_ok(is_again(make_connect(3, "192.0.2.1", 80, 0), FIRST_ID), "connected");
	tap_ok(is_again(make_connect(3, "192.0.2.1", 80, -EISCONN), FIRST_ID), "is connected");

	give(make_socket(3, IPPROTO_TCP));
	tap_ok(is_new(make_connect(3, "192.0.2.1", 80, -EINPROGRESS), IPPROTO_TCP),
	       "another socket at that fd is another connection");
	tap_ok(is_again(make_connect(3, "192.0.2.1", 80, -ECONNREFUSED), FIRST_ID + 1), "refused");
	tap_ok(is_new(make_connect(3, "192.0.2.1", 80, -ECONNREFUSED), IPPROTO_TCP),
	       "one more try is one more connection");
	give(make_socket(3, IPPROTO_TCP));
	tap_ok(is_new(make_connect(3, "192.0.2.1", 80, -EINPROGRESS), IPPROTO_TCP) &&
	       is_new(make_connect(3, "192.0.2.1", 81, 0), IPPROTO_TCP) &&
	       is_new(make_connect(3, "192.0.2.2", 81, 0), IPPROTO_TCP),
	       "another destination is another connection");
	give(make_socket(3, IPPROTO_TCP));
	tap_ok(is_new(make_connect(3, "::ffff:192.0.2.1", 80, -EINPROGRESS), IPPROTO_TCP) &&
	       give(make_connect(3, "192.0.2.1", 80, 0)) == CHANGE_AGAIN,
	       "a mapped address is the same");
	give(make_socket(3, IPPROTO_TCP));
	tap_ok(is_new(make_connect(3, "192.0.2.1", 80, -512), IPPROTO_TCP) &&
	       give(make_connect(3, "192.0.2.1", 80, 0)) == CHANGE_AGAIN,
	       "interrupted and restarted");
	give(make_socket(3, IPPROTO_TCP));
	e = make_connect(3, "192.0.2.1", 80, -EINPROGRESS);
	e.inode = 13;
	give(e);
	e.process.ppid = e.process.pid++;
	e.exit = -EALREADY;
	tap_ok(give(e) == CHANGE_AGAIN, "another process's call on that very socket is none");
	e.exit = 0;
	tap_ok(give(e) == CHANGE_AGAIN, "also where it waited for the first one");
	e.process.pid++;
	e.exit = -EINPROGRESS;
	tap_ok(give(e) == CHANGE_ADD, "one that began anew is");
	give(make_socket(3, IPPROTO_TCP));
	e.inode = 14;
	give(e);
	id = out.change.connection.id;
	e = make_connect(3, "192.0.2.1", 80, 0);
	e.inode = 14;
	tap_ok(is_again(e, id), "whoever opened the socket");
	/* The plugin saw the socket's inode at the first call only. */
	give(make_socket(3, IPPROTO_TCP));
	e = make_connect(3, "192.0.2.1", 80, -EINPROGRESS);
	e.inode = 12;
	tap_ok(is_new(e, IPPROTO_TCP) && give(make_connect(3, "192.0.2.1", 80, 0)) == CHANGE_AGAIN,
	       "also when its inode was seen once");
}

/* Operations of io_uring: no descriptor. */
static void test_rings(void)
{
	const struct connection *c = &out.change.connection;
	struct event e;

	fresh();
	give(make_socket(3, IPPROTO_TCP));
	tap_ok(is_new(make_connect(-1, "192.0.2.1", 443, -EINPROGRESS), -1) &&
	       c->certainty == CERTAINTY_INFERRED && c->evidence == EVIDENCE_AUDIT,
	       "a ring's connect: a row, by the record alone");
	tap_ok(is_new(make_connect(-1, "192.0.2.1", 443, -EINPROGRESS), -1),
	       "each is a connection of its own");
	tap_ok(is_nothing(make_bind(-1, "0.0.0.0", 5000, 0)) &&
	       is_new(make_connect(-1, "192.0.2.1", 443, -EINPROGRESS), -1) && c->src.port < 0,
	       "a ring's bind is of no socket that is known");
	e = make_connect(-1, "192.0.2.1", 443, -EINPROGRESS);
	e.process.auid = -1;
	e.process.comm = e.process.exe = TEXT_NONE;
	tap_ok(is_new(e, -1) && text_equal(c->process.exe, text_of("/usr/bin/curl")) &&
	       c->process.exe_seen == EXE_TOLD && c->process.auid == 1000,
	       "a poller's has the names and the login that its process had");
	e.process.ppid = 55;
	tap_ok(is_new(e, -1) && !c->process.exe.data && c->process.auid == -1,
	       "not those of another process");
	tap_ok(is_new(make_connect(3, "192.0.2.1", 443, 0), IPPROTO_TCP),
	       "what is known of descriptors stays as it was");
}

static bool has_reason(struct event e, const char *reason)
{
	give(e);
	return text_equal(out.change.connection.text[CONNECTION_REASON], text_of(reason));
}

/* A connect() that only asks which way the kernel would go. */
static void test_routes(void)
{
	fresh();
	give(make_socket(3, IPPROTO_UDP));
	tap_ok(has_reason(make_connect(3, "0.0.0.0", 22, 0), "route"), "UDP to no address");
	tap_ok(has_reason(make_connect(3, "::", 22, 0), "route"), "over IPv6");
	tap_ok(has_reason(make_connect(3, "192.0.2.1", 0, 0), "route"), "to no port");
	tap_ok(is_new(make_connect(3, "192.0.2.1", 53, 0), IPPROTO_UDP) &&
	       !out.change.connection.text[CONNECTION_REASON].data, "to both: it may send");
	give(make_socket(4, IPPROTO_TCP));
	tap_ok(is_new(make_connect(4, "0.0.0.0", 22, 0), IPPROTO_TCP) &&
	       !out.change.connection.text[CONNECTION_REASON].data, "TCP to no address connects");
	tap_ok(has_reason(make_connect(3, "192.0.2.2", 0, -ENETUNREACH), "ENETUNREACH"),
	       "an error is the reason before that");
}

static void test_packet_sockets(void)
{
	const struct connection *c = &out.change.connection;
	struct event e;

	fresh();
	e = make_socket(3, -1);
	e.family = AF_PACKET;
	e.type = SOCK_RAW;
	e.inode = 7000;
	tap_ok(is_new(e, -1) && c->certainty == CERTAINTY_CERTAIN &&
	       c->evidence == (EVIDENCE_AUDIT | EVIDENCE_FD) && !c->dst.addr.family &&
	       text_equal(c->text[CONNECTION_REASON], text_of("packet-socket")) && !c->result,
	       "a packet socket: a row without addresses, with its reason");
	e = make_socket(4, -1);
	e.family = AF_PACKET;
	tap_ok(is_new(e, -1) && c->certainty == CERTAINTY_INFERRED,
	       "each, also where nobody saw it");
	e.exit = e.fd = -1;
	tap_ok(is_nothing(e), "not one that was refused");
}

static void test_udp_flow(void)
{
	int64_t began;

	fresh();
	give(make_socket(3, IPPROTO_UDP));
	tap_ok(is_new(make_connect(3, "192.0.2.1", 53, 0), IPPROTO_UDP), "a flow");
	began = now_us;
	now_us += 60 * TIME_US_PER_S;
	tap_ok(is_again(make_connect(3, "192.0.2.1", 53, 0), FIRST_ID),
	       "a minute later: once more");
	now_us = began + HALF_HOUR - 1001;
	tap_ok(is_again(make_connect(3, "192.0.2.1", 53, 0), FIRST_ID),
	       "just within half an hour of its begin");
	now_us = began + HALF_HOUR - 1000;
	tap_ok(is_new(make_connect(3, "192.0.2.1", 53, 0), IPPROTO_UDP) &&
	       out.change.connection.id == FIRST_ID + 1, "after it: a new row");
	now_us += HALF_HOUR / 2;
	tap_ok(is_again(make_connect(3, "192.0.2.1", 53, 0), FIRST_ID + 1), "which counts anew");
	tap_ok(is_new(make_connect(3, "192.0.2.1", 54, 0), IPPROTO_UDP), "another port: another");
	give(make_socket(4, IPPROTO_UDP));
	tap_ok(is_new(make_connect(4, "192.0.2.1", 54, 0), IPPROTO_UDP),
	       "another socket: another flow");
}

static struct event of_child(struct event e)
{
	e.process.ppid = 101;
	e.process.pid = 102;
	e.process.exe = text_of("/usr/bin/child");
	return e;
}

static void test_inherited(void)
{
	struct event e;

	fresh();
	give(make_socket(3, IPPROTO_UDP));
	give(make_bind(3, "0.0.0.0", 4000, 0));
	tap_ok(is_new(of_child(make_connect(3, "192.0.2.1", 53, 0)), IPPROTO_UDP) &&
		       out.change.connection.process.pid == 102 &&
		       out.change.connection.process.ppid == 101 &&
		       out.change.connection.src.port == 4000,
	       "a child's connect by its parent's socket");
	tap_ok(is_again(of_child(make_connect(3, "192.0.2.1", 53, 0)), FIRST_ID), "and once more");
	tap_ok(is_new(make_connect(3, "192.0.2.1", 53, 0), IPPROTO_UDP) &&
	       out.change.connection.process.pid == 101, "the parent's own is its own row");
	tap_ok(is_new(of_child(make_connect(4, "192.0.2.1", 53, 0)), -1),
	       "not by what the parent does not have");

	fresh();
	e = make_socket(3, IPPROTO_UDP);
	e.inode = 50;
	give(e);
	e = of_child(make_connect(3, "192.0.2.1", 53, 0));
	e.inode = 51;
	tap_ok(is_new(e, -1), "nor where the inodes say that it is another socket");
}

static void test_by_inode(void)
{
	struct event e;

	fresh();
	e = make_socket(3, IPPROTO_UDP);
	e.inode = 50;
	give(e);
	give(make_bind(3, "0.0.0.0", 4000, 0));
	e = make_connect(9, "192.0.2.1", 53, 0);
	e.process.pid = 500;
	e.process.ppid = 400;
	e.inode = 50;
	e.process.exe = text_of("/usr/bin/other");
	tap_ok(is_new(e, IPPROTO_UDP) && out.change.connection.process.pid == 500 &&
	       out.change.connection.src.port == 4000,
	       "a socket that was passed to another process, by its inode");
	e.inode = 51;
	e.fd = 10;
	e.serial = serial++;
	tap_ok(is_new(e, -1), "not one of another inode");

	/* dup2() is not audited. */
	fresh();
	e = make_socket(3, IPPROTO_UDP);
	e.inode = 50;
	give(e);
	e = make_socket(4, IPPROTO_TCP);
	e.inode = 51;
	give(e);
	e = make_connect(3, "192.0.2.1", 53, 0);
	e.inode = 51;
	tap_ok(is_new(e, IPPROTO_TCP) && out.change.connection.certainty == CERTAINTY_CERTAIN,
	       "an fd that has become another known socket");
}

/* The plugin looked when the descriptor was something else already: the records' order counts. */
static void test_looked_late(void)
{
	struct connection *c = &out.change.connection;
	struct event e;

	fresh();
	e = make_socket(3, IPPROTO_UDP);
	e.inode = 50;
	give(e);
	e = make_bind(3, "0.0.0.0", 4000, 0);
	e.inode = 50;
	give(e);
	e = make_connect(3, "192.0.2.1", 53, 0);
	e.inode = 60;
	e.protocol = IPPROTO_TCP;
	tap_ok(is_new(e, IPPROTO_UDP) && c->evidence == EVIDENCE_AUDIT &&
	       c->certainty == CERTAINTY_INFERRED && c->src.port == -1,
	       "what was seen too late proves nothing");
	e = make_connect(3, "192.0.2.2", 53, 0);
	e.inode = 60;
	tap_ok(give(e) == CHANGE_ADD && c->src.port == -1,
	       "nor is another socket bound where the first one was");
}

/* A pid is not an identity. */
static void test_pid_reuse(void)
{
	struct event e;

	fresh();
	e = make_socket(3, IPPROTO_UDP);
	e.process.start_ticks = 1000;
	give(e);
	e = make_connect(3, "192.0.2.1", 53, 0);
	e.process.start_ticks = 2000;
	tap_ok(is_new(e, -1), "another start: another process");

	fresh();
	e = make_socket(3, IPPROTO_UDP);
	e.process.start_ticks = 1000;
	give(e);
	e = make_connect(3, "192.0.2.1", 53, 0);
	e.process.start_ticks = 1000;
	e.process.ppid = 1;
	e.process.exe = text_of("/usr/bin/other");
	tap_ok(is_new(e, IPPROTO_UDP), "the same start: the same, whatever else has changed");

	fresh();
	give(make_socket(3, IPPROTO_UDP));
	e = make_connect(3, "192.0.2.1", 53, 0);
	e.process.ppid = 1;
	e.process.exe = text_of("/usr/bin/other");
	tap_ok(is_new(e, -1), "without starts: another parent and program is another process");

	fresh();
	give(make_socket(3, IPPROTO_UDP));
	e = make_connect(3, "192.0.2.1", 53, 0);
	e.process.ppid = 1;
	tap_ok(is_new(e, IPPROTO_UDP), "a parent that has died is not");

	fresh();
	give(make_socket(3, IPPROTO_UDP));
	e = make_connect(3, "192.0.2.1", 53, 0);
	e.process.exe = text_of("/usr/bin/other");
	tap_ok(is_new(e, IPPROTO_UDP), "nor is an execve");

	fresh();
	give(make_socket(3, IPPROTO_TCP));
	give(make_bind(3, "0.0.0.0", 4000, 0));
	tap_ok(is_new(make_connect(3, "192.0.2.1", 53, -EINPROGRESS), IPPROTO_TCP), "a flow");
	e = make_connect(3, "192.0.2.1", 53, 0);
	e.process.ppid = 1;
	e.process.exe = text_of("/usr/bin/other");
	tap_ok(is_new(e, -1) && out.change.connection.src.port == -1 &&
	       out.change.connection.certainty == CERTAINTY_INFERRED,
	       "the flow and the bind of the old one are not the new one's");
}

/* socket() is before connect() by its serial, though it came after it. */
static void test_out_of_order(void)
{
	struct event s, c;

	fresh();
	s = make_socket(3, IPPROTO_UDP);
	c = make_connect(3, "192.0.2.1", 53, 0);
	tap_ok(is_new(c, -1), "a connect that came first");
	tap_ok(give(s) == CHANGE_PROTOCOL && out.change.connection.id == FIRST_ID &&
		       out.change.connection.protocol == IPPROTO_UDP,
	       "its socket tells the protocol");
	tap_ok(is_nothing(s), "once");

	fresh();
	c = make_connect(3, "192.0.2.1", 53, 0);
	give(c);
	tap_ok(is_nothing(make_socket(3, IPPROTO_UDP)), "a later socket tells nothing of it");

	fresh();
	s = make_socket(3, IPPROTO_UDP);
	give(make_connect(3, "192.0.2.1", 53, 0));
	s.process.pid = 102;
	tap_ok(is_nothing(s), "nor does another process's");
	s.process.pid = 101;
	s.fd = s.exit = 4;
	tap_ok(is_nothing(s), "nor one at another fd");
	s.fd = s.exit = 3;
	s.node = text_of("web1");
	tap_ok(is_nothing(s), "nor one of another host");

	/* Serials wrap at 2^32. */
	fresh();
	serial = UINT32_MAX;
	s = make_socket(3, IPPROTO_UDP);
	give(make_connect(3, "192.0.2.1", 53, 0));
	tap_ok(give(s) == CHANGE_PROTOCOL, "over the end of the serials");

	/* What comes after belongs to the same connection. */
	fresh();
	s = make_socket(3, IPPROTO_TCP);
	give(make_connect(3, "192.0.2.1", 80, -EINPROGRESS));
	give(s);
	tap_ok(is_again(make_connect(3, "192.0.2.1", 80, 0), FIRST_ID),
	       "a late socket does not begin the connection anew");

	/* Two sockets in turn at one fd: the later one is what is there, however they came. */
	fresh();
	s = make_socket(3, IPPROTO_TCP);
	give(make_socket(3, IPPROTO_UDP));
	give(s);
	tap_ok(is_new(make_connect(3, "192.0.2.1", 53, 0), IPPROTO_UDP),
	       "a late socket does not replace the one after it");
}

static void test_replay(void)
{
	fresh();
	tap_ok(replay(make_socket(3, IPPROTO_UDP)) == CHANGE_NONE &&
	       replay(make_socket(4, IPPROTO_TCP)) == CHANGE_NONE &&
	       replay(make_bind(4, "0.0.0.0", 4000, 0)) == CHANGE_NONE &&
	       replay(make_connect(4, "192.0.2.1", 80, -EINPROGRESS)) == CHANGE_NONE &&
	       replay(make_connect(5, "192.0.2.1", 80, 0)) == CHANGE_NONE &&
	       replay(make_connect(4, "192.0.2.1", 80, 0)) == CHANGE_NONE,
	       "a replay gives nothing");
	tap_ok(is_new(make_connect(3, "192.0.2.1", 53, 0), IPPROTO_UDP) &&
	       out.change.connection.id == FIRST_ID, "but is remembered, and uses up no ids");
	tap_ok(is_new(make_connect(4, "192.0.2.9", 80, 0), IPPROTO_TCP) &&
	       out.change.connection.src.port == 4000, "with its binds");
	fresh();
	replay(make_socket(4, IPPROTO_TCP));
	replay(make_connect(4, "192.0.2.1", 80, -EINPROGRESS));
	tap_ok(is_nothing(make_connect(4, "192.0.2.1", 80, 0)),
	       "a connection that has its row already gets no second one");
}

static struct event of_node(struct event e, const char *node)
{
	e.node = text_of(node);
	return e;
}

static void test_nodes(void)
{
	struct event e;

	fresh();
	give(make_socket(3, IPPROTO_TCP));
	give(of_node(make_socket(3, IPPROTO_UDP), "a"));
	tap_ok(is_new(of_node(make_connect(3, "192.0.2.1", 53, 0), "b"), -1) &&
	       text_equal(out.change.connection.text[CONNECTION_NODE], text_of("b")),
	       "another host's process of the same pid is another");
	tap_ok(is_new(of_node(make_connect(3, "192.0.2.1", 53, 0), "a"), IPPROTO_UDP) &&
	       is_new(make_connect(3, "192.0.2.1", 53, 0), IPPROTO_TCP), "each has its own");
	tap_ok(is_new(of_child(of_node(make_connect(3, "192.0.2.1", 54, 0), "a")), IPPROTO_UDP) &&
	       is_new(of_child(of_node(make_connect(3, "192.0.2.1", 54, 0), "c")), -1),
	       "parents too");
	tap_ok(is_again(of_node(make_connect(3, "192.0.2.1", 53, 0), "a"), FIRST_ID + 1) &&
	       out.change.count == 2 &&
	       is_again(of_node(make_connect(3, "192.0.2.1", 53, 0), "a"), FIRST_ID + 1) &&
	       out.change.count == 3, "how often a flow was seen, because it may be read again");
	fresh();
	e = make_socket(3, IPPROTO_UDP);
	e.inode = 50;
	give(e);
	e = of_node(make_connect(9, "192.0.2.1", 53, 0), "a");
	e.process.pid = 500;
	e.process.ppid = 400;
	e.inode = 50;
	tap_ok(is_new(e, -1), "an inode of another host is another's");
	fresh();
	e = of_node(make_socket(3, IPPROTO_UDP), "a");
	e.inode = 50;
	give(e);
	e = make_connect(9, "192.0.2.1", 53, 0);
	e.process.pid = 500;
	e.process.ppid = 400;
	e.inode = 50;
	tap_ok(is_new(e, -1), "the other way round as well");
}

/* More sockets than the memory holds: no crash, and the newest are there. */
static void test_many(void)
{
	bool good = true;

	fresh();
	for (int64_t i = 0; i < 20000; i++) {
		struct event e = make_socket(3, i % 2 ? IPPROTO_TCP : IPPROTO_UDP);

		e.process.pid = 1000 + i;
		give(e);
	}
	for (int64_t i = 19000; i < 20000; i++) {
		struct event e = make_connect(3, "192.0.2.1", 53, 0);

		e.process.pid = 1000 + i;
		good = is_new(e, i % 2 ? IPPROTO_TCP : IPPROTO_UDP) && good;
	}
	tap_ok(good, "the newest of very many sockets");
}

/* Calls that sent nothing: rows, but never certain, and the reason says what came back. */
static void test_results(void)
{
	struct event e;

	fresh();
	give(make_socket(3, IPPROTO_TCP));
	e = make_connect(3, "192.0.2.1", 80, -EISCONN);
	e.inode = 9;
	tap_ok(is_new(e, IPPROTO_TCP) && out.change.connection.certainty == CERTAINTY_INFERRED &&
	       text_equal(out.change.connection.text[CONNECTION_REASON], text_of("EISCONN")),
	       "a connected socket connects nowhere again");
	e = make_connect(3, "192.0.2.1", 82, -EALREADY);
	e.inode = 9;
	tap_ok(is_new(e, IPPROTO_TCP) && out.change.connection.certainty == CERTAINTY_INFERRED &&
	       text_equal(out.change.connection.text[CONNECTION_REASON], text_of("EALREADY")),
	       "nor one that is connecting");
	e = make_connect(3, "192.0.2.1", 81, -ECONNREFUSED);
	e.inode = 9;
	tap_ok(is_new(e, IPPROTO_TCP) && out.change.connection.certainty == CERTAINTY_CERTAIN &&
	       !out.change.connection.text[CONNECTION_REASON].data, "a refused connection was one");
}

/* Serials begin anew with a boot, the database of events does not. */
static void test_after_boot(void)
{
	struct event e;

	fresh();
	serial = 70000;
	give(make_socket(3, IPPROTO_TCP));
	serial = 5;
	give(make_socket(3, IPPROTO_UDP));
	tap_ok(is_new(make_connect(3, "192.0.2.1", 53, 0), IPPROTO_UDP),
	       "a smaller serial of a later time is another boot's: the socket is a new one");
	for (int minutes = 29; minutes <= 31; minutes += 2) {
		fresh();
		tap_ok(is_new(make_connect(3, "192.0.2.1", 53, 0), -1),
		       "a connect() without its socket()");
		e = make_socket(3, IPPROTO_UDP);
		e.serial = 50;
		e.time_us = now_us - minutes * 60 * TIME_US_PER_S;
		tap_ok((give(e) == CHANGE_PROTOCOL) == (minutes < 30),
		       "one of %d minutes before %s", minutes, minutes < 30 ? "is its" : "is not");
	}
}

int main(void)
{
	struct event e;

	test_row();
	test_owners();
	test_protocols();
	test_certainty();
	test_nonblocking();
	test_rings();
	test_routes();
	test_packet_sockets();
	test_udp_flow();
	test_inherited();
	test_by_inode();
	test_looked_late();
	test_pid_reuse();
	test_out_of_order();
	test_after_boot();
	test_replay();
	test_nodes();
	test_many();
	fresh();
	e = make(EVENT_NONE, 3, 0);
	tap_ok(is_nothing(e), "an event of no kind");
	test_results();
	observer_free(o);
	pairing_free(pairing);
	observer_free(NULL);
	return tap_done();
}
