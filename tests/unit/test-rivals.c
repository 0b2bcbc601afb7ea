/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whose call may have sent whose packet, as records and packets come. */
#include <stdlib.h>

#include "rivals.h"
#include "tap.h"
#include "tuple.h"

static struct rivals *r;
static uint64_t rows[8192];
static int64_t pids[8192];
static int row_count, pid_count;

static void on_row(uint64_t row, void *arg)
{
	(void)arg;
	rows[row_count++] = row;
}

static void on_pid(int64_t pid, void *arg)
{
	(void)arg;
	pids[pid_count++] = pid;
}

static struct endpoint to(const char *text)
{
	struct endpoint e;

	if (endpoint_parse(text, &e))
		abort();
	return e;
}

/* How many rows it may have sent the packet of.  auid: that of its login. */
static int call_of(const char *place, int64_t pid, int64_t uid, int64_t auid, int64_t entry_us,
		   int64_t returned_us)
{
	const struct endpoint at = to(place);
	const struct rival_call c = { .pid = pid, .uid = uid, .auid = auid, .entry_us = entry_us,
				      .returned_us = returned_us };

	row_count = 0;
	rivals_call(r, &at, &c, on_row, NULL);
	return row_count;
}

static int call_at(const char *place, int64_t pid, int64_t entry_us, int64_t returned_us)
{
	return call_of(place, pid, 1000, 1000, entry_us, returned_us);
}

static void row(const char *place, uint64_t id, int64_t time_us, int64_t uid)
{
	const struct endpoint at = to(place);

	rivals_row(r, &at, id, time_us, uid);
}

static int so_far(const char *place, int64_t since_us, int64_t uid)
{
	const struct endpoint at = to(place);

	pid_count = 0;
	rivals_so_far(r, &at, since_us, uid, on_pid, NULL);
	return pid_count;
}

static void test_rows(void)
{
	row("10.0.0.1:80", 7, 5000, 1000);
	row("10.0.0.1:81", 8, 5000, 1000);
	row("10.0.0.1:80", 9, 6000, 1000);
	tap_ok(call_at("10.0.0.1:80", 100, 5001, 7000) == 1 && rows[0] == 9,
	       "a call that began after a packet has not sent it");
	tap_ok(call_at("10.0.0.1:80", 100, 4000, 7000) == 1 && rows[0] == 7,
	       "one that began before it may have, and each process is told once");
	tap_ok(call_at("10.0.0.1:80", 101, 4000, 7000) == 2, "another process's as well");
	tap_ok(!call_at("10.0.0.1:80", 102, 4000, 7000), "two are enough, whoever the row names");
	tap_ok(call_at("10.0.0.1:81", 102, 4000, 7000) == 1, "each place by itself");
	row("10.0.0.1:82", 13, 5000, 1000);
	row("[::1]:82", 14, 5000, 1000);
	tap_ok(call_at("0.0.0.0:82", 100, 4000, 7000) == 2 &&
	       call_at("[::]:82", 101, 4000, 7000) == 2 && !call_at("0.0.0.0:83", 100, 4000, 7000),
	       "one to no address goes to any of the host's");
	row("127.0.0.1:86", 15, 8000, 1000);
	row("127.0.0.1:85", 16, 7000, 1000);
	tap_ok(call_at("0.0.0.0:86", 103, 7500, 9000) == 1 && rows[0] == 15,
	       "also where rows come in another order than their packets");
	row("[2001:db8::1]:80", 10, 5000, 1000);
	tap_ok(!call_of("[2001:db8::1]:80", 100, 2000, 2000, 1, 2) &&
	       !call_of("[2001:db8::1]:80", 100, 2000, -1, 1, 2),
	       "who is of another user holds none of this one's sockets");
	tap_ok(call_of("[2001:db8::1]:80", 100, 165536, 1000, 1, 2) == 1,
	       "a login's process may, by whatever number in a namespace");
	row("[2001:db8::1]:80", 11, 5000, 165537);
	tap_ok(call_of("[2001:db8::1]:80", 101, 1000, 1000, 1, 2) == 2 &&
	       rows[0] == 11, "and one of such a number may be anybody's");
	row("[2001:db8::1]:80", 12, 5000, -1);
	tap_ok(call_of("[2001:db8::1]:80", 101, 2000, 2000, 1, 2) == 1 && rows[0] == 12,
	       "and one of nobody known");
}

static void test_so_far(void)
{
	call_at("10.0.1.1:80", 200, 1000, 5000);
	call_at("10.0.1.1:80", 201, 1000, 6000);
	tap_ok(so_far("10.0.1.1:80", 5500, 1000) == 1 && pids[0] == 201,
	       "a call that had returned before the packet left has not sent it");
	tap_ok(so_far("10.0.1.1:80", 5000, 1000) == 2, "one that had not may have");
	call_at("0.0.0.0:84", 202, 1000, 6000);
	tap_ok(so_far("10.0.1.1:84", 5500, 1000) == 1, "to the packet's place, or to none");
	tap_ok(!so_far("10.0.1.1:80", 5000, 1001) && so_far("10.0.1.1:80", 5000, -1) == 2 &&
	       !so_far("10.0.1.2:80", 0, 1000), "of that user, to that place");
}

/* The oldest make room, and nothing that is told is of another's. */
static void test_many(void)
{
	bool good = true;

	for (int i = 0; i < 20000; i++)
		row(i % 2 ? "10.0.2.1:80" : "10.0.2.1:81", 100000 + (uint64_t)i, 5000, 1000);
	tap_ok(call_at("10.0.2.1:80", 300, 1, 9000) == 2048, "the newest rows are kept: %d",
	       row_count);
	for (int i = 0; i < row_count; i++)
		good = good && rows[i] % 2 && rows[i] > 115000;
	tap_ok(good, "of that place alone");
	for (int i = 0; i < 20000; i++)
		call_at(i % 2 ? "10.0.3.1:80" : "10.0.3.1:81", 1000 + i, 1, 9000);
	good = so_far("10.0.3.1:80", 0, 1000) == 1024;
	for (int i = 0; i < pid_count; i++)
		good = good && pids[i] % 2 && pids[i] > 1000 + 17950;
	tap_ok(good, "and the newest calls: %d", pid_count);
	tap_ok(!so_far("10.0.1.1:80", 0, 1000), "of older ones nothing is left");
}

int main(void)
{
	r = rivals_new();
	test_rows();
	test_so_far();
	test_many();
	rivals_free(r);
	return tap_done();
}
