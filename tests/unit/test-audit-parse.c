/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Golden records to events, the way they come: text, stamps, the assembler, libauparse.  A row of
 * a table states what differs from the event that all of them are made from.
 */
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "assemble.h"
#include "counters.h"
#include "audit_parse.h"
#include "tap.h"

static struct audit_parser *parser;
static const char *audit_key = "sockledger";
/* What came out, with its texts, which are good for the call alone. */
static struct event event;
static _Alignas(struct event) char room[64 * 1024];
static enum audit_result result;
static int delivered;

static void on_assembled(const struct assembled *a, void *arg)
{
	struct event e;

	(void)arg;
	delivered++;
	result = audit_parse(parser, a, audit_key, &e);
	if (result != AUDIT_OURS)
		return;
	if (event_pack_size(&e) > sizeof(room))
		abort();
	event = *event_pack(&e, room);
}

/* One event's lines.  True where it came out of the assembler, once. */
static bool parse(const char *lines)
{
	struct counters counters = { 0 };
	struct assembler *a = assembler_new(&counters, on_assembled, NULL);

	/* What is not set must not be taken for right. */
	memset(&event, 0x55, sizeof(event));
	delivered = 0;
	for (const char *at = lines, *end; *at; at = end + 1) {
		struct stamp s;

		end = strchr(at, '\n');
		if (!a || !end || !stamp_parse(at, (size_t)(end - at), &s))
			abort();
		assembler_line(a, &s, at, (size_t)(end - at), 0);
	}
	assembler_flush(a);
	assembler_free(a);
	if (delivered != 1)
		tap_note("%d events came out", delivered);
	return delivered == 1;
}

#define STAMP "msg=audit(1700000000.123:456): "
#define IDS "ppid=100 pid=101 auid=1000 uid=1 gid=2 euid=3 suid=4 fsuid=5 egid=6 sgid=7 fsgid=8 "
#define REST "tty=pts0 ses=9 comm=\"curl\" exe=\"/usr/bin/curl\" subj=unconfined "
#define SYSCALL_HEAD "type=SYSCALL " STAMP "arch=c000003e syscall="
#define CONNECT_HEAD SYSCALL_HEAD "42 success=yes exit=0 a0=7 a1=7ffd a2=10 a3=0 items=0 "
#define KEY "key=\"sockledger\""
#define CONNECT CONNECT_HEAD IDS REST KEY "\n"
#define SADDR(hex) "type=SOCKADDR " STAMP "saddr=" hex "\n"
#define IPV4 SADDR("02000050C00002010000000000000000")
#define TITLE "type=PROCTITLE " STAMP "proctitle=6375726C002D76\n"
#define END "type=EOE " STAMP "\n"

static bool number(const char *name, int64_t got, int64_t want)
{
	if (got != want)
		tap_note("%s is %" PRId64 ", not %" PRId64, name, got, want);
	return got == want;
}

static bool text(const char *name, struct text got, const char *want)
{
	if (text_equal(got, text_of(want)))
		return true;
	tap_note("%s is '%.*s', not '%s'", name, got.data ? (int)got.len : 4,
		 got.data ? got.data : "none", want ? want : "none");
	return false;
}

static bool address(const struct event *e, const char *want, int port)
{
	char buf[ADDRESS_TEXT_MAX];

	if (!strcmp(address_format(&e->addr, buf), want) && e->port == port)
		return true;
	tap_note("address is %s %" PRId64 ", not %s %d", buf, e->port, want, port);
	return false;
}

static void test_raw(void)
{
	const struct event *e = &event;
	bool good = parse(CONNECT IPV4 TITLE END);

	tap_ok(good && number("result", result, AUDIT_OURS) &&
	       number("kind", e->kind, EVENT_CONNECT) && number("serial", e->serial, 456) &&
	       number("time", e->time_us, 1700000000123000) && number("fd", e->fd, 7) &&
	       number("family", e->family, AF_INET) && address(e, "192.0.2.1", 80) &&
	       number("exit", e->exit, 0), "connect: the call");
	tap_ok(number("pid", e->process.pid, 101) && number("ppid", e->process.ppid, 100) &&
	       number("auid", e->process.auid, 1000) && number("uid", e->process.uid, 1) &&
	       number("gid", e->process.gid, 2) && number("euid", e->process.euid, 3) &&
	       number("fsuid", e->process.fsuid, 5) && number("session", e->process.session, 9),
	       "connect: the process's numbers");
	tap_ok(text("comm", e->process.comm, "curl") &&
	       text("exe", e->process.exe, "/usr/bin/curl") &&
	       text("cmdline", e->process.cmdline, "curl -v") &&
	       text("label", e->process.label, "unconfined"), "connect: its texts");
	tap_ok(number("type", e->type, -1) && number("protocol", e->protocol, -1) &&
	       number("inode", e->inode, -1) && number("start", e->process.start_ticks, -1) &&
	       number("netns", e->process.netns, -1) && text("node", e->node, NULL) &&
	       text("user", e->process.user, NULL) &&
	       text("login", e->process.login_user, NULL) &&
	       text("cgroup", e->process.cgroup, NULL) &&
	       text("cwd", e->process.cwd, NULL), "connect: nothing that it does not say");
}

