/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who sent a packet, and what becomes of it: situations on a made-up host, as scripts of steps that
 * are done or asserted in turn (steps[] after the helpers; the scripts are judge-situations.inc and
 * judge-holders.inc).
 * By default the packet is TCP, 10.0.0.1:40000 to 192.0.2.1:443, of user 1000, and its socket has
 * the inode 7000.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/netfilter.h>

#include "ancestry.h"
#include "config.h"
#include "host.h"
#include "judge-rig.h"
#include "tap.h"

#define MARK_OTHERS 0x8
#define INODE 7000

static const char usual_policy[] = "allow exe /good certain\n"
				   "allow exe /plain\n"
				   "default deny\n"
				   "unattributed reject\n";

static struct {
	int protocol;
	struct endpoint src, dst;
	int64_t uid;
	uint8_t hook, sequence;
	uint32_t mark;
	uint32_t id;		/* of the last packet */
	const struct outcome *outcome;
} now;

struct args {
	char *word[8];
	int count;
};

static int64_t number(const struct args *a, int n, int64_t otherwise)
{
	return n < a->count ? strtoll(a->word[n], NULL, 0) : otherwise;
}

/* The words of a script are valid only during their step. */
static const char *program(const char *word)
{
	static const char *const programs[] = { "/good", "/plain", "/evil", "/x" };

	for (int i = 0; i < 4; i++)
		if (!strcmp(word, programs[i]))
			return programs[i];
	abort();
}

static bool do_proc(const struct args *a)
{
	fake_process(number(a, 1, 0), number(a, 1, 0) > 1, number(a, 3, 1000),
		     program(a->word[2]));
	return true;
}

static bool do_gone(const struct args *a)
{
	fake_find(number(a, 1, 0))->alive = false;
	return true;
}

static bool do_ending(const struct args *a)
{
	fake_find(number(a, 1, 0))->exe = NULL;
	return true;
}

/* Its start is after the packet. */
static bool do_reborn(const struct args *a)
{
	fake_process(number(a, 1, 0), 1, number(a, 3, 1000), program(a->word[2]))->start_ticks +=
		6100;
	return true;
}

static bool do_netns(const struct args *a)
{
	fake_find(number(a, 1, 0))->netns = number(a, 2, 0);
	return true;
}

static bool do_thread(const struct args *a)
{
	fake_thread(number(a, 1, 0), number(a, 2, 0));
	return true;
}

static bool do_hold(const struct args *a)
{
	fake_hold(fake_find(number(a, 1, 0)), number(a, 2, 3), number(a, 3, INODE));
	return true;
}

static struct fake_fd *fd_of(const struct args *a)
{
	return fake_fd_of(fake_find(number(a, 1, 0)), number(a, 2, 3));
}

/* Begun just now. */
static bool do_young(const struct args *a)
{
	fake_begin_now(fake_find(number(a, 1, 0)));
	return true;
}

static bool do_close(const struct args *a)
{
	fd_of(a)->inode = -1;
	return true;
}

static bool do_call(const struct args *a)
{
	return fd_of(a)->calling = true;
}

/* It has more descriptors than are looked at. */
static bool do_crowded(const struct args *a)
{
	return fake_find(number(a, 1, 0))->crowded = true;
}

static bool do_frozen(const struct args *a)
{
	struct fake_process *k = fake_find(number(a, 1, 0));

	k->frozen = number(a, 2, 1) > 0;
	return true;
}

static bool do_sock(const struct args *a)
{
	bool in = now.hook == NF_INET_LOCAL_IN;

	fake_socket(now.protocol, in ? &now.dst : &now.src, in ? &now.src : &now.dst,
		    number(a, 1, INODE), number(a, 2, 1000));
	return true;
}

/* Not connected: bound to the port alone. */
static bool do_sockany(const struct args *a)
{
	struct endpoint local = now.hook == NF_INET_LOCAL_IN ? now.dst : now.src,
		any = { .port = 0 };

	memset(local.addr.bytes, 0, sizeof(local.addr.bytes));
	any.addr.family = local.addr.family;
	fake_socket(now.protocol, &local, &any, number(a, 1, INODE), number(a, 2, 1000));
	return true;
}

static bool do_hidden(const struct args *a)
{
	(void)a;
	return fake.hidden = true;
}

static bool do_closed(const struct args *a)
{
	(void)a;
	for (int i = 0; i < fake.sockets; i++)
		fake.socket[i].open = false;
	return true;
}

