/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rules of sockledger-queue(8), as iptables-save and nft print them.  Neither is asked for a
 * table by name, because the older iptables makes a table that is asked for.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "firewall.h"
#include "look.h"

static void keep_line(char *buf, size_t size, const char *line)
{
	line += strspn(line, " \t");
	snprintf(buf, size, "%.*s", (int)strcspn(line, "\n"), line);
}

/* What stands behind `word` in the line; NULL: it is not there. */
static const char *behind(const char *line, const char *word)
{
	const char *at = strstr(line, word), *end = line + strcspn(line, "\n");

	return at && at < end ? at + strlen(word) : NULL;
}

static bool begins(const char *line, const char *word)
{
	return !strncmp(line, word, strlen(word));
}

/* Numbers of queues. */
struct range {
	int64_t first, last;
};

/* "0", "0:3" or "0-3". */
static void take_numbers(struct range *r, const char *at)
{
	char *end;

	if (!at || !isdigit((unsigned char)*at))
		return;
	r->first = r->last = strtoll(at, &end, 10);
	if ((*end == ':' || *end == '-') && isdigit((unsigned char)end[1]))
		r->last = strtoll(end + 1, NULL, 10);
}

/* Of iptables. */
static struct range take_target(const char *line)
{
	struct range r = { -1, -1 };

	take_numbers(&r, behind(line, "--queue-num "));
	take_numbers(&r, behind(line, "--queue-balance "));
	return r;
}

/* What stands behind the word "queue" of nftables; NULL: the rule has none. */
static const char *behind_queue(const char *line)
{
	return begins(line, "queue ") ? line + 6 : behind(line, " queue ");
}

/* "queue flags bypass to 0-3", or as older ones write it. */
static struct range take_statement(const char *queue)
{
	struct range r = { -1, -1 };

	take_numbers(&r, behind(queue, "to "));
	take_numbers(&r, behind(queue, "num "));
	take_numbers(&r, queue);
	return r;
}

static void take_other(struct firewall_part *p, struct range theirs, struct range ours,
		       const char *line)
{
	if (theirs.first >= 0 && ours.first >= 0 && theirs.first <= ours.last &&
	    theirs.last >= ours.first)
		keep_line(p->other, sizeof(p->other), line);
}

/* A rule in a chain of ours. */
static void take_own_rule(struct firewall_part *p, const char *line)
{
	const char *mark = behind(line, "--mark ");

	if (behind(line, "-j NFQUEUE")) {
		struct range r = take_target(line);

		p->first = r.first;
		p->last = r.last;
		p->bypass |= behind(line, "--queue-bypass") != NULL;
	}
	if (mark && behind(line, "-m connmark")) {
		mark = behind(mark, "/");
		p->mark = mark ? strtoll(mark, NULL, 0) : -1;
	}
}

/* The packet mark that has a packet rejected; the other bit is of connection marks alone. */
static int64_t reject_bit(int64_t mark)
{
	return mark & ~(mark & -mark);
}

/*
 * "-j CONNMARK --set-xmark VALUE/MASK": the bits of VALUE and MASK are changed.  "-j MARK" is in
 * the way where it sets the bit for packets that are to be rejected.
 */
static void take_mark(struct firewall_part *p, const char *line, int64_t mark)
{
	const char *at = behind(line, "--set-xmark ");
	int64_t changes = UINT32_MAX;
	char *end;

	if (behind(line, "-j MARK") && at && strtoll(at, NULL, 0) & reject_bit(mark))
		keep_line(p->marker, sizeof(p->marker), line);
	if (!behind(line, "-j CONNMARK"))
		return;
	if (at) {
		changes = strtoll(at, &end, 0);
		changes |= *end == '/' ? strtoll(end + 1, NULL, 0) : UINT32_MAX;
	} else {
		at = behind(line, "--save-mark");
		if (!at)
			return;
		at = behind(line, "--ctmask ");
		changes = at ? strtoll(at, NULL, 0) : UINT32_MAX;
	}
	if (changes & mark)
		keep_line(p->marker, sizeof(p->marker), line);
}

/*
 * A rule of another program in the chain that ours stand in.  What a rule accepts, or whoever reads
 * a queue, goes on behind the whole chain.
 */
