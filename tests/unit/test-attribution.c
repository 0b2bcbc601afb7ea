/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Testimony to attribution: what each word makes of it, and which question comes next. */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attribution.h"
#include "scratch.h"
#include "tap.h"

static const struct packet_facts traced = {
	.protocol = IPPROTO_TCP, .direction = DIRECTION_OUT, .uid = 1000, .has_ports = true,
	.traced = true,
};
static const struct packet_facts bare = {
	.protocol = IPPROTO_TCP, .direction = DIRECTION_OUT, .uid = 1000, .has_ports = true,
	.blocks_caller = true,
};

static struct testimony fresh(void)
{
	struct testimony t;

	testimony_init(&t);
	return t;
}

static struct testimony with_caller(int32_t pid, bool call)
{
	struct testimony t = fresh();

	t.trace.asked = true;
	t.trace.lookups = t.trace.count = 1;
	t.trace.by[0] = (struct caller){ .pid = pid, .tid = pid, .uid = -1, .call = call,
					 .exact = true };
	return t;
}

static void add_caller(struct testimony *t, int32_t pid, int64_t uid)
{
	t->trace.by[t->trace.count++] = (struct caller){
		.pid = pid, .uid = uid, .uid_asked = true, .place = PLACE_HERE, .exact = true,
		.call = true };
	t->trace.lookups++;
}

static struct attribution weigh(const struct packet_facts *f, const struct testimony *t)
{
	struct attribution a;

	attribute(f, t, &a);
	return a;
}

static void hold(struct testimony *t, int32_t pid, int32_t fd, bool in_call)
{
	t->socket.asked = t->socket.found = t->socket.widely = true;
	t->socket.inode = 7000;
	t->socket.uid = 1000;
	t->holders.cache_asked = t->holders.recent_asked = true;
	testimony_add_holder(t, &(struct socket_holder){
		.pid = pid, .fd = fd, .source = FROM_RECENT, .in_call = in_call });
}

static void test_trace(void)
{
	struct testimony t = with_caller(100, true), u;
	struct attribution a = weigh(&traced, &t);

	tap_ok(a.pid == 100 && a.certainty == CERTAINTY_CERTAIN && a.final &&
	       a.source == FROM_TRACE && a.next == ASK_PLACE,
	       "a call that was seen is proof, and only its place is asked for");
	t.trace.by[0].place = PLACE_ELSEWHERE;
	a = weigh(&traced, &t);
	tap_ok(a.pid < 0 && !a.final && a.next == ASK_SOCKET_WIDELY,
	       "of another network namespace it is not the sender: the socket is asked for");
	t.trace.by[0].place = PLACE_HERE;
	tap_ok(weigh(&traced, &t).next == ASK_RECORD, "else its record alone");
	t.record_asked_for = 100;
	tap_ok(weigh(&traced, &t).next == ASK_NOTHING, "once");
	t.trace.by[0].place = PLACE_GONE;
	tap_ok(weigh(&traced, &t).next == ASK_SOCKET_AGAIN,
	       "of a process that is gone the socket tells");
	t.socket.again = t.socket.asked = t.socket.found = true;
	tap_ok(weigh(&traced, &t).certainty == CERTAINTY_CERTAIN, "which ended with it");
	t.socket.inode = 7000;
	tap_ok(weigh(&traced, &t).certainty == CERTAINTY_INFERRED, "or is another process's");

	t = with_caller(100, false);
	a = weigh(&traced, &t);
	tap_ok(a.certainty == CERTAINTY_INFERRED && !a.final && a.awaits_call &&
	       a.next == ASK_SOCKET,
	       "a lookup alone is no proof, its call would be");
	hold(&t, 100, 3, false);
	a = weigh(&traced, &t);
	tap_ok(a.certainty == CERTAINTY_INFERRED && a.fd == 3 &&
	       a.source == FROM_TRACE, "nor the socket in it: who else holds it may have sent");
	t.trace.by[0].call = true;
	t.trace.lossy = true;
	tap_ok(weigh(&traced, &t).certainty == CERTAINTY_CERTAIN,
	       "its call and the socket in it are, even where another event may be missing");
	t = with_caller(100, false);
	hold(&t, 200, 3, false);
	t.trace.by[0].place = PLACE_HERE;
	a = weigh(&traced, &t);
	tap_ok(a.pid == 100 && a.candidate_count == 1 && a.candidates[0] == 200 &&
	       a.next == ASK_USER,
	       "a caller is right beside a mere holder, if it is the socket's user");
	t.trace.by[0].uid_asked = true;
	t.trace.by[0].uid = 2000;
	a = weigh(&traced, &t);
	tap_ok(a.pid == 200 && !(a.evidence & EVIDENCE_TRACE), "else the holder is");

	t = with_caller(100, true);
	t.trace.by[0].uid_asked = true;
	t.trace.by[0].place = PLACE_HERE;
	add_caller(&t, 200, 1000);
	a = weigh(&traced, &t);
	tap_ok(a.pid == 100 && a.certainty == CERTAINTY_INFERRED,
	       "of two callers neither is proven");
	u = t;
	hold(&u, 200, 3, false);
	a = weigh(&traced, &u);
	tap_ok(a.pid == 200 && a.caller == 1 && a.certainty == CERTAINTY_INFERRED,
	       "the one that holds the socket is likelier, and its own call is told");
	u.trace.by[0].call = u.trace.by[1].call = true;
	u.trace.by[0].exact = u.trace.by[1].exact = false;
	tap_ok(weigh(&traced, &u).certainty == CERTAINTY_INFERRED,
	       "nor is it proof over IPv6, where each may have called for another socket");
	t.trace.by[1].uid = 2000;
	a = weigh(&traced, &t);
	tap_ok(a.pid == 100 && a.certainty == CERTAINTY_CERTAIN && !a.candidate_count,
	       "one of another user is none of them");
	t.trace.more = true;
	tap_ok(weigh(&traced, &t).certainty == CERTAINTY_INFERRED,
	       "where there may be others nothing is proof");
	t.trace.more = false;
	t.trace.lossy = true;
	tap_ok(weigh(&traced, &t).certainty == CERTAINTY_INFERRED,
	       "nor where an event may be missing");
	t.trace.lossy = false;
	t.program_unsure = true;
	tap_ok(weigh(&traced, &t).certainty == CERTAINTY_INFERRED,
	       "nor where the process may be another program by now");
}