static void trace(enum trace_kind kind, int64_t tid, bool port)
{
	struct trace_event e = {
		.kind = kind, .tid = (int32_t)tid, .protocol = now.protocol, .src = now.src,
		.dst = now.dst, .socket = 0xffff888000000000 + (uint64_t)tid,
		.old_state = TCP_CLOSE, .new_state = TCP_SYN_SENT, .family = AF_INET,
	};

	if (!port)
		e.src.port = 0;
	fake_trace(&e);
}

/* As lookups.h has it. */
static bool do_connect(const struct args *a)
{
	bool tcp = now.protocol == IPPROTO_TCP, six = now.dst.addr.family == AF_INET6;

	if (tcp)
		trace(TRACE_STATE, number(a, 1, 0), false);
	if (!tcp || !six)
		trace(TRACE_LOOKUP, number(a, 1, 0), true);
	return true;
}

static bool do_boundconnect(const struct args *a)
{
	trace(TRACE_LOOKUP, number(a, 1, 0), true);
	trace(TRACE_STATE, number(a, 1, 0), true);
	return true;
}

/* RTM_GETROUTE, which every process may send. */
/* A lookup of which nothing more is known. */
static bool do_lookup(const struct args *a)
{
	trace(TRACE_LOOKUP, number(a, 1, 0), true);
	return true;
}

static bool do_forge(const struct args *a)
{
	struct trace_event send = { .kind = TRACE_SEND, .tid = (int32_t)number(a, 1, 0),
				    .family = AF_NETLINK, .result = 60 };

	trace(TRACE_LOOKUP, number(a, 1, 0), true);
	fake_trace(&send);
	return true;
}

static bool do_sent(const struct args *a)
{
	struct trace_event send = { .kind = TRACE_SEND, .tid = (int32_t)number(a, 1, 0),
				    .protocol = now.protocol, .family = AF_INET,
				    .result = number(a, 2, 60) };

	fake_trace(&send);
	return true;
}

static bool do_newtask(const struct args *a)
{
	struct trace_event e = { .kind = TRACE_TASK, .tid = (int32_t)number(a, 1, 0),
				 .other = (int32_t)number(a, 2, 0), .thread = number(a, 3, 0),
				 .same_memory = number(a, 4, 0) };

	fake_trace(&e);
	return true;
}

static bool do_disguise(const struct args *a)
{
	struct trace_event e = { .kind = TRACE_DISGUISE, .tid = (int32_t)number(a, 1, 0) };

	fake_trace(&e);
	return true;
}

/* So many threads as there is room for, of a process that nobody asked about. */
static bool do_flood(const struct args *a)
{
	struct trace_event e = { .kind = TRACE_TASK, .tid = 1, .thread = true };

	(void)a;
	for (e.other = 100000; e.other < 100000 + 8192; e.other++) {
		fake_trace(&e);
		rig_read_trace();
	}
	return true;
}

/* Who started whom is asked. */
static bool do_parents(const struct args *a)
{
	(void)a;
	rig_host()->ancestry = ancestry_new("/proc");
	return rig_host()->ancestry;
}

static bool do_exec(const struct args *a)
{
	static char name[64];
	struct trace_event e = { .kind = TRACE_EXEC_DONE, .tid = (int32_t)number(a, 1, 0),
				 .name = name };

	snprintf(name, sizeof(name), "%s", a->word[2]);
	fake_trace(&e);
	return true;
}

/* It is read one time later than what comes then. */
static bool do_lateexec(const struct args *a)
{
	static char name[64];

	snprintf(name, sizeof(name), "%s", a->word[2]);
	fake.late = (struct trace_event){ .kind = TRACE_EXEC_DONE, .time_ns = fake.mono_ns,
					  .tid = (int32_t)number(a, 1, 0), .name = name };
	fake.has_late = true;
	return true;
}

static bool do_lost(const struct args *a)
{
	(void)a;
	fake.lost++;
	return true;
}

