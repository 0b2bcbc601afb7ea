/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's LOG line, word by word.  What follows the transport's words may be more than is
 * known here; what stands before must be as the kernel writes it, because that tells a packet from
 * a prefix that looks like one.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "packet_line.h"
#include "protocol.h"

#define INTERFACE_MAX 15	/* IFNAMSIZ - 1 */
#define WORD_MAX 200		/* the longest value: MAC= of the longest link header */

/* What is left of the line. */
struct cursor {
	const char *p, *end;
	const char *why;
	bool cut;		/* it ended where there had to be more */
};

static bool at_end(struct cursor *c)
{
	while (c->p < c->end && *c->p == ' ')
		c->p++;
	return c->p == c->end;
}

static bool starts(const struct cursor *c, const char *word)
{
	size_t len = strlen(word);

	return (size_t)(c->end - c->p) >= len && !memcmp(c->p, word, len);
}

/* Takes "NAME=" and the value up to the next blank. */
static bool take(struct cursor *c, const char *name, struct text *value)
{
	const char *blank;
	size_t len = strlen(name), most;

	if (at_end(c) || !starts(c, name))
		return false;
	value->data = c->p + len;
	/* No further: else a line of nothing but names is read as often as it has names. */
	most = (size_t)(c->end - value->data);
	if (most > WORD_MAX + 1)
		most = WORD_MAX + 1;
	blank = memchr(value->data, ' ', most);
	value->len = blank ? (size_t)(blank - value->data) : most;
	c->p = value->data + value->len;
	return true;
}

/* Takes a word that has no value. */
static bool take_word(struct cursor *c, const char *word)
{
	size_t len = strlen(word);

	if (at_end(c) || !starts(c, word) ||
	    (c->p + len < c->end && c->p[len] != ' '))
		return false;
	c->p += len;
	return true;
}

static bool take_optional(struct cursor *c, const char *name)
{
	struct text value;

	return take(c, name, &value);
}

/* Takes "OPT (...) " with whatever is in the brackets. */
static void take_options(struct cursor *c)
{
	const char *close;

	if (!take_word(c, "OPT"))
		return;
	if (at_end(c)) {
		c->cut = true;
		return;
	}
	close = *c->p == '(' ? memchr(c->p, ')', (size_t)(c->end - c->p)) : NULL;
	if (close)
		c->p = close + 1;
	else
		c->cut = *c->p == '(';
}

/* A value as a string; false where it is longer than any. */
static bool copy(struct text value, char *buf, size_t size)
{
	if (value.len >= size || memchr(value.data, '\0', value.len))
		return false;
	memcpy(buf, value.data, value.len);
	buf[value.len] = '\0';
	return true;
}

/* A decimal number up to max; -1 where it is none. */
static int64_t number(struct text value, int64_t max)
{
	int64_t n = 0;

	for (size_t i = 0; i < value.len; i++) {
		if (value.data[i] < '0' || value.data[i] > '9')
			return -1;
		n = n * 10 + (value.data[i] - '0');
		if (n > max)
			return -1;
	}
	return value.len ? n : -1;
}

static bool fail(struct cursor *c, const char *why)
{
	if (!c->why)
		c->why = why;
	return false;
}

static bool take_address(struct cursor *c, const char *name, struct address *a, const char *why)
{
	char text[ADDRESS_TEXT_MAX];
	struct text value;

	if (at_end(c)) {
		c->cut = true;
		return fail(c, "it ends before its addresses");
	}
	if (!take(c, name, &value) || !copy(value, text, sizeof(text)) || address_parse(text, a))
		return fail(c, why);
	return true;
}

/* "IN=dev OUT=dev " and what the link layer has to say, up to SRC=. */
static bool take_head(struct cursor *c, struct packet_line *l)
{
	static const char *const link[] = {
		"PHYSIN=", "PHYSOUT=", "MACSRC=", "MACDST=", "VPROTO=", "VID=", "MACPROTO=",
		"MAC=", "TUNNEL=",
	};

	/* One blank between them, because a missing name is an empty one. */
	if (!take(c, "IN=", &l->in) || l->in.len > INTERFACE_MAX)
		return false;
	if (!starts(c, " OUT=") || !take(c, "OUT=", &l->out) || l->out.len > INTERFACE_MAX)
		return false;
	for (size_t i = 0; i < sizeof(link) / sizeof(link[0]); i++) {
		struct text value;

		if (take(c, link[i], &value) && value.len > WORD_MAX)
			return fail(c, "a word of the link layer is too long");
	}
	if (take_word(c, "ARP") || take_word(c, "RARP"))
		return fail(c, "it is ARP, which no process sends or gets");
	return true;
}