static void take_neighbour(struct firewall_part *p, const char *line)
{
	bool queues = behind(line, "-j NFQUEUE") != NULL;
	bool all = begins(line, "-A OUTPUT -j ");

	if (p->up && queues)
		keep_line(p->behind, sizeof(p->behind), line);
	if (p->up || p->before_all || !(queues || behind(line, "-j ACCEPT")))
		return;
	if (all || !p->before[0]) {
		keep_line(p->before, sizeof(p->before), line);
		p->before_all = all;
		p->before_queues = queues;
	}
}

static void take_iptables(struct firewall_part *p, const char *text, int64_t mark,
			  struct range ours)
{
	bool mangle = false;

	for (const char *line = text; line; line = look_next_line(line)) {
		if (*line == '*')
			mangle = begins(line, "*mangle");
		if (begins(line, "-A ") && !begins(line, "-A SOCKLEDGER") &&
		    behind(line, "-j NFQUEUE"))
			take_other(p, take_target(line), ours, line);
		if (!mangle || !begins(line, "-A "))
			continue;
		if (begins(line, "-A SOCKLEDGER ")) {
			take_own_rule(p, line);
			continue;
		}
		take_mark(p, line, mark);
		p->forward |= begins(line, "-A FORWARD -j SOCKLEDGER");
		if (!begins(line, "-A OUTPUT "))
			continue;
		if (behind(line, "-j SOCKLEDGER"))
			p->up = true;
		else
			take_neighbour(p, line);
	}
}

/* A rule of our table of nftables. */
static void take_nft_rule(struct firewall_part *p, const char *line)
{
	const char *queue = behind_queue(line), *mark = behind(line, "ct mark ");

	if (queue) {
		struct range r = take_statement(queue);

		p->first = r.first;
		p->last = r.last;
		p->bypass |= behind(queue, "bypass") != NULL;
	}
	if (mark && (mark = behind(mark, "0x")))
		p->mark = strtoll(mark, NULL, 16);
}

/* A rule of others: nft shows those of iptables as well, ours among them. */
static void take_nft_other(struct firewall_part *p, const char *line, int64_t mark,
			   struct range ours)
{
	const char *queue = behind_queue(line);
	const char *set = behind(line, "meta mark set 0x");

	if (begins(line, "ct mark set 0x") || behind(line, " ct mark set 0x") ||
	    (set && strtoll(set, NULL, 16) & reject_bit(mark)))
		keep_line(p->marker, sizeof(p->marker), line);
	if (queue)
		take_other(p, take_statement(queue), ours, line);
}

static void take_nft(struct firewall_part *p, const char *text, int64_t mark, struct range queues)
{
	bool ours = false, our_chain = false;

	for (const char *line = text; line; line = look_next_line(line)) {
		const char *p_line = line + strspn(line, " \t");

		if (begins(line, "table ")) {
			ours = begins(line, "table inet sockledger ");
		} else if (begins(p_line, "chain ")) {
			our_chain = begins(p_line, "chain SOCKLEDGER");
		} else if (ours) {
			p->up |= begins(p_line, "type filter hook output priority mangle");
			p->forward |= begins(p_line, "type filter hook forward priority mangle");
			take_nft_rule(p, p_line);
		} else if (!our_chain) {
			take_nft_other(p, p_line, mark, queues);
		}
	}
}

void firewall_look(struct firewall *f, const char *root, int64_t mark, int64_t first, int64_t last)
{
	const struct range ours = { first, last };

	static const char *const programs[FIREWALL_PARTS][4] = {
		[FIREWALL_IPV4] = { "iptables-save" },
		[FIREWALL_IPV6] = { "ip6tables-save" },
		[FIREWALL_NFT] = { "nft", "list", "ruleset" },
	};

	for (int i = 0; i < FIREWALL_PARTS; i++) {
		struct firewall_part *p = &f->part[i];
		char *text;

		*p = (struct firewall_part){ .first = -1, .last = -1, .mark = -1 };
		text = look_run(root, programs[i], &p->rc, p->why, sizeof(p->why));
		if (!text)
			continue;
		if (i == FIREWALL_NFT)
			take_nft(p, text, mark, ours);
		else
			take_iptables(p, text, mark, ours);
		free(text);
		/* Where there is no rule that accepts anything before ours, nothing is in the way.
		 */
		if (!p->up)
			p->before[0] = '\0';
	}
}