static bool record(const struct args *a, enum event_kind kind, int64_t result)
{
	int64_t pid = number(a, 1, 0);
	const struct fake_process *p = NULL;
	static char exe[64];
	struct event e;

	for (int i = 0; i < fake.processes; i++)
		if (fake.process[i].pid == pid)
			p = &fake.process[i];
	snprintf(exe, sizeof(exe), "%s", p->exe ? p->exe : "");
	event_init(&e);
	e.kind = kind;
	e.time_us = fake.now_us;
	e.process.pid = pid;
	e.process.ppid = p->ppid;
	e.fd = number(a, 2, 3);
	e.inode = number(a, 3, -1);
	e.listener_inode = number(a, 4, -1);
	e.exit = result;
	e.process.uid = e.process.gid = e.process.euid = e.process.fsuid = p->uid;
	e.process.auid = p->auid;
	e.process.start_ticks = e.inode < 0 ? -1 : p->start_ticks;
	e.process.netns = e.inode < 0 ? -1 : p->netns;
	e.family = now.dst.addr.family;
	if (kind == EVENT_SOCKET) {
		e.protocol = now.protocol;
		e.type = now.protocol == IPPROTO_TCP ? SOCK_STREAM : SOCK_DGRAM;
	} else {
		e.addr = kind == EVENT_ACCEPT ? now.src.addr : now.dst.addr;
		e.port = kind == EVENT_ACCEPT ? now.src.port : now.dst.port;
	}
	e.process.comm = text_of("name");
	e.process.exe = text_of(exe);
	if (e.inode >= 0)
		fake_see(p, &e.process);
	now.outcome = rig_record(&e);
	return true;
}

static bool do_socket(const struct args *a)
{
	return record(a, EVENT_SOCKET, number(a, 2, 3));
}

static bool do_record(const struct args *a)
{
	return record(a, EVENT_CONNECT, now.protocol == IPPROTO_TCP ? -EINPROGRESS : 0);
}

/* A connect() that returned success: behind the packet, or it sent nothing. */
static bool do_deferred(const struct args *a)
{
	return record(a, EVENT_CONNECT, 0);
}

/* One that failed at once. */
static bool do_refused(const struct args *a)
{
	return record(a, EVENT_CONNECT, -EADDRNOTAVAIL);
}

static bool do_login(const struct args *a)
{
	fake_find(number(a, 1, 0))->auid = number(a, 2, 0);
	return true;
}

static bool do_sendrecord(const struct args *a)
{
	return record(a, EVENT_SEND, 0);
}

/* A bind() to the packet's local end. */
static bool do_bind(const struct args *a)
{
	struct endpoint peer = now.dst;
	bool done;

	now.dst = now.src;
	done = record(a, EVENT_BIND, 0);
	now.dst = peer;
	return done;
}

static bool do_accepted(const struct args *a)
{
	return record(a, EVENT_ACCEPT, 0);
}

static bool do_udp(const struct args *a)
{
	(void)a;
	now.protocol = IPPROTO_UDP;
	return true;
}

static bool do_icmp(const struct args *a)
{
	(void)a;
	now.protocol = IPPROTO_ICMP;
	return true;
}

static bool do_v6(const struct args *a)
{
	(void)a;
	return endpoint_parse("[2001:db8::1]:40000", &now.src) == 0 &&
	       endpoint_parse("[2001:db8::2]:443", &now.dst) == 0;
}

static bool do_in(const struct args *a)
{
	(void)a;
	now.hook = NF_INET_LOCAL_IN;
	now.uid = -1;
	return true;
}

/* link N: what is forwarded comes from the namespace N; 1: from outside; 0: it is not known. */
static bool do_link(const struct args *a)
{
	fake.link = (uint32_t)number(a, 1, 0);
	return true;
}

/* OUT IN: the interfaces of the packets that follow. */
static bool do_ifaces(const struct args *a)
{
	fake.out = (uint32_t)number(a, 1, 0);
	fake.in = (uint32_t)number(a, 2, 0);
	return true;
}

static bool do_forward(const struct args *a)
{
	(void)a;
	now.hook = NF_INET_FORWARD;
	now.uid = -1;
	return true;
}

static struct fake_socket *newest_socket(void)
{
	return &fake.socket[fake.sockets - 1];
}

/* It is bound to the interface that the packet leaves by. */
static bool do_todevice(const struct args *a)
{
	(void)a;
	newest_socket()->device = fake.out;
	return true;
}

static bool do_resent(const struct args *a)
{
	(void)a;
	return newest_socket()->entry.resent = true;
}

static bool die(const struct args *a, const struct endpoint *peer)
{
	bool in = now.hook == NF_INET_LOCAL_IN;

	fake.death[fake.deaths++ % FAKE_DEATHS] = (struct death){
		.protocol = now.protocol, .local = in ? now.dst : now.src,
		.peer = peer ? *peer : in ? now.src : now.dst,
		.cookie = (uint64_t)number(a, 1, 0), .bytes = number(a, 2, -1),
		.packets = number(a, 3, -1),
	};
	return true;
}

/* [COOKIE [BYTES PACKETS]]: the kernel says that the tuple's socket is dead. */
static bool do_dead(const struct args *a)
{
	return die(a, NULL);
}