/* What a user has put into its label is none of the kernel's words. */
static void test_label(void)
{
	const struct event *e = &event;
	bool good = parse(CONNECT_HEAD IDS "tty=pts0 ses=9 comm=\"curl\" exe=\"/usr/bin/curl\""
			  " subj=a//null-/x ppid=1 pid=7 auid=0 uid=0 gid=0 euid=0 fsuid=0 ses=1"
			  " a0=9 exit=-1 comm=\"sshd\" exe=\"/usr/sbin/sshd\" subj=b (complain) "
			  KEY "\n" IPV4 TITLE END);

	tap_ok(good && number("result", result, AUDIT_OURS) && number("fd", e->fd, 7) &&
	       number("exit", e->exit, 0) && number("pid", e->process.pid, 101) &&
	       number("ppid", e->process.ppid, 100) && number("auid", e->process.auid, 1000) &&
	       number("uid", e->process.uid, 1) && number("gid", e->process.gid, 2) &&
	       number("euid", e->process.euid, 3) && number("fsuid", e->process.fsuid, 5) &&
	       number("session", e->process.session, 9) &&
	       text("comm", e->process.comm, "curl") &&
	       text("exe", e->process.exe, "/usr/bin/curl") &&
	       text("label", e->process.label, "a//null-/x"), "fields in a label are not fields");
}

/* The same record, enriched (log_format = ENRICHED) and of another host. */
static void test_enriched(void)
{
	static const char names[] = "\x1d" "ARCH=x86_64 SYSCALL=connect AUID=\"alice\" UID=\"bin\" "
				    "GID=\"x\" EUID=\"sys\" FSUID=\"y\"\n";
	char lines[2048];
	bool good;

	snprintf(lines, sizeof(lines), "node=web1 %s%s%s", CONNECT_HEAD IDS REST KEY, names,
		 "node=web1 type=SOCKADDR " STAMP "saddr=02000050C0000201\x1dSADDR={ "
		 "saddr_fam=inet laddr=192.0.2.1 lport=80 }\n"
		 "node=web1 type=PROCTITLE " STAMP "proctitle=\"curl\"\n");
	good = parse(lines);
	tap_ok(good && number("result", result, AUDIT_OURS) &&
	       number("uid", event.process.uid, 1) &&
	       address(&event, "192.0.2.1", 80) &&
	       text("user", event.process.user, "bin") &&
	       text("login", event.process.login_user, "alice") &&
	       text("node", event.node, "web1") &&
	       text("comm", event.process.comm, "curl") &&
	       text("cmdline", event.process.cmdline, "curl"), "enriched, with a node");

	snprintf(lines, sizeof(lines), "%s\x1d" "ARCH=x86_64 SYSCALL=connect AUID=\"unset\" "
		 "UID=\"unknown(4711)\"\n" IPV4 END, CONNECT_HEAD IDS REST KEY);
	good = parse(lines);
	tap_ok(good && result == AUDIT_OURS && text("user", event.process.user, NULL) &&
	       text("login", event.process.login_user, NULL),
	       "enriched: what has no name has none");

	snprintf(lines, sizeof(lines), "%s\x1d" "AUID=\"a UID=\n" IPV4 END,
		 CONNECT_HEAD IDS REST KEY);
	good = parse(lines);
	tap_ok(good && result == AUDIT_OURS && text("user", event.process.user, NULL) &&
	       text("login", event.process.login_user, NULL), "enriched: broken off");
}

static void test_socket(void)
{
	static const struct {
		const char *args;
		int64_t family, type, protocol;
	} calls[] = {
		{ "a0=2 a1=1 a2=0", AF_INET, SOCK_STREAM, IPPROTO_TCP },
		{ "a0=2 a1=80801 a2=6", AF_INET, SOCK_STREAM, IPPROTO_TCP },
		{ "a0=a a1=2 a2=0", AF_INET6, SOCK_DGRAM, IPPROTO_UDP },
		{ "a0=a a1=80802 a2=11", AF_INET6, SOCK_DGRAM, IPPROTO_UDP },
		{ "a0=2 a1=3 a2=ff", AF_INET, SOCK_RAW, IPPROTO_RAW },
		{ "a0=2 a1=3 a2=0", AF_INET, SOCK_RAW, -1 },
		{ "a0=2 a1=1 a2=106", AF_INET, SOCK_STREAM, 262 },
		{ "a0=2 a1=1 a2=84", AF_INET, SOCK_STREAM, IPPROTO_SCTP },
		{ "a0=ffffffff00000002 a1=ffffffff00000001 a2=0", AF_INET, SOCK_STREAM,
		  IPPROTO_TCP },
	};
	char lines[1024];
	bool good = true;

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		snprintf(lines, sizeof(lines), SYSCALL_HEAD "41 success=yes exit=5 %s a3=0 items=0 "
			 IDS REST KEY "\n" TITLE, calls[i].args);
		good = parse(lines) && result == AUDIT_OURS && event.kind == EVENT_SOCKET &&
		       number("family", event.family, calls[i].family) &&
		       number("type", event.type, calls[i].type) &&
		       number("protocol", event.protocol, calls[i].protocol) &&
		       number("fd", event.fd, 5) && number("port", event.port, -1) &&
		       number("address", event.addr.family, 0) && good;
	}
	tap_ok(good, "socket: family, type without flags, protocol, the fd that came out");

	good = parse(SYSCALL_HEAD "41 success=no exit=-24 a0=2 a1=1 a2=0 a3=0 items=0 " IDS REST KEY
		     "\n" TITLE);
	tap_ok(good && result == AUDIT_OURS && number("exit", event.exit, -24) &&
	       number("fd", event.fd, -1), "socket: one that failed has no fd");
	good = parse(SYSCALL_HEAD "41 success=yes exit=3 a0=1 a1=1 a2=0 a3=0 items=0 " IDS REST KEY
		     "\n" TITLE);
	tap_ok(good && result == AUDIT_OTHER_FAMILY, "socket: of another family");
}