static void test_holders(void)
{
	struct testimony t = fresh();
	struct attribution a = weigh(&bare, &t);

	tap_ok(a.next == ASK_SOCKET_WIDELY, "without a trace the socket comes first");
	t.socket.asked = t.socket.widely = t.socket.found = true;
	t.socket.inode = 7000;
	tap_ok(weigh(&bare, &t).next == ASK_HOLDER, "then the process that was seen with it");
	t.holders.cache_asked = true;
	tap_ok(weigh(&bare, &t).next == ASK_RECENT, "then those that used sockets lately");
	t.holders.recent_asked = true;
	tap_ok(weigh(&bare, &t).next == ASK_RECORD, "then the record");
	t.record_asked_for = -1;
	a = weigh(&bare, &t);
	tap_ok(a.next == WAIT_FOR_SCAN && a.certainty == CERTAINTY_UNKNOWN &&
	       !strcmp(a.reason, "no-audit"),
	       "then all of /proc, as long as the socket is open");
	t.socket.inode = -1;
	t.records_seen = true;
	a = weigh(&bare, &t);
	tap_ok(a.next == WAIT_FOR_RECORD &&
	       !strcmp(a.reason, "gone"), "else a record alone can help");
	hold(&t, 100, 3, false);
	a = weigh(&bare, &t);
	tap_ok(a.pid == 100 && a.next == ASK_RECORD, "a holder is asked about its record");
	t.record_asked_for = 100;
	tap_ok(weigh(&bare, &t).next == ASK_NOTHING, "and no more");
	hold(&t, 101, 4, true);
	a = weigh(&bare, &t);
	tap_ok(a.pid == 101 && a.fd == 4 && a.certainty == CERTAINTY_CERTAIN && a.final,
	       "the one that is in the call is certain");
	t = fresh();
	hold(&t, 100, 3, false);
	hold(&t, 100, 5, true);
	a = weigh(&bare, &t);
	tap_ok(a.fd == 5 && t.holders.count == 1, "also by another descriptor of the same process");
	for (int32_t pid = 200; pid < 210; pid++)
		hold(&t, pid, 3, false);
	hold(&t, 300, 3, true);
	tap_ok(t.holders.count == HOLDERS_MAX && t.holders.by[HOLDERS_MAX - 1].pid == 300,
	       "of too many the one in the call is kept");
}

