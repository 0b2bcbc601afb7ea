/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The packet in a line of the kernel's LOG, behind prefixes of all kinds, whole and cut off.  The
 * forms of the line itself: tests/cli/explain, on lines that a kernel printed.
 */
#include <errno.h>
#include <stdio.h>

#include "packet_line.h"
#include "protocol.h"
#include "tap.h"

#define FROM "SRC=192.0.2.10 DST=198.51.100.7 LEN=60 TOS=0x00 PREC=0x00 TTL=64 ID=1 DF "
#define TCP FROM "PROTO=TCP SPT=40000 DPT=80 WINDOW=64240 RES=0x00 SYN URGP=0 "
#define OTHER "SRC=203.0.113.9 DST=203.0.113.8 LEN=60 PROTO=TCP SPT=1 DPT=2 WINDOW=1 RES=0x00 " \
	"SYN URGP=0 "
#define THERE "192.0.2.10 40000 198.51.100.7 80 tcp"

/* "SRC SPORT DST DPORT PROTO"; "-": none, "!": cannot be read.  Behind it " cut". */
static const char *read_line(const char *line, char buf[256])
{
	char src[ADDRESS_TEXT_MAX], dst[ADDRESS_TEXT_MAX];
	struct packet_line l;
	const struct packet_tuple *t;
	const char *why = NULL;
	int rc = packet_line_parse(text_of(line), &l, &why);

	if (rc) {
		snprintf(buf, 256, "%s%s", rc == -ENOENT ? "-" : "!",
			 rc == -EINVAL && l.cut ? " cut" : "");
		return buf;
	}
	t = l.is_error ? &l.about : &l.packet;
	snprintf(buf, 256, "%s %d %s %d %s%s", address_format(&t->src.addr, src), t->src.port,
		 address_format(&t->dst.addr, dst), t->dst.port,
		 protocol_name(t->protocol) ? protocol_name(t->protocol) : "?",
		 l.cut ? " cut" : "");
	return buf;
}

static void test_anchor(void)
{
	static const struct { const char *line, *wanted; } table[] = {
		{ "", "-" },
		{ "IN=", "-" },
		{ "IN= OUT=", "! cut" },
		{ "the kernel: BIN=3 OUT=4", "! cut" },
		{ "IN=eth0 OUT= " TCP, THERE },
		{ "IN= OUT=eth0 " TCP, THERE },
		{ "IN= OUT=eth0 " TCP "\r\n", THERE },
		{ "x:IN= OUT=eth0 " TCP, THERE },
		{ "[IN=] IN= OUT=eth0 " TCP, THERE },
		{ "IN= IN= OUT=eth0 " TCP, THERE },
		/* A whole packet as a prefix, and pieces of one. */
		{ "IN= OUT=eth0 " OTHER "IN= OUT=eth0 " TCP, THERE },
		{ "IN= OUT=eth0 " OTHER "IN= OUT=eth0 " OTHER "IN=eth0 OUT= MAC= " TCP, THERE },
		{ "IN=x OUT=y SRC=203.0.113.9: IN= OUT=eth0 " TCP, THERE },
		{ "IN=x OUT=y SRC=203.0.113.9 DST=203.0.113.8 PROTO=IN= OUT=eth0 " TCP, THERE },
		{ "SRC=203.0.113.9 DST=203.0.113.8 PROTO=ICMP TYPE=3 CODE=3 [IN= OUT=eth0 " TCP,
		  THERE },
		/* A name that looks like the anchor. */
		{ "IN= OUT=IN=x " TCP, THERE },
		{ "IN=eth0.5@if3 OUT= PHYSIN=IN=a PHYSOUT=b MAC=00:01 " TCP, THERE },
		{ "IN=a-name-of-15-by OUT= " TCP, THERE },
		{ "IN=a-name-of-16-byte OUT= " TCP, "-" },
		/* Two blanks are two words to nobody but us. */
		{ "IN=  OUT=eth0 " TCP, "-" },
		{ "IN= OUT=eth0 nonsense " TCP, "!" },
		{ "IN= OUT=eth0 SRC=nothing DST=198.51.100.7 PROTO=TCP", "!" },
		{ "IN= OUT=eth0 SRC=192.0.2.10 DST=2001:db8::1 PROTO=47 ", "!" },
		{ "IN= OUT=eth0 SRC=192.0.2.10 DST=198.51.100.7 LEN=60 PROTO=nonsense ", "!" },
		{ "IN= OUT=eth0 SRC=192.0.2.10 DST=198.51.100.7 LEN=60 PROTO=TCP SPT=x DPT=80 ",
		  "!" },
		{ "IN= OUT=eth0 SRC=192.0.2.10 DST=198.51.100.7 LEN=60 PROTO=TCP SPT=1 DPT=65536 ",
		  "!" },
		{ "IN= OUT=eth0 SRC=192.0.2.10 DST=198.51.100.7 LEN=60 PROTO=TCP DPT=80 ", "!" },
		{ "IN=eth0 OUT= ARP HTYPE=1 PTYPE=0x0800 OPCODE=1", "!" },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		char buf[256];

		if (!tap_ok(!strcmp(read_line(table[i].line, buf), table[i].wanted), "%.60s",
			    *table[i].line ? table[i].line : "nothing"))
			tap_note("got %s, wanted %s", buf, table[i].wanted);
	}
}