static void test_32_bit(void)
{
	bool good;

#define HEAD32 "type=SYSCALL " STAMP "arch=40000003 syscall="
	good = parse(HEAD32 "102 success=no exit=-115 a0=3 a1=ffd0 a2=1 a3=2 items=0 " IDS REST KEY
		     "\ntype=SOCKETCALL " STAMP "nargs=3 a0=7 a1=ffd4 a2=10\n" IPV4 TITLE);
	tap_ok(good && result == AUDIT_OURS && event.kind == EVENT_CONNECT &&
	       number("fd", event.fd, 7) && number("exit", event.exit, -115) &&
	       address(&event, "192.0.2.1", 80), "socketcall: connect, with its real arguments");
	good = parse(HEAD32 "102 success=yes exit=6 a0=1 a1=ffd0 a2=1 a3=2 items=0 " IDS REST KEY
		     "\ntype=SOCKETCALL " STAMP "nargs=3 a0=a a1=80802 a2=11\n" TITLE);
	tap_ok(good && result == AUDIT_OURS && event.kind == EVENT_SOCKET &&
	       number("family", event.family, AF_INET6) &&
	       number("type", event.type, SOCK_DGRAM) &&
	       number("protocol", event.protocol, IPPROTO_UDP) && number("fd", event.fd, 6),
	       "socketcall: socket");
	good = parse(HEAD32 "361 success=yes exit=0 a0=4 a1=ffd0 a2=1 a3=2 items=0 " IDS REST KEY
		     "\n" SADDR("020015B3000000000000000000000000") TITLE);
	tap_ok(good && result == AUDIT_OURS && event.kind == EVENT_BIND &&
	       number("fd", event.fd, 4) && address(&event, "0.0.0.0", 5555),
	       "a direct 32-bit bind");
}

static void test_rings(void)
{
	bool good;

#define RING(op, exit) "type=URINGOP " STAMP "uring_op=" op " success=no exit=" exit " items=0 " \
	"ppid=100 pid=101 uid=1 gid=2 euid=3 suid=4 fsuid=5 egid=6 sgid=7 fsgid=8 " KEY "\n"
	good = parse(RING("16", "-11") RING("16", "0") SYSCALL_HEAD "426 success=yes exit=1 a0=4 "
		     "a1=1 a2=1 a3=1 items=0 " IDS REST KEY "\n" IPV4 TITLE);
	tap_ok(good && result == AUDIT_OURS && event.kind == EVENT_CONNECT &&
	       number("fd", event.fd, -1) && number("exit", event.exit, -EINPROGRESS) &&
	       number("auid", event.process.auid, 1000) &&
	       text("comm", event.process.comm, "curl") &&
	       address(&event, "192.0.2.1", 80), "io_uring: a connect, whose end nobody tells");
	good = parse(RING("16", "-11") IPV4 END);
	tap_ok(good && result == AUDIT_OURS && event.kind == EVENT_CONNECT &&
	       number("pid", event.process.pid, 101) && number("uid", event.process.uid, 1) &&
	       number("fsuid", event.process.fsuid, 5) && number("auid", event.process.auid, -1) &&
	       text("comm", event.process.comm, NULL) && text("exe", event.process.exe, NULL) &&
	       address(&event, "192.0.2.1", 80), "a poller's: process and user, and no names");
	good = parse(RING("9", "0") IPV4 END);
	tap_ok(good && result == AUDIT_OURS && event.kind == EVENT_SEND &&
	       number("exit", event.exit, 0) && number("fd", event.fd, -1), "a send");
	good = parse(RING("56", "0") RING("18", "0") SYSCALL_HEAD "426 success=yes exit=2 a0=4 "
		     "a1=2 a2=2 a3=1 items=0 " IDS REST KEY "\n" IPV4 TITLE);
	tap_ok(good && result == AUDIT_OURS && event.kind == EVENT_BIND, "a bind, and another's");
	tap_ok(!parse(RING("18", "0") SYSCALL_HEAD "426 success=yes exit=1 a0=4 a1=1 a2=1 a3=1 "
		      "items=0 " IDS REST KEY "\n" TITLE) && !delivered, "another's alone");
	tap_ok(!parse(SYSCALL_HEAD "426 success=yes exit=1 a0=4 a1=1 a2=1 a3=1 items=0 " IDS REST
		      KEY "\n" IPV4 TITLE) && !delivered, "nor is the call alone ours");
	good = parse(RING("16", "0") END);
	tap_ok(good && result == AUDIT_NO_ADDRESS, "without an address");
	good = parse(RING("16", "0") SADDR("01002F00") END);
	tap_ok(good && result == AUDIT_OTHER_FAMILY, "to a local socket");
	good = parse(RING("16", "0") SADDR("02") END);
	tap_ok(good && result == AUDIT_BAD_ADDRESS, "to no address");
	good = parse("type=URINGOP " STAMP "uring_op=16 success=no exit=0 items=0 ppid=1 pid=2 "
		     "key=\"other\"\n" IPV4 END);
	tap_ok(good && result == AUDIT_OTHER_KEY, "another rule's");
}

#define UNSPEC SADDR("00000050C00002010000000000000000")
#define IPV6 SADDR("0A0001BB0000000020010DB800000000000000000000000100000000")

