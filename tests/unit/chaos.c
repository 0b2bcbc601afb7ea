/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random events on the made-up host.  Addresses, ports, inodes, pids and users are few, so that
 * packets meet sockets, records meet packets, and lookups meet both.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/netfilter.h>

#include "chaos.h"
#include "config.h"
#include "judge-rig.h"

#define PIDS 24
#define INODES 24
#define PACKET_MAX 320

static const char *const programs[] = { "/good", "/plain", "/evil", NULL };

static const char *const policies[] = {
	"allow exe /good certain\nallow exe /plain\ndefault deny\nunattributed reject\n",
	"allow certain\nreject not exe /plain\nunattributed deny\n",
	"deny user us*\nallow parent /plain certain\nreject unit *\ndefault allow\n",
	"default allow\n",
};

static uint32_t draw(const struct chaos *c, uint32_t n)
{
	return c->draw(c->arg, n);
}

void chaos_begin(const struct chaos *c)
{
	rig_begin(policies[draw(c, 4)], draw(c, 2));
	for (int64_t pid = 100; pid < 100 + PIDS / 2; pid++)
		fake_process(pid, 100, pid % 2 ? 1000 : 2000, programs[pid % 3]);
}

static struct endpoint endpoint(const struct chaos *c, bool six, bool local)
{
	static const int32_t remote[] = { 443, 53, 8000 };
	struct endpoint e = { .port = local ? (int32_t)(40000 + draw(c, 12)) : remote[draw(c, 3)] };

	e.addr.family = six ? AF_INET6 : AF_INET;
	e.addr.bytes[0] = six ? 0x20 : 10;
	e.addr.bytes[six ? 15 : 3] = (uint8_t)(local ? 1 : 2 + draw(c, 2));
	return e;
}

static int protocol(const struct chaos *c)
{
	static const int protocols[] = { IPPROTO_TCP, IPPROTO_TCP, IPPROTO_UDP, IPPROTO_UDP,
					 IPPROTO_SCTP, IPPROTO_UDPLITE, IPPROTO_ICMP,
					 IPPROTO_ICMPV6 };

	return protocols[draw(c, 8)];
}

/* A whole packet with what may stand before its ports; its length. */
static size_t whole(const struct chaos *c, uint8_t data[PACKET_MAX], uint8_t hook)
{
	bool six = draw(c, 3) == 0;
	struct endpoint here = endpoint(c, six, true), there = endpoint(c, six, false);
	bool in = hook == NF_INET_LOCAL_IN;
	int transport = protocol(c);
	size_t len = rig_ip(data, transport, in ? &there : &here, in ? &here : &there);

	if (six && draw(c, 4) == 0) {
		/* a header of options between */
		memmove(data + 48, data + 40, len - 40);
		memset(data + 40, 0, 8);
		data[40] = data[6];
		data[6] = IPPROTO_DSTOPTS;
		len += 8;
	}
	return len;
}

void chaos_packet(const struct chaos *c)
{
	static const uint8_t hooks[] = { NF_INET_LOCAL_OUT, NF_INET_LOCAL_OUT, NF_INET_LOCAL_OUT,
					 NF_INET_LOCAL_IN, NF_INET_FORWARD, NF_INET_POST_ROUTING };
	static const int64_t uids[] = { 1000, 1000, 2000, 0, -1 };
	uint8_t hook = hooks[draw(c, 6)], data[PACKET_MAX];
	size_t len = whole(c, data, hook);
	uint32_t how = draw(c, 8);
	uint8_t *exact;

	for (uint32_t n = how == 1 ? 1 + draw(c, 4) : 0; n > 0; n--)
		data[draw(c, (uint32_t)len)] ^= (uint8_t)(1u << draw(c, 8));
	if (how == 2)
		len = draw(c, (uint32_t)len);
	for (len = how == 3 ? draw(c, 64) : len, how = how == 3 ? (uint32_t)len : 0; how > 0; how--)
		data[how - 1] = (uint8_t)draw(c, 256);
	/* In memory of just its size: a step behind its end is seen. */
	exact = malloc(len ? len : 1);
	if (!exact)
		abort();
	memcpy(exact, data, len);
	rig_packet(exact, len, hook, draw(c, 4) << 16 | draw(c, 2), uids[draw(c, 5)]);
	free(exact);
}