/* The words between the addresses and the protocol. */
static void take_ipv4(struct cursor *c, struct packet_tuple *t)
{
	static const char *const values[] = { "LEN=", "TOS=", "PREC=", "TTL=", "ID=" };
	static const char *const flags[] = { "CE", "DF", "MF" };
	struct text value;

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		take_optional(c, values[i]);
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		take_word(c, flags[i]);
	if (take(c, "FRAG:", &value))
		t->fragment = true;
	take_options(c);
}

/* "FRAG:n [INCOMPLETE ]ID:n " */
static void take_fragment(struct cursor *c, struct packet_tuple *t)
{
	struct text value;

	if (!take(c, "FRAG:", &value))
		return;
	t->fragment = number(value, 65535) != 0;
	take_word(c, "INCOMPLETE");
	take_optional(c, "ID:");
}

/* Extension headers, in brackets where the rule asked for the options. */
static void take_ipv6(struct cursor *c, struct packet_tuple *t)
{
	static const char *const values[] = { "LEN=", "TC=", "HOPLIMIT=", "FLOWLBL=" };

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		take_optional(c, values[i]);
	for (;;) {
		const char *before = c->p;

		take_fragment(c, t);
		if (!at_end(c) && starts(c, "OPT ( FRAG:")) {
			c->p += strlen("OPT ( ");
			take_fragment(c, t);
			take_word(c, ")");
		} else if (!at_end(c) && starts(c, "OPT ( ESP ")) {
			t->protocol = IPPROTO_ESP;
			take_options(c);
		} else {
			take_options(c);
		}
		if (c->p == before || c->cut)
			return;
	}
}

/* "INCOMPLETE [n bytes] ", or "TRUNCATED ": the packet was too short for the rest. */
static bool take_short(struct cursor *c)
{
	const char *close;

	if (take_word(c, "TRUNCATED"))
		return true;
	if (!take_word(c, "INCOMPLETE"))
		return false;
	close = !at_end(c) && *c->p == '[' ? memchr(c->p, ']', (size_t)(c->end - c->p)) : NULL;
	if (close)
		c->p = close + 1;
	return true;
}

static bool take_port(struct cursor *c, const char *name, int32_t *port)
{
	struct text value;

	if (at_end(c))
		c->cut = true;
	if (!take(c, name, &value))
		return c->cut || fail(c, "it lacks a port");
	/* The last number of a line that was cut off may lack digits. */
	if (c->p == c->end)
		c->cut = true;
	else
		*port = (int32_t)number(value, 65535);
	return c->cut || *port >= 0 || fail(c, "a port is no number");
}

/* Of a later piece the line has none, and of a packet that was too short. */
static bool take_ports(struct cursor *c, struct packet_tuple *t)
{
	if (t->fragment || take_short(c))
		return true;
	return take_port(c, "SPT=", &t->src.port) &&
	       (c->cut || take_port(c, "DPT=", &t->dst.port));
}

static bool take_tcp(struct cursor *c, struct packet_tuple *t)
{
	static const char *const values[] = { "SEQ=", "ACK=", "WINDOW=", "RES=" };
	static const char *const flags[] = { "AE", "CWR", "ECE", "URG", "ACK", "PSH", "RST", "SYN",
					     "FIN" };

	if (!take_ports(c, t))
		return false;
	if (t->dst.port < 0)
		return true;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		take_optional(c, values[i]);
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		if (!take_word(c, flags[i]))
			continue;
		t->ack |= !strcmp(flags[i], "ACK");
		t->syn |= !strcmp(flags[i], "SYN");
	}
	if (!take_optional(c, "URGP="))
		c->cut = true;
	take_options(c);
	return true;
}

static bool take_packet(struct cursor *c, struct packet_tuple *t, struct packet_line *outer);

/* ICMP; l: where an error's packet goes to, NULL within one. */
static bool take_icmp(struct cursor *c, const struct packet_tuple *t, struct packet_line *l)
{
	static const char *const values[] = { "TYPE=", "CODE=", "ID=", "SEQ=", "PARAMETER=",
					      "POINTER=", "GATEWAY=" };

	if (t->fragment || take_short(c))
		return true;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		take_optional(c, values[i]);
	if (!l || at_end(c) || *c->p != '[')
		return true;
	c->p++;
	l->is_error = true;
	if (!take_packet(c, &l->about, NULL))
		return false;
	if (!take_word(c, "]") && at_end(c))
		c->cut = true;
	take_optional(c, "MTU=");
	return true;
}