static void test_sends(void)
{
	static const struct {
		const char *call, *addr, *address;
		int64_t fd, exit;
		int port;
	} of[] = {
		{ "44 success=yes exit=12 a0=7 a1=7ffd a2=c", IPV4, "192.0.2.1", 7, 12, 80 },
		{ "46 success=yes exit=9 a0=8 a1=7ffd a2=0", IPV6, "2001:db8::1", 8, 9, 443 },
		{ "307 success=yes exit=3 a0=9 a1=7ffd a2=3", IPV4, "192.0.2.1", 9, 3, 80 },
		{ "44 success=no exit=-1 a0=7 a1=7ffd a2=c", IPV4, "192.0.2.1", 7, -1, 80 },
		{ "44 success=yes exit=12 a0=7 a1=7ffd a2=c", UNSPEC, "192.0.2.1", 7, 12, 80 },
		{ "46 success=yes exit=1 a0=ffffffff a1=0 a2=0", IPV4, "192.0.2.1", -1, 1, 80 },
	};
	char lines[1024];
	bool good = true;

	for (size_t i = 0; i < sizeof(of) / sizeof(of[0]); i++) {
		snprintf(lines, sizeof(lines), SYSCALL_HEAD "%s a3=0 items=0 " IDS REST KEY "\n%s"
			 TITLE, of[i].call, of[i].addr);
		good = parse(lines) && number("result", result, AUDIT_OURS) &&
		       number("kind", event.kind, EVENT_SEND) && number("fd", event.fd, of[i].fd) &&
		       number("exit", event.exit, of[i].exit) &&
		       number("family", event.family, event.addr.family) &&
		       number("type", event.type, -1) && number("protocol", event.protocol, -1) &&
		       address(&event, of[i].address, of[i].port) && good;
	}
	tap_ok(good, "sends: the descriptor, where to, what came of it");
	good = parse(HEAD32 "102 success=yes exit=4 a0=b a1=ffd0 a2=1 a3=2 items=0 " IDS REST KEY
		     "\ntype=SOCKETCALL " STAMP "nargs=6 a0=7 a1=ffd4 a2=4 a3=0 a4=ffe0 a5=10\n"
		     IPV4 TITLE);
	tap_ok(good && result == AUDIT_OURS && event.kind == EVENT_SEND &&
	       number("fd", event.fd, 7) && address(&event, "192.0.2.1", 80),
	       "socketcall: sendto, with its real arguments");
	good = parse(SYSCALL_HEAD "44 success=yes exit=4 a0=7 a1=1 a2=4 a3=0 items=0 " IDS REST KEY
		     "\n" TITLE END);
	tap_ok(good && number("result", result, AUDIT_NO_ADDRESS),
	       "a send over what is connected has no address");
	good = parse(SYSCALL_HEAD "44 success=yes exit=4 a0=7 a1=1 a2=4 a3=0 items=0 " IDS REST
		     "key=(null)\n" TITLE END);
	tap_ok(good && number("result", result, AUDIT_OTHER_KEY), "nor need it be ours");
	good = parse(SYSCALL_HEAD "44 success=yes exit=4 a0=7 a1=1 a2=4 a3=0 items=0 " IDS REST KEY
		     "\n" SADDR("100000000000000000000000") TITLE);
	tap_ok(good && number("result", result, AUDIT_OTHER_FAMILY), "a send to netlink");
}

static void test_accepts(void)
{
	bool good;

	good = parse(SYSCALL_HEAD "43 success=yes exit=5 a0=3 a1=7ffd a2=7ffe a3=0 items=0 " IDS
		     REST KEY "\n" IPV4 TITLE);
	tap_ok(good && result == AUDIT_OURS && number("kind", event.kind, EVENT_ACCEPT) &&
	       number("fd", event.fd, 5) && number("exit", event.exit, 5) &&
	       number("listener", event.listener, 3) && address(&event, "192.0.2.1", 80),
	       "accept: the descriptor that came out, the one that was listened on, the peer");
	good = parse(SYSCALL_HEAD "288 success=yes exit=6 a0=3 a1=7ffd a2=7ffe a3=800 items=0 " IDS
		     REST KEY "\n" IPV6 TITLE);
	tap_ok(good && result == AUDIT_OURS && number("kind", event.kind, EVENT_ACCEPT) &&
	       number("fd", event.fd, 6) && address(&event, "2001:db8::1", 443), "accept4");
	good = parse(HEAD32 "102 success=yes exit=8 a0=12 a1=ffd0 a2=1 a3=2 items=0 " IDS REST KEY
		     "\ntype=SOCKETCALL " STAMP "nargs=4 a0=7 a1=ffd4 a2=ffd8 a3=0\n" IPV4 TITLE);
	tap_ok(good && result == AUDIT_OURS && number("kind", event.kind, EVENT_ACCEPT) &&
	       number("fd", event.fd, 8) && number("listener", event.listener, 7),
	       "socketcall: accept4");
	good = parse(SYSCALL_HEAD "43 success=no exit=-14 a0=3 a1=7ffd a2=7ffe a3=0 items=0 " IDS
		     REST KEY "\n" IPV4 TITLE);
	tap_ok(good && result == AUDIT_OURS && number("fd", event.fd, -1) &&
	       number("exit", event.exit, -14), "an accept that failed has no descriptor");
	good = parse(SYSCALL_HEAD "43 success=yes exit=5 a0=3 a1=0 a2=0 a3=0 items=0 " IDS REST KEY
		     "\n" TITLE END);
	tap_ok(good && number("result", result, AUDIT_NO_ADDRESS),
	       "an accept that did not ask has no address");
	good = parse(SYSCALL_HEAD "43 success=yes exit=5 a0=3 a1=7ffd a2=7ffe a3=0 items=0 " IDS
		     REST KEY "\n" UNSPEC TITLE);
	tap_ok(good && number("result", result, AUDIT_OTHER_FAMILY), "an accept of no family");
}

