/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who made which socket, as records tell, and who makes room. */
#include "event.h"
#include "makers.h"
#include "tap.h"

#define ROOM 8192

static struct makers *m;

static void make(int64_t pid, int64_t fd, int64_t inode, int64_t uid, int64_t time_us)
{
	struct event e;

	event_init(&e);
	e.kind = EVENT_SOCKET;
	e.process.pid = pid;
	e.process.uid = e.process.euid = e.process.fsuid = uid;
	e.process.exe = text_of("/program");
	e.fd = fd;
	e.inode = inode;
	e.time_us = time_us;
	makers_add(m, &e);
}

static int64_t maker(int64_t inode, int64_t pid, int64_t fd)
{
	const struct maker *k = makers_find(m, inode, pid, fd);

	return k ? k->pid : -2;
}

static void test_socket(void)
{
	m = makers_new();
	tap_ok(maker(7000, 100, 3) == -2, "nobody is known");
	make(100, 3, 7000, 1000, 1);
	tap_ok(maker(7000, 200, 9) == 100, "who made a socket, whoever holds it");
	tap_ok(maker(7001, 100, 3) == -2, "and no other one");
	make(101, 4, 7000, 1000, 2);
	tap_ok(maker(7000, 100, 3) == 101, "of two records of one socket the newer counts");
	makers_free(m);
}

static void test_descriptor(void)
{
	m = makers_new();
	make(100, 3, -1, 1000, 2);
	tap_ok(maker(7000, 100, 3) == 100, "one that nobody saw, by its descriptor");
	tap_ok(maker(7000, 100, 4) == -2 && maker(7000, 101, 3) == -2, "which is that one's");
	make(100, 3, -1, 1000, 1);
	tap_ok(makers_find(m, 7000, 100, 3)->time_us == 2, "a record that comes late is older");
	make(100, 3, 7001, 1000, 3);
	tap_ok(maker(7000, 100, 3) == -2, "another socket that is seen there is the newer one");
	make(200, 9, -1, 1000, 4);
	tap_ok(maker(7001, 100, 3) == 100 && maker(7001, 200, 9) == 200,
	       "where nobody saw a later one at the holder's descriptor, it may be that one");
	make(200, 9, -1, 1000, 2);
	make(201, 9, -1, 1000, 2);
	tap_ok(maker(7001, 201, 9) == 100, "not an earlier one");
	makers_free(m);
}

static void test_old(void)
{
	m = makers_new();
	makers_old(m, 7000, 1000, 5);
	tap_ok(maker(7000, 100, 3) == -1 && makers_find(m, 7000, 100, 3)->since_ns == 5,
	       "a socket that was there already");
	make(100, 3, 7000, 1000, 1);
	makers_old(m, 7000, 1000, 6);
	tap_ok(maker(7000, 100, 3) == 100, "its record says more, and stays");
	makers_old(m, 0, 1000, 6);
	tap_ok(maker(0, -1, -1) == -2, "one without an inode is none");
	makers_free(m);
}

static void test_room(void)
{
	m = makers_new();
	make(100, 3, 1, 1000, 1);
	make(200, 3, 2, 1001, 1);
	make(201, 3, 3, 1001, 1);
	for (int64_t n = 0; n < ROOM - 3; n++)
		make(300, 3, 1000 + n, 1002, 1);
	maker(2, 0, 0);
	tap_ok(maker(1, 0, 0) == 100 && maker(1000, 0, 0) == 300, "there is room for all");
	make(300, 3, 100000, 1002, 1);
	tap_ok(maker(1, 0, 0) == 100 && maker(3, 0, 0) == 201 && maker(100000, 0, 0) == 300,
	       "of one user's many one makes room");
	tap_ok(maker(1000, 0, 0) == 300 && maker(1001, 0, 0) == -2,
	       "the one that nobody asked for the longest");
	makers_free(m);
}

int main(void)
{
	test_socket();
	test_descriptor();
	test_old();
	test_room();
	return tap_done();
}