static void record(const struct chaos *c)
{
	static const int64_t exits[] = { 0, -EINPROGRESS, -EPERM, -ECONNREFUSED };
	int64_t pid = 100 + draw(c, PIDS);
	const struct fake_process *p = fake_find(pid);
	bool six = draw(c, 3) == 0;
	struct endpoint peer = endpoint(c, six, false);
	struct event e;

	event_init(&e);
	e.kind = (enum event_kind)(EVENT_SOCKET + draw(c, EVENT_KINDS - EVENT_SOCKET));
	e.time_us = fake.now_us - draw(c, 20000);
	e.process.pid = pid;
	e.process.ppid = 100;
	e.fd = (int64_t)draw(c, 5) - 1;
	e.exit = e.kind == EVENT_SOCKET ? e.fd : exits[draw(c, 4)];
	e.inode = draw(c, 2) ? -1 : (int64_t)(7000 + draw(c, INODES));
	e.process.start_ticks = p && e.inode > 0 ? p->start_ticks : -1;
	e.process.netns = p && e.inode > 0 ? p->netns : -1;
	e.process.uid = e.process.fsuid = e.process.euid = pid % 2 ? 1000 : 2000;
	e.family = six ? AF_INET6 : AF_INET;
	e.protocol = draw(c, 2) ? protocol(c) : -1;
	e.type = SOCK_STREAM;
	if (e.kind != EVENT_SOCKET) {
		e.addr = peer.addr;
		e.port = peer.port;
	}
	e.process.exe = text_of(programs[draw(c, 3)]);
	e.process.cgroup = text_of(draw(c, 2) ? "/system.slice/x.service" : "");
	e.node = draw(c, 16) ? TEXT_NONE : text_of("elsewhere");
	rig_record(&e);
}

static void trace(const struct chaos *c)
{
	bool six = draw(c, 3) == 0;
	struct trace_event e = {
		.kind = (enum trace_kind)draw(c, TRACE_EXEC_DONE + 1),
		.tid = 99 + (int32_t)draw(c, PIDS + 8), .interrupt = !draw(c, 16),
		.protocol = protocol(c), .src = endpoint(c, six, true),
		.dst = endpoint(c, six, false),
		.socket = draw(c, 4), .old_state = TCP_CLOSE,
		.family = draw(c, 2) ? AF_INET : AF_NETLINK,
		.new_state = draw(c, 4) ? TCP_SYN_SENT : TCP_CLOSE,
		.result = (int64_t)draw(c, 3) - 1,
		.other = 99 + (int32_t)draw(c, PIDS + 8), .thread = draw(c, 2), .name = "/plain",
	};

	if (draw(c, 2))
		e.src.port = 0;
	if (fake.traced < FAKE_TRACE)
		fake_trace(&e);
	fake.lost += !draw(c, 64);
}

static void process(const struct chaos *c)
{
	int64_t pid = 100 + draw(c, PIDS);
	struct fake_process *p = fake_find(pid);
	struct fake_fd *f;

	if (!p) {
		fake_process(pid, 100 + draw(c, PIDS), pid % 2 ? 1000 : 2000, programs[draw(c, 4)]);
		return;
	}
	switch (draw(c, 8)) {
	case 0:
		p->alive = false;
		break;
	case 1:
		p->netns = FAKE_NETNS + draw(c, 2);
		break;
	case 2:
		p->start_ticks += draw(c, 8000);
		break;
	default:
		f = fake_hold(p, draw(c, 4), draw(c, 8) ? (int64_t)(7000 + draw(c, INODES)) : -1);
		f->calling = draw(c, 2);
		break;
	}
}

static void sockets(const struct chaos *c)
{
	bool six = draw(c, 3) == 0;
	struct endpoint local = endpoint(c, six, true), peer = endpoint(c, six, false);
	uint32_t any = draw(c, 4);

	if (any < 2)
		memset(&peer, 0, sizeof(peer));
	if (any < 1)
		memset(local.addr.bytes, 0, sizeof(local.addr.bytes));
	if (fake.sockets == FAKE_SOCKETS)
		fake.sockets = (int)draw(c, FAKE_SOCKETS);
	fake_socket(protocol(c), &local, &peer, 7000 + draw(c, INODES), draw(c, 2) ? 1000 : 2000);
}

static void settings(const struct chaos *c)
{
	switch (draw(c, 4)) {
	case 0:
		rig_policy(policies[draw(c, 4)]);
		break;
	case 1:
		rig_config()->enforce = draw(c, 2);
		break;
	case 2:
		rig_config()->park_us = draw(c, 3) * 2000;
		break;
	default:
		fake.verdicts_fail = !draw(c, 4);
		break;
	}
}

void chaos_event(const struct chaos *c)
{
	switch (draw(c, 16)) {
	case 0:
	case 1:
	case 2:
		record(c);
		break;
	case 3:
	case 4:
	case 5:
		trace(c);
		break;
	case 6:
	case 7:
		process(c);
		break;
	case 8:
		sockets(c);
		break;
	case 9:
		if (!draw(c, 8))
			settings(c);
		break;
	case 10:
		rig_pass_us(draw(c, 8) ? draw(c, 1000) : draw(c, 40000000));
		break;
	default:
		rig_turn();
		rig_pass_us(draw(c, 200));
		break;
	}
}

int64_t chaos_end(void)
{
	int64_t wrong = 0;

	rig_publish();
	rig_end();
	for (uint32_t id = 0; id < rig_packets(); id++)
		wrong += fake.verdict[id].count != 1 || fake.verdict[id].queue != id % 3;
	return wrong + (fake.twice != 0) + (fake.verdicts != rig_packets());
}