/* What stands beside a call: where it was made, and the whole command line of an execve(). */
static void test_execve(void)
{
	char lines[4096], want[2048], piece[501];
	bool good;

#define EXEC(exit) SYSCALL_HEAD "59 success=yes exit=" exit " a0=1 a1=2 a2=3 a3=0 items=2 " IDS REST
#define EXECVE "type=EXECVE " STAMP
#define CWD "type=CWD " STAMP
	good = parse(EXEC("0") KEY "\n" EXECVE "argc=3 a0=\"curl\" a1=2D2D6120622021 a2=\"x=y\"\n"
		     CWD "cwd=\"/home/a\"\n" "type=PATH " STAMP "item=0 name=\"/usr/bin/curl\"\n"
		     TITLE);
	tap_ok(good && number("result", result, AUDIT_OURS) &&
	       number("kind", event.kind, EVENT_EXEC) &&
	       text("cmdline", event.process.cmdline, "curl --a b ! x=y") &&
	       text("cwd", event.process.cwd, "/home/a"),
	       "execve: the command line, the directory");
	good = parse(EXEC("-2") KEY "\n" EXECVE "argc=1 a0=\"ls\"\n" TITLE);
	tap_ok(good && text("cmdline", event.process.cmdline, "curl -v"),
	       "execve: one that failed has the title's");
	good = parse(TITLE CWD "cwd=2F612062\n" EXECVE "argc=2 a0=\"ls\" a1=\"-l\"\n"
		     EXEC("0") KEY "\n" END);
	tap_ok(good && text("cmdline", event.process.cmdline, "ls -l") &&
	       text("cwd", event.process.cwd, "/a b"), "execve: records in another order");
	good = parse(EXEC("0") KEY "\n" EXECVE "argc=4 a0=\"ls\" a1_len=4 a1[0]=6162 a1[1]=6364 "
		     "a2=\"x\" a3=\"y\"\n" TITLE);
	tap_ok(good && text("cmdline", event.process.cmdline, "ls abcd x y"),
	       "execve: an argument in pieces");
	good = parse(EXEC("0") KEY "\n" EXECVE "argc=4 a2=\"x\" a3=\"y\"\n" EXECVE "a0=\"ls\"\n"
		     TITLE);
	tap_ok(good && text("cmdline", event.process.cmdline, "curl -v"),
	       "execve: arguments in no order are not put into one");
	memset(piece, 'a', 500);
	piece[500] = '\0';
	snprintf(lines, sizeof(lines), "%s" EXECVE "argc=9 a0=\"%s\" a1=\"%s\" a2=\"%s\"\n"
		 EXECVE "a3=\"z\"\n%s", EXEC("0") KEY "\n", piece, piece, piece, TITLE);
	snprintf(want, sizeof(want), "%s %s %.86s", piece, piece, piece);
	good = parse(lines);
	tap_ok(good && text("cmdline", event.process.cmdline, want),
	       "execve: as much of it as anybody keeps");
}

/* A command line may have more records than anybody keeps: the event is good all the same. */
static void test_long_execve(void)
{
	static char lines[400000];
	size_t len = (size_t)snprintf(lines, sizeof(lines), "%s", EXEC("0") KEY "\n");
	bool good;

	for (int i = 0; i < 5000; i++)
		len += (size_t)snprintf(lines + len, sizeof(lines) - len,
					EXECVE "a%d=\"xyz\"\n", i);
	snprintf(lines + len, sizeof(lines) - len, TITLE);
	good = parse(lines);
	tap_ok(good && number("result", result, AUDIT_OURS) && event.process.cmdline.len > 600 &&
	       !memcmp(event.process.cmdline.data, "xyz xyz ", 8),
	       "execve: of a command line with no end there is a part");
}

static void test_any_key(void)
{
	bool good;

	audit_key = "*";
	good = parse(CONNECT_HEAD IDS REST "key=\"other\"\n" IPV4 TITLE);
	tap_ok(good && number("result", result, AUDIT_OURS), "any key: of another rule");
	good = parse(CONNECT_HEAD IDS REST "key=(null)\n" IPV4 TITLE);
	tap_ok(good && number("result", result, AUDIT_OURS), "any key: of a rule without one");
	good = parse("type=SYSCALL " STAMP "arch=8000002b syscall=98 success=yes exit=0 a0=4 a1=1 "
		     "a2=10 a3=0 items=0 " IDS REST "key=(null)\n" IPV4 TITLE);
	tap_ok(good && number("result", result, AUDIT_UNKNOWN_ARCH),
	       "any key: an address of a call that nobody knows");
	good = parse("type=SYSCALL " STAMP "arch=8000002b syscall=5 success=yes exit=3 a0=4 a1=1 "
		     "a2=10 a3=0 items=0 " IDS REST "key=(null)\n" TITLE);
	tap_ok(good && number("result", result, AUDIT_OTHER_KEY),
	       "any key: what need not be of a socket is none");
	audit_key = "mine,other";
	good = parse(CONNECT_HEAD IDS REST "key=\"other\"\n" IPV4 TITLE);
	tap_ok(good && number("result", result, AUDIT_OURS), "several keys: the second");
	good = parse(CONNECT_HEAD IDS REST "key=\"mine\"\n" IPV4 TITLE);
	tap_ok(good && number("result", result, AUDIT_OURS), "several keys: the first");
	good = parse(CONNECT_HEAD IDS REST "key=\"mine,other\"\n" IPV4 TITLE);
	tap_ok(good && number("result", result, AUDIT_OTHER_KEY), "several keys: both as one");
	good = parse(CONNECT_HEAD IDS REST "key=\"oth\"\n" IPV4 TITLE);
	tap_ok(good && number("result", result, AUDIT_OTHER_KEY), "several keys: a part of one");
	audit_key = "sockledger";
}

