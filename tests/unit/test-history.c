/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who was which process at which time, as a log has it; against what each event says. */
#include <stdlib.h>

#include "connection.h"
#include "event.h"
#include "history.h"
#include "tap.h"

static struct history *h;
static int64_t now_us;
static uint32_t serial;

static void give(enum event_kind kind, const char *node, int pid, int ppid, const char *exe,
		 const char *cmdline, int exit)
{
	struct event e;

	event_init(&e);
	e.kind = kind;
	e.node = text_of(node);
	e.time_us = now_us += 1000;
	e.serial = ++serial;
	e.process.pid = pid;
	e.process.ppid = ppid;
	e.process.exe = text_of(exe);
	e.process.cmdline = text_of(cmdline);
	e.exit = exit;
	if (history_event(h, &e))
		abort();
}

/* What a row of that process gets; "-": nothing. */
static bool is(const char *node, int pid, int ppid, const char *cmdline, const char *parent,
	       const char *ancestors, const char *whole)
{
	struct connection c;
	struct text *t = c.text;

	connection_init(&c);
	c.text[CONNECTION_NODE] = text_of(node);
	c.process.pid = pid;
	c.process.ppid = ppid;
	c.process.cmdline = text_of(cmdline);
	history_fill(h, &c);
	if (text_equal(t[CONNECTION_PARENT_EXE], text_of(parent)) &&
	    text_equal(t[CONNECTION_ANCESTORS], text_of(ancestors)) &&
	    text_equal(c.process.cmdline, text_of(whole)))
		return true;
	tap_note("parent '%.*s', ancestors '%.*s'", (int)t[CONNECTION_PARENT_EXE].len,
		 t[CONNECTION_PARENT_EXE].data ? t[CONNECTION_PARENT_EXE].data : "",
		 (int)t[CONNECTION_ANCESTORS].len,
		 t[CONNECTION_ANCESTORS].data ? t[CONNECTION_ANCESTORS].data : "");
	return false;
}

#define A50 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define TITLE A50 A50 "aaaaaaaaaaaaaaaaaaaaaaaaaaa"	/* 127 */

static void test_story(void)
{
	h = history_new();
	give(EVENT_EXEC, "n", 10, 1, "/sh", "sh", 0);
	give(EVENT_FORK, "n", 10, 1, "/sh", "sh", 20);
	tap_ok(is("n", 30, 20, "x", "/sh", "/sh < /sh", "x"), "a child is a copy of its parent");
	give(EVENT_EXEC, "n", 20, 10, "/curl", TITLE " and more", 0);
	tap_ok(is("n", 20, 10, TITLE, "/sh", "/sh", TITLE " and more"),
	       "its command line is whole");
	tap_ok(is("n", 20, 10, "short", "/sh", "/sh", "short"), "one that is not cut stays");
	tap_ok(is("m", 20, 10, TITLE, NULL, NULL, TITLE), "of another host nothing is known");
	give(EVENT_CONNECT, "n", 20, 1, "/curl", TITLE, 0);
	tap_ok(is("n", 20, 1, TITLE, NULL, NULL, TITLE " and more"),
	       "its parent has ended, and it is the same");
	give(EVENT_CONNECT, "n", 20, 1, "/other", TITLE, 0);
	tap_ok(is("n", 20, 1, TITLE, NULL, NULL, TITLE), "another program is another command line");
	give(EVENT_EXEC, "n", 20, 1, "/not", "not", -2);
	tap_ok(is("n", 31, 20, "x", "/other", "/other", "x"), "an execve() that failed is none");
	give(EVENT_FORK, "n", 99, 1, "/init", "init", 20);
	tap_ok(is("n", 31, 20, "x", NULL, NULL, "x"),
	       "who has its number by now is not known from a fork alone");
	give(EVENT_CONNECT, "n", 20, 1, "/other", TITLE, 0);
	tap_ok(is("n", 31, 20, "x", "/other", "/other", "x"),
	       "until it speaks: the number was one of another pid namespace");
	give(EVENT_FORK, "n", 99, 1, "/init", "init", 20);
	give(EVENT_EXEC, "n", 20, 99, "/new", "new", 0);
	tap_ok(is("n", 31, 20, "x", "/new", "/new < /init", "x"), "or is another one");
	history_boot(h, text_of("n"));
	tap_ok(is("n", 31, 20, "x", NULL, NULL, "x"), "after a boot nobody is known");
	give(EVENT_EXEC, "n", 20, 1, "/b", "b", 0);
	now_us += 10000000;
	serial = 1;
	give(EVENT_EXEC, "n", 21, 1, "/c", "c", 0);
	tap_ok(is("n", 31, 20, "x", NULL, NULL, "x") && is("n", 31, 21, "x", "/c", "/c", "x"),
	       "serials that begin anew are a boot");
	history_free(h);
}

static void test_circle(void)
{
	h = history_new();
	give(EVENT_EXEC, "n", 5, 6, "/a", "a", 0);
	give(EVENT_EXEC, "n", 6, 5, "/b", "b", 0);
	tap_ok(is("n", 7, 5, "x", "/a", "/a < /b < /a < /b < /a < /b < /a < /b", "x"),
	       "parents in a circle come to an end");
	history_free(h);
}

/* More of them than there is room for: the latest are there. */
static void test_many(void)
{
	static char exe[4000];
	bool good = true;

	h = history_new();
	memset(exe, 'x', sizeof(exe) - 1);
	for (int pid = 1; pid < 200000; pid++)
		give(EVENT_CONNECT, "n", pid, 1, "/p", "p", 0);
	for (int pid = 199000; pid < 200000; pid++)
		good = is("n", 1000000, pid, "x", "/p", "/p", "x") && good;
	tap_ok(good && is("n", 1000000, 2, "x", NULL, NULL, "x"),
	       "the latest of 200,000 are known");
	for (int pid = 1; pid < 40000; pid++)
		give(EVENT_CONNECT, "n", pid, 1, exe, "p", 0);
	tap_ok(is("n", 1000000, 2, "x", NULL, NULL, "x"), "fewer where they are larger");
	history_free(h);
}

int main(void)
{
	now_us = 1700000000000000;
	test_story();
	test_circle();
	test_many();
	return tap_done();
}