static void test_only_holder(void)
{
	struct testimony t = fresh();

	hold(&t, 100, 3, false);
	tap_ok(!weigh(&bare, &t).only_holder, "a holder has to do where records do not come");
	t.records_seen = true;
	tap_ok(weigh(&bare, &t).only_holder, "else it only holds the socket");
	tap_ok(!weigh(&traced, &t).only_holder, "with the trace its caller is asked for");
	t.record = (struct call_record){ .row = 9, .inode = -1, .uid = 1000, .pid = 101, .fd = 3,
					 .attempted = true, .by = RECORD_LAST };
	tap_ok(weigh(&bare, &t).pid == 101 && weigh(&bare, &t).only_holder,
	       "a record that is left over at the end names its process, and says no more");
	t.record.pid = 100;
	t.record.by = RECORD_OF_PROCESS;
	tap_ok(!weigh(&bare, &t).only_holder, "its own record says that it called");
	t.record.by = RECORD_NONE;
	hold(&t, 100, 3, true);
	tap_ok(!weigh(&bare, &t).only_holder, "so does that it waits in the call");
	t.program_unsure = true;
	tap_ok(weigh(&bare, &t).only_holder, "if it was in it still when its program was seen");
}

static void test_records(void)
{
	struct testimony t = fresh(), u;
	struct attribution a;
	struct call_record r = { .row = 9, .inode = 7000, .uid = 1000, .pid = 100, .fd = 3,
				 .attempted = true,
				 .by = RECORD_OF_USER };

	t.record = r;
	a = weigh(&bare, &t);
	tap_ok(a.pid == 100 && a.row == 9 && a.source == FROM_CACHE &&
	       a.certainty == CERTAINTY_INFERRED,
	       "a record names a process that nobody else names");
	hold(&t, 200, 3, false);
	tap_ok(weigh(&bare, &t).pid == 200, "a holder stays named");
	t.record.by = RECORD_OF_SOCKET;
	tap_ok(weigh(&bare, &t).pid == 100, "unless the record names the packet's socket");
	t.record.by = RECORD_OF_USER;
	hold(&t, 100, 3, false);
	a = weigh(&bare, &t);
	tap_ok(a.pid == 100 && a.certainty == CERTAINTY_CERTAIN,
	       "or its process holds the socket as well, by the call's descriptor");
	t.record.taken = true;
	a = weigh(&bare, &t);
	tap_ok(a.pid == 200 && !a.row, "a record that another packet took does not count");

	t = fresh();
	hold(&t, 200, 3, true);
	t.record = r;
	t.record.by = RECORD_OF_SOCKET;
	tap_ok(weigh(&bare, &t).pid == 200, "nor one beside a process in the call");
	t.record.by = RECORD_PAIRED;
	t.record.fd_seen = true;
	a = weigh(&bare, &t);
	tap_ok(a.pid == 100 && a.certainty == CERTAINTY_INFERRED &&
	       !(a.evidence & EVIDENCE_PROC_SYSCALL),
	       "a late record of the very socket is likelier, and no proof beside that one");
	t.holders.by[0].in_call = false;
	tap_ok(weigh(&bare, &t).certainty == CERTAINTY_CERTAIN, "else it is");
	tap_ok(testimony_add_call(&t, 100) && !testimony_add_call(&t, 100) &&
	       weigh(&bare, &t).certainty == CERTAINTY_CERTAIN,
	       "its own call to that place is no rival");
	u = t;
	tap_ok(testimony_add_call(&u, 300) && !testimony_add_call(&u, 301) &&
	       weigh(&bare, &u).certainty == CERTAINTY_INFERRED, "another process's is");
	t.record.success = true;
	tap_ok(weigh(&bare, &t).certainty == CERTAINTY_INFERRED,
	       "a connect() that succeeded may have left the SYN to others");
	t.record.success = false;
	t.record.sends = true;
	tap_ok(weigh(&bare, &t).certainty == CERTAINTY_INFERRED, "and a send's record is no proof");
	t.record.sends = false;
	t.record.inode = 8000;
	a = weigh(&bare, &t);
	tap_ok(a.pid == 100 && a.certainty == CERTAINTY_INFERRED && !(a.evidence & EVIDENCE_FD),
	       "what the plugin saw of another socket is none of this one's evidence");

	r.fd_seen = true;
	testimony_of_record(&t, &r);
	tap_ok(weigh(&bare, &t).certainty == CERTAINTY_CERTAIN,
	       "a record alone, with its descriptor seen");
	t.record.bound = true;
	a = weigh(&bare, &t);
	tap_ok(a.certainty == CERTAINTY_INFERRED &&
	       a.evidence == (EVIDENCE_AUDIT | EVIDENCE_FD | EVIDENCE_BIND),
	       "but not by a bound port");
	t.record.bound = t.record.attempted = false;
	tap_ok(weigh(&bare, &t).certainty == CERTAINTY_INFERRED,
	       "nor one of a call that failed at once");
	t = with_caller(100, false);
	t.record = r;
	t.record.by = RECORD_PAIRED;
	t.record.uid = 3000;
	tap_ok(weigh(&traced, &t).certainty == CERTAINTY_INFERRED,
	       "nor a lookup beside another user's record");
	t.trace.by[0].call = true;
	tap_ok(weigh(&traced, &t).certainty == CERTAINTY_CERTAIN, "unless its call was seen");
	t.trace.by[0].left = true;
	t.record.uid = -1;
	tap_ok(weigh(&traced, &t).certainty == CERTAINTY_INFERRED,
	       "and may not have left the SYN to another process");
	t = fresh();
	t.earlier.pid = 100;
	t.earlier.evidence = EVIDENCE_TRACE | EVIDENCE_TRACE_CALL;
	t.record = r;
	t.record.by = RECORD_PAIRED;
	a = weigh(&bare, &t);
	tap_ok(a.certainty == CERTAINTY_INFERRED &&
	       (a.evidence & EVIDENCE_TRACE), "of a row before a restart");
	t.earlier.certain = true;
	tap_ok(weigh(&bare, &t).certainty == CERTAINTY_CERTAIN,
	       "only what had been proof stays that");
}

