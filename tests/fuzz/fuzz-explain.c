/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any line of a log: what is read of it lies in it, and makes sense.  As the prefix of a packet,
 * and as the head of a line, the same bytes never change what the kernel wrote behind them.
 */
#include <errno.h>
#include <string.h>

#include "clock.h"
#include "fuzz.h"
#include "json_line.h"
#include "log_head.h"
#include "packet_line.h"

static const char packet[] =
	"IN= OUT=eth0 SRC=192.0.2.10 DST=198.51.100.7 LEN=60 TOS=0x00 PREC=0x00 TTL=64 ID=297 DF "
	"PROTO=TCP SPT=39626 DPT=80 WINDOW=64240 RES=0x00 SYN URGP=0 UID=1000 GID=100 ";

static void check_within(struct text whole, struct text piece)
{
	FUZZ_CHECK(!piece.len || (piece.data >= whole.data &&
				  piece.data + piece.len <= whole.data + whole.len));
}

static void check_tuple(const struct packet_tuple *t)
{
	char text[ADDRESS_TEXT_MAX];

	FUZZ_CHECK(*address_format(&t->src.addr, text) && *address_format(&t->dst.addr, text));
	FUZZ_CHECK(t->src.addr.family == t->dst.addr.family);
	FUZZ_CHECK(t->src.port >= -1 && t->src.port <= 65535);
	FUZZ_CHECK(t->dst.port >= -1 && t->dst.port <= 65535);
	FUZZ_CHECK(t->protocol >= 0);
}

static void check_head(struct text before)
{
	struct stamp_rules rules = { .newest_us = 1796000000 * TIME_US_PER_S };
	struct log_head h;
	int64_t at, slack;

	log_head_parse(before, &h);
	check_within(before, h.host);
	check_within(before, h.prefix);
	for (int back = 0; back < 3; back++)
		if (stamp_time(&h.stamp, &rules, back, &at, &slack))
			FUZZ_CHECK(slack > 0);
	FUZZ_CHECK(memchr(h.stamp.zone, '\0', sizeof(h.stamp.zone)));
}

static void check_line(struct text line)
{
	struct packet_line l;
	const char *why = NULL;
	int rc = packet_line_parse(line, &l, &why);

	FUZZ_CHECK(!rc || rc == -ENOENT || rc == -EINVAL);
	FUZZ_CHECK(rc != -EINVAL || why);
	packet_line_continues(line);
	if (rc == -ENOENT)
		return;
	check_within(line, l.before);
	check_within(line, l.in);
	check_within(line, l.out);
	check_head(l.before);
	FUZZ_CHECK(l.uid >= -1 && l.uid <= UINT32_MAX && l.gid >= -1 && l.gid <= UINT32_MAX);
	if (rc)
		return;
	check_tuple(&l.packet);
	if (l.is_error)
		check_tuple(&l.about);
}

/* Whatever stands before it, the packet is read. */
static void check_prefix(struct text prefix)
{
	struct packet_line l;
	const char *why;
	char text[ADDRESS_TEXT_MAX];
	size_t len = prefix.len + sizeof(packet) - 1;
	char *line = malloc(len);

	FUZZ_CHECK(line);
	memcpy(line, prefix.data, prefix.len);
	memcpy(line + prefix.len, packet, sizeof(packet) - 1);
	FUZZ_CHECK(!packet_line_parse((struct text){ line, len }, &l, &why));
	FUZZ_CHECK(l.before.len == prefix.len && !l.cut && !l.is_error);
	FUZZ_CHECK(!strcmp(address_format(&l.packet.src.addr, text), "192.0.2.10"));
	FUZZ_CHECK(!strcmp(address_format(&l.packet.dst.addr, text), "198.51.100.7"));
	FUZZ_CHECK(l.packet.src.port == 39626 && l.packet.dst.port == 80 && l.packet.syn);
	FUZZ_CHECK(l.uid == 1000 && l.gid == 100 && text_equal(l.out, text_of("eth0")));
	free(line);
}

static void check_json(struct text line)
{
	struct json_line j;
	struct text name, value, room;
	/* As much as the line has, for no escape is shorter than what it stands for. */
	char *buf = malloc(line.len + 1);

	FUZZ_CHECK(buf);
	room = (struct text){ buf, line.len };
	if (json_line_begin(&j, line))
		while (json_line_next(&j, buf, line.len, &name, &value)) {
			check_within(room, name);
			check_within(room, value);
		}
	FUZZ_CHECK(j.p >= line.data && j.p <= line.data + line.len);
	free(buf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text line = { (const char *)data, size };

	if (!size)
		return 0;
	check_line(line);
	check_head(line);
	check_prefix(line);
	check_json(line);
	return 0;
}