/* The socket had no peer. */
static bool do_deadany(const struct args *a)
{
	struct endpoint any = { .addr.family = now.dst.addr.family };

	return die(a, &any);
}

static bool do_deathslost(const struct args *a)
{
	(void)a;
	return fake.deaths_lost = true;
}

/* [auto] */
static bool do_each(const struct args *a)
{
	rig_config()->each_datagram = a->count > 1 ? EACH_AUTO : EACH_YES;
	return true;
}

/* The main thread reads the trace. */
static bool do_drain(const struct args *a)
{
	(void)a;
	rig_read_trace();
	return true;
}

static bool do_src(const struct args *a)
{
	return endpoint_parse(a->word[1], &now.src) == 0;
}

/* The other way round. */
static bool do_answer(const struct args *a)
{
	struct endpoint peer = now.src;

	(void)a;
	now.src = now.dst;
	now.dst = peer;
	now.hook = NF_INET_LOCAL_OUT;
	now.uid = 1000;
	return true;
}

static bool do_user(const struct args *a)
{
	now.uid = number(a, 1, -1);
	return true;
}

/* Others have not marked the packet. */
static bool do_unmarked(const struct args *a)
{
	(void)a;
	now.mark = 0x30000;
	return true;
}

static bool do_sport(const struct args *a)
{
	now.src.port = (int32_t)number(a, 1, 0);
	return true;
}

static bool do_dport(const struct args *a)
{
	now.dst.port = (int32_t)number(a, 1, 0);
	return true;
}

static bool do_packet(const struct args *a)
{
	uint8_t data[64];
	size_t len = rig_ip(data, now.protocol, &now.src, &now.dst);

	data[len - 13] = now.sequence;
	fake.looks = 0;
	for (int64_t n = number(a, 1, 1); n > 0; n--)
		now.id = rig_packet(data, len, now.hook, now.mark, now.uid);
	return true;
}

/* With data: it may be of a send (TCP_FASTOPEN_CONNECT). */
static bool do_datapacket(const struct args *a)
{
	uint8_t data[64];
	size_t len = rig_ip(data, now.protocol, &now.src, &now.dst);

	(void)a;
	now.id = rig_packet(data, len + 1, now.hook, now.mark, now.uid);
	return true;
}

/* A SYN of another connection from now on. */
static bool do_sequence(const struct args *a)
{
	return (now.sequence = (uint8_t)number(a, 1, 0)) != 0;
}

/* The same, its ports behind a routing header of which the queue has copied the beginning alone. */
static bool do_cutpacket(const struct args *a)
{
	uint8_t data[64];

	(void)a;
	rig_ip(data, IPPROTO_ROUTING, &now.src, &now.dst);
	data[40] = (uint8_t)now.protocol;
	data[41] = 250;
	now.id = rig_packet(data, 60, now.hook, now.mark, now.uid);
	return true;
}

/* Each of another port. */
static bool do_packets(const struct args *a)
{
	static const struct args one = { .count = 1 };

	for (int64_t n = number(a, 1, 1); n > 0; n--, now.src.port++)
		do_packet(&one);
	return true;
}

static bool do_turn(const struct args *a)
{
	for (int64_t n = number(a, 1, 1); n > 0; n--)
		rig_turn();
	return true;
}

/* Milliseconds. */
static bool do_pass(const struct args *a)
{
	rig_pass_us(number(a, 1, 1) * 1000);
	return true;
}

static bool do_park(const struct args *a)
{
	rig_config()->park_us = number(a, 1, 0);
	return true;
}

static bool do_plugin(const struct args *a)
{
	rig_plugin(number(a, 1, 0) != 0);
	return true;
}

static bool do_observe(const struct args *a)
{
	rig_config()->enforce = number(a, 1, 0);
	return true;
}

static bool do_policy(const struct args *a)
{
	char text[256] = "";

	for (int i = 1; i < a->count; i++) {
		strcat(text, i > 1 ? " " : "");
		strcat(text, strcmp(a->word[i], "/") ? a->word[i] : "\n");
	}
	rig_policy(text);
	return true;
}

static bool do_end(const struct args *a)
{
	(void)a;
	rig_end();
	return true;
}

static bool do_broken(const struct args *a)
{
	(void)a;
	return fake.verdicts_fail = true;
}

#include "judge-answers.inc"

