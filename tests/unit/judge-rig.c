/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A judge with all parts that the daemon would give it. */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "ancestry.h"
#include "clock.h"
#include "config.h"
#include "diag.h"
#include "host.h"
#include "judge-rig.h"
#include "lookups.h"
#include "nfqueue.h"
#include "pairing.h"
#include "policy.h"
#include "sole.h"
#include "tasks.h"

static struct rig {
	struct config config;
	struct host host;
	struct judge *judge;
	struct outcome outcome;
	uint32_t packets;
	int64_t lag_us;
	uint32_t serial;
	atomic_bool written;
} rig;

static struct policy *read_policy(const char *text)
{
	struct diags d = { .out = stderr };
	struct policy *p;

	if (policy_parse("policy", text, strlen(text), &d, &p))
		abort();
	return p;
}

void rig_begin(const char *policy, bool trace)
{
	static char node[] = "host";
	struct judge_tools tools = {
		.config = &rig.config, .host = &rig.host,
		.deaths = (struct deaths *)&rig,	/* as the trace below */
	};

	rig_end();
	fake_reset();
	/* The memory of the last one is good for the next: giving it back takes longer than all
	 * that is done with it. */
	mallopt(M_MMAP_THRESHOLD, 32 << 20);
	mallopt(M_TRIM_THRESHOLD, 64 << 20);
	rig = (struct rig){
		.config = { .node = node, .mark = 0x30000, .park_us = 5000, .late_us = 3000,
			    .enforce = true, .each_datagram = EACH_NO },
		.serial = 100, .written = true,
	};
	rig.host = (struct host){
		.hashes = (struct file_hashes *)&rig,	/* nobody looks into it */
		.pairing = pairing_new(1), .lookups = lookups_new(), .tasks = tasks_new(),
		.pid = 4000, .netns = FAKE_NETNS, .cache_written = &rig.written,
		.links = (struct links *)&rig,
		/* The fakes never look at the handles that they are given. */
		.tracefs = trace ? (struct tracefeed *)&rig : NULL, .sees_exec = trace,
	};
	rig.host.observer = observer_new(rig.host.pairing);
	rig.host.sole = sole_new(NULL);
	rig.judge = judge_new(&tools, read_policy(policy));
	if (!rig.host.pairing || !rig.host.observer || !rig.host.lookups || !rig.host.tasks ||
	    !rig.judge)
		abort();
}

void rig_plugin(bool there)
{
	atomic_store(&rig.written, there);
}

void rig_end(void)
{
	if (rig.judge)
		judge_end(rig.judge);
	judge_free(rig.judge);
	observer_free(rig.host.observer);
	pairing_free(rig.host.pairing);
	lookups_free(rig.host.lookups);
	tasks_free(rig.host.tasks);
	sole_free(rig.host.sole);
	ancestry_free(rig.host.ancestry);
	rig.judge = NULL;
	rig.host = (struct host){ .netns = 0 };
}

void rig_hashes_came(void)
{
	judge_hashes_came(rig.judge);
}

void rig_policy(const char *policy)
{
	judge_set_policy(rig.judge, read_policy(policy));
}

struct host *rig_host(void)
{
	return &rig.host;
}

struct config *rig_config(void)
{
	return &rig.config;
}

uint32_t rig_packet(const uint8_t *data, size_t len, uint8_t hook, uint32_t mark, int64_t uid)
{
	struct nfqueue_packet p = {
		.taken_ns = fake.mono_ns, .since_ns = fake.mono_ns - rig.lag_us * 1000,
		.link = fake.link, .in = fake.in, .out = fake.out,
		.id = { .id = rig.packets, .queue = (uint16_t)(rig.packets % 3) }, .hook = hook,
		.mark = mark, .uid = uid, .gid = uid, .data = data, .len = len,
	};

	host_read_trace(&rig.host);
	judge_begin(rig.judge);
	judge_packet(rig.judge, &p);
	return rig.packets++;
}

const struct outcome *rig_record(struct event *e)
{
	e->seq = e->serial = rig.serial++;
	e->arrival_us = fake.now_us;
	observer_clock(rig.host.observer, clock_now_us(), clock_mono_ns());
	observer_event(rig.host.observer, e, false, &rig.outcome);
	if (rig.outcome.change.kind == CHANGE_CONFIRM)
		judge_late_record(rig.judge, &rig.outcome);
	judge_event(rig.judge, e);
	return &rig.outcome;
}

int rig_turn(void)
{
	return judge_poll(rig.judge);
}

void rig_read_trace(void)
{
	host_read_trace(&rig.host);
}

void rig_publish(void)
{
	judge_publish(rig.judge);
}

void rig_pass_us(int64_t us)
{
	fake.mono_ns += us * 1000;
	fake.now_us += us;
}

void rig_lag_us(int64_t us)
{
	rig.lag_us = us;
}

uint32_t rig_packets(void)
{
	return rig.packets;
}

size_t rig_ip(uint8_t to[64], int protocol, const struct endpoint *src, const struct endpoint *dst)
{
	bool six = dst->addr.family == AF_INET6;
	size_t head = six ? 40 : 20;
	uint8_t *transport = to + head;

	memset(to, 0, 64);
	if (six) {
		to[0] = 0x60;
		to[5] = 20;
		to[6] = (uint8_t)protocol;
		to[7] = 64;
		memcpy(to + 8, src->addr.bytes, 16);
		memcpy(to + 24, dst->addr.bytes, 16);
	} else {
		to[0] = 0x45;
		to[3] = 40;
		to[8] = 64;
		to[9] = (uint8_t)protocol;
		memcpy(to + 12, src->addr.bytes, 4);
		memcpy(to + 16, dst->addr.bytes, 4);
	}
	transport[0] = (uint8_t)(src->port >> 8);
	transport[1] = (uint8_t)src->port;
	transport[2] = (uint8_t)(dst->port >> 8);
	transport[3] = (uint8_t)dst->port;
	transport[12] = 0x50;
	transport[13] = 2;	/* SYN */
	return head + 20;
}