static bool take_protocol(struct cursor *c, struct packet_tuple *t)
{
	struct text value;
	char name[16];

	if (!take(c, "PROTO=", &value)) {
		/* Only ESP over IPv6 ends here (dump_ipv6_packet()). */
		if (t->src.addr.family == AF_INET6 && t->protocol < 0 && at_end(c))
			t->protocol = IPPROTO_ESP;
		if (t->protocol >= 0)
			return true;
		c->cut = at_end(c);
		return fail(c, "it names no protocol");
	}
	if (!copy(value, name, sizeof(name)))
		return fail(c, "PROTO= is no protocol");
	if (!strcmp(name, "ESP"))
		t->protocol = IPPROTO_ESP;
	else if (!strcmp(name, "AH"))
		t->protocol = IPPROTO_AH;
	else if (protocol_parse(name, &t->protocol)) {
		c->cut = c->p == c->end;
		return fail(c, "PROTO= is no protocol");
	}
	return true;
}

/* From SRC= to the end of the transport's words. */
static bool take_packet(struct cursor *c, struct packet_tuple *t, struct packet_line *l)
{
	*t = (struct packet_tuple){ .src.port = -1, .dst.port = -1, .protocol = -1 };
	if (!take_address(c, "SRC=", &t->src.addr, "SRC= is no address") ||
	    !take_address(c, "DST=", &t->dst.addr, "DST= is no address"))
		return false;
	if (t->src.addr.family != t->dst.addr.family)
		return fail(c, "SRC= and DST= are of two families");
	if (t->src.addr.family == AF_INET)
		take_ipv4(c, t);
	else
		take_ipv6(c, t);
	if (!take_protocol(c, t))
		return false;
	switch (t->protocol) {
	case IPPROTO_TCP:
		return take_tcp(c, t);
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
		if (!take_ports(c, t))
			return false;
		if (t->dst.port >= 0 && !take_optional(c, "LEN="))
			c->cut = true;
		break;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return take_icmp(c, t, l);
	default:
		take_short(c);
		take_optional(c, "SPI=");
		break;
	}
	return true;
}

static void take_opener(struct cursor *c, struct packet_line *l)
{
	struct text value;

	if (take(c, "UID=", &value))
		l->uid = number(value, UINT32_MAX);
	if (take(c, "GID=", &value))
		l->gid = number(value, UINT32_MAX);
}

/* From one IN= on.  -ENOENT: that is not where a packet begins. */
static int parse_at(const char *start, struct text line, struct packet_line *l, const char **why)
{
	struct cursor c = { .p = start, .end = line.data + line.len };

	*l = (struct packet_line){ .uid = -1, .gid = -1 };
	l->before = (struct text){ line.data, (size_t)(start - line.data) };
	if (!take_head(&c, l)) {
		*why = c.why;
		return c.why ? -EINVAL : -ENOENT;
	}
	if (!take_packet(&c, &l->packet, l)) {
		*why = c.why;
		l->cut = c.cut;
		return -EINVAL;
	}
	take_opener(&c, l);
	l->cut = c.cut;
	return 0;
}

int packet_line_parse(struct text line, struct packet_line *l, const char **why)
{
	struct packet_line bad = { .uid = -1, .gid = -1 };
	int rc = -ENOENT;

	while (line.len && (line.data[line.len - 1] == '\n' || line.data[line.len - 1] == '\r'))
		line.len--;
	for (size_t at = line.len; at-- > 0;) {
		struct packet_line found;
		const char *wrong = NULL;
		int one;

		if (line.len - at < 3 || memcmp(line.data + at, "IN=", 3))
			continue;
		one = parse_at(line.data + at, line, &found, &wrong);
		if (!one) {
			*l = found;
			return 0;
		}
		/* Of several that cannot be read, the last one is the kernel's. */
		if (one == -EINVAL && rc == -ENOENT) {
			rc = one;
			bad = found;
			*why = wrong;
		}
	}
	if (rc == -EINVAL)
		*l = bad;
	return rc;
}

bool packet_line_continues(struct text line)
{
	struct cursor c = { .p = line.data, .end = line.data + line.len };
	const char *p;

	if (!line.len || at_end(&c))
		return false;
	if (memmem(c.p, (size_t)(c.end - c.p), "IN=", 3))
		return false;
	if (*c.p == '(' || *c.p == ']' || starts(&c, "[SRC="))
		return true;
	for (p = c.p; p < c.end && ((*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9')); p++)
		;
	return p > c.p && *c.p >= 'A' && (p == c.end || *p == '=' || *p == ' ' || *p == ':');
}