/* The socket of a forwarded packet cannot be asked for. */
static void test_forwarded(void)
{
	static const struct { enum place place; const char *what; } unsure[] = {
		{ PLACE_NOT_ASKED, "whose place is not known" },
		{ PLACE_GONE, "that is gone" },
		{ PLACE_UNSURE, "in another namespace than the packet's, for all that is known" },
	};
	struct packet_facts f = traced;
	struct testimony t = with_caller(100, true);
	struct attribution a;

	f.direction = DIRECTION_FORWARD;
	f.uid = -1;
	t.socket.asked = t.socket.again = true;
	for (size_t i = 0; i < sizeof(unsure) / sizeof(unsure[0]); i++) {
		t.trace.by[0].place = unsure[i].place;
		a = weigh(&f, &t);
		tap_ok(a.pid == 100 && a.certainty == CERTAINTY_INFERRED,
		       "forwarded: no proof against a process %s", unsure[i].what);
	}
	t.trace.by[0].place = PLACE_HERE;
	tap_ok(weigh(&f, &t).certainty == CERTAINTY_CERTAIN, "but the call where it came from is");
	t.trace.by[0].bound = true;
	tap_ok(weigh(&f, &t).certainty == CERTAINTY_INFERRED,
	       "not of a port that may have been bound in another namespace");
	t.trace.by[0].bound = false;
	f.protocol = IPPROTO_UDP;
	a = weigh(&f, &t);
	tap_ok(a.certainty == CERTAINTY_INFERRED && !a.awaits_call,
	       "nor of a datagram, which may be of another socket");
	f.protocol = IPPROTO_TCP;
	t.trace.by[0].place = PLACE_ELSEWHERE;
	a = weigh(&f, &t);
	tap_ok(a.pid < 0 && !strcmp(a.reason, "forwarded"), "and one elsewhere is not named");
}

/* Any testimony: there is an answer, the candidates are others, and asking comes to an end. */
static void test_random(void)
{
	bool good = true, more = true;

	for (int n = 0; n < 200000 && good; n++) {
		struct packet_facts f = n % 2 ? traced : bare;
		struct testimony t;
		struct attribution a, b;

		/* A bool is 0 or 1. */
		for (size_t i = 0; i < sizeof(t); i++)
			((uint8_t *)&t)[i] = (uint8_t)(scratch_random() % 2);
		for (int i = 0; i < CALLERS_MAX; i++)
			t.trace.by[i].place = scratch_random() % (PLACE_UNSURE + 1);
		t.trace.count %= CALLERS_MAX + 1;
		t.holders.count %= HOLDERS_MAX + 1;
		t.record.by = scratch_random() % (RECORD_ALONE + 1);
		f.direction = 1 + (enum direction)(scratch_random() % 3);
		f.protocol = scratch_random() % 2 ? IPPROTO_UDP : IPPROTO_TCP;
		f.uid = (int64_t)(scratch_random() % 3) - 1;
		attribute(&f, &t, &a);
		good = (a.pid < 0) == (a.certainty == CERTAINTY_UNKNOWN) &&
			(a.pid < 0) == (a.reason != NULL) &&
		       a.candidate_count <= CALLERS_MAX + HOLDERS_MAX && a.caller < t.trace.count;
		for (int i = 0; i < a.candidate_count; i++)
			good = good && a.candidates[i] != a.pid;
		/* Doubt never makes it surer. */
		t.trace.lossy = t.trace.more = t.program_unsure = true;
		attribute(&f, &t, &b);
		more = more && (b.certainty <= a.certainty || b.pid != a.pid);
	}
	tap_ok(good, "any testimony has an answer");
	tap_ok(more, "and a doubt more never makes it surer");
}