static const struct {
	const char *word;
	bool (*run)(const struct args *a);
} steps[] = {
	{ "proc", do_proc }, { "gone", do_gone }, { "ending", do_ending },
	{ "reborn", do_reborn }, { "netns", do_netns }, { "thread", do_thread },
	{ "hold", do_hold }, { "close", do_close },
	{ "call", do_call }, { "frozen", do_frozen }, { "sock", do_sock },
	{ "sockany", do_sockany },
	{ "closed", do_closed }, { "connect", do_connect }, { "boundconnect", do_boundconnect },
	{ "forge", do_forge }, { "lookup", do_lookup }, { "sent", do_sent },
	{ "newtask", do_newtask }, { "exec", do_exec },
	{ "lateexec", do_lateexec },
	{ "flood", do_flood }, { "parents", do_parents },
	{ "disguise", do_disguise }, { "lost", do_lost },
	{ "socket", do_socket }, { "hidden", do_hidden }, { "record", do_record },
	{ "sendrecord", do_sendrecord }, { "deferred", do_deferred },
	{ "refused", do_refused }, { "login", do_login }, { "doubted", is_doubted },
	{ "bind", do_bind }, { "accepted", do_accepted }, { "udp", do_udp },
	{ "icmp", do_icmp }, { "v6", do_v6 }, { "in", do_in }, { "forward", do_forward },
	{ "link", do_link }, { "ifaces", do_ifaces }, { "todevice", do_todevice },
	{ "crowded", do_crowded },
	{ "user", do_user }, { "unmarked", do_unmarked }, { "sport", do_sport },
	{ "dport", do_dport },
	{ "packet", do_packet }, { "cutpacket", do_cutpacket }, { "packets", do_packets },
	{ "turn", do_turn }, { "datapacket", do_datapacket },
	{ "pass", do_pass }, { "sequence", do_sequence }, { "park", do_park },
	{ "plugin", do_plugin },
	{ "observe", do_observe }, { "policy", do_policy }, { "end", do_end },
	{ "broken", do_broken }, { "resent", do_resent }, { "dead", do_dead },
	{ "deadany", do_deadany }, { "deathslost", do_deathslost }, { "each", do_each },
	{ "drain", do_drain }, { "src", do_src }, { "answer", do_answer },
	{ "marks", is_marks }, { "ended", is_ended }, { "parked", is_parked },
	{ "verdict", is_verdict }, { "prompt", is_prompt }, { "is", is_is },
	{ "confirmed", is_confirmed }, { "new", is_new }, { "by", is_by },
	{ "reason", is_reason }, { "exe", is_exe }, { "seen", is_seen }, { "see", do_see },
	{ "nopath", do_nopath }, { "users", do_users }, { "blind", do_blind },
	{ "group", do_group }, { "hash", do_hash }, { "hashed", do_hashed },
	{ "whole", is_whole }, { "young", do_young }, { "rule", is_rule }, { "rows", is_rows },
	{ "recorded", is_recorded },
	{ "records", is_records }, { "proven", is_proven }, { "counter", is_counter },
	{ "next", is_next }, { "listed", is_listed },
};

static bool run_step(char *step)
{
	struct args a = { .count = 0 };
	char *save;

	for (char *w = strtok_r(step, " ", &save); w && a.count < 8; w = strtok_r(NULL, " ", &save))
		a.word[a.count++] = w;
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		if (!strcmp(steps[i].word, a.word[0]))
			return steps[i].run(&a);
	abort();
}

enum mode { TRACE, BARE };

struct script {
	enum mode mode;
	const char *what, *text;
};

static void run_script(const struct script *s)
{
	char text[1024], step[128], *save;
	bool good = true;

	rig_begin(usual_policy, s->mode == TRACE);
	now.protocol = IPPROTO_TCP;
	now.hook = NF_INET_LOCAL_OUT;
	now.uid = 1000;
	now.mark = 0x30000 | MARK_OTHERS;
	endpoint_parse("10.0.0.1:40000", &now.src);
	endpoint_parse("192.0.2.1:443", &now.dst);
	snprintf(text, sizeof(text), "%s", s->text);
	for (char *at = strtok_r(text, ";", &save); good && at; at = strtok_r(NULL, ";", &save)) {
		snprintf(step, sizeof(step), "%s", at);
		good = run_step(step);
		if (!good)
			tap_note("step: %s", at);
	}
	rig_end();
	for (uint32_t id = 0; id < rig_packets(); id++)
		good &= fake.verdict[id].count == 1;
	tap_ok(good, "%s: %s", s->mode == TRACE ? "with trace" : "without", s->what);
}

static const struct script scripts[] = {
#include "judge-situations.inc"
#include "judge-holders.inc"
};

int main(void)
{
	for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++)
		run_script(&scripts[i]);
	return tap_done();
}
