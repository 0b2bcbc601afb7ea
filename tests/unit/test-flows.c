/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Packets and their records: which belongs to which, and that each is used once. */
#include <netinet/in.h>
#include <string.h>

#include "flows.h"
#include "tap.h"

static struct endpoint to(const char *text)
{
	struct endpoint e;

	if (endpoint_parse(text, &e))
		printf("Bail out! %s\n", text);
	return e;
}

static void add(struct flows *f, uint64_t id, const char *peer, int64_t inode, int64_t pid, int64_t uid,
		int64_t time_us)
{
	flows_add(f, &(struct flow){ .id = id, .protocol = IPPROTO_TCP, .peer = to(peer),
				     .inode = inode, .pid = pid, .uid = uid, .time_us = time_us,
				     .open = true });
}

static uint64_t match(struct flows *f, const char *peer, int64_t inode, int64_t pid, int64_t ppid,
		      int64_t uid, int64_t time_us)
{
	struct endpoint dst = to(peer);
	struct flow *flow;
	struct event e;

	event_init(&e);
	e.inode = inode;
	e.pid = pid;
	e.ppid = ppid;
	e.uid = e.euid = e.fsuid = uid;
	e.time_us = time_us;
	flow = flows_match(f, &e, IPPROTO_TCP, &dst);
	return flow ? flow->id : 0;
}

int main(void)
{
	struct flows *f = flows_new();
	struct endpoint dst = to("192.0.2.1:80");
	struct flow *flow;

	add(f, 1, "192.0.2.1:80", 50, 100, 0, 1000000);
	add(f, 2, "192.0.2.1:80", 51, 100, 0, 1000100);
	add(f, 3, "192.0.2.1:80", -1, -1, 33, 1000200);
	add(f, 4, "192.0.2.2:80", 52, 101, 0, 1000300);
	tap_ok(match(f, "192.0.2.1:80", 51, 100, 1, 0, 1000000) == 2, "the one of its socket");
	tap_ok(match(f, "192.0.2.1:80", -1, 100, 1, 0, 1000000) == 1, "then the one of its process");
	tap_ok(match(f, "192.0.2.1:80", -1, 100, 1, 0, 1000000) == 0, "each once");
	tap_ok(match(f, "192.0.2.1:80", -1, 200, 1, 34, 1000000) == 0, "not another user's");
	tap_ok(match(f, "192.0.2.1:80", -1, 200, 1, 33, 1000000) == 3, "nobody's is its user's");
	tap_ok(match(f, "192.0.2.2:81", 52, 101, 1, 0, 1000000) == 0, "not to another port");
	tap_ok(match(f, "192.0.2.2:80", 53, 101, 1, 0, 1000000) == 0, "not another socket's");
	tap_ok(match(f, "192.0.2.2:80", -1, 102, 1, 0, 1000000) == 0, "not another process's");
	tap_ok(match(f, "192.0.2.2:80", -1, 101, 1, 0, 1100000) == 0, "not one from before the call");
	tap_ok(match(f, "192.0.2.2:80", -1, 101, 1, 0, 1000300 - 3000000) == 0,
	       "not one from long after the call began");
	tap_ok(match(f, "192.0.2.2:80", -1, 102, 101, 0, 1000000) == 4, "a child's, by its parent's socket");

	add(f, 5, "192.0.2.1:80", -1, 300, 7, 2000000);
	add(f, 6, "192.0.2.1:80", -1, 301, 7, 2000001);
	flows_close(f, 5);
	flow = flows_take(f, IPPROTO_TCP, &dst, 7, 2000100);
	tap_ok(flow && flow->id == 6, "a record for a packet, the closed one left out");
	tap_ok(!flows_take(f, IPPROTO_TCP, &dst, 7, 2000100), "once");

	for (uint64_t i = 0; i < 10000; i++)
		add(f, 100 + i, "192.0.2.9:9", -1, 400, 0, 3000000);
	tap_ok(match(f, "192.0.2.9:9", -1, 400, 1, 0, 3000000) == 100 + 10000 - 4096,
	       "when it is full the oldest has gone");
	flows_free(f);
	return tap_done();
}