/* A host of another architecture. */
static void test_machines(void)
{
	bool good;

#define OTHER(arch, call) "type=SYSCALL " STAMP "arch=" arch " syscall=" call " a3=0 items=0 "
	good = parse(OTHER("80000016", "362 success=yes exit=0 a0=4 a1=1 a2=10") IDS REST KEY "\n"
		     SADDR("00020050C00002010000000000000000") TITLE);
	tap_ok(good && number("result", result, AUDIT_OURS) && address(&event, "192.0.2.1", 80),
	       "s390x: the high byte of the family comes first");
	good = parse(OTHER("80000016", "362 success=yes exit=0 a0=4 a1=1 a2=10") IDS REST KEY "\n"
		     IPV4 TITLE);
	tap_ok(good && number("result", result, AUDIT_BAD_ADDRESS),
	       "s390x: in the other order there is no such family");
	good = parse(OTHER("8", "4170 success=no exit=-150 a0=4 a1=1 a2=10") IDS REST KEY "\n"
		     SADDR("00020050C00002010000000000000000") TITLE);
	tap_ok(good && number("result", result, AUDIT_OURS) && address(&event, "192.0.2.1", 80) &&
	       number("exit", event.exit, -EINPROGRESS), "mips: its EINPROGRESS is ours");
	good = parse(OTHER("40000008", "4183 success=yes exit=3 a0=2 a1=82 a2=0") IDS REST KEY
		     "\n" TITLE);
	tap_ok(good && number("result", result, AUDIT_OURS) &&
	       number("type", event.type, SOCK_STREAM) &&
	       number("protocol", event.protocol, IPPROTO_TCP), "mips: its SOCK_STREAM is ours");
	good = parse(OTHER("c00000f3", "198 success=yes exit=3 a0=2 a1=2 a2=0") IDS REST KEY "\n"
		     TITLE);
	tap_ok(good && number("result", result, AUDIT_OURS) &&
	       number("protocol", event.protocol, IPPROTO_UDP), "riscv64: socket");
	good = parse(OTHER("8000002b", "98 success=yes exit=0 a0=4 a1=1 a2=10") IDS REST KEY "\n"
		     SADDR("00020050C00002010000000000000000") TITLE);
	tap_ok(good && number("result", result, AUDIT_UNKNOWN_ARCH), "one that nobody knows");
	good = parse(OTHER("8000002b", "98 success=yes exit=0 a0=4 a1=1 a2=10") IDS REST
		     "key=\"other\"\n" SADDR("00020050C00002010000000000000000") TITLE);
	tap_ok(good && number("result", result, AUDIT_OTHER_KEY),
	       "one that nobody knows, not ours");
}