/* Cut off anywhere: never another tuple than the packet's, and never an error unseen. */
static void test_cut(void)
{
	static const char line[] = "IN= OUT=eth0 " TCP "OPT (0204) UID=1 GID=2 ";
	char buf[256], piece[sizeof(line)];
	bool good = true, told = true;

	for (size_t len = 0; len < sizeof(line); len++) {
		memcpy(piece, line, len);
		piece[len] = '\0';
		read_line(piece, buf);
		if (strncmp(buf, THERE, strlen(THERE)) && buf[0] != '!' && buf[0] != '-' &&
		    strcmp(buf, "192.0.2.10 40000 198.51.100.7 -1 tcp cut") &&
		    strcmp(buf, "192.0.2.10 -1 198.51.100.7 -1 tcp cut")) {
			tap_note("%zu bytes: %s", len, buf);
			good = false;
		}
		/* From SRC= on to the end of URGP=0 something is missing. */
		if (len >= strlen("IN= OUT=eth0 ") && len < strlen("IN= OUT=eth0 " TCP) - 2 &&
		    !strstr(buf, "cut") && buf[0] != '!') {
			tap_note("%zu bytes: not told: %s", len, buf);
			told = false;
		}
	}
	tap_ok(good, "a line cut anywhere has no other tuple");
	tap_ok(told, "and it is told that it is cut");
}

static void test_continues(void)
{
	static const char *const rest[] = {
		"    DST=104.81.106.31 LEN=60", "DPT=443 SEQ=1", "(0204) UID=1", "SYN URGP=0",
		"[SRC=1", "] MTU=1400", "FRAG:0 INCOMPLETE", "UID=1000",
	};
	static const char *const own[] = {
		"", "   ", "Feb 07 18:42:35 host kernel: x", "[ 2236.6] x", "{\"MESSAGE\"", "<4>x",
		"2026-11-28T20:32:08+00:00 h kernel: x", "UID=1 IN= OUT=eth0", "A-B", "abc=1",
		"1=2",
	};

	for (size_t i = 0; i < sizeof(rest) / sizeof(rest[0]); i++)
		tap_ok(packet_line_continues(text_of(rest[i])), "goes on: '%s'", rest[i]);
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		tap_ok(!packet_line_continues(text_of(own[i])), "a line of its own: '%s'", own[i]);
}

static void test_parts(void)
{
	struct packet_line l;
	const char *why;

	tap_ok(!packet_line_parse(text_of("drop IN=br0 OUT=eth1 " TCP
					  "UID=4294967294 GID=7 MARK=0x2a "), &l, &why),
	       "a line with all there is");
	tap_ok(text_equal(l.before, text_of("drop ")) && text_equal(l.in, text_of("br0")) &&
	       text_equal(l.out, text_of("eth1")), "prefix and interfaces");
	tap_ok(l.uid == 4294967294 && l.gid == 7, "user and group");
	tap_ok(l.packet.syn && !l.packet.ack && !l.packet.fragment, "flags");
	tap_ok(!packet_line_parse(text_of("IN=a OUT= " FROM "PROTO=TCP SPT=1 DPT=2 SEQ=3 ACK=4 "
					  "WINDOW=1 RES=0x00 ACK SYN URGP=0 "), &l, &why) &&
	       l.packet.syn && l.packet.ack && l.uid == -1, "ACK=4 is no flag, ACK is one");
	tap_ok(!packet_line_parse(text_of("IN=a OUT= " FROM "PROTO=TCP SPT=1 DPT=2 SEQ=3 ACK=4 "
					  "WINDOW=1 RES=0x00 SYN URGP=0 "), &l, &why) &&
	       !l.packet.ack, "nor is it without");
	tap_ok(!packet_line_parse(text_of("IN=a OUT= " FROM "MF FRAG:185 PROTO=UDP "), &l, &why) &&
	       l.packet.fragment && !l.cut, "a later piece has no ports, and is whole");
	tap_ok(!packet_line_parse(text_of("IN= OUT=a " FROM "PROTO=ICMP TYPE=3 CODE=3 [" FROM
					  "PROTO=UDP SPT=5 DPT=53 LEN=18 ] UID=5 GID=6 "),
				  &l, &why) && l.is_error && l.about.dst.port == 53 && l.uid == 5,
	       "behind what an error is about");
	tap_ok(!packet_line_parse(text_of("IN= OUT=a " FROM
					  "PROTO=UDP INCOMPLETE [4 bytes] UID=5 "), &l, &why) &&
	       l.packet.src.port == -1 && l.uid == 5 && !l.is_error,
	       "a packet that was too short");
}

int main(void)
{
	test_anchor();
	test_cut();
	test_continues();
	test_parts();
	return tap_done();
}