/* Packets that no call of this host's processes sent: for them no record is looked for. */
static void test_incoming(void)
{
	struct packet_facts f = bare;
	struct testimony t = fresh();

	f.direction = DIRECTION_IN;
	f.blocks_caller = false;
	hold(&t, 100, 3, false);
	tap_ok(weigh(&f, &t).certainty == CERTAINTY_INFERRED,
	       "who holds the listener may share it");
	t.holders.sole_wanted = true;
	t.record_asked_for = 100;
	tap_ok(weigh(&f, &t).next == WAIT_FOR_SCAN && !weigh(&f, &t).final,
	       "whether it does is searched for");
	t.holders.sole_over = t.holders.sole = true;
	tap_ok(weigh(&f, &t).certainty == CERTAINTY_CERTAIN && weigh(&f, &t).next != WAIT_FOR_SCAN,
	       "it alone: proof");
	t.record.by = RECORD_PAIRED;
	t.record.pid = 101;
	tap_ok(weigh(&f, &t).pid == 101 && weigh(&f, &t).certainty == CERTAINTY_INFERRED,
	       "not of another one that accepts");
	t.record.by = RECORD_NONE;
	f.direction = DIRECTION_OUT;
	tap_ok(weigh(&f, &t).certainty == CERTAINTY_INFERRED, "nor of what goes out");
	f.direction = DIRECTION_IN;
	hold(&t, 101, 3, false);
	tap_ok(weigh(&f, &t).certainty == CERTAINTY_INFERRED, "nor where two were seen with it");
}

static void test_others(void)
{
	struct packet_facts f = bare;
	struct testimony t = fresh();
	struct attribution a;

	t.socket.asked = t.socket.widely = true;
	a = weigh(&f, &t);
	tap_ok(a.next == ASK_RECORD && a.pid < 0,
	       "a user's packet of a socket that is gone: its record");
	f.direction = DIRECTION_FORWARD;
	a = weigh(&f, &t);
	tap_ok(a.next != ASK_RECORD && !strcmp(a.reason, "forwarded"),
	       "one that is forwarded has none");
	f.direction = DIRECTION_OUT;
	f.uid = -1;
	a = weigh(&f, &t);
	tap_ok(a.next == ASK_NOTHING && !strcmp(a.reason, "kernel"),
	       "nor one of no user and no socket");
}

/* The room behind the last holder may have what was there before. */
static void test_count(void)
{
	struct testimony t = fresh();
	struct attribution a;

	hold(&t, 100, 3, false);
	hold(&t, 200, 4, true);
	t.holders.count = 1;
	t.record = (struct call_record){ .by = RECORD_OF_PROCESS, .pid = 200, .fd = 4, .uid = 1000,
					 .inode = -1, .listener_inode = -1 };
	a = weigh(&bare, &t);
	tap_ok(a.pid == 100 && !a.candidate_count && !(a.evidence & EVIDENCE_AUDIT),
	       "a holder of another socket is none of this one's");
	t = fresh();
	hold(&t, 100, 3, true);
	hold(&t, 200, 4, true);
	tap_ok(weigh(&bare, &t).certainty == CERTAINTY_INFERRED, "two are in the call");
	t.holders.count = 1;
	tap_ok(weigh(&bare, &t).certainty == CERTAINTY_CERTAIN, "nor does its call count");
}

int main(int argc, char **argv)
{
	scratch_seed(argc, argv);
	test_trace();
	test_holders();
	test_count();
	test_only_holder();
	test_records();
	test_incoming();
	test_others();
	test_forwarded();
	test_random();
	return tap_done();
}