static const struct golden {
	const char *name, *fields;	/* behind the arguments, instead of the usual ones */
	enum audit_result result;
	int64_t uid, auid, pid;
	const char *comm, *exe;
} fields[] = {
#define USUAL 1, 1000, 101, "curl", "/usr/bin/curl"
	{ "names in hex", IDS "tty=(none) ses=9 comm=6120620AC3A4 exe=2F746D702F6120622021 " KEY,
	  AUDIT_OURS, 1, 1000, 101, "a b\n\xc3\xa4", "/tmp/a b !" },
	{ "names (null)", IDS "ses=9 comm=(null) exe=(null) " KEY, AUDIT_OURS, 1, 1000, 101, NULL,
	  NULL },
	{ "names ?", IDS "ses=9 comm=? exe=? " KEY, AUDIT_OURS, 1, 1000, 101, NULL, NULL },
	{ "an empty name", IDS "ses=9 comm=\"\" exe=\"/x\" " KEY, AUDIT_OURS, 1, 1000, 101, "",
	  "/x" },
	{ "no names", IDS KEY, AUDIT_OURS, 1, 1000, 101, NULL, NULL },
	{ "a name that looks like fields", IDS "comm=\"uid=0,pid=1\" exe=\"/x\" " KEY, AUDIT_OURS,
	  1, 1000, 101, "uid=0,pid=1", "/x" },
	{ "unset ids", "ppid=1 pid=2 auid=4294967295 uid=4294967295 ses=4294967295 comm=\"c\" " KEY,
	  AUDIT_OURS, -1, -1, 2, "c", NULL },
	{ "ids of an old kernel", "ppid=1 pid=2 auid=-1 uid=0 comm=\"c\" " KEY, AUDIT_OURS, 0, -1,
	  2, "c", NULL },
	{ "ids of an interpreting sender", "ppid=1 pid=2 auid=unset uid=0 comm=\"c\" " KEY,
	  AUDIT_OURS, 0, -1, 2, "c", NULL },
	{ "the largest id", "ppid=1 pid=2 auid=1 uid=4294967294 comm=\"c\" " KEY, AUDIT_OURS,
	  4294967294, 1, 2, "c", NULL },
	{ "another key", IDS REST "key=\"other\"", AUDIT_OTHER_KEY, 0, 0, 0, NULL, NULL },
	{ "no key", IDS REST "key=(null)", AUDIT_OTHER_KEY, 0, 0, 0, NULL, NULL },
	{ "no field of a key", IDS REST, AUDIT_OTHER_KEY, 0, 0, 0, NULL, NULL },
	{ "the beginning of our key", IDS REST "key=\"sockledge\"", AUDIT_OTHER_KEY, 0, 0, 0, NULL,
	  NULL },
	{ "more than our key", IDS REST "key=\"sockledgerx\"", AUDIT_OTHER_KEY, 0, 0, 0, NULL,
	  NULL },
	{ "our key as another's text", IDS REST "key=\"x\" x=\"sockledger\"", AUDIT_OTHER_KEY, 0,
	  0, 0, NULL, NULL },
	/* "net" 01 "sockledger", "sockledger" 01 "net", "a" 01 "sockledger" 01 "b" */
	{ "our key behind another", IDS REST "key=6E657401736F636B6C6564676572", AUDIT_OURS,
	  USUAL },
	{ "our key before another", IDS REST "key=736F636B6C6564676572016E6574", AUDIT_OURS,
	  USUAL },
	{ "our key amidst others", IDS REST "key=6101736F636B6C65646765720162", AUDIT_OURS,
	  USUAL },
	{ "several others", IDS REST "key=61016201736F636B", AUDIT_OTHER_KEY, 0, 0, 0, NULL,
	  NULL },
	{ "keys that are none", IDS REST "key=0101", AUDIT_OTHER_KEY, 0, 0, 0, NULL, NULL },
	{ "a pid that is no number", "ppid=1 pid=x uid=0 " KEY, AUDIT_BAD, 0, 0, 0, NULL, NULL },
	{ "a pid with more behind it", "ppid=1 pid=12x uid=0 " KEY, AUDIT_BAD, 0, 0, 0, NULL,
	  NULL },
	{ "a negative pid", "ppid=1 pid=-2 uid=0 " KEY, AUDIT_BAD, 0, 0, 0, NULL, NULL },
	{ "a pid beyond all", "ppid=1 pid=2147483648 uid=0 " KEY, AUDIT_BAD, 0, 0, 0, NULL, NULL },
	{ "a bad parent", "ppid=-7 pid=2 uid=0 " KEY, AUDIT_BAD, 0, 0, 0, NULL, NULL },
	{ "no pid", "ppid=1 uid=0 " KEY, AUDIT_BAD, 0, 0, 0, NULL, NULL },
	{ "an id beyond 32 bits", "ppid=1 pid=2 uid=4294967296 " KEY, AUDIT_BAD, 0, 0, 0, NULL,
	  NULL },
	{ "an id beyond 64 bits", "ppid=1 pid=2 uid=99999999999999999999 " KEY, AUDIT_BAD, 0, 0, 0,
	  NULL, NULL },
	{ "an id in hex", "ppid=1 pid=2 uid=0x1 " KEY, AUDIT_BAD, 0, 0, 0, NULL, NULL },
#undef USUAL
};

static void test_fields(void)
{
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		const struct golden *g = &fields[i];
		char lines[2048];
		bool good;

		snprintf(lines, sizeof(lines), CONNECT_HEAD "%s\n" IPV4 TITLE END, g->fields);
		good = parse(lines) && number("result", result, g->result);
		if (good && result == AUDIT_OURS)
			good = number("uid", event.process.uid, g->uid) &&
			       number("auid", event.process.auid, g->auid) &&
			       number("pid", event.process.pid, g->pid) &&
			       text("comm", event.process.comm, g->comm) &&
			       text("exe", event.process.exe, g->exe);
		tap_ok(good, "%s", g->name);
	}
}

static void test_results(void)
{
	static const struct {
		const char *call;
		enum audit_result result;
		int64_t exit;
	} calls[] = {
		{ "success=no exit=-115 a0=7", AUDIT_OURS, -115 },
		{ "success=no exit=-111 a0=7", AUDIT_OURS, -111 },
		{ "success=no exit=-512 a0=7", AUDIT_OURS, -512 },
		{ "success=yes exit=0 a0=7", AUDIT_OURS, 0 },
		{ "success=no exit=EINPROGRESS(Operation a0=7", AUDIT_BAD, 0 },
		{ "success=no exit= a0=7", AUDIT_BAD, 0 },
		{ "success=no exit=- a0=7", AUDIT_BAD, 0 },
		{ "success=no exit=--1 a0=7", AUDIT_BAD, 0 },
		{ "success=no a0=7", AUDIT_BAD, 0 },
		{ "exit=0 a0=7 a1=0x10", AUDIT_BAD, 0 },
		{ "exit=0 a0=7 a1=11111111111111111", AUDIT_BAD, 0 },
	};
	char lines[1024];

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		bool good;

		snprintf(lines, sizeof(lines), SYSCALL_HEAD "42 %s items=0 " IDS REST KEY "\n" IPV4
			 TITLE, calls[i].call);
		good = parse(lines) && number("result", result, calls[i].result) &&
		       (result != AUDIT_OURS || (number("exit", event.exit, calls[i].exit) &&
						  number("fd", event.fd, 7)));
		tap_ok(good, "%s", calls[i].call);
	}
	tap_ok(parse(SYSCALL_HEAD "42 exit=-9 a0=ffffffff a1=0 a2=10 items=0 " IDS REST KEY "\n"
		     IPV4 TITLE) && result == AUDIT_OURS && number("fd", event.fd, -1),
	       "a negative fd, as 32 bits");
}

