/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Events for an observer, and what comes of them: shared by the tests of observe.c. */
#ifndef SOCKLEDGER_OBSERVING_H
#define SOCKLEDGER_OBSERVING_H

#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "clock.h"
#include "observe.h"
#include "pairing.h"
#include "tap.h"

#define T0 (1700000000 * TIME_US_PER_S)
#define HALF_HOUR (1800 * TIME_US_PER_S)
#define FIRST_ID 1000

static struct observer *o;
static struct pairing *pairing;
static struct outcome out;
static uint32_t serial;
static int64_t now_us;

__attribute__((unused)) static void fresh(void)
{
	observer_free(o);
	pairing_free(pairing);
	pairing = pairing_new(FIRST_ID);
	o = pairing ? observer_new(pairing) : NULL;
	if (!o)
		abort();
	serial = 100;
	now_us = T0;
}

/* An event of process 101, a child of 100, whose program the plugin saw, and nothing else. */
__attribute__((unused)) static struct event make(enum event_kind kind, int64_t fd, int64_t exit)
{
	struct event e;

	event_init(&e);
	e.kind = kind;
	e.seq = serial;
	e.serial = serial++;
	e.time_us = e.arrival_us = now_us += 1000;
	e.process.pid = 101;
	e.process.ppid = 100;
	e.fd = fd;
	e.exit = exit;
	e.process.uid = e.process.gid = e.process.euid = e.process.fsuid = 0;
	e.process.auid = 1000;
	e.process.comm = text_of("curl");
	e.process.exe = text_of("/usr/bin/curl");
	e.process.exe_seen = EXE_HERE;
	return e;
}

__attribute__((unused)) static struct event make_socket(int64_t fd, int64_t protocol)
{
	struct event e = make(EVENT_SOCKET, fd, fd);

	e.family = AF_INET;
	e.type = protocol == IPPROTO_UDP ? SOCK_DGRAM : SOCK_STREAM;
	e.protocol = protocol;
	return e;
}

__attribute__((unused)) static void set_address(struct event *e, const char *address, int port)
{
	if (address_parse(address, &e->addr))
		abort();
	e->family = e->addr.family;
	e->port = port;
}

__attribute__((unused)) static struct event make_connect(int64_t fd, const char *address, int port,
							 int64_t exit)
{
	struct event e = make(EVENT_CONNECT, fd, exit);

	set_address(&e, address, port);
	return e;
}

__attribute__((unused)) static struct event make_bind(int64_t fd, const char *address, int port,
						      int64_t exit)
{
	struct event e = make(EVENT_BIND, fd, exit);

	set_address(&e, address, port);
	return e;
}

__attribute__((unused)) static enum change_kind give(struct event e)
{
	/* The texts belong to the event: out has to be read before the next one. */
	static struct event kept;

	kept = e;
	memset(&out, 0x55, sizeof(out));
	observer_event(o, &kept, false, &out);
	return out.change.kind;
}

__attribute__((unused)) static enum change_kind replay(struct event e)
{
	static struct event kept;

	kept = e;
	memset(&out, 0x55, sizeof(out));
	observer_event(o, &kept, true, &out);
	return out.change.kind;
}

__attribute__((unused)) static bool is_new(struct event e, int protocol)
{
	enum change_kind kind = give(e);

	if (kind == CHANGE_ADD && out.change.connection.protocol == protocol)
		return true;
	tap_note("outcome %d, protocol %d", kind,
		 kind == CHANGE_ADD ? out.change.connection.protocol : 0);
	return false;
}

__attribute__((unused)) static bool is_again(struct event e, uint64_t id)
{
	enum change_kind kind = give(e);

	if (kind == CHANGE_AGAIN && out.change.connection.id == id &&
	    out.change.connection.result == e.exit)
		return true;
	tap_note("outcome %d, id %" PRIu64, kind,
		 kind == CHANGE_AGAIN ? out.change.connection.id : 0);
	return false;
}

__attribute__((unused)) static bool is_nothing(struct event e)
{
	return give(e) == CHANGE_NONE;
}

#endif