static void test_addresses(void)
{
	static const struct {
		const char *saddr;
		enum audit_result result;
		const char *address;
		int port;
	} of[] = {
		{ "0A0001BB0000000020010DB800000000000000000000000100000000", AUDIT_OURS,
		  "2001:db8::1", 443 },
		{ "0A0001BB0000000000000000000000000000FFFFC000020100000000", AUDIT_OURS,
		  "::ffff:192.0.2.1", 443 },
		{ "0a0001bb0000000020010db8000000000000000000000001", AUDIT_OURS, "2001:db8::1",
		  443 },
		{ "02000000000000000000000000000000", AUDIT_OURS, "0.0.0.0", 0 },
		{ "01002F72756E2F78", AUDIT_OTHER_FAMILY, NULL, 0 },
		{ "0000000000000000", AUDIT_OTHER_FAMILY, NULL, 0 },
		{ "02000050C00002", AUDIT_BAD_ADDRESS, NULL, 0 },
		{ "0A0001BB0000000020010DB8", AUDIT_BAD_ADDRESS, NULL, 0 },
		{ "02000050C00002G1", AUDIT_BAD_ADDRESS, NULL, 0 },
		{ "02000050C00002010", AUDIT_BAD_ADDRESS, NULL, 0 },
		{ "(null)", AUDIT_BAD_ADDRESS, NULL, 0 },
		{ "", AUDIT_BAD_ADDRESS, NULL, 0 },
	};
	char lines[1024];

	for (size_t i = 0; i < sizeof(of) / sizeof(of[0]); i++) {
		bool good;

		snprintf(lines, sizeof(lines), CONNECT "type=SOCKADDR " STAMP "saddr=%s\n" TITLE,
			 of[i].saddr);
		good = parse(lines) && number("result", result, of[i].result) &&
		       (!of[i].address || address(&event, of[i].address, of[i].port));
		tap_ok(good, "saddr '%s'", of[i].saddr);
	}
	tap_ok(parse(CONNECT "type=SOCKADDR " STAMP "x=1\n" TITLE) && result == AUDIT_BAD_ADDRESS,
	       "a SOCKADDR without saddr");
}

static void test_titles(void)
{
	static const struct {
		const char *title, *cmdline;
	} of[] = {
		{ "\"curl\"", "curl" },
		{ "\"\"", "" },
		{ "(null)", NULL },
		{ "6375726C002D7600", "curl -v" },
		{ "6375726C00002D76000000", "curl  -v" },
		{ "61", "a" },
	};
	char lines[1024];

	for (size_t i = 0; i < sizeof(of) / sizeof(of[0]); i++) {
		bool good;

		snprintf(lines, sizeof(lines), CONNECT IPV4 "type=PROCTITLE " STAMP
			 "proctitle=%s\n", of[i].title);
		good = parse(lines) && result == AUDIT_OURS &&
		       text("cmdline", event.process.cmdline, of[i].cmdline);
		tap_ok(good, "proctitle %s", of[i].title);
	}
	tap_ok(parse(CONNECT IPV4 END) && result == AUDIT_OURS &&
	       text("cmdline", event.process.cmdline, NULL), "no proctitle");
}

/* libauparse keeps a state: what was bad must not spoil what comes after it. */
static void test_afterwards(void)
{
	static const char *const before[] = {
		CONNECT_HEAD "key=\x1d\n" SADDR("\x1d"),
	};
	bool good = true;

	for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++) {
		good = parse(before[i]) && result != AUDIT_OURS && good;
		good = parse(CONNECT IPV4 TITLE) && result == AUDIT_OURS &&
		       number("serial", event.serial, 456) &&
		       number("pid", event.process.pid, 101) &&
		       address(&event, "192.0.2.1", 80) && good;
	}
	tap_ok(good, "a good event after bad ones");
}

/* libauparse may still have an earlier event's lines: they are not this one's. */
static void test_another(void)
{
	static const char lines[] = CONNECT IPV4;
	struct assembled a = { .lines = lines, .len = sizeof(lines) - 1 };
	struct event e;

	if (!stamp_parse(lines, strcspn(lines, "\n"), &a.stamp))
		abort();
	a.class = syscall_classify(0xc000003e, 42, 7);
	tap_ok(audit_parse(parser, &a, audit_key, &e) == AUDIT_OURS && e.serial == 456,
	       "an event is the one that was asked for");
	a.stamp.serial++;
	tap_ok(audit_parse(parser, &a, audit_key, &e) == AUDIT_BAD, "another one is not");
}

int main(void)
{
	parser = audit_parser_new();
	if (!parser)
		return 1;
	test_raw();
	test_label();
	test_enriched();
	test_socket();
	test_32_bit();
	test_rings();
	test_sends();
	test_accepts();
	test_machines();
	test_execve();
	test_long_execve();
	test_any_key();
	test_fields();
	test_results();
	test_addresses();
	test_titles();
	test_afterwards();
	test_another();
	audit_parser_free(parser);
	return tap_done();
}
